"""What a short solve is made for, what it found, and the numbers of its iterations."""

from __future__ import annotations

from typing import NamedTuple

from ...arrays import Vector
from ...solvers.acceptance.usual_criterion import UsualCriterion
from .short_iterate import ShortIterate


class Record(NamedTuple):
    """The numbers of an iteration, for the history.

    Attributes
    ----------
    numbers : list of float
        Those of the `ShortIterate`.
    told : list of list of float
        The largest residual and the largest step in each block.
    seconds : float
        Since the start of the solve.
    """

    numbers: list[float]
    told: list[list[float]]
    seconds: float

    def number(self, name: str) -> float:
        """Return a number by its name."""
        return self.numbers[ShortIterate.changing.index(name)]


class Settings(NamedTuple):
    """What the loops of a pattern are made for.

    Attributes
    ----------
    damped : bool
        Whether the steps are those of `DampedNewton`.
    has_scale : bool
        Whether the problem has sizes of the unknowns.
    """

    damped: bool
    criterion: UsualCriterion
    has_scale: bool


class ShortSolve(NamedTuple):
    """A solution, and what it took.

    Attributes
    ----------
    x, F, scaled, S : ndarray, shape (n,)
        See `Result`.
    records : tuple of Record
        Of the start and of every iteration.
    renewed : bool
        Whether the Jacobian was taken again to judge the solution.
    unclear : bool
        Whether the residual may only tend to zero: it has to be examined.
    vanished : bool
        Whether unknowns were set to zero after the last iteration of the records.
    seconds : dict of str to float
    n_compiled : int
        Evaluations by kernels, where these are counted here.
    n_residuals, n_jacobians, n_solves : int
        Evaluations of F alone, and of F and J after the start; solves with factors.
    """

    x: Vector
    F: Vector
    scaled: Vector
    S: Vector
    records: tuple[Record, ...]
    renewed: bool
    unclear: bool
    vanished: bool
    seconds: dict[str, float]
    n_residuals: int
    n_jacobians: int
    n_solves: int
    n_compiled: int = 0

    @property
    def nit(self) -> int:
        """Iterations, of which the one that set unknowns to zero has no record."""
        return len(self.records) - 1 + self.vanished
