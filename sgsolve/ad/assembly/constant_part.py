"""The constant part of the values of a matrix: a function of the numbers that its terms are.

A number is another one when a time step or a parameter changed. Only the values that it is part of
are computed again, by the same sums: those of one term after the other, beginning with zero.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arrays import DOUBLE
from ...private_api import REFERENCES_OF_LIST_ONLY, add_csr_product, item_references
from .layout import ConstantPlaces, Layout, in_order_of_terms

Numbers = tuple[Any, ...]
PLAIN = {float, np.float64}
MODERATE = 1e300


class Sums(NamedTuple):
    """The sums at the places of some terms.

    Attributes
    ----------
    terms : frozenset of int
        Those terms, by their number in the list of constant terms.
    places : ndarray of int
        Where the sums belong.
    matrix : csr_array
        One row of ones for each place. The columns are the numbers of all constant terms, and
        behind them the entries of the terms that have weights.
    entries : list
        Number of the term and weights of these entries, for each such term.
    """

    terms: frozenset[int]
    places: NDArray[np.intp]
    matrix: Any
    entries: list[tuple[int, NDArray[Any]]]

    def values(self, numbers: Numbers) -> NDArray[Any]:
        """Return the values at the places."""
        count = len(numbers)
        vector = np.empty(self.matrix.shape[1])
        vector[:count] = numbers
        for term, weight in self.entries:
            np.multiply(weight, numbers[term], out=vector[count : count + len(weight)])
            count += len(weight)
        values = np.zeros(len(self.places))
        add_csr_product(self.matrix, vector, values)
        return values


class ConstantPart:
    """The values of a layout's constant terms, by their numbers.

    The last values are kept, and the memory of those before, which serves for the next ones when
    nothing refers to it any more. Two threads may ask for the values of different numbers.
    """

    def __init__(self, layout: Layout) -> None:
        self._terms, self._nnz = layout.constant, layout.pattern.nnz
        weights = [1.0 if w is None else np.abs(w).sum(initial=1.0) for _, _, w in self._terms]
        self._largest = float(max(weights, default=1.0)) * max(self._nnz, 1)
        self._plain = all(w is None or w.dtype == DOUBLE for _, _, w in self._terms)
        self._known: tuple[Numbers, NDArray[Any]] | None = None
        self._former: list[tuple[Numbers, list[NDArray[Any]]]] = []
        self._sums: Sums | None = None

    def values(self, numbers: Numbers, dtype: Any) -> NDArray[Any]:
        """Return the values on the pattern; the array must not be written into.

        It changes later if the caller keeps no reference to it.
        """
        if dtype is not DOUBLE or not self._plain or not {*map(type, numbers)} <= PLAIN:
            return self._all(numbers, dtype)
        known = self._known
        if known is None:
            values = self._all(numbers, dtype)
        else:
            values = known[1]
            if numbers != known[0]:
                before, values = self._to_change(*known)
                sums = self._sums_of({k for k, n in enumerate(numbers) if n != before[k]})
                values[sums.places] = sums.values(numbers)
                self._former[:] = [(known[0], [known[1]])]
        self._known = numbers, values
        return values

    def is_moderate(self, numbers: Numbers) -> bool:
        """Whether no sum of the terms can overflow, nor any part of it."""
        return bool(sum(map(abs, numbers)) * self._largest < MODERATE)

    def _to_change(self, latest: Numbers, values: NDArray[Any]) -> tuple[Numbers, NDArray[Any]]:
        """Return values that nothing refers to, with their numbers: former ones, or a copy."""
        with suppress(IndexError):  # another thread may take them first
            numbers, held = self._former.pop()
            if item_references(held) == REFERENCES_OF_LIST_ONLY:
                return numbers, held[0]
        return latest, values.copy()

    def _all(self, numbers: Numbers, dtype: Any) -> NDArray[Any]:
        values = np.zeros(self._nnz, dtype=dtype)
        for number, (_, place, weight) in zip(numbers, self._terms, strict=True):
            np.add.at(values, place, number * (1.0 if weight is None else weight))
        return values

    def _sums_of(self, changed: set[int]) -> Sums:
        """Return the sums at the places of these terms, and of those that changed before."""
        sums = self._sums
        if sums is None or not changed <= sums.terms:
            terms = frozenset(changed if sums is None else changed | sums.terms)
            sums = self._sums = _sums(self._terms, terms, self._nnz)
        return sums


def _sums(constants: list[ConstantPlaces], terms: frozenset[int], nnz: int) -> Sums:
    touched = np.zeros(nnz, dtype=bool)
    for k in terms:
        touched[constants[k].place] = True
    places = np.flatnonzero(touched)
    number = np.cumsum(touched, dtype=np.int32) - 1
    rows, columns, entries = [], [], []
    width = len(constants)
    for k, (_, place, weight) in enumerate(constants):
        chosen = np.flatnonzero(touched[place])
        rows.append(number[place[chosen]])
        if weight is None:
            columns.append(np.full(len(chosen), k, dtype=np.int32))
            continue
        columns.append(np.arange(width, width + len(chosen), dtype=np.int32))
        entries.append((k, weight[chosen]))
        width += len(chosen)
    row, column = np.concatenate(rows), np.concatenate(columns)
    matrix = in_order_of_terms(row, column, np.ones(len(row)), (len(places), width))
    return Sums(terms, places, matrix, entries)
