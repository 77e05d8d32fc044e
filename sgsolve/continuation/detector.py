"""Detectors: they find the special points between two points of a run.

A detector leaves test values at every point, under its own name, and locates what lies between two
points. All that is to be said of a kind of special points stands in its detector: the name of the
kind, the marker in diagrams, the columns, and what a checkpoint has to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .approximate_points import approximate_special_point
from .columns import Column
from .stepper import Found, Point

STEP_DOUBT = "step doubt"  # the name under which a detector says why a step may be too long


@dataclass(frozen=True)
class Doubt:
    """Why a step may be too long.

    Attributes
    ----------
    reason : str
        In words, for ``branch.rejected``.
    kind : str
        Of the special point that certainly lies within the step: it is listed as known
        approximately if the step cannot be made shorter. Empty if none is certain.
    """

    reason: str
    kind: str = ""


class Detector(Protocol):
    """What finds special points of one kind. Inherit from it: the last four have defaults."""

    kind: str
    """The name of the kind: ``special_point.kind``."""
    marker: str = "x"
    """For diagrams, as matplotlib calls it."""
    priority: int = 100
    """Detectors of small numbers look first; others see in `counts` what they found."""
    needs_factorization: bool = False
    """Whether `measure` solves with the bordered Jacobian that the stepper has factorized."""
    columns: Sequence[Column] = ()
    """What it adds to the table of the branch."""

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Leave test values at a new point in ``point.tests``."""
        ...

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the special points between two points.

        Where it cannot tell, it leaves a `Doubt` in ``b.tests[STEP_DOUBT]``.
        """
        ...

    def counts(self, found: Found, others: Sequence[Found], a: Point, b: Point) -> bool:
        """Whether a special point stands for itself, beside those that others found nearby."""
        return True

    def save(self, point: Point) -> dict[str, Any]:
        """Return the test values at a point, as arrays and numbers by name, for the checkpoint."""
        return {}

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Take back what `save` returned; where nothing was saved, the point is measured anew."""
        return None


def located(stepper: Any, a: Point, b: Point, detectors: Sequence[Detector]) -> list[Found]:
    """Return the special points between two points in their order, no place twice."""
    found: list[Found] = []
    for detector in sorted(detectors, key=lambda one: one.priority):
        for new in detector.locate(stepper, a, b):
            new.special.marker = detector.marker
            reach = max(new.reach, 1e-4 * (b.s - a.s))
            beside = [other for other in found if abs(other.point.s - new.point.s) < reach]
            if detector.counts(new, beside, a, b):
                found.append(new)
    return sorted(found, key=lambda one: one.point.s)


def doubt(point: Point) -> Doubt | None:
    """Return why the step to a point may be too long, if a detector said so."""
    found: Doubt | None = point.tests.get(STEP_DOUBT)
    return found


def certain(point: Point, before: Point) -> list[Found]:
    """Return the special point that is certain, and known by the step that holds it only."""
    held = doubt(point)
    return (
        [approximate_special_point(held.kind, point, before)]
        if held is not None and held.kind
        else []
    )


_REGISTERED: dict[str, Callable[[], Detector]] = {}


def register_detector(kind: str, make: Callable[[], Detector]) -> None:
    """Add a kind of special points, which ``detect=(kind,)`` asks for; `make` is called per run."""
    _REGISTERED[kind] = make


def registered_detectors() -> dict[str, Callable[[], Detector]]:
    """Return the kinds of special points that there are."""
    return dict(_REGISTERED)
