"""Numbers of steps, rejections and restarts of a run in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .time_step import TimeStep

HIGHEST = 5  # order of a formula


@dataclass
class Counts:
    """Numbers of steps, rejections and restarts.

    Attributes
    ----------
    by_error, by_newton : int
        Rejected steps.
    restarts : int
        Starts after the first one: at breakpoints, jumps and changed states.
    of_order : list of int
        Accepted steps by the order of the formula, from 0.
    """

    by_error: int = 0
    by_newton: int = 0
    restarts: int = 0
    of_order: list[int] = field(default_factory=lambda: [0] * (HIGHEST + 1))

    @classmethod
    def of(cls, numbers: Sequence[int]) -> Counts:
        """Return those whose `numbers` were these."""
        by_error, by_newton, restarts, *of_order = numbers
        return cls(by_error, by_newton, restarts, of_order)

    @property
    def numbers(self) -> list[int]:
        """All of them in one list."""
        return [self.by_error, self.by_newton, self.restarts, *self.of_order]

    def take(self, step: TimeStep) -> None:
        """Count an accepted step."""
        self.of_order[step.order] += 1

    def reject(self, cause: str) -> None:
        """Count a rejected step."""
        if cause == "error":
            self.by_error += 1
        else:
            self.by_newton += 1

    def __str__(self) -> str:
        text = f"{sum(self.of_order)} steps, {self.by_error} rejected by the error estimate, "
        text += f"{self.by_newton} by Newton's iteration"
        return text + (f", {self.restarts} restarts" if self.restarts else "")
