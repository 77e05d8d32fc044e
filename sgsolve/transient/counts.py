"""Numbers of steps, rejections and restarts of a run in time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counts:
    """Numbers of steps, rejections and restarts.

    Attributes
    ----------
    steps : int
        Accepted steps.
    by_error, by_newton : int
        Rejected steps.
    restarts : int
        Starts after the first one: at breakpoints, jumps and changed states.
    """

    steps: int = 0
    by_error: int = 0
    by_newton: int = 0
    restarts: int = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        """All of them, in the order of the attributes."""
        return self.steps, self.by_error, self.by_newton, self.restarts

    def reject(self, cause: str) -> None:
        """Count a rejected step."""
        if cause == "error":
            self.by_error += 1
        else:
            self.by_newton += 1

    def __str__(self) -> str:
        text = f"{self.steps} steps, {self.by_error} rejected by the error estimate, "
        text += f"{self.by_newton} by Newton's iteration"
        return text + (f", {self.restarts} restarts" if self.restarts else "")
