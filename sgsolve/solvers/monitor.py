"""The monitor of a solve: printing, the user's callback, the deadline, and where the solve began.

The Newton loop calls it once per iteration and stops if it returns True.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..arrays import Vector
from ..results.history import step_line, table_header
from .state.deadline import Deadline
from .state.iterate import Iterate
from .state.origin import Origin


def _interrupt(it: Iterate) -> bool:
    raise KeyboardInterrupt


@dataclass(frozen=True)
class Monitor:
    """Printing, the user's callback, the end of the time, and where the solve began.

    Parameters
    ----------
    callback : callable, optional
        Called as ``callback(iterate)`` after every iteration; the iterate has x, F, k, history.
        Returning True stops the solve.
    verbose : bool
        Print a line per iteration.
    deadline : float or Share
        When the time is over.
    others_follow : bool
        Whether another solver follows: one that hardly decreases the residual then ends early.
    origin : Origin, optional
        Where the solve began. Default: where the solver starts.
    """

    callback: Callable[[Iterate], Any] | None = None
    verbose: bool = False
    deadline: Deadline = math.inf
    others_follow: bool = False
    origin: Origin | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nobody watches a solve, and no time ends it."""
        return self.callback is None and not self.verbose and self.deadline == math.inf

    @classmethod
    def interrupting(cls) -> Monitor:
        """Return one that ends a solve at its start, as Ctrl-C does."""
        return cls(callback=_interrupt)

    def beginning_at(self, x: Vector, F: Vector) -> Monitor:
        """Return a copy for a solver that starts elsewhere: the solve began at x, if not before."""
        return self if self.origin is not None else replace(self, origin=Origin(x, F))

    def begin(self, name: str) -> None:
        """Print the header."""
        if self.verbose:
            print(f"{name}\n{table_header()}")

    def after(self, it: Iterate) -> bool:
        """Report an iteration; True to stop."""
        if self.verbose:
            print(step_line(it.history[-1]))
        return self.callback is not None and self.callback(it) is True
