"""A kernel: compiled functions with the arrays that they read and write.

It computes F, or F and the values of the Jacobian, for values of x and of the parameters. It raises
`OtherWay` where the code of the user would do other operations than those that were traced.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from numpy.typing import NDArray

from ...programs.result_memory import ResultMemory
from .. import machine
from ..printing.kernel_code import KernelCode
from ..printing.kernel_result import KernelResult
from .calls_between_loops import CallsBetweenLoops
from .kernel_guards import ExpectedGuards
from .kernel_memory import SMALL, KernelMemory, address_of, is_function
from .parameter_values import ParameterValues


class Kernel:
    """Compiled functions for one trace.

    Attributes
    ----------
    function_addresses : list of int
        Where the compiled functions are.
    tables_at : tuple of int
        Addresses of the tables of integers and of numbers.
    guards : ExpectedGuards
    parameters : ParameterValues
    machine_functions : list of callable
        See `machine.Code`.
    memories : list of KernelMemory
        Those that no run has at present.
    repeats : bool
        Whether a `RepeatedRun` can run it: it calls nothing of NumPy, and x and results are small.
    """

    def __init__(self, code: KernelCode) -> None:
        self.code = code
        self._machine_code = machine.code_of(code.text, code.names)  # the functions live as long
        self.machine_functions = self._machine_code.functions
        self.function_addresses = self._machine_code.addresses
        self.tables_at = code.integers.ctypes.data, code.literals.ctypes.data
        self.functions = {key: address_of(key) for key in code.addresses if is_function(key)}
        self.results = code.trace.graph.results
        self.guards, self.parameters = ExpectedGuards(code), ParameterValues(code)
        self._calls = CallsBetweenLoops(code, self.machine_functions)
        self._place = [code.addresses.get(key, -1) for key in ("x", "F", "data")]
        self._values, self._data = ResultMemory(code.size), ResultMemory(code.nnz + 1)
        self.memories: list[KernelMemory] = []
        self._guarded = bool(self.guards)
        largest = max(prod(code.x_node.shape), code.size, code.nnz + 1 if code.with_jacobian else 0)
        self.repeats = not code.calls and largest <= SMALL

    def run(self, x: NDArray[Any], inputs: Mapping[str, Any]) -> KernelResult:
        """Return F, the values of the Jacobian if it was asked for, flags and counts.

        Raises
        ------
        OtherWay
            If a guard has another value, or a call fails.
        """
        try:
            workspace = self.memories.pop()
        except IndexError:
            workspace = self.memory()
        try:
            return self._run(workspace, x, inputs)
        finally:
            self.memories.append(workspace)

    def memory(self) -> KernelMemory:
        """Return memory for one run at a time."""
        return KernelMemory(self.code, self.functions, self.guards.memories)

    def _run(
        self, workspace: KernelMemory, x: NDArray[Any], inputs: Mapping[str, Any]
    ) -> KernelResult:
        code = self.code
        env = self.parameters.of(inputs)
        if workspace.given is not env:
            workspace.give(code, env)
        at_x, at_F, at_data = self._place
        addresses, F, data = workspace.addresses, workspace.F, workspace.data
        if workspace.x is not None:
            workspace.x[...] = x if x.ndim == 1 else x.reshape(-1)
        elif at_x >= 0:
            addresses[at_x] = x.__array_interface__["data"][0]
        if F is None:
            F, addresses[at_F] = self._values.array_and_address()
        if code.with_jacobian:
            if data is None:
                data, address = self._data.array_and_address()
                if at_data >= 0:
                    addresses[at_data] = address
            if code.template:
                workspace.give_template(code, self.parameters.template(env), data)
        if code.calls:
            flags = self._calls.run(workspace, self.tables_at, x, F, env)
        else:
            flags = 0
            for function in self.machine_functions:
                flags |= function(workspace.address, *self.tables_at)
        if self._guarded:
            self.guards.check(workspace)
        workspace.ran_for = env
        counts = workspace.counts
        if F is workspace.F:
            F = F.copy()
        entries = workspace.entries
        if entries is not None:
            entries = entries.copy()
        elif data is not None:
            entries = data[:-1]
        return KernelResult(F, entries, flags, () if counts is None else tuple(counts.tolist()))
