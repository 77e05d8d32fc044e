"""Scaling of many members: the sizes of unknowns and equations of each, as in `scaling`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Vector
from ...pattern import Pattern, matrix_product
from ...results.blocks import Blocks
from .scaling import TERM_FLOOR, WEIGHT_FLOOR


class MemberScaling:
    """Weights of the unknowns and term sizes of the equations of `count` members.

    Parameters
    ----------
    scale : ndarray of shape (n,) or None
        The user's sizes of the unknowns.

    Attributes
    ----------
    weights, S, magnitude : ndarray, shape (count, n)
        As in `Scaling`, without the rules for numbers that underflow.
    floor : ndarray, shape (count, 1) or (count, n)
        The smallest floors of the terms so far.
    stacked : Pattern
        That of the Jacobians of all members, block-diagonal.
    """

    def __init__(self, blocks: Blocks, scale: Vector | None, count: int) -> None:
        self.blocks, self.scale = blocks, scale
        self.weights = self.S = self.magnitude = np.ones((count, blocks.n))
        self._terms = self._sizes = self._known = self.weights
        self._magnitudes: Any = None
        self.stacked: Any = None
        width = 1 if len(blocks) == 1 else blocks.n
        self.floor = np.full((count, width), np.inf)

    def begin(self, slots: NDArray[np.int64]) -> None:
        """Forget the floors of slots that get other members."""
        self.floor[slots] = np.inf

    def of_unknowns(self, x: Vector) -> None:
        """Update the weights for x, shape (count, n)."""
        magnitude = np.abs(x)
        if self.scale is not None:
            self.magnitude = magnitude
            largest = magnitude.max(axis=1, keepdims=True)
            credible = np.where(largest > 0.0, np.minimum(self.scale, largest), self.scale)
            self.weights = self._terms = self._sizes = np.maximum(magnitude, credible)
            return
        typical = self._typical(magnitude)
        now = TERM_FLOOR * typical
        self.floor = np.where(now > 0.0, np.minimum(now, self.floor), self.floor)
        self.magnitude = self._sizes = magnitude
        self.weights = np.maximum(magnitude, WEIGHT_FLOOR * typical)
        self.weights[self.weights == 0.0] = 1.0
        self._terms = np.maximum(magnitude, np.where(np.isinf(self.floor), 0.0, self.floor))

    def of_equations(self, stacked: Pattern, magnitudes: Vector) -> NDArray[np.bool_]:
        """Update S from |J| of all members, shape (count, nnz); return where S is finite."""
        self.stacked = stacked
        self._magnitudes = matrix = stacked.matrix(magnitudes.ravel())
        S: Vector = matrix_product(matrix, self._terms.ravel())
        if float(S.min()) <= 0.0:
            rows = matrix_product(matrix, np.ones_like(S))
            S = np.where(S <= 0.0, np.where(rows == 0.0, 1.0, rows), S)
        self.S, self._known = S.reshape(self._terms.shape), self._sizes
        finite: NDArray[np.bool_] = np.isfinite(self.S.max(axis=1))
        return finite

    def own(self) -> Vector:
        """Return the sizes of the own terms at the last Jacobians, shape (count, n).

        With unknowns of at least the user's scale, as `Scaling.sized`.
        """
        own: Vector = matrix_product(self._magnitudes, self._known.ravel())
        return own.reshape(self._known.shape)

    def merit(self, F: Vector) -> Vector:
        """Return the Euclidean norm of F / S of each member."""
        return row_norms(F / self.S)

    def norm(self, step: Vector) -> Vector:
        """Return the root mean square of each step relative to the weights."""
        size: Vector = row_norms(step / self.weights) / np.sqrt(self.blocks.n)
        return size

    def _typical(self, magnitude: Vector) -> Vector:
        """Return the largest magnitude in the block of each unknown."""
        if len(self.blocks) == 1:
            typical: Vector = magnitude.max(axis=1, keepdims=True)
            return typical
        typical = np.empty_like(magnitude)
        for where in self.blocks.parts.values():
            typical[:, where] = magnitude[:, where].max(axis=1, keepdims=True)
        return typical


def row_norms(rows: Vector) -> Vector:
    """Return the Euclidean norm of each row; large numbers do not overflow."""
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-300)
    scaled = rows / largest
    norms: Vector = largest[:, 0] * np.sqrt(np.add.reduce(scaled * scaled, axis=1))
    return norms
