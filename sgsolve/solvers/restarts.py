"""`Restarts`: a solver that starts from several points at random around x0.

Where every path from x0 ends in a local minimum of the residual, rounding can decide whether one of
them leaves it. Starts elsewhere lead to other minima, and some of them to a solution. They are the
same in every run, and their paths are short: rounding does not grow to the size of the unknowns.

Reference: A. H. G. Rinnooy Kan, G. T. Timmer, Mathematical Programming 39 (1987) 27 (multistart).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from numbers import Integral

import numpy as np

from ..arrays import Vector
from ..errors import InputError
from .method import NewtonMethod
from .monitor import Monitor
from .outcome import Outcome
from .presets import TrustRegion
from .settings import positive
from .solver_protocol import RunsMethod
from .state.system import System
from .state.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Restarts(RunsMethod):
    """Start a solver from several points around x0, until one start leads to a solution.

    Parameters
    ----------
    solver : NewtonMethod
        It starts from each point. The default ends after 20 iterations: longer paths rarely end in
        a solution, and rounding decides where they go.
    count : int
        Number of starts; 8 by default.
    spread : float
        Largest change of an unknown, relative to the largest unknown of its block in x0. With the
        default, 1, an unknown may change its sign or double.

    Raises
    ------
    InputError
        If `solver` is no `NewtonMethod`, `count` is no positive integer, or `spread` is not
        positive.

    See Also
    --------
    Robust : Tries it last.
    continuation.Homotopy : Another solver for poor initial guesses.

    Examples
    --------
    The residual has a local minimum near 1.15. Starts with the other sign lead to the solution:

    >>> from sgsolve import Problem, solvers
    >>> problem = Problem(lambda x: x**3 - 4.0 * x + 5.0)
    >>> problem.solve([2.0], solvers.Restarts(spread=2.0)).x.round(6)
    array([-2.456678])
    """

    solver: NewtonMethod = field(default_factory=lambda: TrustRegion(max_iterations=20))
    count: int = 8
    spread: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.count, Integral) or self.count < 1:
            raise InputError(f"count must be an integer >= 1, not {self.count!r}")
        positive(self, "spread")

    def run(
        self, system: System, workspace: Workspace, x: Vector, F: Vector, monitor: Monitor
    ) -> Outcome:
        """Start around x; return the first success, or the failure with the least residual."""
        monitor = monitor.beginning_at(x, F)
        unknown = np.full(len(x), np.nan)  # the solver evaluates the residual itself
        starts = self._starts(system, x)
        total = self.solver.run(system, workspace, next(starts), unknown, monitor)
        for point in starts:
            if total.status.success or total.status.final:
                break
            total = _better_start(
                total, self.solver.run(system, workspace, point, unknown, monitor)
            )
        total.name = self.name
        return total

    def _starts(self, system: System, x: Vector) -> Iterator[Vector]:
        """Yield the points, with the steps to them as the step limiters allow."""
        random = np.random.default_rng(0)
        floor = np.ones_like(x) if system.scale is None else system.scale
        size = system.blocks.spread(system.blocks.norms(x), 1.0)
        for _ in range(self.count):
            with np.errstate(over="ignore"):  # a point that overflows leads to no solution
                step = self.spread * np.where(size > 0.0, size, floor)
                step = step * random.uniform(-1.0, 1.0, len(x))
                for limit in self.solver.limits:
                    step = limit.apply(x, step, system.blocks)
                point = x + step
            yield point


def _better_start(before: Outcome, now: Outcome) -> Outcome:
    """Return the success or the smaller residual, with the history and the costs of both."""
    before.history.extend(now.history)
    before.stats.add(now.stats)
    smaller = not np.abs(before.F).max() <= np.abs(now.F).max()  # also where that is not a number
    if now.status.success or now.status.final or smaller:
        return replace(now, history=before.history, stats=before.stats)
    return before
