"""Merge many terms into one, on their common sparsity pattern.

Each operation that moves rows (indexing, ``A @ y``, joining) makes as many structures as there are
terms, and a sum keeps the terms of both sides. In a chain of stages (time steps, Runge-Kutta
stages, filters) the number of terms grows from stage to stage, while the pattern grows slowly.
Where the terms hold more coefficients than the pattern has entries, they are merged: the pattern
becomes the structure, and a plan fills its coefficients as at the end of a computation.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable

from ..assembly.layout import Layout
from ..assembly.plan import Plan, coded_terms, drop_oldest
from ..structures.gathered import Gathered
from ..structures.root import Root
from ..structures.structure import Structure
from . import array_operations as op
from .coefficients import UNIT, Terms

# Terms are merged if they hold more coefficients than this many times the entries of the pattern:
# before an operation that moves rows, and after a sum. A sum may be the end of the computation,
# where all terms are assembled as it is. Merging costs one pass over all coefficients.
BEFORE_MOVING, AFTER_SUM = 2, 4
# The pattern is computed only where a row has more coefficients than this on average (times the
# number above), or where there are more terms: ordinary stencils and their neighbors stay below.
PER_ROW, MOST_TERMS = 4, 32
# A sum of so few terms is not looked at: what moves rows will look at it.
FEW_TERMS = 4
# An operation on one more array costs the time of this many values.
ARRAY_COST = 1000
# Elements that are others on every evaluation are mostly put back where they came from.
MOST_GATHERED = 64
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

    def __init__(self, root: Root, layout: Layout, structures: tuple[Structure, ...]) -> None:
        self.used = root.clock
        self.plans: dict[Hashable, Plan] = {}
        self.structure: Structure | None = None
        pattern = layout.pattern
        count = sum(g.entry_count for g in structures)
        cost, merged_cost = count, pattern.nnz
        if len(structures) > MOST_TERMS:
            cost, merged_cost = cost + ARRAY_COST * len(structures), merged_cost + ARRAY_COST
        self.surplus = cost / max(1, merged_cost)
        if self.surplus > BEFORE_MOVING:
            size = structures[0].size
            rows = pattern.rows.astype("int64")
            self.structure = root.placement(rows, pattern.indices, size)

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
    """The merges that a root remembers, by structures."""

    full = False

    def __init__(self, root: Root) -> None:
        self.merges: dict[tuple[Structure, ...], Merge] = {}

    def prune(self, oldest: int) -> None:
        """Forget the merges that were not used since evaluation `oldest`."""
        self.merges = {k: m for k, m in list(self.merges.items()) if m.used >= oldest}


def merged(root: Root, terms: Terms, surplus: int = BEFORE_MOVING) -> Terms:
    """Return one term in place of many if that is less to work with, else the same terms."""
    if not _crowded(terms, surplus):
        return terms
    coded = coded_terms(terms)
    merge, layout = _merge_of(root, coded)
    if merge.structure is None or merge.surplus <= surplus:
        return terms
    plan = merge.plan(root, coded, layout)
    values = op.filled(plan, *itertools.chain.from_iterable(terms.values()))
    return {merge.structure: (0.0, 1.0, values, None)}


def merged_sum(root: Root, terms: Terms) -> Terms:
    """Return the same for a sum, which may be the last operation."""
    return terms if len(terms) <= FEW_TERMS else merged(root, terms, AFTER_SUM)


def merged_structures(root: Root, terms: Terms, surplus: int = BEFORE_MOVING) -> Terms:
    """Return the same for terms without coefficients."""
    if not _crowded(terms, surplus):
        return terms
    merge, _ = _merge_of(root, [(g, 0) for g in terms])
    if merge.structure is None or merge.surplus <= surplus:
        return terms
    return {merge.structure: UNIT}


def _crowded(terms: Terms, surplus: int) -> bool:
    """Whether terms may be worth merging, by their numbers alone."""
    number = entries = size = 0
    gathered = False
    for g in terms:
        number += 1
        entries += g.entry_count
        size = g.size
        gathered = gathered or type(g) is Gathered
    if gathered and number <= MOST_GATHERED:
        return False
    return entries > surplus * PER_ROW * size or number > MOST_TERMS * surplus // BEFORE_MOVING


def _merge_of(root: Root, coded: list[tuple[Structure, int]]) -> tuple[Merge, Layout | None]:
    """Return what structures merge into, and the layout if it had to be made for that."""
    structures = tuple([g for g, _ in coded])
    merges = root.memory(Merges).merges
    merge = merges.get(structures)
    layout = None
    if merge is None:
        layout = Layout(coded, structures[0].size, len(root.cols), None)
        merge = merges.setdefault(structures, Merge(root, layout, structures))
        root.count_bytes(8 * len(structures))
    merge.used = root.clock
    if merge.structure is not None:
        merge.structure.used = root.clock
    return merge, layout
