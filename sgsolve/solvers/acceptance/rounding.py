"""Whether a residual consists of rounding errors.

A small residual that does not decrease is no proof: convergence may be slow, the residual may jump,
or a regularized step may not decrease it. After Newton's step the residual of the linear model is
zero, unless the Jacobian is singular and the equations contradict each other. A remaining residual
comes from that, from a change of the Jacobian along the step, a jump, or rounding. The first three
are measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import EPS, Vector
from ...errors import LinearSolveError
from ..state.iterate import PROBES, Iterate
from ..state.perturbation import linearized_beside
from ..state.scaling import TERM_FLOOR, probed

NOISE = 1e-9  # residuals above this part of the terms are never put down to rounding
SMALL_STEP = 1e-6  # ... nor those from which Newton's step is longer
UNITS = 4.0  # within so many units of rounding an equation holds without proof
PRODUCTS_ONLY = 1e3  # ... and within so many if there is no matrix to prove it with
EXPLAINED = 0.5  # of a residual, by a change of the Jacobian: all of it where the step meets a kink
LINE = 0.1  # a residual this close to a straight line is no rounding error
# What one refined linear solve leaves in an equation of the rounding errors of all others is eps^2
# of the size of those, times a growth factor. Below this part of the term size no step closes it.
LINEAR_NOISE = EPS**1.5

PERTURBED, SCATTER = 4, 8.0  # points that show the scatter of a residual, and units of it
BESIDE = 1e-9  # of an unknown: a change so small that curvature is below rounding
# Points that show rounding of constants, how many different errors they show in each equation at
# least, which a jump or two do not, and the part of the residual that counts as a difference.
SHOWN, DIFFERENT, APART = 6, 4, 1e-3


def small(it: Iterate, absolute: Any, relative: float, of_scale: bool) -> bool:
    """Whether each residual is small by the own terms of its equation, or hidden by rounding.

    A scale that the user gives may be far larger than the unknowns. What is small only relative to
    it must therefore be no larger than what rounding of the unknowns does to the equation. With
    `of_scale` the scale is known to fit, and no more is asked.
    """
    left, scaling = np.abs(it.F), it.scaling
    scale = scaling.scale if of_scale else None
    terms = scaling.own if scale is None else _terms_of_scale(it, scale)
    open_ = left > (absolute + relative * terms if relative else absolute)
    if not open_.any():
        return True
    if of_scale or scaling.scale is None or not relative:
        return False
    if (left > absolute + relative * scaling.sized).any():
        return False
    return _hidden_by_scatter(it, left, open_)


def _terms_of_scale(it: Iterate, scale: Vector) -> Vector:
    """Return the sizes of terms with each unknown counted as no smaller than its scale.

    The term sizes S count it as no larger than the largest unknown, which fits all problems but
    those whose solution is zero.
    """
    if it.J is None:
        return it.S
    return it.terms(np.maximum(it.scaling.magnitude, scale))


def _hidden_by_scatter(it: Iterate, left: Vector, open_: NDArray[np.bool_]) -> bool:
    """Whether residuals change as much where every unknown moves by a rounding error.

    The largest change of several such points counts. No more of them are evaluated than it takes,
    and none a second time for another criterion at the same iterate.
    """
    kept = it.memory.get("scatter")
    if kept is None or kept.x is not it.x:
        kept = it.memory["scatter"] = _Scatter(it.x)
    while not (left <= SCATTER * kept.largest)[open_].all():
        if kept.count == PERTURBED:
            return False
        kept.perturb(it)
    return True


class _Scatter:
    """The largest changes of the residuals next to x so far, and the number of points."""

    def __init__(self, x: Vector) -> None:
        self.x, self.largest, self.count = x, np.zeros_like(x), 0
        self._random = np.random.default_rng(0)

    def perturb(self, it: Iterate) -> None:
        """Evaluate another point."""
        self.count += 1
        signs = self._random.choice([-1.0, 1.0], len(self.x))
        F = it.evaluate(self.x * (1.0 + EPS * signs))
        if F is not None:
            self.largest = np.maximum(self.largest, np.abs(F - it.F))


def misses_its_linear_model(it: Iterate, open_: NDArray[np.bool_]) -> bool:
    """Whether residuals miss their linear model next to x by as much as their own size.

    That is rounding, also of constants within an equation, which no term tells of. The residual of
    equations that contradict each other follows its linear model.
    """
    if it.J is None:
        return False
    x, known = it.memory.get("misses", (None, False))
    if x is not it.x:
        known = _misses(it, open_)
        it.memory["misses"] = it.x, known
    return bool(known)


def _misses(it: Iterate, open_: NDArray[np.bool_]) -> bool:
    random, largest = np.random.default_rng(0), np.zeros(np.count_nonzero(open_))
    for _ in range(PERTURBED):
        change = BESIDE * it.weights * random.uniform(-1.0, 1.0, len(it.x))
        F = it.evaluate(it.x + change)
        if F is None:
            return False
        largest = np.maximum(largest, np.abs(F - it.F - it.J @ change)[open_])
        if (np.abs(it.F)[open_] <= SCATTER * largest).all():
            return True
    return False


def at_rounding(it: Iterate) -> bool:
    """Whether the residual of an iterate cannot be made smaller in this arithmetic."""
    if it.limited:
        return False  # what a limit cut off is not known to be small
    left, floor = np.abs(it.F), TERM_FLOOR * it.peak
    if it.J is None:
        if not (it.newton and it.step_size <= SMALL_STEP):
            return False
        sizes = np.maximum(it.scaling.magnitude, np.minimum(floor, it.weights))
        return bool((left <= PRODUCTS_ONLY * EPS * probed(it.product, sizes, PROBES)).all())
    if not it.fresh and not linearized_beside(it):
        return False
    own = NOISE * it.terms(np.maximum(it.scaling.magnitude, floor))
    noise = LINEAR_NOISE * it.S
    if it.scaling.unsized is not None:  # an equation without derivatives has no terms to cancel
        noise[it.terms(it.weights) == 0.0] = 0.0
    known = not (left > np.maximum(own, noise)).any()
    if not known and (left > NOISE * it.terms(_natural_sizes(it))).any():
        return False
    try:
        dx = it.newton_direction()
    except LinearSolveError:
        return False
    if not known:
        return _hides_constants(it, dx)
    if (np.abs(dx) > np.maximum(SMALL_STEP * it.peak, LINEAR_NOISE * it.weights)).any():
        return False
    open_ = left > it.scaling.allowed(UNITS * EPS)
    return not open_.any() or _no_other_cause(it, dx, open_)


def _no_other_cause(it: Iterate, dx: Vector, open_: NDArray[np.bool_]) -> bool:
    """Whether Newton's step fails to close equations, and neither curvature nor a jump says why."""
    F, middle = it.evaluate(it.x + dx), it.evaluate(it.x + 0.5 * dx)
    there = it.counted.linearize(it.x + dx)
    if F is None or middle is None or there is None:
        return False
    sizes = np.abs(it.F[open_]), np.abs(F[open_])
    if float((sizes[1] / it.S[open_]).max()) < 0.5 * float((sizes[0] / it.S[open_]).max()):
        return False  # Newton's method still decreases the residual
    stay = open_ & (np.abs(F) > it.scaling.allowed(UNITS * EPS))
    linear = it.J @ dx
    curvature, unsolved = there[1] @ dx - linear, it.F + linear  # no step solves a contradiction
    if (np.maximum(np.abs(curvature), np.abs(unsolved)) > EXPLAINED * np.abs(F))[stay].any():
        return False
    before, after = 0.5 * it.F, F + 0.5 * it.F  # on the lines from this end and from the other
    size = LINE * np.maximum(np.abs(it.F), np.abs(F))
    line = np.minimum(np.abs(middle - before), np.abs(middle - after)) <= size
    # a residual that changes along a chord decreases slowly, as with a wrong Jacobian
    line |= np.abs(middle - 0.5 * (it.F + F)) < LINE * np.abs(F - it.F)
    # Where the step itself is noise of the linear solve, a straight line says nothing. Sizes that a
    # block had before it vanished say nothing of this solve.
    now = np.minimum(it.S, it.terms(np.maximum(it.weights, np.abs(dx))))
    real = stay & (np.abs(it.F) > LINEAR_NOISE * now)
    return not bool((line & (F != 0.0))[real].all()) if real.any() else True


