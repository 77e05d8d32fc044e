"""Storage: the stored quantities Q of the equations, and the mass matrix C that multiplies dx/dt.

The equations in time are ``F(x, p) + d/dt Q(x, p) = 0``. Q is a function of the same arguments as
F, and C = dQ/dx is computed by automatic differentiation. Alternatively the residual takes dx/dt
as a parameter; then C is its derivative by that parameter.

Reference: L. O. Chua, P.-M. Lin, Computer-Aided Analysis of Electronic Circuits (1975), ch. 10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from ... import ad
from ...ad.drivers.function_calls import evaluate_vector
from ...arrays import Vector
from ...continuation.runs.user_functions import call_with_parameters
from ...errors import DataTypeError, InputError, ParameterError, ShapeError
from ...pattern import Pattern
from ..inputs.signature import Signature
from .parameters import beside_parameter, by_parameter, seeded_jacobian
from .residual_system import ResidualSystem


def refuse_wrong_storage(storage: Any, signature: Signature) -> None:
    """Raise if what a problem is made with cannot be its storage.

    Raises
    ------
    DataTypeError
        If it is neither a function nor a name.
    ParameterError
        If it names no parameter of the residual.
    """
    if storage is None or callable(storage):
        return
    if not isinstance(storage, str):
        raise DataTypeError(
            f"storage must be a function or a name, not {storage!r}; for a mass matrix or a number "
            "of each unknown write storage=lambda x: M @ x, or storage=lambda x: m * x"
        )
    if not signature.takes(storage):
        raise ParameterError(
            f"storage names {storage!r}, which is no parameter of the residual; it must be the "
            "parameter that is dx/dt, or a function: storage=lambda x: x stores x itself"
        )


def check_storage(storage: Callable[..., Any] | str | None, needed: str) -> None:
    """Raise if a problem has no storage.

    Parameters
    ----------
    needed : str
        Subject and verb of the message: "transient needs".

    Raises
    ------
    InputError
    """
    if storage is None:
        raise InputError(
            f"{needed} Q in F(x) + dQ/dt = 0. Pass Problem(..., storage=Q), a function "
            "Q(x, **parameters), or the name of the parameter of the residual that is dx/dt"
        )


class Storage:
    """The stored quantities of a system with parameters.

    Parameters
    ----------
    storage : callable or str
        ``Q(x, names of parameters...)`` -> (n,), or the name of the parameter that is dx/dt.

    Raises
    ------
    InputError
        If the problem was made without a storage.
    """

    def __init__(self, storage: Callable[..., Any] | str | None, system: ResidualSystem) -> None:
        check_storage(storage, "small signals and the mass matrix need")
        self._storage, self._system = storage, system
        self._params = {**system.defaults, **system.params}
        if isinstance(storage, str):
            self._check_rate(storage)

    @property
    def rate(self) -> str | None:
        """Name of the parameter that is dx/dt, if there is one."""
        return self._storage if isinstance(self._storage, str) else None

    def matrix(self, x: Vector) -> Any:
        """Return C at x, a ``csr_array`` of shape (n, n), explicit zeros kept."""
        if isinstance(self._storage, str):
            return by_parameter(self._system, x, self._storage)
        return seeded_jacobian(self._evaluated(ad.seed(x)), (len(x), len(x)))

    def pattern(self, x: Vector) -> Pattern:
        """Return where C may have entries, on every branch of the code."""
        n = len(x)
        if self.rate is None:
            y = self._evaluated(ad.seed_sparsity(x))
        elif self._system.has_own_jacobian:
            return Pattern.of(self.matrix(x))
        else:
            y = self._system.at({self.rate: ad.seed_sparsity(np.zeros(n))}).raw(x)
        return (
            ad.sparsity_pattern(y)
            if isinstance(y, ad.ADArray)
            else Pattern.of(sp.csr_array((n, n)))
        )

    def by_parameter(self, x: Vector, name: str) -> Vector:
        """Return dQ/dp at fixed x, shape (n,), of a parameter that is a number."""
        if self.rate is not None:
            return np.zeros(len(x))
        seed = ad.seed(float(self._params[name]))
        known = {**self._params, name: seed}
        y = beside_parameter(lambda z: self._evaluated(z, known), x, seed)
        column: Vector = seeded_jacobian(y, (len(x), 1)).toarray()[:, 0]
        return column

    def _evaluated(self, x: Any, params: dict[str, Any] | None = None) -> Any:
        assert callable(self._storage)
        with np.errstate(all="ignore"):
            y = call_with_parameters(self._storage, x, params or self._params, evaluate_vector)
        if np.shape(y) != np.shape(x):
            raise ShapeError(
                f"storage returned shape {np.shape(y)} for {len(x)} unknowns; it must return what "
                "each equation stores, zero where it stores nothing"
            )
        return y

    def _check_rate(self, name: str) -> None:
        value: Any = self._params.get(name)
        if np.shape(value) != (self._system.n,):
            raise InputError(
                f"storage: the parameter {name!r} that is dx/dt must be an array of "
                f"{self._system.n} zeros in the steady state, not {value!r}"
            )
