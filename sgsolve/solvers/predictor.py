"""Predictors: the guess for the next point of a sweep.

Extrapolation is cheap and usually right, and where it is wrong it is very wrong; so every guess is
compared with the last solution, by the residual at the new value, and the better of the two starts
the solve.

Reference: Allgower and Georg, Introduction to Numerical Continuation Methods (2003), chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]


@dataclass
class Point:
    """A solution at a value of the parameter.

    Attributes
    ----------
    value : float
    x : ndarray, shape (n,)
    sizes : ndarray, shape (n,)
        The term sizes of the equations.
    slope : ndarray, shape (n,), or None
        dx/dvalue on the way ahead, if the predictor wants it.
    behind : ndarray, shape (n,), or None
        The same on the way that led here; another one at a corner of a path of several parameters.
    """

    value: float
    x: Vector
    sizes: Vector
    slope: Vector | None = None
    behind: Vector | None = None


class Residuals(Protocol):
    """What a predictor may ask of a family of systems."""

    def residual(self, value: float, x: Vector) -> Vector | None:
        """Return F, or None where it is not finite."""
        ...


class Predictor(Protocol):
    """What proposes the next guess; `needs_slope` asks for dx/dvalue at every solution."""

    needs_slope: bool

    def predict(
        self, family: Any, here: Point, before: Point | None, value: float
    ) -> Vector | None:
        """Return a guess at `value`, or None if the residual is not finite at any."""
        ...


@dataclass(frozen=True)
class Constant:
    """The last solution."""

    needs_slope = False

    def predict(
        self, family: Any, here: Point, before: Point | None, value: float
    ) -> Vector | None:
        """Return the last solution."""
        return here.x if family.residual(value, here.x) is not None else None


@dataclass(frozen=True)
class Secant:
    """The straight line through the last two solutions, if that is better than the last one."""

    needs_slope = False

    def predict(
        self, family: Any, here: Point, before: Point | None, value: float
    ) -> Vector | None:
        """Extrapolate."""
        if before is None or before.value == here.value:
            return Constant().predict(family, here, before, value)
        share = (value - here.value) / (here.value - before.value)
        return better(family, here, here.x + share * (here.x - before.x), value)


@dataclass(frozen=True)
class Tangent:
    """The tangent -J^-1 dF/dp at the last solution, if that is better than the last one.

    It costs dF/dp and one solve per point with the factorization that the solution left behind, and
    lets the sweep notice a jump to another branch.
    """

    needs_slope = True

    def predict(
        self, family: Any, here: Point, before: Point | None, value: float
    ) -> Vector | None:
        """Follow the tangent."""
        if here.slope is None:
            return Secant().predict(family, here, before, value)
        return better(family, here, here.x + (value - here.value) * here.slope, value)


def better(family: Residuals, here: Point, guess: Vector, value: float) -> Vector | None:
    """Return the guess or the last solution, whichever has the smaller residual at `value`."""
    old, new = family.residual(value, here.x), family.residual(value, guess)
    if old is None or new is None:
        return here.x if new is None and old is not None else (guess if new is not None else None)
    worse = float(np.abs(new / here.sizes).max()) > float(np.abs(old / here.sizes).max())
    return here.x if worse else guess


def jump(here: Point, there: Point) -> float:
    """Return how much more the solution changed than its tangents at both ends say."""
    if here.slope is None or there.behind is None:
        return 0.0
    distance = abs(there.value - here.value)
    says = distance * max(float(np.linalg.norm(slope)) for slope in (here.slope, there.behind))
    change = float(np.linalg.norm(there.x - here.x))
    rounding = 1e-6 * max(float(np.linalg.norm(p.x)) for p in (here, there))
    return change / (says + rounding) if change > rounding else 0.0
