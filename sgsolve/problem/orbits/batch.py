"""Batch: a function of the unknowns, evaluated with derivatives at many states.

Elementwise code gives the equations at all states in one call, with an array of shape (n, P) for
x. Code that makes vectors of numbers does so with a vector of `NumberAtStates`. Whether a residual
is of such a kind is found at the start: its values must be those of single calls, and its
derivatives must not couple states. All other code is called once per state; kernels, if there are
any, compute its derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ad
from ...ad.conversions.nested import LISTS, array_of
from ...ad.drivers.function_calls import evaluate_vector
from ...arrays import Vector
from ...errors import SgsolveError, StructureError
from ...pattern import Pattern
from .number_at_states import numbers_at_states, values_at_states
from .one_state import KernelOfState

Function = Callable[..., Any]

# what code for one state raises for an array of states; DerivativeError is a TypeError
UNFIT = (TypeError, ValueError, IndexError, AttributeError, ArithmeticError, SgsolveError)
SAME = 1e-12  # relative difference of values that are equal but for the order of sums


@dataclass(eq=False)
class Sample:
    """Values and derivatives of a function at P states.

    Attributes
    ----------
    values : ndarray, shape (P, n)
    parts : list of ndarray, shape (P, entries)
        The derivative by each argument, on its pattern.
    by_parameter : ndarray, shape (P, n)
    """

    values: Vector
    parts: list[Vector]
    by_parameter: Vector


class Batch:
    """A function ``f(x, ..., p)`` of vectors and of one number, at many states.

    Parameters
    ----------
    function : callable
        ``function(x, ..., p)`` -> (n,), or a list of n equations, for vectors of shape (n,), plain
        or AD arrays.
    states : sequence of ndarray, shape (P, n)
        For each argument, states at which the function can be traced.
    kernel : KernelOfState, optional
        For the derivatives of code that is called once per state.
    """

    def __init__(
        self,
        function: Function,
        states: Sequence[Vector],
        p: float,
        kernel: KernelOfState | None = None,
    ) -> None:
        self._function, self._count, self._kernel = function, len(states), kernel
        self.n = states[0].shape[1]
        self._plans: dict[int, _Plan] = {}
        self._seeds_p = self._takes_seeded(states, p)
        self._numbers = False
        self._whole = self._takes_all(states, p)
        if not self._whole:
            self._numbers = True
            self._whole = self._takes_all(states, p)
        width = self._count * self.n + 1
        self._local = Pattern(np.zeros(self.n + 1), [], (self.n, width))
        traced = states if self._whole else [s[:1] for s in states]
        self._grow(self._traced(traced, p))

    @property
    def patterns(self) -> list[Pattern]:
        """Where the derivative by each argument may have entries."""
        n, local = self.n, self._local
        found = []
        for j in range(self._count):
            here = (local.indices >= j * n) & (local.indices < (j + 1) * n)
            rows, columns = local.rows[here], local.indices[here] - j * n
            found.append(Pattern.from_coordinates(rows, columns, (n, n))[0])
        return found

    def values(self, states: Sequence[Vector], p: float) -> Vector:
        """Return the values at all states, shape (P, n)."""
        if self._whole:
            return np.array(self._called([s.T for s in states], p, len(states[0])).T, float)
        rows = zip(*states, strict=True)
        return np.array([np.asarray(self._one(row, p), dtype=float) for row in rows])

    def sample(self, states: Sequence[Vector], p: float) -> Sample:
        """Return values and derivatives at all states."""
        if self._whole:
            return self._evaluated(states, p)
        by_kernel = self._kernel is not None and self._seeds_p
        evaluated = self._by_kernel if by_kernel else self._evaluated
        one = [evaluated([s[k : k + 1] for s in states], p) for k in range(len(states[0]))]
        widths = {tuple(part.shape[1] for part in sample.parts) for sample in one}
        if len(widths) > 1:  # the pattern grew on the way
            return self.sample(states, p)
        parts = [np.concatenate([s.parts[j] for s in one]) for j in range(self._count)]
        values, slopes = ([getattr(s, k) for s in one] for k in ("values", "by_parameter"))
        return Sample(np.concatenate(values), parts, np.concatenate(slopes))

    def _called(self, arguments: Sequence[Any], p: Any, P: int) -> Any:
        """Return the function at P states, shape (n, P); raise one of `UNFIT` if it cannot."""
        if self._numbers:
            y = values_at_states(self._function(*map(numbers_at_states, arguments), p))
        else:
            y = self._function(*arguments, p)
        if isinstance(y, LISTS):
            y = array_of([_row(part, P) for part in y])
        if np.shape(y) != (self.n, P):
            raise ValueError("the function does not return one equation per row")
        return y

    def _one(self, arguments: Sequence[Any], p: Any) -> Any:
        """Return the function at one state, as a vector."""
        return evaluate_vector(self._function, *arguments, p)

    def _raw(self, z: Any, P: int, p: float) -> Any:
        """Return the function of seeded states, as one vector: equation by equation."""
        n, width = self.n, self.n * P
        parameter = z[self._count * width] if self._seeds_p else p
        parts = [z[j * width : (j + 1) * width] for j in range(self._count)]
        if not self._whole:
            return self._one(parts, parameter)
        return self._called([part.reshape(n, P) for part in parts], parameter, P).ravel()

    def _traced(self, states: Sequence[Vector], p: float) -> Pattern:
        """Return the pattern of one state, from that of all; `UNFIT` if states are coupled."""
        P = len(states[0])
        z = np.append(np.concatenate([s.T.ravel() for s in states]), p)
        with np.errstate(all="ignore"):
            y = self._raw(ad.seed_sparsity(z), P, p)
        return self._folded(ad.sparsity_pattern(y), P) if isinstance(y, ad.ADArray) else self._local

    def _folded(self, whole: Pattern, P: int) -> Pattern:
        n, width = self.n, self._count * self.n * P
        row, state = np.divmod(whole.rows, P)
        column, other = np.divmod(whole.indices, P)
        inner = whole.indices < width
        if (state[inner] != other[inner]).any():
            raise ValueError("the equations of one state depend on another state")
        column = np.where(inner, column, self._count * n)
        return Pattern.from_coordinates(row, column, (n, self._count * n + 1))[0]

    def _grow(self, local: Pattern) -> None:
        joined = self._local.union(local)
        if joined is not self._local:
            self._local, self._plans = joined, {}

    def _plan(self, P: int) -> _Plan:
        if P not in self._plans:
            self._plans[P] = _Plan(self._local, self.n, self._count, P)
        return self._plans[P]

    def _evaluated(self, states: Sequence[Vector], p: float) -> Sample:
        P, n = len(states[0]), self.n
        z = np.append(np.concatenate([s.T.ravel() for s in states]), p)
        y = self._raw(ad.seed(z), P, p)
        plan = self._plan(P)
        if not isinstance(y, ad.ADArray):
            parts = [np.zeros((P, width)) for width in plan.widths]
            return Sample(np.asarray(y, float).reshape(n, P).T, parts, np.zeros((P, n)))
        try:
            data = ad.jacobian_values(y, plan.pattern)
        except StructureError:
            self._grow(self._folded(ad.sparsity_pattern(y), P))
            plan = self._plan(P)
            data = ad.jacobian_values(y, plan.pattern)
        values = np.array(ad.value(y), dtype=np.float64).reshape(n, P).T
        parts, slope = plan.parts(data)
        if not self._seeds_p:
            slope = self._difference(states, p)
        return Sample(values, parts, slope)

    def _by_kernel(self, states: Sequence[Vector], p: float) -> Sample:
        """Return values and derivatives at one state, the derivatives by a kernel."""
        assert self._kernel is not None
        state = [s[0] for s in states]
        plan = self._plan(1)
        data = self._kernel.derivatives(np.append(np.concatenate(state), p), plan.pattern)
        if data is None:
            return self._evaluated(states, p)
        F = np.asarray(self._one(state, p), dtype=float)
        if not self._kernel.is_confirmed(F):
            return self._evaluated(states, p)
        parts, slope = plan.parts(data)
        return Sample(F[np.newaxis], parts, slope)

    def _difference(self, states: Sequence[Vector], p: float) -> Vector:
        h = 6e-6 * max(abs(p), 1e-3)
        up, down = (self.values(states, p + sign * h) for sign in (1.0, -1.0))
        slope: Vector = (up - down) / (2.0 * h)
        return slope

    def _takes_seeded(self, states: Sequence[Vector], p: float) -> bool:
        """Whether the parameter may be an AD array."""
        z = np.append(np.concatenate([s[0] for s in states]), p)
        self._seeds_p, self._whole = True, False
        try:
            with np.errstate(all="ignore"):
                self._raw(ad.seed(z), 1, p)
        except UNFIT:
            return False
        return True

    def _takes_all(self, states: Sequence[Vector], p: float) -> bool:
        """Whether one call gives what single calls give, and couples no states."""
        P = len(states[0])
        if P < 2:
            return False
        self._whole = False
        single = self.values(states, p)
        self._whole = True
        width = self._count * self.n + 1
        self._local = Pattern(np.zeros(self.n + 1), [], (self.n, width))
        try:
            with np.errstate(all="ignore"):
                together = self.values(states, p)
                self._traced(states, p)
        except UNFIT:
            return False
        sizes = np.abs(single).max(axis=0) + np.abs(single)
        return bool((np.abs(together - single) <= SAME * sizes).all())


def _row(part: Any, P: int) -> Any:
    """Return one equation at P states; a constant is the same at all of them."""
    return np.full(P, part) if np.shape(part) == () and not isinstance(part, ad.ADArray) else part


class _Plan:
    """The pattern of all states, and where the entries of each state stand in it."""

    def __init__(self, local: Pattern, n: int, count: int, P: int) -> None:
        k = np.arange(P)
        inner = local.indices < count * n
        rows = (local.rows[:, None] * P + k).ravel()
        columns = np.where(inner[:, None], local.indices[:, None] * P + k, count * n * P).ravel()
        shape = (n * P, count * n * P + 1)
        self.pattern, position = Pattern.from_coordinates(rows, columns, shape)
        self._position = position.reshape(-1, P)
        self._rows = local.rows[~inner]
        self._of = [np.flatnonzero((local.indices // n == j) & inner) for j in range(count)]
        self._last = np.flatnonzero(~inner)
        self.widths, self._n, self._P = [len(part) for part in self._of], n, P

    def parts(self, data: Vector) -> tuple[list[Vector], Vector]:
        """Return the derivatives by each argument, and by the parameter."""
        slope = np.zeros((self._P, self._n))
        slope[:, self._rows] = data[self._position[self._last]].T
        return [data[self._position[of]].T for of in self._of], slope
