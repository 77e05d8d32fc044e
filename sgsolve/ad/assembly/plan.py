"""Plans: how the coefficients of a derivative become the values of a matrix on a fixed pattern.

A plan is made once for a set of structures. It holds the pattern and the place of every
coefficient. Filling is one pass over the coefficients, in the cheapest of three ways: a gather
(at most one source for each place), a scatter into a constant template (at most one source), or
a product with a constant sparse matrix (any number of sources and weights). Terms that are plain
numbers are summed into the template, which is kept until they change.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pattern import Pattern
from ...private_api import add_csr_product, csr_with_data, quiet
from ..structures.operands import consecutive
from ..structures.root import Root
from ..structures.structure import Structure
from .constant_part import ConstantPart
from .layout import (
    HAS_ARRAY,
    HAS_NUMBER,
    HAS_ROWS,
    OPPOSITE,
    ROWS,
    SHARED,
    Layout,
    in_order_of_terms,
)

# What stands before a structure: ``(alpha, s, c, a)``, see `derivatives`.
Coefficient = tuple[Any, Any, Any, Any]

# Nanoseconds a value on one core (benchmarks/README.md); only their ratios matter, to choose
# between the ways to fill.
COST = {"copy": 0.35, "gather": 0.5, "set": 0.8, "row": 0.6, "entry": 1.2}


class Plan:
    """How the coefficients of one set of structures fill one pattern.

    Attributes
    ----------
    way : str
        "template", "gather", "set" or "product".
    used : int
        Last evaluation that used the plan.
    count : int
        Number of entries of all terms.
    constants : ConstantPart
        The values of the terms that are plain numbers.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.constants = ConstantPart(layout)
        self.count = len(layout.place) + sum(len(c.place) for c in layout.constant)
        self.used = 0
        self.spots: NDArray[np.int64] | None = None
        self._template: tuple[Any, Any, Any] = (None, None, None)
        self._scratch: list[NDArray[Any]] = []
        self._choose(layout.place, layout.source, layout.weight)
        # The arrangement that was chosen holds all that is still needed of these.
        del layout.place, layout.source, layout.weight

    def _choose(self, place: Any, source: Any, weight: Any) -> None:
        """Decide how to fill, by the cost of each way."""
        nnz, length, constant = self.layout.pattern.nnz, self.layout.length, self.layout.constant
        number = np.bincount(place, minlength=nnz)
        single = bool((weight == 1.0).all()) and int(number.max(initial=0)) <= 1
        by_product = nnz * COST["row"] + len(place) * COST["entry"] + length * COST["copy"]
        by_setting = nnz * COST["copy"] + len(place) * (COST["set"] + 2 * COST["copy"])
        by_gather = nnz * COST["gather"] + length * COST["copy"]
        if not len(place):
            self.way = "template"
        elif single and not constant and by_gather <= by_setting:
            self.way = "gather"
            # What has no source is gathered from the zero behind all of them.
            self.order = np.full(nnz, length)
            self.order[place] = source
        elif single and by_setting < by_product:
            self.way = "set"
            # NumPy reads and writes through no other kind without converting it each time.
            self.spots = place.astype(np.intp)
            self._free = int(np.argmin(number))
            in_order = consecutive(source) == slice(0, length)
            self.source = None if in_order else source.astype(np.intp)
        else:
            self.way = "product"
            self.product = in_order_of_terms(place, source, weight, (nnz, length))

    def fill(self, coefficients: list[Coefficient], dtype: Any) -> NDArray[Any]:
        """Return the values on `pattern`."""
        try:
            vector = self._scratch.pop()
        except IndexError:
            vector = self.new_vector(dtype)
        if vector.dtype != dtype:
            vector = self.new_vector(dtype)
        data = self.filled(vector, coefficients, dtype)
        self._scratch.append(vector)
        return data

    def filled(self, vector: Any, coefficients: list[Coefficient], dtype: Any) -> NDArray[Any]:
        """Return the values on `pattern`, with a source vector to write into."""
        self._write_sources(vector, coefficients)
        numbers = tuple(coefficients[term][0] for term, _, _ in self.layout.constant)
        return self.finished(vector, *self.constant_values(numbers, dtype), dtype)

    def finished(
        self, vector: Any, template: Any, base: Any, dtype: Any, out: Any = None
    ) -> NDArray[Any]:
        """Return the values from the source vector and the constant part, in `out` if given.

        The constant part is arrays, or a number where all its values are the same. The source
        vector is used up.
        """
        if self.way == "gather":
            gathered: NDArray[Any] = vector.take(self.order, out=out, mode="clip")
            return gathered
        data: NDArray[Any] = np.empty(self.layout.pattern.nnz, dtype) if out is None else out
        np.copyto(data, template)
        if self.way == "set":
            values = vector if self.source is None else vector.take(self.source)
            if type(base) is np.ndarray or base:
                values += base
            data[self.spots] = values
        elif self.way == "product":
            if dtype == np.float64:
                add_csr_product(self.product, vector, data)
            else:
                self._add_product(vector, data)
        return data

    def is_sound(self, vector: NDArray[Any], numbers: tuple[Any, ...]) -> bool:
        """Whether sources and numbers are finite, so that no value is NaN; False if not known."""
        with quiet():
            total = np.add.reduce(vector)  # no finite number if an element is none
        return bool(np.isfinite(total)) and self.constants.is_moderate(numbers)

    def _add_product(self, vector: NDArray[Any], data: NDArray[Any]) -> None:
        """Add the sums of the sources, in the order in which those of double precision are."""
        weights = self.product.data
        kind = np.result_type(weights, vector)
        total = data.astype(kind)
        matrix = csr_with_data(self.product, weights.astype(kind, copy=False))
        add_csr_product(matrix, vector.astype(kind, copy=False), total)
        np.copyto(data, total, casting="unsafe")

    def constant_values(self, numbers: Any, dtype: Any) -> tuple[Any, Any]:
        """Return the values of the terms that are plain numbers: everywhere, and at the spots.

        Either is a number where all its values are the same, as on a uniform mesh: writing one
        number takes half the time of copying an array.
        """
        key = (dtype, *numbers)
        known, template, base = self._template
        if known != key:
            template = self.constants.values(numbers, dtype)
            base = None if self.spots is None else template[self.spots]
            if base is not None and len(base):
                # What is overwritten may be as everything else is.
                free = template[self._free]
                template = template.copy()
                template[self.spots] = free
                base = _number_if_uniform(base)
            template = _number_if_uniform(template)
            self._template = (key, template, base)
        return template, base

    def new_vector(self, dtype: Any) -> NDArray[Any]:
        """Return room for the source vector; to gather from, with a zero behind."""
        gathers = self.way == "gather"
        vector = np.empty(self.layout.length + gathers, dtype=dtype)
        if gathers:
            vector[-1] = 0.0
        return vector

    def _write_sources(self, vector: NDArray[Any], coefficients: list[Coefficient]) -> None:
        """Write all coefficients one after the other, numbers multiplied in."""
        begin = 0
        for term, length, expand in self.layout.sources:
            alpha, s, c, a = coefficients[term]
            out = vector[begin : begin + length]
            begin += length
            if expand is None:
                np.multiply(c, s, out=out, casting="unsafe")
                continue
            if expand is ROWS:
                np.multiply(a, alpha, out=out, casting="unsafe")
                continue
            source, row, weight = expand
            np.multiply(a.take(row), weight, out=out, casting="unsafe")
            out *= (c * s + alpha).take(source)


