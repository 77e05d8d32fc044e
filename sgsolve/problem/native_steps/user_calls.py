"""F and Q by the user's code, which compiled loops call back: steps in time then need no kernels.

The loops call functions by their addresses; here it is one that enters Python. The interpreter's
lock is held all the time: to release and to take it at each call would let other threads delay
every step.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from ...ad.kernels.machine import HOLDING
from ...arrays import Vector
from .step_loop import CALLS, StepLoop

LONGEST = 0.1  # seconds from the start of the loops, after which they make no further step
Parts = Callable[[float, Vector], tuple[Vector, Vector]]


class Called(Protocol):
    """What the loops call for F or Q.

    Attributes
    ----------
    F : ndarray, shape (n,)
        Where the result will be.
    plan : ndarray of int64
        For `outer_calls.run_kernel`.
    """

    F: Vector
    plan: Any


@dataclass(frozen=True)
class Written:
    """A result that a function writes; without a function, what another one writes."""

    F: Vector
    plan: Any


class UserCalls:
    """The user's residual and storage, called at x.

    No exception passes through machine code. After one, F is NaN: the loops leave the step to
    Python, which comes to the same exception. One that does not come twice, such as Ctrl-C, is
    raised by `run`.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Where x will be; it must stay there.

    Attributes
    ----------
    flow, storage : Written
        For the loops.
    count : int
        Evaluations in the last run of the loops.
    seconds : float
        That they took.
    """

    def __init__(self, x: Vector) -> None:
        self.x, self.count, self.seconds = x, 0, 0.0
        self._entry = HOLDING(self._enter)
        address = ctypes.cast(self._entry, ctypes.c_void_p).value
        n = len(x)
        self.flow = Written(np.zeros(n), np.array([1, 0, 0, 0, address], dtype=np.int64))
        self.storage = Written(np.zeros(n), np.zeros(4, dtype=np.int64))
        self._raised: BaseException | None = None
        self._begun = 0.0
        self._parts: Parts | None = None
        self._loop: StepLoop | None = None

    def run(self, loop: StepLoop, function: Callable[[], int], parts: Parts) -> int:
        """Return what compiled loops return that evaluate ``parts(t, x)``, which is (F, Q)."""
        begun = int(loop.whole[CALLS])
        self._parts, self._loop, self._begun = parts, loop, perf_counter()
        self.count, self.seconds, self._raised = 0, 0.0, None
        try:
            result = function()
        finally:
            self._parts = self._loop = None
        raised, self._raised = self._raised, None
        if raised is None and begun + self.count != loop.whole[CALLS]:
            raised = KeyboardInterrupt()  # it came outside of the block that catches it
        if raised is not None:
            raise raised
        return result

    def _enter(self, *_: Any) -> int:
        start = perf_counter()
        try:
            assert self._parts is not None
            assert self._loop is not None
            self.flow.F[...], self.storage.F[...] = self._parts(self._loop.target, self.x.copy())
        except Exception:  # Python makes the step, comes to it again, and raises it
            self.flow.F[...] = np.nan
        except BaseException as error:
            self._raised, self.flow.F[...] = error, np.nan
        now = perf_counter()
        self.seconds += now - start
        self.count += 1
        if now - self._begun > LONGEST and self._loop is not None:
            self._loop.most = 0.0  # no step after this one
        return 0
