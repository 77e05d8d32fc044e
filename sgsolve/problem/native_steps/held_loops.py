"""The loops of a run in time with their memory, which a workspace keeps for later runs.

Loops that call the user's code are used from the start of a run: to load their machine code takes
as long as a hundred steps of Python, to compile it, once on a machine, as long as a thousand. What
decides is the run alone, so that the same run gives the same bits whatever ran before it. With
kernels they are used from the start if all that they take has been compiled before, or else from
step `LONG` on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...ad.kernels import machine
from ...ad.kernels.loops.compiled_loops import CompiledLoops
from ...ad.kernels.running.kernel_call import KernelCall
from ...arrays import Vector
from ...linear.equilibration import Equilibration
from ...transient.methods.bdf import BdfStepper
from ...transient.transient_stepper import TransientStepper
from ..equations.time_system import TimeSystem
from .corrector_loops import several_steps
from .step_arrays import band_places, step_loop_of
from .step_loop import StepLoop
from .user_calls import UserCalls

LOOPS = CompiledLoops(several_steps)
UNDECIDED = -1
LONG = 200  # steps of a run, or of runs before it, after which what is missing is compiled
MOST_UNKNOWNS = 100_000  # for such calls: NumPy is as fast beyond, and takes less memory

Calls = tuple[KernelCall, KernelCall] | UserCalls


@dataclass(frozen=True)
class HeldLoop:
    """Loops bound to their memory.

    Attributes
    ----------
    x : ndarray, shape (n,)
        Where x is for the evaluations.
    calls : two KernelCall, or UserCalls
        What evaluates F and Q.
    scaling : Equilibration
        Of the matrix.
    """

    loop: StepLoop
    run: Callable[[], int]
    x: Vector
    calls: Calls
    scaling: Equilibration

    @property
    def by_kernels(self) -> bool:
        """Whether kernels evaluate F and Q, or the user's code."""
        return not isinstance(self.calls, UserCalls)


class LoopsOfRun:
    """Finds the loops of a run, or decides that it has none.

    Attributes
    ----------
    activity : int
        Whether the run uses loops with kernels; -1: not decided. A run that is resumed goes on as
        it was.
    unfit : bool
        Whether the run cannot use them.
    """

    def __init__(self, stepper: TransientStepper) -> None:
        assert isinstance(stepper.system, TimeSystem)
        assert isinstance(stepper.steps, BdfStepper)
        self.stepper, self.system, self.steps = stepper, stepper.system, stepper.steps
        self.activity, self.unfit = UNDECIDED, False

    @property
    def by_kernels(self) -> bool:
        """Whether kernels evaluate F and Q, or the user's code."""
        return self.system.kernels_serve

    def are_near(self) -> bool:
        """Whether the next step may use loops."""
        if self.unfit or not self.by_kernels:
            return not self.unfit
        return bool(self.activity) or self.stepper.counts.steps >= LONG

    def find(self) -> HeldLoop | None:
        """Return the loops for the next step."""
        return self._with_kernels() if self.by_kernels else self._with_user_calls()

    def _with_kernels(self) -> HeldLoop | None:
        count = max(self.stepper.counts.steps, self.system.steps_without_loops)
        make = self.activity == 1 or count >= LONG or self.system.makes_kernels
        held = self._held(make) if make or LOOPS.pays(0, sys.maxsize) else None
        self.activity = int(held is not None)
        self.unfit = make and held is None
        return held

    def _with_user_calls(self) -> HeldLoop | None:
        held = self._held(True) if self._is_possible() else None
        self.unfit = held is None
        return held

    def _is_possible(self) -> bool:
        """Whether the loops solve with a matrix of this form, and can be compiled."""
        parts = self.stepper.implicit.matrix.direct_parts()
        if parts is None or self.system.n > MOST_UNKNOWNS:
            return False
        if band_places(parts, self.stepper.implicit.matrix.analyzed) is None:
            return False
        return machine.is_available()

    def _held(self, make: bool) -> HeldLoop | None:
        """Return the memory of an earlier run, if it serves again, or new memory."""
        matrix, weights, steps = self.stepper.implicit.matrix, self.stepper.weights, self.steps
        parts = matrix.direct_parts()
        if parts is None:
            return None
        pattern, n = matrix.analyzed, self.system.n
        settings = steps.max_order, steps.formulas, steps.implicit.max_iterations
        members = tuple(np.arange(n)[part].tobytes() for part in weights.parts)
        key = *settings, weights.fixed is None, members, tuple(weights.apart), self.by_kernels
        holder: dict[Any, HeldLoop] = self.stepper.workspace.derived("native steps", pattern, dict)
        known = holder.get(key)
        x = np.zeros(n) if known is None else known.x
        calls = self._calls_at(x, make, known)
        if calls is None or not LOOPS.are_made():
            return None
        if known is not None and calls == known.calls:
            return known
        by_user = isinstance(calls, UserCalls)
        evaluated = (calls.flow, calls.storage) if isinstance(calls, UserCalls) else calls
        scaling = Equilibration(pattern)
        loop = step_loop_of(steps, weights, pattern, parts, (x, *evaluated), scaling)
        if loop is None:
            return None
        [run] = LOOPS.bound(loop, by_user)
        holder[key] = HeldLoop(loop, run, x, calls, scaling)
        return holder[key]

    def _calls_at(self, x: Vector, make: bool, known: HeldLoop | None) -> Calls | None:
        """Return what evaluates F and Q at x: that of an earlier run, where it serves again."""
        calls = None if known is None else known.calls
        if not self.by_kernels:
            return calls if isinstance(calls, UserCalls) else UserCalls(x)
        assert not isinstance(calls, UserCalls)
        return self.system.kernel_calls(self.steps.t, self.steps.x, x, make, calls)
