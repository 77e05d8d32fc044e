"""Slots: the members that are at work at the same time, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import IndexArray, Vector


@dataclass
class MemberSlots:
    """The state of the members at work; a row for each slot.

    Attributes
    ----------
    member : ndarray of int, shape (count,)
        Their numbers; -1 for a slot that is empty.
    x, F : ndarray, shape (count, n)
        Their points.
    data : ndarray, shape (count, nnz)
        The values of their Jacobians.
    step, step_old : ndarray, shape (count, n)
        Their last steps.
    k : ndarray of int, shape (count,)
        Their iterations.
    size, size_old, size_absolute : ndarray, shape (count,)
        Sizes of the last steps, relative to the unknowns and absolute.
    peak : ndarray, shape (count, n)
        The largest magnitude that each unknown had.
    memory : list of dict
        As `Iterate.memory`.
    """

    member: IndexArray
    x: Vector
    F: Vector
    data: Vector
    step: Vector
    step_old: Vector
    k: IndexArray
    size: Vector
    size_old: Vector
    size_absolute: Vector
    peak: Vector
    memory: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def empty(cls, count: int, n: int, unit: Vector) -> MemberSlots:
        """Return slots without members."""
        x, F, step, old, peak = np.zeros((5, count, n))
        member = np.full(count, -1)
        k = np.zeros(count, dtype=np.int64)
        data = np.tile(unit, (count, 1))
        memory: list[dict[str, Any]] = [{} for _ in range(count)]
        size, size_old, absolute = np.full((3, count), np.inf)
        return cls(member, x, F, data, step, old, k, size, size_old, absolute, peak, memory)

    def begin(self, slots: IndexArray, members: IndexArray, x: Vector) -> None:
        """Put members into slots."""
        self.member[slots], self.x[slots] = members, x
        self.k[slots] = 0
        for array in (self.step, self.step_old, self.peak):
            array[slots] = 0.0
        for array in (self.size, self.size_old, self.size_absolute):
            array[slots] = np.inf
        for j in slots.tolist():
            self.memory[j] = {}

    @property
    def working(self) -> NDArray[np.bool_]:
        """Which slots have a member, shape (count,)."""
        return self.member >= 0

    def leave(self, slots: Any, unit: Vector) -> None:
        """Let slots be empty, with the values of a unit matrix."""
        self.member[slots], self.data[slots] = -1, unit

    def move(self, x: Vector, F: Vector, weights: Vector) -> None:
        """Move all members to their next points, with the sizes of their unknowns there."""
        step = x - self.x
        self.step_old, self.step = self.step, step
        self.size_old = self.size
        magnitude = np.abs(step)
        self.size, self.size_absolute = (magnitude / weights).max(axis=1), magnitude.max(axis=1)
        self.x, self.F = x, F
        self.k += 1
