"""What a kernel returns: results with the flags of the processor, or why it is not valid here."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...programs.graph import Node
from .. import machine

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
RANGE = OVERFLOW | UNDERFLOW
# A kernel of the Jacobian returns the flags of calls that compute values alone beside all others,
# so many bits higher: what is out of range there spoils no derivative.
SHIFT_OF_VALUES = 8


class OtherWay(Exception):  # noqa: N818  # no error: an answer
    """The evaluation is not the one that was traced; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KernelResult(NamedTuple):
    """What a kernel gives.

    Attributes
    ----------
    data : ndarray or None
        The values of the Jacobian.
    flags : int
        Floating point flags, see `SHIFT_OF_VALUES`.
    counts : tuple of float
        Numbers of elements of the sides of branches.
    """

    F: NDArray[Any]
    data: NDArray[Any] | None
    flags: int
    counts: tuple[float, ...]


def checked_array(node: Node, value: Any) -> NDArray[Any]:
    """Return the value of a node as a contiguous array; raise `OtherWay` for another shape."""
    array = np.asarray(value)
    if array.shape != node.shape or array.dtype != node.dtype:
        raise OtherWay("an array has another shape")
    return np.ascontiguousarray(array)
