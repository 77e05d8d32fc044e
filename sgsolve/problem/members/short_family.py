"""Newton's method with full steps for many members of a family, in rounds.

A round takes one step of every member at work. One call evaluates all of them, and one call of each
loop runs over all of them: factorizations of the bands, their solutions, checks and decisions. The
loops take several members at once, each in a lane of the processor's vectors. A member that ends
leaves its memory to the next one. The steps and decisions are those of `ShortNewton`, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...ad.kernels.loops.compiled_lanes import CompiledLanes
from ...ad.kernels.loops.lane_kinds import LANES
from ...ad.kernels.loops.lane_structs import LaneStructs
from ...arrays import IndexArray, Vector
from ...errors import LinearSolveError
from ...linear.checks.accuracy import MAX_REFINE
from ..short_newton.loop_state import (
    ASK,
    EXAMINE,
    FIX,
    LEAVE,
    REFINE,
    RESCALE,
    SOLVED,
    STEP,
    VANISH,
)
from ..short_newton.short_newton import LOOPS, ShortNewton
from ..short_newton.short_records import Record, ShortSolve
from .member_equations import MemberEquations

Codes = NDArray[np.int32]
MEMBER_LOOPS = CompiledLanes(*LOOPS.entries)
PHASES = ("residual", "jacobian", "analyze", "factor", "solve")


class ShortFamily:
    """The memory of so many members, and the loops over them.

    Parameters
    ----------
    short : ShortNewton
        For one member, with a band.

    Attributes
    ----------
    to_examine : list of int
        Members whose solutions the solver has to examine.
    """

    def __init__(self, short: ShortNewton, count: int) -> None:
        self.short, self.count, self.to_examine = short, count, list[int]()
        self._prepared = short.parts.prepared
        assert short.band is not None, "members are solved together where there is a band"
        self._its = its = LaneStructs(short.it, count)
        system = {name: its.arrays[name] for name in ("A", "b", "y")}
        over = MEMBER_LOOPS.over(its)
        self._started, self._stepped, self._accepted, self._arrived = over[:4]
        _, self._answered, self._fixed, _ = over[4:]
        bands = LaneStructs(short.band, count, system)
        self._factorized, self._solved = MEMBER_LOOPS.over(bands)
        self._n_solves, self._n_compiled = np.zeros((2, count), dtype=np.int64)
        self._seconds = np.zeros((len(PHASES), count))
        self._records: list[list[Record]] = [[] for _ in range(count)]
        self._member = np.full(count, -1)  # -1: the memory is free
        self._code = np.full(count, LEAVE, dtype=np.int32)

    def solutions(
        self,
        system: MemberEquations,
        starts: Vector,
        members: Iterable[int],
        max_iterations: int,
        deadline: float,
    ) -> Iterator[tuple[int, ShortSolve]]:
        """Yield members with their solutions, which are not confirmed.

        The members that are not yielded take the solver itself, or end by the deadline.
        """
        waiting, scaling = iter(members), self._prepared.scaling
        pattern, begun = system.pattern, np.zeros(self.count)
        for name in ("row", "column", "factor"):
            self._its.fill(name, getattr(scaling, name))
        self._member[...], self.to_examine = -1, []
        if system.scale is not None:
            self._its.fill("user_scale", system.scale)
        while perf_counter() < deadline and system.pattern is pattern:
            free = np.flatnonzero(self._member < 0)
            new = np.array([m for _, m in zip(free, waiting, strict=False)], dtype=np.int64)
            begun[free[: len(new)]] = perf_counter()
            if len(new):
                self._begin(system, free[: len(new)], new, starts[new], begun)
            self._round(system, np.flatnonzero(self._member >= 0), begun)
            for j in np.flatnonzero(self._member >= 0).tolist():
                code, m = int(self._code[j]), int(self._member[j])
                if code in (STEP, RESCALE) and len(self._records[j]) <= max_iterations:
                    continue
                self._member[j] = -1
                if code == SOLVED:
                    yield m, self._found(j)
                elif code in (EXAMINE, VANISH):
                    self.to_examine.append(m)
            if not len(new) and (self._member < 0).all():
                return

    def _begin(
        self,
        system: MemberEquations,
        at: IndexArray,
        new: IndexArray,
        starts: Vector,
        begun: Vector,
    ) -> None:
        self._member[at], self._n_solves[at], self._seconds[:, at] = new, 0, 0.0
        self._n_compiled[at] = 0
        F, data = self._linearized(system, starts, at)
        for name, values in {"x": starts, "F": F, "J": data, "J_old": data}.items():
            self._its.put(name, at, values)
        self._its.numbers[at // LANES, :, at % LANES] = 0.0
        for j in at.tolist():
            self._records[j] = []
        self._code[at] = self._started(at)
        self._record(at, begun)

    def _round(self, system: MemberEquations, at: IndexArray, begun: Vector) -> None:
        """Take a step of the members at work, and decide which of them end."""
        at = at[(self._code[at] == STEP) | (self._code[at] == RESCALE)]
        start = perf_counter()
        self._rescale(at[self._code[at] == RESCALE])
        at = self._continuing(at[self._code[at] == STEP], self._factorized)
        now = self._spent("factor", start, at)
        at = self._continuing(at, lambda at: self._answers(at, self._stepped))
        now = self._spent("solve", now, at)
        if not len(at):
            return
        its = self._its
        F, data = self._linearized(system, its.take("x_new", at), at)
        its.put("F_new", at, F)
        its.put("J", at, data)
        now = self._spent("jacobian", now, at)
        its.put_number("has_jacobian", at, 1.0)
        if self.short.damped:
            its.put("b", at, -(F * its.take("row", at)))
            at = self._continuing(at, lambda at: self._answers(at, self._accepted))
            self._spent("solve", now, at)
        self._code[at] = self._arrived(at)
        self._record(at, begun)
        self._decide(system, at)

    def _linearized(
        self, system: MemberEquations, x: Vector, at: IndexArray
    ) -> tuple[Vector, Vector]:
        before = system.n_compiled()
        found = system.linearize(x, self._member[at])
        self._n_compiled[at] += system.n_compiled() - before == len(at)
        return found

    def _decide(self, system: MemberEquations, at: IndexArray) -> None:
        """Examine solutions by the factors, and by residuals next to them."""
        fix = at[self._code[at] == FIX]
        if len(fix):
            self._code[fix] = self._answers(fix, self._fixed)
        ask = at[self._code[at] == ASK]
        if len(ask):
            start = perf_counter()
            F = system.residuals(self._its.take("x_beside", ask), self._member[ask])
            self._its.put("F_beside", ask, F)
            self._code[ask] = self._answered(ask)
            self._spent("residual", start, ask)

    def _continuing(self, at: IndexArray, step: Callable[[IndexArray], Codes]) -> IndexArray:
        """Return the members for which a part of the round gives STEP; the others leave."""
        codes = step(at)
        self._code[at] = np.where(codes == STEP, codes, LEAVE)
        left: IndexArray = at[codes == STEP]
        return left

    def _answers(self, at: IndexArray, judged: Callable[[IndexArray], Codes]) -> Codes:
        """Solve with the factors, refine where that is asked for, and return what is judged."""
        its = self._its
        self._n_solves[at] += 1
        self._solved(at)
        codes = judged(at)
        for _ in range(MAX_REFINE):
            again = at[codes == REFINE]
            if not len(again):
                break
            first, right_side, left = (its.take(name, again) for name in ("y", "b", "r"))
            its.put("b", again, left)
            self._solved(again)
            its.put("b", again, right_side)
            its.put("y", again, its.take("y", again) + first)
            codes[codes == REFINE] = judged(again)
        return codes

    def _rescale(self, at: IndexArray) -> None:
        """Equilibrate matrices by other factors."""
        its, scaling, A = self._its, self._prepared.scaling, np.empty(self.short.it.nnz)
        for j in at.tolist():
            one = np.array([j])
            try:
                scaling.apply(its.take("J", one)[0], A)
            except LinearSolveError:
                self._code[j] = LEAVE
                continue
            found = {"row": scaling.row, "column": scaling.column, "factor": scaling.factor}
            b = -(its.take("F", one) * scaling.row)
            for name, values in (found | {"A": A, "A_sizes": scaling.magnitude, "b": b}).items():
                its.put(name, one, values)
            self._code[j] = STEP

    def _spent(self, phase: str, start: float, at: IndexArray) -> float:
        """Share the time since `start` among members, and return the time."""
        now = perf_counter()
        self._seconds[PHASES.index(phase), at] += (now - start) / max(1, len(at))
        return now

    def _record(self, at: IndexArray, begun: Vector) -> None:
        now, its = perf_counter(), self._its
        told = np.stack([its.take(name, at) for name in ("residual_in", "step_in")], axis=1)
        numbers = its.numbers[at // LANES, :, at % LANES].tolist()
        seconds = (now - begun[at]).tolist()
        for j, *record in zip(at.tolist(), numbers, told.tolist(), seconds, strict=True):
            self._records[j].append(Record(*record))

    def _found(self, j: int) -> ShortSolve:
        its, records = self._its, tuple(self._records[j])
        x, F, scaled, S = (its.of(name, j) for name in ("x_new", "F_new", "scaled", "S"))
        seconds: dict[str, Any] = dict(zip(PHASES, self._seconds[:, j].tolist(), strict=True))
        counts = 0, len(records) - 1, int(self._n_solves[j]), int(self._n_compiled[j])
        renewed = bool(records[-1].number("renewed"))
        return ShortSolve(x, F, scaled, S, records, renewed, False, False, seconds, *counts)
