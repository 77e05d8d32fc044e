"""Operations on structures: choose rows, place them, weight them, multiply by matrices.

The same operation on the same structure returns the same object as long as it is used: each result
is kept as a child of the structure that it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ...arrays import IndexArray
from ...private_api import csr_of_arrays
from .gathered import Gathered
from .large_products import LARGE, LargeProduct, pattern_of_product, values_of_product
from .operands import Constant, Index, Matrix, consecutive
from .structure import Rows, Selection, Structure

Made = TypeVar("Made", Selection, Structure)


def _interned(g: Structure, key: Hashable, make: Callable[[], Made]) -> Made:
    """Return the child of that key, made at the first request; safe between threads."""
    child: Made | None = g.children.get(key)
    made = child is None
    if child is None:
        child = g.children.setdefault(key, make())
    structure = child.structure if isinstance(child, Selection) else child
    structure.used = g.root.clock
    if made and (structure.has_weights or structure.rows is not None):
        structure.passing = g.passing
        g.root.count(structure)
    return child


def take_rows(g: Structure, index: Index) -> Selection:
    """Return the structure of ``y.ravel()[index]``."""
    if not index.transient or index in g.children:
        return _interned(g, index, lambda: _take(g, index))
    # Kept with the index, which will be gone soon, instead of with this structure.
    taken: Selection | None = index.taken.get(g)
    if taken is None:
        taken = index.taken.setdefault(g, _take(g, index))
        taken.structure.passing |= g.passing and taken.structure.rows is not None
    return taken


def take_slice(g: Structure, start: int, stop: int, step: int) -> Selection:
    """Return the structure of ``y[start:stop:step]`` for a one-dimensional y."""
    return _interned(g, (start, stop, step), lambda: _take_slice(g, start, stop, step))


def put(g: Structure, rows: Index | slice, size: int) -> Structure:
    """Return the structure of an array of `size` elements with this one's at `rows`."""
    key = (rows.start if isinstance(rows, slice) else rows, size)
    if isinstance(rows, Index) and rows.transient and key not in g.children:
        placed = _put(g, rows, size)
        placed.passing = g.passing
        return placed
    return _interned(g, key, lambda: _put(g, rows, size))


def weighted(g: Structure, constant: Constant) -> Structure:
    """Return the structure of an array multiplied by a constant one, element by element."""
    return _interned(g, constant, lambda: _weighted(g, constant.values))


def with_part_of_weights(g: Structure, part: Callable[..., Any]) -> Structure:
    """Return the structure with a part of its complex weights: conjugate, real or imaginary."""
    return _interned(g, ("weights", part), lambda: _with_part_of_weights(g, part))


def multiplied(g: Structure, matrix: Matrix) -> Structure:
    """Return the structure of ``A @ y``; row factors must have been expanded before."""
    return _interned(g, matrix, lambda: _multiplied(g, matrix.csr))


def large_product(g: Structure, matrix: Matrix) -> tuple[LargeProduct, Structure] | None:
    """Return a product that is to be computed in every evaluation, with its structure."""
    if g.has_weights or g.entry_count * matrix.csr.shape[0] <= LARGE:
        return None
    key = ("product", matrix)
    known: LargeProduct | None = g.children.get(key)
    if known is None:
        made = LargeProduct(g, matrix.csr, len(g.root.cols))
        known = g.children.setdefault(key, made)
    known.used = g.root.clock
    if known.structure is None:
        return None
    known.structure.used = g.root.clock
    return known, known.structure


def is_plain(g: Structure) -> bool:
    """Whether a structure selects one unknown for each of its rows, and is kept."""
    return type(g) is Structure and not g.has_weights and not g.passing


def with_rows_of_all(structures: list[Structure]) -> Structure:
    """Return the structure with the rows of all of these, plain ones of rows of their own."""
    first, *others = structures
    if not others:
        return first
    return _interned(first, ("rows of all", *others), lambda: _with_rows_of_all(structures))


def expanded(g: Structure) -> Structure:
    """Return the structure without weights: one coefficient for each entry."""
    return _interned(g, "expanded", lambda: _expanded(g))


def _take(g: Structure, index: Index) -> Selection:
    if g.rows is not None:
        return _take_placed(g, index.values)
    if index.transient and index.unique:
        return Selection(Gathered(g, index), index)
    if g.has_weights:
        taken = Structure(g.root, len(index.values), None, g.weights[index.values], g.cols)
    else:
        taken = g.root.selection(g.cols[index.values])
    if taken.gathered is None and taken is not g and index.unique:
        taken.gathered = (g, index)
    return Selection(taken, index)


def _take_slice(g: Structure, start: int, stop: int, step: int) -> Selection:
    positions = np.arange(start, stop, step)
    if g.rows is not None:
        return _take_placed(g, positions)
    # A slice that runs down to element 0 has no finite stop in Python's notation, and -1 as the
    # start of one that selects nothing would be the last element.
    pull = slice(start, stop if stop >= 0 else None, step) if len(positions) else slice(0, 0, None)
    if g.has_weights:
        taken = Structure(g.root, len(positions), None, g.weights[positions], g.cols)
    else:
        taken = g.root.selection(g.cols[pull])
    return Selection(taken, pull)


