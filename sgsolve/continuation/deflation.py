"""Deflation: Newton's method that avoids known solutions, to find further ones.

F is multiplied by m(x), the product over known solutions r of 1 / |x - r|^p + 1. The Newton step of
m F is the Newton step of F times a number. A deflated iteration therefore costs as much as a plain
one, with the same sparse Jacobian.

The distance |x - r| is the root mean square of the distances of the unknowns, each in its own unit.
What is no more than the error of an unknown of r does not count: the rounding error of a large
unknown is no distance.

Reference: P. E. Farrell, A. Birkisson, S. W. Funke, SIAM J. Sci. Comput. 37 (2015) A2026; K. M.
Brown, W. B. Gearhart, Numer. Math. 16 (1971) 334.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import Vector
from ..errors import InputError
from ..results.status import Status
from ..solvers.limits import MaxChange
from ..solvers.method import NewtonMethod
from ..solvers.state.iterate import Iterate
from ..solvers.steps.direction import Direction, NewtonDirection
from .curve_points.metric import rms

LARGEST = 1e3  # limit on the factor of a step, which has a pole
ONTO = 1e-3  # a start this close to a known solution is changed


@dataclass(frozen=True, kw_only=True)
class Deflation:
    """Settings of deflation: how known solutions repel, and how many attempts are made.

    Parameters
    ----------
    power : float
        The exponent p of the distance; 2 by default. A larger one repels further.
    distance : float
        Two solutions are the same if they differ by less, relative to the size of each unknown.
    max_iterations : int
        Limit on the iterations of each attempt.
    attempts : int
        From each start. In turn solutions repel with `power`, half as strongly but ten times as
        far, and over a tenth of the distance. The last is for solutions close to each other. From
        the fourth attempt on the start is changed at random.
    shake : float
        Size of the random change, relative to the unknowns.

    Raises
    ------
    InputError
        If a setting is not positive.

    See Also
    --------
    Problem.find_solutions, Problem.deflated_continuation

    Examples
    --------
    >>> from sgsolve import Problem
    >>> from sgsolve.continuation import Deflation
    >>> problem = Problem(lambda x: x**3 - x)
    >>> len(problem.find_solutions([0.3], deflation=Deflation(attempts=3)))
    3
    """

    power: float = 2.0
    distance: float = 1e-6
    max_iterations: int = 100
    attempts: int = 6
    shake: float = 0.05

    def __post_init__(self) -> None:
        if self.power <= 0.0 or self.distance <= 0.0 or self.attempts < 1:
            raise InputError("power, distance and attempts of Deflation must be positive")

    def solver(
        self,
        known: list[Vector],
        size: Any,
        attempt: int,
        errors: Sequence[Vector] = (),
        repulsions: Sequence[int] = (),
    ) -> NewtonMethod:
        """Return a solver that avoids known solutions.

        `size` is that of the unknowns, one number or one for each; `errors` are those of the known
        solutions. An error counts up to the distance by which solutions are told apart. Each known
        solution repels with `power` times its number in `repulsions`, 1 by default.
        """
        factor, share = ((1.0, 1.0), (10.0, 0.5), (0.1, 1.0))[attempt % 3]
        direction = DeflatedDirection(
            known=tuple(known),
            errors=tuple(np.minimum(error, self.distance * size) for error in errors),
            power=share * self.power,
            repulsions=tuple(repulsions),
            size=factor * size,
        )
        return NewtonMethod(
            direction=direction,
            limits=(MaxChange(20.0 * float(np.max(size))),),
            max_iterations=self.max_iterations,
        )

    def starts(self, x: Vector, known: list[Vector], size: Any) -> list[Vector]:
        """Return the start of each attempt; `size` is one number or one for each unknown."""
        random = np.random.default_rng(0)
        with np.errstate(over="ignore"):  # what is infinitely far is not close
            onto = any(rms((x - other) / size) <= ONTO for other in known)
        starts = []
        for k in range(self.attempts if known else 1):
            change = self.shake * size * random.uniform(-1.0, 1.0, len(x))
            starts.append(x + change if k >= 3 or onto else x)
        return starts


@dataclass(frozen=True)
class DeflatedDirection:
    """The Newton direction of the deflated residual.

    Parameters
    ----------
    known : tuple of ndarray
        The known solutions.
    errors : tuple of ndarray
        Of each known solution, one error for each unknown; none by default.
    repulsions : tuple of int
        Of each known solution, the multiple of `power` that it repels with; 1 by default.
    size : float or ndarray, shape (n,)
        The size of the unknowns, the unit of distances.
    inner : Direction
        It computes the Newton direction of the residual itself.
    """

    known: tuple[Vector, ...]
    errors: tuple[Any, ...] = ()
    power: float = 2.0
    repulsions: tuple[int, ...] = ()
    size: Any = 1.0
    inner: Direction = field(default_factory=NewtonDirection)
    forms_jacobian = True

    def compute(self, it: Iterate) -> Status | None:
        """Set ``it.dx``."""
        status = self.inner.compute(it)
        if status is not None or not self.known:
            return status
        factor = 1.0 - self.slope(it.x, it.dx)
        if abs(factor) < 1.0 / LARGEST:
            factor = np.copysign(1.0 / LARGEST, factor)
        it.dx = it.dx / factor
        it.newton = False
        return None

    def slope(self, x: Vector, dx: Vector) -> float:
        """Return the derivative of log m along dx."""
        total, errors = 0.0, self.errors or (0.0,) * len(self.known)
        repulsions = self.repulsions or (1,) * len(self.known)
        for other, error, times in zip(self.known, errors, repulsions, strict=True):
            gap = x - other
            away = np.copysign(np.maximum(np.abs(gap) - error, 0.0), gap) / self.size
            square = np.float64(away @ away) / len(x)  # its powers overflow to infinity
            if square == 0.0:
                return 0.0
            if square == np.inf:
                continue
            along = float(away @ (dx / self.size)) / len(x)
            power = times * self.power
            total -= power / (1.0 + square ** (0.5 * power)) * along / square
        return total
