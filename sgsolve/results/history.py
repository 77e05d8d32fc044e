"""`History`, the table of all iterations of a solve, and `Stats`, its costs.

A record is written once per iteration and never recomputed. A report after a failure therefore
shows the numbers on which the solver decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Step:
    """One accepted iteration.

    Attributes
    ----------
    iteration : int
        0 is the start.
    residual : float
        Largest absolute residual, in the user's units.
    scaled : float
        Largest residual relative to the size of the terms of its equation; 1e-16 is rounding.
    step : float
        Largest change relative to the size of the unknowns.
    damping : float
        Fraction of the proposed step that was taken; NaN at the start.
    order : float
        Observed order of convergence; NaN until three steps are known.
    trials : int
        Residual evaluations of this step.
    backward_error : float
        Of the linear system.
    fresh : bool
        Whether the Jacobian was evaluated for this step (False: reused).
    seconds : float
        Since the start.
    residuals, steps : dict of str to float
        Largest absolute residual and change in each block, in the user's units.
    note : str
        What was unusual: a limit that acted, a matrix that was regularized, a new stage.
    """

    iteration: int
    residual: float
    scaled: float
    step: float
    damping: float
    order: float
    trials: int
    backward_error: float
    fresh: bool
    seconds: float
    residuals: dict[str, float]
    steps: dict[str, float]
    note: str = ""


COUNTS = ("nit", "nfev", "njev", "n_analyze", "n_factor", "n_solve", "n_compiled")
_HEADER = "  it    residual      scaled        step     damping  order  trials  note"


class History:
    """The steps of a solve, in order; indexable, and printable as a table.

    Parameters
    ----------
    make : callable, optional
        Returns the first steps, when they are asked for.
    """

    def __init__(self, make: Callable[[], list[Step]] | None = None) -> None:
        self._made: list[Step] = []
        self._make = make

    @property
    def _steps(self) -> list[Step]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made

    def append(self, step: Step) -> None:
        """Add the record of one iteration."""
        self._steps.append(step)

    def extend(self, other: History) -> None:
        """Add the records of another history, as those of a later stage."""
        self._steps.extend(other._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...

    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        return self._steps[index]

    def column(self, name: str) -> NDArray[Any]:
        """Return one attribute of every step as an array: ``history.column("residual")``."""
        return np.array([getattr(step, name) for step in self._steps])

    def __repr__(self) -> str:
        if not self._steps:
            return "History(empty)"
        first, last = self._steps[0], self._steps[-1]
        return f"History({len(self)} records, residual {first.residual:.1e} to {last.residual:.1e})"

    def __str__(self) -> str:
        return "\n".join([_HEADER, *(step_line(step) for step in self._steps)])


def step_line(step: Step) -> str:
    """Return the line of the table for one step."""
    damping = "" if np.isnan(step.damping) else f"{step.damping:.4g}"
    order = "" if np.isnan(step.order) else f"{step.order:.1f}"
    reused = "" if step.fresh else "reused Jacobian"
    note = ", ".join(part for part in (reused, step.note) if part)
    size = "" if step.iteration == 0 else f"{step.step:.3e}"
    return (
        f"{step.iteration:4d}   {step.residual:9.3e}   {step.scaled:9.3e}   {size:>9s}   "
        f"{damping:>9s}  {order:>5s}  {step.trials:6d}  {note}"
    ).rstrip()


def table_header() -> str:
    """Return the header of the table of steps."""
    return _HEADER


@dataclass
class Stats:
    """Counts and seconds of a solve or a sweep.

    Attributes
    ----------
    nit, nfev, njev : int
        Accepted iterations, evaluations of the residual alone, evaluations with Jacobian.
    n_analyze, n_factor, n_solve : int
        Analyses of a pattern, factorizations, solves with a factorization.
    seconds : dict of str to float
        By phase: "residual", "jacobian", "analyze", "factor", "solve", "other", "total".
    backend : str
        The linear solver that served.
    n_compiled : int
        Evaluations by compiled kernels, of those of ``Problem(..., compiled=True)``.
    not_compiled : dict of str to int
        Why other evaluations were not compiled, and how many.
    """

    nit: int = 0
    nfev: int = 0
    njev: int = 0
    n_analyze: int = 0
    n_factor: int = 0
    n_solve: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    backend: str = ""
    n_compiled: int = 0
    not_compiled: dict[str, int] = field(default_factory=dict)

    def add(self, other: Stats) -> None:
        """Add the counts and seconds of another part of the work."""
        self.nit += other.nit
        self.nfev += other.nfev
        self.njev += other.njev
        self.n_analyze += other.n_analyze
        self.n_factor += other.n_factor
        self.n_solve += other.n_solve
        self.n_compiled += other.n_compiled
        for phase, seconds in other.seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds
        for reason, count in other.not_compiled.items():
            self.not_compiled[reason] = self.not_compiled.get(reason, 0) + count
        self.backend = other.backend or self.backend

    def since(self, before: Stats) -> Stats:
        """Return what was spent between an earlier record of the same counters and this one."""
        spent = Stats(
            nit=self.nit - before.nit,
            nfev=self.nfev - before.nfev,
            njev=self.njev - before.njev,
            n_analyze=self.n_analyze - before.n_analyze,
            n_factor=self.n_factor - before.n_factor,
            n_solve=self.n_solve - before.n_solve,
            backend=self.backend,
            n_compiled=self.n_compiled - before.n_compiled,
        )
        for phase, seconds in self.seconds.items():
            spent.seconds[phase] = seconds - before.seconds.get(phase, 0.0)
        earlier = before.not_compiled
        for reason, count in self.not_compiled.items():
            if count > earlier.get(reason, 0):
                spent.not_compiled[reason] = count - earlier.get(reason, 0)
        return spent

    @property
    def compilation(self) -> str:
        """Evaluations by compiled kernels and the reasons of others, in words; often empty."""
        if not (self.n_compiled or self.not_compiled):
            return ""
        others = sorted(self.not_compiled.items(), key=lambda item: -item[1])
        parts = [f"{counted(self.n_compiled, 'compiled evaluation')}"]
        return "; ".join([*parts, *(f"{count} not compiled: {why}" for why, count in others[:3])])

    @property
    def evaluations(self) -> str:
        """Counts of evaluations, in words."""
        return f"{counted(self.nfev, 'residual')}, {counted(self.njev, 'Jacobian')}"

    @property
    def linear(self) -> str:
        """Counts of linear algebra, in words."""
        return (
            f"{counted(self.n_analyze, 'analysis', 'analyses')}, "
            f"{counted(self.n_factor, 'factorization')}, {counted(self.n_solve, 'solve')}"
        )

    @property
    def times(self) -> str:
        """Seconds of each phase, in words."""
        return ", ".join(f"{phase} {duration(value)}" for phase, value in self.seconds.items())

    def __str__(self) -> str:
        return (
            f"{counted(self.nit, 'iteration')}, {self.evaluations}, {self.linear} "
            f"({self.backend or 'no back end'}); {self.times}"
            f"{'; ' + self.compilation if self.compilation else ''}"
        )


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun: ``1 solve``, ``2 solves``."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def duration(seconds: float) -> str:
    """Return seconds in the unit that suits them: ``31 us``, ``2.7 ms``, ``1.2 s``."""
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us" if seconds > 0.0 else "0 s"
