"""Steady derivatives: those of arrays that depend on the unknowns linearly, with constant factors.

Slices and gathers of x, their differences, ``A @ x``: their derivatives are the same on every
evaluation. A `Steady` derivative remembers what each operation on it gave, so that the linear part
of a residual costs one look-up an operation, whatever the number of its terms.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .coefficients import Terms
from .derivative import Derivative, Scale
from .operands import Index, Matrix

if TYPE_CHECKING:
    from .root import Root

# Results remembered for one derivative. More than a residual asks for; a factor that is another
# number on every call fills it up and is not remembered any more.
MOST_KNOWN = 64


class Steady(Derivative):
    """A derivative with numbers for coefficients, and what was made from it so far."""

    __slots__ = ("known", "used")

    def __init__(self, root: Root, terms: Terms) -> None:
        super().__init__(root, terms)
        self.known: dict[Hashable, Steady] = {}
        self.used = root.clock

    def _keep(self, key: Hashable, made: Derivative) -> Derivative:
        if len(self.known) >= MOST_KNOWN:
            return made
        return self.known.setdefault(key, Steady(made.root, made.terms))

    def scaled(self, factor: Scale) -> Derivative:
        """Return diag(factor) times this derivative; steady if the factor is a number."""
        if isinstance(factor, (np.ndarray, tuple)):
            return super().scaled(factor)
        known = self.known.get(("scaled", factor))
        if known is None:
            return self._keep(("scaled", factor), super().scaled(factor))
        known.used = self.root.clock
        return known

    def times(self, values: NDArray[Any]) -> Derivative:
        """Return diag(values) times this derivative; steady if the values are."""
        constant = self.root.constant(values)
        if not constant.steady:
            return super().scaled(constant.values)
        known = self.known.get(constant)
        if known is None:
            return self._keep(constant, self.weighted(constant))
        known.used = self.root.clock
        return known

    def plus(self, other: Derivative, sign: float = 1.0) -> Derivative:
        """Return the sum or difference; steady if the other one is."""
        if type(other) is not Steady:
            return super().plus(other, sign)
        known = self.known.get((other, sign))
        if known is None:
            return self._keep((other, sign), super().plus(other, sign))
        known.used = self.root.clock
        return known

    def taken(self, index: Index) -> Derivative:
        """Return the derivative of the flattened array at these positions."""
        known = self.known.get(index)
        if known is None:
            made = super().taken(index)
            return made if index.volatile else self._keep(index, made)
        known.used = self.root.clock
        return known

    def taken_slice(self, start: int, stop: int, step: int) -> Derivative:
        """Return the derivative of ``y[start:stop:step]``."""
        known = self.known.get((start, stop, step))
        if known is None:
            return self._keep((start, stop, step), super().taken_slice(start, stop, step))
        known.used = self.root.clock
        return known

    def put(self, rows: Index | slice, size: int) -> Derivative:
        """Return the derivative of an array of `size` zeros with this one added at `rows`."""
        key = ("put", rows.start if isinstance(rows, slice) else rows, size)
        known = self.known.get(key)
        if known is None:
            made = super().put(rows, size)
            volatile = isinstance(rows, Index) and rows.volatile
            return made if volatile else self._keep(key, made)
        known.used = self.root.clock
        return known

    def multiplied(self, matrix: Matrix) -> Derivative:
        """Return the derivative of ``A @ y``."""
        known = self.known.get(matrix)
        if known is None:
            return self._keep(matrix, super().multiplied(matrix))
        known.used = self.root.clock
        return known

    def prune(self, oldest: int) -> None:
        """Forget what was not used since evaluation `oldest`; mark what was as in use."""
        for key, derivative in list(self.known.items()):
            if derivative.used < oldest:
                self.known.pop(key, None)
                continue
            for structure in derivative.terms:
                structure.used = max(structure.used, derivative.used)
            derivative.prune(oldest)
