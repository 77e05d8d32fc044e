"""Sizes: what "small" means for an unknown and for an equation, without units.

One idea: the *term size* of equation i is S_i = sum_j |J_ij| max(|x_j|, floor_j), so that
F_i / S_i is a relative error whatever the units of the equation (a componentwise backward error).
The floor, for components that are zero while their block is not, is taken from the smallest size
that the block has had, so that iterates that run away cannot loosen a test. The *weight* of
unknown j is max(|x_j|, 1e-3 max |x| in its block), or the user's scale. Merit
functions and tests use these two and nothing else.

Reference: Oettli and Prager, Numer. Math. 6 (1964) 405; the thresholds follow NLEQ1's XSCAL.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..result.blocks import Blocks
from .norms import norm2

Vector = NDArray[Any]

TERM_FLOOR = 1e-6  # a component smaller than its block by more than this counts as this in S
WEIGHT_FLOOR = 1e-3  # ... and in the norm of steps


class Sizes:
    """The sizes of unknowns and equations at an iterate.

    Parameters
    ----------
    blocks : Blocks
    scale : ndarray of shape (n,) or None
        The user's sizes of the unknowns.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        Positive; 1 for a block that is zero.
    S : ndarray, shape (n,)
        Term sizes, positive; ``unsized`` marks equations whose terms are all zero, for which S
        is no more than the size of the coefficients, or is None.
    """

    def __init__(self, blocks: Blocks, scale: Vector | None, n: int) -> None:
        self.blocks, self.scale = blocks, scale
        self.weights = self.S = np.ones(n)
        self.unsized: Any = None
        self._floor: Any = np.inf if scale is None else scale
        self._terms: Vector = self.S

    def of_unknowns(self, x: Vector) -> float:
        """Update the weights for x, and return its largest magnitude."""
        magnitude = np.abs(x)
        largest = float(magnitude.max())
        if self.scale is not None:
            self.weights = self._terms = np.maximum(magnitude, self.scale)
            return largest
        typical = self._typical(magnitude, largest)
        self.weights = np.maximum(magnitude, WEIGHT_FLOOR * typical)
        if float(self.weights.min()) == 0.0:
            self.weights[self.weights == 0.0] = 1.0
        now = TERM_FLOOR * typical
        self._floor = np.where(now > 0.0, np.minimum(now, self._floor), self._floor)
        self._terms = np.maximum(magnitude, np.where(np.isinf(self._floor), 0.0, self._floor))
        return largest

    def of_equations(self, magnitudes: Any) -> bool:
        """Update S from |J|; False, and S left alone, if it is not finite."""
        S = magnitudes @ self._terms
        if not math.isfinite(float(S.max())):
            return False
        self.unsized = None
        if float(S.min()) <= 0.0:
            self.unsized = S <= 0.0
            rows = magnitudes @ np.ones(len(S))
            rows[rows == 0.0] = 1.0
            S = np.where(self.unsized, rows, S)
        self.S = S
        return True

    def probed(self, product: Callable[[Vector], Vector], probes: int) -> bool:
        """Update S from products with J alone; False if it is not finite.

        With random signs s the mean square of (J (w s))_i is the sum of (J_ij w_j)^2.
        """
        signs, squares = np.random.default_rng(0), np.zeros_like(self.S)
        for _ in range(probes):
            squares += product(self.weights * signs.choice([-1.0, 1.0], len(squares))) ** 2
        S = np.sqrt(squares / probes)
        if not math.isfinite(float(S.max())):
            return False
        self.S = np.where(S > 0.0, S, 1.0)
        return True

    def merit(self, F: Vector) -> float:
        """Return the Euclidean norm of F / S."""
        return norm2(F / self.S)

    def norm(self, step: Vector) -> float:
        """Return the root mean square of a step relative to the weights."""
        return norm2(step / self.weights) / math.sqrt(len(step))

    def scaled(self, F: Vector) -> Vector:
        """Return |F| / S, infinite where the terms have no size."""
        scaled: Vector = np.abs(F) / self.S
        if self.unsized is not None:
            scaled[self.unsized & (F != 0.0)] = math.inf
        return scaled

    def allowed(self, relative: float) -> Vector:
        """Return the residual that is this small relative to the terms of each equation."""
        allowed: Vector = relative * self.S
        if self.unsized is not None:
            allowed[self.unsized] = 0.0
        return allowed

    def _typical(self, magnitude: Vector, largest: float) -> Any:
        """Return the largest magnitude in the block of each unknown."""
        if len(self.blocks) == 1:
            return largest
        typical = np.empty_like(magnitude)
        for where in self.blocks.parts.values():
            typical[where] = magnitude[where].max()
        return typical
