"""The time limit of a solve, and the exception that ends it."""

from __future__ import annotations

import math
import numbers
from time import perf_counter

from .. import ranks
from ..errors import DataTypeError, InputError
from ..results.status import Status


class OutOfTime(Exception):  # noqa: N818  # never seen by a user
    """The deadline of a solve has passed."""


def raise_if_halted(status: Status) -> None:
    """Raise what ended a solve from outside: `KeyboardInterrupt` or `OutOfTime`."""
    if status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    if status is Status.TIME_LIMIT:
        raise OutOfTime


def passed(deadline: float) -> bool:
    """Whether the time is over, on the clock of `perf_counter`; on several ranks that of rank 0."""
    if deadline == math.inf:
        return False
    return ranks.of_first("compares the time with a limit", perf_counter() > deadline)


def deadline_of(time_limit: float | None) -> float:
    """Return when the time is over, on the clock of `perf_counter`; infinite for None.

    Raises
    ------
    InputError
        If the limit is not a positive number of seconds, or the program runs on several ranks,
        whose clocks would end it at different iterations.
    """
    if time_limit is None:
        return math.inf
    if isinstance(time_limit, bool) or not isinstance(time_limit, numbers.Real):
        raise DataTypeError(f"time_limit must be a number of seconds, not {time_limit!r}")
    if not time_limit > 0.0:
        raise InputError(f"time_limit must be positive, in seconds, not {time_limit!r}")
    if ranks.size() > 1:
        raise InputError(
            "time_limit cannot serve on several ranks, whose clocks differ; leave it out, and use "
            "checkpoint= and the time limit of the batch system"
        )
    return perf_counter() + float(time_limit)
