"""Recorder of a run: it keeps states, shows the progress, writes checkpoints, makes the branch.

For a checkpoint, the stepper and the detectors save and restore their own data. A new stepper or
detector needs no change in this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import InputError
from ...results.branch import Branch, column_name
from ...results.branch_file import (
    packed,
    packed_special_points,
    part,
    unpacked,
    unpacked_special_points,
)
from ...results.checkpoint import Checkpoint
from ...results.history import Stats
from ..columns import Column
from ..locating.detector import Detector
from ..stepper import Point, RunState, Stepper
from .view import View

KEPT = ("x", "p", "tangent", "s", "iterations")  # attributes of a point in a checkpoint


class Recorder:
    """Keep the states and the checkpoint of a run; an observer of `follow`.

    Parameters
    ----------
    columns : sequence of Column
        Besides the parameters that change and "nit": of the stepper, the detectors, the user.
    detectors : sequence of Detector
    keep_states : "all", "none" or int
        All states, the last one only, or every k-th and the last.
    mark : mapping
        Identifies the run in its checkpoint.
    stats : callable
        ``stats(state)`` -> the costs so far.
    bar : callable, optional
        ``bar(abscissas)`` shows the progress; the abscissas are those of all rows so far.
    """

    def __init__(
        self,
        view: View,
        columns: Sequence[Column],
        detectors: Sequence[Detector] = (),
        keep_states: Any = "all",
        checkpoint: Checkpoint | None = None,
        mark: Mapping[str, Any] | None = None,
        stats: Callable[[RunState], Stats] = lambda state: state.stats,
        bar: Callable[[Sequence[float]], None] | None = None,
    ) -> None:
        self.view, self.detectors, self.every = view, detectors, every(keep_states)
        self.checkpoint, self.mark, self.stats, self.bar = checkpoint, mark or {}, stats, bar
        moved = [_moved_column(view, name) for name in view.names]
        own = [Column("nit", lambda point: int(point.iterations)), *columns]
        own = [replace(one, name=column_name(one.name, view.names)) for one in own]
        self.columns = (*moved, *own)
        self.states: list[Vector] = []
        self.kept: list[int] = []

    def accepted(self, stepper: Stepper, state: RunState, rows: Sequence[Point]) -> None:
        """Keep the states of new rows, show the progress, and write a checkpoint if it is due."""
        n_before = max(0, len(self.kept) - 1)  # all but the last of them stay
        states, kept = self.states[n_before:], self.kept[n_before:]
        try:
            for k, point in enumerate(rows, start=state.n_rows - len(rows)):
                if self.kept and (not self.every or self.kept[-1] % self.every):
                    self.states.pop()  # it was only the last
                    self.kept.pop()
                self.states.append(np.array(self.view.state(point.x)))
                self.kept.append(k)
            if self.bar is not None and rows:
                self.bar(state.table[self.view.names[0]])
            if self.checkpoint is not None and self.checkpoint.due(len(rows)):
                self.write(stepper, state)
                stepper.renew(state)
        except BaseException:
            self.states[n_before:], self.kept[n_before:] = states, kept
            raise

    def branch(self, state: RunState, message: str = "", weights: Vector | None = None) -> Branch:
        """Return the branch of the rows so far."""
        names = self.view.names
        columns = {c.name: np.array(state.table.get(c.name, [])) for c in self.columns}
        nit = column_name("nit", names)
        columns[nit] = columns[nit].astype(int)
        n_rows = state.n_rows
        reached = float("nan") if state.point is None else float(state.point.p)
        width = max((len(state) for state in self.states), default=0)
        return Branch(
            name=names[0],
            along=names[1:],
            columns=columns,
            states=_state_rows(self.states, width),
            params=self.view.fixed,
            status=state.status,
            message=message,
            stats=self.stats(state),
            rejected=list(state.rejected),
            special_points=[self.view.special(one) for one in state.special_points],
            reached=reached if n_rows else float("nan"),
            kept=None if self.every == 1 else np.array(self.kept, dtype=np.int64),
            weights=weights,
            blocks=self.view.blocks,
            bounds=tuple(self.mark["bounds"]) if "bounds" in self.mark else None,
            kind=self.view.kind,
        )

    def write(self, stepper: Stepper, state: RunState) -> None:
        """Write the checkpoint."""
        assert self.checkpoint is not None
        content: dict[str, Any] = {"step": state.step, "ending": state.ending}
        for key, point in (("point", state.point), ("before", state.before)):
            content |= {f"{key} {name}": getattr(point, name) for name in KEPT if point is not None}
        content |= {f"stepper {key}": value for key, value in stepper.save().items()}
        for detector in self.detectors:
            saved = detector.save(state.here)
            content |= {f"test {detector.kind}: {key}": value for key, value in saved.items()}
        content = {key: value for key, value in content.items() if value is not None}
        content |= packed_special_points(state.special_points)  # with the unknowns of the run
        self.checkpoint.write(packed(vars(self.branch(state))), content, self.mark)

    def resumed(self, stepper: Stepper) -> tuple[RunState, Stats] | None:
        """Return the state in the checkpoint and the costs so far; None if there is no file."""
        found = None if self.checkpoint is None else self.checkpoint.read(self.mark)
        if found is None:
            return None
        branch, content = Branch(**unpacked(found[0])), found[1]
        state = RunState(self.columns, _saved_point(part(content, "point ")))
        if "before p" in content:
            state.before = _saved_point(part(content, "before "))
        state.table = {c.name: list(branch.columns[c.name]) for c in self.columns}
        state.n_rows, state.step = len(branch), float(content["step"])
        state.special_points, state.rejected = (
            unpacked_special_points(content),
            list(branch.rejected),
        )
        state.status, state.ending = branch.status, str(content["ending"])
        self.states = list(branch.states)
        self.kept = list(range(len(branch))) if branch.kept is None else branch.kept.tolist()
        stepper.restore(part(content, "stepper "))
        stepper.resume(state)
        for detector in () if state.is_over else self.detectors:
            saved = part(content, f"test {detector.kind}: ")
            if saved:
                detector.restore(state.here, saved)
            else:
                detector.measure(stepper, state.here, None)
        return state, branch.stats


def _state_rows(states: Sequence[Vector], width: int) -> Vector:
    """Return states as rows; those of a coarser mesh have zeros behind them."""
    rows = np.zeros((len(states), width))
    for row, state in zip(rows, states, strict=True):
        row[: len(state)] = state
    return rows


def _moved_column(view: View, name: str) -> Column:
    return Column(name, lambda point: float(view.moved(point.x, point.p)[name]))


def _saved_point(saved: Mapping[str, Any]) -> Point:
    numbers = {
        "p": float(saved["p"]),
        "s": float(saved["s"]),
        "iterations": int(saved["iterations"]),
    }
    return Point(**{**saved, **numbers})


def every(keep_states: Any) -> int:
    """Return how many points apart states are kept; 0 for none."""
    if keep_states == "all":
        return 1
    if keep_states == "none":
        return 0
    if isinstance(keep_states, int | np.integer) and keep_states >= 1:
        return int(keep_states)
    raise InputError(
        f"keep_states must be 'all', 'none' or a number of points, not {keep_states!r}"
    )
