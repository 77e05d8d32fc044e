"""Functions of the user for events in time: where one is, and from which state the run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arrays import Vector
from ...continuation.runs.user_functions import UnfitError, called, checked_number
from ...continuation.runs.view import View
from ...continuation.stepper import Point
from ...errors import InputError
from ...transient.time_events import EventDetector, TimeEvent
from ..inputs.fields import vector_of


def event_detector(name: str, event: TimeEvent, action: Any, view: View) -> EventDetector:
    """Return the detector of an event, which checks what the functions of the user return."""

    def value(x: Vector, t: float) -> float:
        found = called(event.function, *view.seen(Point(x, t)))
        if np.asarray(found).dtype.kind == "b":
            raise UnfitError(
                f"event {name!r} returned {found!r}; it must return a number that passes through "
                "zero, such as x[0] - 0.5 instead of x[0] > 0.5"
            )
        return checked_number(f"event {name!r} at t = {t:.6g}", found)

    def changed(x: Vector, t: float) -> Vector:
        returned = called(action, *view.seen(Point(x, t)))
        found = np.asarray(_as_vector(returned, view, name), dtype=float)
        if found.shape != x.shape or not np.isfinite(found).all():
            raise InputError(
                f"on_event {name!r} must return the state after the event, {len(x)} finite "
                f"numbers; it returned {found!r}"
            )
        return found

    return EventDetector(name, value, None if action is None else changed, event.direction)


def _as_vector(returned: Any, view: View, name: str) -> Any:
    """Return a state that may have been given by blocks."""
    if not isinstance(returned, Mapping) or view.blocks is None:
        return returned
    fields = {block: np.asarray(value, dtype=float) for block, value in returned.items()}
    return vector_of(view.blocks, fields, f"on_event {name!r} returned", np.broadcast_to)
