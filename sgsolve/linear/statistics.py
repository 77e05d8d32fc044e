"""Counts and times of a linear solver, and the context in which a phase is timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType

from ..errors import OutOfMemoryError

COUNTS = ("n_analyze", "n_factor", "n_solve", "n_refine", "n_grow", "n_fallback")


def _no_time() -> dict[str, float]:
    return {"analyze": 0.0, "factor": 0.0, "solve": 0.0}


@dataclass
class Statistics:
    """Counts and seconds of one `LinearSolver` since it was made.

    Attributes
    ----------
    n_analyze, n_factor, n_solve : int
        Analyses of a pattern, factorizations, and calls of ``solve`` that were asked for.
    n_refine : int
        Steps of refinement inside the solves.
    n_grow : int
        Matrices that left the pattern, so that it grew and was analyzed again.
    n_fallback : int
        Times that another back end had to take over.
    seconds : dict
        Wall seconds under ``"analyze"``, ``"factor"`` (with equilibration) and ``"solve"`` (with
        checks and refinement).

    See Also
    --------
    LinearSolver : Has one.

    Examples
    --------
    >>> from sgsolve.linear import Statistics
    >>> Statistics(n_analyze=1, n_factor=3)
    Statistics(n_analyze=1, n_factor=3, n_solve=0, n_refine=0, n_grow=0, n_fallback=0, 0.000 s)
    """

    n_analyze: int = 0
    n_factor: int = 0
    n_solve: int = 0
    n_refine: int = 0
    n_grow: int = 0
    n_fallback: int = 0
    seconds: dict[str, float] = field(default_factory=_no_time)

    @property
    def total_seconds(self) -> float:
        """Wall seconds of everything."""
        return sum(self.seconds.values())

    def joined(self, other: Statistics) -> Statistics:
        """Return the sums of two statistics."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        seconds = {phase: s + other.seconds[phase] for phase, s in self.seconds.items()}
        return Statistics(**counts, seconds=seconds)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={getattr(self, name)}" for name in COUNTS)
        return f"Statistics({counts}, {self.total_seconds:.3f} s)"


class Timed:
    """Adds the wall seconds of a block, less those of analyses in it, to the statistics.

    A class, since a generator as context manager takes three times as long.

    Parameters
    ----------
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
