"""Dispatch: from NumPy's functions and methods to ours.

The tables are filled by `numpy_functions` when the package is imported; `array` looks things up
here, so that neither needs to know the other. A function that is in no table raises
`DerivativeError` that names it; none falls back to losing the derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DerivativeError

Function = Callable[..., Any]

TABLE: dict[Function, Function] = {}
METHODS: dict[str, Function] = {}

INSTEAD: dict[Function, str] = {
    np.array_split: "use slices y[a:b]",
    np.median: "use y[np.argsort(ad.value(y))] and the middle elements",
    np.linalg.solve: "make the solution an unknown: its equation is A @ x - b",
    np.linalg.inv: "make the solution an unknown: its equation is A @ x - b",
    np.linalg.det: "write the determinant out",
    np.fft.fft: "use A @ y with the constant DFT matrix",
    np.convolve: "use A @ y with a constant banded matrix",
    np.put: "use ad.sparsesum([ad.sparsevec(n, idx, v)])",
    np.copyto: "use np.where(mask, new, old)",
    np.putmask: "use np.where(mask, new, old)",
    np.place: "use np.where(mask, new, old)",
    np.unique: "apply it to ad.value(y) and index y with the positions it returns",
}


def call(func: Function, args: Any, kwargs: Any) -> Any:
    """Return ``func(*args, **kwargs)`` where some argument is an AD array.

    Raises
    ------
    DerivativeError
        If the function is not supported; the message names it and what to use instead.
    """
    ours = TABLE.get(func)
    if ours is None:
        name = f"{getattr(func, '__module__', 'numpy')}.{getattr(func, '__name__', func)}"
        instead = INSTEAD.get(func, "write it with operators, indexing, A @ y or ad.sparsesum")
        raise DerivativeError(f"{name} is not supported on AD arrays: {instead}")
    if kwargs.get("out") is not None:
        raise DerivativeError(f"np.{func.__name__}(out=...) cannot write an AD array")
    kwargs.pop("out", None)
    return ours(*args, **kwargs)
