"""A kernel with memory of its own, for compiled loops that run it by its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....arrays import Vector
from .kernel import Kernel


class KernelCall:
    """A kernel of F alone, for one set of parameters.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Where x will be; it must stay there.
    inputs : mapping
        The arguments that are inputs of the kernel.

    Attributes
    ----------
    F : ndarray
        Where the result will be.
    plan : ndarray of int64
        For `outer_calls.run_kernel`.

    Raises
    ------
    OtherWay
        A condition on parameters has another value than in the trace.
    """

    def __init__(self, kernel: Kernel, x: Vector, inputs: Mapping[str, Any]) -> None:
        code = kernel.code
        self.kernel, self.x, self.F = kernel, x, np.zeros(code.size)
        self._memory = kernel.memory()
        self.give(inputs)
        self._memory.set(code, "x", x)
        self._memory.set(code, "F", self.F)
        functions = kernel.function_addresses
        tables = self._memory.address, *kernel.tables_at
        self.plan = np.array([len(functions), *tables, *functions], dtype=np.int64)

    def give(self, inputs: Mapping[str, Any]) -> None:
        """Take other values of the inputs."""
        self._memory.give(self.kernel.code, self.kernel.parameters.of(inputs))

    @staticmethod
    def serves(kernel: Kernel) -> bool:
        """Whether nothing but the functions has to run, and nothing is asked of the values."""
        code = kernel.code
        own = not code.calls and not kernel.guards and "counts" not in code.memories
        return own and not code.with_jacobian
