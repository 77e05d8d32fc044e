"""Recorder: what a run along a curve keeps, and the branch that comes of it.

The walk knows points; here each becomes a row of a table, with the functionals of the user, the
states as far as they are to be kept, the progress bar, and the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.curve import Curve, Spot
from ..continuation.family import linearized
from ..continuation.rough import unlocated
from ..continuation.sign_changes import KEY, Watch
from ..continuation.stability import KEY as EIGENVALUES
from ..continuation.stability import Eigenvalues
from ..continuation.trace import Walk
from ..errors import CheckpointError, InputError
from ..problem.gauged_family import multipliers, stripped
from ..results.branch import Branch
from ..results.branch_file import packed
from ..results.checkpoint import Checkpoint
from ..results.history import Stats
from ..results.special_points import Special
from ..results.status import Status
from .outputs import Outputs
from .progress import CurveBar

Vector = NDArray[Any]


class Recorder:
    """Rows of a branch in the making.

    Parameters
    ----------
    name : str
        The parameter.
    params : mapping
        The others.
    outputs : Outputs
    keep : "all", "none" or int
        Which states: all, the last only, or every k-th and the last.
    eigenvalues : Eigenvalues or None
    checkpoint : Checkpoint or None
    mark : mapping
        The fingerprint of the run.
    family : Family
        Of the curve.
    view : callable, optional
        ``view(x, p) -> (x, extra parameters)``: what the user sees of a point.
    """

    def __init__(
        self,
        name: str,
        params: Mapping[str, Any],
        outputs: Outputs,
        keep: Any,
        eigenvalues: Eigenvalues | None,
        checkpoint: Checkpoint | None,
        mark: Mapping[str, Any],
        family: Any,
        view: Callable[[Vector], tuple[Vector, dict[str, float]]] | None = None,
    ) -> None:
        self.name, self.params, self.outputs, self.every = name, dict(params), outputs, every(keep)
        self.eigenvalues, self.checkpoint, self.mark = eigenvalues, checkpoint, mark
        self.family, n = family, family.n - multipliers(family)
        self.view = view or (lambda x: (x[:n], {}))
        self.extra: dict[str, list[float]] = {}
        self.states: list[Vector] = []
        self.kept: list[int] = []
        self.unstable: list[int] = []
        self.stats: Callable[[], Stats] = Stats
        self.bar: CurveBar | None = None
        self.constants: dict[str, Any] = {}  # of the run, for the checkpoint

    def after(self, curve: Curve, state: Walk) -> None:
        """Take a new point."""
        spot, row = state.spot, len(state.rows) - 1
        x, extra = self.view(spot.x)
        params = {**self.params, **extra, self.name: spot.p}
        self.outputs.append(x, params, f"{self.name} = {spot.p:.10g}")
        for key, value in extra.items():
            self.extra.setdefault(key, []).append(value)
        if self.eigenvalues is not None:
            self.unstable.append(self.eigenvalues.unstable(spot))
        if self.kept and (not self.every or self.kept[-1] % self.every):  # it was only the last
            self.states.pop()
            self.kept.pop()
        self.states.append(x.copy())
        self.kept.append(row)
        if self.bar is not None:
            self.bar.point([p for p, *_ in state.rows])
        if self.checkpoint is not None and self.checkpoint.due():
            self.write(curve, state)

    def branch(self, curve: Curve, state: Walk) -> Branch:
        """Return the branch so far."""
        rows = state.rows[: len(self.states) and self.kept[-1] + 1]
        table = np.array(rows, dtype=float).reshape(-1, 4)
        columns: dict[str, Any] = {self.name: table[:, 0], "nit": table[:, 2].astype(int)}
        columns |= {"s": table[:, 1], "tangent": table[:, 3]}
        columns |= {key: np.array(values[: len(rows)]) for key, values in self.extra.items()}
        if self.eigenvalues is not None:
            columns["unstable"] = np.array(self.unstable[: len(rows)], dtype=int)
        columns |= {k: np.array(v[: len(rows)]) for k, v in self.outputs.rows.items()}
        states = np.array(self.states)
        return Branch(
            name=self.name,
            columns=columns,
            states=states,
            params={k: v for k, v in self.params.items() if k not in (self.name, *self.extra)},
            along=tuple(self.extra),
            status=state.status,
            message=_message(self.name, state, len(rows)),
            stats=self.stats(),
            rejected=list(state.rejected),
            special=[self._seen(special) for special in state.special],
            reached=float(table[-1, 0]) if len(rows) else float("nan"),
            kept=None if self.every == 1 else np.array(self.kept, dtype=np.int64),
            weights=curve.metric.weights,
            blocks=self.family.blocks,
        )

    def write(self, curve: Curve, state: Walk) -> None:
        """Write the checkpoint."""
        assert self.checkpoint is not None
        spot = state.spot
        content: dict[str, Any] = {
            **self.constants,
            "z": spot.z,
            "tangent": spot.tangent,
            "step": state.step,
            "growth": state.growth,
        }
        content |= {"direction": state.direction, "rows": np.array(state.rows)}
        content |= {"ending": state.ending, "s": spot.s}
        if EIGENVALUES in spot.tests:
            content[EIGENVALUES] = spot.tests[EIGENVALUES]
        if KEY in spot.tests:
            content |= {f"watch {k}": v for k, v in vars(spot.tests[KEY]).items()}
        self.checkpoint.write(packed(self.branch(curve, state)), content, self.mark)

    def restore(self, branch: Branch, state: Mapping[str, Any], curve: Curve) -> Walk:
        """Take over the rows of a checkpoint, and return the walk to go on with."""
        z = state["z"].copy()
        curve.family.accepted(z)
        at = linearized(curve.family, z)
        if at is None or curve.corrector.scaled(at, abs(float(state["step"]))) > 1e-6:
            raise CheckpointError(
                "the checkpoint belongs to another problem: its last point is no solution here"
            )
        spot = Spot(at, state["tangent"], float(state["s"]))
        watch = {k.removeprefix("watch "): v for k, v in state.items() if k.startswith("watch ")}
        if watch:
            watch |= {"pure": int(watch["pure"]), "sign": float(watch["sign"])}
            spot.tests[KEY] = Watch(**watch)
        if EIGENVALUES in state:
            spot.tests[EIGENVALUES] = state[EIGENVALUES]
        rows = [(float(p), float(s), int(k), float(t)) for p, s, k, t in state["rows"]]
        spot.iterations = rows[-1][2]
        self.states = list(branch.states)
        self.kept = list(range(len(rows))) if branch.kept is None else branch.kept.tolist()
        for key in self.outputs.rows:
            self.outputs.rows[key] = list(branch.columns[key])
        if self.eigenvalues is not None:
            self.unstable = branch.columns["unstable"].tolist()
        for key in self.view(z[:-1])[1]:
            self.extra[key] = branch.columns[key].tolist()
        walk = Walk(spot, float(state["step"]), state["direction"], rows, list(branch.special))
        walk.rejected, walk.growth = list(branch.rejected), float(state["growth"])
        walk.status, walk.ending = branch.status, str(state["ending"])
        return walk

    def _seen(self, special: Special) -> Special:
        """Return a special point in the user's unknowns."""
        x, extra = self.view(special.x)
        if not extra:
            return stripped(self.family, special)
        return replace(special, x=x, vector=None, tangent=None, other=None)


def every(keep: Any) -> int:
    """Return how many points apart states are kept; 0 for none."""
    if keep == "all":
        return 1
    if keep == "none":
        return 0
    if isinstance(keep, int) and keep >= 1:
        return keep
    raise InputError(f"keep_states must be 'all', 'none' or a number of points, not {keep!r}")


def _message(name: str, state: Walk, count: int) -> str:
    last = f", the last at {state.spot.p:.10g}" if count else ""
    text = f"{count} points along {name!r}{last}: {state.ending}"
    if unlocated(state.special):
        text += f"; {unlocated(state.special)}"
    if state.status is Status.ASYMPTOTE:
        return f"{text}. What to try: {state.status.advice}"
    if state.status is not Status.STEP_TOO_SMALL or not state.rejected:
        return text
    p, why = state.rejected[-1]
    text += f"; the last step rejected was at {p:.8g}: {why}"
    return (
        f"{text}. What to try: a smaller min_step in Arclength; look there for a corner, a pole or "
        "a jump of the residual; if solutions can be shifted or rotated, fix their place"
    )
