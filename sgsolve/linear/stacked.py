"""Stacked systems: many matrices of one narrow pattern, factorized in one call.

The matrices stand one behind the other in a block-diagonal matrix, whose band is as narrow as that
of one of them. One call of LAPACK factorizes it, with partial pivoting inside of each block. The
checks of `LinearSolver` are those of single systems: its backward error is that of the worst row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import Vector
from ..errors import LinearSolveError
from ..pattern import Pattern
from .methods.banded import Banded
from .methods.choose import NARROW, REGISTRY
from .solver import LinearSolver
from .structure.ordering import Order, narrow_order, widest


def stacked_pattern(pattern: Pattern, count: int) -> Pattern:
    """Return the pattern of a block-diagonal matrix of so many blocks."""
    n, m = pattern.shape
    blocks = np.arange(count)[:, np.newaxis]
    indptr = np.append((pattern.indptr[:-1] + pattern.nnz * blocks).ravel(), pattern.nnz * count)
    indices = (pattern.indices + m * blocks).ravel()
    return Pattern(indptr, indices, (n * count, m * count))


def may_stack(backend: Any) -> bool:
    """Whether matrices may be stacked for a back end as a problem takes it: a name or an object.

    It declares ``stackable = True`` where it factorizes by LAPACK, as the stacked matrices are.
    """
    if isinstance(backend, str):
        return backend == "auto" or getattr(REGISTRY.get(backend), "stackable", False)
    return bool(getattr(backend, "stackable", False))


def stacking_order(pattern: Pattern) -> Order | None:
    """Return the order that gives a narrow band; None if there is none, and stacking is no gain."""
    if widest(pattern) > NARROW + 1:
        return None
    order = narrow_order(pattern)
    return order if order.width <= NARROW else None


class StackedSolver:
    """Systems of `count` matrices of one pattern.

    A matrix that is singular, or whose answer is not accurate, is replaced by the unit matrix and
    reported; the answers of all others are those of `LinearSolver`.

    Parameters
    ----------
    pattern : Pattern
        Of one matrix; with its diagonal.
    order : Order
        From `stacking_order`.

    Attributes
    ----------
    pattern : Pattern
        Of all matrices, block-diagonal.
    failed : ndarray of bool, shape (count,)
        Which matrices have no answer since the last `factorize`.
    unit : ndarray, shape (nnz,)
        The values of a unit matrix.
    stats : Statistics
        Counts of calls, and seconds.
    """

    def __init__(self, pattern: Pattern, order: Order, count: int) -> None:
        self.pattern, self.failed = stacked_pattern(pattern, count), np.zeros(count, dtype=bool)
        self._single_pattern, self._single = pattern, LinearSolver(pattern, lambda: Banded(order))
        stacked = _stacked_order(order, count, pattern.shape[0])
        self._solver = LinearSolver(self.pattern, lambda: Banded(stacked))
        self.stats = self._solver.stats
        self.unit = np.where(pattern.indices == pattern.rows, 1.0, 0.0)
        self._data: Vector = np.empty((0, pattern.nnz))

    @property
    def name(self) -> str:
        """Name of the back end."""
        return self._solver.name

    def factorize(self, data: Vector) -> None:
        """Factorize all matrices, given their values, shape (count, nnz)."""
        self._data, self.failed = data, np.zeros(len(data), dtype=bool)
        try:
            self._solver.factorize(self.pattern.matrix(data.ravel()))
        except LinearSolveError:
            self._leave_out(np.zeros((len(data), self._single_pattern.shape[0])))

    def solve(self, b: Vector) -> Vector:
        """Return the solutions, shape (count, n); zero for what failed."""
        b = np.where(self.failed[:, np.newaxis], 0.0, b)
        try:
            return self._answer(b)
        except LinearSolveError:
            self._leave_out(b)
        try:
            return self._answer(np.where(self.failed[:, np.newaxis], 0.0, b))
        except LinearSolveError:  # whatever it is, no answer of this stack is accurate
            self.failed[:] = True
            return np.zeros_like(b)

    def _answer(self, b: Vector) -> Vector:
        return self._solver.solve_step(b.ravel()).reshape(b.shape)

    def _leave_out(self, b: Vector) -> None:
        """Find the matrices without an answer, and factorize the others."""
        for j, (values, right) in enumerate(zip(self._data, b, strict=True)):
            if not self.failed[j]:
                self.failed[j] = not self._is_solved(values, right)
        self._data = np.where(self.failed[:, np.newaxis], self.unit, self._data)
        try:
            self._solver.factorize(self.pattern.matrix(self._data.ravel()))
        except LinearSolveError:
            self.failed[:] = True
            self._data = np.tile(self.unit, (len(b), 1))
            self._solver.factorize(self.pattern.matrix(self._data.ravel()))

    def _is_solved(self, values: Vector, b: Vector) -> bool:
        try:
            self._single.factorize(self._single_pattern.matrix(values))
            return math.isfinite(float(np.abs(self._single.solve_step(b)).max()))
        except LinearSolveError:
            return False


def _stacked_order(order: Order, count: int, n: int) -> Order:
    """Return the order of a stack of matrices."""
    first = n * np.arange(count)[:, np.newaxis]

    def stacked(places: Any) -> Any:
        return None if places is None else (first + places).ravel()

    rows = stacked(order.rows)
    columns = rows if order.columns is order.rows else stacked(order.columns)
    return Order(rows, columns, order.lower, order.upper)
