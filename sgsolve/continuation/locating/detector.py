"""The protocol of detectors, which find special points between two points of a run.

A detector stores test values in every point under its own name, and locates special points by
their sign changes. It also declares the name of the kind of special points, their marker in
diagrams, its columns, and its data for a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...results.special_points import SpecialPoint
from ..columns import Column
from ..stepper import Found, Point
from .approximate_points import approximate_special_point

AT_ONCE = 100.0  # units in the last place, within which events with actions are one
STEP_DOUBT = "step doubt"  # the key in ``point.tests`` of a `Doubt`


@dataclass(frozen=True)
class Doubt:
    """The reason why a step may be too long to find all its special points.

    Attributes
    ----------
    reason : str
        Text for ``branch.rejected``.
    kind : str
        Kind of a special point that certainly lies within the step. If the step cannot be made
        shorter, it is listed as an approximate special point. Empty if none is certain.
    """

    reason: str
    kind: str = ""


class Detector(Protocol):
    """Finds special points of one kind. Inherit from it: most members have defaults."""

    kind: str
    """The name of the kind: ``special_point.kind``."""
    marker: str = "x"
    """For diagrams, as matplotlib calls it; a point that has one of its own keeps it."""
    changes_stability: bool = False
    """Whether solutions may be stable on one side of such a point and unstable on the other."""
    priority: int = 100
    """Detectors run in ascending order; `counts` gets the special points found before."""
    needs_factorization: bool = False
    """Whether `measure` solves with the bordered Jacobian that the stepper has factorized.

    It is not called then at a special point where a run ends: do not add columns.
    """
    columns: Sequence[Column] = ()
    """Columns that it adds to the branch."""

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Compute the test values at a new point, and store them in ``point.tests``."""
        ...

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the special points between two points.

        If the step may be too long to find all of them, store a `Doubt` in
        ``b.tests[STEP_DOUBT]``.
        """
        ...

    def counts(self, found: Found, others: Sequence[Found], a: Point, b: Point) -> bool:
        """Whether to list a special point, given those found in the same step so far."""
        return True

    def review(self, stepper: Any, a: Point, b: Point, found: Sequence[Found]) -> None:
        """Store a `Doubt` if the special points of all detectors do not explain the test values."""
        return None

    def save(self, point: Point) -> dict[str, Any]:
        """Return the test values at a point, as arrays and numbers by name, for the checkpoint."""
        return {}

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned; if it returned nothing, `measure` is called instead."""
        return None


def located(stepper: Any, a: Point, b: Point, detectors: Sequence[Detector]) -> list[Found]:
    """Return the special points of all detectors between two points, in order along the run."""
    found: list[Found] = []
    for detector in sorted(detectors, key=lambda one: one.priority):
        for new in detector.locate(stepper, a, b):
            _declare(new.special, detector)
            if detector.counts(new, found, a, b):
                found.append(new)
    found.sort(key=lambda one: one.point.s)
    for detector in detectors:
        detector.review(stepper, a, b, found)
    return found


def doubt(point: Point) -> Doubt | None:
    """Return why the step to a point may be too long; None if no detector stored a doubt."""
    found: Doubt | None = point.tests.get(STEP_DOUBT)
    return found


def certain(point: Point, before: Point, detectors: Sequence[Detector]) -> list[Found]:
    """Return the approximate special point of a doubt that names a kind; else an empty list."""
    held = doubt(point)
    if held is None or not held.kind:
        return []
    found = approximate_special_point(held.kind, point, before)
    for detector in detectors:
        if detector.kind == held.kind:
            _declare(found.special, detector)
    return [found]


def _declare(special: SpecialPoint, detector: Detector) -> None:
    """Give a special point what its detector declares of the kind."""
    if special.marker == SpecialPoint.marker:
        special.marker = detector.marker
    special.changes_stability = detector.changes_stability


_REGISTERED: dict[str, Callable[[], Detector]] = {}
_RESERVED: set[str] = set()


def register_detector(kind: str, make: Callable[[], Detector]) -> None:
    """Register a kind of special points for ``detect=``; `make()` is called once per run."""
    _REGISTERED[kind] = make


def reserve_kind(kind: str) -> None:
    """Keep the name of a kind that an option other than ``detect=`` asks for from events."""
    _RESERVED.add(kind)


def reserved_kinds() -> frozenset[str]:
    """Return the kinds of special points that no event may be called."""
    return frozenset(_RESERVED)


def registered_detectors() -> dict[str, Callable[[], Detector]]:
    """Return the registered kinds of special points."""
    return dict(_REGISTERED)


def at_once(one: Found, other: Found) -> bool:
    """Whether another special point is at the same place: with an action, to rounding."""
    if other.action is None:  # found again after a restart unless it is the very same
        return other.point.s == one.point.s
    near = AT_ONCE * float(np.spacing(max(abs(one.point.s), abs(one.point.p))))
    return abs(other.point.s - one.point.s) <= near and abs(other.point.p - one.point.p) <= near
