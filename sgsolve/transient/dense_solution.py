"""The solution of a run in time as a function of time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Vector
from ..errors import InputError


class DenseSolution:
    """The polynomials of all steps of a run.

    Within a step it is as accurate as the method; unknowns that follow algebraic equations are
    interpolated as the others are. At a jump it has the value after it.

    Parameters
    ----------
    begin : float
        The first time.

    Attributes
    ----------
    pieces : list of (float, callable)
        The end of each step, and the solution within it.

    Examples
    --------
    >>> solution = DenseSolution(0.0)
    >>> solution.pieces.append((1.0, lambda t: np.array([2.0 * t])))
    >>> solution(0.5), solution([0.0, 1.0])
    (array([1.]), array([[0.],
           [2.]]))
    """

    def __init__(self, begin: float) -> None:
        self.begin = begin
        self.pieces: list[tuple[float, Callable[[float], Vector]]] = []

    @property
    def end(self) -> float:
        """The last time."""
        return self.pieces[-1][0] if self.pieces else self.begin

    def __call__(self, t: ArrayLike) -> Vector:
        """Return the unknowns at a time, shape (n,), or at several, shape (times, n).

        Raises
        ------
        InputError
            A time is outside of the run.
        """
        times = np.asarray(t, dtype=float)
        inside = (times >= self.begin) & (times <= self.end)
        if not (self.pieces and inside.all()):
            raise InputError(
                f"the solution is known from t = {self.begin:.9g} to {self.end:.9g}, not at {t!r}"
            )
        ends = np.array([end for end, _ in self.pieces])
        found = [
            self.pieces[int(np.searchsorted(ends, time))][1](float(time)) for time in times.flat
        ]
        return found[0] if times.ndim == 0 else np.reshape(found, (*times.shape, -1))
