"""Names for kinds of arrays, in annotations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]  # numbers, real or complex; rows of them where a text says so
Mask = NDArray[np.bool_]
IndexArray = NDArray[np.int64]
