"""Roots: the unknowns, with all structures that were made from them.

There is one root for each number of unknowns. It outlives evaluations, which share its structures.
What recent evaluations did not use is dropped when many new structures appear.
"""

from __future__ import annotations

import threading
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...arrays import IndexArray
from .operand_store import OperandStore
from .operands import PASSING, RECENT, Columns, Constant, Index, Matrix
from .structure import Selection, Structure


class RootCache(Protocol):
    """What a layer above the structures keeps between evaluations on one root."""

    def prune(self, oldest: int) -> None:
        """Drop what was not used since evaluation `oldest`."""


M = TypeVar("M", bound=RootCache)


class Evaluation:
    """One evaluation: what its arrays have in common, beside the unknowns of their root.

    Every seed begins one. Structures and programs belong to the root and serve all evaluations;
    arrays belong to one. An array of another evaluation depends on other unknowns, even where
    there are as many of them: those of a Jacobian inside a residual, for example.

    Attributes
    ----------
    real : bool
        Whether the unknowns are real: then complex numbers that depend on them have derivatives
        whatever is done to them, those of their conjugates and absolute values included.
    cols, children, index, constant, matrix, memory
        Those of the root.
    tables : int
        Number of arrays whose rows were computed for loops over their elements.
    traced : Graph or None
        What the evaluation is added to, if it is traced.
    tape : weakref.ref or None
        To what its operations are recorded on, if elements are read in a loop.
    objects, decided : bool
        Whether there is an array of objects that holds elements, and whether an element was asked
        for its truth value. NumPy does so for ``np.logical_or`` of arrays of objects, and returns
        elements in place of truth values.
    notes_views : bool
        Whether the views of all arrays are known from the beginning. They cost time, and few
        functions write into an array while they use views of it.
    """

    __slots__ = (
        "__weakref__",
        "children",
        "cols",
        "constant",
        "decided",
        "index",
        "matrix",
        "memory",
        "notes_views",
        "objects",
        "real",
        "root",
        "tables",
        "tape",
        "traced",
    )

    def __init__(self, root: Root, real: bool = True) -> None:
        self.root = root
        self.real = real
        self.tables = 0
        self.tape: Any = None
        self.traced: Any = None
        self.objects = self.decided = self.notes_views = False
        self.cols, self.children, self.index, self.constant, self.matrix, self.memory = root.parts

    @property
    def clock(self) -> int:
        """Number of evaluations begun on the root."""
        return self.root.clock

    def name(self) -> str:
        """Return a name by which `evaluation_named` finds it as long as it lasts."""
        for name, evaluation in list(_named.items()):
            if evaluation is self:
                return name
        name = uuid.uuid4().hex
        _named[name] = self
        return name


# The evaluations of arrays that were pickled: those that belonged together still do.
_named: weakref.WeakValueDictionary[str, Evaluation] = weakref.WeakValueDictionary()


def evaluation_named(name: str, n: int, real: bool) -> Evaluation:
    """Return the evaluation of that name, or begin one of n unknowns and give it the name."""
    known = _named.get(name)
    return known if known is not None else _named.setdefault(name, evaluation_of(n, real))


