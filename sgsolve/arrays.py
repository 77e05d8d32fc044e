"""Names for kinds of arrays, in annotations, and for the type of their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]  # numbers, real or complex; rows of them where a text says so
Mask = NDArray[np.bool_]
IndexArray = NDArray[np.int64]

DOUBLE = np.dtype(np.float64)
EPS = float(np.finfo(float).eps)
