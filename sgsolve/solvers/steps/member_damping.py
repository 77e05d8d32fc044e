"""Damping of many members at once: each follows its own direction as far as its rule allows.

The rules are those of `FullStep` and `NaturalMonotonicity`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...arrays import Mask, Vector
from ..state.member_scaling import MemberScaling

SMALLEST = 1e-307  # damping: above zero, so that every search along a step ends


@dataclass
class Steps:
    """The steps of all slots: what they start from, and what they end with.

    Attributes
    ----------
    x, dx, proposed : ndarray, shape (count, n)
        The points, their directions after and before the limits.
    active : ndarray of bool, shape (count,)
        The slots that are to move; those that cannot are no longer active afterwards.
    x_new, F_new, correction : ndarray, shape (count, n)
        Where they end, and the simplified corrections there; NaN: not known.
    damping : ndarray, shape (count,)
    """

    x: Vector
    dx: Vector
    proposed: Vector
    active: Mask
    x_new: Vector
    F_new: Vector
    correction: Vector
    damping: Vector

    @classmethod
    def of(cls, x: Vector, dx: Vector, proposed: Vector, active: Mask) -> Steps:
        """Return steps that were not made yet."""
        unknown = np.full_like(x, np.nan)
        damping = np.zeros(len(x))
        return cls(x, dx, proposed, active.copy(), x.copy(), unknown, unknown.copy(), damping)

    def end(self, done: Mask, x: Vector, F: Vector, damping: Vector) -> None:
        """Take points as the ends of some steps."""
        self.x_new[done], self.F_new[done], self.damping[done] = x[done], F[done], damping[done]


Evaluate = Callable[[Vector, Mask], Vector]  # residuals of the marked slots; NaN elsewhere
Solve = Callable[[Vector], Vector]  # with all factorizations; NaN where one failed


class MemberDamping(Protocol):
    """Interface of the damping of all slots."""

    def begin(self, slots: NDArray[np.int64]) -> None:
        """Forget the last steps of slots that get other members."""

    def advance(self, steps: Steps, evaluate: Evaluate, solve: Solve) -> None:
        """Make the steps."""


ForMembers = Callable[[MemberScaling, int], MemberDamping]  # for so many slots


class MemberFullStep:
    """`FullStep` for all slots."""

    def __init__(self, factor: float, smallest: float, scaling: MemberScaling) -> None:
        self._factor, self._smallest, self._scaling = factor, smallest, scaling

    def begin(self, slots: NDArray[np.int64]) -> None:
        """Forget nothing: no step depends on the last one."""

    def advance(self, steps: Steps, evaluate: Evaluate, solve: Solve) -> None:
        """Take the longest finite steps of those tried."""
        damping, pending = np.full(len(steps.x), self._factor), steps.active.copy()
        floor = _smallest_damping(self._smallest, self._scaling.norm(steps.dx))
        while pending.any():
            x, F, finite = _trial(steps, damping, pending, evaluate)
            steps.end(pending & finite, x, F, damping)
            pending &= ~finite
            damping = np.where(pending, _shortened(damping, floor), damping)
            steps.active &= ~(pending & (damping < floor))
            pending &= steps.active


class MemberErrorDamping:
    """`NaturalMonotonicity` for `count` slots."""

    def __init__(
        self, first: float, smallest: float, bound: float, scaling: MemberScaling, count: int
    ) -> None:
        self._first, self._smallest, self._bound = first, smallest, bound
        self._scaling = scaling
        self._before, self._correction = np.zeros((2, count, scaling.blocks.n))
        self._damping, self._known = np.ones(count), np.zeros(count, dtype=bool)

    def begin(self, slots: NDArray[np.int64]) -> None:
        """Forget the last steps of slots that get other members."""
        self._known[slots] = False

    def advance(self, steps: Steps, evaluate: Evaluate, solve: Solve) -> None:
        """Predict the dampings, then correct them until the natural levels fall."""
        norm = self._scaling.norm
        size, level = norm(steps.dx), norm(steps.proposed)
        damping, floor = self._predicted(steps, size), _smallest_damping(self._smallest, size)
        reduced, pending = np.zeros(len(size), dtype=bool), steps.active.copy()
        while pending.any():
            x, F, finite = _trial(steps, damping, pending, evaluate)
            correction = solve(np.where((pending & finite)[:, np.newaxis], -F, 0.0))
            natural = norm(correction)
            gap = norm(correction - (steps.proposed - damping[:, np.newaxis] * steps.dx))
            best = np.where(gap > 0.0, np.minimum(1.0, 0.5 * size * damping**2 / gap), 1.0)
            unknown = ~finite | ~np.isfinite(natural)
            rejected = ~unknown & ~(natural < level)
            longer = ~(unknown | rejected | reduced) & (best >= 4.0 * damping) & (damping < 1.0)
            done = pending & ~(unknown | rejected | longer)
            self._keep(done, steps, correction, damping)
            steps.end(done, x, F, damping)
            pending &= ~done
            following = np.minimum(np.maximum(best, 0.1 * damping), 0.5 * damping)
            following = np.where(unknown, _shortened(damping, floor), following)
            grown = np.minimum(np.minimum(1.0, best), self._bound * damping)
            following = np.where(longer, grown, following)
            reduced |= pending
            damping = np.where(pending, following, damping)
            steps.active &= ~(pending & (damping < floor))
            pending &= steps.active

    def _keep(self, done: Mask, steps: Steps, correction: Vector, damping: Vector) -> None:
        self._before[done], self._correction[done] = steps.dx[done], correction[done]
        self._damping[done], self._known[done] = damping[done], True
        steps.correction[done] = correction[done]

    def _predicted(self, steps: Steps, size: Vector) -> Vector:
        """Return the a priori damping from the last simplified corrections."""
        norm, last = self._scaling.norm, self._damping
        product = norm(self._correction - steps.proposed) * size
        bound = norm(self._before) * norm(self._correction) * last
        predicted = np.where(product > 0.0, bound / np.where(product > 0.0, product, 1.0), np.inf)
        predicted = np.minimum(np.maximum(predicted, last / self._bound), self._bound * last)
        predicted = np.where(product > 0.0, np.minimum(1.0, predicted), 1.0)
        return np.where(self._known, predicted, self._first)


def _smallest_damping(smallest: float, size: Vector) -> Vector:
    """Return the smallest dampings to try, as in `damping`."""
    floor: Vector = np.maximum(smallest / np.maximum(1.0, size), SMALLEST)
    return floor


def _trial(
    steps: Steps, damping: Vector, pending: Mask, evaluate: Evaluate
) -> tuple[Vector, Vector, Mask]:
    """Return trial points, their residuals, and which are finite."""
    x = steps.x + damping[:, np.newaxis] * steps.dx
    F = evaluate(x, pending)
    return x, F, np.isfinite(np.abs(F).max(axis=1))


def _shortened(damping: Vector, floor: Vector) -> Vector:
    return damping * np.where(damping < 1e8 * floor, 0.5, 0.1)
