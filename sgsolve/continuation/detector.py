"""Detector: what looks for special points along a curve.

The walk knows steps, detectors know what is special; between them there are only test values, which
a detector leaves at every spot, and the points that it finds between two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..results.special_points import Special
from .crossings import KIND
from .curve import Curve, Spot

DOUBT = "doubt"  # the name under which a detector says why a step may be too long
ORIENTATION = "the orientation changed without a branch point: it may be another branch"
CROWDED = "more branch points than are followed may lie within the step"
FLAT = 0.1  # of a tangent's share in the parameter, where the curve turns


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
        """Note test values at a spot, whose bordered Jacobian is factorized, and the one before."""
        ...

    def locate(self, curve: Curve, a: Spot, b: Spot) -> list[Found]:
        """Return the special points between two spots."""
        ...


def located(curve: Curve, a: Spot, b: Spot, detectors: Sequence[Detector]) -> list[Found]:
    """Return the special points between two spots in their order, no place twice."""
    found: list[Found] = []
    for detector in detectors:
        for new in detector.locate(curve, a, b):
            reach = max(new.reach, 1e-4 * (b.s - a.s))
            beside = [
                f.special
                for f in found
                if f.special.kind == KIND and abs(f.spot.s - new.spot.s) < reach
            ]
            if new.special.kind == "fold" and not new.transversal and _turning(beside, a, b):
                continue  # a pitchfork met along its arms
            found.append(new)
    return sorted(found, key=lambda one: one.spot.s)


def _turning(points: Sequence[Special], a: Spot, b: Spot) -> bool:
    """Whether the curve turns at one of several branch points."""
    usual = max(abs(float(spot.tangent[-1])) for spot in (a, b))
    shares = [abs(float(one.tangent[-1])) for one in points if one.tangent is not None]
    return any(share <= FLAT * usual for share in shares)
