"""Calls of NumPy between the loops of a kernel, on the memories that the loops read and write."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.folded import STRICT
from ..programs.graph import ConstantNode, Kind, Node, Operand
from .kernel_code import KernelCode
from .kernel_guards import is_same_answer
from .kernel_memory import KernelMemory
from .kernel_result import FOREIGN, OtherWay
from .lowering import NumpyCall
from .machine import RunFunction
from .parameter_values import QUIET


class CallsBetweenLoops:
    """Runs loops and calls in their order.

    Parameters
    ----------
    code : KernelCode
    functions : list of callable
        The compiled loops.
    constants : mapping
        Arrays that loops read, by key.
    """

    def __init__(
        self,
        code: KernelCode,
        functions: list[RunFunction],
        constants: Mapping[Hashable, NDArray[Any]],
    ) -> None:
        self._code, self._functions, self._constants = code, functions, constants
        self._errors: Any = STRICT if code.with_jacobian else QUIET
        self._guards = [g for g in code.late_guards if g.node in code.called]

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
        results = {**env, self._code.x_node: x}
        workspace.arrays["F"] = F
        try:
            with np.errstate(**self._errors):
                for step in self._code.steps:
                    if step.function >= 0:
                        flags |= self._functions[step.function](workspace.address, *tables)
                    for call in step.calls:
                        self._carry_out(call, workspace, results)
        except FOREIGN as error:  # the evaluation by NumPy raises it too, or does not come there
            raise OtherWay(f"{type(error).__name__} in a call of NumPy") from error
        finally:
            del workspace.arrays["F"]
        for guard in self._guards:
            if not is_same_answer(results[guard.node], guard.value):
                raise OtherWay("a condition of the code has another value")
        return flags

    def _carry_out(self, call: NumpyCall, workspace: KernelMemory, env: dict[Node, Any]) -> None:
        operation = call.operation
        operands = [self._operand(o, workspace, env) for o in operation.operands]
        env[operation] = result = operation.function(*operands)
        if operation in self._code.tables.addresses or operation in workspace.slots:
            workspace.put(self._code, operation, operation, result)

    def _operand(self, operand: Operand, workspace: KernelMemory, env: dict[Node, Any]) -> Any:
        if isinstance(operand, tuple):
            return tuple(self._operand(o, workspace, env) for o in operand)
        if isinstance(operand, ConstantNode):
            return operand.value
        if operand in env:
            return env[operand]
        known = workspace.views.get(operand)
        return self._loaded(operand, workspace, env) if known is None else known

    def _loaded(self, operand: Node, workspace: KernelMemory, env: dict[Node, Any]) -> Any:
        """Return what loops have written, or what is given to them."""
        key = self._code.operands[operand]
        array = self._array(key, workspace, env)
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

    def _array(self, key: Hashable, workspace: KernelMemory, env: dict[Node, Any]) -> Any:
        """Return a memory as a vector."""
        known = workspace.arrays.get(key)
        if known is None:
            known = self._constants.get(key)
        if known is None:
            known = np.ascontiguousarray(env[self._code.lowering.given[key]]).ravel()
        return known.view(np.uint8) if known.dtype == bool else known


def _with_strides(array: NDArray[Any], strides: tuple[int, ...]) -> NDArray[Any]:
    """Return a copy whose elements lie in memory as those of an array with these strides."""
    reach = [(n - 1) * s for n, s in zip(array.shape, strides, strict=True) if n]
    begin = -sum(r for r in reach if r < 0)
    room = np.empty(begin + sum(r for r in reach if r > 0) + array.itemsize, dtype=np.uint8)
    copy = np.ndarray(array.shape, array.dtype, room.data, begin, strides)
    copy[...] = array
    return copy
