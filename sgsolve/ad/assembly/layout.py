"""Layout: where the coefficients of a set of structures go in the values of a matrix.

All coefficients of one evaluation, one array after the other, make the *source vector*. A layout
lists, for every entry of every term, the place in the pattern's data, the position in the source
vector, and the constant weight between them. Terms that are plain numbers are listed apart.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import StructureError
from ...pattern import Pattern, counting_sort
from ...private_api import csr_of_arrays
from ..structures.structure import Structure

# What a term has, in its code; the bits above are the number of the term whose array it shares.
HAS_NUMBER, HAS_ARRAY, HAS_ROWS, OPPOSITE, SHARED = 1, 2, 4, 8, 4

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


class ConstantPlaces(NamedTuple):
    """Places (and weights, None for ones) of a term that is a plain number."""

    term: int
    place: NDArray[np.int32]
    weight: Any


class Layout:
    """Places of all entries of the terms ``(structure, code)`` on one pattern.

    Attributes
    ----------
    pattern : Pattern
    constant : list of ConstantPlaces
    sources : list of Source
    length : int
        Length of the source vector.
    place, source, weight : ndarray
        One value for each entry that is not constant.
    dtype : dtype
        Double precision, or what the weights need beyond it.
    """

    def __init__(
        self, terms: list[tuple[Structure, int]], size: int, n: int, target: Pattern | None
    ) -> None:
        pieces = [_piece(g) for g, _ in terms]
        rows = _joined([p.rows for p in pieces], np.int32)
        cols = _joined([p.cols for p in pieces], np.int32)
        self.pattern, position = positions(rows, cols, (size, n), target)
        del rows, cols
        self.constant: list[ConstantPlaces] = []
        self.sources: list[Source] = []
        self.length = 0
        self._begin: dict[int, int] = {}
        moving = [code & (HAS_ARRAY | HAS_ROWS) != 0 for _, code in terms]
        count = sum(len(p.rows) for p, moves in zip(pieces, moving, strict=True) if moves)
        self.place = np.empty(count, dtype=np.int32)
        self.source = np.empty(count, dtype=np.int32)
        weights = [p.weight.dtype for p in pieces if p.weight is not None]
        self.dtype = np.result_type(float, *weights)
        self.weight = np.empty(count, dtype=self.dtype)
        offset = filled = 0
        for number, ((g, code), piece) in enumerate(zip(terms, pieces, strict=True)):
            length = len(piece.rows)
            here = position[offset : offset + length]
            offset += length
            if code & HAS_NUMBER and not code & HAS_ROWS:
                # A copy: the array that it is a part of can then be freed.
                self.constant.append(ConstantPlaces(number, here.astype(np.int32), piece.weight))
            if moving[number]:
                own = slice(filled, filled + length)
                filled += length
                self.place[own] = here
                self.source[own], weight = self._source(number, g, code, piece)
                np.multiply(weight, -1.0 if code & OPPOSITE else 1.0, out=self.weight[own])

    def _source(self, number: int, g: Structure, code: int, piece: Piece) -> tuple[Any, Any]:
        """Return position in the source vector and weight of every entry of a term."""
        weight = 1.0 if piece.weight is None else piece.weight
        if code & HAS_ROWS and code & HAS_ARRAY:
            expand = (g.weights.indices, g.row_of_entry(), g.weights.data)
            begin = self._new(number, len(g.weights.data), expand)
            return _number_of_kept(piece) + begin, 1.0
        if code & HAS_ROWS:
            # ConstantPlaces weights: the row factors are the source, the weights part of the map.
            begin = self._new(number, g.height, ROWS)
            return g.row_of_entry()[piece.kept] + begin, weight
        shared = code >> SHARED
        if shared not in self._begin:
            self._begin[shared] = self._new(number, len(g.cols), None)
        begin = self._begin[shared]
        if piece.source is None:
            return _number_of_kept(piece) + begin, weight
        return piece.source + begin, weight

    def _new(self, number: int, length: int, expand: Any) -> int:
        begin = self.length
        self.sources.append(Source(number, length, expand))
        self.length += length
        return begin


class Piece(NamedTuple):
    """Entries of one term that belong to an unknown; `kept` chooses them out of all."""

    rows: Any
    cols: Any
    weight: Any
    source: Any
    kept: Any


def _piece(g: Structure) -> Piece:
    element, cols, weight, source = g.entries()
    rows = element.astype(np.int32, copy=False)
    kept = cols >= 0
    if kept.all():
        return Piece(rows, cols, weight, source, slice(None))
    weight, source = (None if x is None else x[kept] for x in (weight, source))
    return Piece(rows[kept], cols[kept], weight, source, kept)


def _number_of_kept(piece: Piece) -> NDArray[Any]:
    """Return the number of every entry that is kept."""
    if isinstance(piece.kept, slice):
        return np.arange(len(piece.rows), dtype=np.int32)
    return np.flatnonzero(piece.kept)


def positions(
    rows: Any, cols: Any, shape: tuple[int, int], target: Pattern | None
) -> tuple[Pattern, NDArray[Any]]:
    """Return a pattern that holds these coordinates and their places in its data.

    Raises
    ------
    StructureError
        If `target` is given and does not hold one of them.
    """
    pattern, position = Pattern.from_coordinates(rows, cols, shape)
    if target is None:
        return pattern, position
    place = target.positions(pattern)
    if len(place) and place.min() < 0:
        at = int(np.argmin(place))
        row, col = int(pattern.rows[at]), int(pattern.indices[at])
        raise StructureError(
            f"element ({row}, {col}) of the Jacobian is not in the sparsity pattern. Compute the "
            "pattern with ad.seed_sparsity at a point where the element is used, or write np.where "
            "or ad.branch in place of `if`",
            rows=[row],
            columns=[col],
        )
    return target, place[position]


def _joined(parts: list[Any], dtype: Any) -> Any:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def in_order_of_terms(place: Any, source: Any, weight: Any, shape: tuple[int, int]) -> Any:
    """Return a matrix in CSR form with the entries of a row in the order of the terms.

    The order of a sum must not depend on which terms share an array: this is not the same in a
    `Program` and outside.
    """
    order = counting_sort(place, shape[0])
    begin = np.zeros(shape[0] + 1, dtype=np.int32)
    np.cumsum(np.bincount(place, minlength=shape[0]), out=begin[1:])
    return csr_of_arrays(weight[order], source[order], begin, shape)
