"""Pairs of eigenvalues that cross the imaginary axis and become real within one step.

At both ends of such a step no pair is to the right of the axis, so a comparison of pairs shows
nothing. The number of unstable eigenvalues shows the crossing: it changes by two although no real
eigenvalue passes zero. At a fold or branch point in the step, a real eigenvalue passes zero. The
unstable eigenvalues are then counted without that one, which may be on either side of the axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...arrays import Vector
from .spectrum import REAL

ZERO = 1e-6  # part of the largest eigenvalue below which one is zero at a fold or branch point


@dataclass(frozen=True)
class EigenvalueCount:
    """The number of unstable eigenvalues at a place of a step.

    Attributes
    ----------
    pairs : int
        Complex pairs on both sides of the axis.
    critical : int
        Eigenvalues that are zero here. They are not counted as unstable.
    """

    s: float
    unstable: int
    pairs: int
    critical: int = 0

    @classmethod
    def at_end(cls, s: float, values: Vector, tolerance: float) -> EigenvalueCount:
        """Count all eigenvalues, at an end of the step; pairs count from the axis on."""
        size = float(np.abs(values).max(initial=0.0))
        complex_ones = np.abs(values.imag) > REAL * size
        unstable = values.real > np.where(complex_ones, 0.0, tolerance * size)
        return cls(s, int(unstable.sum()), int(complex_ones.sum()) // 2)

    @classmethod
    def at_zero(cls, s: float, values: Vector, tolerance: float) -> EigenvalueCount:
        """Count those that are not zero, at a fold or branch point."""
        values = values[np.argsort(np.abs(values))]
        near = int((np.abs(values) <= ZERO * np.abs(values).max(initial=0.0)).sum())
        critical = max(1, near)
        rest = cls.at_end(s, values[critical:], tolerance)
        return cls(s, rest.unstable, rest.pairs, critical)


def is_pair_hidden(counts: Sequence[EigenvalueCount], crossings: Sequence[float]) -> bool:
    """Whether a pair crossed the axis between two of several places, and is not among those known.

    Parameters
    ----------
    counts : sequence of EigenvalueCount
        In order along the step, both ends included.
    crossings : sequence of float
        Where pairs are known to cross.
    """
    for left, right in pairwise(counts):
        change = right.unstable - left.unstable
        shifts = range(-left.critical, right.critical + 1)
        by_pairs = [abs(change + shift) for shift in shifts if (change + shift) % 2 == 0]
        known = sum(left.s <= s <= right.s for s in crossings)
        if by_pairs and min(by_pairs) > 2 * known and left.pairs != right.pairs:
            return True
    return False