def _natural_sizes(it: Iterate) -> Vector:
    """Return the scale, or the size of the start, which is 1 at least."""
    if it.scaling.scale is not None:
        return it.scaling.scale
    return np.full(len(it.x), it.start_size)


def _hides_constants(it: Iterate, dx: Vector) -> bool:
    """Whether equations do not answer to changes as small as Newton's step, for all of it is noise.

    A structure at rest has no displacements, and its forces are rounding errors of the lengths of
    its members: no unknown tells of their size. Next to x the Jacobian stays the same then, and
    still each equation that Newton's step does not close misses its linear model at each point, by
    another amount. Next to a kink the Jacobian changes, and next to jumps few amounts occur.
    """
    closed, random = it.evaluate(it.x + dx), np.random.default_rng(0)
    if closed is None:
        return False
    left, held = np.abs(it.F), np.maximum(it.scaling.allowed(UNITS * EPS), LINEAR_NOISE * it.S)
    open_ = (left > held) & (np.abs(closed) > APART * left)
    errors, bent = np.empty((2, SHOWN, np.count_nonzero(open_)))
    for k in range(SHOWN):
        signs = random.choice([-1.0, 1.0], len(dx))
        x = it.x + np.abs(dx) * random.uniform(0.25, 1.0, len(dx)) * signs
        found = it.evaluate(x) is not None and it.counted.linearize(x)
        if not found:
            return False
        change = x - it.x
        errors[k] = np.abs(found[0] - it.F - it.J @ change)[open_]
        bent[k] = (np.abs(found[1] - it.J) @ np.abs(change))[open_]
        if not (errors[k] > APART * left[open_]).any():
            return False
    size = np.maximum(left[open_], errors.max(axis=0))
    gaps = np.diff(np.sort(errors, axis=0), axis=0, prepend=0.0)
    several = np.count_nonzero(gaps > APART * size, axis=0) >= DIFFERENT
    noise = (bent <= APART * size).all(axis=0) & (size <= SCATTER * errors.max(axis=0))
    return bool((several & noise).all())
