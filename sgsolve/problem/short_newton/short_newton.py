"""Newton's method with full steps for a small system, on kept arrays.

A whole solve takes a few calls for each iteration: F and J, by a kernel or by NumPy, LAPACK, and
loops that do everything else (`step_loops`). It takes the steps of `Newton`, or those of
`DampedNewton` as long as this takes full ones. It returns only solutions that the criteria of
`solvers` accept, and that the user's code confirms. In every other case it returns None, and the
solver itself starts from the same point.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from ...ad.kernels.compiled_evaluation import CompiledResult
from ...ad.kernels.loops.compiled_loops import CompiledLoops
from ...arrays import Vector
from ...errors import LinearSolveError
from ...linear.checks.accuracy import MAX_REFINE
from ...linear.solver import DirectParts
from ...pattern import Pattern
from ...results.blocks import Blocks
from ...solvers.acceptance.answered_rows import AnsweredRows
from . import band_loops, damping_loops, start_loops, step_loops
from .band_loops import BandSystem
from .evaluations import Evaluations
from .loop_memory import band_system, iterate_for, narrow_band
from .loop_state import ASK, EXAMINE, FIX, JACOBIAN, LEAVE, REFINE, RESCALE, SOLVED, STEP, VANISH
from .short_records import Record, Settings, ShortSolve

LOOPS = CompiledLoops(
    start_loops.started,
    damping_loops.stepped,
    damping_loops.accepted,
    step_loops.arrived,
    step_loops.continued,
    step_loops.answered,
    step_loops.fixed,
    step_loops.vanished,
    band_loops.factorized_band,
    band_loops.solved_band,
)
# To load the loops from disk, or to compile them, takes as long as so many short solves save.
LOADED, COMPILED = 60, 240
# After each vain attempt in a row twice as many solves make none, up to this number.
MOST_SKIPPED = 64
# After a step of the root of the tolerated error the residual alone will do: no step follows where
# the simplified correction is the estimate of the error. Otherwise the step must be shorter.
LAST = 0.03


class ShortNewton:
    """The arrays and loops for systems of one pattern.

    Parameters
    ----------
    parts : DirectParts
        The equilibrated matrix and the back end of the linear solver.

    Attributes
    ----------
    it : ShortIterate
    damped : bool
        Whether the steps are those of `DampedNewton`.
    stepped : bool
        Whether the last attempt took a step, which overwrites the factors.
    seconds : dict of str to float
        Of the last attempt.
    """

    def __init__(
        self,
        pattern: Pattern,
        parts: DirectParts,
        settings: Settings,
        blocks: Blocks,
        rows: AnsweredRows,
    ) -> None:
        self.parts, self.damped = parts, settings.damped
        self._vain = self._skipped = 0
        self.stepped = False
        self._told = np.zeros((2, len(blocks)))
        self.family: Any = None  # a `ShortFamily`, kept with these loops
        self.it = it = iterate_for(pattern, parts, settings, blocks, rows, self._told)
        self._last = math.sqrt(it.error) * (1.0 if self.damped else LAST)
        bound = LOOPS.bound(it)
        self._started, self._stepped, self._accepted, self._arrived = bound[:4]
        self._continued, self._answered, self._fixed, self._vanished = bound[4:]
        band = narrow_band(parts.backend)
        self.band: BandSystem | None = None
        if band is not None:
            self.band = band_system(it, band)
            self._factorized_band, self._solved_band = LOOPS.bound(self.band)

    def works_on(self, parts: DirectParts) -> bool:
        """Whether the loops are bound to the memory of these parts."""
        if self.parts != parts:
            return False
        if self.band is not None:
            return bool(self.band.band is parts.backend.band.flat)
        return not self.it.dense or self.it.full is parts.backend.memory

    def is_tried(self) -> bool:
        """Whether the next solve tries it: not so often where that was in vain."""
        if self._skipped:
            self._skipped -= 1
            return False
        return True

    def note_attempt(self, found: bool) -> None:
        """Note whether an attempt found a solution."""
        self._vain = 0 if found else self._vain + 1
        self._skipped = min(MOST_SKIPPED, 2**self._vain - 2) if self._vain else 0

    def solve(
        self,
        evaluations: Evaluations,
        x: Vector,
        found: CompiledResult,
        max_iterations: int,
        scale: Vector | None = None,
    ) -> ShortSolve | None:
        """Return a solution from x that is not confirmed; None if it takes the solver itself.

        Parameters
        ----------
        x : ndarray, shape (n,)
        found : CompiledResult
            F and J at x.
        scale : ndarray of shape (n,) or None
            The sizes of the unknowns that the problem has.
        """
        begun, it = perf_counter(), self.it
        self._begin(evaluations)
        if scale is not None:
            it.user_scale[...] = scale
        it.x[...] = x
        it.F[...], it.J[...] = found.F, found.data
        it.J_old[...] = found.data
        code, records = self._started(), [self._record(begun)]
        self.stepped = code != LEAVE
        while code in (STEP, RESCALE) and len(records) <= max_iterations:
            if not (self._solved(code) and self._evaluated()):
                return None
            if self.damped and not self._takes_full_step():
                return None
            code = self._arrived()
            records.append(self._record(begun))
            if code == JACOBIAN:
                code = self._continued() if self._linearized() else LEAVE
        vanished = code == VANISH
        if code == FIX:
            code = self._answered_by_factors(self._fixed)
        if code == ASK:
            code = self._asked(self._answered, EXAMINE)
        elif vanished:
            code = self._asked(self._vanished, LEAVE)
        if code not in (SOLVED, EXAMINE):
            return None
        if self.band is not None:
            self.parts.backend.take_factors(self.band.exchanges)
        return self._found(tuple(records), code == EXAMINE, vanished)

    def _begin(self, evaluations: Evaluations) -> None:
        self._evaluations = evaluations
        self.it.numbers[...] = 0.0
        self.seconds = dict.fromkeys(("residual", "jacobian", "analyze", "factor", "solve"), 0.0)
        self._n_residuals = self._n_jacobians = self._n_solves = 0

    def _evaluated(self) -> bool:
        """Evaluate at the next point: F alone where it is expected to be the last one."""
        it = self.it
        if self._evaluations.with_jacobian or not it.upcoming < self._last:
            return self._linearized()
        it.has_jacobian = 0.0
        return self._residual_at(it.x_new, it.F_new)

    def _linearized(self) -> bool:
        """Evaluate F and J at the next point."""
        start, it = perf_counter(), self.it
        new = self._evaluations.both(it.x_new)
        self.seconds["jacobian"] += perf_counter() - start
        self._n_jacobians += 1
        if new is None:
            return False
        it.F_new[...], it.J[...] = new.F, new.data
        it.has_jacobian = 1.0
        return True

    def _residual_at(self, x: Vector, out: Vector) -> bool:
        start = perf_counter()
        F = self._evaluations.residual(x)
        self.seconds["residual"] += perf_counter() - start
        self._n_residuals += 1
        if F is None:
            return False
        out[...] = F
        return True

    def _takes_full_step(self) -> bool:
        """Whether the damping takes the full step, by the simplified correction."""
        start, it = perf_counter(), self.it
        np.multiply(it.F_new, it.row, out=it.b)
        np.negative(it.b, out=it.b)
        taken = self._answered_by_factors(self._accepted) == STEP
        self.seconds["solve"] += perf_counter() - start
        return taken

    def _asked(self, decided: Callable[[], int], otherwise: int) -> int:
        """Decide by the residual at the point beside that was written; `otherwise` without one."""
        answers = self._residual_at(self.it.x_beside, self.it.F_beside)
        return decided() if answers else otherwise

    def _solved(self, code: int) -> bool:
        """Solve for the step, and write the next point; False if the answer is in doubt."""
        prepared, backend = self.parts
        start, it = perf_counter(), self.it
        try:
            if code == RESCALE:
                prepared.scaling.apply(it.J, prepared.values)
                np.multiply(it.F, it.row, out=it.b)
                np.negative(it.b, out=it.b)
            if self.band is not None:
                certain = self._factorized_band() == STEP
            elif it.dense and code == STEP:
                backend.factorize_memory()
                certain = True
            else:
                backend.factorize(prepared.A)
                certain = backend.doubtful is False
        except LinearSolveError:
            return False
        now = perf_counter()
        self.seconds["factor"] += now - start
        if not certain:
            return False
        right = self._answered_by_factors(self._stepped) == STEP
        self.seconds["solve"] += perf_counter() - now
        return right

    def _answered_by_factors(self, judged: Callable[[], int]) -> int:
        """Solve with the factors, refine while that is asked for, and return what is judged."""
        y, b = self.it.y, self.it.b
        self._n_solves += 1
        self._solve_with_factors()
        code = judged()
        for _ in range(MAX_REFINE):
            if code != REFINE:
                break
            first, right_side = y.copy(), b.copy()
            b[...] = self.it.r
            self._solve_with_factors()
            b[...] = right_side
            y += first
            code = judged()
        return code

    def _solve_with_factors(self) -> None:
        if self.band is not None:
            self._solved_band()
        else:
            self.it.y[...] = self.parts.backend.solve(self.it.b.copy(), False)

    def _record(self, begun: float) -> Record:
        return Record(self.it.numbers.tolist(), self._told.tolist(), perf_counter() - begun)

    def _found(self, records: tuple[Record, ...], unclear: bool, vanished: bool) -> ShortSolve:
        it = self.it
        x, F, scaled, S = (array.copy() for array in (it.x_new, it.F_new, it.scaled, it.S))
        counts = self._n_residuals, self._n_jacobians, self._n_solves
        return ShortSolve(
            x, F, scaled, S, records, bool(it.renewed), unclear, vanished, self.seconds, *counts
        )
