"""Newton's method with full steps for a small system, on kept arrays.

A whole solve takes a few calls for each iteration: F and J, by a kernel or by NumPy, LAPACK, and
loops that do everything else (`step_loops`). It takes the steps of `NewtonMethod` with its default
parts. It returns only solutions that the criteria of `solvers` accept, and that the user's code
confirms. In every other case it returns None, and the solver itself starts from the same point.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...ad.kernels.compiled_evaluation import CompiledResult
from ...ad.kernels.compiled_loops import CompiledLoops
from ...errors import LinearSolveError
from ...linear.dense import Dense
from ...linear.solver import DirectParts
from ...pattern import Pattern
from ...solvers.damping import FullStep
from ...solvers.direction import NewtonDirection
from ...solvers.iterate import EPS
from ...solvers.method import NewtonMethod
from ...solvers.presets import Newton
from ...solvers.reuse import NoReuse
from ...solvers.termination import DEFAULT
from . import step_loops
from .loop_state import (
    BACKWARD_ERROR,
    EXAMINE,
    N_STATE,
    RENEWED,
    RESCALE,
    RESIDUAL,
    SCALED,
    SOLVED,
    STEP,
    STEP_ABSOLUTE,
    STEP_SIZE,
)

Vector = NDArray[np.float64]
Evaluate = Callable[[Vector], CompiledResult | None]

TOLERANCE, ERROR, ROUNDING = 1e-11, 1e-9, 4.0 * EPS  # of the default termination criterion
LOOPS = CompiledLoops(step_loops.started, step_loops.stepped, step_loops.arrived)
# To compile or load the loops takes as long as so many short solves save.
WORTH = 100
# After each vain attempt in a row twice as many solves make none, up to this number.
MOST_SKIPPED = 64


class Record(NamedTuple):
    """What the history says of an iteration."""

    residual: float
    scaled: float
    step: float
    absolute: float
    backward_error: float
    seconds: float


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
    seconds : dict of str to float
    """

    x: Vector
    F: Vector
    scaled: Vector
    S: Vector
    records: tuple[Record, ...]
    renewed: bool
    unclear: bool
    seconds: dict[str, float]


def takes_full_steps(solver: Any) -> bool:
    """Whether a solver is Newton's method with full steps and the default parts."""
    return (
        type(solver) in (Newton, NewtonMethod)
        and type(solver.damping) is FullStep
        and solver.damping.factor == 1.0
        and type(solver.direction) is NewtonDirection
        and type(solver.reuse) is NoReuse
        and not solver.limits
        and (solver.termination is DEFAULT or solver.termination == DEFAULT)
    )