class Plans:
    """The plans that a root keeps, by structures and matrix."""

    def __init__(self) -> None:
        self.plans: dict[Hashable, Plan] = {}

    def prune(self, oldest: int) -> None:
        """Drop the plans that were not used since evaluation `oldest`."""
        self.plans = {k: p for k, p in list(self.plans.items()) if p.used >= oldest}


def plan_of(
    root: Root, terms: dict[Structure, Coefficient], size: int, target: Pattern | None
) -> Plan:
    """Return how terms of `size` rows fill `target`, or else the smallest pattern.

    Raises
    ------
    StructureError
        If a term has entries outside `target`.
    """
    coded = coded_terms(terms)
    if any(g.passing for g in terms):
        return Plan(Layout(coded, size, len(root.cols), target))
    key = (size, target, *coded)
    plans = root.memory(Plans).plans
    plan = plans.get(key)
    if plan is None:
        plan = plans.setdefault(key, Plan(Layout(coded, size, len(root.cols), target)))
        drop_oldest(plans, MOST_PLANS)
    plan.used = root.clock
    return plan


def coded_terms(terms: dict[Structure, Coefficient]) -> list[tuple[Structure, int]]:
    """Return each structure with the code of its coefficient: all that a layout depends on."""
    coded = []
    numbers: dict[int, tuple[int, Any]] = {}
    for number, (g, (alpha, s, c, a)) in enumerate(terms.items()):
        code = HAS_NUMBER if c is None or a is not None or alpha != 0.0 else 0
        if c is not None:
            code |= HAS_ARRAY
        if a is not None:
            code |= HAS_ROWS
        elif c is not None:
            # Terms that share an array, up to sign, share its place in the source vector.
            # In a trace two symbols may stand for one array: that of their node.
            mine, theirs = numbers.setdefault(id(getattr(c, "node", c)), (number, s))
            if s == theirs:
                code |= mine << SHARED
            elif s == -theirs:
                code |= mine << SHARED | OPPOSITE
            else:
                code |= number << SHARED
        coded.append((g, code))
    return coded


# More than the branches that a residual alternates between, few enough to stay small.
MOST_PLANS = 64


def drop_oldest(entries: dict[Any, Any], most: int) -> None:
    """Drop the entry whose last use is longest ago, if there are more than `most`.

    The newest entry was not used yet and stays.
    """
    if len(entries) > most:
        *older, _ = list(entries.items())
        entries.pop(min(older, key=lambda item: item[1].used)[0], None)


# Most values that are not the same differ among the first ones.
FEW = 64


def _number_if_uniform(values: NDArray[Any]) -> Any:
    """Return the one number that all values are, or else the values."""
    uniform = len(values) and bool((values[:FEW] == values[0]).all())
    return values[0] if uniform and bool((values == values[0]).all()) else values
