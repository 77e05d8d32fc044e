"""Equations that hold at a point, but do not answer to changes of their unknowns there.

``1 - tanh(x)`` is zero at every x beyond 19, since rounding hides the tail; it has no root. A
multiple root does not answer to small changes either. An equation is the tail of a limit at
infinity if it shows three signs on a line through the point:

* On one side it stays the same within a few units of its rounding, near and far.
* On the other side it changes by far more than that.
* It departs from its value by a jump that its derivative does not explain. A residual that
  vanishes on a half line, such as ``maximum(x, 0)``, does not jump.

The lines are those along which its terms grow together, and along which all unknowns go to zero, or
that of the last step.
Zero may be many orders of magnitude away: ``1 / x - 3 / (3 x + 1)`` is rounding alone beyond 1e16.
The size of the jump is the rounding of the equation, see `one_side`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arrays import Mask, Vector
from ..state.entries import equations_with, unknowns_with
from ..state.iterate import Iterate
from .answered_rows import AnsweredRows, answered_rows
from .determination import SHORT, answers, answers_closer, changed, small_changes
from .one_side import COARSE, REAL, Side

CHANGED = 1e-10  # a change below this part of the terms of an equation is no matter
FEW_UNITS = 1e-9  # of the largest terms: a change that may be few units of rounding
PRODUCTS = 16  # with the Jacobian, for the signs of its entries in an equation
TRIED = 8  # equations whose jump is examined


def exact_equations(it: Iterate) -> Mask:
    """Return which equations hold exactly at an iterate, as those that rounding hides do.

    They held before the last step too, or came to hold by a change that matters. Those of unknowns
    that stay at zero have no terms that rounding could hide.
    """
    exact: Mask = it.F == 0.0
    if not exact.any():
        return exact
    before = np.abs(it.F_old)
    closed: Mask = exact & (before > CHANGED * it.scaling.own)
    return closed | equations_with(it, it.x != 0.0, exact & (before == 0.0))


def tail(it: Iterate, equations: Mask, asked: Mask) -> bool:
    """Whether one of some equations at an iterate is the flat tail of a limit at infinity.

    Parameters
    ----------
    equations : ndarray of bool, shape (n,)
    asked : ndarray of bool, shape (n,)
        Unknowns that a small change moves, those of the equations and perhaps others.
    """
    silent = equations & ~_replying(it, equations, asked)
    if not silent.any():
        return False
    if any(_one_sided(it, silent, line) for line in _probing_lines(it, silent)):
        return True
    return any(_one_sided(it, silent, line) for line in _lines_from_elsewhere(it, silent))


def tail_of(it: Iterate, unknowns: Mask) -> bool:
    """Whether an equation is the tail of a limit at infinity of unknowns without influence.

    Their terms in it are hidden by others. Near a multiple root they are too, but on both sides.
    """
    line = np.where(unknowns, it.x, 0.0)
    if not line.any():
        return False
    equations = equations_with(it, line != 0.0, np.ones(len(it.F), dtype=bool))
    return _one_sided(it, equations, line, far=True)


def tail_along(it: Iterate, step: Vector) -> bool:
    """Whether an equation is the tail of a limit at infinity in the direction of a step."""
    equations = equations_with(it, step != 0.0, np.ones(len(it.F), dtype=bool))
    coarse, behind = (Side(it, sign * step, COARSE) for sign in (1.0, -1.0))
    equations &= behind.largest > REAL * coarse.largest
    return bool(equations.any()) and _departs(equations, Side(it, step), Side(it, -step), True)


def unanswered(it: Iterate, equations: Mask) -> Mask:
    """Return which of some equations are to be asked: not with the row with which one answered."""
    if it.J is None or not _tells_slopes(it) or not equations.any():
        return equations
    return equations & ~_kept_rows(it).same(it, equations)


def _kept_rows(it: Iterate) -> AnsweredRows:
    return answered_rows(it.workspace, it.system.pattern)


def _tells_slopes(it: Iterate) -> bool:
    """Whether the Jacobian serves at the iterate: so does one from before a short step."""
    return it.age <= 1 and not (np.abs(it.step) > SHORT * it.weights).any()


def _replying(it: Iterate, equations: Mask, asked: Mask) -> Mask:
    """Return which equations answer to small changes of the unknowns asked as J says.

    The rows of those of some equations that do so beyond doubt are kept.
    """
    small = np.where(asked, small_changes(it.weights), 0.0)
    kept = it.J is not None and _tells_slopes(it)
    expected = it.J @ small if kept else it.slope_at(it.x, small)
    moved = changed(it, small)
    if moved is None or expected is None:
        return np.zeros(len(it.F), dtype=bool)
    replying: Mask = answers(moved - it.F, expected, it.scaling.sized)
    if (equations & ~replying).any():
        replying |= answers_closer(it, it.F, small, expected)
    doubtful = replying & (np.abs(expected) <= FEW_UNITS * it.S.max())
    if doubtful.any():  # one unit of rounding may agree by chance, but not on both sides
        back = it.evaluate(it.x - small)
        certain = ~doubtful
        if back is not None:
            certain |= answers(it.F - back, expected, it.scaling.sized)
        replying &= certain
    if kept:
        _kept_rows(it).add(it, equations & replying)
    return replying


def _probing_lines(it: Iterate, equations: Mask) -> list[Vector]:
    """Return steps of the unknowns along which the equations may show themselves.

    An unknown that is small beside others may change by its weight, or by its own size.
    """
    growing = np.sign(_growth(it, equations))
    lines = [growing * it.weights, np.where(unknowns_with(it, equations), it.x, 0.0)]
    sizes = np.where(it.x == 0.0, it.weights, np.abs(it.x))
    if not np.array_equal(sizes, it.weights):
        lines.append(growing * sizes)
    return [line for line in lines if line.any()]


def _lines_from_elsewhere(it: Iterate, equations: Mask) -> Iterator[Vector]:
    """Yield steps along which equations without a slope change where they have one.

    That is where they depart on the line through zero. The slopes of ``exp(-(x - y**2)**2)`` are
    zero where it is, and on that line it is different from zero on both sides.
    """
    if it.J is None:
        return
    flat = equations & (it.scaling.own == 0.0)
    line = np.where(unknowns_with(it, flat), it.x, 0.0)
    if not line.any():
        return
    sizes = np.where(it.x == 0.0, it.weights, np.abs(it.x))
    for side in (Side(it, line), Side(it, -line)):
        for i in np.flatnonzero(flat)[:TRIED].tolist():
            x = side.departure(i)
            found = None if x is None else it.counted.linearize(x)
            if found is not None:
                row = found[1][[i]]
                step = np.zeros_like(it.x)
                step[row.indices] = np.sign(row.data)
                if step.any():
                    yield step * sizes


def _growth(it: Iterate, equations: Mask) -> Vector:
    """Return how the terms of some equations grow together with each unknown, by its sign.

    Without a matrix the signs are those of a mean of products with random signs.
    """
    if it.J is None:
        signs = np.random.default_rng(0).choice([-1.0, 1.0], (PRODUCTS, len(it.x)))
        slopes = np.array([it.product(it.weights * s)[equations] for s in signs])
        sizes = np.abs(slopes).max(axis=0)
        means: Vector = signs.T @ (slopes / np.where(sizes > 0.0, sizes, 1.0)).sum(axis=1)
        return np.where(np.isfinite(means), means, 0.0)
    rows = it.system.pattern.rows
    terms = it.J.data * it.weights[it.J.indices]
    size = np.zeros(len(it.F))
    np.maximum.at(size, rows, np.abs(terms))
    chosen = np.where(equations, 1.0, 0.0) / np.where(size > 0.0, size, 1.0)
    return np.bincount(it.J.indices, terms * chosen[rows], len(it.x))


def _one_sided(it: Iterate, equations: Mask, line: Vector, far: bool = False) -> bool:
    """Whether one of some equations is flat on one side of a line, and departs by a jump.

    The side is flat to the end of the line, or far beyond as well.
    """
    ahead, behind = (Side(it, sign * line) for sign in (1.0, -1.0))
    sides = (ahead, behind), (behind, ahead)
    return any(_departs(equations, *pair, far) for pair in sides)


def _departs(equations: Mask, side: Side, other: Side, far: bool) -> bool:
    """Whether one of some equations is flat on one side of a line, and departs on the other.

    Far beyond the end of the line it is flat beside the other side; its rounding shows near by.
    """
    flat = side.largest if far else side.largest_near
    candidates = equations & (other.largest > REAL * flat)
    order = np.argsort(-other.largest * candidates)[: min(TRIED, int(candidates.sum()))]
    return any(other.departs(i, float(side.largest_near[i])) for i in order.tolist())
