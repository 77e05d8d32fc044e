"""Derivatives of arrays whose elements are assigned one by one in a loop, ``F[i] += v``.

Each assignment notes one row. The ordinary derivative is made once, where it is needed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...derivatives.array_operations import ConstantSlope
from ...derivatives.coefficients import UNIT
from ...derivatives.derivative import Derivative
from ...derivatives.sparsity import Sparsity
from ...structures.operands import Index
from ...structures.root import Evaluation
from ..recorded import recorded_entries, with_entries
from .traced_slopes import array_of_slopes

Row = dict[int, float]

# A slice of up to this share of the array is made of its own elements.
SHARE_OF_SLICE = 8


class Postponed(ABC):
    """What stands for a derivative that is made only where it is needed."""

    __slots__ = ("_made", "root")

    root: Evaluation
    _made: Derivative | None

    def ordinary(self) -> Derivative:
        """Return the ordinary derivative."""
        if self._made is None:
            self._made = self._make()
        return self._made

    @abstractmethod
    def _make(self) -> Derivative:
        """Return the ordinary derivative, made anew."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.ordinary(), name)


NO_NUMBERS: dict[int, Any] = {}


class FilledRows(Postponed):
    """The derivative of an array after numbers were assigned to elements of it, one by one.

    Each assignment makes a new one, which holds what was assigned and the one before.

    Attributes
    ----------
    base : Derivative or None
        Before the first of the assignments; None: zeros without derivatives.
    first : dict, optional
        Numbers at elements before the first of the assignments.
    """

    __slots__ = ("_before", "_first", "_known", "_number", "_position", "base", "is_sparsity",
                 "size")  # fmt: skip
    _position: int
    _number: Any
    _known: dict[int, Any] | None

    def __init__(
        self,
        root: Evaluation,
        size: int,
        base: Any,
        is_sparsity: bool,
        first: dict[int, Any] = NO_NUMBERS,
    ) -> None:
        self.root, self._made = root, None
        self.size, self.base, self.is_sparsity = size, base, is_sparsity
        self._first = first
        self._before: FilledRows | None = None
        self._known = None

    def filled(self, position: int, number: Any) -> FilledRows:
        """Return the derivative after a number was assigned to an element."""
        after = FilledRows(self.root, self.size, self.base, self.is_sparsity)
        after._before, after._position, after._number = self, position, number
        # The dictionary goes on to the latest one, so that an assignment costs one entry.
        after._known, self._known = self.numbers(), None
        after._known[position] = number
        return after

    def numbers(self) -> dict[int, Any]:
        """Return the number at each element that one was assigned to."""
        if self._known is None:
            found: dict[int, Any] = {}
            step = self
            while step._before is not None:
                found.setdefault(step._position, step._number)
                step = step._before
            self._known = {**step._first, **found}
        return self._known

    def taken_slice(self, start: int, stop: int, step: int) -> Any:
        """Return the derivative of ``y[start:stop:step]``; a short one costs what it holds."""
        positions = range(start, stop, step)
        if self._made is not None or len(positions) * SHARE_OF_SLICE > self.size:
            return self.ordinary().taken_slice(start, stop, step)
        base = None if self.base is None else self.base.taken_slice(start, stop, step)
        numbers = self.numbers()
        first = {k: numbers[p] for k, p in enumerate(positions) if p in numbers}
        return FilledRows(self.root, len(positions), base, self.is_sparsity, first)

    def plus_all(self, others: Sequence[Any]) -> Any:
        """Return the sum with all the others; of single numbers that were put it is one again."""
        if self.base is None and all(_is_put(other, self.root) for other in others):
            found = set(self.numbers())
            result: FilledRows = self
            for other in others:
                if other._position in found:
                    break
                found.add(other._position)
                result = result.filled(other._position, other._number)
            else:
                return result
        return self.ordinary().plus_all(others)

    joined = plus_all

    def plus(self, other: Any, sign: float = 1.0) -> Any:
        """Return this derivative plus (or minus, with sign -1) another one."""
        return self.plus_all([other]) if sign == 1.0 else self.ordinary().plus(other, sign)

    def _make(self) -> Derivative:
        found = self.numbers()
        rows = joined_rows(self.root, found, self.size, self.is_sparsity)
        if self.base is None:
            return rows
        kept = np.ones(self.size, dtype=bool)
        kept[list(found)] = False
        index = Index(np.flatnonzero(kept), None, False, self.root.clock)
        base: Derivative = self.base.carried_out().taken(index).put(index, self.size)
        return base.plus(rows)


def _is_put(other: Any, root: Evaluation) -> bool:
    """Whether a derivative is that of zeros with one number put into them."""
    if type(other) is not FilledRows or other.base is not None or other.root is not root:
        return False
    before = other._before
    return before is not None and before._before is None and not before._first


def joined_rows(
    root: Evaluation, numbers: dict[int, Any], size: int, is_sparsity: bool
) -> Derivative:
    """Return the ordinary derivative of a vector with these numbers in it."""
    rows: list[int] = []
    cols: list[int] = []
    slopes: list[float] = []
    for position in sorted(numbers):
        row = numbers[position].row
        rows += [position] * len(row)
        cols += row
        slopes += row.values()
    if not rows:
        return (Sparsity if is_sparsity else Derivative)(root, {})
    structure = root.root.placement(np.array(rows), np.array(cols, dtype=np.int32), size)
    if is_sparsity:
        return Sparsity(root, {structure: UNIT})
    tape = None if root.tape is None else root.tape()
    # Entries of what is constant stay zero, whatever they are multiplied by.
    varies = [type(s) is not ConstantSlope for s in slopes]
    mask = None if all(varies) else np.array(varies)
    values = array_of_slopes(slopes)
    if tape is None:
        return with_entries(Derivative(root, {}), structure, values, mask)
    return recorded_entries(tape, structure, values, mask)
