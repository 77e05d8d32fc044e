"""The arrays and numbers that compiled loops share, in one piece of memory.

A class names them by annotations; functions that take an object of the class read and write them as
its attributes, in Python and in machine code::

    class Sweep(LoopStruct):
        x: Doubles
        n: int
        largest: Number

    def note_largest(it: Sweep) -> int:
        for i in range(it.n):
            it.largest = max(it.largest, abs(it.x[i]))
        return 1
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Indices = NDArray[np.int32]
Choices = NDArray[np.int32]  # indices that loops write
Addresses = NDArray[np.int64]  # of functions, and of what they take
Number = float  # one that loops change
Inner = Any  # another struct, for functions that take one of its class

KINDS = {
    "Doubles": "double*",
    "Indices": "i32*",
    "Choices": "i32*",
    "Addresses": "i64*",
    "Inner": "ptr",
    "int": "i64",
    "float": "double",
    "Number": "double",
}
DTYPES: dict[str, Any] = {
    "Doubles": np.float64,
    "Indices": np.int32,
    "Choices": np.int32,
    "Addresses": np.int64,
    "Inner": np.int64,
    "int": np.int64,
    "float": np.float64,
}


class LoopStruct:
    """Arrays (`Doubles`, `Indices`), constants (`int`, `float`) and changing numbers (`Number`).

    An `Inner` is another struct.

    Parameters
    ----------
    values : mapping
        The arrays and constants by name. Arrays are read and written in place; they must stay where
        they are.

    Attributes
    ----------
    numbers : ndarray of float
        The changing numbers, in the order of their annotations; zero at first.
    memory : ndarray of int64
        Eight bytes for each number and for the address of each array.
    address : int
        Of the memory.
    fields : dict of str to str
        Names and annotations, in the order of the memory.
    changing : tuple of str
        The names of `numbers`, which come first.
    """

    fields: ClassVar[dict[str, str]] = {}
    changing: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        found = inspect.get_annotations(cls)
        cls.changing = tuple(name for name, a in found.items() if a == "Number")
        cls.fields = {
            **dict.fromkeys(cls.changing, "Number"),
            **{name: a for name, a in found.items() if a in DTYPES},
        }
        for k, name in enumerate(cls.changing):
            setattr(cls, name, _number_at(k))

    def __init__(self, values: Mapping[str, Any]) -> None:
        memory = np.zeros(len(self.fields) + 1, dtype=np.int64)
        self.memory, self.address = memory, memory.ctypes.data
        self.numbers = memory[: len(self.changing)].view(np.float64)
        for place, (name, annotation) in enumerate(self.fields.items()):
            if name in self.changing:
                continue
            value, dtype = values[name], DTYPES[annotation]
            setattr(self, name, value)
            if isinstance(value, LoopStruct):
                value = value.address
            if KINDS[annotation].endswith("*"):
                if value.dtype != dtype or not value.flags.c_contiguous:
                    raise TypeError(f"loops need a contiguous array of {np.dtype(dtype)}")
                value, dtype = value.__array_interface__["data"][0], np.int64
            memory[place : place + 1].view(dtype)[0] = value


def _number_at(k: int) -> property:
    def get(struct: LoopStruct) -> float:
        return float(struct.numbers[k])

    def put(struct: LoopStruct, value: float) -> None:
        struct.numbers[k] = value

    return property(get, put)
