"""Damping: how far to follow a direction.

A trial point where the residual is not finite means that the step is too long. The rules differ in
what must decrease: nothing (`FullStep`), the residual (`Armijo`), or the error
(`NaturalMonotonicity`, which does not depend on the scaling of the equations).

References: Kelley, Solving Nonlinear Equations with Newton's Method (2003), section 1.6;
Deuflhard, Newton Methods for Nonlinear Problems (2011), section 3.3.3, algorithm NLEQ-ERR.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ...arrays import Vector
from ...results.status import Status
from ..settings import fraction, positive
from ..state.iterate import Iterate

SMALLEST = 1e-307  # damping: above zero, so that every search along a step ends


class FullStepTest(Enum):
    """What a damping checks at x + dx before it takes the full step."""

    FINITE = "the residual is finite"
    ERROR = "the simplified correction is smaller than the step, too"


class Damping(Protocol):
    """Interface of the damping: the next iterate from a direction.

    Optional attributes:

    * ``full_step_test`` (``FullStepTest``): the test by which it accepts the full step, which it
      tries first. Small systems then take full steps by compiled loops. Default: None.

    See Also
    --------
    FullStep, Armijo, NaturalMonotonicity
    """

    needs_direction: bool
    needs_factorization: bool

    def advance(self, it: Iterate) -> Status | None:
        """Move the iterate along ``it.dx``; return a failing status if it cannot."""
        ...


@dataclass(frozen=True)
class FullStep:
    """Take the full step, shortened only while the residual is not finite.

    It is divided by ten while it is long, and then halved.

    Parameters
    ----------
    factor : float
        Fraction of the step to take, 1 by default.
    smallest : float
        Smallest damping; below it the step fails.

    See Also
    --------
    Armijo, NaturalMonotonicity, Dogleg
    Newton : The solver with this damping.

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.NewtonMethod(damping=solvers.FullStep(factor=0.5))
    >>> Problem(lambda x: x - 4.0).solve([1.0], method).x.round(6)
    array([4.])
    """

    factor: float = 1.0
    smallest: float = 1e-10
    needs_direction = True
    needs_factorization = False

    def __post_init__(self) -> None:
        fraction(self, "factor", "smallest")

    @property
    def full_step_test(self) -> FullStepTest | None:
        """How it accepts full steps; a subclass may do it otherwise."""
        return FullStepTest.FINITE if type(self) is FullStep and self.factor == 1.0 else None

    def advance(self, it: Iterate) -> Status | None:
        """Take the longest finite step of those tried."""
        damping, floor = self.factor, _floor(it, self.smallest)
        while damping >= floor:
            x = it.x + damping * it.dx
            F = it.evaluate(x)
            if F is not None:
                it.accept(x, F, damping)
                return None
            damping = _shorter(damping, floor)
        return Status.NOT_FINITE


@dataclass(frozen=True)
class Armijo:
    """Shorten the step until the scaled residual decreases: phi(x + l dx) <= (1 - alpha l) phi(x).

    phi is the Euclidean norm of F / S, S the term sizes at x. The step is shortened by the
    parabola through the squared norms, by a factor between 0.1 and 0.5.

    Parameters
    ----------
    alpha : float
        1e-4, the usual value, accepts every decrease above rounding.
    smallest : float
        Smallest damping; below it the step fails.

    See Also
    --------
    FullStep, NaturalMonotonicity, Dogleg, LevenbergMarquardtStep

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.NewtonMethod(damping=solvers.Armijo())
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], method).x
    array([2.])
    """

    alpha: float = 1e-4
    smallest: float = 1e-10
    needs_direction = True
    needs_factorization = False

    def __post_init__(self) -> None:
        fraction(self, "alpha", "smallest")

    def advance(self, it: Iterate) -> Status | None:
        """Backtrack until the residual has decreased enough."""
        phi, damping, finite = it.phi, 1.0, False
        floor = _floor(it, self.smallest)
        while damping >= floor:
            x = it.x + damping * it.dx
            F = it.evaluate(x)
            if F is None:
                damping = _shorter(damping, floor)
                continue
            finite = True
            trial = it.scaling.merit(F)
            if trial <= (1.0 - self.alpha * damping) * phi:
                it.accept(x, F, damping)
                return None
            damping *= _parabola(phi, trial, damping)
        return Status.DAMPING_FAILED if finite else Status.NOT_FINITE


def _floor(it: Iterate, smallest: float) -> float:
    """Return the smallest damping to try: positive, and lower for an extremely long step."""
    return max(smallest / max(1.0, it.scaling.norm(it.dx)), SMALLEST)


def _shorter(damping: float, floor: float) -> float:
    """Return the next damping after a point that is not finite: the further out, the faster."""
    return damping * (0.5 if damping < 1e8 * floor else 0.1)


def _parabola(phi: float, trial: float, damping: float) -> float:
    """Return the factor that minimizes the parabola with slope -phi^2 at 0, within [0.1, 0.5]."""
    if not trial < 1e100 * phi:
        return 0.1
    rise = (trial / phi) ** 2 - 1.0 + 2.0 * damping
    factor = damping / rise if rise > 0.0 else 0.5
    return min(max(factor, 0.1), 0.5)


@dataclass(frozen=True)
class NaturalMonotonicity:
    """Error-oriented damping: the simplified correction J(x)^-1 F(x + l dx) must shrink.

    It costs one more solve with the same factorization per trial. In return the test does not
    depend on how the equations are scaled, and it predicts the damping of the next step. The
    correction is compared with the full correction at x, also where a limit allows only a part
    of that.

    Parameters
    ----------
    first : float
        Damping tried in the first iteration.
    smallest : float
        Smallest damping; below it the step fails.
    bound : float
        Damping grows by at most this factor from one iteration to the next (bounded damping).

    See Also
    --------
    DampedNewton : The solver with this damping.
    Armijo, FullStep

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.DampedNewton(damping=solvers.NaturalMonotonicity(first=0.1))
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], method).x
    array([2.])
    """

    first: float = 1.0
    smallest: float = 1e-6
    bound: float = 10.0
    needs_direction = True
    needs_factorization = True

    def __post_init__(self) -> None:
        fraction(self, "first", "smallest")
        positive(self, "bound")

    @property
    def full_step_test(self) -> FullStepTest | None:
        """How it accepts full steps; a subclass may do it otherwise."""
        full = self.first == 1.0 and self.bound >= 1.0
        return FullStepTest.ERROR if type(self) is NaturalMonotonicity and full else None

    def advance(self, it: Iterate) -> Status | None:
        """Predict the damping, then correct it until the natural level falls."""
        size = it.scaling.norm(it.dx)
        level = it.scaling.norm(it.proposed)
        floor, reduced, finite = _floor(it, self.smallest), False, False
        damping = max(self._predict(it, size), floor)
        while damping >= floor:
            x = it.x + damping * it.dx
            F = it.evaluate(x)
            if F is None:
                damping, reduced = _shorter(damping, floor), True
                continue
            finite = True
            correction = it.simplified(F)
            if correction is None:
                damping, reduced = _shorter(damping, floor), True
                continue
            natural = it.scaling.norm(correction)
            best = self._optimal(it, correction, size, damping)
            if not natural < level:
                damping, reduced = min(max(best, 0.1 * damping), 0.5 * damping), True
                continue
            if not reduced and best >= 4.0 * damping and damping < 1.0:
                damping, reduced = min(1.0, best, self.bound * damping), True
                continue
            it.memory["natural"] = (it.dx, correction, damping)
            it.memory["old factorization"] = not it.newton
            it.accept(x, F, damping)
            if damping == 1.0 and not it.limited:
                it.correction = correction
            return None
        return Status.DAMPING_FAILED if finite else Status.NOT_FINITE

    def _predict(self, it: Iterate, size: float) -> float:
        """Return the a priori damping from the last step's simplified correction."""
        memory = it.memory.get("natural")
        if memory is None:
            return self.first
        if not it.newton or it.memory.get("old factorization"):
            return 1.0
        before, correction, damping = memory
        gap = it.scaling.norm(correction - it.proposed)
        if gap * size == 0.0:
            return 1.0
        predicted = it.scaling.norm(before) * it.scaling.norm(correction) / (gap * size) * damping
        return float(min(1.0, max(predicted, damping / self.bound), self.bound * damping))

    @staticmethod
    def _optimal(it: Iterate, correction: Vector, size: float, damping: float) -> float:
        """Return the a posteriori damping from the curvature seen along the step."""
        gap = it.scaling.norm(correction - (it.proposed - damping * it.dx))
        if gap == 0.0:
            return 1.0
        return min(1.0, 0.5 * size * damping * damping / gap)
