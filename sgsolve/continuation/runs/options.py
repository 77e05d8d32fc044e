"""The options that all runs have in common, checked before any work starts."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ...errors import DataTypeError, InputError
from ...results.branch import column_name
from ...results.checkpoint import Checkpoint, as_checkpoint
from ...solvers.state.deadline import deadline_of
from ..locating.detector import Detector, registered_detectors, reserved_kinds
from .recorder import every
from .user_functions import named

Function = Callable[..., Any]


class DetectorSettings(Protocol):
    """Settings that make a detector for a problem of n unknowns."""

    @property
    def kind(self) -> str:
        """The kind of special points that it finds."""
        ...

    @property
    def column(self) -> str:
        """The column that it adds to the branch."""
        ...

    def detector(self, n: int, extra: int = 0) -> Detector:
        """Return the detector; `extra` is the number of multipliers after the unknowns."""
        ...


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of a run; see `Problem.continuation` for the meaning of each."""

    outputs: Mapping[str, Function] = field(default_factory=dict)
    detect: tuple[str, ...] = ()
    events: Mapping[str, Function] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    stop_after: Mapping[str, int] = field(default_factory=dict)
    until: Function | None = None
    stability: DetectorSettings | None = None
    keep_states: Any = "all"
    max_points: int | None = None
    checkpoint: Checkpoint | None = None
    resume: bool = False
    progress: bool | None = None
    raise_on_failure: bool = False
    callback: Function | None = None
    verbose: bool = False
    deadline: float = np.inf
    kinds: tuple[str, ...] | None = None  # that can be detected; by default those registered

    @classmethod
    def of(
        cls,
        moved: Sequence[str],
        own: Sequence[str],
        *,
        detect: Sequence[str] | str = (),
        stop: Mapping[str, int] | Sequence[str] | str = (),
        outputs: Any = None,
        events: Any = None,
        stability: Any = None,
        checkpoint: Any = None,
        resume: bool = False,
        time_limit: float | None = None,
        **others: Any,
    ) -> RunOptions:
        """Check and gather the options.

        Parameters
        ----------
        moved : sequence of str
            The parameters that change along the run.
        own : sequence of str
            The columns that the stepper adds.
        """
        settings = stability or None
        if settings is not None and not hasattr(settings, "detector"):
            raise DataTypeError(f"stability must be True or a Stability(), not {stability!r}")
        taken = ("nit", *own, *(() if settings is None else (settings.column,)))
        columns = (*moved, *(column_name(name, moved) for name in taken))
        options = cls(
            detect=_kinds("detect", detect),
            stop=_kinds("stop", stop),
            stop_after=_counts_to_stop(stop) if isinstance(stop, Mapping) else {},
            outputs=named("outputs", outputs, columns),
            events=named("events", events),
            stability=settings,
            checkpoint=as_checkpoint(checkpoint, resume),
            resume=resume,
            deadline=deadline_of(time_limit),
            **others,
        )
        options.check()
        return options

    def check(self) -> None:
        """Raise `InputError` for options that cannot be right."""
        every(self.keep_states)
        known = tuple(registered_detectors()) if self.kinds is None else self.kinds
        settings = () if self.stability is None else (self.stability.kind,)
        for kind in self.detect:
            if kind in reserved_kinds() and self.kinds is None and not settings:
                raise InputError(f"detect names {kind!r}: stability=True finds these points")
            if kind not in (*known, *settings):
                raise InputError(f"detect names {kind!r}; there are {', '.join(known)}")
        possible = {*self.detect, *self.events, *settings}
        for kind in self.stop:
            if kind not in possible:
                raise InputError(
                    f"stop names {kind!r}, which is neither an event nor detected: "
                    f"{', '.join(sorted(possible)) or 'there are none'}"
                )
        for kind in self.events:
            if kind in {*known, *reserved_kinds()}:
                raise InputError(f"an event cannot be called {kind!r}")
        for name, of in (("until", "x"), ("callback", "the point")):
            function = getattr(self, name)
            if not (function is None or callable(function)):
                raise DataTypeError(f"{name} must be a function of {of}, not {function!r}")
        check_limit("max_points", self.max_points)


def check_limit(name: str, limit: Any) -> None:
    """Raise if a limit on a number of points is neither None nor a whole number above zero."""
    if limit is None:
        return
    if isinstance(limit, bool) or not isinstance(limit, numbers.Real):
        raise DataTypeError(f"{name} must be a number, not {limit!r}")
    if not (float(limit) >= 1.0 and float(limit) == np.floor(float(limit))):
        raise InputError(f"{name} must be a whole number of at least 1, not {limit!r}")


def _kinds(name: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Iterable):
        raise DataTypeError(f"{name} must be names of special points, not {given!r}")
    return tuple(given)


def _counts_to_stop(given: Mapping[str, Any]) -> dict[str, int]:
    for kind, number in given.items():
        if isinstance(number, bool) or not isinstance(number, numbers.Integral) or number < 1:
            raise InputError(f"stop: {kind!r} must occur a number of times, not {number!r}")
    return {kind: int(number) for kind, number in given.items()}


def checked_bounds(bounds: Any) -> tuple[float, float]:
    """Return (low, high); infinite by default."""
    if bounds is None:
        return -np.inf, np.inf
    try:
        low, high = (float(value) for value in bounds)
    except (TypeError, ValueError):
        raise InputError(f"bounds must be (lowest, highest), not {bounds!r}") from None
    if not low < high:
        raise InputError(f"bounds must increase, not ({low:g}, {high:g})")
    return low, high
