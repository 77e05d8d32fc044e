"""Whether a residual is small only because unknowns ran to where rounding hides it.

``tanh(x) = 1`` and ``exp(-x**2) = 0`` have no solution, but in this arithmetic they hold at every
x beyond a finite one. Neither the residual nor its Jacobian at such a point shows the difference
from a solution. Three facts do, and only all of them together:

* An unknown did not converge. Its last step was long, or the start is accepted without a step.
* The residual is one-sided. An equation hardly changes further on, far ahead of the point as well,
  but changes much at the same distances behind it. Past a simple root the residual grows at the
  near distances; past a multiple root that rounding hides, at the far ones.
* The residual jumps. Where it departs from its last value, it does so by more than its derivative
  explains. A residual that vanishes on a half line, such as ``maximum(x, 0)``, does not jump.

The tests cost no evaluation where convergence is fast, and few where the first distance decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .determination import (
    LINEAR,
    PROBE,
    SHORT,
    UNDETERMINED,
    UNITS,
    determined,
    determined_by_kept_factors,
    golden_parts,
)
from .entries import equations_with, unknowns_with
from .iterate import EPS, Iterate

Vector = NDArray[Any]
# The last long steps of unknowns, all last steps, the changes by which equations came to hold
# exactly, and the last iteration at which one did.
Closing = tuple[Any, Any, Any, int]

# Distances in steps. A root of multiplicity m < 15 is seen from the last of those ahead.
NEAR, FAR = (0.5, 1.0), (2.0, 4.0, 16.0, 61.0)
AHEAD = FAR[-2:]
ONE_SIDED = 1e-2  # change ahead over change behind
REAL = 1e3  # a change behind must be so many times larger
SIGNIFICANT = 1e-8  # a step shorter than this, relative to its unknown, is no matter
SHRUNK = 0.1  # a step that is short, and so much shorter than the last, converges
OUTWARDS = 0.0625  # of x: the step where there was none; 16 of them go back to zero
SMALL_PART = 1e-3  # of a step: even a steep exponential is straight over it
CANCELED = 1e-2  # of its terms: a slope that is smaller shows nothing of them
EXPLAINED = 0.1  # of a jump, that the derivative must explain
TRIED = 4  # equations whose jump is examined
BISECTIONS = 200  # from 1e30 to the last digit


def at_limit(it: Iterate) -> bool:
    """Whether the residual at an iterate only tends to zero; a note says so."""
    steps, held = _last_steps(it), _held_from_start(it)
    if not (steps or held.any()) or determined_by_kept_factors(it, steps, held):
        return False
    everywhere = np.ones(len(it.F), dtype=bool)
    lines = [(step, everywhere) for step in steps]
    step, flat = _flat(it, held)
    if step.any():
        lines.append((step, flat))
    if all(determined(it, step) for step, among in lines if _Line(it, step).jumps(among)):
        return False
    it.notes.append(
        "rounding hides the residual there and further on, so that it only tends to zero"
    )
    return True


def flat_from(
    x: Vector, held: NDArray[np.bool_], evaluate: Callable[[Vector], Vector | None]
) -> NDArray[np.bool_]:
    """Return which of some equations, all zero at x, stay zero further from zero.

    They stay zero where all unknowns grow by the same part, and at a small change by different
    parts. The arrays have shape (n,), or (count, n) for the points of many members.
    """
    flat: NDArray[np.bool_] = held & _zero(evaluate(x + OUTWARDS * x))
    if flat.any():
        F = evaluate(x + PROBE * golden_parts(x.shape[-1]) * x)
        flat &= _zero(F) | _nonfinite_values(F)
    return flat


def _zero(F: Vector | None) -> Any:
    return False if F is None else F == 0.0


def _nonfinite_values(F: Vector | None) -> Any:
    return True if F is None else ~np.isfinite(F)


def note_start(it: Iterate) -> None:
    """Take note of a start at which equations hold exactly: they may be flat there.

    The steps of the unknowns in them are zero, while the other equations still converge.
    """
    if not it.F.all() and it.x.any():
        it.memory["start"] = it.x, it.F


def _held_from_start(it: Iterate) -> NDArray[np.bool_]:
    """Return which equations held exactly at the start, and were no reason for a step since.

    They hold now as well, or have an unknown that hardly moved. Unknowns that moved further than
    `OUTWARDS` by an equation of their own are judged by how they converge.
    """
    if "start" not in it.memory:
        return np.zeros(len(it.F), dtype=bool)
    x, F = it.memory["start"]
    stayed = (np.abs(it.x - x) <= OUTWARDS * np.abs(x)) & (x != 0.0)
    exact: NDArray[np.bool_] = F == 0.0
    held: NDArray[np.bool_] = equations_with(it, stayed, exact)
    held |= equations_with(it, it.x != 0.0, exact & (it.F == 0.0))
    return held


def _flat(it: Iterate, held: NDArray[np.bool_]) -> tuple[Vector, NDArray[np.bool_]]:
    """Return steps of the unknowns in such equations that are flat further on, and which are.

    They are seen from the start for unknowns that stayed there, and from here for others.
    """
    step, flat = np.zeros_like(it.x), np.zeros_like(held)
    if not held.any():
        return step, flat
    start = it.memory["start"][0]
    stayed = np.abs(it.x - start) <= OUTWARDS * np.abs(start)
    for x, of in ((start, stayed), (it.x, ~stayed)):
        if not (x != 0.0)[of & unknowns_with(it, held)].any():
            continue
        still = flat_from(x, held, it.evaluate)
        step = np.where(of & unknowns_with(it, still), OUTWARDS * x, step)
        flat |= still
    return step, flat


def note_closed(it: Iterate) -> None:
    """Take note of a long step of unknowns by which their equations came to hold exactly.

    Later steps of the unknowns in them are zero, while the other equations still converge.
    """
    if it.F.all():
        return
    exact = (it.F == 0.0) & (it.F_old != 0.0)
    if exact.any():
        long = np.where(_long(it) & unknowns_with(it, exact), it.step, 0.0)
        if long.any():
            known = it.memory.get("closed")
            it.memory["closed"] = closing(known, long, it.step, exact, it.F_old, it.k)


def closing(
    known: Closing | None, long: Vector, step: Vector, exact: Any, F_old: Vector, k: int
) -> Closing:
    """Return what is kept of a step that closed equations, added to what is known."""
    last, whole, change, _ = known or (0.0, 0.0, 0.0, 0)
    return (
        np.where(long != 0.0, long, last),
        np.where(step != 0.0, step, whole),
        np.where(exact, -F_old, change),
        k,
    )


def _last_steps(it: Iterate) -> list[Vector]:
    """Return the last steps of the unknowns that did not converge, zero for the others."""
    if it.k == 0:
        outwards = OUTWARDS * it.x
        steps = [outwards, np.where(_without_influence(it), outwards, 0.0)]
        return [step for step in steps if step.any()]
    steps, last = [], np.where(_long(it), it.step, 0.0)
    if last.any() and not (it.fresh and _repeats_linearly(it, last, it.F - it.F_old)):
        steps.append(last)
    if "closed" in it.memory:
        step, whole, change, k = it.memory["closed"]
        rows = change != 0.0
        if not (k < it.k and _repeats_linearly(it, whole, change, rows)) and (step != last).any():
            steps.append(step)
    return [step for step in steps if step.any()]


def _long(it: Iterate) -> NDArray[np.bool_]:
    """Return which unknowns did not converge by the last step.

    Where the whole step shrank, the step before may have been small in an unknown by accident.
    """
    step, before = np.abs(it.step), np.abs(it.step_old)
    if it.step_size <= SHRUNK * it.step_size_old:
        before = np.maximum(before, np.abs(it.step_older))
    long: NDArray[np.bool_] = (step > SHORT * it.weights) | (step > SHRUNK * before)
    return long & (step > SIGNIFICANT * it.weights)


def _without_influence(it: Iterate) -> NDArray[np.bool_]:
    """Return which unknowns have next to no terms in any equation."""
    none = np.zeros(len(it.x), dtype=bool)
    if it.J is None:
        return none
    terms, columns = np.abs(it.J.data * it.x[it.J.indices]), it.J.indices
    none[:] = True
    none[columns[terms > UNDETERMINED * it.scaling.sized[it.system.pattern.rows]]] = False
    return none


def _repeats_linearly(it: Iterate, step: Vector, change: Vector, rows: Any = slice(None)) -> bool:
    """Whether the linear model repeats how a step changed equations, so that none is flat.

    The Jacobian must be from after the step: the one before it repeats the change in any case.
    """
    if it.J is None:
        return False
    off = np.abs(it.J @ step - change)
    return bool((off <= LINEAR * np.abs(change))[rows].all())


class _Line:
    """The residual on the line through an iterate along a step.

    Parameters
    ----------
    it : Iterate
    step : ndarray, shape (n,)
    """

    def __init__(self, it: Iterate, step: Vector) -> None:
        self.it, self.step = it, step
        self.noise = UNITS * EPS * it.scaling.sized

    def jumps(self, among: NDArray[np.bool_]) -> bool:
        """Whether one of some equations is one-sided, and departs by a jump from its value here."""
        behind, near = self.change(-1.0), self._smaller(NEAR)
        if near is None or behind is None:
            return False
        flat = among & self._flatter(near, behind)
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
                if any(self._jump(int(i), float(farthest[i])) for i in order):
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

    def _jump(self, i: int, distance: float) -> bool:
        """Whether equation i departs from its value by more than its derivative explains."""
        # points are halved, not distances: those close to zero are as dense as any
        inner, outer = self.it.x, self.it.x + distance * self.step
        for _ in range(BISECTIONS):
            middle = 0.5 * inner + 0.5 * outer
            if np.array_equal(middle, inner) or np.array_equal(middle, outer):
                break
            change = self._change_at(middle)
            if change is None or change[i] > 0.0:
                outer = middle
            else:
                inner = middle
        change = self._change_at(outer)
        slope = self.it.slope_at(outer, outer - inner)
        if change is None or slope is None:
            return False
        # the quotient, since the product of the smallest number and a fraction is zero
        return abs(float(slope[i])) / EXPLAINED < float(change[i])
