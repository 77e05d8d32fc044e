"""A kernel: compiled functions with the arrays that they read and write.

It gives F, or F and the values of the Jacobian, for values of x and of the parameters; or it says
that the way of the evaluation is another one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..derivatives.folded import STRICT
from ..programs.graph import ConstantNode, Kind, Node, Operand
from ..structures.operands import Contents
from . import machine
from .arguments import same_inputs, snapshot
from .assembly import TemplateOf
from .kernel_code import KernelCode
from .kernel_memory import KernelMemory, Template, address_of, is_function
from .lowering import NumpyCall
from .result_memory import ResultMemory

QUIET: Any = {"all": "ignore"}
# What code of others raises when it is given what it does not expect.
FOREIGN = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
# Flags of the C library by what they mean; the numbers are those of the processor.
if sys.platform == "win32":
    INVALID, DIVIDE, OVERFLOW, UNDERFLOW = 16, 8, 4, 2
elif machine.is_arm():
    INVALID, DIVIDE, OVERFLOW, UNDERFLOW = 1, 2, 4, 8
else:
    INVALID, DIVIDE, OVERFLOW, UNDERFLOW = 1, 4, 8, 16


class OtherWay(Exception):  # noqa: N818  # no error: an answer
    """The evaluation is not the one that was traced; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KernelResult(NamedTuple):
    """What a kernel gives.

    Attributes
    ----------
    F : ndarray
    data : ndarray or None
        The values of the Jacobian.
    flags : int
        Floating point flags.
    counts : tuple of float
        Numbers of elements of the sides of branches.
    """

    F: NDArray[Any]
    data: NDArray[Any] | None
    flags: int
    counts: tuple[float, ...]


