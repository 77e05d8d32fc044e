"""Changes of the equations in time that begin and end within one step.

A step evaluates the equations at its end, or at a few stages. A pulse of a source between them is
in no error estimate, and at rest steps are long. In long steps, what depends on time is therefore
sampled, and a step ends where such a change begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np

from ..arrays import Vector
from .evolution import EvolutionSystem
from .failures import flow_at, jump_between

SAMPLES = 256  # of what depends on time, in a run or a step
HIDDEN = 4.0  # times the changes from end to end of the step, and before it: more is hidden
HIDDEN_JUMP = 1.5  # times the change from end to end: a jump that is larger is hidden
ROUNDING = 1e-9  # of the largest value: a smaller change may be rounding
BEGINS = 1e-3  # share of the largest change at which the change begins
LATEST = 4  # jumps whose distances tell how short the next pulse may be
BISECTIONS = 60


class HiddenChanges:
    """Looks for changes within steps.

    Parameters
    ----------
    functions : sequence of callable
        Parameters that are functions of time, without those that declare their breakpoints.
    system : EvolutionSystem or None
        The equations, if the time is one of their parameters.
    t0, t1 : float
        Of the run.
    """

    def __init__(
        self,
        functions: Sequence[Callable[[float], Any]],
        system: EvolutionSystem | None,
        t0: float,
        t1: float,
    ) -> None:
        self.functions, self.system = functions, system
        self.t0, self.length = t0, t1 - t0

    def within(self, t: float, b: float, x: Vector, jumps: Sequence[float], rests: bool) -> float:
        """Return where a change begins in the step from t to b; infinity if there is none.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The unknowns at t.
        jumps : sequence of float
            Those that are known, increasing. Samples are at a third of the distance of the last
            ones: they may be the edges of pulses.
        rests : bool
            Whether the unknowns hardly change: the equations are sampled only then, or where they
            have jumped before.
        """
        past = jumps[max(0, bisect_right(jumps, t) - LATEST) : bisect_right(jumps, t)]
        a = past[-1] if past else self.t0
        apart = min((second - first for first, second in pairwise(past)), default=inf) / 3.0
        unit = min(apart, self.length / SAMPLES)
        found = min(
            (_begin_of_change(_array_valued(f), a, t, b, unit) for f in self.functions), default=inf
        )
        if self.system is not None and (rests or jumps):
            found = min(found, _begin_of_change(flow_at(self.system, x), a, t, b, unit))
        return found

    def jump(self, t: float, b: float) -> float | None:
        """Return where a parameter jumps between t and b, if one does."""
        places = [jump_between(_array_valued(f), t, b) for f in self.functions]
        return min((place for place in places if place is not None), default=None)


def _begin_of_change(
    value: Callable[[float], Vector], a: float, t: float, b: float, unit: float
) -> float:
    """Return where a hidden change of a function begins in t..b, where changes since a are seen."""
    n_samples = int(min((b - t) / unit, SAMPLES))
    if not n_samples:
        return inf
    here = value(t)

    def change(s: float) -> float:
        return float(np.abs(value(s) - here).max(initial=0.0))

    times = [t + (b - t) * k / (n_samples + 1) for k in range(n_samples + 1)]
    changes = [change(s) for s in times]
    largest, rounding = max(changes), ROUNDING * float(np.abs(here).max(initial=0.0))
    shown = max(change(b), rounding)
    if not largest > HIDDEN_JUMP * shown:
        return inf
    seen = max(HIDDEN * max(shown, change(max(a, t - (b - t)))), BEGINS * largest)
    least = seen if largest > seen else 0.5 * largest
    k = next(k for k, size in enumerate(changes) if size > least)
    low, high = times[k - 1], times[k]
    if not largest > seen:  # as large as changes before, unless it is a jump
        place = jump_between(value, low, high)
        return inf if place is None else place
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (low, middle) if change(middle) > least else (middle, high)
    return high


def _array_valued(f: Callable[[float], Any]) -> Callable[[float], Vector]:
    return lambda t: np.asarray(f(t), dtype=float)