def _put(g: Structure, rows: Index | slice, size: int) -> Structure:
    if isinstance(rows, slice):
        offset = rows.start
        if g.rows is None:
            count = g.height
            placed: Rows = slice(offset, offset + count)
        elif isinstance(g.rows, slice):
            placed = slice(g.rows.start + offset, g.rows.stop + offset)
        else:
            placed = g.rows + offset
    else:
        placed = rows.range or rows.values
        if g.rows is not None:
            placed = rows.values[g.rows]
    return Structure(g.root, size, placed, g.weights, g.cols)


def _weighted(g: Structure, values: NDArray[Any]) -> Structure:
    if g.rows is not None:
        values = values[g.rows]
    if not g.has_weights:
        n = len(values)
        rows = np.arange(n + 1, dtype=np.int32)
        weights = csr_of_arrays(values, rows[:-1], rows, (n, n))
    else:
        weights = g.weights.copy()
        weights.data = weights.data * values[g.row_of_entry()]
    return Structure(g.root, g.size, g.rows, weights, g.cols)


def _multiplied(g: Structure, csr: Any) -> Structure:
    if isinstance(g.rows, slice):
        csr = csr[:, g.rows]
    elif g.rows is not None:
        csr = _columns(csr, g.rows)
    if g.has_weights:
        csr = _matrix_product(csr, g.weights)
    return Structure(g.root, csr.shape[0], None, csr, g.cols)


def _with_part_of_weights(g: Structure, part: Callable[..., Any]) -> Structure:
    weights = g.weights.copy()
    weights.data = np.ascontiguousarray(part(weights.data))
    return Structure(g.root, g.size, g.rows, weights, g.cols)


def _with_rows_of_all(structures: list[Structure]) -> Structure:
    rows = np.concatenate([g.place(np.arange(g.height)) for g in structures])
    cols = np.concatenate([g.cols for g in structures])
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    first = structures[0]
    return first.root.placement(consecutive(rows) or rows, cols[order], first.size)


def _expanded(g: Structure) -> Structure:
    elements, cols, _, _ = g.entries()
    return Structure(g.root, g.size, elements, None, cols)


def _take_placed(structure: Structure, wanted: IndexArray) -> Selection:
    """Choose elements of a structure whose rows are placed."""
    count = structure.height
    element, compact = _matches(structure.place(np.arange(count)), wanted, structure.size)
    root = structure.root
    single = not structure.has_weights and bool((element[1:] != element[:-1]).all())
    rows: Rows = consecutive(element) or element
    chosen = consecutive(compact) or compact  # of consecutive rows nothing is copied
    if single and isinstance(rows, slice) and isinstance(chosen, slice):
        cols = structure.cols[chosen]
        return Selection(root.placement(rows, cols, len(wanted)), chosen)
    if single and 2 * len(element) >= len(wanted) > 0:
        # Nearly every element has its row: pad, so that no placing is needed any more.
        cols = np.full(len(wanted), -1, dtype=np.int32)
        cols[element] = structure.cols[compact]
        pull = np.zeros(len(wanted), dtype=np.int64)
        pull[element] = compact
        # An Index gathers in blocks where positions are consecutive, as they mostly are.
        return Selection(root.selection(cols), Index(pull, None, False, root.clock))
    if isinstance(rows, slice) and len(element) == len(wanted):
        rows = None
    weights = structure.weights[chosen] if structure.has_weights else None
    cols = structure.cols[chosen] if weights is None else structure.cols
    return Selection(Structure(root, len(wanted), rows, weights, cols), chosen)


def _matches(place: IndexArray, wanted: IndexArray, size: int) -> tuple[IndexArray, IndexArray]:
    """Return all pairs (i, j) with ``wanted[i] == place[j]``, ordered by i.

    Both hold positions below `size`, so that a table takes the place of a search.
    """
    count = np.bincount(place, minlength=size)
    begin = np.cumsum(count) - count
    order = np.argsort(place, kind="stable")
    number = count[wanted]
    if count.max(initial=0) <= 1:
        element = np.flatnonzero(number)
        return element, order[begin[wanted[element]]]
    element = np.repeat(np.arange(len(wanted)), number)
    offset = np.arange(len(element)) - np.repeat(np.cumsum(number) - number, number)
    return element, order[np.repeat(begin[wanted], number) + offset]


def _columns(csr: Any, rows: IndexArray) -> Any:
    """Return ``A @ E`` where E adds compact row k to element rows[k]: chosen columns of A."""
    return sp.csr_array(csr.tocsc()[:, rows])


def _matrix_product(a: Any, b: Any) -> Any:
    """Return the product of two CSR matrices, entries that cancel included."""
    counts = np.diff(b.indptr)[a.indices]
    if (count := int(counts.sum())) > LARGE:
        pattern = pattern_of_product(a, b, count)
        row = np.repeat(np.arange(a.shape[0]), np.diff(pattern.indptr))
        places = row * b.shape[1] + pattern.indices
        data = values_of_product(a, b, places)
        return csr_of_arrays(data, pattern.indices, pattern.indptr, pattern.shape)
    row = np.repeat(np.repeat(np.arange(a.shape[0]), np.diff(a.indptr)), counts)
    begin = np.repeat(b.indptr[a.indices] - (np.cumsum(counts) - counts), counts)
    entry = begin + np.arange(len(row))
    data = np.repeat(a.data, counts) * b.data[entry]
    result = sp.coo_array((data, (row, b.indices[entry])), shape=(a.shape[0], b.shape[1])).tocsr()
    result.sum_duplicates()
    return result
