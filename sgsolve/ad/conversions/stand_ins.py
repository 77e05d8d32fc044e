"""What NumPy gets where it asks an AD array for a plain array and keeps the derivative.

``np.array([x[0], x[1]])`` asks each element. An array of objects that holds the element makes the
result an array of objects, whose operations NumPy does element by element. ``np.r_`` and ``np.c_``
ask each array and join what they get by ``np.concatenate``. Positions that lead back to the
elements make the result an AD array.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

import numpy as np

from ...errors import DerivativeError
from ...private_api import is_concatenator, joined_item
from .library_callers import of_scipy

LARGEST_FLOAT32 = 2**24  # all smaller positions are float32 numbers


def stand_in(y: Any, dtype: Any, frame: FrameType) -> Any:
    """Return what stands for an AD array in the call of NumPy in a frame, or None for nothing."""
    if is_concatenator(frame):
        return ElementPositions.of(y) if joined_item(frame) is y else None
    if y.ndim or of_scipy(frame) or not (dtype is None or np.dtype(dtype).kind == "O"):
        return None
    if y.dtype.kind == "c":
        return None  # the real part of an array of objects is that array
    element = np.empty((), dtype=object)
    element.fill(y)
    y._derivative.root.objects = True
    return element


class ElementPositions(np.ndarray[Any, Any]):
    """Positions of the elements of an AD array, of the same shape; np.concatenate joins them.

    NumPy may reshape, transpose and cast them before; each position still leads to its element.
    """

    source: Any = None

    @classmethod
    def of(cls, y: Any) -> ElementPositions:
        """Return the positions of all elements, of a dtype that gives the result its dtype."""
        dtype = y.dtype
        if dtype.itemsize < 8 and y.size >= LARGEST_FLOAT32:
            dtype = np.result_type(dtype, float)
        positions = np.arange(y.size).astype(dtype).reshape(y.shape).view(cls)
        positions.source = y
        return positions

    def __array_finalize__(self, other: Any) -> None:
        self.source = getattr(other, "source", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        raise DerivativeError(f"np.r_ and np.c_ of AD arrays take no np.{ufunc.__name__}")

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is not np.concatenate:
            raise DerivativeError(f"np.r_ and np.c_ of AD arrays take no np.{func.__name__}")
        parts = [p.elements() if isinstance(p, ElementPositions) else p for p in args[0]]
        return np.concatenate(parts, *args[1:], **kwargs)

    def elements(self) -> Any:
        """Return the elements at these positions, as an AD array of their shape."""
        positions = np.asarray(self.view(np.ndarray).real, dtype=np.int64)
        if np.array_equal(positions.ravel(), np.arange(self.source.size)):
            return self.source.reshape(positions.shape)
        return self.source.ravel()[positions]
