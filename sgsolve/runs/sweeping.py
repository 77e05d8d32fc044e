"""Sweeping: a problem's parameters as a family of systems, and the `Branch` at the end.

The sweep itself (`solvers.sweep`) knows values, guesses and results; here they get a problem, one
workspace for all points (so one analysis), named outputs, events, progress, a checkpoint and a
report.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.rough import UnlocatedWarning, unlocated
from ..errors import ConvergenceError, DataTypeError, LinearSolveError, NotFiniteError, ShapeError
from ..problem.diagnosis import singular_along
from ..problem.parameter_family import Line
from ..problem.parameters import parameter_derivative
from ..problem.residual_system import ResidualSystem
from ..problem.solve import run_solver
from ..results.branch import Branch, PartialBranchWarning
from ..results.result import Result
from ..results.status import Status
from ..solvers.monitor import Monitor
from ..solvers.sweep import Stepping, Track, run_sweep
from ..solvers.workspace import Workspace
from .functions import UnfitError
from .sweep_watch import SweepWatch

Vector = NDArray[Any]


@dataclass(frozen=True)
class Path:
    """The values of a sweep: of one parameter, or of several that move from row to row.

    Attributes
    ----------
    names : tuple of str
    table : ndarray, shape (points, names)
    """

    names: tuple[str, ...]
    table: Vector

    @classmethod
    def of(cls, name: str | Sequence[str], values: Any) -> Path:
        """Check and gather the arguments of a sweep."""
        names = (name,) if isinstance(name, str) else tuple(name)
        if np.ma.is_masked(values):
            raise DataTypeError("values are a masked array; leave masked points out")
        table = np.asarray(values)
        if table.dtype.kind not in "biuf":
            raise DataTypeError(f"values must be real numbers, not dtype {table.dtype}")
        if isinstance(name, str) and table.ndim == 1:
            table = table[:, None]
        if table.ndim != 2 or table.size == 0 or table.shape[1] != len(names):
            wanted = "a list of numbers" if len(names) == 1 else f"rows of {len(names)} numbers"
            raise ShapeError(f"values must be {wanted}, not shape {np.shape(values)}")
        if not np.isfinite(table).all():
            raise NotFiniteError("values are not all finite")
        return cls(names, table.astype(float))

    @property
    def values(self) -> list[float]:
        """What the sweep steps through: the parameter, or the number of the row."""
        if len(self.names) == 1:
            return [float(value) for value in self.table[:, 0]]
        return [float(i) for i in range(len(self.table))]

    def line(self, t: float) -> Line:
        """Return the straight line that the sweep is on at t, that ahead at a row."""
        if len(self.names) == 1:
            return Line(self.names)
        i = min(int(np.floor(t)), max(len(self.table) - 2, 0))
        here, there = self.table[i], self.table[min(i + 1, len(self.table) - 1)]
        return Line(self.names, tuple(here), tuple(there - here), float(i))

    def line_behind(self, t: float) -> Line:
        """Return the line that led to t; another one than that ahead where it has a corner."""
        corner = len(self.names) > 1 and t > 0.0 and float(t).is_integer()
        return self.line(t - 1.0 if corner else t)

    def label(self, t: float, digits: int = 6) -> str:
        """Return where t is, in words of the user."""
        if len(self.names) == 1:
            return f"{t:.{digits}g}"
        values = ", ".join(f"{k} = {v:.{digits}g}" for k, v in self.params(t).items())
        return f"row {t:.{digits}g} ({values})"

    def place(self, t: float) -> str:
        """Return where t is, with the name of the parameter."""
        return f"{self.names[0]} = {self.label(t)}" if len(self.names) == 1 else self.label(t)

    def params(self, t: float) -> dict[str, Any]:
        """Return the parameters at t; exactly those of a row at its number."""
        if len(self.names) > 1 and float(t).is_integer():
            row = self.table[int(t)]
            return {name: float(v) for name, v in zip(self.names, row, strict=True)}
        return self.line(t).params(t)


class ParameterFamily:
    """The systems of a problem along a path; a `solvers.sweep.Family`.

    Parameters
    ----------
    system : ResidualSystem
        Prepared, at any value.
    path : Path
    workspace : Workspace
    first, following : solver
        For the first point, which has no better initial guess, and for the others.
    """

    def __init__(
        self,
        system: ResidualSystem,
        path: Path,
        workspace: Workspace,
        first: Any,
        following: Any,
        monitor: Monitor,
    ) -> None:
        self.system, self.path, self.workspace = system, path, workspace
        self._first, self._following, self._monitor = first, following, monitor
        self.n_slope = 0  # evaluations of dF/dp

    def at(self, value: float) -> ResidualSystem:
        """Return the system at a value."""
        return self.system.at(self.path.params(value))

    def residual(self, value: float, x: Vector) -> Vector | None:
        """Return F, or None where it is not finite or outside the model."""
        try:
            with np.errstate(all="ignore"):
                F = self.at(value).residual(x)
        except ArithmeticError:
            return None
        return F if np.isfinite(F).all() else None

    def solve(self, value: float, x: Vector, first: bool) -> Result:
        """Solve at a value from x."""
        system = self.at(value)
        F = system.prepare(x) if first else system.residual_quietly(x)
        solver = self._first if first else self._following
        return run_solver(solver, system, self.workspace, x, F, self._monitor)

    def slopes(self, value: float, x: Vector) -> tuple[Vector | None, Vector | None]:
        """Return dx/dvalue ahead of and behind a solution, by the factorization of its solve."""
        system, ahead, behind = self.at(value), self.path.line(value), self.path.line_behind(value)
        lines = (ahead,) if behind == ahead else (ahead, behind)
        self.n_slope += 1
        try:
            solver = self.workspace.solver(system.pattern)
            if not solver.factorized:
                solver.factorize(system.linearize(x)[1])
            moves = [i for i in range(len(ahead.names)) if any(line.direction[i] for line in lines)]
            B = np.zeros((len(x), len(lines)))
            for i in moves:
                Fp = parameter_derivative(system, x, ahead.names[i])
                B += np.outer(Fp, [line.direction[i] for line in lines])
            found = -solver.solve(B)
        except LinearSolveError:
            return None, None
        if not np.isfinite(found).all():
            return None, None
        return found[:, 0], found[:, -1]


def sweep_branch(
    family: ParameterFamily,
    x0: Vector,
    stepping: Stepping,
    watch: SweepWatch,
    raise_on_failure: bool,
) -> Branch:
    """Run the sweep and make the branch; warn or raise if it is partial."""
    values = family.path.values
    track, done = watch.resumed()
    try:
        if not done:
            track = run_sweep(family, x0, values, stepping, watch, track)
    except UnfitError as error:
        if not watch.count:
            raise
        track.status, watch.unfit = Status.OUTPUT_FAILED, str(error)
    except Exception:  # of the user's code; what was computed is not to be lost with it
        if watch.checkpoint is not None and watch.count:
            watch.write(track)
        raise
    finally:
        watch.close()
    if track.status is Status.STEP_TOO_SMALL and not watch.fold:
        watch.cause = _cause(family, track, watch)
        track.status = Status.SINGULAR_JACOBIAN if watch.cause else track.status
    vague = unlocated(watch.special)
    text = _message(family.path, track, watch, len(values))
    branch = watch.branch(track, f"{text}; {vague}" if vague else text)
    if vague:
        warnings.warn(vague, UnlocatedWarning, stacklevel=3)
    if watch.checkpoint is not None and len(branch):
        watch.write(track)
    if branch.success:
        return branch
    refused = not len(branch) or raise_on_failure
    if refused and track.status is not Status.INTERRUPTED:
        raise ConvergenceError(branch.message, branch)
    warnings.warn(branch.message, PartialBranchWarning, stacklevel=3)
    return branch


def _cause(family: ParameterFamily, track: Track, watch: SweepWatch) -> str:
    """Return why the Jacobian is singular at the first and at the last solution, if it is."""
    assert track.here is not None
    first = track.points[watch.kept[0]].value
    if first == track.here.value:
        return ""
    places = [(first, watch.states[0]), (track.here.value, track.here.x)]
    return singular_along([(family.at(value), x) for value, x in places], family.workspace)


def _message(path: Path, track: Track, watch: SweepWatch, wanted: int) -> str:
    name, done = path.names[0] if len(path.names) == 1 else path.names, watch.count
    if track.status.success:
        if watch.ending:
            return f"{done} values of {name!r} solved; it ends at {watch.ending}, as asked"
        return f"all {wanted} values of {name!r} solved"
    if not done and track.status is Status.INTERRUPTED:
        return f"0 of {wanted} values of {name!r} solved: {track.status.text}"
    if not done:
        reason = track.last.message if track.last is not None else track.status.text
        return (
            f"the first point of the sweep over {name!r} failed: {reason}. Start the sweep at a "
            "value where the problem is easy"
        )
    last = track.points[done - 1].value
    text = f"{done} of {wanted} values of {name!r} solved, the last {path.label(last)}"
    if track.here is not None and track.here.value != last:
        text += f" (and on to {path.label(track.here.value, 10)})"
    text += f": {watch.unfit or track.status.text}"
    if watch.fold:
        text += f"; {watch.fold}"
    elif track.rejected:
        value, reason = track.rejected[-1]
        text += f"; the last attempt was at {path.label(value)}: {reason}"
    if watch.cause:
        return (
            f"{text}; {watch.cause}. What to try: if these unknowns are determined up to a "
            "constant only, declare Problem(null_space=...), or prescribe one value of them"
        )
    return f"{text}. What to try: {track.status.advice}" if track.status.advice else text
