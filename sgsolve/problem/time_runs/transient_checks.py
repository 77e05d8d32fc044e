"""Checks of the options of a run in time that other runs do not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...continuation.runs.user_functions import named
from ...errors import DataTypeError, InputError
from ...transient.methods.step_settings import Bdf, TimeMethod
from ...transient.starts.starts import STARTS
from ...transient.time_events import TimeEvent

Function = Callable[..., Any]

SMALLEST = 1e-13  # relative tolerances below this are lost in rounding


def checked_method(steps: Any) -> TimeMethod:
    """Return the settings of the method; raise if these are none."""
    if steps is None:
        return Bdf()
    if isinstance(steps, type) and isinstance(steps, TimeMethod):
        raise InputError(f"steps is the class {steps.__name__}; call it: {steps.__name__}()")
    if not isinstance(steps, TimeMethod):
        raise DataTypeError(
            "steps must be Bdf(), RungeKutta(), FixedSteps() or a TimeMethod of your own, not "
            f"{steps!r}"
        )
    return steps


def check_mode(start: Any) -> None:
    """Raise for a kind of start that does not exist."""
    if start not in STARTS:
        raise InputError(f"start must be one of {', '.join(map(repr, STARTS))}, not {start!r}")


def checked_choice(name: str, value: Any) -> None:
    """Raise for what is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise DataTypeError(f"{name} must be True or False, not {value!r}")


def checked_rtol(rtol: Any) -> float:
    """Return a relative tolerance; raise if it cannot be met."""
    if isinstance(rtol, bool) or not isinstance(rtol, int | float | np.number):
        raise DataTypeError(f"rtol must be a number, not {rtol!r}")
    if not SMALLEST <= rtol < 1.0:
        raise InputError(f"rtol must be at least {SMALLEST:g} and below 1, not {rtol!r}")
    return float(rtol)


def checked_events(events: Any, on_event: Any) -> tuple[dict[str, TimeEvent], dict[str, Function]]:
    """Return the events and their actions by name; raise if they are none."""
    if events is not None and not isinstance(events, Mapping):
        raise DataTypeError(f"events must map names to functions, not {events!r}")
    given = {
        name: one.function if isinstance(one, TimeEvent) else one
        for name, one in (events or {}).items()
    }
    named("events", given)
    functions = {
        name: one if isinstance(one, TimeEvent) else TimeEvent(one)
        for name, one in (events or {}).items()
    }
    actions = named("on_event", on_event)
    for name in actions:
        if name not in functions:
            raise InputError(f"on_event names {name!r}, which is no event; give it in events")
    return functions, actions
