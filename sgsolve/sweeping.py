"""Sweeping: a problem's parameter as a family of systems, and the `Branch` at the end.

One idea: the sweep itself (`solvers.sweep`) knows values, guesses and results; here they get a
problem, one workspace for all points (so one analysis), named outputs, progress and a report.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bound import BoundSystem
from .branch import Branch, PartialBranchWarning
from .errors import ConvergenceError
from .outputs import Outputs, progress_bar
from .report import conclude
from .result import Result
from .solvers.monitor import Monitor
from .solvers.sweep import Stepping, Track, run_sweep
from .solvers.workspace import Workspace
from .status import Status

Vector = NDArray[Any]


class ParameterFamily:
    """The systems of a problem for each value of one parameter; a `solvers.sweep.Family`.

    Parameters
    ----------
    system : BoundSystem
        Prepared, at any value.
    name : str
    workspace : Workspace
    first, following : solver
        For the first point, which starts cold, and for the others.
    """

    def __init__(
        self,
        system: BoundSystem,
        name: str,
        workspace: Workspace,
        first: Any,
        following: Any,
        monitor: Monitor,
    ) -> None:
        self.system, self.name, self.workspace = system, name, workspace
        self._first, self._following, self._monitor = first, following, monitor

    def at(self, value: float) -> BoundSystem:
        """Return the system at a value."""
        return self.system.at(**{self.name: value})

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
        return conclude(solver, system, self.workspace, x, F, self._monitor)

    def tangent(self, value: float, x: Vector) -> Vector | None:
        """Return dx/dvalue at a solution, or None if the Jacobian is singular."""
        from .sensitivity import tangent

        return tangent(self.at(value), self.workspace, x, self.name)


def sweep_branch(
    family: ParameterFamily,
    x0: Vector,
    values: list[float],
    stepping: Stepping,
    outputs: Outputs,
    progress: bool | None,
    raise_on_failure: bool,
) -> Branch:
    """Run the sweep and make the branch; warn or raise if it is partial."""
    bar = progress_bar(progress, len(values), f"sweep {family.name}")

    def after(track: Track) -> None:
        point = track.points[-1]
        outputs.append(point.x, {**family.system.params, family.name: point.value})
        if bar is not None:
            bar.set_postfix_str(f"{family.name} = {point.value:.6g}", refresh=False)
            bar.update()

    try:
        track = run_sweep(family, x0, values, stepping, after)
    finally:
        if bar is not None:
            bar.close()
    branch = _branch(family, track, outputs, len(values), len(x0))
    if branch.success:
        return branch
    if not len(branch) and track.status is not Status.INTERRUPTED:
        raise ConvergenceError(branch.message, branch)
    if raise_on_failure and track.status is not Status.INTERRUPTED:
        raise ConvergenceError(branch.message, branch)
    warnings.warn(branch.message, PartialBranchWarning, stacklevel=3)
    return branch


def _branch(family: ParameterFamily, track: Track, outputs: Outputs, wanted: int, n: int) -> Branch:
    columns: dict[str, Any] = {
        family.name: np.array([point.value for point in track.points]),
        "nit": np.array(track.iterations[: len(track.points)], dtype=int),
    }
    for name, rows in outputs.rows.items():
        columns[name] = np.array(rows[: len(track.points)])
    states = np.array([point.x for point in track.points]).reshape(-1, n)
    params = {k: v for k, v in family.system.params.items() if k != family.name}
    return Branch(
        name=family.name,
        columns=columns,
        states=states,
        params=params,
        status=track.status,
        message=_message(family.name, track, wanted),
        stats=track.stats,
        rejected=track.rejected,
        reached=track.here.value if track.here is not None else float("nan"),
    )


def _message(name: str, track: Track, wanted: int) -> str:
    done = len(track.points)
    if track.status.success:
        return f"all {wanted} values of {name!r} solved"
    if not done:
        reason = track.last.message if track.last is not None else track.status.text
        return (
            f"the first point of the sweep over {name!r} failed: {reason}. Start the sweep at a "
            "value where the problem is easy"
        )
    text = f"{done} of {wanted} values of {name!r} solved, the last {track.points[-1].value:.6g}"
    if track.here is not None and track.here.value != track.points[-1].value:
        text += f" (and on to {track.here.value:.10g})"
    text += f": {track.status.text}"
    if track.rejected:
        value, reason = track.rejected[-1]
        text += f"; the last attempt was {name} = {value:.6g}: {reason}"
    return f"{text}. What to try: {track.status.advice}" if track.status.advice else text
