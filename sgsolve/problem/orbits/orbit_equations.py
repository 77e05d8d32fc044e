"""The equations in time of a problem at many states, for periodic orbits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import Vector
from ...bifurcation.spectra.balance import Balance
from ...continuation.runs.user_functions import call_with_parameters
from ...errors import InputError
from ...pattern import Pattern
from ...periodic.evaluated import Evaluated
from ..equations.residual_system import ResidualSystem
from ..equations.storage import check_storage
from ..inputs.given_jacobian import on_pattern
from ..inputs.signature import TIME
from .batch import Batch, Sample
from .one_state import KernelOfState

DENSE = 400  # unknowns up to which the rank of dQ/dx is computed
RANK = 1e-10  # singular values below this part of the largest one are zero


class OrbitEquations:
    """F(x, p) + dQ(x, p)/dt = 0 or F(x, dx/dt, p) = 0; `periodic.evaluated.AutonomousEquations`.

    Parameters
    ----------
    system : ResidualSystem
        Prepared.
    storage : callable or str
    name : str
        The parameter that moves.
    states : ndarray, shape (P, n)
        At which the functions can be traced.

    Raises
    ------
    InputError
        If nothing changes in time, or if the equations depend on time.
    """

    def __init__(
        self, system: ResidualSystem, storage: Any, name: str | None, states: Vector, p: float
    ) -> None:
        _check_equations(system, storage)
        self.n, self.conservative = system.n, callable(storage)
        self._system, self._storage, self._name = system, storage, name
        self._params = {**system.defaults, **system.params}
        self._given = system.has_own_jacobian
        if self.conservative:
            self._flow = None if self._given else Batch(self._F, [states], p, self._kernel(False))
            self._charge = Batch(self._Q, [states], p, self._kernel(True))
            if not self._charge.patterns[0].nnz:
                raise InputError(
                    "the storage depends on no unknown: nothing changes in time. Return an "
                    "expression of x"
                )
        else:
            flow = self._kernel(False)
            self._flow = Batch(self._implicit, [states, np.zeros_like(states)], p, flow)
        self.algebraic = self.n - self._rank(states, p)

    @property
    def pattern_J(self) -> Pattern:
        """Where dF/dx may have entries."""
        return self._system.pattern if self._flow is None else self._flow.patterns[0]

    @property
    def pattern_C(self) -> Pattern:
        """Where dQ/dx, or dF/d(dx/dt), may have entries."""
        if self.conservative:
            return self._charge.patterns[0]
        assert self._flow is not None
        return self._flow.patterns[1]

    def values(self, x: Vector, rates: Vector | None, p: float) -> tuple[Vector, Vector]:
        """Return F and Q at states, each of shape (P, n)."""
        with np.errstate(all="ignore"):
            if not self.conservative:
                assert self._flow is not None
                assert rates is not None
                return self._flow.values([x, rates], p), x
            if self._flow is None:
                return self._given_values(x, p), self._charge.values([x], p)
            return self._flow.values([x], p), self._charge.values([x], p)

    def evaluate(self, x: Vector, rates: Vector | None, p: float) -> Evaluated:
        """Return F and Q at states with all derivatives."""
        with np.errstate(all="ignore"):
            if not self.conservative:
                assert self._flow is not None
                assert rates is not None
                F = self._flow.sample([x, rates], p)
                J, C = F.parts
                return Evaluated(F.values, x, J, C, F.by_parameter, np.zeros_like(x))
            F = self._given_sample(x, p) if self._flow is None else self._flow.sample([x], p)
            Q = self._charge.sample([x], p)
        return Evaluated(F.values, Q.values, F.parts[0], Q.parts[0], F.by_parameter, Q.by_parameter)

    def _moved(self, p: Any) -> dict[str, Any]:
        return self._params if self._name is None else {**self._params, self._name: p}

    def _F(self, x: Any, p: Any) -> Any:
        return self._system.at({} if self._name is None else {self._name: p}).unjoined(x)

    def _Q(self, x: Any, p: Any) -> Any:
        return call_with_parameters(self._storage, x, self._moved(p))

    def _implicit(self, x: Any, rate: Any, p: Any) -> Any:
        return self._system.at(
            {self._storage: rate, **({} if self._name is None else {self._name: p})}
        ).unjoined(x)

    def _kernel(self, of_storage: bool) -> KernelOfState | None:
        """Return the kernels of the equations, or of the storage, at one state."""
        functions, n, name = self._system.kernels, self.n, self._name
        if functions is None:
            return None
        storage, residual = self._storage, self._system.raw_at

        def function(z: Any, /, **params: Any) -> Any:
            moved = params if name is None else {**params, name: z[-1]}
            if of_storage:
                return call_with_parameters(storage, z[:n], moved)
            if callable(storage):
                return residual(z[:n], moved)
            return residual(z[:n], {**moved, storage: z[n : 2 * n]})

        key = ("at one state", of_storage, storage, name)
        return KernelOfState(functions, key, function, self._params)

    def _given_values(self, x: Vector, p: float) -> Vector:
        system = self._system.at({} if self._name is None else {self._name: p})
        return np.array([system.residual(row) for row in x])

    def _given_sample(self, x: Vector, p: float) -> Sample:
        """Return F with the user's Jacobian; the derivative by p is a central difference."""
        params = {**self._system.params, **({} if self._name is None else {self._name: p})}
        rows = []
        for row in x:
            J = self._system.given_jacobian_at(row, params)
            placed = on_pattern(J, self.pattern_J)
            if placed is None:
                raise InputError(
                    "jacobian returned entries outside its sparsity pattern; return the same "
                    "structure at every x"
                )
            rows.append(placed.data)
        h = 6e-6 * max(abs(p), 1e-3)
        slope = np.zeros_like(x)
        if self._name is not None:
            slope = (self._given_values(x, p + h) - self._given_values(x, p - h)) / (2.0 * h)
        return Sample(self._given_values(x, p), [np.array(rows)], slope)

    def _rank(self, states: Vector, p: float) -> int:
        """Return how many rates the equations determine."""
        x = states[:1]
        rates = None if self.conservative else np.zeros_like(x)
        C = self.pattern_C.matrix(self.evaluate(x, rates, p).C[0])
        if self.n > DENSE:
            return self.n - len(self.pattern_C.empty_rows)
        values = np.linalg.svd(Balance.of(C).scaled(C).toarray(), compute_uv=False)
        return int((values > RANK * values[0]).sum())


def _check_equations(system: ResidualSystem, storage: Any) -> None:
    """Raise `InputError` for equations that have no periodic orbits of their own."""
    check_storage(storage, "a periodic orbit needs")
    if system.takes(TIME):
        raise InputError(
            f"the residual takes the time {TIME!r}: its orbits are forced. periodic_orbit needs "
            "equations without the time; add an oscillator to the unknowns that drives them"
        )
    if isinstance(storage, str) and system.has_own_jacobian:
        raise InputError(
            "with dx/dt as a parameter of the residual the derivatives come from AD; leave "
            "jacobian out"
        )
