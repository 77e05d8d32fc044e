"""Sparsity: which elements can depend on which unknowns, on any branch and at any x.

`Sparsity` is a derivative without coefficients, which `seed_sparsity` runs through the residual.
During such a run both sides of every branch are evaluated.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

from ..structures import operations
from ..structures.operands import Index, Matrix
from ..structures.root import Evaluation
from ..structures.structure import Selection
from .coefficients import UNIT, Terms
from .derivative import Derivative, same_evaluation
from .merging import AFTER_SUM, merged_structures


class Sparsity(Derivative):
    """Which unknowns an array can depend on: a derivative without coefficients."""

    __slots__ = ()
    is_sparsity = True

    def _unchanged(self, *_: Any, **__: Any) -> Derivative:
        """Return self: the operation changes no structure, whatever its numbers and masks are."""
        return self

    scaled = scaled_by_values = scaled_by_number = times = over = chained = masked = _unchanged
    conjugated = real_part = imaginary_part = _unchanged

    def product(self, other: Derivative, value: Any, others: Any) -> Derivative:
        """Return the union."""
        return self.plus(other)

    def quotient(self, other: Derivative, result: Any, others: Any) -> Derivative:
        """Return the union."""
        return self.plus(other)

    def plus(self, other: Derivative, sign: float = 1.0) -> Derivative:
        """Return the union."""
        return self.plus_all([other])

    def plus_all(self, others: Sequence[Derivative]) -> Derivative:
        """Return the union of all."""
        terms = self.terms.copy()
        for other in others:
            same_evaluation(self, other)
            terms.update(other.terms)
        return Sparsity(self.root, merged_structures(self.root.root, terms, AFTER_SUM))

    joined = plus_all

    def _pulled(self, taken: list[Selection]) -> Derivative:
        return Sparsity(self.root, {structure: UNIT for structure, _ in taken})

    def put(self, rows: Index | slice, size: int) -> Derivative:
        """Return the sparsity of this array put at `rows`.

        Elements that were gathered with the very index they are put at may be others next time
        (a mask): the whole structure that they were gathered from is taken.
        """
        if not any(g.origin(rows, size) for g in self.terms):
            self._merge()
        terms: Terms = {}
        for g in self.terms:
            origin = g.origin(rows, size)
            if origin is not None:
                terms[origin] = UNIT
            else:
                terms[operations.put(g, rows, size)] = UNIT
        return Sparsity(self.root, terms)

    def multiplied(self, matrix: Matrix) -> Derivative:
        """Return the sparsity of ``A @ y``; explicit zeros of A count."""
        self._merge()
        terms: Terms = {}
        for g in self.terms:
            large = operations.large_product(g, matrix)
            terms[large[1] if large else operations.multiplied(g, matrix)] = UNIT
        return Sparsity(self.root, terms)

    def _merge(self) -> None:
        """Hold one structure instead of many if that is less."""
        self.terms = merged_structures(self.root.root, self.terms)


class _Running(threading.local):
    """The evaluations of a thread, in the order they began, and whether each is of structure."""

    def __init__(self) -> None:
        self.begun: list[tuple[weakref.ref[Evaluation], bool]] = []


_running = _Running()


def begin(evaluation: Evaluation, all_branches: bool) -> None:
    """Note that this thread begins an evaluation; it lasts for as long as its arrays do.

    With `all_branches` it determines the sparsity pattern, for every branch at once.
    """
    begun = _running.begun
    if begun:
        _last()
    if begun or all_branches:  # without an evaluation for every branch there is nothing to look up
        begun.append((weakref.ref(evaluation), all_branches))


def all_branches_wanted() -> bool:
    """Whether this thread determines a sparsity pattern and evaluates both sides of a branch."""
    return bool(_running.begun) and _last()


def _last() -> bool:
    """Drop evaluations that have ended; return whether the last one is for all branches."""
    begun = _running.begun
    while begun and begun[-1][0]() is None:
        begun.pop()
    return bool(begun) and begun[-1][1]
