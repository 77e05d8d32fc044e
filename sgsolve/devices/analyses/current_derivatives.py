"""Derivatives of a terminal current by physical parameters, forward and adjoint.

A current is a functional of the solution and of the parameters. Arrays count element by element:
the doping and the lifetimes of every node, the mobility of every edge.

Reference: M. B. Giles, N. A. Pierce, Flow, Turbulence and Combustion 65 (2000) 393.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ...errors import ParameterError
from ..device import Device
from ..equations.argument_checks.device_checks import state as check_state
from ..equations.argument_checks.parameter_checks import contact as check_contact
from ..equations.transport.terminal import current, cuts


def derivatives(
    device: Device,
    x: np.ndarray,
    contact: str,
    names: Sequence[str],
    how: Literal["adjoint", "forward"] = "adjoint",
    **p: Any,
) -> dict[str, Any]:
    """Return the derivative of a terminal current by parameters.

    Parameters
    ----------
    device : Device
        The device.
    x : ndarray
        The solution at the parameters `p`.
    contact : str
        Whose current.
    names : sequence of str
        Parameters, ``"doping"`` and ``"profile"`` (of the generation) among them. For the
        derivative by a lifetime at every node, give the device an array of lifetimes.
    how : {"adjoint", "forward"}
        Both give the same; adjoint is cheaper for many parameters and for fields.
    **p
        The parameters of the solution that differ from the device's.

    Returns
    -------
    dict of str to float or ndarray
        In A/cm^2 (or A/cm) per unit of each parameter, in the parameter's shape.

    Raises
    ------
    ParameterError
        If the device has no parameter of a name.

    See Also
    --------
    conductance : By the voltage.
    Problem.sensitivity : Of any problem.

    Examples
    --------
    A resistor: the mobilities of all edges matter alike, and more doping conducts more.

    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, derivatives, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": np.full(10, 1000.0), "mu_p": 400.0})
    >>> found = derivatives(bar, bar.solve(V_a=1e-3).x, "a", ["mu_n", "doping"], V_a=1e-3)
    >>> found["mu_n"].round(8).tolist()[::3], found["doping"].shape
    ([1.602e-05, 1.602e-05, 1.602e-05, 1.602e-05], (11,))
    """
    return _derivatives_by(device, x, contact, names, how, p)


def _derivatives_by(
    device: Device,
    x: np.ndarray,
    contact: str,
    names: Sequence[str],
    how: Literal["adjoint", "forward"],
    p: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the derivatives; see `derivatives`."""
    check_contact(device, contact)
    check_state(device, "x", x)
    known = {**device.parameters, **p}
    for name in names:
        if name not in known:
            raise ParameterError(f"{name!r} is no parameter; there are {', '.join(known)}")
    cut = cuts(device, x, contact, known)

    def read(y: Any, /, **q: Any) -> Any:
        return current(device, y, contact, q, cut)

    problem = device.problem.at(**p)
    found: dict[str, Any] = problem.sensitivity(x, list(names), functional=read, mode=how)
    return found


def conductance(device: Device, x: np.ndarray, contact: str, **p: Any) -> float:
    """Return the differential conductance dI/dV of a contact.

    Parameters
    ----------
    device : Device
        The device.
    x : ndarray
        The solution at the parameters `p`.
    contact : str
        The contact.
    **p
        The parameters of the solution that differ from the device's.

    Returns
    -------
    float
        S/cm^2; S/cm in two dimensions, S in three.

    See Also
    --------
    derivatives : By other parameters.
    SmallSignal : At a frequency.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, conductance, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> round(conductance(bar, bar.equilibrium(), "a"), 1)  # q N mu / L
    160.2
    """
    return slope_of_current(device, x, contact, p)


def slope_of_current(device: Device, x: np.ndarray, contact: str, p: Mapping[str, Any]) -> float:
    """Return the derivative of a contact's current by its own voltage; see `conductance`."""
    name = "V_" + contact
    return float(_derivatives_by(device, x, contact, [name], "adjoint", p)[name])
