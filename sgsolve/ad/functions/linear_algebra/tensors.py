"""Products of arrays with several axes: np.einsum and np.cross for AD arrays."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from ....errors import ShapeError
from ...array import ADArray
from ...ufuncs.ufunc_calls import array_of_values, raw_value
from .contractions import linear_einsum, without_repetition


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Return the cross product of vectors with three components; np.cross for AD arrays."""
    if axis is not None:
        axisa = axisb = axisc = axis
    left, right = _components_last(a, axisa), _components_last(b, axisb)
    parts = [
        left[..., i] * right[..., j] - left[..., j] * right[..., i]
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    stacked: Any = np.moveaxis(np.stack(parts, axis=-1), -1, axisc)
    return ADArray(np.cross(raw_value(a), raw_value(b), axisa, axisb, axisc), stacked._derivative)


def _components_last(a: Any, axis: int) -> Any:
    a = a if isinstance(a, ADArray) else array_of_values(a)
    if not -a.ndim <= axis < a.ndim or a.shape[axis] != 3:
        raise ShapeError(
            f"np.cross of AD arrays needs three components along axis {axis}, not shape {a.shape}; "
            "for two components write a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]"
        )
    return np.moveaxis(a, axis, -1)


def einsum(*arguments: Any, **kwargs: Any) -> Any:
    """Return a sum of products named by indices; np.einsum for AD arrays.

    One AD array among constants is multiplied by a matrix (shape functions of finite elements).
    Otherwise all operands are broadcast to all indices at once: right for the small tensors of a
    residual.
    """
    subscripts, operands = _spelled_out(arguments)
    inputs, output = _letters(subscripts, operands)
    wrong = next((k for k in output if output.count(k) > 1 or not any(k in i for i in inputs)), "")
    if wrong:
        raise ShapeError(f"np.einsum: {wrong!r} of the result is twice there or in no operand")
    kwargs = {k: v for k, v in kwargs.items() if v is not None}
    derivative = linear_einsum(inputs, output, operands)
    if derivative is not None:
        return ADArray(np.einsum(subscripts, *map(raw_value, operands), **kwargs), derivative)
    extra = sorted({k for name in inputs for k in name} - set(output))
    letters = [*output, *extra]
    product: Any = 1.0
    for name, operand in zip(inputs, operands, strict=True):
        name, operand = without_repetition(name, operand)
        moved = np.transpose(operand, [name.index(k) for k in letters if k in name])
        product = product * moved[tuple(slice(None) if k in name else np.newaxis for k in letters)]
    axes = tuple(range(len(output), len(letters)))
    total: Any = np.sum(product, axis=axes) if axes else product
    if not total.size:  # here NumPy writes beyond the end of its result
        return total
    return ADArray(np.einsum(subscripts, *map(raw_value, operands), **kwargs), total._derivative)


def _spelled_out(arguments: Any) -> tuple[str, list[Any]]:
    """Return subscripts and operands; of the form with lists of axes, one letter for each axis."""
    if isinstance(arguments[0], str):
        return arguments[0].replace(" ", ""), [_tensor_operand(a) for a in arguments[1:]]
    operands = [_tensor_operand(a) for a in arguments[: 2 * (len(arguments) // 2) : 2]]
    names = [_named(axes) for axes in arguments[1 : 2 * len(operands) : 2]]
    subscripts = ",".join(names)
    if len(arguments) % 2:
        subscripts += "->" + _named(arguments[-1])
    return subscripts, operands


def _tensor_operand(a: Any) -> Any:
    return a if isinstance(a, ADArray) else array_of_values(a)


def _named(axes: Any) -> str:
    letters = string.ascii_letters
    wrong = [k for k in axes if k is not Ellipsis and not 0 <= k < len(letters)]
    if wrong:
        raise ShapeError(f"np.einsum: axis {wrong[0]} is not within 0 to {len(letters) - 1}")
    return "".join("..." if k is Ellipsis else letters[k] for k in axes)


def _letters(subscripts: str, operands: Any) -> tuple[list[list[str]], list[str]]:
    """Return the indices of each operand and of the result; those of ``...`` are numbers."""
    given, arrow, result = subscripts.partition("->")
    names = given.split(",")
    if len(names) != len(operands):
        raise ShapeError(
            f"np.einsum: {subscripts!r} names {len(names)} operands, but there are {len(operands)}"
        )
    inputs = [_operand_with_axes(name, np.ndim(a)) for name, a in zip(names, operands, strict=True)]
    hidden = max((sum(k.isdigit() for k in name) for name in inputs), default=0)
    dots = [str(k) for k in reversed(range(hidden))]
    if arrow:
        before, has_dots, after = result.partition("...")
        return inputs, [*before, *(dots if has_dots else []), *after]
    count = given.count
    once = sorted(k for k in set(given) - set(",.") if count(k) == 1)
    return inputs, [*dots, *once]


def _operand_with_axes(name: str, ndim: int) -> list[str]:
    """Return one index for each axis; axes under ``...`` count from the last one."""
    before, dots, after = name.partition("...")
    hidden = ndim - len(before) - len(after)
    if hidden < 0 or (hidden and not dots):
        raise ShapeError(f"np.einsum: {name!r} does not name the axes of an operand with {ndim}")
    return [*before, *(str(k) for k in reversed(range(hidden))), *after]


TABLE: dict[Any, Any] = {np.cross: cross, np.einsum: einsum}
TABLE[np.linalg.cross] = lambda x1, x2, *, axis=-1: cross(x1, x2, axis=axis)
