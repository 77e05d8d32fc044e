"""Assembly in a kernel: coefficients go from the loops that compute them into the Jacobian.

An entry with one source is stored by the loop that computes the source. Entries that are sums of
several sources are computed in loops of their own, one for each number and signs of the terms. The
terms of a sum are added in the order of `Plan.finished`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ...assembly.plan import Plan
from ..lowering.unique_values import Values
from ..lowering.values import Memory, Place, Value
from .loop_schedule import LoopSchedule

# Sums of more kinds than these are computed by the rows of a matrix.
MOST_KINDS = 12
MOST_TERMS = 8
# A source with this share of its elements in an entry of its own is stored by its own loop.
MOST_ELEMENTS = 0.6
# With a larger share of constants, all values are copied from them first.
MOST_FIXED = 0.3


class Entries(NamedTuple):
    """Sources of the values of a Jacobian: a matrix in CSR form, and which values have a constant.

    Attributes
    ----------
    constant : ndarray of bool
        Whether a constant is part of the value.
    from_zero : bool
        Whether sums start from zero where there is no constant.
    """

    indptr: NDArray[Any]
    indices: NDArray[Any]
    weights: NDArray[Any]
    constant: NDArray[np.bool_]
    from_zero: bool


def entries_of(plan: Plan) -> Entries:
    """Return the sources of all values, from the arrangement that a plan has chosen."""
    layout, nnz = plan.layout, plan.layout.pattern.nnz
    constant = np.zeros(nnz, dtype=bool)
    for _, place, _ in layout.constant:
        constant[place] = True
    if plan.way == "product":
        matrix = plan.product
        return Entries(matrix.indptr, matrix.indices, matrix.data, constant, True)
    count, source = np.zeros(nnz, dtype=np.int64), np.empty(0, dtype=np.int64)
    if plan.way == "gather":
        count[:] = plan.order < layout.length
        source = plan.order[plan.order < layout.length]
    elif plan.way == "set" and plan.spots is not None:
        count[plan.spots] = 1
        every = np.zeros(nnz, dtype=np.int64)
        every[plan.spots] = np.arange(layout.length) if plan.source is None else plan.source
        source = every[count > 0]
    indptr = np.concatenate([[0], np.cumsum(count)])
    return Entries(indptr, source, np.ones(len(source)), constant, False)


class TemplateOf:
    """The constant part of the values of a Jacobian as a function of the numbers in it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.__name__ = "the constant part of the Jacobian"

    def __call__(self, *numbers: Any) -> NDArray[Any]:
        """Return the values, with a zero behind."""
        filled = np.zeros(self._plan.layout.pattern.nnz + 1)
        filled[:-1] = self._plan.constants.values(numbers, filled.dtype)
        return filled


