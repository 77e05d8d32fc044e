"""The ends of a solve in time, and the exception that ends it.

A limit that the user gives is on the clock. What decides by itself which stage of a solve goes on
counts computing time instead, so that the same call has the same outcome on a busy machine.
"""

from __future__ import annotations

import math
import numbers
import os
from dataclasses import dataclass
from time import perf_counter, thread_time

from ... import ranks
from ...errors import DataTypeError, InputError
from ...results.status import Status


class OutOfTime(Exception):  # noqa: N818  # never seen by a user
    """The deadline of a solve has passed."""


def raise_if_halted(status: Status) -> None:
    """Raise what ended a solve from outside: `KeyboardInterrupt` or `OutOfTime`."""
    if status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    if status is Status.TIME_LIMIT:
        raise OutOfTime


@dataclass(frozen=True)
class Share:
    """A share of computing time, within the deadline of the user.

    Parameters
    ----------
    end : float
        In seconds of `computing_time`.
    deadline : float or Share
        That of the whole solve.
    """

    end: float
    deadline: Deadline = math.inf


Deadline = float | Share
"""When the time is over, on the clock of `perf_counter`, or of computing time as well."""


def computing_time() -> float:
    """Return the seconds that this thread has computed so far, and the processes that it ran."""
    children = os.times()
    return thread_time() + children.children_user + children.children_system


def passed(deadline: Deadline) -> bool:
    """Whether the time is over; on several ranks that of rank 0."""
    if isinstance(deadline, Share):
        over = computing_time() > deadline.end
        return ranks.of_first("compares the time with a limit", over) or passed(deadline.deadline)
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
