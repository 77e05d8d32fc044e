"""Corrector: Newton's method from a predicted point to the curve, within a given plane.

The equations are F(z) = 0 and row . (z - z0) = 0. The start is close to the curve, so the iteration
is not damped. If it does not contract at once, the step was too long, and the reason is returned.
The plane normal to the tangent gives Keller's pseudo-arclength method; the plane p = const hits a
value of the parameter.

An equation holds if its residual is small by its own terms. Terms that vanish, as those of a state
at rest, are never larger than their residual. Two more steps of Newton's method show whether it is
rounding: what a change of the Jacobian explains is not. Steps go on as long as one closes an
equation, as those of a chain in which each unknown is the square of the one before.

Reference: H. B. Keller, in: Applications of Bifurcation Theory (1977) 359; Deuflhard, Newton
Methods for Nonlinear Problems (2011), section 5.2 (contraction as the criterion).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ...arrays import EPS, Mask, Vector
from ...errors import LinearSolveError
from ...norms import scalar_product
from ...pattern import matrix_product, transposed_product
from ...private_api import quiet
from ..family import Family, Linear, linearized, with_last
from .bordered import Bordered
from .metric import Metric

CONTRACTION = 0.7  # largest ratio of two Newton steps
# Of the step of the run, up to which the second Newton step may be longer than the first: in a thin
# rod that turns, the first one takes back the stretching, and the second one the bending.
SHORT = 0.05
NOISY = 30.0  # steps up to so many times that of rounding errors are rounding
ERROR = 1e-6  # largest Newton step at a converged point, relative to the step of the run
ROUNDING = 0.5  # ... and where rounding errors allow no smaller one but the residual is small
SINGULAR_JACOBIAN = "the bordered Jacobian is singular"
CANCELED = 1e-12  # part of a parameter that may be rounding where a step takes it to zero
FLOOR = 1e-6  # smaller components count as this part of the largest
LOOSE = 100.0  # tolerances of a point at which the iteration may end for want of a better one
UNITS = 4.0  # of rounding, within which an equation holds
CONFIRMED = 2  # Newton steps after which a residual that they do not close may be rounding
CHAIN = 4  # equations that lose their terms one after the other, and one test
EXPLAINED = 0.5  # of a residual, by a change of the Jacobian


@dataclass
class Corrected:
    """The result of a correction.

    Attributes
    ----------
    at : Linear or None
        The linearization at the solution; None after a failure.
    reason : str
        Why it failed.
    row : ndarray, shape (n + 1,), or None
        The last row with which the bordered Jacobian is factorized at the solution.
    """

    at: Linear | None
    iterations: int
    reason: str = ""
    row: Vector | None = None


class Candidate(NamedTuple):
    """A point of one correction whose residual and next step are small.

    Attributes
    ----------
    k : int
        Its iteration.
    at, before : Linear
        The linearizations at the point and at the one before it, if any.
    size : float
        Length of the next step.
    is_tight : bool
        Whether residual and step are within the tight tolerance.
    """

    k: int
    at: Linear
    before: Linear | None
    size: float
    is_tight: bool


@dataclass
class Examined:
    """What is known of the points of one correction whose residual and next step are small.

    Attributes
    ----------
    tight : list of int
        The iterations with a tight tolerance.
    near : (Linear, int) or None
        The last point at which all equations hold loosely and rounding hides what is left, and its
        iteration.
    doubtful : (Linear, ndarray of bool) or None
        The last point with open equations, and which these are.
    stalled : bool
        Whether a step more closes none of them.
    """

    tight: list[int] = field(default_factory=list)
    near: tuple[Linear, int] | None = None
    doubtful: tuple[Linear, Mask] | None = None
    stalled: bool = False


@dataclass
class Corrector:
    """Newton's method in a plane across a curve of solutions.

    Parameters
    ----------
    spent : int
        Iterations of all corrections so far.
    """

    family: Family
    bordered: Bordered
    metric: Metric
    tolerance: float = 1e-11
    max_iterations: int = 8
    spent: int = 0

    def correct(self, z: Vector, row: Vector, reach: float) -> Corrected:
        """Return to the curve from z, with row . z kept.

        Parameters
        ----------
        reach : float
            Length of the step that led to z. Tolerances are relative to it, and no correction may
            be longer than twice this.
        """
        target, before, canceled = scalar_product(row, z), np.inf, False
        at: Linear | None = None
        points, reason = Examined(), f"no convergence in {self.max_iterations} iterations"
        for k in range(self.max_iterations + 1):
            last, at = at, linearized(self.family, z)
            if at is None:
                reason = "the residual or the Jacobian is not finite"
                break
            try:
                self.factorize(at, row)
                left = with_last(-at.F, target - scalar_product(row, z))
                left = self._above_rounding(left, at, row) if points.tight else left
                step = self.bordered.solve(left)
            except LinearSolveError:
                reason = SINGULAR_JACOBIAN
                break
            size, scaled = self.metric.norm(step), self.scaled(at, reach, canceled)
            is_tight = scaled <= self.tolerance and size <= ERROR * reach
            if is_tight or (scaled <= LOOSE * self.tolerance and size <= ROUNDING * reach):
                if self._holds(points, Candidate(k, at, last, size, is_tight)):
                    if objection := self.family.objection(at):
                        return Corrected(None, k, objection)
                    if self.family.confirm(at.z, at.F):
                        return Corrected(at, points.tight[0], row=row)
                    continue
                if points.stalled:
                    break
            if not size <= 2.0 * reach:
                reason = "the corrector leaves the neighborhood"
                break
            if size > CONTRACTION * before and not is_tight:
                early = k == 1 and size <= SHORT * reach
                if not early or self._is_rounding(at, size):
                    reason = "the corrector does not contract"
                    break
            old, z, before = z[-1], z + step, size
            canceled = bool(old != 0.0 and abs(z[-1]) <= CANCELED * abs(old))
            if canceled:  # as on a branch along which the parameter stands still at zero
                z[-1] = 0.0
            self.spent += 1
        return self._nearest(points, reach, k, reason)

    def _holds(self, points: Examined, new: Candidate) -> bool:
        """Whether all equations hold within the tight tolerance."""
        if new.is_tight:
            points.tight.append(new.k)
        enough = len(points.tight) > CONFIRMED
        known = new.before if enough or not new.is_tight else None
        open_ = self._open(new.at, self.tolerance * (1.0 if new.is_tight else LOOSE), known)
        if open_.any():
            closes = points.doubtful is None or bool((points.doubtful[1] & ~open_).any())
            points.doubtful, points.stalled = (new.at, open_), enough and not closes
            return False
        if not new.is_tight and self._is_as_near_as_rounding_allows(new):
            points.near = new.at, new.k
        return new.is_tight

    def _is_as_near_as_rounding_allows(self, new: Candidate) -> bool:
        """Whether rounding hides what is left at a point, or makes the step that is left."""
        return self._hidden(new.at, new.before) or self._is_rounding(new.at, new.size)

    def _nearest(self, points: Examined, reach: float, k: int, reason: str) -> Corrected:
        """Return the best point where the iteration ended for want of a better one."""
        near: tuple[Linear | None, int] | None = points.near
        if near is None and points.doubtful is not None:
            near = self._at_zero(points.doubtful[0], reach), k
        if near is None or near[0] is None:
            return Corrected(None, k, reason)
        objection = self.family.objection(near[0])
        if objection or not self.family.confirm(near[0].z, near[0].F):
            return Corrected(None, k, objection or reason)
        return Corrected(*near)

    def _open(self, at: Linear, tolerance: float, before: Linear | None) -> Mask:
        """Return where a residual is not small by its own terms, and explained by the last step.

        Newton's step closes the linear model from the point before. What is left is due to a change
        of the Jacobian, or to rounding, of the equations or of the linear solution.
        """
        own, left = self._terms(at, at.z), np.abs(at.F)
        open_: Mask = left > tolerance * own
        if before is not None and open_.any():
            open_ &= self._bent(at, before)
        return open_

    def _bent(self, at: Linear, before: Linear) -> Mask:
        """Return where a change of the Jacobian explains the residual that Newton's step left."""
        step, left = at.z - before.z, np.abs(at.F)
        bent = np.abs((at.J - before.J) @ step[:-1] + (at.Fp - before.Fp) * step[-1])
        real: Mask = (bent > EXPLAINED * left) & (left > CANCELED * self._terms(at, step))
        return real

    def _is_rounding(self, at: Linear, size: float) -> bool:
        """Whether rounding errors of the residual make steps of a size, as along a null vector."""
        signs = np.random.default_rng(0).choice([-1.0, 1.0], len(at.F))
        noise = UNITS * EPS * self._terms(at, at.z) * signs
        try:
            step = self.bordered.solve(with_last(noise, 0.0))
        except LinearSolveError:
            return True
        return not size > NOISY * self.metric.norm(step)

    def _hidden(self, at: Linear, before: Linear | None) -> bool:
        """Whether rounding hides the residual: the curvature of no equation explains it.

        In a thin rod or shell the terms of stretching are 1e10 times those of bending. A residual
        that is small beside the former is none beside the latter.
        """
        if before is None:
            return False
        own = self._terms(at, at.z)
        return not (self._bent(at, before) & (np.abs(at.F) > UNITS * EPS * own)).any()

    def _at_zero(self, at: Linear, reach: float) -> Linear | None:
        """Return the point where the small unknowns of the open equations are zero, if all hold.

        At a multiple root at zero Newton's steps gain a factor each, and no term is ever larger
        than the residual. Equations that then lose their terms lose all of them.
        """
        pattern = self.family.pattern.matrix(np.ones(len(at.J.data)))
        small, there = np.abs(at.z[:-1]) <= self._unit(reach), at
        for _ in range(CHAIN):
            open_ = np.abs(there.F) > self.tolerance * self._terms(there, there.z)
            if not open_.any():
                return there
            z = there.z.copy()
            z[:-1][small & (transposed_product(pattern, open_.astype(float)) > 0.0)] = 0.0
            zero = linearized(self.family, z)
            if zero is None:
                return None
            there = zero
        return None

    def _terms(self, at: Linear, z: Vector) -> Vector:
        """Return the sizes of the terms of the equations for unknowns and a parameter."""
        sizes = self.family.pattern.matrix(np.abs(at.J.data))
        terms: Vector = matrix_product(sizes, np.abs(z[:-1])) + np.abs(at.Fp) * abs(z[-1])
        return terms

    def factorize(self, at: Linear, row: Vector) -> None:
        """Factorize [J Fp; row] at a point."""
        self.bordered.factorize(at.J, at.Fp[:, None], row[None, :], self.family.pattern)

    def tangent(self, row: Vector) -> Vector:
        """Return the unit tangent with row . tangent > 0, once [J Fp; row] is factorized.

        Raises
        ------
        LinearSolveError
            At a branch point.
        """
        edge = np.zeros(len(row))
        edge[-1] = 1.0
        return self.metric.unit(self.bordered.solve(edge))

    def scaled(self, at: Linear, reach: float, canceled: bool = False) -> float:
        """Return the largest residual relative to the terms of its equation.

        Parameters
        ----------
        canceled : bool
            A step took the parameter to zero: its terms are zero, and hide no residual.
        """
        x, p = at.z[:-1], float(at.z[-1])
        unit, magnitude = self._unit(reach), np.abs(x)
        typical: Any = float(magnitude.max())
        if self.family.scale is not None:  # it may be far larger than all unknowns
            typical = np.minimum(self.family.scale, typical) if typical > 0.0 else self.family.scale
        if self.metric.capped:
            unit = np.minimum(unit, typical)
        floor = np.maximum(FLOOR * typical, 1e-3 * unit)
        sizes = self.family.pattern.matrix(np.abs(at.J.data))
        terms = matrix_product(sizes, np.maximum(magnitude, floor))
        # a parameter far below its range counts by its own size; only zero has none
        terms = terms + np.abs(at.Fp) * (abs(p) or (0.0 if canceled else 1e-3 * reach))
        with quiet():  # a residual without terms is infinitely large
            worst = np.where(at.F == 0.0, 0.0, np.abs(at.F) / np.where(terms > 0.0, terms, 1e-300))
        return float(worst.max())

    def _unit(self, reach: float) -> Vector:
        """Return the size of a step in units of each unknown, shape (n,)."""
        unit: Vector = reach / np.sqrt((len(self.metric.weights) - 1) * self.metric.weights[:-1])
        return unit

    def _above_rounding(self, left: Vector, at: Linear, row: Vector) -> Vector:
        """Return the right side of a step with zero where it is rounding of its own terms.

        That of large terms would move unknowns that tend to zero, at each step.
        """
        plane = scalar_product(np.abs(row), np.abs(at.z))
        own = with_last(self._terms(at, at.z), plane)
        return np.where(np.abs(left) > UNITS * EPS * own, left, 0.0)
