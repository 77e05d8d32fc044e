"""Calls of NumPy between the loops of a kernel, on the memories that the loops read and write."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...derivatives.folded import STRICT
from ...programs.graph import ConstantNode, Kind, Node, Operand, Operation
from ..lowering.lowering import NumpyCall
from ..machine import RunFunction
from ..printing.kernel_code import KernelCode
from ..printing.kernel_result import FOREIGN, OtherWay
from .kernel_guards import is_same_answer
from .kernel_memory import KernelMemory
from .parameter_values import QUIET

Results = dict[Node, Any]


class PreparedCall(NamedTuple):
    """A call with what is the same in all runs.

    Attributes
    ----------
    operands : list
        Constants; None where there is another operand.
    others : list of (int, Operand)
        The other operands, and their places.
    read : bool
        Whether loops read the result.
    """

    operation: Operation
    operands: list[Any]
    others: list[tuple[int, Operand]]
    read: bool


class CallsBetweenLoops:
    """Runs loops and calls in their order.

    Parameters
    ----------
    functions : list of callable
        The compiled loops.
    """

    def __init__(self, code: KernelCode, functions: list[RunFunction]) -> None:
        self._code = code
        self._errors: Any = STRICT if code.with_jacobian else QUIET
        self._steps = [
            (None if s.function < 0 else functions[s.function], list(map(self._prepared, s.calls)))
            for s in code.steps
        ]
        called = code.called
        self._guards = [g for g in code.late_guards if g.node in called]

    def run(
        self,
        workspace: KernelMemory,
        tables: tuple[int, int],
        x: NDArray[Any],
        F: NDArray[Any],
        env: dict[Node, Any],
    ) -> int:
        """Run everything, and return the floating point flags of the loops.

        Raises
        ------
        OtherWay
            If a call fails, or a condition has another value.
        """
        flags = 0
        results: dict[Node, Any] = {self._code.x_node: x}
        workspace.arrays["F"] = F
        try:
            with np.errstate(**self._errors):
                for function, calls in self._steps:
                    if function is not None:
                        flags |= function(workspace.address, *tables)
                    for call in calls:
                        self._carry_out(call, workspace, results, env)
        except FOREIGN as error:  # the evaluation by NumPy raises it too, or does not come there
            raise OtherWay(f"{type(error).__name__} in a call of NumPy") from error
        finally:
            del workspace.arrays["F"]
        for guard in self._guards:
            if not is_same_answer(results[guard.node], guard.value):
                raise OtherWay("a condition of the code has another value")
        return flags

    def _prepared(self, call: NumpyCall) -> PreparedCall:
        """Return a call with its constant operands in place."""
        operation = call.operation
        operands = [o.value if isinstance(o, ConstantNode) else None for o in operation.operands]
        others = [
            (k, o) for k, o in enumerate(operation.operands) if not isinstance(o, ConstantNode)
        ]
        read = operation in self._code.addresses
        return PreparedCall(operation, operands, others, read)

    def _carry_out(
        self, call: PreparedCall, workspace: KernelMemory, results: Results, env: Results
    ) -> None:
        operation, operands, others, read = call
        operands = operands.copy()
        for k, operand in others:
            operands[k] = self._operand(operand, workspace, results, env)
        results[operation] = result = operation.function(*operands)
        if read:
            workspace.put(self._code, operation, operation, result)

    def _operand(
        self, operand: Operand, workspace: KernelMemory, results: Results, env: Results
    ) -> Any:
        for known in (results, env, workspace.views):
            if operand in known:
                return known[operand]
        if isinstance(operand, tuple):
            return tuple(self._operand(o, workspace, results, env) for o in operand)
        if isinstance(operand, ConstantNode):
            return operand.value
        return self._loaded(operand, workspace, results, env)

    def _loaded(
        self, operand: Node, workspace: KernelMemory, results: Results, env: Results
    ) -> Any:
        """Return what loops have written, or what is given to them."""
        key = self._code.operands[operand]
        array = self._array(key, workspace, results, env)
        if operand.dtype == bool:
            array = array.view(bool)
        if operand.kind is Kind.NUMBER:
            return float(array[0]) if operand.plain else array[0]
        array = array[: math.prod(operand.shape)].reshape(operand.shape)
        array.flags.writeable = False
        if operand.strides is not None:
            return _with_strides(array, operand.strides)
        if key != "F" and key in workspace.arrays:  # the same memory in all runs
            workspace.views[operand] = array
        return array

    def _array(self, key: Hashable, workspace: KernelMemory, results: Results, env: Results) -> Any:
        """Return a memory as a vector."""
        known = workspace.arrays.get(key)
        if known is None:
            known = self._code.constants.get(key)
        if known is None:
            node = self._code.origins[key]
            value = results[node] if node in results else env[node]
            known = np.ascontiguousarray(value).ravel()
        return known.view(np.uint8) if known.dtype == bool else known


def _with_strides(array: NDArray[Any], strides: tuple[int, ...]) -> NDArray[Any]:
    """Return a copy whose elements lie in memory as those of an array with these strides."""
    reach = [(n - 1) * s for n, s in zip(array.shape, strides, strict=True) if n]
    begin = -sum(r for r in reach if r < 0)
    room = np.empty(begin + sum(r for r in reach if r > 0) + array.itemsize, dtype=np.uint8)
    copy = np.ndarray(array.shape, array.dtype, room.data, begin, strides)
    copy[...] = array
    return copy