class ShortNewton:
    """The arrays and loops for systems of one pattern.

    Parameters
    ----------
    pattern : Pattern
    parts : DirectParts
        The equilibrated matrix and the back end of the linear solver.

    Attributes
    ----------
    arrays : dict of str to ndarray
        By the names of parameters in `step_loops`.
    """

    def __init__(self, pattern: Pattern, parts: DirectParts) -> None:
        n, nnz = pattern.shape[0], pattern.nnz
        self.parts = parts
        self._vain = self._skipped = 0
        scaling = parts.prepared.scaling
        of_equations = ("x", "x_new", "F", "F_new", "b", "y", "r", "scale", "scaled", "S", "own")
        of_unknowns = ("magnitude", "weights", "terms", "of_columns", "x_start", "F_start", "x_run")
        of_steps = ("step", "step_old", "step_older", "closing", "change", "unproven")
        arrays: dict[str, NDArray[Any]] = {
            name: np.zeros(n) for name in (*of_equations, *of_unknowns, *of_steps)
        }
        arrays |= {name: np.zeros(nnz) for name in ("J", "J_old", "sizes")}
        arrays |= {
            "state": np.zeros(N_STATE),
            "starts": pattern.indptr,
            "columns": pattern.indices,
            "A": parts.prepared.values,
            "A_sizes": scaling.magnitude,
            "factor": scaling.factor,
            "row": scaling.row,
            "column": scaling.column,
        }
        numbers = {"n": n, "nnz": nnz, "tolerance": TOLERANCE, "error": ERROR, "rounding": ROUNDING}
        # The loops write the matrix into the memory of LAPACK, and look at the pivots there.
        self._dense = type(parts.backend) is Dense
        numbers["dense"] = int(self._dense)
        arrays["full"] = parts.backend.memory if self._dense else np.zeros(1)
        self.arrays = arrays
        self._started, self._stepped, self._arrived = LOOPS.bound({**arrays, **numbers})
        self._x, self._x_new = arrays["x"], arrays["x_new"]
        self._F, self._F_new, self._J = arrays["F"], arrays["F_new"], arrays["J"]
        self._J_old = arrays["J_old"]
        self._state = arrays["state"]
        self._b, self._y, self._row = arrays["b"], arrays["y"], arrays["row"]

    def works_on(self, parts: DirectParts) -> bool:
        """Whether the loops are bound to the memory of these parts."""
        memory = self.arrays["full"]
        return self.parts == parts and (not self._dense or memory is parts.backend.memory)

    def is_tried(self) -> bool:
        """Whether the next solve tries it: not so often where that was in vain."""
        if self._skipped:
            self._skipped -= 1
            return False
        return True

    def note_success(self, found: bool) -> None:
        """Note whether an attempt found a solution."""
        self._vain = 0 if found else self._vain + 1
        self._skipped = min(MOST_SKIPPED, 2**self._vain - 2) if self._vain else 0

    def solve(
        self, evaluate: Evaluate, x: Vector, found: CompiledResult, max_iterations: int
    ) -> ShortSolve | None:
        """Return a solution from x that is not confirmed; None if it takes the solver itself.

        Parameters
        ----------
        evaluate : callable
            F and J on this pattern; None where that takes the solver itself.
        x : ndarray, shape (n,)
        found : CompiledResult
            F and J at x.
        max_iterations : int
        """
        begun = perf_counter()
        seconds = dict.fromkeys(("residual", "jacobian", "analyze", "factor", "solve"), 0.0)
        self._x[...] = x
        self._F[...], self._J[...] = found.F, found.data
        self._J_old[...] = found.data
        code, records = self._started(), [self._record(begun)]
        while code in (STEP, RESCALE) and len(records) <= max_iterations:
            if not self._solved(code, seconds):
                return None
            start = perf_counter()
            new = evaluate(self._x_new)
            seconds["jacobian"] += perf_counter() - start
            if new is None:
                return None
            self._F_new[...], self._J[...] = new.F, new.data
            code = self._arrived()
            records.append(self._record(begun))
        if code not in (SOLVED, EXAMINE):
            return None
        return self._found(tuple(records), code == EXAMINE, seconds)

    def _solved(self, code: int, seconds: dict[str, float]) -> bool:
        """Solve for the step, and write the next point; False if the answer is in doubt."""
        prepared, backend = self.parts
        start = perf_counter()
        try:
            if code == RESCALE:
                prepared.scaling.apply(self._J, prepared.values)
                np.multiply(self._F, self._row, out=self._b)
                np.negative(self._b, out=self._b)
            if self._dense and code == STEP:
                backend.factorize_memory()
            else:
                backend.factorize(prepared.A)
        except LinearSolveError:
            return False
        now = perf_counter()
        seconds["factor"] += now - start
        if backend.doubtful is not False:
            return False
        self._y[...] = backend.solve(self._b.copy(), False)
        right = self._stepped() == STEP
        seconds["solve"] += perf_counter() - now
        return right

    def _record(self, begun: float) -> Record:
        state = self._state.tolist()
        return Record(
            state[RESIDUAL], state[SCALED], state[STEP_SIZE], state[STEP_ABSOLUTE],
            state[BACKWARD_ERROR], perf_counter() - begun,
        )  # fmt: skip

    def _found(
        self, records: tuple[Record, ...], unclear: bool, seconds: dict[str, float]
    ) -> ShortSolve:
        arrays = self.arrays
        x, F, scaled, S = (arrays[k].copy() for k in ("x_new", "F_new", "scaled", "S"))
        return ShortSolve(x, F, scaled, S, records, bool(self._state[RENEWED]), unclear, seconds)
