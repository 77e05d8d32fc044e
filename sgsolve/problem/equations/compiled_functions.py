"""The compiled functions of a problem, and what happens when they differ from the user's code.

Each solution is confirmed: the user's residual is evaluated once by NumPy and compared bit for bit.
A residual that is no pure function of x and its parameters gives other values. Its kernels are
dropped then, with a warning, and the solve continues without them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...ad.drivers.function_calls import evaluate_vector
from ...ad.kernels import machine
from ...ad.kernels.compiled_evaluation import CompiledEvaluation
from ...ad.kernels.stats import CompiledStats
from ...ad.kernels.variant import IMPURE
from ...errors import ImpureFunctionWarning
from ...pattern import Pattern
from ...results.blocks import Blocks

MOST_NAMED = 3


class CompiledFunctions:
    """Compiled evaluations of the functions of a problem, shared by all its solves.

    Copies and pickles start without kernels.

    Parameters
    ----------
    residual : callable
        ``residual(x, **parameters)``.

    Attributes
    ----------
    at_once : bool
        Whether kernels are made at once; for tests.
    steps_without_loops : int
        Steps in time that were made without `native_steps`, which has loops for them.
    """

    at_once = False

    def __init__(self, residual: Callable[..., Any]) -> None:
        machine.require_llvmlite()
        self._residual = residual
        self._evaluations: dict[Hashable, CompiledEvaluation] = {}
        self.stopped = ""
        self.steps_without_loops = 0
        self._patterns: dict[Hashable, Pattern] = {}

    def residual(self) -> CompiledEvaluation:
        """Return the evaluation of the residual by x."""
        return self.of("residual", self._residual)

    def of(self, key: Hashable, function: Callable[..., Any]) -> CompiledEvaluation:
        """Return the evaluation of another function of the same problem, by its key."""
        known = self._evaluations.get(key)
        if known is None:
            made = CompiledEvaluation(as_vector_function(function), self.at_once)
            known = self._evaluations.setdefault(key, made)
            if self.stopped:
                known.stop(self.stopped)
        return known

    def pattern_in_time(self, pattern: Pattern) -> Pattern:
        """Return the pattern of an earlier run if it is equal: its kernels serve again then."""
        return self.pattern_of("in time", pattern)

    def pattern_of(self, key: Hashable, pattern: Pattern) -> Pattern:
        """Return the latest pattern with this key if it is equal: its kernels serve again then."""
        known = self._patterns.get(key)
        if known is None or not known.equals(pattern):
            known = self._patterns[key] = pattern
        return known

    def stats(self) -> CompiledStats:
        """Return what was compiled so far, of all functions."""
        total = CompiledStats()
        for evaluation in list(self._evaluations.values()):
            total.add(evaluation.stats)
        return total

    @property
    def in_use(self) -> bool:
        """Whether any evaluation was compiled."""
        return any(e.stats.compiled for e in list(self._evaluations.values()))

    @property
    def is_impure(self) -> bool:
        """Whether kernels were dropped because a function gave other values than they did."""
        return any(e.stopped == IMPURE for e in list(self._evaluations.values()))

    def note(self, reason: str) -> None:
        """Count an evaluation that cannot be compiled."""
        stats = self.residual().stats
        stats.uncompiled += 1
        stats.reasons[reason] += 1

    def confirm(
        self, F: NDArray[Any], plain: Callable[[], NDArray[Any]], blocks: Blocks | None
    ) -> bool:
        """Compare F with what the user's code gives; drop all kernels if it differs.

        F may come from a kernel that was dropped meanwhile, for another member or in another
        thread. After that a residual that does not repeat its values has nothing to compare with.
        """
        if not self.in_use:
            return True
        dropped = bool(self.stopped)
        with np.errstate(all="ignore"):
            now = plain()
            if now.tobytes() == F.tobytes() or np.array_equal(F, now, equal_nan=True):
                return True
            if dropped:
                return not np.array_equal(plain(), now, equal_nan=True)
        self.drop(np.flatnonzero(now != F), blocks)
        return False

    def verify(
        self, x: NDArray[Any], params: Mapping[str, Any], F: NDArray[Any], blocks: Blocks | None
    ) -> None:
        """Drop all kernels if one that may serve at x gives another residual than F."""
        rows = self.residual().differing_rows(x, params, F)
        if len(rows):
            self.drop(rows, blocks)

    def drop(self, rows: NDArray[np.int64], blocks: Blocks | None) -> None:
        """Drop all kernels, make no more, and warn; once."""
        if self.stopped:
            return
        self.stopped = IMPURE
        for evaluation in list(self._evaluations.values()):
            evaluation.stop(IMPURE)
        names = [blocks.label(int(i)) if blocks is not None else str(int(i)) for i in rows]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        warnings.warn(
            f"the residual is not a pure function of x and its parameters: equation "
            f"{', '.join(names[:MOST_NAMED])}{more} differs from its compiled form. Something that "
            "it reads (a global, an array changed in place, an attribute, a random number) has "
            "changed. The solve continues without kernels; make what changes a "
            "parameter, problem.at(name=value), or leave compiled=True out. If nothing changes, it "
            "is a fault of sgsolve: please report it",
            ImpureFunctionWarning,
            stacklevel=2,
        )

    def __getstate__(self) -> tuple[Any, bool]:
        return self._residual, self.at_once

    def __setstate__(self, state: tuple[Any, bool]) -> None:
        CompiledFunctions.__init__(self, state[0])
        self.at_once = state[1]


def as_vector_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose lists of equations are one vector."""

    def evaluated(x: Any, /, **arguments: Any) -> Any:
        return evaluate_vector(function, x, **arguments)

    return evaluated
