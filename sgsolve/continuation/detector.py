"""Detector: what looks for special points along a curve.

One idea: the walk knows steps, detectors know what is special; between them there are only test
values, which a detector leaves at every spot, and the points that it finds between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..result.branch import Special
from .curve import Curve, Spot

DOUBT = "doubt"  # the name under which a detector says that a step may have changed branches


@dataclass
class Found:
    """A special point, as a spot of the curve.

    Attributes
    ----------
    transversal : bool
        It is certainly a fold, even if a branch point is next to it.
    reach : float
        How far from the spot it may be along the curve.
    """

    spot: Spot
    special: Special
    transversal: bool = False
    reach: float = 0.0


class Detector(Protocol):
    """What looks for special points.

    ``needs_factorization`` says whether `measure` solves with the bordered Jacobian.
    """

    needs_factorization: bool

    def measure(self, curve: Curve, spot: Spot, before: Spot | None) -> None:
        """Note test values at a spot, whose bordered Jacobian is factorised, and the one before."""
        ...

    def locate(self, curve: Curve, a: Spot, b: Spot) -> list[Found]:
        """Return the special points between two spots."""
        ...
