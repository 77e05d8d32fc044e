"""Request: what a user asks of a continuation, checked where it enters.

Arguments are looked at once, before any work, and stay as they are for the whole run.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..continuation.arclength import Arclength
from ..continuation.stability import Stability
from ..errors import DataTypeError, InputError
from ..results.checkpoint import Checkpoint, as_checkpoint
from ..solvers.deadline import deadline_of
from .functions import named

Function = Callable[..., Any]

KINDS = ("fold", "branch point")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked of a run; see `Problem.continuation` for the meaning."""

    bounds: tuple[float, float]
    method: Arclength
    max_points: int | None = None
    outputs: Mapping[str, Function] = field(default_factory=dict)
    detect: Sequence[str] = KINDS
    events: Mapping[str, Function] = field(default_factory=dict)
    stop: Sequence[str] = ()
    until: Function | None = None
    stability: Stability | None = None
    keep: Any = "all"
    checkpoint: Checkpoint | None = None
    resume: bool = False
    progress: bool | None = None
    raise_on_failure: bool = False
    time_limit: float | None = None
    deadline: float = np.inf

    @classmethod
    def of(cls, bounds: Any, options: Mapping[str, Any], moved: Sequence[str]) -> Request:
        """Check and gather the arguments.

        Parameters
        ----------
        bounds : (float, float) or None
        options : mapping
            Those of `Problem.continuation`, by name.
        moved : sequence of str
            The parameters that change along the branch.
        """
        options = dict(options)
        method = options.pop("method", None) or Arclength()
        changes = {key: options.pop(key, None) for key in ("step", "max_step")}
        given = {k: v for k, v in changes.items() if v is not None}
        if given:
            method = Arclength(**{**vars(method), **given})
        stability = options.pop("stability", None)
        if stability is True:
            stability = Stability()
        checkpoint = as_checkpoint(options.pop("checkpoint", None), options.get("resume", False))
        for name in ("stop", "detect"):
            given_kinds = options.get(name, ())
            if isinstance(given_kinds, str):
                options[name] = (given_kinds,)
            elif not isinstance(given_kinds, Iterable):
                raise DataTypeError(f"{name} must be names of special points, not {given_kinds!r}")
        taken = (*moved, "nit", "s", "tangent", *(("unstable",) if stability else ()))
        options["outputs"] = named("outputs", options.get("outputs"), taken)
        options["events"] = named("events", options.get("events"))
        request = cls(
            bounds=checked_bounds(bounds),
            method=method,
            stability=stability or None,
            checkpoint=checkpoint,
            deadline=deadline_of(options.get("time_limit")),
            **options,
        )
        request.check()
        return request

    def check(self) -> None:
        """Raise `InputError` for kinds of special points that there are not."""
        for kind in self.detect:
            if kind not in KINDS:
                raise InputError(f"detect names {kind!r}; there are {', '.join(KINDS)}")
        possible = {*self.detect, *self.events, *(("hopf",) if self.stability else ())}
        for kind in self.stop:
            if kind not in possible:
                raise InputError(
                    f"stop names {kind!r}, which is neither an event nor detected: "
                    f"{', '.join(sorted(possible))}"
                )
        for kind in self.events:
            if kind in (*KINDS, "hopf"):
                raise InputError(f"an event cannot be called {kind!r}")
        if not (self.until is None or callable(self.until)):
            raise DataTypeError(f"until must be a function of x, not {self.until!r}")
        if not isinstance(self.method, Arclength):
            raise DataTypeError(f"method must be an Arclength(), not {self.method!r}")
        if self.max_points is not None and not isinstance(self.max_points, numbers.Real):
            raise DataTypeError(f"max_points must be a number, not {self.max_points!r}")
        if self.max_points is not None and self.max_points < 1:
            raise InputError("max_points must be at least 1")


def checked_bounds(bounds: Any) -> tuple[float, float]:
    """Return (low, high), infinite where nothing was said."""
    if bounds is None:
        return -np.inf, np.inf
    try:
        low, high = (float(value) for value in bounds)
    except (TypeError, ValueError):
        raise InputError(f"bounds must be (lowest, highest), not {bounds!r}") from None
    if not low < high:
        raise InputError(f"bounds must increase, not ({low:g}, {high:g})")
    return low, high
