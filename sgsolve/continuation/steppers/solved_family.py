"""The systems that a sweep solves, what it keeps of a solution, and the test for a jump.

A jump to another solution branch shows in the distance between two solutions: it is several times
larger than the tangents at both ends predict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...arrays import Vector
from ...results.result import Result
from ..family import Linear
from ..stepper import Point


@dataclass(eq=False)
class Solution:
    """The data of a sweep at one of its points.

    Attributes
    ----------
    sizes : ndarray, shape (n,)
        The term sizes of the equations.
    ahead : ndarray, shape (n,), or None
        dx/dp in the direction of the next step, if the predictor needs it.
    behind : ndarray, shape (n,), or None
        dx/dp in the direction of the last step. It differs from `ahead` at a corner of a path of
        several parameters.
    nit : int
        Iterations of the solve.
    residual : float
        The largest residual relative to the terms of its equation.
    linear : Linear or None
        The linearization, if a detector needs it.
    """

    sizes: Vector
    ahead: Vector | None = None
    behind: Vector | None = None
    nit: int = 0
    residual: float = 0.0
    linear: Linear | None = None

    @classmethod
    def of(cls, result: Result, ahead: Vector | None, behind: Vector | None) -> Solution:
        """Return the data of the result of a solve."""
        residual = float(result.scaled_residual.max(initial=0.0))
        return cls(result.sizes, ahead, behind, result.nit, residual)


class SolvedFamily(Protocol):
    """A family of systems that can be solved at a value; see `NaturalStepper`."""

    def solve(self, x: Vector, p: float, first: bool) -> Result:
        """Solve at p from x; `first` is True for the first point of a sweep."""
        ...

    def save(self) -> dict[str, Any]:
        """Return what a resumed sweep needs to compute the same."""
        ...

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        ...

    def residual_or_none(self, x: Vector, p: float) -> Vector | None:
        """Return F, or None where it is not finite."""
        ...

    def slopes(self, x: Vector, p: float) -> tuple[Vector | None, Vector | None]:
        """Return dx/dp ahead of and behind the solution of the last solve, or None."""
        ...

    def linearize(self, x: Vector, p: float) -> Linear | None:
        """Return F, J and dF/dp; None where they are not finite."""
        ...


def jump(here: Point, there: Point) -> float:
    """Return the ratio of the change of the solution to that predicted by its tangents."""
    if here.at.ahead is None or there.at.behind is None:
        return 0.0
    distance = abs(there.p - here.p)
    slopes = (here.at.ahead, there.at.behind)
    says = distance * max(float(np.linalg.norm(slope)) for slope in slopes)
    change = float(np.linalg.norm(there.x - here.x))
    rounding = 1e-6 * max(float(np.linalg.norm(p.x)) for p in (here, there))
    return change / (says + rounding) if change > rounding else 0.0
