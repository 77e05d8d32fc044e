"""The equations in time of a problem: F(x, p, t) + d/dt Q(x, p, t) = 0 with p given.

F and Q are differentiated on one sparsity pattern. For their parameters see `time_parameters`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ... import ad
from ...ad.drivers.function_calls import evaluate_vector
from ...ad.kernels.compiled_evaluation import CompiledResult
from ...ad.kernels.running.kernel_call import KernelCall
from ...arrays import Vector
from ...continuation.runs.user_functions import call_with_parameters
from ...errors import InputError, NotFiniteError, StructureError
from ...pattern import Pattern
from ...results.history import Stats
from ...transient.evolution import Currents, Derivatives
from ..inputs.given_jacobian import on_pattern
from ..inputs.returned import real_values, real_vector, stored_values, vector
from ..inputs.signature import TIME
from .compiled_functions import CompiledFunctions
from .parameters import beside_parameter, seeded_jacobian
from .residual_system import ResidualSystem
from .storage import check_storage
from .time_parameters import TimeParameters


class TimeSystem:
    """A problem with its parameters fixed, as a `transient.EvolutionSystem`.

    Parameters
    ----------
    system : ResidualSystem
        The equations F at the first time.
    storage : callable or str
        ``Q(x, names of parameters...)`` -> (n,), or the name of the parameter that is dx/dt.
    x : ndarray, shape (n,)
        Where the sparsity pattern is found; any state.
    t : float
        The first time.
    functions : mapping of str to callable
        Parameters that are functions of time.

    Attributes
    ----------
    parameters : TimeParameters
        Those of the problem at any time.
    conservative : bool
        Whether there is a charge Q; with dx/dt as a parameter the unknowns take its place.
    currents : Currents or None
        Outputs that are recorded with their rates; none at first.
    as_written : callable or None
        The residual by the code of the user, where it is compiled otherwise.

    Raises
    ------
    InputError
        The storage is missing, or depends on no unknown.
    NotFiniteError
        F or Q is not finite at x.
    """

    def __init__(
        self,
        system: ResidualSystem,
        storage: Any,
        x: Vector,
        t: float,
        functions: Mapping[str, Callable[[float], Any]],
    ) -> None:
        check_storage(storage, "transient needs")
        self.currents: Currents | None = None
        self._system, self._storage = system, storage
        self._kernels = system.kernels
        self.n, self.blocks, self.scale = system.n, system.blocks, system.scale
        self.parameters = TimeParameters(system, functions)
        self.conservative = callable(storage)
        if self.conservative:
            self._taken = call_with_parameters(storage, x, self.parameters.every(t), _names)
        self._pattern = self._found_pattern(x, t)
        if self._kernels is not None:
            self._pattern = self._kernels.pattern_in_time(self._pattern)
        self.as_written = None if self._kernels is None else self._plain

    @property
    def pattern(self) -> Pattern:
        """Where J and C may have entries: one pattern for both, with the diagonal."""
        return self._pattern

    def residual(self, t: float, x: Vector, a: float, q: Vector) -> tuple[Vector, Vector]:
        """Return F(x, t) + a (Q(x, t) - q) and Q(x, t); with dx/dt a parameter, F and x."""
        if self.conservative and self._kernels is not None:
            F, Q = self._compiled_values(self._kernels, t, x)
            return F + a * (Q - q), Q
        if self._kernels is not None:
            self._kernels.note("dx/dt is a parameter of the residual")
        return self._plain(t, x, a, q)

    def _plain(self, t: float, x: Vector, a: float, q: Vector) -> tuple[Vector, Vector]:
        if self.conservative:
            Q = self._charge(t, x)
            G = Q - q
            G *= a
            G += real_values(self._flow(t, x), self.n)
            return G, Q
        return real_vector(self._implicit(t, x, a * (x - q)), self.n), x.copy()

    def derivatives(self, t: float, x: Vector, a: float, q: Vector) -> Derivatives:
        """Return J and C at (x, t), values on the pattern."""
        if self.conservative and self._kernels is not None:
            with suppress(StructureError):  # then the pattern grows, below
                C = self.capacity(t, x)
                return Derivatives(self._compiled_J(self._kernels, t, x), C)
        if self.conservative:
            parts = self._J(t, x), self._seeded_charge(t, ad.seed(x))
        else:
            rate = a * (x - q)
            parts = self._J(t, x, rate), vector(self._implicit(t, x, ad.seed(rate)), self.n)
        return Derivatives(*self._on_pattern(*parts))

    def capacity(self, t: float, x: Vector) -> Vector:
        """Return C at (x, t), values on the pattern."""
        if not self.conservative:
            return self.derivatives(t, x, 0.0, x).C

        def charge() -> CompiledResult:
            part = self._seeded_charge(t, ad.seed(x))
            return CompiledResult(np.array(ad.value(part)), self._assembled(part), self._pattern)

        if self._kernels is not None:
            storage = self._kernels.of("storage", self._storage)
            with suppress(StructureError):
                values: Vector = storage.linearized(
                    x, self._of_storage(t), self._pattern, charge
                ).data
                return values
        return self._on_pattern(self._seeded_charge(t, ad.seed(x)))[0]

    def _on_pattern(self, *parts: Any) -> list[Vector]:
        """Return the values of derivatives on the pattern, which grows where it is too small."""
        try:
            return [self._assembled(part) for part in parts]
        except StructureError:
            for part in parts:
                if isinstance(part, ad.ADArray):
                    self._pattern = self._pattern.union(ad.sparsity_pattern(part))
            return [self._assembled(part) for part in parts]

    def confirm(self, t: float, x: Vector, a: float, q: Vector, G: Vector) -> bool:
        """Whether the user's code gives this residual; see `ResidualSystem.confirm`."""
        kernels = self._kernels
        return kernels is None or kernels.confirm(
            G, lambda: self._plain(t, x, a, q)[0], self.blocks
        )

    def kernel_calls(
        self,
        t: float,
        x: Vector,
        place: Vector,
        make: bool,
        known: tuple[KernelCall, KernelCall] | None = None,
    ) -> tuple[KernelCall, KernelCall] | None:
        """Return the kernels of F and Q for loops; None if there are none.

        Parameters
        ----------
        place : ndarray, shape (n,)
            Where x will be.
        make : bool
            Make those that are missing.
        known : two KernelCall, optional
            Of an earlier run: they serve again if their kernels are the same.
        """
        kernels = self._kernels
        if kernels is None or kernels.stopped or not self.conservative:
            return None
        flow, storage = kernels.residual(), kernels.of("storage", self._storage)
        of_flow, of_storage = self.parameters.at(t), self._of_storage(t)
        if make:
            moving = {TIME, *self.parameters.functions}
            for evaluation, given in ((flow, of_flow), (storage, of_storage)):
                evaluation.note_varying(moving & given.keys())
            flow.make(x, of_flow, lambda: real_vector(self._flow(t, x), self.n))
            storage.make(x, of_storage, lambda: self._charge(t, x))
        for_F, for_Q = (None, None) if known is None else known
        F, Q = flow.call(place, of_flow, for_F), storage.call(place, of_storage, for_Q)
        return None if F is None or Q is None else (F, Q)

    @property
    def kernels_serve(self) -> bool:
        """Whether kernels may be used, or are made soon."""
        return self._kernels is not None and not self._kernels.stopped

    @property
    def steps_without_loops(self) -> int:
        """Steps of runs of the problem that loops would have made."""
        return 0 if self._kernels is None else self._kernels.steps_without_loops

    def note_step(self) -> None:
        """Count such a step."""
        if self._kernels is not None:
            self._kernels.steps_without_loops += 1

    @property
    def makes_kernels(self) -> bool:
        """Whether kernels are made whether they pay or not."""
        return self._kernels is not None and self._kernels.at_once

    def count_compiled(self, count: int) -> None:
        """Count evaluations of F by loops."""
        if self._kernels is not None:
            self._kernels.residual().stats.compiled += count

    def parts(self, t: float, x: Vector) -> tuple[Vector, Vector]:
        """Return F(x, t) and Q(x, t) by the user's code."""
        return real_values(self._flow(t, x), self.n), self._charge(t, x)

    def confirm_parts(self, t: float, x: Vector, F: Vector, Q: Vector) -> bool:
        """Whether the user's code gives this F and this Q."""
        F_now, Q_now = self.parts(t, x)
        kernels = self._kernels
        if kernels is None or ((F_now == F).all() and (Q_now == Q).all()):
            return True
        confirmed = kernels.confirm(F, lambda: F_now, self.blocks)
        return confirmed and kernels.confirm(Q, lambda: Q_now, self.blocks)

    def compiled_counts(self) -> Stats:
        """Return the counts of compiled evaluations so far."""
        return self._system.compiled_counts()

    def _compiled_values(
        self, kernels: CompiledFunctions, t: float, x: Vector
    ) -> tuple[Vector, Vector]:
        """Return F and Q."""
        F = kernels.residual().value(
            x, self.parameters.at(t), lambda: real_vector(self._flow(t, x), self.n)
        )
        storage = kernels.of("storage", self._storage)
        return F, storage.value(x, self._of_storage(t), lambda: self._charge(t, x))

    def _compiled_J(self, kernels: CompiledFunctions, t: float, x: Vector) -> Vector:
        def flow() -> CompiledResult:
            part = self._J(t, x)
            return CompiledResult(np.array(ad.value(part)), self._assembled(part), self._pattern)

        values: Vector = (
            kernels.residual().linearized(x, self.parameters.at(t), self._pattern, flow).data
        )
        return values

    def flow_with(self, t: float, x: Vector, name: str, value: Any) -> Vector:
        """Return F(x, t) with another value of one parameter."""
        return real_vector(self._system.raw_at(x, {**self.parameters.at(t), name: value}), self.n)

    def by_parameters(self, t: float, x: Vector, names: Sequence[str]) -> tuple[Vector, Vector]:
        """Return dF/dp and dQ/dp at fixed x, each of shape (n, m) for m numbers in all parameters.

        Raises
        ------
        InputError
            The problem has its own Jacobian, or dx/dt is a parameter.
        """
        if self._system.has_own_jacobian or not self.conservative:
            raise InputError(
                "sensitivities in time need a storage function, and the derivatives of AD: leave "
                "jacobian out"
            )
        now = self.parameters.at(t)
        values = [
            np.asarray(now.get(name, self.parameters.default(name)), dtype=np.float64)
            for name in names
        ]
        ends = np.cumsum([value.size for value in values])
        seed = ad.seed(np.concatenate([value.ravel() for value in values]))
        shape = self.n, int(ends[-1])
        moved = {
            name: seed[end - value.size : end].reshape(value.shape)
            for name, value, end in zip(names, values, ends, strict=True)
        }
        params = {**now, **moved}
        F = vector(beside_parameter(lambda z: self._system.raw_at(z, params), x, seed), self.n)
        known = {**self.parameters.every(t), **moved}
        taken = {key: known[key] for key in self._taken}
        Q = beside_parameter(lambda z: evaluate_vector(self._storage, z, **taken), x, seed)
        return seeded_jacobian(F, shape).toarray(), seeded_jacobian(Q, shape).toarray()

    def _flow(self, t: float, x: Any) -> Any:
        return self._system.raw_at(x, self.parameters.at(t))

    def _implicit(self, t: float, x: Any, rate: Any) -> Any:
        return self._system.raw_at(x, {**self.parameters.at(t), self._storage: rate})

    def _charge(self, t: float, x: Vector) -> Vector:
        return stored_values(self._seeded_charge(t, x), self.n)

    def _seeded_charge(self, t: float, x: Any) -> Any:
        return evaluate_vector(self._storage, x, **self._of_storage(t))

    def _of_storage(self, t: float) -> dict[str, Any]:
        """Return the parameters of the storage at a time."""
        if not self._taken:
            return {}
        known = self.parameters.every(t)
        return {name: known[name] for name in self._taken}

    def _J(self, t: float, x: Vector, rate: Vector | None = None) -> Any:
        """Return F on seeded unknowns, or the user's Jacobian."""
        params = self.parameters.at(t)
        if rate is not None:
            params = {**params, self._storage: rate}
        if self._system.has_own_jacobian:
            return self._system.given_jacobian_at(x, params)
        return vector(self._system.raw_at(ad.seed(x), params), self.n)

    def _assembled(self, part: Any) -> Vector:
        """Return the values of a derivative on the pattern."""
        if isinstance(part, ad.ADArray):
            return ad.jacobian_values(part, self._pattern)
        if isinstance(part, np.ndarray):  # depends on no unknown here
            return np.zeros(self._pattern.nnz)
        placed = on_pattern(part, self._pattern)
        if placed is None:
            self._pattern = self._pattern.union(Pattern.of(part))
            raise StructureError("an element of the Jacobian is not in the sparsity pattern")
        values: Vector = placed.data
        return values

    def _found_pattern(self, x: Vector, t: float) -> Pattern:
        """Check F and Q at the start, and find where their derivatives may have entries."""
        with np.errstate(all="ignore"):
            F, Q = self.residual(t, x, 0.0, x)
            _refuse_nan("the storage", Q, self.blocks)
            _refuse_nan("the residual", F, self.blocks)
            seeded = ad.seed_sparsity(x)
            rate = np.zeros(self.n)
            if self.conservative:
                stored = self._seeded_charge(t, seeded)
            else:
                stored = vector(self._implicit(t, x, ad.seed_sparsity(rate)), self.n)
            if not isinstance(stored, ad.ADArray):
                raise InputError(
                    "the storage depends on no unknown: nothing changes in time. Return an "
                    "expression of x, or use Problem.solve for the steady state"
                )
            C = ad.sparsity_pattern(stored)
            self.stores = np.diff(C.indptr) > 0
            if not self.conservative:
                self.stores = np.ones(self.n, dtype=bool)
            if self._system.has_own_jacobian:
                J = Pattern.of(self._J(t, x, None if self.conservative else rate))
            else:
                flow = (
                    self._flow(t, seeded) if self.conservative else self._implicit(t, seeded, rate)
                )
                flow = vector(flow, self.n)
                J = ad.sparsity_pattern(flow) if isinstance(flow, ad.ADArray) else C
        return J.union(C).with_diagonal()


def _names(function: Any, x: Any, /, **values: Any) -> tuple[str, ...]:
    return tuple(values)


def _refuse_nan(what: str, values: Vector, blocks: Any) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise NotFiniteError(
            f"{what} is not finite at the start, in {len(bad)} of {len(values)} equations, first "
            f"{blocks.label(int(bad[0]))} = {values[bad[0]]}; start within the model"
        )
