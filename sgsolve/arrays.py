"""Names for kinds of arrays, in annotations; the type of their numbers; arrays of what is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataTypeError

Vector = NDArray[Any]  # numbers, real or complex; rows of them where a text says so
Mask = NDArray[np.bool_]
IndexArray = NDArray[np.int64]

DOUBLE = np.dtype(np.float64)
EPS = float(np.finfo(float).eps)


def real_array(given: Any, complaint: str) -> Vector:
    """Return what a user gave as an array of real numbers; raise what it must be, if it is not."""
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataTypeError(f"{complaint}, not {given!r}") from None
