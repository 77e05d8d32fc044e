"""The store of operands: from an array that the user supplied to the operand that equals it now.

Operands are found by their contents. An array that was changed in place, or created again with
equal contents, finds the operand that it equals at that moment. The id of an array only says
where to look first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ...arrays import IndexArray
from ...private_api import csr_of_arrays
from .freezing import is_frozen
from .operands import RECENT, Constant, Contents, Index, Matrix

# Up to this many bytes the contents themselves serve as a dictionary key.
SMALL = 1 << 14


class OperandStore:
    """All operands met by evaluations that share one vector of unknowns."""

    def __init__(self) -> None:
        self._by_id: dict[int, Any] = {}
        self._by_content: dict[Any, list[Any]] = {}
        self.nbytes = 0

    def index(self, array: NDArray[Any], size: int, clock: int, first: bool) -> Index:
        """Return the operand for an integer or boolean array that indexes `size` elements.

        Negative positions are resolved; IndexError as NumPy raises it if one is out of bounds.
        """
        if array.dtype.char == "?":
            # The positions are the operand: `sparsevec` puts back what a mask has gathered.
            array = _positions_of_mask(array, size)
        found = self._by_id.get(id(array))
        if type(found) is tuple and found[0] == size:
            operand: Index = found[1]
            if operand.contents.equal(array):
                if operand.used != clock:
                    operand.touch(clock)
                return operand
        if not isinstance(array, np.ndarray):
            array = array.decided()  # of a traced evaluation
        key = (size, *_sample(array))
        for operand in self._by_content.get(key, ()):
            if operand.contents.equal(array):
                self._remember(array, (size, operand), (operand.contents,), (array,))
                operand.touch(clock)
                return operand
        contents = Contents(array)
        operand = Index(_positions(contents.array(), size), contents, not first, clock)
        self.nbytes += operand.values.nbytes + array.nbytes
        self._by_content.setdefault(key, []).append(operand)
        self._remember(array, (size, operand), (contents,), (array,))
        return operand

    def matrix(self, array: Any, clock: int) -> Matrix:
        """Return the operand for a SciPy sparse matrix in any format, or a dense matrix."""
        # The arrays of a matrix by rows are those of its transpose by columns.
        form = (array.shape, getattr(array, "format", "dense"))
        if form[1] == "dense" and hasattr(array, "record"):
            array = array.decided()  # of a traced evaluation
        parts = _parts(array, form[1])
        found = self._by_id.get(id(array))
        if type(found) is Matrix and found.form == form and _all_equal(found.contents, parts):
            found.used = clock
            return found
        key = (form, *(_sample(p) for p in parts))
        for operand in self._by_content.get(key, ()):
            if _all_equal(operand.contents, parts):
                self._remember(array, operand, operand.contents, parts)
                operand.used = clock
                return operand  # type: ignore[no-any-return]
        contents = tuple(map(Contents, parts))
        operand = Matrix(_csr(array, contents), contents, clock, form)
        self.nbytes += 2 * sum(p.nbytes for p in parts)
        self._by_content.setdefault(key, []).append(operand)
        self._remember(array, operand, contents, parts)
        return operand

    def constant(self, array: NDArray[Any], clock: int, first: bool) -> Constant:
        """Return the operand for a vector that elements are multiplied by."""
        found = self._by_id.get(id(array))
        key: Any = None
        if type(found) is not Constant or not found.contents.equal(array):
            found = None
            key = ("constant", *_sample(array))
            for operand in self._by_content.get(key, ()):
                if operand.contents.equal(array):
                    found = operand
                    self._remember(array, operand, (operand.contents,), (array,))
                    break
        if found is None:
            found = Constant(array, first, clock)
            self.nbytes += 2 * array.nbytes
            self._by_content.setdefault(key, []).append(found)
            self._remember(array, found, (found.contents,), (array,))
        elif found.used != clock:
            found.persistent |= clock - found.used <= RECENT
            found.used = clock
        return found

    def prune(self, oldest: int) -> None:
        """Drop every operand that was not used since evaluation `oldest`."""
        kept = {
            key: live
            for key, operands in list(self._by_content.items())
            if (live := [o for o in operands if o.used >= oldest])
        }
        self._by_content = kept
        self._by_id = {}
        self.nbytes = 0

    def _remember(
        self, array: Any, entry: Any, contents: tuple[Contents, ...], parts: tuple[Any, ...]
    ) -> None:
        # An id may come to belong to another array: entries are hints, contents decide.
        if len(self._by_id) > 1000:
            self._by_id = {}
        self._by_id[id(array)] = entry
        for ours, part in zip(contents, parts, strict=True):
            if is_frozen(part):
                ours.frozen = part


def _all_equal(ours: tuple[Contents, ...], theirs: tuple[Any, ...]) -> bool:
    if len(ours) != len(theirs):
        return False
    for o, t in zip(ours, theirs, strict=True):  # noqa: SIM110  (all() takes twice the time)
        if not o.equal(t):
            return False
    return True


def _sample(array: NDArray[Any]) -> tuple[Any, ...]:
    """Return a cheap key: equal for equal contents, and mostly different for different ones."""
    if array.nbytes <= SMALL:
        return array.shape, array.dtype.char, array.tobytes()
    flat = array.ravel() if array.flags.c_contiguous else array.reshape(-1)
    some = flat[:: max(1, flat.size // 61)]
    return array.shape, array.dtype.char, some.tobytes()


def _parts(array: Any, form: str) -> tuple[Any, ...]:
    """Return the arrays that together are the contents of a matrix."""
    if form in ("csr", "csc"):
        return array.indptr, array.indices, array.data
    if form == "dense":
        return (array,)
    coo = array.tocoo()
    return coo.row, coo.col, coo.data


def _csr(array: Any, contents: tuple[Contents, ...]) -> Any:
    """Return the matrix in canonical CSR form; explicit zeros are part of its structure."""
    if not isinstance(array, np.ndarray) and array.format == "csr" and array.has_canonical_format:
        indptr, indices, data = (c.array() for c in contents)
        indices, indptr = (part.astype(np.int32, copy=False) for part in (indices, indptr))
        csr = csr_of_arrays(data, indices, indptr, array.shape)
        csr.has_canonical_format = True
        return csr
    csr = sp.csr_array(array, copy=True)
    csr.sum_duplicates()
    return csr


def _positions_of_mask(mask: NDArray[Any], size: int) -> IndexArray:
    """Return the positions that a mask chooses."""
    if mask.shape != (size,) and mask.size:  # NumPy lets an empty mask choose nothing
        raise IndexError(f"boolean index has shape {mask.shape}, the array has ({size},)")
    return np.flatnonzero(mask)


def _positions(array: NDArray[Any], size: int) -> IndexArray:
    """Return non-negative int64 positions, private and read-only."""
    values = array.astype(np.int64, copy=False).ravel()
    if len(values) and (values.min() < -size or values.max() >= size):
        bad = values[(values < -size) | (values >= size)][0]
        raise IndexError(f"index {bad} is out of bounds for an array of {size} elements")
    if len(values) and values.min() < 0:
        values = np.where(values < 0, values + size, values)
    values = np.ascontiguousarray(values, dtype=np.int64)
    values.flags.writeable = False
    return values
