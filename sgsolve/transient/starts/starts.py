"""Starts and restarts of a run in time: the state, and the length of the first step."""

from __future__ import annotations

from math import ulp

import numpy as np

from ...arrays import Vector
from ...errors import ConvergenceError, InputError, LinearSolveError, SingularMatrixError
from ...results.blocks import suspects
from ...solvers.state.workspace import Workspace
from ..error_weights import ErrorWeights
from ..evolution import EvolutionSystem, without_storage
from ..schedule import Schedule
from .consistent_start import AlgebraicSystem, Solve, Start, consistent_start
from .index import check_index

FIRST_STEP = 1e-3  # of the run, at most
FIRST_CHANGE = 0.5  # of the tolerance, by the slope in the first step, at most
SHORTEST_SPAN = 1e-12  # of the run: to a breakpoint that is nearer the equations may jump
BEFORE_JUMP = 1e4  # times to the next breakpoint that the span may have
RESOLVED = 1e10  # units in the last place of the time: a part of 1e-8 of it is a hundred of them
STARTS = ("consistent", "steady", "as given")


class Starts:
    """Makes the states that a run starts from.

    Parameters
    ----------
    solve : callable
        For algebraic equations that do not hold at a start.
    """

    def __init__(
        self,
        system: EvolutionSystem,
        workspace: Workspace,
        weights: ErrorWeights,
        schedule: Schedule,
        solve: Solve,
    ) -> None:
        self.system, self.workspace, self.weights = system, workspace, weights
        self.schedule, self.solve = schedule, solve

    def first(self, x0: Vector, mode: str) -> tuple[Vector, Start] | str:
        """Return whose charge the run starts with and the first state, or why there is none.

        Parameters
        ----------
        mode : {"consistent", "steady", "as given"}
            Move a start that does not meet the algebraic equations at constant charge; start from
            the steady state near x0; or reject such a start.

        Raises
        ------
        InputError
            The start is to be taken as given, and does not meet the algebraic equations.
        """
        t, given = self.schedule.t0, x0
        if mode == "steady":
            nothing = np.zeros(self.system.n)
            try:
                x0 = self.solve(AlgebraicSystem(self.system, t, 0.0, nothing), x0)
            except ConvergenceError as error:
                return f"no steady state was found at t = {t:g}: {error}"
        found = self.at(t, x0)
        if isinstance(found, str):
            return found
        if found.moved and mode == "as given":
            raise InputError(
                f"x0 does not meet the algebraic equations at t = {t:g}: they move {found.moved} "
                f"most, by {np.abs(found.x - given).max():.3g}; use start='consistent'"
            )
        if found.ordinary:
            return x0, found
        length = self.schedule.length
        if not check_index(self.system, self.workspace, self.weights, t, found.x, length):
            self.weights.skip(without_storage(self.system, t, found.x))
        return x0, found

    def at(
        self, t: float, x: Vector, charge: Vector | None = None, doubted: bool = False
    ) -> Start | str:
        """Return a consistent state at t, or why there is none; see `consistent_start`."""
        span = (t, self._smooth_until(t))
        try:
            with np.errstate(all="ignore"):
                return consistent_start(
                    self.system, self.workspace, self.weights, span, x, self.solve, charge, doubted
                )
        except ConvergenceError as error:
            return f"no state meets the algebraic equations at t = {t:.9g}: {error}"
        except SingularMatrixError as error:
            named = suspects(self.system.blocks, error)
            return f"no consistent state could be found at t = {t:.9g}: {error}; {named}"
        except (ArithmeticError, LinearSolveError) as error:
            return f"no consistent state could be found at t = {t:.9g}: {error}"

    def _smooth_until(self, t: float) -> float:
        """Return the end, or a time before it: what is negligible is so compared with that.

        A part of 1e-8 of the run is no step where the next breakpoint is nearer than ten thousand
        of them. Shorter steps than needed would let the charges hide the other terms.
        """
        at_least = max(SHORTEST_SPAN * self.schedule.length, RESOLVED * ulp(t))
        before_jump = BEFORE_JUMP * (self.schedule.next_stop(t) - t)
        return max(min(self.schedule.t1, t + before_jump), t + at_least)

    def first_length(self, start: Start, t: float) -> float:
        """Return the length of the first step from a state."""
        if self.schedule.first_step is not None:
            return self.schedule.first_step
        h = max(FIRST_STEP * self.schedule.length, self.schedule.min_step(t))
        size = self.weights.norm(start.slope, self.weights.weights(start.x))
        if size * h > FIRST_CHANGE:
            return max(FIRST_CHANGE / size, 2.0 * self.schedule.min_step(t))
        return h
