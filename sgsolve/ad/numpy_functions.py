"""NumPy's functions on AD arrays: one table from NumPy's function to ours.

The functions themselves live in `shaping` (selecting and reordering elements), `joining`,
`reductions`, `running` and `products`. A function that is not in the table raises `DerivativeError` that
names it; none falls back to losing the derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DerivativeError
from . import joining, products, reductions, running, shaping
from .elementwise import value

Function = Callable[..., Any]


def _of_values(func: Function) -> Function:
    """Return a function that is evaluated on the numbers: its result is a decision."""

    def decided(*args: Any, **kwargs: Any) -> Any:
        return func(*map(value, args), **{k: value(v) for k, v in kwargs.items()})

    return decided


# Results are truth values, positions, shapes or fresh constants: nothing to differentiate.
DECISIONS: tuple[Function, ...] = (
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero,
    np.count_nonzero, np.any, np.all, np.allclose, np.isclose, np.array_equal, np.array_equiv,
    np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.searchsorted, np.digitize,
    np.isreal, np.iscomplex, np.iscomplexobj, np.isrealobj, np.result_type, np.may_share_memory,
    np.shares_memory, np.array_repr, np.array_str, np.array2string, np.argwhere, np.isneginf,
    np.isposinf, np.can_cast, np.common_type, np.min_scalar_type,
)  # fmt: skip

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

TABLE: dict[Function, Function] = {
    **shaping.TABLE,
    **joining.TABLE,
    **reductions.TABLE,
    **running.TABLE,
    **products.TABLE,
    **{func: _of_values(func) for func in DECISIONS},
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


def _method(func: Function) -> Function:
    return lambda y, *args, **kwargs: call(func, (y, *args), kwargs)


METHODS: dict[str, Function] = {
    name: _method(getattr(np, name))
    for name in (
        "sum", "mean", "prod", "max", "min", "cumsum", "cumprod", "var", "std", "dot", "trace",
        "diagonal", "ravel", "transpose", "swapaxes", "squeeze", "repeat", "take", "clip",
        "argmax", "argmin", "argsort", "nonzero", "any", "all", "ptp", "compress", "searchsorted",
    )
}  # fmt: skip
METHODS["reshape"] = shaping.reshape_method
METHODS["flatten"] = METHODS["ravel"]
METHODS["copy"] = lambda y, order="C": y[...]
METHODS["conj"] = METHODS["conjugate"] = lambda y: np.conjugate(y)
METHODS["astype"] = shaping.astype
METHODS["item"] = shaping.item
METHODS["round"] = lambda y, decimals=0: call(np.round, (y, decimals), {})
METHODS["tolist"] = shaping.refuse_list
METHODS["fill"] = METHODS["put"] = METHODS["sort"] = METHODS["itemset"] = shaping.refuse_writing
