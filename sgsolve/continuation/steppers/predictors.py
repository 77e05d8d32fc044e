"""Predictors: the initial guess for the next point of a run, from the points before it.

In a sweep a predictor extrapolates to the next value of the parameter. The solve starts from the
guess or from the last solution, whichever has the smaller residual. In a continuation a predictor
gives the direction of the next step.

Reference: Allgower and Georg, Introduction to Numerical Continuation Methods (2003), chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...arrays import Vector
from ..stepper import Point

FURTHEST = 2.0  # longest extrapolation, in steps before it: steps grow by this factor, too


class Predictor(Protocol):
    """Compute the initial guess for the next point of a sweep."""

    needs_tangent: bool
    """Whether a sweep computes dx/dp at every solution for it."""

    def predict(self, family: Any, here: Point, before: Point | None, p: float) -> Vector | None:
        """Return a guess for x at p, or None if the residual is not finite at any."""
        ...


class CurvePredictor(Predictor, Protocol):
    """A predictor for sweeps and continuation."""

    def direction(self, here: Point, before: Point | None) -> Vector | None:
        """Return the direction of the next step in (x, p), of any length; None: the tangent."""
        ...


@dataclass(frozen=True)
class ConstantPredictor:
    """Predict the last solution; for sweeps only.

    See Also
    --------
    SecantPredictor, TangentPredictor

    Examples
    --------
    >>> from sgsolve.continuation import ConstantPredictor, Natural
    >>> steps = Natural(predictor=ConstantPredictor())
    """

    needs_tangent = False

    def predict(self, family: Any, here: Point, before: Point | None, p: float) -> Vector | None:
        """Return the last solution."""
        return here.x if family.residual_or_none(here.x, p) is not None else None


@dataclass(frozen=True)
class SecantPredictor:
    """Predict on the straight line through the last two solutions.

    See Also
    --------
    ConstantPredictor, TangentPredictor

    Examples
    --------
    >>> from sgsolve.continuation import Arclength, SecantPredictor
    >>> steps = Arclength(predictor=SecantPredictor())
    """

    needs_tangent = False

    def predict(self, family: Any, here: Point, before: Point | None, p: float) -> Vector | None:
        """Extrapolate along the secant, unless the last solution has a smaller residual."""
        if before is None or before.p == here.p:
            return ConstantPredictor().predict(family, here, before, p)
        share = extrapolated(here, before, p) / (here.p - before.p)
        return better(family, here, here.x + share * (here.x - before.x), p)

    def direction(self, here: Point, before: Point | None) -> Vector | None:
        """Return the difference of the last two points."""
        return None if before is None else here.z - before.z


@dataclass(frozen=True)
class TangentPredictor:
    """Predict on the tangent of the branch: dx/dp = -J^-1 dF/dp in a sweep.

    In a sweep it costs dF/dp and one solve per point with the factorization of the last solution.
    The sweep then also detects a jump to another branch.

    See Also
    --------
    ConstantPredictor, SecantPredictor

    Examples
    --------
    >>> from sgsolve import Problem
    >>> from sgsolve.continuation import Natural, TangentPredictor
    >>> problem = Problem(lambda x, a: x**2 - a)
    >>> branch = problem.sweep([1.0], "a", [1.0, 4.0], steps=Natural(predictor=TangentPredictor()))
    >>> branch.x
    array([2.])
    """

    needs_tangent = True

    def predict(self, family: Any, here: Point, before: Point | None, p: float) -> Vector | None:
        """Extrapolate along the tangent, unless the last solution has a smaller residual."""
        if here.at.ahead is None:
            return SecantPredictor().predict(family, here, before, p)
        reach = p - here.p if before is None else extrapolated(here, before, p)
        return better(family, here, here.x + reach * here.at.ahead, p)

    def direction(self, here: Point, before: Point | None) -> Vector | None:
        """Return None: the stepper has the tangent."""
        return None


def extrapolated(here: Point, before: Point, p: float) -> float:
    """Return the change of the parameter over which a line is extrapolated towards p.

    It is at most FURTHEST times the last change: the error of a line grows with the square of the
    distance. Values in a geometric series, 1e4, 1e5, 1e6, ask for ten times the last change.
    """
    furthest = FURTHEST * abs(here.p - before.p)
    return min(max(p - here.p, -furthest), furthest)


def better(family: Any, here: Point, guess: Vector, p: float) -> Vector | None:
    """Return the guess or the last solution, whichever has the smaller residual at p."""
    old, new = family.residual_or_none(here.x, p), family.residual_or_none(guess, p)
    if old is None or new is None:
        return here.x if new is None and old is not None else (guess if new is not None else None)
    sizes = here.at.sizes
    worse = float(np.abs(new / sizes).max()) > float(np.abs(old / sizes).max())
    return here.x if worse else guess
