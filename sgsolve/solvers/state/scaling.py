"""Scaling: what "small" means for an unknown and for an equation, without units.

The *own terms* of equation i have the size sum_j |J_ij x_j|. |F_i| over this size is a relative
error in any units (a componentwise backward error). Termination criteria use it: an unknown has no
influence on an equation that does not contain it. Merit functions need sizes that do not vanish
with the unknowns: the *term size* S_i = sum_j |J_ij| max(|x_j|, floor_j), with a floor from the
smallest size that the block has had. The *weight* of unknown j is max(|x_j|, 1e-3 max |x| in its
block). A scale that the user gives, but no more than the largest unknown, replaces the floors. The
own terms do not depend on it.

Reference: Oettli and Prager, Numer. Math. 6 (1964) 405; the thresholds follow NLEQ1's XSCAL.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays import Vector
from ...norms import is_finite, norm2
from ...pattern import matrix_product
from ...private_api import quiet
from ...results.blocks import Blocks

TERM_FLOOR = 1e-6  # a component smaller than its block by more than this counts as this in S
TINY = 1e-290  # a component smaller than this, but not zero, counts as this: products underflow
WEIGHT_FLOOR = 1e-3  # ... and in the norm of steps


class Scaling:
    """The sizes of unknowns and equations at an iterate.

    Parameters
    ----------
    scale : ndarray of shape (n,) or None
        The user's sizes of the unknowns.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        Positive; 1 for a block that is zero.
    S : ndarray, shape (n,)
        Term sizes, positive; ``unsized`` marks equations whose terms are all zero, for which S
        is no more than the size of the coefficients, or is None.
    magnitude : ndarray, shape (n,)
        |x|.
    own : ndarray, shape (n,)
        Sizes of the own terms; zero where all of them are, and ``bare`` says whether any is.
    sized : ndarray, shape (n,)
        The same with unknowns of at least the user's scale, or of the largest if that is less.
    smallest : float
        The smallest |x_j|.
    """

    def __init__(self, blocks: Blocks, scale: Vector | None, n: int) -> None:
        self.blocks, self.scale = blocks, scale
        self.weights = self.S = self.own = self.sized = self.magnitude = np.ones(n)
        self.unsized: Any = None
        self.bare = self._some_zero = False
        self.smallest = 0.0
        self._floor: Any = np.inf if scale is None else scale
        self._terms = self.weights

    def take(
        self, weights: Vector, magnitude: Vector, own: Vector, sized: Vector, S: Vector, bare: bool
    ) -> None:
        """Take sizes that were computed elsewhere."""
        self.weights, self.magnitude, self.S = weights, magnitude, S
        self.own, self.sized = own, sized
        self.bare = self._some_zero = bare

    def of_unknowns(self, x: Vector) -> float:
        """Update the weights for x, and return its largest magnitude."""
        magnitude = np.abs(x)
        largest = float(np.maximum.reduce(magnitude))
        self.smallest = float(np.minimum.reduce(magnitude))
        if self.scale is not None:
            self.magnitude = _above_underflow(magnitude, self.smallest)
            credible = np.minimum(self.scale, largest) if largest > 0.0 else self.scale
            self.weights = self._terms = np.maximum(self.magnitude, credible)
            return largest
        typical = self._typical(magnitude, largest)
        floor = self._lowered(TERM_FLOOR * typical)
        if self.smallest >= max(WEIGHT_FLOOR * largest, TINY):  # no floor acts
            self.weights = self._terms = self.magnitude = magnitude
            return largest
        self.magnitude = _above_underflow(magnitude, self.smallest)
        self.weights = np.maximum(magnitude, WEIGHT_FLOOR * typical)
        if float(np.minimum.reduce(self.weights)) == 0.0:
            self.weights[self.weights == 0.0] = 1.0
        self._terms = np.maximum(magnitude, floor)
        return largest

    def _lowered(self, now: Any) -> Any:
        """Return the smallest floors of the terms so far; zero where no size was seen yet."""
        if len(self.blocks) == 1:
            self._floor = min(now, self._floor) if now > 0.0 else self._floor
            return self._floor if self._floor < math.inf else 0.0
        self._floor = np.where(now > 0.0, np.minimum(now, self._floor), self._floor)
        return np.where(np.isinf(self._floor), 0.0, self._floor)

    def of_equations(self, magnitudes: Any) -> bool:
        """Update S and the own terms from |J|; False, and both left alone, if not finite."""
        S = matrix_product(magnitudes, self._terms)
        if not is_finite(S):
            return False
        same = self._terms is self.magnitude or np.array_equal(self._terms, self.magnitude)
        self.own = S if same else matrix_product(magnitudes, self.magnitude)
        self.sized = self.own if self.scale is None else S
        self.bare = self._some_zero = float(np.minimum.reduce(self.own)) == 0.0
        self.unsized = None
        if float(np.minimum.reduce(S)) <= 0.0:
            self.unsized = S <= 0.0
            rows = magnitudes @ np.ones(len(S))
            rows[rows == 0.0] = 1.0
            S = np.where(self.unsized, rows, S)
        self.S = S
        return True

    def probed(self, jvp: Callable[[Vector], Vector], probes: int) -> bool:
        """Update S and the own terms from products with J alone; False if not finite.

        With random signs s the mean square of (J (w s))_i is the sum of (J_ij w_j)^2.
        """
        S = own = probed(jvp, self.weights, probes)
        if not math.isfinite(float(S.max())):
            return False
        if not np.array_equal(self.weights, self.magnitude):
            own = probed(jvp, self.magnitude, probes)
        self.S, self.own = np.where(S > 0.0, S, 1.0), own
        self.sized = own if self.scale is None else S
        self._some_zero = float(own.min()) == 0.0
        return True

    def merit(self, F: Vector) -> float:
        """Return the Euclidean norm of F / S."""
        return norm2(F / self.S)

    def norm(self, step: Vector) -> float:
        """Return the root mean square of a step relative to the weights."""
        return norm2(step / self.weights) / math.sqrt(len(step))

    def scaled(self, F: Vector) -> Vector:
        """Return |F| over the `sized` terms, infinite where those are all zero and F is not."""
        scaled: Vector = np.abs(F)
        if not self._some_zero:
            scaled /= self.sized
            return scaled
        with quiet():
            np.divide(scaled, self.sized, out=scaled, where=scaled > 0.0)
        return scaled

    def allowed(self, relative: float) -> Vector:
        """Return the residual that is this small relative to the own terms of each equation."""
        allowed: Vector = relative * self.own
        return allowed

    def _typical(self, magnitude: Vector, largest: float) -> Any:
        """Return the largest magnitude in the block of each unknown."""
        if len(self.blocks) == 1:
            return largest
        typical = np.empty_like(magnitude)
        for where in self.blocks.parts.values():
            typical[where] = magnitude[where].max()
        return typical


def _above_underflow(magnitude: Vector, smallest: float) -> Vector:
    """Return the magnitudes, those that are not zero at least `TINY`."""
    if smallest >= TINY:
        return magnitude
    raised: Vector = np.where(magnitude > 0.0, np.maximum(magnitude, TINY), 0.0)
    return raised


def probed(jvp: Callable[[Vector], Vector], sizes: Vector, probes: int) -> Vector:
    """Return the root of the mean squares of J (sizes s) over random signs s."""
    signs, squares = np.random.default_rng(0), np.zeros_like(sizes)
    for _ in range(probes):
        squares += jvp(sizes * signs.choice([-1.0, 1.0], len(sizes))) ** 2
    root: Vector = np.sqrt(squares / probes)
    return root
