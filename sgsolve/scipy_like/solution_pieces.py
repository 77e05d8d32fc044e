"""The solution between the times of steps, as `scipy.integrate.solve_ivp` returns it.

This module is imported when such a solution is asked for: SciPy's integrators and what they import
take longer to import than all of this package does without them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scipy.integrate import DenseOutput, OdeSolution


class SolutionPiece(DenseOutput):
    """The solution within one step, a function of one time or of an array of times."""

    def __init__(self, begin: float, end: float, values: Callable[[Any], Any]) -> None:
        super().__init__(begin, end)
        self._values = values

    def _call_impl(self, t: Any) -> Any:
        return self._values(t)


def solution_of_pieces(
    times: Sequence[float], values: Sequence[Callable[[Any], Any]]
) -> OdeSolution:
    """Return the solution from its values within the steps between some times."""
    steps = zip(times[:-1], times[1:], values, strict=True)
    return OdeSolution(times, [SolutionPiece(*step) for step in steps])
