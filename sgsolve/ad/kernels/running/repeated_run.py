"""Runs of a small kernel for arguments that it was run for before: only x is another one.

Such a run takes a few microseconds of machine code. To look up for each of them which arguments,
constants and memories are the same as before would take several times as long: they are looked up
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ....pattern import Pattern
from .kernel import Kernel

# F, the values of the Jacobian, flags and counts, as in a `KernelResult`.
Ran = tuple[NDArray[Any], NDArray[Any] | None, int, tuple[float, ...]]


class RepeatedRun:
    """Runs of a kernel for arguments for which it ran already.

    Parameters
    ----------
    kernel : Kernel
        One that `repeats`.
    arguments : mapping
        No array is among them. The same object stands for the same values.
    inputs : mapping
        Those of the arguments that are inputs.
    target : Pattern, optional
        That of the Jacobian.

    Attributes
    ----------
    arguments, target
        For which it runs.
    """

    __slots__ = ("_functions", "_memories", "_tables", "_values", "arguments", "target")

    def __init__(
        self,
        kernel: Kernel,
        arguments: Mapping[str, Any],
        inputs: Mapping[str, Any],
        target: Pattern | None,
    ) -> None:
        self.arguments, self.target = arguments, target
        self._values = kernel.parameters.of(inputs)
        self._memories = kernel.memories
        self._functions, self._tables = kernel.machine_functions, kernel.tables_at

    def run(self, x: NDArray[Any]) -> Ran | None:
        """Return the results at x, of the shape of the kernel's; None if it does not serve.

        It does not if a condition of the code has another value, or while other threads and other
        arguments have all memories of the kernel.
        """
        try:
            memory = self._memories.pop()
        except IndexError:
            return None
        try:
            if memory.ran_for is not self._values:
                return None
            own_x, F, data, entries = memory.own
            if memory.fill is not None:
                data[...] = memory.fill
            own_x[...] = x if x.ndim == 1 else x.reshape(-1)
            flags = 0
            for function in self._functions:
                flags |= function(memory.address, *self._tables)
            for guarded, expected in memory.guarded:
                if guarded.tobytes() != expected:
                    return None
            counts = () if memory.counts is None else tuple(memory.counts.tolist())
            return F.copy(), None if entries is None else entries.copy(), flags, counts
        finally:
            self._memories.append(memory)
