"""A kernel for many members: states of the same function with parameters of their own."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....arrays import IndexArray
from ..printing.kernel_result import OtherWay, checked_array
from .kernel import Kernel
from .member_loop import run_members


class MemberValues(NamedTuple):
    """What a kernel gives for k members.

    Attributes
    ----------
    F : ndarray, shape (k, m)
    data : ndarray of shape (k, nnz), or None
        The values of the Jacobians.
    flags : ndarray of int, shape (k,)
        Floating point flags.
    counts : ndarray, shape (k, branches)
        Numbers of elements of the sides of branches.
    valid : ndarray of bool, shape (k,)
        Whether all guards have their values.
    """

    F: NDArray[Any]
    data: NDArray[Any] | None
    flags: NDArray[np.int32]
    counts: NDArray[Any]
    valid: NDArray[np.bool_]


class MemberKernel:
    """Runs a kernel for many members.

    What depends on the parameters of a member alone is computed once and kept.

    Parameters
    ----------
    kernel : Kernel
        Without calls of NumPy between its loops, see `serves`.
    inputs : callable
        ``inputs(m)``: the inputs of member m beside x.
    count : int
        How many members there are.
    """

    def __init__(
        self, kernel: Kernel, inputs: Callable[[int], Mapping[str, Any]], count: int
    ) -> None:
        self.kernel, self._inputs = kernel, inputs
        code, addresses = kernel.code, kernel.code.addresses
        own = [key for key in code.memories if _is_own(key)]
        self._written: list[Hashable] = [k for k in ("F", "data", *own) if k in addresses]
        self._numbers = [key for key in code.given if key in code.slots]
        arrays = [k for k in code.given if k not in code.slots and k in addresses]
        parts = code.parts if code.with_jacobian else ()
        self._arrays, self._parts = arrays, [k for k in parts if k in addresses]
        first: list[Hashable] = ["x"] if "x" in addresses else []
        every = (*first, *self._written, *self._numbers, *self._arrays, *self._parts)
        self._places = np.array([addresses[key] for key in every], dtype=np.int64)
        self._takes_x, self._memory = bool(first), kernel.memory()
        self._table = self._memory.address, *kernel.tables_at
        self._functions = np.array(kernel.function_addresses, dtype=np.uint64)
        width = len(self._numbers) + len(self._arrays) + len(self._parts)
        self._pointers = np.zeros((count, width), dtype=np.uint64)
        self._values = np.zeros((count, len(self._numbers)))
        self._pointers[:, : len(self._numbers)] = _addresses(self._values.reshape(-1, 1)).reshape(
            self._values.shape
        )
        self._known = np.zeros(count, dtype=bool)
        self._refused = np.zeros(count, dtype=bool)
        self._fills: list[Any] = [None] * count
        self._held: dict[int, Any] = {}

    @staticmethod
    def serves(kernel: Kernel) -> bool:
        """Whether one call can run a kernel for many members."""
        return bool(kernel.function_addresses) and not kernel.code.calls

    def run(self, x: NDArray[Any], members: IndexArray) -> MemberValues:
        """Run the kernel for some members.

        Parameters
        ----------
        x : ndarray, shape (k, n), contiguous
        members : ndarray of int, shape (k,)
        """
        code, count = self.kernel.code, len(members)
        for m in members[~self._known[members]].tolist():
            self._bind(m)
        memories: dict[Hashable, NDArray[Any]] = {"F": np.empty((count, code.size))}
        data = np.empty((count, code.nnz + 1)) if code.with_jacobian else None
        if data is not None:
            memories["data"] = data
            self._fill(data, members)
        for key in self._written:
            if key not in memories:
                size, dtype = code.memories[key]
                memories[key] = np.empty((count, max(1, size)), float if dtype == "d" else np.uint8)
        given = [x] if self._takes_x else []
        results = (memories[key] for key in self._written)
        columns = [_addresses(array)[:, None] for array in (*given, *results)]
        pointers = np.concatenate([*columns, self._pointers[members]], axis=1)
        valid = ~self._refused[members]
        flags = np.zeros(count, dtype=np.int32)
        flags[valid] = run_members(self._table, self._functions, self._places, pointers[valid])
        for key, expected in self.kernel.guards.memories:
            raw = memories[key].view(np.uint8).reshape(count, -1)
            valid &= (raw == np.frombuffer(expected, dtype=np.uint8)).all(axis=1)
        counts = memories.get("counts", np.empty((count, 0)))
        return MemberValues(
            memories["F"], None if data is None else data[:, :-1], flags, counts, valid
        )

    def _fill(self, data: NDArray[Any], members: IndexArray) -> None:
        """Put the constants of the Jacobians into the values."""
        if not self.kernel.code.template:
            return
        fills = [self._fills[m] for m in members.tolist()]
        if all(fill is fills[0] for fill in fills):
            if fills and fills[0] is not None:
                data[:] = fills[0]
            return
        for row, fill in zip(data, fills, strict=True):
            if fill is not None:
                row[:] = fill

    def _bind(self, m: int) -> None:
        """Compute what depends on the parameters of a member alone."""
        self._known[m] = True
        kernel = self.kernel
        try:
            env = kernel.parameters.of(self._inputs(m))
            addresses = []
            for key in self._arrays:
                node = kernel.code.given[key]
                array = checked_array(node, env[node])
                self._held[id(array)] = array
                addresses.append(array.__array_interface__["data"][0])
        except OtherWay:
            self._refused[m] = True
            return
        for j, key in enumerate(self._numbers):
            self._values[m, j] = env[kernel.code.given[key]]
        if kernel.code.template:
            template = kernel.parameters.template(env)
            self._held[id(template)] = template
            parts = (template.parts[key] for key in self._parts)
            addresses += [part.__array_interface__["data"][0] for part in parts]
            self._fills[m] = template.fill
        self._pointers[m, len(self._numbers) :] = addresses


def _is_own(key: Hashable) -> bool:
    """Whether a memory is a result, which each member needs for itself."""
    return key == "counts" or (isinstance(key, tuple) and key[0] in ("guards", "guard"))


def _addresses(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Return the address of each row of an array."""
    first, stride = rows.__array_interface__["data"][0], rows.strides[0]
    return np.uint64(first) + np.uint64(stride) * np.arange(len(rows), dtype=np.uint64)
