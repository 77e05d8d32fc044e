"""The steady state as what a device settles to after a sudden step of a voltage.

Where a region without a contact is flooded or emptied, as past punch-through, steps of Newton's
method for the steady state must be very short. In time the region follows at its own pace, however
many decades of time that takes: each step of implicit Euler is one step of Newton's method, with
one factorization. The start is the last steady state with the carriers where they were, or, where
junctions block, an estimate. The length of the next step follows from the correction that Newton's
method would make in a second iteration (`StepLength`). The correction is added, because its matrix
is factorized already. Densities far below the intrinsic one count little for that length: neither
charges nor rates tell them from none.

References: P. Deuflhard, Newton Methods for Nonlinear Problems (2011), section 6.4; C. T. Kelley,
D. E. Keyes, SIAM J. Numer. Anal. 35 (1998) 508, on pseudo-transient continuation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from ... import solvers
from ...errors import LinearSolveError
from ...pattern import Pattern
from ...results.status import Status
from ...solvers.outcome import Outcome
from ...solvers.solver_protocol import RunsMethod
from ...solvers.state.iterate import Iterate
from ..equations.model import DeviceModel
from .density_newton import RANGE, Densities, DensityMeasure, DensityState, density_method
from .methods import accurate
from .step_length import StepLength
from .stored_carriers import CarrierStorage

Array = np.ndarray
FIRST, SHORTEST = 1e-13, 1e-30  # s
FINITE = 1e4  # stands for a contraction that is none
EFFORT = 2000  # factorizations, a bound on the work: no known step takes half of it
SINGULAR = 20  # matrices, after which rounding hides what leads on; known steps that arrive meet 11
QUIET = 1e-6  # relative size of the last two steps; Newton's method takes over
FEWEST = 2  # quiet steps before one that lasts forever is tried
FAST = 0.25  # contraction from which Newton's method converges
DIGITS = 16  # of double precision
FEW = 25  # iterations of Newton's method at the end

SWITCHED = (
    "{}: a value was reached by a sudden step in time. A device of four layers p-n-p-n may have "
    "switched on by it, as a thyristor does beyond its breakover. What to try, for the branch that "
    "slow steps follow: smaller steps, or drive_current(device, {!r}, currents)"
)


class SwitchedWarning(UserWarning):
    """A sweep may have gone over to another branch: a device has switched on.

    The solution is one. A device with two states at a voltage may have another one.
    """


class CarriersStored(Protocol):
    """What the carriers store, by which they follow in time, as `CarrierStorage` does."""

    of: Array

    def weights(self, here: Any) -> Array:
        """What each density adds to each balance."""

    def change(self, weights: Array, relative: Array) -> Array:
        """What the balances take to change the densities."""

    def places(self, pattern: Pattern) -> tuple[Pattern, Array, Array, Array]:
        """A pattern with the storage, and where J, and storage by psi and by levels, are in it."""


class _EulerStep:
    """Steps of implicit Euler from a point, of any length."""

    def __init__(self, densities: Densities, stored: CarriersStored, it: Iterate) -> None:
        self._densities, self._stored, self._it = densities, stored, it
        self._here, pattern = densities.at(it.x), it.system.pattern
        self._weights = stored.weights(self._here)
        made = it.workspace.derived("settling", pattern, lambda: stored.places(pattern))
        self._pattern, place, self._by_psi, self._by_level = made
        self._steady = np.zeros(self._pattern.nnz)
        self._steady[place] = densities.without_divisors(it, self._here)
        self._solver = it.workspace.solver(self._pattern, "implicit Euler")

    def attempt(self, dt: float) -> tuple[Array, float, float] | None:
        """Return the point after a step, the step's size and the contraction; None if not finite.

        The point has the correction in it.
        """
        d, it, here = self._densities, self._it, self._here
        try:
            self._solver.factorize(self._matrix(dt))
            dx = self._solver.solve_step(-it.F)
            if not np.isfinite(dx).all():
                return None
            size = DensityMeasure(d, here, it.x, dx, here.share(here.intrinsic))
            x = it.x + d.converted(here, dx)
            F = it.evaluate(x)
            if F is None:
                return None
            there = d.at(x)
            grown = np.expm1(np.clip(there.log - here.log, -RANGE, RANGE))
            left = d.in_units(here, there, F)
            left[d.rows] += self._stored.change(self._weights, grown) / dt
            correction = self._solver.solve_step(-left)
        except LinearSolveError:
            return None
        contraction = size(correction) / max(size.of_step, np.finfo(float).tiny)
        if not np.isfinite(contraction):
            return None
        return self._corrected(x, there, correction), size.of_step, contraction

    def _matrix(self, dt: float) -> Any:
        slope = self._here.slope[self._stored.of] * self._weights / dt
        data = self._steady.copy()
        np.add.at(data, self._by_psi, slope)
        np.add.at(data, self._by_level, -slope)
        return self._pattern.matrix(data)

    def _corrected(self, x: Array, there: DensityState, correction: Array) -> Array:
        """A point with a correction, whose densities are relative to those before the step."""
        d, moved = self._densities, correction.copy()
        before = np.clip(self._here.log - there.log, -RANGE, RANGE)
        change = d.change(self._here, correction) * np.exp(before)
        moved[d.rows] = correction[d.psi] - d.logarithmic(change) / there.slope
        corrected: Array = x + moved
        return corrected


def new_memory(length: StepLength | None = None) -> dict[str, Any]:
    """What the steps in time remember, before the first one."""
    return {"length": length, "spent": 0, "quiet": 0, "patience": FEWEST, "singular": 0}


@dataclass(frozen=True, eq=False)
class EulerSteps:
    """One step of implicit Euler for each iteration, as long as one correction settles it.

    Attributes
    ----------
    densities : Densities
        Those that follow in time.
    storage : callable
        Makes what they store.
    length : callable, optional
        Makes the lengths of the steps. By default a first one lets the potential follow alone.
    """

    densities: Densities
    storage: Callable[[Any], CarriersStored] = CarrierStorage
    length: Callable[[], StepLength] | None = None
    needs_direction = False
    needs_factorization = True

    def __repr__(self) -> str:
        return f"EulerSteps({self.densities.device!r})"

    def advance(self, it: Iterate) -> Status | None:
        """Shorten the step in time until the correction is smaller than the step."""
        if "settling" not in it.memory:
            it.memory["settling"] = new_memory(None if self.length is None else self.length())
        memory = it.memory["settling"]
        if "stored" not in memory:
            memory["stored"] = self.storage(self.densities)
        step = _EulerStep(self.densities, memory["stored"], it)
        if memory["length"] is None:
            return self._at_once(it, step)
        if self._ends(it, step):
            return None
        length, finite = memory["length"], False
        while self._goes_on(memory) and length.dt > SHORTEST:
            memory["spent"] += 1
            found = step.attempt(length.dt)
            memory["singular"] += found is None
            quiet, F = False, None
            if found is not None:
                x, size, contraction = found
                quiet, finite = size < QUIET, True  # rounding decides about its contraction
                F = it.evaluate(x) if quiet or length.serves(contraction) else None
            if found is None or F is None:
                length.shorten(None if found is None or quiet else contraction)
                continue
            length.lengthen(None if quiet else contraction)
            memory["quiet"] = memory["quiet"] + 1 if quiet else 0
            memory["patience"] = memory["patience"] if quiet else FEWEST
            it.newton, it.limited = False, True
            it.accept(x, F, 1.0)
            return None
        return Status.DAMPING_FAILED if finite else Status.NOT_FINITE

    @staticmethod
    def _goes_on(memory: Mapping[str, Any]) -> bool:
        """Whether another step is worth its work."""
        return bool(memory["spent"] < EFFORT and memory["singular"] < SINGULAR)

    def _ends(self, it: Iterate, step: _EulerStep) -> bool:
        """Make a step that lasts forever, after two quiet ones, after four and so on.

        Quiet steps alone do not tell a steady state. What leaks through a junction that blocks
        changes nothing in a short time. It moves a region without a contact by volts in a long one.
        """
        memory = it.memory["settling"]
        if memory["quiet"] < memory["patience"] or np.abs(it.F).max() >= QUIET:
            return False
        memory["spent"] += 1
        memory["patience"] *= 2
        found = step.attempt(np.inf)
        if found is None or (found[1] >= QUIET and found[2] >= FAST):
            return False
        F = it.evaluate(found[0])
        if F is None:
            return False
        memory["at rest"] = True
        it.newton, it.limited = False, True
        it.accept(found[0], F, 1.0)
        return True

    def _at_once(self, it: Iterate, step: _EulerStep) -> Status | None:
        """Let the potential follow the voltage while the carriers stay where they are."""
        it.memory["settling"] |= {"length": StepLength(FIRST), "spent": 1}
        found = step.attempt(SHORTEST)
        F = None if found is None else it.evaluate(found[0])
        if found is None or F is None:
            return Status.NOT_FINITE
        it.newton, it.limited = False, True
        it.accept(found[0], F, 1.0)
        return None


class Settled(solvers.TerminationTest):
    """Two steps in time that changed nothing much, and one that lasts forever.

    Rounding may be all that is left of the balances. Then each of these steps is ten times as long
    as the one before. A change that shows in none of `DIGITS` of them is below all digits.
    """

    checks_residual = True

    def passed(self, it: Iterate) -> bool:
        """Whether the last steps were small, and an endless one was a step of Newton's method."""
        memory = it.memory.get("settling", {})
        return bool(memory.get("quiet", 0) >= DIGITS or memory.get("at rest", False))


