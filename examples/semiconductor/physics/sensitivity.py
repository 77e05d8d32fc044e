"""How a terminal current depends on every physical parameter, forward and adjoint.

One idea: the parameters are arguments of the residual and of the current, so seeding *them* instead
of the unknowns gives dF/dp and dI/dp by the same automatic differentiation. With J = dF/dx::

    forward   dI/dp = I_p - I_x J^-1 F_p        one solve per parameter, serves all currents
    adjoint   dI/dp = I_p - (J^-T I_x) F_p      one solve per current, serves all parameters

Reference: M. B. Giles, N. A. Pierce, Flow, Turbulence and Combustion 65 (2000) 393.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sgsolve import ad, linear
from sgsolve.errors import InputError, ParameterError

from .checks import contact as check_contact
from .terminal import cuts

if TYPE_CHECKING:
    from .device import Device


def derivatives(
    device: Device,
    x: np.ndarray,
    contact: str,
    names: Sequence[str],
    how: Literal["adjoint", "forward"] = "adjoint",
    **p: Any,
) -> dict[str, float]:
    """Derivative of a terminal current by parameters.

    Parameters
    ----------
    device : Device
    x : ndarray
        The solution at the parameters `p`.
    contact : str
        Whose current.
    names : sequence of str
        Parameters that are numbers (not arrays).
    how : {"adjoint", "forward"}
        Both give the same; adjoint is cheaper for many parameters.

    Returns
    -------
    dict of str to float
        In A/cm^2 (or A/cm) per unit of each parameter.
    """
    check_contact(device, contact)
    p = device.parameters | p
    for name in names:
        if name not in p:
            raise ParameterError(f"{name!r} is no parameter; there are {', '.join(p)}")
        if np.ndim(p[name]) > 0:
            raise InputError(
                f"{name!r} is an array; derivatives are by parameters that are numbers"
            )
    cut = cuts(device, x, contact, p)
    by_p = by_parameters(lambda q: device.residual(x, **q), names, p, len(x))
    current = by_parameters(lambda q: device.current(x, contact, cut=cut, **q), names, p, 1)
    explicit = current[0]
    by_x = dense(device.current(ad.seed(x), contact, cut=cut, **p), (1, len(x)))[0]
    solver = factorized(device, x, p)
    if how == "forward":
        total = explicit - by_x @ solver.solve(by_p)
    else:
        total = explicit - solver.solve(by_x, transpose=True) @ by_p
    return dict(zip(names, total.tolist(), strict=True))


def conductance(device: Device, x: np.ndarray, contact: str, **p: Any) -> float:
    """Differential conductance dI/dV of a contact, S/cm^2 (or S/cm)."""
    return derivatives(device, x, contact, ["V_" + contact], **p)["V_" + contact]


def factorized(device: Device, x: np.ndarray, p: dict[str, Any]) -> Any:
    """A linear solver that holds the Jacobian at x."""
    jacobian = device.problem.jacobian(x, **p)
    solver = linear.auto(device.problem.sparsity(x))
    solver.factorize(jacobian)
    return solver


def by_parameters(
    f: Callable[[dict[str, Any]], Any], names: Sequence[str], p: dict[str, Any], rows: int
) -> np.ndarray:
    """Derivative of a function of the parameters, shape (rows, len(names))."""
    theta = ad.seed(np.array([float(p[name]) for name in names]))
    return dense(f({**p, **{name: theta[i] for i, name in enumerate(names)}}), (rows, len(names)))


def dense(y: Any, shape: tuple[int, int]) -> np.ndarray:
    """Derivative of an AD array as a full matrix; zero for what does not depend on the seed."""
    return y.jacobian.toarray().reshape(shape) if hasattr(y, "jacobian") else np.zeros(shape)