class Root(Structure):
    """The structure of the unknowns themselves, and the owner of all that is made from it.

    Attributes
    ----------
    clock : int
        Number of evaluations begun. Whatever an evaluation uses is stamped with it, and what
        recent evaluations have not used is dropped when many new structures appear.
    numbers_read, numbers_read_before : int
        Elements that were read one by one, in this evaluation and in the one before.
    operands : OperandStore
    parts : tuple
        What evaluations have in common with it, bound once.
    """

    __slots__ = (
        "_made",
        "_memories",
        "_selections",
        "clock",
        "numbers_read",
        "numbers_read_before",
        "operands",
        "parts",
    )

    # Bytes of new structures after which unused ones are looked for: small beside the memory of
    # one evaluation where it matters, and large enough that small problems never look.
    PRUNE_BYTES = 1 << 26
    PRUNE_COUNT = 2000

    def __init__(self, n: int) -> None:
        self.clock = 0
        super().__init__(self, n, None, None, np.arange(n, dtype=np.int32))
        self.numbers_read = self.numbers_read_before = 0
        self.operands = OperandStore()
        self._memories: dict[Any, Any] = {}
        self._selections: dict[Any, list[Structure]] = {}
        self._selections[_cols_key(self.cols)] = [self]
        self._made = [0, 0]
        methods = (self.index, self.constant, self.matrix, self.memory)
        self.parts: tuple[Any, ...] = (self.cols, self.children, *methods)

    def memory(self, kind: Callable[[], M]) -> M:
        """Return what a layer above, one class of `RootCache`, keeps of these unknowns."""
        known: M | None = self._memories.get(kind)
        if known is None:
            known = self._memories.setdefault(kind, kind())
        return known

    def index(self, array: NDArray[Any], size: int) -> Index:
        """Return the operand of an index array that the user supplied."""
        if PASSING:
            passing = PASSING.get(id(array))
            if passing is not None and passing.values is array:
                return passing
        return self.operands.index(array, size, self.clock, self.clock <= 2)

    def constant(self, array: NDArray[Any]) -> Constant:
        """Return the operand of a vector that the user multiplies elements by."""
        return self.operands.constant(array, self.clock, self.clock <= 2)

    def matrix(self, array: Any) -> Matrix:
        """Return the operand of a matrix that the user supplied."""
        return self.operands.matrix(array, self.clock)

    def selection(self, cols: Columns) -> Structure:
        """Return the structure with these unknowns; equal ones are the same object."""
        return self._by_contents(_cols_key(cols), len(cols), None, cols)

    def placement(self, rows: IndexArray | slice, cols: Columns, size: int) -> Structure:
        """Return the structure with these entries, by rows; equal ones are the same object."""
        if isinstance(rows, slice):
            if len(cols) == size:
                return self.selection(cols)
            return self._by_contents((size, rows.start, *_cols_key(cols)), size, rows, cols)
        if len(rows) == size and bool((rows == np.arange(size)).all()):
            return self.selection(cols)
        return self._by_contents((size, *_cols_key(cols)), size, rows, cols)

    def _by_contents(self, key: Any, size: int, rows: Any, cols: Columns) -> Structure:
        known = self._selections.setdefault(key, [])
        for structure in known:
            same = type(rows) is not np.ndarray or np.array_equal(np.asarray(structure.rows), rows)
            if same and np.array_equal(structure.cols, cols):
                structure.used = self.clock
                return structure
        structure = Structure(self, size, rows, None, cols)
        known.append(structure)
        self.count(structure)
        return structure

    def count(self, structure: Structure) -> None:
        """Count a new structure, so that unused ones are looked for when there are many."""
        weights, rows = structure.weights, structure.rows
        nbytes = structure.cols.nbytes + (0 if weights is None else 2 * weights.data.nbytes)
        self.count_bytes(nbytes + (rows.nbytes if isinstance(rows, np.ndarray) else 0))

    def count_bytes(self, nbytes: int) -> None:
        """Count something new of this size that is dropped together with structures."""
        self._made[0] += nbytes
        self._made[1] += 1

    def prune_next_time(self) -> None:
        """Let the next evaluation drop what no recent one used."""
        self._made[1] = self.PRUNE_COUNT + 1

    def begin(self) -> None:
        """Begin an evaluation."""
        self.clock += 1
        self.numbers_read_before, self.numbers_read = self.numbers_read, 0
        nbytes, count = self._made
        if nbytes + self.operands.nbytes > self.PRUNE_BYTES or count > self.PRUNE_COUNT:
            self.prune()

    def prune(self) -> None:
        """Drop everything that no recent evaluation used."""
        oldest = self.clock - RECENT
        self._made = [0, 0]
        self.operands.prune(oldest)
        for memory in list(self._memories.values()):
            memory.prune(oldest)
        every = [s for known in list(self._selections.values()) for s in known]
        self._selections = {
            key: live
            for key, known in list(self._selections.items())
            if (live := [s for s in known if s is self or s.used >= oldest])
        }
        self.used = self.clock
        _drop_unused(every, oldest)


def _drop_unused(structures: list[Structure], oldest: int) -> None:
    """Drop what is not used from the children of structures, and from theirs.

    What is dropped loses its children at once: they refer to it in turn, and the garbage collector,
    which does not see how large arrays are, would come late.
    """
    pending, seen = list(structures), set(map(id, structures))
    while pending:
        parent = pending.pop()
        unused = parent.used < oldest
        for key, child in list(parent.children.items()):
            if isinstance(child, np.ndarray):
                continue
            made = child[0] if type(child) is Selection else child
            if unused or made.used < oldest:
                parent.children.pop(key, None)
            if id(made) not in seen:
                seen.add(id(made))
                pending.append(made)


def drop_children(structure: Structure) -> None:
    """Drop what was made from a structure that is not kept, and what was made from that."""
    pending = [structure]
    while pending:
        parent = pending.pop()
        for child in list(parent.children.values()):
            made = child.structure if type(child) is Selection else child
            if isinstance(made, Structure) and made.passing:
                pending.append(made)
        parent.children.clear()


def _cols_key(cols: Columns) -> tuple[Any, ...]:
    return len(cols), cols[:: max(1, len(cols) // 31)].tobytes()


# One root for each number of unknowns: what one evaluation found out about structures serves the
# next one. Old roots go when more sizes than these are in use at the same time.
MOST_ROOTS = 16
_roots: OrderedDict[int, Root] = OrderedDict()
_lock = threading.Lock()


def evaluation_of(n: int, real: bool) -> Evaluation:
    """Begin an evaluation on the root of n unknowns, real or complex ones, and return it."""
    with _lock:
        root = _roots.get(n)
        if root is None:
            root = _roots[n] = Root(n)
            if len(_roots) > MOST_ROOTS:
                _roots.popitem(last=False)
        else:
            _roots.move_to_end(n)
        root.begin()
    return Evaluation(root, real)


def clear_cache() -> None:
    """Free the memory of all cached sparsity patterns; the next evaluation computes them again.

    See Also
    --------
    freeze : Makes evaluations faster.

    Examples
    --------
    >>> from sgsolve import ad
    >>> ad.clear_cache()
    """
    with _lock:
        _roots.clear()