class Assembly:
    """Stores the values of a Jacobian in the memory "data", which has one element more.

    Parameters
    ----------
    sources : list of Value
        The stretches of the source vector.
    template : Memory, optional
        The constants, where they depend on x; otherwise the caller gives those of `parts`.

    Attributes
    ----------
    parts : dict
        The places whose constants loops read, by the key of the memory that holds them.
    fixed : ndarray or None
        The places that are to be filled with their constants before anything runs.
    """

    def __init__(
        self,
        values: Values,
        schedule: LoopSchedule,
        plan: Plan,
        sources: list[Value],
        template: Memory | None = None,
    ) -> None:
        self.values, self.schedule, self.sources = values, schedule, sources
        self.nnz, self.constants = plan.layout.pattern.nnz, plan.layout.constant
        self.entries = entries_of(plan)
        self.ends = np.cumsum([0, *(v.size for v in sources)])
        self.template = template
        self.parts: dict[Hashable, NDArray[Any]] = {}
        self.fixed: NDArray[Any] | None = None
        self.count = np.diff(self.entries.indptr)
        self.matrices: list[Any] = []

    def store(self) -> None:
        """Add all stores to the schedule."""
        fixed = self.count == 0
        if int(fixed.sum()) > MOST_FIXED * self.nnz and self.template is None:
            # Most values are constant: all are copied first, zeros included.
            self.fixed = np.flatnonzero(fixed)
        else:
            for constant in (True, False):
                places = np.flatnonzero(fixed & (self.entries.constant == constant))
                first = self._first(places) if constant else self.values.number(0.0)
                self._store(self.values.filled(first, len(places)), places)
        for constant in (True, False):
            places = np.flatnonzero((self.count == 1) & (self.entries.constant == constant))
            self._single(places, constant)
        self._sums(np.flatnonzero(self.count > 1))

    def _store(self, value: Value, places: Any) -> None:
        if isinstance(value, Place) and value.covered:
            for positions, piece in value.pieces:
                self._store(piece, places[positions.values])
        elif len(places):
            positions = self.values.positions(places)
            self.schedule.scattered(self.values.filled(value, len(places)), "data", positions)

    def _first(self, places: Any) -> Value:
        """Return the constants of these values."""
        if self.template is not None:
            return self.values.take(self.template, self.values.positions(places))
        key = ("template", len(self.parts))
        real = places[places < self.nnz]
        # One number serves all places of the same constants; what stands behind the values is free.
        self.parts[key] = real[:1] if self._alike(real) else places
        return self.values.memory(len(self.parts[key]), "d", key)

    def _alike(self, places: Any) -> bool:
        """Whether the constants of these places are the same sums, whatever the numbers are."""
        if not len(places):
            return False
        among = np.zeros(self.nnz, dtype=bool)
        among[places] = True
        for _, place, weight in self.constants:
            chosen = np.flatnonzero(among[place])
            if len(chosen):
                times = np.bincount(place[chosen], minlength=self.nnz)[places]
                if (times != times[0]).any():
                    return False
                if weight is not None and (weight[chosen] != weight[chosen[0]]).any():
                    return False
        return True

    # ---- entries with one source ---------------------------------------------------------------

    def _single(self, places: Any, constant: bool) -> None:
        e = self.entries
        source, weight = e.indices[e.indptr[places]], e.weights[e.indptr[places]]
        stretch = np.searchsorted(self.ends, source, side="right") - 1
        kind = np.where(weight == 1.0, 0, np.where(weight == -1.0, 1, 2))
        key = (3 * stretch + kind).astype(np.int16 if len(self.sources) < 10_000 else np.int64)
        order = np.argsort(key, kind="stable")
        ends = np.searchsorted(key[order], np.arange(3 * len(self.sources) + 1))
        for k in np.flatnonzero(np.diff(ends)).tolist():
            number = k // 3
            chosen = order[ends[k] : ends[k + 1]]
            element = source[chosen] - self.ends[number]
            for group in _groups_without_repetition(element):
                at = chosen[group]
                v = self.sources[number]
                self._single_group(v, element[group], places[at], weight[at], constant)

    def _single_group(
        self, v: Value, element: Any, places: Any, weight: Any, constant: bool
    ) -> None:
        if len(element) >= MOST_ELEMENTS * v.size:
            every, factor = np.full(v.size, self.nnz), np.full(v.size, weight[0])
            every[element], factor[element] = places, weight
            places, weight = every, factor
        else:
            v = self.values.take(v, self.values.positions(element))
        self._store(self._term(self._start(places, constant), v, weight), places)

    def _start(self, places: Any, constant: bool) -> Value | None:
        if constant:
            return self._first(places)
        return self.values.number(0.0) if self.entries.from_zero else None

    def _term(self, total: Value | None, v: Value, weight: Any) -> Value:
        """Return the total plus an array times its weights."""
        size = len(weight)
        if bool((weight == 1.0).all()):
            product = self.values.filled(v, size)
        elif bool((weight == -1.0).all()):
            product = self.values.elementwise("neg", v, size=size)
        else:
            key = ("weights", weight.tobytes())
            factor = self.values.memory(size, "d", key, np.array(weight))
            product = self.values.elementwise("mul", factor, v, size=size)
        if total is None:
            return product
        return self.values.elementwise("add", total, product, size=size)

    # ---- sums ------------------------------------------------------------------------------------

    def _sums(self, places: Any) -> None:
        if not len(places):
            return
        vector, number = self._vector()
        kinds = self._kinds(places)
        for group in kinds[:MOST_KINDS]:
            self._sum(group, vector, number, bool(self.entries.constant[group[0]]))
        rest = [places[self.count[places] > MOST_TERMS], *kinds[MOST_KINDS:]]
        joined = np.sort(np.concatenate(rest))
        if len(joined):
            self._rows(joined, vector, number)

    def _kinds(self, places: Any) -> list[Any]:
        """Return groups of sums of as many terms, with the same signs; the largest group first."""
        e = self.entries
        groups = []
        for terms in np.unique(self.count[places]).tolist():
            if terms > MOST_TERMS:
                continue
            some = places[self.count[places] == terms]
            weights = e.weights[e.indptr[some][:, np.newaxis] + np.arange(terms)]
            signs = (weights > 0) @ (1 << np.arange(terms))
            signs = np.where((np.abs(weights) == 1.0).all(axis=1), signs, -1)
            key = 2 * signs + e.constant[some]
            groups += [some[key == k] for k in np.unique(key)]
        return sorted(groups, key=len, reverse=True)

    def _vector(self) -> tuple[Value, Any]:
        """Return the sources that sums need as one array, and where in it each source is."""
        e = self.entries
        summed = e.indices[np.repeat(self.count > 1, self.count)]
        used = np.unique(np.searchsorted(self.ends, summed, side="right") - 1)
        number = np.full(int(self.ends[-1]), -1)
        pieces, begin = [], 0
        for stretch in used.tolist():
            v = self.sources[stretch]
            number[self.ends[stretch] : self.ends[stretch + 1]] = begin + np.arange(v.size)
            pieces.append((self.values.progression(v.size, begin), v))
            begin += v.size
        return self.values.place(begin, pieces), number

    def _sum(self, places: Any, vector: Value, number: Any, constant: bool) -> None:
        e = self.entries
        begin = e.indptr[places]
        total = self._start(places, constant)
        for k in range(int(self.count[places[0]])):
            source = self.values.positions(number[e.indices[begin + k]])
            total = self._term(total, self.values.take(vector, source), e.weights[begin + k])
        assert total is not None
        self._store(total, places)

    def _rows(self, places: Any, vector: Value, number: Any) -> None:
        e = self.entries
        matrix = sp.csr_array((e.weights, e.indices, e.indptr), shape=(self.nnz, len(number)))
        chosen = matrix[places]
        size = (len(places), vector.size)
        chosen = sp.csr_array((chosen.data, number[chosen.indices], chosen.indptr), shape=size)
        self.matrices.append(chosen)
        first = self._first(places) if self.entries.constant.any() else None
        self._store(self.values.rows(chosen, vector, first), places)


def _groups_without_repetition(element: NDArray[Any]) -> list[NDArray[Any]]:
    """Return groups of numbers of elements; no element is twice in a group."""
    if not len(element):
        return []
    order = np.argsort(element, kind="stable")
    first = np.concatenate([[True], np.diff(element[order]) != 0])
    begin = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    rank = np.arange(len(order)) - begin
    return [order[rank == k] for k in range(int(rank.max()) + 1)]
