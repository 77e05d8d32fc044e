"""NumPy's functions on AD arrays: one table from NumPy's function to ours.

The functions are in the files of their kind, each with a table of its own. Here are those that
return decisions or take ``like=``, and the methods of arrays.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..array import ADArray
from ..assignments.views import share_where_views
from ..conversions.nested import array_of, holds_derivatives
from ..dispatch import OF_SEQUENCES, OF_SHAPES, TABLE, UFUNC_METHODS, Function, call
from ..ufuncs.ufunc_calls import raw_value
from . import sparse_vectors
from .along_axes import blank_arrays, joining, reductions, running, shaping, ufunc_methods
from .element_functions import composed, tables
from .linear_algebra import fourier, products, small_matrices, tensors


def _of_values(func: Function) -> Function:
    """Return a function that is evaluated on the numbers: its result is a decision."""

    def decided(*args: Any, **kwargs: Any) -> Any:
        return func(*map(composed.plain, args), **{k: raw_value(v) for k, v in kwargs.items()})

    return decided


def _made_like(func: Function) -> Function:
    """Return a function that makes arrays, called with ``like=y``."""

    def made(content: Any, dtype: Any = None, *args: Any, like: Any = None, **kwargs: Any) -> Any:
        if func is np.fromiter:
            content = list(itertools.islice(content, _number_taken(*args, **kwargs)))
        if not isinstance(content, ADArray) and not holds_derivatives(content):
            return func(content, dtype, *args, **kwargs)
        y = array_of(content)
        y = y if dtype in (None, y.dtype) else y.astype(dtype)
        # SciPy gives a mark of NumPy for "if needed", which is neither true nor false.
        if y is content and kwargs.get("copy", func is np.array) in (True,):
            y = y.copy()
        return y[(None,) * max(kwargs.get("ndmin", 0) - y.ndim, 0)]

    return made


def _number_taken(count: int = -1) -> int | None:
    """Return how many elements np.fromiter takes; None for all."""
    return None if count < 0 else count


# Results are truth values, positions, shapes or fresh constants: nothing to differentiate.
DECISIONS: tuple[Function, ...] = (
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero,
    np.count_nonzero, np.any, np.all, np.allclose, np.isclose, np.array_equal, np.array_equiv,
    np.ones_like, np.searchsorted, np.digitize,
    np.isreal, np.iscomplex, np.iscomplexobj, np.isrealobj, np.result_type, np.may_share_memory,
    np.shares_memory, np.array_repr, np.array_str, np.array2string, np.argwhere, np.isneginf,
    np.isposinf, np.can_cast, np.common_type, np.min_scalar_type, np.isin, np.lexsort,
    np.argpartition, np.nanargmax, np.nanargmin, np.tril_indices_from,
    np.triu_indices_from,
)  # fmt: skip

# With ``like=y`` NumPy hands over calls that hold AD arrays in a list.
LIKE: tuple[Function, ...] = (np.array, np.asarray, np.asanyarray, np.fromiter)

TABLE.update(
    {
        **shaping.TABLE,
        **blank_arrays.TABLE,
        **joining.TABLE,
        **reductions.TABLE,
        **running.TABLE,
        **fourier.TABLE,
        **products.TABLE,
        **composed.TABLE,
        **tables.TABLE,
        **tensors.TABLE,
        **small_matrices.TABLE,
        **sparse_vectors.TABLE,
        **{func: _of_values(func) for func in DECISIONS},
        **{func: _made_like(func) for func in LIKE},
    }
)
OF_SEQUENCES.update({
    np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack, np.block,
    np.select, np.choose, np.piecewise, np.polyval, np.lexsort, np.linalg.multi_dot,
})  # fmt: skip


def _method(func: Function) -> Function:
    return lambda y, *args, **kwargs: call(func, (y, *args), kwargs)


def _set_on_class(method: Function) -> Function:
    return lambda y, *args, **kwargs: share_where_views(method(y, *args, **kwargs), (y,))


METHODS: dict[str, Function] = {
    name: _method(getattr(np, name))
    for name in (
        "sum", "mean", "prod", "max", "min", "cumsum", "cumprod", "var", "std", "dot", "trace",
        "diagonal", "swapaxes", "squeeze", "repeat", "take", "clip",
        "argmax", "argmin", "argsort", "nonzero", "any", "all", "ptp", "searchsorted",
    )
}  # fmt: skip
OF_SHAPES.update(blank_arrays.OF_SHAPES)
UFUNC_METHODS.update(ufunc_methods.TABLE)
METHODS["transpose"] = shaping.transpose_method
METHODS["reshape"] = shaping.reshape_method
METHODS["compress"] = lambda y, condition, axis=None: call(np.compress, (condition, y, axis), {})
METHODS["flatten"], METHODS["ravel"] = shaping.flatten, shaping.ravel
METHODS["copy"] = shaping.copy_method
# Of a real array the array itself, as NumPy's.
METHODS["conj"] = METHODS["conjugate"] = lambda y, out=None: (
    y if y.dtype.kind != "c" and out is None else np.conjugate(y, out=out)
)
METHODS["astype"] = shaping.astype
METHODS["item"] = shaping.item
METHODS["round"] = lambda y, decimals=0: call(np.round, (y, decimals), {})
METHODS["as_integer_ratio"] = shaping.refuse_ratio
METHODS["tolist"] = shaping.tolist
METHODS["fill"] = lambda y, value: y.__setitem__(Ellipsis, value)
METHODS["put"] = METHODS["sort"] = METHODS["itemset"] = shaping.refuse_writing
METHODS["partition"] = METHODS["resize"] = shaping.refuse_writing
for name, method in METHODS.items():
    setattr(ADArray, name, _set_on_class(method))
