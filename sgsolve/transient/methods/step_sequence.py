"""Several steps in time that were made in one go, before the run takes any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .time_step import RejectedStep, TimeStep


@dataclass(frozen=True)
class StepSequence:
    """Steps that follow each other.

    Attributes
    ----------
    steps : list of TimeStep
        Those before the last have no charge.
    take : callable
        Brings the method, the solver and the matrix to their end.
    """

    steps: list[TimeStep]
    take: Callable[[], None]


class SequenceMaker(Protocol):
    """Makes several steps in one go.

    Attributes
    ----------
    activity : int
        Whether the run makes such steps; -1: not decided. Part of its state.
    """

    activity: int

    def attempt(self, n_rows: int) -> StepSequence | RejectedStep | None:
        """Return the next steps, or why there is none; None where the stepper makes one itself.

        Parameters
        ----------
        n_rows : int
            Rows of the table so far.
        """
        ...
