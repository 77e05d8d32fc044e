"""The memory of a kernel: the table of addresses, and the arrays that the kernel writes."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import math
import sys
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...programs.graph import Node
from ..lowering.ufunc_loops import UfuncLoop
from ..printing.kernel_code import KernelCode
from ..printing.kernel_result import checked_array
from ..printing.llvm_elements import BLOCK


class Template(NamedTuple):
    """The constants of a Jacobian for the numbers that they are made of.

    Attributes
    ----------
    parts : dict
        What loops read.
    fill : ndarray, number or None
        What all values are filled with first; a number where that is enough.
    stretches : list of (int, int, float)
        Stretches ``begin:end`` that are filled with one number each, instead of `fill`; empty where
        that is a number, or as fast.
    """

    numbers: tuple[Any, ...]
    parts: dict[Hashable, NDArray[Any]]
    fill: Any
    stretches: list[tuple[int, int, float]]

    def put_into(self, data: NDArray[Any]) -> None:
        """Fill the values of a Jacobian."""
        for begin, end, number in self.stretches:
            data[begin:end] = number
        if self.fill is not None and not self.stretches:
            np.copyto(data, self.fill)


# So many numbers are copied in the time that it takes to find an address.
SMALL = 4096


class KernelMemory:
    """The memory of one run at a time.

    Parameters
    ----------
    functions : mapping
        Addresses of functions and of their data, by key.
    guards : list of (key, bytes)
        The memories that guards are in, and the bytes that these must have.

    Attributes
    ----------
    addresses : ndarray of uint64
        The table.
    arrays : dict
        Memories that the kernel writes, by key.
    x, F, data : ndarray or None
        Copies of a small x, and of small results: to find the address of another array takes
        longer than to copy it.
    entries : ndarray or None
        The values of the Jacobian in `data`.
    own : tuple
        x, F, data and entries.
    views : dict
        Memories in the shapes of nodes, for calls.
    given : object
        The values of the parameters for which the table was filled.
    ran_for : object
        The same, once the kernel has run for them: all that depends on them is in place.
    fill : ndarray, number or None
        What `data` is filled with before a run.
    guarded : list of (ndarray, bytes)
        Memories, and the bytes that these must have after a run.
    counts : ndarray or None
        See `KernelResult`.
    """

    def __init__(
        self,
        code: KernelCode,
        functions: Mapping[Hashable, int],
        guards: Sequence[tuple[Hashable, bytes]],
    ) -> None:
        self.addresses = np.zeros(max(1, len(code.addresses)), dtype=np.uint64)
        self.arrays: dict[Hashable, NDArray[Any]] = {
            key: np.empty(max(1, size), dtype=float if dtype == "d" else np.uint8)
            for key, (size, dtype) in code.memories.items()
            if key not in ("F", "data")
        }
        self.arrays["scratch"] = np.empty(BLOCK * max(1, code.scratch))
        self.slots = {key: np.empty(1) for key in code.slots}
        for key, array in (*code.constants.items(), *self.arrays.items(), *self.slots.items()):
            self.set(code, key, array)
        for key, address in functions.items():
            self.addresses[code.addresses[key]] = address
        self.address = self.addresses.ctypes.data
        self.x = self._own(code, "x", math.prod(code.x_node.shape))
        self.F = self._own(code, "F", code.size)
        self.data = self._own(code, "data", code.nnz + 1) if code.with_jacobian else None
        self.entries = None if self.data is None else self.data[:-1]
        self.own: tuple[Any, Any, Any, Any] = self.x, self.F, self.data, self.entries
        self.given: Any = None
        self.ran_for: Any = None
        self.fill: Any = None
        self.guarded = [(self.arrays[key], expected) for key, expected in guards]
        self.counts = self.arrays.get("counts")
        self.template: Template | None = None
        self.views: dict[Node, NDArray[Any]] = {}
        self._held: dict[Hashable, NDArray[Any]] = {}

    def _own(self, code: KernelCode, key: str, size: int) -> NDArray[Any] | None:
        """Return memory for x or a result if it is small, with its address in the table."""
        if size > SMALL:
            return None
        array = np.empty(size)
        self.set(code, key, array)
        return array

    def give(self, code: KernelCode, env: dict[Node, Any]) -> None:
        """Put the values of parameters, and of what depends on them, into the table."""
        self._held = {}
        self.ran_for = None
        for key, node in code.given.items():
            self.put(code, key, node, env[node])
        self.given = env

    def give_template(self, code: KernelCode, template: Template, data: NDArray[Any]) -> None:
        """Put the constants of the Jacobian into the table, and into the values."""
        if self.template is not template:
            for key, part in template.parts.items():
                self.set(code, key, part)
            self.template, self.fill = template, template.fill
        template.put_into(data)

    def put(self, code: KernelCode, key: Hashable, node: Node, value: Any) -> None:
        """Put the value of a node into its slot, or its address into the table."""
        slot = self.slots.get(key)
        if slot is not None:
            slot[0] = value
            return
        array = checked_array(node, value)
        self._held[key] = array
        self.set(code, key, array)

    def set(self, code: KernelCode, key: Hashable, array: NDArray[Any]) -> None:
        """Set the address of a memory, if the kernel uses it."""
        place = code.addresses.get(key)
        if place is not None:
            self.addresses[place] = array.__array_interface__["data"][0]


def is_function(key: Hashable) -> bool:
    """Whether an address is one of a function, or of its data."""
    return isinstance(key, tuple) and key[0] in ("function", "loop", "data")


def address_of(key: Any) -> int:
    """Return the address of a function, or of its data."""
    kind, what = key
    if kind == "function":
        return int(_library_function(what))
    assert isinstance(what, UfuncLoop)
    return what.function if kind == "loop" else what.data


@functools.cache
def _library_function(name: str) -> int:
    # The interpreter is linked with the mathematical library; to look for its file starts programs.
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    if not hasattr(library, name):
        library = ctypes.CDLL(ctypes.util.find_library("m"))
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
