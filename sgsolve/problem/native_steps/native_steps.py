"""Several steps in time in one call of machine code.

The loops make the steps that need nothing but residuals, solutions with kept factors, and new
factors. Python makes every other one: those that fail, that need a new Jacobian, that end at a
breakpoint or hold a row.

F and Q are evaluated by kernels, or by the user's code, which the loops call back. With kernels the
last evaluation of each call is confirmed by that code, as every solution of compiled equations is:
between the steps of a call no code runs that could change what the residual reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ...pattern import Pattern
from ...transient.implicit.implicit_equation import Equation
from ...transient.methods.backward_differences import CAPACITY
from ...transient.methods.bdf import BdfStepper
from ...transient.methods.step_sequence import StepSequence
from ...transient.methods.time_step import RejectedStep, TimeStep
from ...transient.transient_stepper import TransientStepper
from ..equations.time_system import TimeSystem
from .held_loops import HeldLoop, LoopsOfRun
from .step_loop import (
    AGE,
    COUNT,
    DIVERGED,
    DONE,
    EQUAL_STEPS,
    FACTORED,
    FIRST,
    N_FACTOR,
    NFEV,
    NIT,
    NUMBERS,
    ORDER,
    RENEW,
    RESCALE,
    RISING,
    SIDE,
    TOO_LONG,
    UNMEASURED,
    UNSOLVED,
    StepLoop,
    steps_at_once,
)
from .user_calls import UserCalls

TRUSTED_FAILURES = 2  # after more of them the error may be that of a jump


class NativeSteps:
    """Steps of a run by backward differentiation.

    Parameters
    ----------
    stepper : TransientStepper
    max_points : int or None
        Rows of the run, at most.
    alone : bool
        Make one step in a call: code of the user's runs behind each of them.
    recorded : bool
        Outputs of the user's are recorded behind each of them. Only kernels, which are confirmed,
        then make several in a call.
    """

    def __init__(
        self,
        stepper: TransientStepper,
        max_points: int | None = None,
        alone: bool = False,
        recorded: bool = False,
    ) -> None:
        assert isinstance(stepper.system, TimeSystem)
        assert isinstance(stepper.steps, BdfStepper)
        self.stepper, self.system, self.steps = stepper, stepper.system, stepper.steps
        self.matrix, self.max_points = stepper.implicit.matrix, max_points
        self.alone, self.recorded, self._loops = alone, recorded, LoopsOfRun(stepper)
        self._held: HeldLoop | None = None
        self._pattern: Pattern | None = None
        self._taken: Any = None  # the derivatives that are in the loop
        self._scales: Vector | None = None  # that are in the loop

    @property
    def activity(self) -> int:
        """Whether the run makes such steps; -1: not decided. See `held_loops`."""
        return self._loops.activity

    @activity.setter
    def activity(self, activity: int) -> None:
        self._loops.activity = activity

    @property
    def by_kernels(self) -> bool:
        """Whether kernels evaluate F and Q, or the user's code."""
        return self._loops.by_kernels

    @staticmethod
    def serves(stepper: TransientStepper) -> bool:
        """Whether such steps are possible in a run."""
        steps, system = stepper.steps, stepper.system
        if not isinstance(steps, BdfStepper) or not isinstance(system, TimeSystem):
            return False
        return not steps.fixed and stepper.implicit.is_plain and system.conservative

    def attempt(self, n_rows: int) -> StepSequence | RejectedStep | None:
        """Make steps to the planned end of the next one, and on; None where Python has to."""
        it = self._bound() if self._is_ready() else None
        held = self._held
        if it is None or held is None or not self._is_timed():
            self.system.note_step()
            return None
        self._load(it, n_rows)
        ended, vain = self._run(held), set[tuple[int, int]]()
        while (at := (ended, int(it.whole[DONE]))) not in vain and self._mended(it, ended):
            vain.add(at)
            ended = self._run(held)
        made = int(it.whole[DONE])
        if held.by_kernels:
            self.system.count_compiled(int(it.whole[NFEV]))
        if not made:
            return self._rejected(it, ended)
        if not self._confirmed(it):
            return None
        return StepSequence(self._told(it, made), self._take)

    def _run(self, held: HeldLoop) -> int:
        """Run the loops, and return how they ended."""
        if not isinstance(held.calls, UserCalls):
            return held.run()
        try:
            return held.calls.run(held.loop, held.run, self.system.parts)
        finally:
            self.stepper.implicit.count_residuals(held.calls.count, held.calls.seconds)

    def _mended(self, it: StepLoop, ended: int) -> bool:
        """Provide another matrix where that is why a step was not made."""
        if ended == RESCALE:
            return self._rescaled(it)
        return ended == RENEW and self._renewed(it)

    def _rescaled(self, it: StepLoop) -> bool:
        """Equilibrate the next matrix anew; False if that fails."""
        assert self._held is not None
        try:
            self._held.scaling.apply(it.J + it.a_wanted * it.C, it.A)
        except LinearSolveError:
            return False
        scales = np.array([self._held.scaling.row, self._held.scaling.column])
        self.matrix.scales = self._scales = scales
        return True

    def _take_scales(self, it: StepLoop) -> None:
        """Use the factors of rows and columns that are part of the state of the run."""
        assert self._held is not None
        self._scales = self.matrix.scales
        scales = np.ones((2, it.n)) if self._scales is None else self._scales
        self._held.scaling.take(*scales)
        it.whole[FACTORED] = 0

    def _renewed(self, it: StepLoop) -> bool:
        """Evaluate J and C for the planned step; False where that fails."""
        if self.matrix.evaluate(it.target, it.predicted.copy(), it.a, it.q.copy()):
            return False
        if self.system.pattern is not self._pattern:
            return False
        self._take_derivatives(it)
        it.a0, it.rate, it.fresh, it.whole[AGE] = 0.0, 1.0, 1.0, 0
        return True

    def _rejected(self, it: StepLoop, ended: int) -> RejectedStep | None:
        """Return why the planned step was not made; None where Python has to make it."""
        if ended not in (TOO_LONG, DIVERGED, UNSOLVED) or not self._confirmed(it):
            return None
        self._take_matrix(it)
        if ended == TOO_LONG:
            return self.steps.rejected_by(it.error, it.deviation)
        implicit = self.stepper.implicit
        implicit.renew()
        return RejectedStep.unsolved(implicit.failure(ended == DIVERGED))

    def _take_derivatives(self, it: StepLoop) -> None:
        derivatives = self.matrix.derivatives
        assert derivatives is not None
        it.J[...], it.C[...] = derivatives.J, derivatives.C
        self._taken, it.whole[FACTORED] = derivatives, 0

    def _is_ready(self) -> bool:
        steps, plan, schedule = self.steps, self.stepper.plan, self.stepper.schedule
        routine = not plan.due and steps.failures < TRUSTED_FAILURES and steps.control is None
        routine = routine and steps.tape is None
        # unknowns of an index 2 are left out of the norms once the run has started
        routine = routine and self.stepper.implicit.is_plain
        if not (routine and self.matrix.known and self.matrix.a0) or not self._loops.are_near():
            return False
        stop = schedule.next_stop(steps.t, plan.setbacks.jumps)
        return plan.target <= stop and plan.target < schedule.next_row(steps.t)

    def _bound(self) -> StepLoop | None:
        """Return the memory of the loops; None where there are none."""
        pattern = self.system.pattern
        held = self._held
        if held is not None and pattern is self._pattern and held.by_kernels == self.by_kernels:
            return held.loop
        self._held = held = self._loops.find()
        if held is None:
            return None
        self._pattern, self._taken = pattern, None
        it, weights = held.loop, self.stepper.weights
        it.rtol, it.tolerance = weights.step_rtol, self.stepper.implicit.tolerance
        it.max_step = self.stepper.schedule.max_step
        self._take_scales(it)
        if weights.step_atol is not None:
            it.fixed[...] = weights.step_atol
        return it

    def _is_timed(self) -> bool:
        """Give the kernels the time of the next step, if that is a parameter; False if they refuse.

        What depends on parameters alone is evaluated by NumPy.
        """
        assert self._held is not None
        calls, t = self._held.calls, self.stepper.plan.target
        if self.system.parameters.are_constant or isinstance(calls, UserCalls):
            return True
        place = calls[0].x
        try:
            return self.system.kernel_calls(t, place, place, False, calls) == calls
        except ArithmeticError:  # a parameter is not finite
            return False

    def _load(self, it: StepLoop, n_rows: int) -> None:
        """Write the state of the run into the memory of the loops."""
        steps, matrix, implicit = self.steps, self.matrix, self.stepper.implicit
        if matrix.derivatives is not self._taken:
            self._take_derivatives(it)
        if matrix.scales is not self._scales:
            self._take_scales(it)
        if it.a0 != matrix.a0:
            it.whole[FACTORED] = 0
        numbers = {"t": steps.t, "h": steps.h, "target": self.stepper.plan.target}
        numbers |= {"a0": matrix.a0, "rate": implicit.rate, "fresh": 0.0}
        schedule = self.stepper.schedule
        numbers["stop"] = schedule.next_stop(steps.t, self.stepper.plan.setbacks.jumps)
        numbers["next_row"] = schedule.next_row(steps.t)
        numbers["most"] = float(self._most(n_rows))
        for name, value in numbers.items():
            setattr(it, name, value)
        past = steps.past
        first, count = past.first, len(past.distances)
        memory = it.past.reshape(2, CAPACITY + 1, -1)
        memory[0, first : first + count], memory[0, CAPACITY] = past.distances, past.base
        it.weights[...], it.largest[...] = steps.error_weights, implicit.weights.largest
        it.inherited[...] = implicit.weights.inherited
        whole = {ORDER: steps.order, EQUAL_STEPS: steps.equal_steps, RISING: int(steps.rising)}
        whole |= {FIRST: first, COUNT: count, SIDE: 0, AGE: matrix.age}
        whole |= {UNMEASURED: implicit.unmeasured, NFEV: 0, NIT: 0, N_FACTOR: 0, DONE: 0}
        for place, number in whole.items():
            it.whole[place] = number

    def _most(self, n_rows: int) -> int:
        """Return how many steps may be made."""
        if self._is_alone():
            return 1
        if self.max_points is None or self.stepper.schedule.rows is not None:
            return steps_at_once(self.system.n)
        return max(1, min(steps_at_once(self.system.n), self.max_points - n_rows))

    def _is_alone(self) -> bool:
        """Whether something is to be done between steps."""
        if self.alone or self.stepper.dense is not None:
            return True
        if self.by_kernels:
            return not self.system.parameters.are_constant
        return self.recorded or self.stepper.plan.hidden is not None

    def _confirmed(self, it: StepLoop) -> bool:
        """Whether the user's code gives what the kernels gave at last.

        What that code reads beside its arguments can change only while Python runs.
        """
        assert self._held is not None
        if not self._held.by_kernels:
            return True
        return self.system.confirm_parts(it.t_evaluated, it.x.copy(), it.F, it.Q)

    def _told(self, it: StepLoop, made: int) -> list[TimeStep]:
        """Return the steps that were made."""
        ends, none = it.ends.reshape(-1, it.n)[:made].copy(), np.zeros(0)
        told = it.told.reshape(-1, NUMBERS)[:made].tolist()
        steps = [
            TimeStep(t, h, int(order), x, none, error, int(iterations))
            for (t, h, order, error, iterations), x in zip(told, ends, strict=True)
        ]
        last = steps[-1]
        first, side = int(it.whole[FIRST]), int(it.whole[SIDE])
        past = it.past.reshape(2, CAPACITY + 1, -1)[side, :, it.n :]
        last.charge = past[CAPACITY] + past[first]
        last.equation = Equation(last.t, it.told_a, it.told_q.copy(), it.weights.copy())
        return steps

    def _take(self) -> None:
        """Take the state at the end of the steps over into the run."""
        assert self._held is not None
        it, steps, implicit = self._held.loop, self.steps, self.stepper.implicit
        first, count, side = (int(it.whole[k]) for k in (FIRST, COUNT, SIDE))
        memory = it.past.reshape(2, CAPACITY + 1, -1)[side]
        steps.take(
            (it.t, it.h),
            (int(it.whole[ORDER]), int(it.whole[EQUAL_STEPS]), bool(it.whole[RISING])),
            (memory[CAPACITY], memory[first : first + count], first),
            it.weights.copy(),
        )
        implicit.weights.largest = it.largest.copy()
        self._take_matrix(it)

    def _take_matrix(self, it: StepLoop) -> None:
        """Take the state of the iteration over."""
        whole = it.whole
        nfev, nit = int(whole[NFEV]), int(whole[NIT])
        if self._held is not None and not self._held.by_kernels:
            nfev = 0  # counted where they are made
        self.stepper.implicit.take(it.rate, int(whole[UNMEASURED]), nfev, nit)
        self.matrix.take(it.a0, int(whole[AGE]), int(whole[N_FACTOR]), nit)
