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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...ad.kernels.compiled_evaluation import CompiledResult
from ...ad.kernels.compiled_loops import CompiledLoops
from ...errors import LinearSolveError
from ...linear.accuracy import MAX_REFINE
from ...linear.band_storage import NARROW
from ...linear.banded import BandMemory
from ...linear.solver import DirectParts
from ...pattern import Pattern
from ...results.blocks import Blocks
from ...solvers.determination import small_changes
from ...solvers.termination import UsualCriterion
from . import band_loops, damping_loops, step_loops
from .evaluations import Evaluations
from .loop_state import (
    ASK,
    BACKWARD_ERROR,
    EXAMINE,
    FIX,
    JACOBIAN,
    KNOWN,
    LEAVE,
    N_STATE,
    REFINE,
    RENEWED,
    RESCALE,
    SOLVED,
    STEP,
    UPCOMING,
    VANISH,
)

Vector = NDArray[np.float64]

LOOPS = CompiledLoops(
    step_loops.started,
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


class Record(NamedTuple):
    """The numbers of an iteration, for the history.

    Attributes
    ----------
    state : list of float
        Those of the loops; behind them the largest residual and step in each block.
    seconds : float
        Since the start of the solve.
    """

    state: list[float]
    seconds: float

    @property
    def backward_error(self) -> float:
        """Of the last linear solve."""
        return self.state[BACKWARD_ERROR]


class Settings(NamedTuple):
    """What the loops of a pattern are made for.

    Attributes
    ----------
    damped : bool
        Whether the steps are those of `DampedNewton`.
    criterion : UsualCriterion
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

    @property
    def nit(self) -> int:
        """Iterations, of which the one that set unknowns to zero has no record."""
        return len(self.records) - 1 + self.vanished


def arrays_of_loops(
    pattern: Pattern, parts: DirectParts, blocks: Blocks
) -> dict[str, NDArray[Any]]:
    """Return the arrays of the loops by the names of their parameters."""
    n, nnz = pattern.shape[0], pattern.nnz
    scaling, backend = parts.prepared.scaling, parts.backend
    of_equations = ("F", "F_new", "F_start", "F_beside", "b", "y", "r", "scale", "scaled", "S")
    of_unknowns = ("x", "x_new", "x_start", "x_run", "x_beside", "magnitude", "weights", "terms")
    of_scale = ("user_scale", "held_sizes", "sized", "free")
    of_blocks = ("floors", "largest_in", "run_in")
    state = np.zeros(N_STATE + 2 * len(blocks))  # and what the history tells of each block
    told = state[N_STATE:].reshape(2, -1)
    of_steps = ("step", "step_old", "step_older", "dx", "correction", "of_columns")
    of_closed = ("own", "closing", "change", "unproven", "known", "asked", "small")
    names = (*of_equations, *of_unknowns, *of_scale, *of_steps, *of_closed)
    numbers = {name: k for k, name in enumerate(blocks)}
    return {
        **{name: np.zeros(n) for name in names},
        **{name: np.zeros(len(blocks)) for name in of_blocks},
        "block": blocks.spread(numbers, 0.0).astype(np.int32),
        **{name: np.zeros(nnz) for name in ("J", "J_old", "J_known", "sizes")},
        "state": state,
        "residual_in": told[0],
        "step_in": told[1],
        "parts": small_changes(np.ones(n)),
        "starts": pattern.indptr,
        "columns": pattern.indices,
        "A": parts.prepared.values,
        "A_sizes": scaling.magnitude,
        "factor": scaling.factor,
        "row": scaling.row,
        "column": scaling.column,
        # The loops write a full matrix into the memory of LAPACK, and look at the pivots there.
        "full": np.zeros(1) if backend.memory is None else backend.memory,
        **arrays_of_band(n, narrow_band(backend)),
    }


def narrow_band(backend: Any) -> BandMemory | None:
    """Return the band of a back end that the loops factorize; None for another storage."""
    band: BandMemory | None = getattr(backend, "band", None)
    return band if band is not None and band.lower + band.upper <= NARROW else None


def arrays_of_band(n: int, band: BandMemory | None) -> dict[str, NDArray[Any]]:
    """Return the arrays of a band; without elements where there is none."""
    names = ("places", "before", "after")
    if band is None:
        none = {name: np.zeros(0, dtype=np.int32) for name in (*names, "exchanges")}
        return {**none, "band": np.zeros(0), "work": np.zeros(0)}
    orders = [np.arange(n) if order is None else order for order in (band.before, band.after)]
    indices = (band.places, *orders)
    return {
        **{k: v.astype(np.int32) for k, v in zip(names, indices, strict=True)},
        "exchanges": np.zeros(n, dtype=np.int32),
        "band": band.flat,
        "work": np.zeros(n),
    }


class ShortNewton:
    """The arrays and loops for systems of one pattern.

    Parameters
    ----------
    pattern : Pattern
    parts : DirectParts
        The equilibrated matrix and the back end of the linear solver.
    settings : Settings
    blocks : Blocks

    Attributes
    ----------
    arrays : dict of str to ndarray
        By the names of parameters in `step_loops`.
    damped : bool
        Whether the steps are those of `DampedNewton`.
    stepped : bool
        Whether the last attempt took a step, which overwrites the factors.
    seconds : dict of str to float
        Of the last attempt.
    """

    def __init__(
        self, pattern: Pattern, parts: DirectParts, settings: Settings, blocks: Blocks
    ) -> None:
        self.parts, self.damped = parts, settings.damped
        self._vain = self._skipped = 0
        self.stepped = False
        n, nnz = pattern.shape[0], pattern.nnz
        arrays = arrays_of_loops(pattern, parts, blocks)
        tolerance, error, rounding, of_scale = settings.criterion
        of_scale = of_scale and settings.has_scale
        numbers = {"n": n, "nnz": nnz, "tolerance": tolerance, "error": error, "rounding": rounding}
        self._dense = parts.backend.memory is not None
        numbers |= {"dense": int(self._dense), "damped": int(self.damped)}
        band = narrow_band(parts.backend)
        self._banded = band is not None
        lower, upper = (0, 0) if band is None else (band.lower, band.upper)
        numbers |= {"lower": lower, "upper": upper}
        numbers |= {"n_blocks": len(blocks), "of_scale": int(of_scale)}
        numbers |= {"has_scale": int(settings.has_scale)}
        self.arrays = arrays
        self._last = math.sqrt(error) * (1.0 if self.damped else LAST)
        bound = LOOPS.bound({**arrays, **numbers})
        self._started, self._stepped, self._accepted, self._arrived = bound[:4]
        self._continued, self._answered, self._fixed, self._vanished = bound[4:8]
        self._factorized_band, self._solved_band = bound[8:]
        self._x, self._x_new = arrays["x"], arrays["x_new"]
        self._F, self._F_new, self._J = arrays["F"], arrays["F_new"], arrays["J"]
        self._J_old = arrays["J_old"]
        self._state = arrays["state"]
        self._b, self._y, self._r, self._row = (arrays[k] for k in ("b", "y", "r", "row"))

    def works_on(self, parts: DirectParts) -> bool:
        """Whether the loops are bound to the memory of these parts."""
        if self.parts != parts:
            return False
        if self._banded:
            return bool(self.arrays["band"] is parts.backend.band.flat)
        return not self._dense or self.arrays["full"] is parts.backend.memory

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
        evaluations : Evaluations
        x : ndarray, shape (n,)
        found : CompiledResult
            F and J at x.
        max_iterations : int
        scale : ndarray of shape (n,) or None
            The sizes of the unknowns that the problem has.
        """
        begun = perf_counter()
        self._begin(evaluations)
        if scale is not None:
            self.arrays["user_scale"][...] = scale
        self._x[...] = x
        self._F[...], self._J[...] = found.F, found.data
        self._J_old[...] = found.data
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
        if self._banded:
            self.parts.backend.take_factors(self.arrays["exchanges"])
        return self._found(tuple(records), code == EXAMINE, vanished)

    def _begin(self, evaluations: Evaluations) -> None:
        self._evaluations = evaluations
        self.seconds = dict.fromkeys(("residual", "jacobian", "analyze", "factor", "solve"), 0.0)
        self._n_residuals = self._n_jacobians = self._n_solves = 0

    def _evaluated(self) -> bool:
        """Evaluate at the next point: F alone where it is expected to be the last one."""
        last = self._state[UPCOMING] < self._last
        if self._evaluations.with_jacobian or not last:
            return self._linearized()
        self._state[KNOWN] = 0.0
        return self._residual_at(self._x_new, self._F_new)

    def _linearized(self) -> bool:
        """Evaluate F and J at the next point."""
        start = perf_counter()
        new = self._evaluations.both(self._x_new)
        self.seconds["jacobian"] += perf_counter() - start
        self._n_jacobians += 1
        if new is None:
            return False
        self._F_new[...], self._J[...] = new.F, new.data
        self._state[KNOWN] = 1.0
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
        start = perf_counter()
        np.multiply(self._F_new, self._row, out=self._b)
        np.negative(self._b, out=self._b)
        taken = self._answered_by_factors(self._accepted) == STEP
        self.seconds["solve"] += perf_counter() - start
        return taken

    def _asked(self, decided: Callable[[], int], otherwise: int) -> int:
        """Decide by the residual at the point beside that was written; `otherwise` without one."""
        answers = self._residual_at(self.arrays["x_beside"], self.arrays["F_beside"])
        return decided() if answers else otherwise

    def _solved(self, code: int) -> bool:
        """Solve for the step, and write the next point; False if the answer is in doubt."""
        prepared, backend = self.parts
        start = perf_counter()
        try:
            if code == RESCALE:
                prepared.scaling.apply(self._J, prepared.values)
                np.multiply(self._F, self._row, out=self._b)
                np.negative(self._b, out=self._b)
            if self._banded:
                certain = self._factorized_band() == STEP
            elif self._dense and code == STEP:
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
        y = self._y
        self._n_solves += 1
        self._solve_with_factors()
        code = judged()
        for _ in range(MAX_REFINE):
            if code != REFINE:
                break
            first, b = y.copy(), self._b.copy()
            self._b[...] = self._r
            self._solve_with_factors()
            self._b[...] = b
            y += first
            code = judged()
        return code

    def _solve_with_factors(self) -> None:
        if self._banded:
            self._solved_band()
        else:
            self._y[...] = self.parts.backend.solve(self._b.copy(), False)

    def _record(self, begun: float) -> Record:
        return Record(self._state.tolist(), perf_counter() - begun)

    def _found(self, records: tuple[Record, ...], unclear: bool, vanished: bool) -> ShortSolve:
        arrays = self.arrays
        x, F, scaled, S = (arrays[k].copy() for k in ("x_new", "F_new", "scaled", "S"))
        renewed = bool(self._state[RENEWED])
        counts = self._n_residuals, self._n_jacobians, self._n_solves
        return ShortSolve(
            x, F, scaled, S, records, renewed, unclear, vanished, self.seconds, *counts
        )
