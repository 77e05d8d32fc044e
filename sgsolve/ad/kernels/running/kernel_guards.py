"""The guards of a kernel: what the code asked of values, with the answers of its trace."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from ...structures.operands import Contents
from ..printing.kernel_code import KernelCode
from ..printing.kernel_result import OtherWay
from .kernel_memory import KernelMemory

EXACT = bool, int, np.bool_


class ExpectedGuards:
    """The values that guards in the memory of a kernel must have."""

    def __init__(self, code: KernelCode) -> None:
        self._numbers = [
            (("guards", dtype), np.array(values, dtype=kind).tobytes())
            for dtype, kind in (("d", np.float64), ("b", np.uint8))
            if (
                values := [
                    np.ravel(g.value)[0] for g, d, at in code.guards if d == dtype and at >= 0
                ]
            )
        ]
        self._arrays = [
            (("guard", g.node), _contents(g.value, dtype))
            for g, dtype, place in code.guards
            if place < 0
        ]

    def __bool__(self) -> bool:
        return bool(self._numbers or self._arrays)

    @property
    def memories(self) -> list[tuple[Hashable, bytes]]:
        """The memories that guards are in, and the bytes that these must have."""
        arrays = [(key, bytes(contents.raw)) for key, contents in self._arrays]
        return [*self._numbers, *arrays]

    def check(self, workspace: KernelMemory) -> None:
        """Raise `OtherWay` if a guard has another value."""
        for key, contents in self._arrays:
            if not contents.equal(workspace.arrays[key]):
                raise OtherWay("a mask or another array that chooses elements has changed")
        for name, expected in self._numbers:
            if workspace.arrays[name].tobytes() != expected:
                raise OtherWay("a condition of the code has another value")


def _contents(value: Any, dtype: str) -> Contents:
    array = np.ascontiguousarray(value)
    return Contents(array.ravel() if dtype == "d" else array.ravel().view(np.uint8))


def is_same_answer(a: Any, b: Any) -> bool:
    """Whether a guard has the value of the trace."""
    if type(a) is not type(b):
        return False
    if isinstance(a, EXACT):
        return bool(a == b)
    return bool(np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind in "fc"))
