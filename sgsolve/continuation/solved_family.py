"""The systems that a sweep solves, what it keeps of a solution, and the test for a jump.

A jump to another solution branch shows in the distance between two solutions: it is several times
larger than the tangents at both ends predict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..results.result import Result
from .family import Linear
from .stepper import Point

Vector = NDArray[Any]


@dataclass(eq=False)
class Solution:
    """What a sweep keeps of a point.

    Attributes
    ----------
    sizes : ndarray, shape (n,)
        The term sizes of the equations.
    ahead : ndarray, shape (n,), or None
        dx/dp on the way ahead, if the predictor wants it.
    behind : ndarray, shape (n,), or None
        The same on the way that led here; another one at a corner of a path of several parameters.
    nit : int
        Iterations of the solve.
    residual : float
        The largest residual relative to the terms of its equation.
    linear : Linear or None
        The linearization, where a detector asked for it.
    """

    sizes: Vector
    ahead: Vector | None = None
    behind: Vector | None = None
    nit: int = 0
    residual: float = 0.0
    linear: Linear | None = None

    @classmethod
    def of(cls, result: Result, ahead: Vector | None, behind: Vector | None) -> Solution:
        """Return what is kept of the result of a solve."""
        residual = float(result.scaled_residual.max(initial=0.0))
        return cls(result.sizes, ahead, behind, result.nit, residual)

    @property
    def J(self) -> Any:
        """The Jacobian of the linearization."""
        return self._linear.J

    @property
    def Fp(self) -> Vector:
        """The derivative of the residual by the parameter."""
        return self._linear.Fp

    @property
    def _linear(self) -> Linear:
        assert self.linear is not None, "a detector that needs it has a curve"
        return self.linear


class SolvedFamily(Protocol):
    """A family of systems that can be solved at a value; see `NaturalStepper`."""

    def solve(self, x: Vector, p: float, first: bool) -> Result:
        """Solve at p from x; the first point of a sweep has no solution to start from."""
        ...

    def residual_or_none(self, x: Vector, p: float) -> Vector | None:
        """Return F, or None where it is not finite."""
        ...

    def slopes(self, x: Vector, p: float) -> tuple[Vector | None, Vector | None]:
        """Return dx/dp ahead of and behind a solution that was found just now, or None."""
        ...

    def linearize(self, x: Vector, p: float) -> Linear | None:
        """Return F, J and dF/dp; None where they are not finite."""
        ...


def jump(here: Point, there: Point) -> float:
    """Return how much more the solution changed than its tangents at both ends say."""
    if here.at.ahead is None or there.at.behind is None:
        return 0.0
    distance = abs(there.p - here.p)
    slopes = (here.at.ahead, there.at.behind)
    says = distance * max(float(np.linalg.norm(slope)) for slope in slopes)
    change = float(np.linalg.norm(there.x - here.x))
    rounding = 1e-6 * max(float(np.linalg.norm(p.x)) for p in (here, there))
    return change / (says + rounding) if change > rounding else 0.0
