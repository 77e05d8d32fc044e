"""The time of a phase of a linear solver, and a lack of memory in it."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from types import TracebackType

from ..errors import OutOfMemoryError
from .statistics import Statistics


class Timed:
    """Adds the wall seconds of a block, less those of analyses in it, to the statistics.

    A class, since a generator as context manager takes three times as long.

    Parameters
    ----------
    stats : Statistics
    phase : {"factor", "solve"}
    out_of_memory : callable
        It returns the error to raise for a `MemoryError` in the phase.
    """

    __slots__ = ("_before", "_out_of_memory", "_phase", "_start", "_stats")

    def __init__(
        self, stats: Statistics, phase: str, out_of_memory: Callable[[str], OutOfMemoryError]
    ) -> None:
        self._stats, self._phase, self._out_of_memory = stats, phase, out_of_memory

    def __enter__(self) -> None:
        self._start, self._before = perf_counter(), self._stats.seconds["analyze"]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        seconds = self._stats.seconds
        seconds[self._phase] += perf_counter() - self._start - (seconds["analyze"] - self._before)
        if isinstance(error, MemoryError) and not isinstance(error, OutOfMemoryError):
            raise self._out_of_memory(self._phase) from error
