"""`NewtonMethod`: the Newton loop and the parts that it runs.

Each iteration evaluates the Jacobian, computes a direction, applies the step limiters, lets the
damping choose the step length, and checks the termination criterion. All solvers of this package
except `Robust` are this loop with other parts. Success is decided in `convergence` only, from a
residual that was evaluated at the point in question.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

from ..arrays import Vector
from ..errors import InputError
from ..private_api import quiet
from ..results.blocks import Blocks
from ..results.status import Status
from .acceptance.convergence import (
    full_step_holds,
    termination_status,
    unless_at_limit,
    without_slopes,
)
from .acceptance.local_minimum import decreases_slowly, named_cause
from .acceptance.rounding import SMALL_STEP, at_rounding
from .acceptance.termination import DEFAULT, TerminationTest
from .acceptance.usual_criterion import UsualCriterion, usual_criterion
from .limits import as_limit
from .monitor import Monitor
from .outcome import Outcome
from .settings import made_of
from .state.deadline import OutOfTime
from .state.iterate import Iterate
from .state.perturbation import linearized_beside, probed_beside
from .state.system import System
from .state.workspace import Workspace
from .steps.damping import Damping, FullStep, FullStepTest
from .steps.direction import Direction, NewtonDirection
from .steps.extrapolation import extrapolate
from .steps.reuse import NoReuse, Reuse


@dataclass(frozen=True, kw_only=True)
class NewtonMethod:
    """The Newton loop with these parts. All presets are this class with other defaults.

    Parameters
    ----------
    direction : Direction
        Which way: `NewtonDirection`, `PseudoTransientDirection`, `KrylovDirection`.
    damping : Damping
        How far: `FullStep`, `Armijo`, `NaturalMonotonicity`, `Dogleg`, `LevenbergMarquardtStep`.
    limits : tuple
        Step limiters: `Bounds`, `Positive`, `MaxChange`, `LogDamping`, or functions
        ``(x, dx) -> dx``; one, or several that are applied in turn to the full step.
    termination : TerminationTest
        The termination criterion; must contain one on the residual.
    reuse : Reuse
        When to keep a Jacobian: `NoReuse`, `Shamanskii`, `CostBasedReuse`.
    max_iterations : int
        Limit on the iterations.

    Raises
    ------
    InputError
        If a part is of the wrong kind, if `termination` has no criterion on the residual, or if
        direction and damping do not fit.

    See Also
    --------
    Newton, DampedNewton, LineSearchNewton, TrustRegion, LevenbergMarquardt
    Robust : Several of them in order.

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.NewtonMethod(damping=solvers.Armijo(), max_iterations=20)
    >>> result = Problem(lambda x: x**2 - 2.0).solve([1.0], method)
    >>> print(f"{result.x[0]:.12f}")
    1.414213562373
    """

    direction: Direction = field(default_factory=NewtonDirection)
    damping: Damping = field(default_factory=FullStep)
    limits: tuple[Any, ...] = ()
    termination: TerminationTest = DEFAULT
    reuse: Reuse = field(default_factory=NoReuse)
    max_iterations: int = 100

    def __post_init__(self) -> None:
        made_of(self, "direction", "compute", "NewtonDirection()")
        made_of(self, "damping", "advance", "Armijo()")
        made_of(self, "reuse", "keep", "NoReuse()")
        if not isinstance(self.termination, TerminationTest):
            raise InputError(
                f"termination must be a criterion of sgsolve.solvers, not {self.termination!r}"
            )
        if not self.termination.checks_residual:
            raise InputError(
                "termination uses steps only, and a small step is no solution; "
                "join a criterion on the residual: ResidualTolerance() & StepTolerance()"
            )
        if not isinstance(self.max_iterations, Integral) or self.max_iterations < 0:
            raise InputError(f"max_iterations must be an integer >= 0, not {self.max_iterations!r}")
        if self.matrix_free and self.damping.needs_factorization:
            raise InputError(
                f"{type(self.damping).__name__} solves with the factorized Jacobian, which "
                f"{type(self.direction).__name__} does not form; use Armijo() or FullStep()"
            )
        one = hasattr(self.limits, "apply") or callable(self.limits)
        limits = (self.limits,) if one else self.limits
        if not isinstance(limits, Iterable):
            raise InputError(
                f"limits must be a limit of steps or several, such as Bounds(0.0), not {limits!r}"
            )
        object.__setattr__(self, "limits", tuple(as_limit(limit) for limit in limits))

    @property
    def matrix_free(self) -> bool:
        """Whether it does without the matrix, and so without its pattern."""
        return not self.direction.forms_jacobian

    @property
    def first_method(self) -> NewtonMethod:
        """The method that is tried first, this one."""
        return self

    @property
    def takes_newton_steps(self) -> bool:
        """Whether its steps follow Newton's direction; a subclass may run another loop."""
        return type(self).run is NewtonMethod.run and getattr(self.direction, "is_newton", False)

    @functools.cached_property
    def criterion(self) -> UsualCriterion | None:
        """The numbers of the termination criterion; None if it has another form."""
        return usual_criterion(self.termination)

    def full_step_test(self, n: int, cost: float = math.nan) -> FullStepTest | None:
        """Return the test before a full step of n unknowns; None if there are other steps.

        `cost` is that of a factorization, see `Reuse`.
        """
        if self.limits or not self.takes_newton_steps:
            return None
        renews = getattr(self.reuse, "renews", None)
        if renews is None or not renews(n, cost):
            return None
        return getattr(self.damping, "full_step_test", None)

    @property
    def name(self) -> str:
        """Name for reports."""
        return type(self).__name__

    def with_settings(self, **settings: Any) -> NewtonMethod:
        """Return a copy with other settings."""
        return replace(self, **settings)

    def check_start(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if x lies outside the bounds among `limits`."""
        for limit in self.limits:
            limit.check_start(x, blocks)

    def run(
        self, system: System, workspace: Workspace, x: Vector, F: Vector, monitor: Monitor
    ) -> Outcome:
        """Solve from x, where the residual is F; never raises for a failure, nor for Ctrl-C."""
        # whatever overflows at a trial point is found by looking at the numbers, not by warnings
        with quiet():
            it = Iterate(system, workspace, x, F, self.limits, monitor.deadline, monitor.origin)
            try:
                status = self._loop(it, monitor)
            except OutOfTime:
                status = Status.TIME_LIMIT
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
            if not len(it.history):
                it.record()
            return Outcome.of(it, status, self.name)

    def _loop(self, it: Iterate, monitor: Monitor) -> Status:
        monitor.begin(self.name)
        finite = self._linearize(it)
        it.record()
        if not finite:
            ending = without_slopes(it)
            return ending if not ending.success or it.confirm() else Status.NOT_FINITE
        if monitor.after(it):
            return Status.STOPPED
        while True:
            status = termination_status(self.termination, it, self._linearize)
            if status is None:
                early = monitor.others_follow and self.takes_newton_steps and decreases_slowly(it)
                status = self._step_or_end(it, early)
            if status is not None:
                if not status.success or it.confirm():
                    return named_cause(it, status)
                if not self._linearize(it):
                    return Status.NOT_FINITE
                continue
            if not self.matrix_free and extrapolate(it) and not self._linearize(it):
                return Status.NOT_FINITE
            it.record()
            if monitor.after(it):
                return Status.STOPPED

    def _step_or_end(self, it: Iterate, early: bool) -> Status | None:
        """Take one step; return the status if there is none to take, of success at rounding."""
        if early:
            return Status.STALLED
        if it.k < self.max_iterations:
            status = self._step(it)
            if status is not None and at_rounding(it):
                return unless_at_limit(it, Status.CONVERGED_ROUNDOFF)
        else:
            status = Status.MAX_ITERATIONS
            if it.step_size > SMALL_STEP or not self._linearize(it):
                return status
        if status is not None and full_step_holds(it):
            return None if self._linearize(it) else Status.NOT_FINITE
        return status

    def _step(self, it: Iterate) -> Status | None:
        """Take one step; an old Jacobian is refreshed before a failure counts."""
        old = not it.fresh and it.factorized and self.reuse.keep(it)
        if not (it.fresh or old or self._linearize(it)):
            return Status.NOT_FINITE
        status = self._advance(it)
        if status is not None and old:
            it.notes.append("refreshed")
            status = self._advance(it) if self._linearize(it) else Status.NOT_FINITE
        return status

    def _advance(self, it: Iterate) -> Status | None:
        if self.damping.needs_direction:
            status = self.direction.compute(it)
            if status is not None:
                return status
            it.proposed = it.dx
            it.dx = it.limited_step(it.proposed)
        return self.damping.advance(it)

    def _linearize(self, it: Iterate) -> bool:
        return probed_beside(it) if self.matrix_free else linearized_beside(it)
