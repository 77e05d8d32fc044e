"""One side of a line through an iterate: whether an equation departs from its value by a jump.

The size of the jump is the rounding of the equation. No formula tells it beforehand: the terms that
cancel in ``1 - tanh(x)`` do not appear in the derivative. Past the jump the equation must be real.
It is where it changes by far more than the jump. Where huge terms cancel, such as those of
``exp(x) - exp(x) / (1 + exp(-x))``, the jump exceeds all that is real. Then the residual must
scatter past the jump, and farther away be steady and change as its derivative says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...arrays import Vector
from ..state.iterate import Iterate
from .determination import LINEAR, golden_parts

# Points at these distances of x, in steps, then close to the end of the step, and past it. The end
# is zero on one of the lines, and the smallest numbers are as far from x as any.
DISTANCES = [0.25**k for k in range(15, 0, -1)]
LEFT = [0.25**k for k in range(1, 16)]
SMALLEST = [0.5**k for k in (64, 128, 256, 512, 1022)]
PAST = [4.0, 16.0, 64.0]
COARSE = [-0.0, *PAST]  # negative: from the end
POINTS = [*DISTANCES, *(-t for t in (*LEFT, *SMALLEST)), *COARSE]
FLAT = 64.0  # units of the jump
REAL = 1e4  # times the jump: a change that is none of rounding
EXPLAINED = 0.1  # of a jump, that the derivative must explain
POWER = 4.0  # of the distance: how a change that begins at the iterate grows
NEIGHBORS, NEXT = 8, 1e-9  # points next to one, and their distances, relative to the unknowns
STEADY, SCATTERED = 1e-6, 0.5  # change between them: the residual is real, or rounding
SMALL, UNCHANGED = 1e-5, 1e-7  # a change of a point, relative to it, and what it may not show
BISECTIONS = 2200  # from the largest number to the last digit of the smallest
NEVER = np.iinfo(np.int64).max  # number of a point that no side has
UNDERFLOW = math.sqrt(np.finfo(float).tiny)  # unknowns whose squares underflow, so F departs there


class Side:
    """The changes of the residual on one side of an iterate.

    Parameters
    ----------
    step : ndarray, shape (n,)
    points : sequence of float
        Distances; `COARSE` shows whether all of them are worth their residuals.

    Attributes
    ----------
    largest, largest_near : ndarray, shape (n,)
        The largest change of each equation, at all points and up to the end of the step. A residual
        that is not finite is an infinite change of the equations that did not change before.
    """

    def __init__(self, it: Iterate, step: Vector, points: Sequence[float] = POINTS) -> None:
        self.it, self.step, self.end, self._points = it, step, it.x + step, points
        self.largest = self.largest_near = np.zeros_like(it.F)
        self._same = np.full(len(it.F), -1)  # the last point before the first change
        self._first = np.full(len(it.F), NEVER)
        for number, t in enumerate(points):
            x = self._point(number)
            if 0.0 < np.abs(x[step != 0.0]).max(initial=0.0) < UNDERFLOW:
                continue
            F = it.evaluate(x)
            unseen = self._first == NEVER
            if F is None:
                self.largest = np.where(unseen, np.inf, self.largest)
                self._first[unseen] = number
                break
            change = np.abs(F - it.F)
            self.largest = np.maximum(self.largest, change)
            if t <= 1.0:
                self.largest_near = self.largest
            self._first[unseen & (change > 0.0)] = number
            self._same[unseen & (change == 0.0)] = number

    def _point(self, number: int) -> Vector:
        if number < 0:
            return self.it.x
        t = self._points[number]
        return (
            self.end + t * self.step if math.copysign(1.0, t) < 0.0 else self.it.x + t * self.step
        )

    def departure(self, i: int) -> Vector | None:
        """Return the first point at which equation i is not as here; None if there is none."""
        first = int(self._first[i])
        return None if first == NEVER else self._point(first)

    def departs(self, i: int, flat: float) -> bool:
        """Whether equation i departs by a jump, larger than its rounding on the flat side.

        Past the jump it must be real. The points from x may miss that where the jump is far away.
        """
        first = int(self._first[i])
        if first == NEVER:
            return False
        inner, outer = self._point(int(self._same[i])), self._point(first)
        jump, outer = unexplained_jump(self.it, i, inner, outer)
        if not flat <= FLAT * jump or jump == 0.0:
            return False
        if self.largest[i] > REAL * jump:
            return not self._begins_here(i, first, jump, outer)
        rest = [self.it.evaluate(self.end + t * (outer - self.end)) for t in LEFT]
        if any(F is not None and abs(F[i] - self.it.F[i]) > REAL * jump for F in rest):
            return True
        if self._scatter(i, outer) <= SCATTERED:
            return False
        beyond = (self._point(number) for number in range(first, len(self._points)))
        return any(self._is_real(i, x) for x in beyond)

    def _begins_here(self, i: int, first: int, jump: float, outer: Vector) -> bool:
        """Whether equation i changes from the iterate on, as past a kink, not from far away.

        A change like t^m is 1/m of the slope times t. Where it begins far away, it is less. The
        points begin at the jump: at the next one of the line the tail may have ended in another.
        """
        step = self._point(first) - outer
        rest = (self._point(number) for number in range(first, len(self._points)))
        for x in (*(outer + t * step for t in DISTANCES), *rest):
            F = self.it.evaluate(x)
            if F is None:
                return False
            change = abs(F[i] - self.it.F[i])
            if change > REAL * jump:
                slope = self.it.slope_at(x, x - self.it.x)
                return slope is not None and bool(0.0 < abs(slope[i]) <= POWER * change)
        return False

    def _is_real(self, i: int, x: Vector) -> bool:
        """Whether equation i has left its value at a point, by no rounding.

        What rounding absorbs, such as y in ``(y + 1) - 1 - y``, is steady near zero too, but its
        derivative is zero there.
        """
        if not self._scatter(i, x) <= STEADY:
            return False
        small = SMALL * x
        F, moved = self.it.evaluate(x), self.it.evaluate(x + small)
        slope = self.it.slope_at(x, small)
        if F is None or moved is None or slope is None:
            return False
        off = abs(moved[i] - F[i] - slope[i])
        still = UNCHANGED * abs(F[i] - self.it.F[i])
        return bool(off <= LINEAR * abs(slope[i]) + still)

    def _scatter(self, i: int, x: Vector) -> float:
        """Return the scatter of equation i next to a point, relative to its change from here."""
        parts = NEXT * golden_parts(len(x) * NEIGHBORS).reshape(NEIGHBORS, len(x))
        found = map(self.it.evaluate, (x, *(x + x * parts)))
        changes = [float(F[i] - self.it.F[i]) for F in found if F is not None]
        size = max(map(abs, changes), default=0.0)
        return (max(changes) - min(changes)) / size if size > 0.0 else math.inf


def unexplained_jump(it: Iterate, i: int, inner: Vector, outer: Vector) -> tuple[float, Vector]:
    """Return by how much equation i departs from its value at the iterate, and where.

    That is between two points. It is zero if the derivative at the departure explains the change,
    which NaN does not.
    """

    def change_at(x: Vector) -> float | None:
        F = it.evaluate(x)
        return None if F is None else float(np.abs(F[i] - it.F[i]))

    # points are halved, not distances: those close to zero are as dense as any
    for _ in range(BISECTIONS):
        middle = 0.5 * inner + 0.5 * outer
        if np.array_equal(middle, inner) or np.array_equal(middle, outer):
            break
        if change_at(middle) == 0.0:
            inner = middle
        else:
            outer = middle
    change, slope = change_at(outer), it.slope_at(outer, outer - inner)
    if change is None or slope is None:
        return 0.0, outer
    # the quotient, since the product of the smallest number and a fraction is zero
    return (0.0 if abs(float(slope[i])) / EXPLAINED >= change else change), outer
