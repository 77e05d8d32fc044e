"""Assembly: from a derivative to the values of a matrix on a fixed pattern.

A *plan* is made once for the structures that reached the end: it knows the pattern and where
every coefficient goes. Carrying it out is one pass over the coefficients, in the cheapest of
three ways: gather (every place has one source), set (each place has at most one, on a constant
template), or one product with a constant sparse matrix (any number of sources and weights).
Terms that are plain numbers are summed into a template, which is kept until the numbers change.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..errors import StructureError
from ..pattern import Pattern
from .coefficients import Coefficient
from .derivative import Derivative
from .structure import Structure

# Nanoseconds a value on one core, as `benchmarks/primitives.py` measures them; only their ratios
# matter, to choose between the ways to fill.
COST = {"copy": 0.35, "gather": 0.5, "set": 0.8, "row": 0.6, "entry": 1.2}


# Marks a source that is a term's row factors.
ROWS: Any = "rows"


class Source(NamedTuple):
    """Where a stretch of the source vector comes from.

    `expand` is None for the coefficients of the term, ROWS for its row factors, and for a
    product of both the coefficient number, row and weight of every entry.
    """

    term: int
    length: int
    expand: Any


class Plan:
    """How the coefficients of one set of structures fill one pattern."""

    def __init__(
        self, terms: list[tuple[Structure, int]], size: int, n: int, target: Pattern | None
    ) -> None:
        pieces = [g.entries() for g, _ in terms]
        kept = [cols >= 0 for _, cols, _, _ in pieces]
        rows = [e[0][k] for e, k in zip(pieces, kept, strict=True)]
        cols = [e[1][k] for e, k in zip(pieces, kept, strict=True)]
        self.pattern, position = _positions(_cat(rows), _cat(cols), (size, n), target)
        self.used = 0
        self.spots: NDArray[np.int64] | None = None
        self.constant: list[tuple[int, NDArray[Any], Any]] = []
        self.sources: list[Source] = []
        self._template: tuple[Any, Any, Any] = (None, None, None)
        self._scratch: list[NDArray[Any]] = []
        self._arrange(terms, pieces, kept, position)

    def _arrange(self, terms: Any, pieces: Any, kept: Any, position: NDArray[np.int64]) -> None:
        """Split the entries into constant ones and those with a place in the source vector."""
        place: list[NDArray[np.int64]] = []
        source: list[NDArray[np.int64]] = []
        weight: list[Any] = []
        begin_of: dict[int, int] = {}
        length = offset = 0
        for number, ((g, code), (_, _, w, src), k) in enumerate(
            zip(terms, pieces, kept, strict=True)
        ):
            here = position[offset : offset + int(np.count_nonzero(k))]
            offset += len(here)
            has_alpha, has_c, has_a, minus = code & 1, code & 2, code & 4, code & 8
            w = None if w is None else w[k]
            if has_alpha and not has_a:
                self.constant.append((number, here, w))
            if not (has_c or has_a):
                continue
            if has_a and not has_c:
                # Constant weights: the row factors are the source, the weights part of the map.
                begin, count = length, g.weights.shape[0]
                src = g.row_of_entry()
                self.sources.append(Source(number, count, ROWS))
                length += count
            elif has_a:
                expand = (g.weights.indices, g.row_of_entry(), g.weights.data)
                begin, count, w = length, len(g.weights.data), None
                src = np.arange(count)
                self.sources.append(Source(number, count, expand))
                length += count
            else:
                count = len(g.cols)
                if (code >> 4) not in begin_of:
                    begin_of[code >> 4] = length
                    self.sources.append(Source(number, count, None))
                    length += count
                begin = begin_of[code >> 4]
            place.append(here)
            source.append((np.flatnonzero(k) if src is None else src[k]) + begin)
            weight.append((-1.0 if minus else 1.0) * (np.ones(len(here)) if w is None else w))
        self.length = length
        self._choose(_cat(place), _cat(source), _cat(weight, float), [len(p) for p in place])

    def _choose(self, place: Any, source: Any, weight: Any, lengths: list[int]) -> None:
        """Decide how to fill, by the cost of each way."""
        nnz, unit = self.pattern.nnz, bool((weight == 1.0).all())
        number = np.bincount(place, minlength=nnz) if len(place) else np.zeros(nnz, dtype=int)
        single = unit and int(number.max(initial=0)) <= 1
        by_product = nnz * COST["row"] + len(place) * COST["entry"] + self.length * COST["copy"]
        by_setting = nnz * COST["copy"] + len(place) * (COST["set"] + 2 * COST["copy"])
        by_gather = nnz * COST["gather"] + self.length * COST["copy"]
        if not len(place):
            self.way = "template"
        elif single and not self.constant and len(place) == nnz and by_gather <= by_setting:
            self.way = "gather"
            self.order = np.empty(nnz, dtype=np.int64)
            self.order[place] = source
        elif single and by_setting < by_product:
            self.way = "set"
            self.place, self.source = place, None if _is_range(source, self.length) else source
        else:
            self.way = "product"
            spots = np.unique(_cat([place for _, place, _ in self.constant]))
            if 0 < 8 * len(spots) < nnz:
                self.spots = spots
            self.product = sp.csr_array(
                sp.coo_array((weight, (place, source)), shape=(nnz, self.length))
            )

    def fill(self, coefficients: list[Coefficient], dtype: Any) -> NDArray[Any]:
        """Return the values on `pattern`."""
        template, base = self._constant_values(coefficients, dtype)
        if self.way == "template":
            return np.array(template)
        vector = self._source_vector(coefficients, dtype)
        if self.way == "gather":
            data = vector.take(self.order)
        elif self.way == "set":
            data = template.copy()
            values = vector if self.source is None else vector.take(self.source)
            data[self.place] = values + base
        else:
            data = self.product @ vector
            if self.spots is not None:
                data[self.spots] += base
            elif self.constant:
                data += template
        self._scratch.append(vector)
        result: NDArray[Any] = data if data.dtype == dtype else data.astype(dtype)
        return result

    def _constant_values(self, coefficients: list[Coefficient], dtype: Any) -> tuple[Any, Any]:
        """Return the constant part of the values, everywhere and at the places to be set."""
        key = (dtype, *[coefficients[number][0] for number, _, _ in self.constant])
        known, template, base = self._template
        if known != key:
            template = np.zeros(self.pattern.nnz, dtype=dtype)
            for number, place, weight in self.constant:
                values = coefficients[number][0] * (1.0 if weight is None else weight)
                np.add.at(template, place, values)
            spots = self.place if self.way == "set" else self.spots
            base = None if spots is None else template[spots]
            self._template = (key, template, base)
        return template, base

    def _source_vector(self, coefficients: list[Coefficient], dtype: Any) -> NDArray[Any]:
        """Return all coefficients one after the other, numbers multiplied in."""
        try:
            vector = self._scratch.pop()
        except IndexError:
            vector = np.empty(self.length, dtype=dtype)
        if vector.dtype != dtype:
            vector = np.empty(self.length, dtype=dtype)
        begin = 0
        for term, length, expand in self.sources:
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
        return vector


def assemble(derivative: Derivative, size: int, dtype: Any, target: Pattern | None = None) -> Any:
    """Return the pattern and the values of a derivative.

    Parameters
    ----------
    derivative : Derivative
    size : int
        Number of rows.
    dtype : dtype
    target : Pattern, optional
        Fill this pattern; without it, the smallest one.

    Returns
    -------
    pattern : Pattern
    data : ndarray, shape (pattern.nnz,)

    Raises
    ------
    StructureError
        If the derivative has entries outside `target`.
    """
    root = derivative.root
    key: list[Any] = [size, target]
    numbers: dict[int, tuple[int, Any]] = {}
    coefficients = list(derivative.terms.values())
    for number, (g, (alpha, s, c, a)) in enumerate(derivative.terms.items()):
        code = 1 if c is None or a is not None or not (type(alpha) is float and alpha == 0.0) else 0
        if c is not None:
            code |= 2
        if a is not None:
            code |= 4
        elif c is not None:
            # Terms that share an array, up to sign, share its place in the source vector.
            mine, theirs = numbers.setdefault(id(c), (number, s))
            if s == theirs:
                code |= mine << 4
            elif s == -theirs:
                code |= mine << 4 | 8
            else:
                code |= number << 4
        key += (g, code)
    frozen = tuple(key)
    plan = root.plans.get(frozen)
    if plan is None:
        terms = list(zip(key[2::2], key[3::2], strict=True))
        plan = root.plans.setdefault(frozen, Plan(terms, size, len(root.cols), target))
        if len(root.plans) > MOST_PLANS:
            root.plans.pop(next(iter(root.plans)), None)
    plan.used = root.clock
    return plan.pattern, plan.fill(coefficients, dtype)


# More than the branches that a residual alternates between, few enough to stay small.
MOST_PLANS = 64


def _positions(
    rows: Any, cols: Any, shape: tuple[int, int], target: Pattern | None
) -> tuple[Pattern, NDArray[np.int64]]:
    pattern, position = Pattern.from_coordinates(rows, cols, shape)
    if target is None:
        return pattern, position
    place = target.positions(pattern)
    if len(place) and place.min() < 0:
        at = int(np.argmin(place))
        row, col = int(pattern.rows[at]), int(pattern.indices[at])
        raise StructureError(
            f"element {row} depends on unknown {col}, which the given pattern does not hold; "
            "a residual whose structure depends on values needs seed_sparsity at a point that "
            "shows it, or Python branches rewritten with `where` or `branch`",
            rows=[row],
            columns=[col],
        )
    return target, place[position]


def _is_range(positions: NDArray[np.int64], length: int) -> bool:
    return len(positions) == length and bool((positions == np.arange(length)).all())


def _cat(parts: list[Any], dtype: Any = np.int64) -> Any:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)