class Kernel:
    """Compiled functions for one trace.

    Parameters
    ----------
    code : KernelCode

    Attributes
    ----------
    function_addresses : list of int
        Where the compiled functions are.
    tables_at : tuple of int
        Addresses of the tables of integers and of numbers.
    """

    def __init__(self, code: KernelCode) -> None:
        self.code = code
        tables = code.tables
        machine_code = machine.code_of(code.text, code.names)
        self._functions = machine_code.functions
        self.function_addresses = machine_code.addresses
        self.integers = np.array([*tables.integers, 0], dtype=np.int64)
        self.numbers = np.array([*map(_number, tables.numbers), 0.0])
        self.tables_at = self.integers.ctypes.data, self.numbers.ctypes.data
        self.constants = self._constants()
        self.functions = {key: address_of(key) for key in tables.addresses if is_function(key)}
        self.slots = self._number_slots()
        self.results = code.trace.graph.results
        self._expected = [
            (("guards", dtype), np.array(values, dtype=kind).tobytes())
            for dtype, kind in (("d", np.float64), ("b", np.uint8))
            if (
                values := [
                    np.ravel(g.value)[0] for g, d, at in code.guards if d == dtype and at >= 0
                ]
            )
        ]
        self._place = [tables.addresses.get(key, -1) for key in ("x", "F", "data")]
        self._arrays_expected = [
            (("guard", g.node), _contents(g.value, dtype))
            for g, dtype, place in code.guards
            if place < 0
        ]
        self._guarded = bool(self._expected or self._arrays_expected)
        self._values, self._data = ResultMemory(code.size), ResultMemory(code.nnz + 1)
        self._workspaces: list[KernelMemory] = []
        self._parameters: tuple[Any, dict[Node, Any]] | None = None
        self._latest: tuple[Any, dict[Node, Any]] = None, {}
        self._fixed: dict[Node, Any] = {}
        operands = (o for op in code.lowering.parameters for o in op.operands)
        self._parameter_constants: dict[Node, Any] = {
            o: o.value for o in operands if isinstance(o, ConstantNode)
        }
        self._parameter_guards = [
            (g.node, g.value) for g in code.late_guards if g.node not in code.called
        ]
        self._template: Template | None = None
        self._template_of: tuple[Any, Any] = None, None

    @property
    def guards_expected(self) -> list[tuple[Hashable, bytes]]:
        """The memories that guards are in, and the bytes that these must have."""
        arrays = [(key, bytes(contents.raw)) for key, contents in self._arrays_expected]
        return [*self._expected, *arrays]

    def run(self, x: NDArray[Any], inputs: Mapping[str, Any]) -> KernelResult:
        """Return F, the values of the Jacobian if it was asked for, flags and counts.

        Raises
        ------
        OtherWay
            If a guard has another value, or a call fails.
        """
        try:
            workspace = self._workspaces.pop()
        except IndexError:
            workspace = self.memory()
        try:
            return self._run(workspace, x, inputs)
        finally:
            self._workspaces.append(workspace)

    def memory(self) -> KernelMemory:
        """Return memory for one run at a time."""
        return KernelMemory(self.code, self.constants, self.slots, self.functions)

    def _run(
        self, workspace: KernelMemory, x: NDArray[Any], inputs: Mapping[str, Any]
    ) -> KernelResult:
        code = self.code
        env = self.with_parameters(inputs) if inputs or self._parameters is None else self._fixed
        if workspace.given is not env:
            self._give(workspace, env)
        addresses = workspace.addresses
        at_x, at_F, at_data = self._place
        F, data = workspace.F, workspace.data
        if workspace.x is not None:
            workspace.x[...] = x.reshape(-1)
        elif at_x >= 0:
            addresses[at_x] = x.__array_interface__["data"][0]
        if F is None:
            F = self._values.array()
            addresses[at_F] = F.__array_interface__["data"][0]
        if code.with_jacobian:
            if data is None:
                data = self._data.array()
                if at_data >= 0:
                    addresses[at_data] = data.__array_interface__["data"][0]
            if code.template:
                self._give_template(workspace, env, data)
        if code.lowering.calls:
            flags = self._steps_with_calls(workspace, x, F, env)
        else:
            flags = 0
            for function in self._functions:
                flags |= function(workspace.address, *self.tables_at)
            if self._guarded:
                self._check_guards(workspace)
        counts = workspace.arrays.get("counts")
        if F is workspace.F:
            F = F.copy()
        entries = workspace.entries
        if entries is not None:
            entries = entries.copy()
        elif data is not None:
            entries = data[:-1]
        return KernelResult(F, entries, flags, () if counts is None else tuple(counts.tolist()))

    def _steps_with_calls(
        self, workspace: KernelMemory, x: NDArray[Any], F: NDArray[Any], env: dict[Node, Any]
    ) -> int:
        flags = 0
        code = self.code
        results = {**env, code.x_node: x}
        workspace.arrays["F"] = F
        try:
            for step in code.steps:
                if step.function >= 0:
                    flags |= self._functions[step.function](workspace.address, *self.tables_at)
                for call in step.calls:
                    self._carry_out(call, workspace, results)
        finally:
            del workspace.arrays["F"]
        self._check_guards(workspace)
        for guard in code.late_guards:
            if guard.node in code.called and not _same(results[guard.node], guard.value):
                raise OtherWay("a condition of the code has another value")
        return flags

    def _check_guards(self, workspace: KernelMemory) -> None:
        for key, contents in self._arrays_expected:
            if not contents.equal(workspace.arrays[key]):
                raise OtherWay("a mask or another array that chooses elements has changed")
        for name, expected in self._expected:
            if workspace.arrays[name].tobytes() != expected:
                raise OtherWay("a condition of the code has another value")

    # ---- parameters ------------------------------------------------------------------------------

    def with_parameters(self, inputs: Mapping[str, Any]) -> dict[Node, Any]:
        """Return the values of all nodes that depend on parameters alone."""
        latest, env = self._latest
        if latest is inputs:
            return env
        key = snapshot(inputs)
        known = self._parameters
        if known is not None and same_inputs(known[0], key):
            return known[1]
        code = self.code
        env = dict(self._parameter_constants)
        for node in code.trace.graph.inputs.values():
            if node.key != "x":
                env[node] = inputs[str(node.key)]
        try:
            with np.errstate(**(STRICT if code.with_jacobian else QUIET)):
                for operation in code.lowering.parameters:
                    operands = [
                        _given(o, env) if isinstance(o, tuple) else env[o]
                        for o in operation.operands
                    ]
                    env[operation] = operation.function(*operands)
        except FOREIGN as error:  # the evaluation by NumPy raises it too, or does not come there
            raise OtherWay(f"{type(error).__name__} in what depends on parameters") from error
        for guarded, value in self._parameter_guards:
            if not _same(env[guarded], value):
                raise OtherWay("a condition on parameters has another value")
        self._parameters = (key, env)
        if not any(isinstance(value, Contents) for value in key):  # no array, which may change
            self._latest = inputs, env
        if not inputs:
            self._fixed = env
        return env

    def _give(self, workspace: KernelMemory, env: dict[Node, Any]) -> None:
        """Put the values of parameters, and of what depends on them, into the table."""
        code = self.code
        workspace.held = []
        for key, node in code.given.items():
            self._put(workspace, key, node, env[node])
        workspace.given = env

    def _put(self, workspace: KernelMemory, key: Hashable, node: Node, value: Any) -> None:
        slot = workspace.slots.get(key)
        if slot is not None:
            slot[0] = value
            return
        array = checked_array(node, value)
        workspace.held.append(array)
        workspace.set(self.code, key, array)

    def _give_template(
        self, workspace: KernelMemory, env: dict[Node, Any], data: NDArray[Any]
    ) -> None:
        """Put the constants of the Jacobian into the table, and into the values."""
        known, template = self._template_of
        if known is not env:
            template = self.template_for(env)
            self._template_of = env, template
        if workspace.template is not template:
            for key, part in template.parts.items():
                workspace.set(self.code, key, part)
            workspace.template = template
        if template.fill is not None:
            np.copyto(data, template.fill)

    def template_for(self, env: dict[Node, Any]) -> Template:
        """Return the constants of the Jacobian for values of the parameters."""
        code = self.code
        numbers = tuple(_given(node, env) for node in code.numbers)
        known = self._template
        if known is None or known.numbers != numbers:
            full = TemplateOf(code.trace.plan)(*numbers)
            parts = {key: full[places] for key, places in code.parts.items()}
            fill: Any = None
            if code.fixed is not None:
                values = full[code.fixed]
                fill = values[0] if bool((values == values[0]).all()) else full
            known = self._template = Template(numbers, parts, fill)
        return known

    # ---- calls -----------------------------------------------------------------------------------

    def _carry_out(self, call: NumpyCall, workspace: KernelMemory, env: dict[Node, Any]) -> None:
        operation = call.operation
        try:
            operands = [self._operand(o, workspace, env) for o in operation.operands]
            with np.errstate(**(STRICT if self.code.with_jacobian else QUIET)):
                result = operation.function(*operands)
        except FOREIGN as error:  # the evaluation by NumPy raises it too, or does not come there
            raise OtherWay(f"{type(error).__name__} in a call of NumPy") from error
        env[operation] = result
        if operation in self.code.tables.addresses or operation in workspace.slots:
            self._put(workspace, operation, operation, result)

    def _operand(self, operand: Operand, workspace: KernelMemory, env: dict[Node, Any]) -> Any:
        if isinstance(operand, tuple):
            return tuple(self._operand(o, workspace, env) for o in operand)
        if isinstance(operand, ConstantNode):
            return operand.value
        if operand in env:
            return env[operand]
        array = self._array(self.code.operands[operand], workspace, env)
        if operand.dtype == bool:
            array = array.view(bool)
        if operand.kind is Kind.NUMBER:
            return float(array[0]) if operand.plain else array[0]
        array = array[: math.prod(operand.shape)].reshape(operand.shape)
        array.flags.writeable = False
        return array if operand.strides is None else _with_strides(array, operand.strides)

    def _array(self, key: Hashable, workspace: KernelMemory, env: dict[Node, Any]) -> Any:
        """Return a memory as a vector."""
        known = workspace.arrays.get(key)
        if known is None:
            known = self.constants.get(key)
        if known is None:
            known = np.ascontiguousarray(env[self.code.lowering.given[key]]).ravel()
        return known.view(np.uint8) if known.dtype == bool else known

    # ---- binding ---------------------------------------------------------------------------------

    def _constants(self) -> dict[Hashable, NDArray[Any]]:
        tables = self.code.tables
        constants: dict[Hashable, NDArray[Any]] = {}
        for value in self.code.lowering.values.memories():
            if value.constant is not None and value.key in tables.addresses:
                constants[value.key] = np.ascontiguousarray(value.constant)
        for key, columns in tables.indices.items():
            if columns:
                table = np.stack([p.values for p in columns], axis=1)
                constants[key] = np.ascontiguousarray(table, dtype=np.int32)
        for key, matrix in tables.matrices.items():
            constants[*key, "p"] = matrix.indptr.astype(np.int64)
            constants[*key, "j"] = matrix.indices.astype(np.int32)
            constants[*key, "x"] = np.ascontiguousarray(matrix.data, dtype=float)
        return constants

    def _number_slots(self) -> list[Hashable]:
        return [
            value.key
            for value in self.code.lowering.values.memories()
            if value.constant is None
            and value.is_number
            and value.key in self.code.tables.addresses
        ]