@dataclass
class LastState:
    """Where the steps in time of a sweep start.

    Attributes
    ----------
    starts : tuple of ndarray
        States to start from, one after the other; empty before the first solution.
    settled : bool
        Whether such steps led to a solution.
    useless : bool
        Whether they did not: a shorter step of the voltage is better then.
    """

    starts: tuple[Array, ...] = ()
    settled: bool = False
    useless: bool = False


@dataclass(frozen=True, kw_only=True)
class Settling(RunsMethod):
    """Follow a device in time to its steady state, then solve for that.

    Attributes
    ----------
    in_time : NewtonMethod
        The steps in time; `solver` is the method for the steady state.
    origin : LastState
        Where they start, instead of at the point that is given.
    """

    in_time: solvers.NewtonMethod
    origin: LastState = field(default_factory=LastState)

    def run(self, system: Any, workspace: Any, x: Array, F: Array, monitor: Any) -> Outcome:
        """Run both; the outcome is that of the steady state, with the costs of both."""
        if self.origin.useless:
            return self.solver.with_settings(max_iterations=0).run(system, workspace, x, F, monitor)
        spent: list[Outcome] = []
        for start in self.origin.starts or (x,):
            spent.append(
                self.in_time.run(system, workspace, start, np.full_like(F, np.nan), monitor)
            )
            if spent[-1].status.success:
                last = spent[-1]
                spent.append(self.solver.run(system, workspace, last.x, last.F, monitor))
                if spent[-1].status.success:
                    break
        found = spent[-1]
        self.origin.settled |= found.status.success
        self.origin.useless |= not found.status.success
        for other in spent[1:]:
            spent[0].history.extend(other.history)
            spent[0].stats.add(other.stats)
        return replace(found, name=self.name, history=spent[0].history, stats=spent[0].stats)


def settling(device: DeviceModel, p: Mapping[str, Any], origin: LastState) -> Settling:
    """The solver for a device, at given parameters but for the voltages."""
    steps = EulerSteps(Densities(device, p))
    in_time = solvers.NewtonMethod(damping=steps, termination=Settled(), max_iterations=EFFORT)
    last = density_method(device, p, accurate(), FEW)
    return Settling(solver=last, in_time=in_time, origin=origin)
