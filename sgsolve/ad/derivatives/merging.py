"""Merge many terms into one, on their common sparsity pattern.

Each operation that moves rows (indexing, ``A @ y``, joining) makes as many structures as there are
terms, and a sum keeps the terms of both sides. In a chain of stages (time steps, Runge-Kutta
stages, filters) the number of terms grows from stage to stage, while the pattern grows slowly.
Where the terms hold more coefficients than the pattern has entries, they are merged: the pattern
becomes the structure, and a plan fills its coefficients as at the end of a computation.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assembly.layout import Layout
from ..assembly.plan import Plan, coded_terms, drop_oldest
from ..structures.gathered import Gathered
from ..structures.root import Root, drop_children
from ..structures.structure import Structure
from . import array_operations as op
from .coefficients import UNIT, Terms, varying_part
from .masked_coefficients import CoefficientMask, MaskedCoefficient, settled
from .symbols import Symbol, UntraceableError

# Terms are merged if they hold more coefficients than this many times the entries of the pattern:
# before an operation that moves rows, and after a sum. A sum may be the end of the computation,
# where all terms are assembled as it is. Merging costs one pass over all coefficients.
BEFORE_MOVING, AFTER_SUM = 2, 4
# The pattern is computed only where a row has more coefficients than this on average, or than there
# are unknowns (times the number above), or where there are more terms: ordinary stencils and their
# neighbors stay below.
PER_ROW, MOST_TERMS = 9, 32
# An operation on one more array costs the time of this many values.
ARRAY_COST = 1000
# Elements that are others on every evaluation are mostly put back where they came from.
MOST_GATHERED = 64
# Chains of stages on large systems would keep the plans of all stages, many times the memory of the
# result. Beyond this many bytes stages are merged anew in every evaluation. What was made from the
# last few of them is still in use, mostly.
KEPT_BYTES, MOST_PASSING = 1 << 30, 4
# Of a plan and the structures made from its result, for each coefficient that is merged.
BYTES_OF_ENTRY = 20
# Rows in which distinct entries are counted.
SAMPLE, GOLDEN = 100, (5**0.5 - 1) / 2
# Forms of the coefficients (numbers, arrays, shared ones) that one set of structures comes in.
MOST_PLANS = 8


class Merge:
    """What a tuple of structures merges into.

    Attributes
    ----------
    structure : Structure or None
        None: merging is never worth its cost.
    surplus : float
        How many times more the terms cost.
    used : int
        Last evaluation that asked.
    """

    __slots__ = ("plans", "structure", "surplus", "used")

    def __init__(self, root: Root, surplus: float) -> None:
        self.used = root.clock
        self.plans: dict[Hashable, Plan] = {}
        self.structure: Structure | None = None
        self.surplus = surplus

    def plan(self, root: Root, coded: list[tuple[Structure, int]], layout: Layout | None) -> Plan:
        """Return how coefficients of this form fill the pattern."""
        key = tuple([code for _, code in coded])
        plan = self.plans.get(key)
        if plan is None:
            size = coded[0][0].size
            layout = layout or Layout(coded, size, len(root.cols), None)
            plan = self.plans.setdefault(key, Plan(layout))
            drop_oldest(self.plans, MOST_PLANS)
            root.count_bytes(12 * plan.count)
        plan.used = root.clock
        return plan


class Merges:
    """The merges that a root keeps, by structures.

    Attributes
    ----------
    merges : dict
    nbytes : int
        About as many bytes as the plans of all merges and the structures made from them hold.
    passing : deque of Structure
        The last ones that were merged without being kept.
    """

    def __init__(self) -> None:
        self.merges: dict[tuple[Structure, ...], Merge] = {}
        self.nbytes = 0
        self.passing: deque[Structure] = deque()

    def room_for(self, structures: tuple[Structure, ...]) -> bool:
        """Whether one more merge is to be kept."""
        if any(g.passing for g in structures):
            return False
        nbytes = _nbytes(structures)
        if self.nbytes + nbytes > KEPT_BYTES:
            return False
        self.nbytes += nbytes
        return True

    def let_pass(self, structure: Structure) -> None:
        """Note a structure that is not kept; those made from earlier ones are freed."""
        structure.passing = True
        passing = self.passing
        passing.append(structure)
        while len(passing) > MOST_PASSING or passing[0].used < structure.used:
            drop_children(passing.popleft())

    def prune(self, oldest: int) -> None:
        """Drop the merges that were not used since evaluation `oldest`."""
        self.merges = {k: m for k, m in list(self.merges.items()) if m.used >= oldest}
        kept = list(self.merges.items())
        self.nbytes = sum(_nbytes(k) for k, m in kept if m.structure is not None)


def _nbytes(structures: tuple[Structure, ...]) -> int:
    """Return about as many bytes as are kept for a merge."""
    return BYTES_OF_ENTRY * sum(g.entry_count for g in structures)


def merged(root: Root, terms: Terms, surplus: int = BEFORE_MOVING) -> Terms:
    """Return one term in place of many if that is less to work with, else the same terms."""
    if not _crowded(root, terms, surplus):
        return terms
    coded = coded_terms(terms)
    merge, layout = _merge_of(root, coded)
    if merge.structure is None or merge.surplus <= surplus:
        return terms
    if merge.structure.passing and any(isinstance(q, Symbol) for p in terms.values() for q in p):
        raise UntraceableError  # a program would keep the plans that there is no memory for
    plan = merge.plan(root, coded, layout)
    values = op.filled(plan, *itertools.chain.from_iterable(terms.values()))
    if any(isinstance(q, MaskedCoefficient) for p in terms.values() for q in p):
        key = (("merged", id(values)), True)
        mask = CoefficientMask(key, lambda: _varying_entries(root, merge, terms, values))
        values = MaskedCoefficient(values, mask, True)
    return {merge.structure: (0.0, 1.0, values, None)}


def _varying_entries(root: Root, merge: Merge, terms: Terms, values: Any) -> Any:
    """Return where the entries of merged terms are not those of constants, as `values` are."""
    # Weights may cancel: what has weights counts as varying, by NaN.
    unknown = (math.nan, 0.0, None, None)
    ones = {g: unknown if g.has_weights else varying_part(p) for g, p in terms.items()}
    ones = {g: (*p[:2], settled(p[2]), p[3]) for g, p in ones.items()}
    plan = merge.plan(root, coded_terms(ones), None)
    return op.differs(op.filled(plan, *itertools.chain.from_iterable(ones.values())), 0.0)


def merged_structures(root: Root, terms: Terms, surplus: int = BEFORE_MOVING) -> Terms:
    """Return the same for terms without coefficients."""
    if not _crowded(root, terms, surplus):
        return terms
    merge, _ = _merge_of(root, [(g, 0) for g in terms])
    if merge.structure is None or merge.surplus <= surplus:
        return terms
    return {merge.structure: UNIT}


def _crowded(root: Root, terms: Terms, surplus: int) -> bool:
    """Whether terms may be worth merging, by their numbers alone."""
    if not terms:
        return False
    number = len(terms)
    entries = sum([g.entry_count for g in terms])
    size = next(iter(terms)).size
    few = entries <= surplus * min(PER_ROW, len(root.cols)) * size
    if few and number <= MOST_TERMS * surplus // BEFORE_MOVING:
        return False
    return number > MOST_GATHERED or not any(type(g) is Gathered for g in terms)


def _surplus(structures: tuple[Structure, ...]) -> float:
    """Return how many times more many terms cost than the one that they would merge into."""
    entries = sum(g.entry_count for g in structures)
    merged = entries * _share_of_distinct(structures)
    if len(structures) > MOST_TERMS:
        entries, merged = entries + ARRAY_COST * len(structures), merged + ARRAY_COST
    return entries / max(1.0, merged)


def _share_of_distinct(structures: tuple[Structure, ...]) -> float:
    """Return the number of distinct entries over the number of all, from a sample of rows.

    The rows are the same for the same size. What structures merge into does not depend on chance.
    """
    size = structures[0].size
    sample = np.arange(size)
    if size > SAMPLE:
        # Multiples of the golden ratio: spread evenly, and in no step with the lines of a mesh.
        sample = np.unique((np.arange(1, SAMPLE + 1) * GOLDEN % 1.0 * size).astype(np.int64))
    keys = np.sort(np.concatenate([_keys(g, sample) for g in structures]))
    return (1 + np.count_nonzero(keys[1:] != keys[:-1])) / len(keys) if len(keys) else 1.0


def _keys(g: Structure, sample: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return element and unknown of the entries of chosen elements, as one number each."""
    elements = compact = sample
    if isinstance(g.rows, slice):
        begin, end = np.searchsorted(sample, (g.rows.start, g.rows.stop))
        elements = sample[begin:end]
        compact = elements - g.rows.start
    elif g.rows is not None:
        chosen = np.zeros(g.size, dtype=bool)
        chosen[sample] = True
        compact = chosen[g.rows].nonzero()[0]
        elements = g.rows[compact]
    if g.has_weights:
        begin, end = g.weights.indptr[compact], g.weights.indptr[compact + 1]
        counts = end - begin
        first = np.repeat(begin - np.cumsum(counts) + counts, counts)
        elements = np.repeat(elements, counts)
        compact = g.weights.indices[first + np.arange(len(first))]
    return elements << 32 | g.cols[compact]


def _merge_of(root: Root, coded: list[tuple[Structure, int]]) -> tuple[Merge, Layout | None]:
    """Return what structures merge into, and the layout if it had to be made for that."""
    structures = tuple([g for g, _ in coded])
    memory = root.memory(Merges)
    merge = memory.merges.get(structures)
    layout = None
    if merge is None:
        merge = Merge(root, _surplus(structures))
        if merge.surplus > BEFORE_MOVING:
            size = structures[0].size
            layout = Layout(coded, size, len(root.cols), None)
            rows, cols = layout.pattern.rows.astype(np.int64), layout.pattern.indices
            if not memory.room_for(structures):
                merge.structure = Structure(root, size, rows, None, cols)
                memory.let_pass(merge.structure)
                return merge, layout
            merge.structure = root.placement(rows, cols, size)
        if not any(g.passing for g in structures):
            merge = memory.merges.setdefault(structures, merge)
            root.count_bytes(8 * len(structures))
    merge.used = root.clock
    if merge.structure is not None:
        merge.structure.used = root.clock
    return merge, layout