def _number(text: str) -> float:
    return float(text)


def checked_array(node: Node, value: Any) -> NDArray[Any]:
    """Return the value of a node as a contiguous array; raise `OtherWay` for another shape."""
    array = np.asarray(value)
    if array.shape != node.shape or array.dtype != node.dtype:
        raise OtherWay("an array has another shape")
    return np.ascontiguousarray(array)


def _given(operand: Operand, env: dict[Node, Any]) -> Any:
    if isinstance(operand, tuple):
        return tuple(_given(o, env) for o in operand)
    return operand.value if isinstance(operand, ConstantNode) else env[operand]


def _contents(value: Any, dtype: str) -> Contents:
    array = np.ascontiguousarray(value)
    return Contents(array.ravel() if dtype == "d" else array.ravel().view(np.uint8))


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, bool | np.bool_ | int):
        return bool(a == b)
    return bool(np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind in "fc"))


def _with_strides(array: NDArray[Any], strides: tuple[int, ...]) -> NDArray[Any]:
    """Return a copy whose elements lie in memory as those of an array with these strides."""
    reach = [(n - 1) * s for n, s in zip(array.shape, strides, strict=True) if n]
    begin = -sum(r for r in reach if r < 0)
    room = np.empty(begin + sum(r for r in reach if r > 0) + array.itemsize, dtype=np.uint8)
    copy = np.ndarray(array.shape, array.dtype, room.data, begin, strides)
    copy[...] = array
    return copy
