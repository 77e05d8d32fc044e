"""Arrays of zeros that a residual fills: np.zeros_like, and np.zeros with ``like=x``.

The result is an AD array, so that elements of AD arrays can be assigned to it. Of integers and
truth values it is an ndarray. np.empty_like gives zeros too: its elements would be arbitrary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...array import ADArray
from ...assignments.assignment import blank_memory
from ...ufuncs.ufunc_calls import raw_value


def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, **kwargs: Any
) -> Any:
    """Return zeros in the shape of an AD array; np.zeros_like and np.empty_like for AD arrays."""
    return _blank(np.zeros_like(raw_value(a), dtype, order, subok, **kwargs), a)


def zeros(like: ADArray, shape: Any, dtype: Any = float, order: Any = "C", **kwargs: Any) -> Any:
    """Return zeros of the shape given; np.zeros and np.empty with ``like`` an AD array."""
    return _blank(np.zeros(shape, dtype, order, **kwargs), like)


def _blank(values: Any, like: ADArray) -> Any:
    if values.dtype.kind not in "fc" or not values.ndim:
        return values
    blank = ADArray(values, like._derivative.nothing())
    blank._memory = blank_memory(blank._derivative, values.size)
    return blank


TABLE: dict[Any, Any] = {np.zeros_like: zeros_like, np.empty_like: zeros_like}
# With ``like=y``: the functions get y first.
OF_SHAPES: dict[Any, Any] = {np.zeros: zeros, np.empty: zeros}
