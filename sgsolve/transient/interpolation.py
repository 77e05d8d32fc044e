"""Polynomials through values at given times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Vector


@dataclass(frozen=True)
class NodePolynomial:
    """The polynomial through pairs of time and value."""

    nodes: tuple[tuple[float, Vector], ...]

    def __call__(self, t: float) -> Vector:
        """Return the value at a time, shape (n,)."""
        return interpolated(self.nodes, t)


def interpolated(nodes: Sequence[tuple[float, Vector]], t: float) -> Vector:
    """Return the polynomial through (time, value) pairs at t (Lagrange's form).

    Examples
    --------
    >>> interpolated([(0.0, np.array([0.0])), (1.0, np.array([1.0])), (3.0, np.array([9.0]))], 2.0)
    array([4.])
    """
    times = np.array([time for time, _ in nodes])
    total = np.zeros_like(nodes[0][1])
    for i, (time, value) in enumerate(nodes):
        others = np.delete(times, i)
        total += float(np.prod((t - others) / (time - others))) * value
    return total
