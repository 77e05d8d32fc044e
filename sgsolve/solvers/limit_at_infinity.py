"""Whether a residual is small only because unknowns ran to where rounding hides it.

``tanh(x) = 1`` and ``exp(-x**2) = 0`` have no solution, but in this arithmetic they hold at every
x beyond a finite one. Neither the residual nor its Jacobian at such a point shows the difference
from a solution. Equations that hold exactly are asked alone, see `flat_equations`. Others, which
have terms of other unknowns, are asked along the last step, and where unknowns have next to no
terms in any equation, along those. Three facts show a limit, and only all of them together:

* An unknown did not converge. Its last step was long, or the start is accepted without a step.
* The residual is one-sided. An equation hardly changes further on, far ahead of the point as well,
  but changes much at the same distances behind it. Past a simple root the residual grows at the
  near distances; past a multiple root that rounding hides, at the far ones.
* The residual jumps. Where it departs from its last value, it does so by more than its derivative
  explains. A residual that vanishes on a half line, such as ``maximum(x, 0)``, does not jump.

The tests cost no evaluation where convergence is fast, and few where the first distance decides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import EPS, Vector
from ..pattern import transposed_product
from .closed_equations import unproven_equations
from .determination import (
    LINEAR,
    SHORT,
    UNDETERMINED,
    UNITS,
    determined,
    determined_by_kept_factors,
    fixed_by_kept_factors,
)
from .entries import equations_with, unknowns_with
from .flat_equations import tail, tail_of, unanswered
from .iterate import Iterate
from .kept_examinations import examined_starts
from .one_side import unexplained_jump

# Distances in steps. A root of multiplicity m < 15 is seen from the last of those ahead.
NEAR, FAR = (0.5, 1.0), (2.0, 4.0, 16.0, 61.0)
AHEAD = FAR[-2:]
ONE_SIDED = 1e-2  # change ahead over change behind
REAL = 1e3  # a change behind must be so many times larger
SIGNIFICANT = 1e-8  # a step shorter than this, relative to its unknown, is no matter
NOTHING = 1e-12  # of the scale of an unknown: as good as zero
SHRUNK = 0.1  # a step that is short, and so much shorter than the last, converges
SMALL_PART = 1e-3  # of a step: even a steep exponential is straight over it
CANCELED = 1e-2  # of its terms: a slope that is smaller shows nothing of them
TRIED = 4  # equations whose jump is examined
OUTWARDS = 0.0625  # of x, along which a start is examined


def at_limit(it: Iterate) -> bool:
    """Whether the residual at an iterate only tends to zero; a note says so."""
    if it.k > 0 or it.J is None:
        return _only_tends_to_zero(it)
    starts = examined_starts(it)
    if starts.same(it):
        return False
    found = _only_tends_to_zero(it)
    if not found:
        starts.keep(it)
    return found


def _only_tends_to_zero(it: Iterate) -> bool:
    """Whether it does, by an examination; a note says so."""
    steps, unproven = _last_steps(it), unanswered(it, unproven_equations(it))
    others = unknowns_with(it, unproven)
    hidden = bool(unproven.any()) and tail(it, unproven, np.any([others, *steps], axis=0))
    if not hidden and not _hidden_tail(it):
        if not steps or determined_by_kept_factors(it, steps, others):
            return False
        if all(determined(it, step) for step in steps if _Line(it, step).jumps()):
            return False
    it.notes.append(
        "rounding hides the residual there and further on, so that it only tends to zero"
    )
    return True


def _last_steps(it: Iterate) -> list[Vector]:
    """Return the last steps of the unknowns that did not converge, zero for the others."""
    if it.k == 0:
        last = OUTWARDS * _beyond_nothing(it)
    else:
        last = np.where(_long(it), it.step, 0.0)
        if it.fresh and _repeats_linearly(it, last):
            return []
    return [last] if last.any() else []


def _beyond_nothing(it: Iterate) -> Vector:
    """Return the unknowns, zero for those that are nothing beside their scale."""
    scale = it.weights if it.scaling.scale is None else it.scaling.scale
    return np.where(np.abs(it.x) > NOTHING * scale, it.x, 0.0)


def _long(it: Iterate) -> NDArray[np.bool_]:
    """Return which unknowns did not converge by the last step.

    Where the whole step shrank, the step before may have been small in an unknown by accident.
    """
    step, before = np.abs(it.step), np.abs(it.step_old)
    if it.step_size <= SHRUNK * it.step_size_old:
        before = np.maximum(before, np.abs(it.step_older))
    long: NDArray[np.bool_] = (step > SHORT * it.weights) | (step > SHRUNK * before)
    return long & (step > SIGNIFICANT * it.weights)


def _hidden_tail(it: Iterate) -> bool:
    """Whether an equation is the tail of a limit at infinity that other terms hide.

    Unknowns that are nothing beside their scale have no tail. Where weak terms determine others,
    no residual is evaluated.
    """
    unknowns = _without_influence(it) & (_beyond_nothing(it) != 0.0)
    if not unknowns.any() or fixed_by_kept_factors(it, unknowns):
        return False
    return tail_of(it, unknowns)


def _without_influence(it: Iterate) -> NDArray[np.bool_]:
    """Return which unknowns have next to no terms in any equation."""
    if it.J is None:
        return np.zeros(len(it.x), dtype=bool)
    sized, magnitudes = it.scaling.sized, it.system.pattern.matrix(np.abs(it.J.data))
    shares = np.divide(1.0, sized, out=np.zeros_like(sized), where=sized > 0.0)
    parts = transposed_product(magnitudes, shares) * np.abs(it.x)  # of all equations together
    none: NDArray[np.bool_] = ~(parts > len(sized) * UNDETERMINED)
    if none.any():
        terms = magnitudes.data * np.abs(it.x[it.J.indices])
        none[it.J.indices[terms > UNDETERMINED * sized[it.system.pattern.rows]]] = False
    return none


def _repeats_linearly(it: Iterate, step: Vector) -> bool:
    """Whether the linear model repeats how the last step changed equations, so that none is flat.

    The Jacobian must be from after the step: the one before it repeats the change in any case.
    """
    if it.J is None:
        return False
    change = it.F - it.F_old
    off = np.abs(it.J @ step - change)
    return bool((off <= LINEAR * np.abs(change)).all())


class _Line:
    """The residual on the line through an iterate along a step.

    Parameters
    ----------
    step : ndarray, shape (n,)
    """

    def __init__(self, it: Iterate, step: Vector) -> None:
        self.it, self.step = it, step
        self.noise = UNITS * EPS * it.scaling.sized

    def jumps(self) -> bool:
        """Whether an equation is one-sided, and departs by a jump from its value here."""
        behind, near = self.change(-1.0), self._smaller(NEAR)
        if near is None or behind is None:
            return False
        flat = self._flatter(near, behind)
        flat &= equations_with(self.it, self.step != 0.0, flat) | (behind > 0.0)
        if flat.any():
            flat &= ~self._regular()
        if not flat.any():
            return False
        farthest = np.where(behind > 0.0, -1.0, 0.0)
        for distance in FAR:
            change = self.change(-distance)
            if change is not None:
                farther = change > behind
                behind, farthest = (
                    np.maximum(change, behind),
                    np.where(farther, -distance, farthest),
                )
            real = flat & (behind > REAL * self.noise)
            ahead = self.change(distance) if distance in AHEAD and real.any() else None
            if ahead is not None:
                one_sided = real & self._flatter(ahead, behind)
                order = np.argsort(-behind * one_sided)[: min(TRIED, int(one_sided.sum()))]
                if any(self._departs(int(i), float(farthest[i])) for i in order):
                    return True
        return False

    def _regular(self) -> NDArray[np.bool_]:
        """Return which equations answer to a small part of the step as their derivative says.

        So does an equation with large terms that cancel along the step, to rounding.
        """
        J, step = self.it.J, self.step
        change = self.change(SMALL_PART)
        slope = np.abs(self.it.product(step) if J is None else J @ step)
        if change is None:
            return np.zeros(len(step), dtype=bool)
        expected = SMALL_PART * slope
        regular: NDArray[np.bool_] = np.abs(change - expected) <= 0.5 * expected
        regular &= change > self.noise
        if J is not None:
            regular |= slope < CANCELED * (
                self.it.system.pattern.matrix(np.abs(J.data)) @ np.abs(step)
            )
        return regular

    def _flatter(self, ahead: Vector, behind: Vector) -> NDArray[np.bool_]:
        """Return which equations change ahead by next to nothing of their change behind."""
        flatter: NDArray[np.bool_] = ahead <= np.maximum(ONE_SIDED * behind, self.noise)
        return flatter

    def change(self, t: float) -> Vector | None:
        """Return by how much each equation differs at a distance; None if it is not finite."""
        return self._change_at(self.it.x + t * self.step)

    def _change_at(self, x: Vector) -> Vector | None:
        F = self.it.evaluate(x)
        return None if F is None else np.abs(F - self.it.F)

    def _smaller(self, distances: tuple[float, ...]) -> Vector | None:
        """Return the smaller change of two distances, since one of them may be noise."""
        changes = [change for t in distances if (change := self.change(t)) is not None]
        return np.min(changes, axis=0) if changes else None

    def _departs(self, i: int, distance: float) -> bool:
        """Whether equation i departs from its value by more than its derivative explains."""
        x = self.it.x
        return unexplained_jump(self.it, i, x, x + distance * self.step)[0] > 0.0
