"""SweepWatch: what a sweep records, looks for on the way, and does at a fold.

A sweep steps in the parameter and can neither see an event between two values nor pass a fold.
Events are closed in on by further solves; at a fold the curve is followed by its arclength instead,
to say where the fold is, and if asked round it to the value that was wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.bracket import opposite
from ..errors import CheckpointError
from ..results.branch import Branch
from ..results.branch_file import packed, unpacked
from ..results.checkpoint import Checkpoint
from ..results.history import Stats
from ..results.special_points import Rough, Special
from ..results.status import Status
from ..solvers.predictor import Point
from ..solvers.sweep import Track
from .functions import number
from .outputs import Outputs
from .recorder import every
from .round_fold import round_fold
from .sweep_events import located

Vector = NDArray[Any]


class SweepWatch:
    """The record of a sweep; a `solvers.sweep.Watch`.

    Parameters
    ----------
    family : ParameterFamily
    outputs : Outputs
    events : mapping of str to callable
    stop : tuple of str
        Events at which to end.
    at_fold : "stop" or "arclength"
    keep : "all", "none" or int
    checkpoint : Checkpoint or None
    resume : bool
    bar : progress bar or None
    """

    def __init__(
        self,
        family: Any,
        outputs: Outputs,
        events: Mapping[str, Callable[..., Any]],
        stop: tuple[str, ...],
        at_fold: str,
        keep: Any,
        checkpoint: Checkpoint | None,
        resume: bool,
        bar: Any,
    ) -> None:
        self.family, self.outputs, self.events, self.stop = family, outputs, events, stop
        self.at_fold, self.every, self.bar = at_fold, every(keep), bar
        self.checkpoint, self.resume = checkpoint, resume
        self.states: list[Vector] = []
        self.kept: list[int] = []
        self.special: list[Special] = []
        self.ending = self.fold = self.unfit = self.cause = ""
        self.counts, self.base = family.workspace.counts(), Stats()  # before this run
        self.count = 0  # points recorded whole: an interrupt may leave one that is not
        path, params = family.path, family.system.params
        self.mark = {
            "kind": "sweep",
            "parameter": list(path.names),
            "values": path.table,
            "unknowns": family.system.n,
            "parameters": {k: v for k, v in params.items() if k not in path.names},
            "columns": sorted(outputs.functions),
            "events": sorted(events),
            "keep": keep,
        }

    # what solvers.sweep asks

    def reached(self, track: Track) -> None:
        """Record the last point."""
        point, row = track.points[-1], len(track.points) - 1
        for name in () if row else self.events:  # what returns no number is known at once
            self._event(name, point.value, point.x)
        place = self.family.path.place(point.value)
        self.outputs.append(point.x, self._params(point.value), place)
        if self.kept and (not self.every or self.kept[-1] % self.every):
            self.states.pop()
            self.kept.pop()
        self.states.append(point.x)
        self.kept.append(row)
        self.count = row + 1
        # the sweep needs `here` and `before` whole, of the others only the value
        track.points[-1] = Point(point.value, np.empty(0), np.empty(0))
        if self.bar is not None:
            self.bar.set_postfix_str(f"at {self.family.path.label(point.value)}", refresh=False)
            self.bar.update()
        if self.checkpoint is not None and self.checkpoint.due():
            self.write(track)

    def passed(self, track: Track, before: Point, now: Point) -> Point | None:
        """Locate events within a step; return the first one that ends the sweep."""
        found = []
        for name in self.events:
            ends = self._event(name, before.value, before.x), self._event(name, now.value, now.x)
            if ends[0] != 0.0 and opposite(*ends):
                value_of = partial(self._event, name)
                found.append(located(name, self.family, track, value_of, (before, now), ends))
        for special, point in sorted(found, key=lambda item: abs(item[1].value - before.value)):
            self.special.append(special)
            if special.kind in self.stop:
                self.ending = str(special)
                return point
        return None

    def blocked(self, track: Track, target: float) -> Point | None:
        """Say where the fold is; if asked, go round it to the target."""
        assert track.here is not None
        beyond, found = round_fold(
            self.family, track.here, track.points[-1].value, target, self.at_fold == "arclength"
        )
        for special in found.special:
            special.index = len(track.points)
        self.special += found.special
        track.stats.add(found.stats)
        if found.special:
            where = self.family.path.label(found.special[0].parameter, 12)
            near = "near" if isinstance(found.special[0], Rough) else "at"
            self.fold = f"the curve turns back at a fold {near} {where}"
        if beyond is None:
            return None
        result = self.family.solve(target, beyond, False)
        track.stats.add(result.stats)
        return Point(target, result.x, result.sizes) if result.success else None

    # the outcome

    def branch(self, track: Track, message: str) -> Branch:
        """Return the branch so far."""
        self._settle(track)
        count, path = self.count, self.family.path
        values = [point.value for point in track.points[:count]]
        rows = [self.family.path.params(value) for value in values]
        columns: dict[str, Any] = {name: np.array([r[name] for r in rows]) for name in path.names}
        columns["nit"] = np.array(track.iterations[:count], dtype=int)
        columns |= {k: np.array(v[:count]) for k, v in self.outputs.rows.items()}
        params = {k: v for k, v in self.family.system.params.items() if k not in path.names}
        return Branch(
            name=path.names[0],
            along=path.names[1:],
            columns=columns,
            states=np.array(self.states).reshape(-1, self.family.system.n),
            params=params,
            status=track.status,
            message=message,
            stats=track.stats,
            rejected=track.rejected,
            special=self.special,
            reached=track.here.value if track.here is not None else float("nan"),
            kept=None if self.every == 1 else np.array(self.kept, dtype=np.int64),
            blocks=self.family.system.blocks,
        )

    def _settle(self, track: Track) -> None:
        """Take the counts of linear algebra from where it is done: solves are not all of it."""
        total, stats = self.family.workspace.counts().since(self.counts), track.stats
        total.add(self.base)
        stats.n_analyze, stats.n_factor = total.n_analyze, total.n_factor
        stats.n_solve = total.n_solve
        stats.njev += self.family.n_slope
        self.family.n_slope = 0

    def close(self) -> None:
        """End the progress bar."""
        if self.bar is not None:
            self.bar.close()

    # checkpoints

    def write(self, track: Track) -> None:
        """Write the checkpoint."""
        assert self.checkpoint is not None
        state: dict[str, Any] = {"solves": track.solves, "ending": self.ending}
        state["spent"] = sum(track.iterations[self.count :]) + track.spent
        state["values"] = np.array([point.value for point in track.points[: self.count]])
        for key, point in (("here", track.here), ("before", track.before)):
            for part, value in ({} if point is None else vars(point)).items():
                if value is not None:
                    state[f"{key} {part}"] = value
        self.checkpoint.write(packed(self.branch(track, "")), state, self.mark)

    def resumed(self) -> tuple[Track, bool]:
        """Return the track to go on with, and whether nothing is left to do."""
        found = None
        if self.resume and self.checkpoint is not None:
            found = self.checkpoint.read(self.mark)
        if found is None:
            return Track(), False
        branch, state = unpacked(found[0]), found[1]
        track = Track(stats=branch.stats, rejected=branch.rejected)
        track.iterations = branch["nit"].tolist()
        self.base.add(branch.stats)
        track.spent = int(state.get("spent", 0))
        track.solves, self.ending = int(state["solves"]), str(state["ending"])
        none = np.empty(0)
        track.points = [Point(float(v), none, none) for v in state["values"]]
        track.here, track.before = _point(state, "here "), _point(state, "before ")
        self._check(track)
        self.states = list(branch.states)
        self.special = list(branch.special)
        self.kept = list(range(len(branch))) if branch.kept is None else branch.kept.tolist()
        self.count = len(branch)
        for key in self.outputs.rows:
            self.outputs.rows[key] = list(branch[key])
        if self.bar is not None:
            self.bar.update(len(branch))
        if self.ending:
            track.status = Status.CONVERGED
        return track, bool(self.ending)

    def _check(self, track: Track) -> None:
        assert track.here is not None
        F = self.family.residual(track.here.value, track.here.x)
        if F is None or float(np.abs(F / track.here.sizes).max()) > 1e-6:
            raise CheckpointError(
                "the checkpoint belongs to another problem: its last point is no solution here"
            )

    # events

    def _params(self, value: float) -> dict[str, Any]:
        return {**self.family.system.params, **self.family.path.params(value)}

    def _event(self, name: str, value: float, x: Vector) -> float:
        what = f"event {name!r} at {self.family.path.place(value)}"
        return number(what, self.events[name], x, self._params(value))


def _point(state: Mapping[str, Any], prefix: str) -> Point | None:
    parts = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    if not parts:
        return None
    slopes = parts.get("slope"), parts.get("behind")
    return Point(float(parts["value"]), parts["x"], parts["sizes"], *slopes)
