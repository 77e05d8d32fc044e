"""Decides when a kernel is worth its cost.

Tracing and compiling take as long as tens to hundreds of evaluations. A kernel is made when the
time that it would have saved so far is as long as making it. A solve of any length then takes at
most twice the time of one without kernels. Times are those of the processor: what other processes
take is no time that a kernel would save.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, thread_time
from typing import TypeVar

T = TypeVar("T")
# Share of the time of an evaluation that a kernel saves.
SAVED = 0.6
# Seconds, of one core of some years ago: tracing and lowering, and more for every unknown;
# compiling of one character.
TRACING, TRACING_UNKNOWN = 0.012, 2e-6
COMPILING = 1.2e-6
# Seconds to load what was compiled before, and to load LLVM, once in a process.
LOADING = 0.002
STARTING = 0.025
# To ask for the time of the processor takes up to 20 microseconds. Shorter evaluations than these
# seconds are timed by the clock; one that seems longer, as others were at work, counts as one.
SHORT = 2e-4


class Account:
    """The time of evaluations that could have been compiled.

    Parameters
    ----------
    at_once : bool
        Whether everything pays.

    Attributes
    ----------
    upcoming : int
        How many evaluations follow for certain, as for the members of a family.
    saved : float
        Seconds that a kernel would have saved.
    latest : float
        Seconds of the last evaluation.
    """

    def __init__(self, at_once: bool = False) -> None:
        self.at_once, self.upcoming = at_once, 0
        self.saved = self.latest = 0.0

    def timed(self, evaluate: Callable[[], T]) -> T:
        """Return the result of an evaluation that is not compiled, and add its time."""
        short = self.latest < SHORT
        clock = perf_counter if short else thread_time
        begin = clock()
        result = evaluate()
        seconds = clock() - begin
        self.latest = min(seconds, SHORT) if short else seconds
        self.saved += SAVED * self.latest
        return result

    def pays(self, cost: float) -> bool:
        """Whether what could have been saved, and will be, is a cost; it is paid then."""
        if not self.at_once and self.saved + SAVED * self.latest * self.upcoming < cost:
            return False
        self.saved = max(0.0, self.saved - cost)
        return True
