"""Trust region: Powell's dogleg between steepest descent and Newton's step.

Newton's step is taken while the linear model predicts the residual well. Otherwise the step bends
towards the gradient of the scaled residual, along which the residual decreases even where the
Jacobian is singular. An iteration needs one factorization, whatever the number of trials.

Reference: Nocedal and Wright, Numerical Optimization (2006), section 11.2; Powell, A hybrid
method for nonlinear equations (1970).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...arrays import Vector
from ...errors import LinearSolveError, SingularMatrixError
from ...norms import LONGEST, norm2, scalar_product, unit
from ...pattern import matrix_product, transposed_product
from ...results.status import Status
from ..settings import positive
from ..state.iterate import Iterate
from .open_directions import newton_direction

FLAT = 1e-7  # relative gradient below which the norm of the residual counts as stationary


@dataclass(frozen=True)
class Dogleg:
    """Limit steps to a trust region, in the units of the weights: Powell's dogleg.

    Parameters
    ----------
    radius : float or None
        At the start; None: as long as the first step of Newton.
    accept, poor, good : float
        Ratios of actual to predicted decrease: accept above `accept`, shrink below `poor`, grow
        above `good`.
    smallest : float
        Radius at which it ends, relative to the step of Newton where that is shorter than one.

    See Also
    --------
    TrustRegion : The solver with this damping.
    Armijo, LevenbergMarquardtStep

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.TrustRegion(damping=solvers.Dogleg(radius=0.1))
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], method).x
    array([2.])
    """

    radius: float | None = None
    accept: float = 1e-4
    poor: float = 0.25
    good: float = 0.75
    smallest: float = 1e-10
    needs_direction = False
    needs_factorization = True

    def __post_init__(self) -> None:
        positive(self, "accept", "poor", "good", "smallest")
        if self.radius is not None:
            positive(self, "radius")

    def advance(self, it: Iterate) -> Status | None:
        """Shrink the radius until a step is accepted."""
        model = Model(it)
        if model.flat:
            return Status.LOCAL_MINIMUM
        radius = it.memory.get("radius", self.radius)
        if radius is None:
            radius = model.newton_length if model.newton is not None else 1.0
        finite = False
        radius, smallest = min(radius, LONGEST), self.smallest * min(1.0, model.newton_length)
        while radius > smallest:
            p = it.limited_step(it.weights * model.step(radius)) / it.weights
            x = it.x + it.weights * p
            F = it.evaluate(x)
            length = norm2(p)
            if F is None:
                radius = 0.25 * min(radius, length)
                continue
            finite = True
            ratio = model.ratio(p, it.scaling.merit(F))
            if ratio < self.poor:
                radius = 0.25 * length
            if ratio > self.accept:
                if ratio > self.good and length > 0.9 * radius:
                    radius *= 2.0
                it.memory["radius"] = radius
                full = model.newton is not None and length >= 0.999 * model.newton_length
                it.newton, it.regularized = full and not it.limited, model.newton is None
                it.accept(x, F, min(1.0, length / max(model.newton_length, 1e-300)))
                if full:
                    it.damping = 1.0
                return None
        return Status.STALLED if finite else Status.NOT_FINITE


class Model:
    """The linear model of the scaled residual, f + A p with A = diag(1/S) J diag(weights)."""

    def __init__(self, it: Iterate) -> None:
        self.it = it
        self.f = it.F / it.S
        self.norm = it.phi
        gradient = scaled_gradient(it)
        slope = norm2(gradient)
        # |A^T f| <= |A| |f|, and the rows of A have sums of about one
        self.flat = slope <= FLAT / math.sqrt(len(self.f))
        downhill = -unit(gradient)
        curved = max(norm2(self.apply(downhill)), 1e-150)
        self.cauchy = downhill * (slope / curved / curved * self.norm)
        self.newton: Vector | None = None
        self.newton_length = math.inf
        try:
            it.dx = newton_direction(it)
            self.newton = it.dx / it.weights
            self.newton_length = norm2(self.newton)
        except LinearSolveError as error:
            if isinstance(error, SingularMatrixError):
                it.memory["singular"] = it.k, error
            it.notes.append("singular Jacobian, gradient step")

    def apply(self, p: Vector) -> Vector:
        """Return A p."""
        product: Vector = matrix_product(self.it.J, self.it.weights * p) / self.it.S
        return product

    def step(self, radius: float) -> Vector:
        """Return the dogleg step of at most this length."""
        if self.newton is not None and self.newton_length <= radius:
            return self.newton
        length = norm2(self.cauchy)
        if self.newton is None or length >= radius:
            shortened: Vector = self.cauchy * min(1.0, radius / length)
            return shortened
        leg = unit(self.newton - self.cauchy)
        along, share = scalar_product(self.cauchy, leg) / radius, length / radius
        rest = (1.0 - share) * (1.0 + share)
        root = math.sqrt(along * along + rest)
        # of the two forms of the root of t^2 + 2 along t = rest, the one that does not cancel
        t = rest / (along + root) if along > 0.0 else root - along
        step: Vector = self.cauchy + (radius * t) * leg
        return step

    def ratio(self, p: Vector, trial: float) -> float:
        """Return actual over predicted decrease of the squared norm."""
        return decrease(self.norm, trial, norm2(self.f + self.apply(p)))


def scaled_gradient(it: Iterate) -> Vector:
    """Return A^T f / |f| with f = F / S and A = diag(1/S) J diag(weights)."""
    f = it.F / it.S
    gradient: Vector = it.weights * transposed_product(it.J, unit(f) / it.S)
    return gradient


def decrease(before: float, now: float, predicted: float) -> float:
    """Return actual over predicted decrease of the square of a norm; -1 if none is predicted."""
    now, predicted = now / before, predicted / before
    if not (math.isfinite(now) and predicted < 1.0):
        return -1.0
    return (1.0 - now) * (1.0 + now) / ((1.0 - predicted) * (1.0 + predicted))
