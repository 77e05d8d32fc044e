"""Products of matrices, vectors and tables with AD arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ..errors import DerivativeError, ShapeError
from .array import ADArray
from .elementwise import value
from .functions import where
from .reductions import sum


def matmul(a: Any, b: Any) -> Any:
    """Return ``a @ b`` where one or both carry derivatives.

    A constant matrix, sparse in any SciPy format or dense, acts on the last (or only) axis of an
    AD array; two AD arrays multiply as NumPy multiplies them.
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ShapeError("matmul needs arrays with axes; use * for scalars")
    if isinstance(a, ADArray) and isinstance(b, ADArray):
        return _both(a, b)
    if isinstance(b, ADArray):
        return _constant_left(a, b)
    return _constant_right(a, b)


def _constant_left(A: Any, y: ADArray) -> Any:
    if not sp.issparse(A):
        A = np.asarray(A)
    if A.shape[-1] != y.shape[0 if y.ndim == 1 else -2]:
        raise ShapeError(f"matmul: A has shape {A.shape}, the AD array {y.shape}")
    result = A @ np.asarray(y._value)
    derivative = y._derivative
    if A.ndim == 1 or y.ndim > 2 or A.ndim > 2:
        return _by_sum(A, y)
    if y.ndim == 2:
        A = sp.kron(A, sp.eye_array(y.shape[1]), format="csr")
    return ADArray(result, derivative.multiplied(derivative.root.matrix(A)))


def _constant_right(y: ADArray, A: Any) -> Any:
    if not sp.issparse(A):
        A = np.asarray(A)
    if y.shape[-1] != A.shape[0 if A.ndim == 1 else -2]:
        raise ShapeError(f"matmul: the AD array has shape {y.shape}, A {A.shape}")
    if A.ndim == 1 or A.ndim > 2 or y.ndim > 2:
        return _by_sum(y, A)
    result = np.asarray(y._value) @ A
    derivative = y._derivative
    transposed = A.T
    if y.ndim == 2:
        transposed = sp.kron(sp.eye_array(y.shape[0]), A.T, format="csr")
    return ADArray(result, derivative.multiplied(derivative.root.matrix(transposed)))


def _both(a: ADArray, b: ADArray) -> Any:
    return _by_sum(a, b)


def _by_sum(a: Any, b: Any) -> Any:
    """Return a @ b as a sum of elementwise products; the value is NumPy's own product."""
    left = a[..., np.newaxis] if b.ndim > 1 else a
    right = b if b.ndim == 1 else b[..., np.newaxis, :, :] if a.ndim > 1 else b
    axis = -1 if b.ndim == 1 else -2
    if b.ndim > 1 and a.ndim == 1:
        left = a[:, np.newaxis]
    total = sum(left * right, axis)
    return ADArray(np.matmul(value(a), value(b)), total._derivative)


def dot(a: Any, b: Any) -> Any:
    """Return the product of a matrix or vector with a vector; np.dot for AD arrays."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(b) > 2 or np.ndim(a) > 2:
        raise DerivativeError("np.dot with more than two axes: use @ or np.tensordot's loops")
    return matmul(a, b)


def outer(a: Any, b: Any) -> Any:
    """Return all products of two vectors; np.outer for AD arrays."""
    return np.ravel(a)[:, np.newaxis] * np.ravel(b)[np.newaxis, :]


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of the diagonal; np.trace for AD arrays."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


def kron(a: Any, b: Any) -> Any:
    """Return the Kronecker product of two vectors or matrices; np.kron for AD arrays."""
    if np.ndim(a) == 1 and np.ndim(b) == 1:
        return np.ravel(outer(a, b))
    a2, b2 = np.atleast_2d(a), np.atleast_2d(b)
    product = a2[:, np.newaxis, :, np.newaxis] * b2[np.newaxis, :, np.newaxis, :]
    rows, cols = a2.shape[0] * b2.shape[0], a2.shape[1] * b2.shape[1]
    return np.reshape(product, (rows, cols))


def cross(a: Any, b: Any) -> Any:
    """Return the cross product of vectors with three components on the last axis."""
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise ShapeError("np.cross of AD arrays needs three components on the last axis")
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return np.stack(parts, axis=-1)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Return a sum of products named by indices; np.einsum for AD arrays.

    All operands are broadcast to all indices at once: right for the small tensors of a residual.
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    names = inputs.split(",")
    if "." in subscripts or not arrow or any(len(set(n)) < len(n) for n in names):
        raise DerivativeError("np.einsum on AD arrays needs '->', no '...', no repeated index")
    letters = output + "".join(sorted(set(inputs) - set(output) - {","}))
    product: Any = 1.0
    for name, operand in zip(names, operands, strict=True):
        order = sorted(range(len(name)), key=lambda k, name=name: letters.index(name[k]))
        moved = np.transpose(operand, order)
        present = [letter in name for letter in letters]
        key = tuple(slice(None) if here else np.newaxis for here in present)
        product = product * moved[key]
    axes = tuple(range(len(output), len(letters)))
    return np.sum(product, axis=axes) if axes else product


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Return the piecewise linear interpolation of a constant table; np.interp for AD arrays.

    At a node of the table the slope is that of the interval to its right.
    """
    if isinstance(xp, ADArray) or isinstance(fp, ADArray) or period is not None:
        raise DerivativeError("np.interp on AD arrays needs a constant table and no period")
    v = np.asarray(value(x))
    xp, fp = np.asarray(xp, dtype=float), np.asarray(fp)
    result = np.interp(v, xp, fp, left, right)
    if x._derivative.is_sparsity:
        return ADArray(result, x._derivative)
    cell = np.clip(np.searchsorted(xp, v, side="right") - 1, 0, max(len(xp) - 2, 0))
    slope = np.diff(fp)[cell] / np.diff(xp)[cell] if len(xp) > 1 else np.zeros(v.shape)
    slope = np.where((v < xp[0]) | (v > xp[-1]), 0.0, slope)
    return ADArray(result, x._derivative.scaled(np.asarray(slope, dtype=float).ravel()))


def polyval(p: Any, x: Any) -> Any:
    """Return a polynomial's value by Horner's rule; np.polyval for AD arrays."""
    result: Any = np.zeros(np.shape(x)) * x
    for coefficient in p:
        result = result * x + coefficient
    return result


def piecewise(x: Any, condlist: Any, funclist: Any) -> Any:
    """Return functions chosen by conditions; np.piecewise for AD arrays."""
    default = funclist[-1] if len(funclist) > len(condlist) else 0.0
    result = default(x) if callable(default) else default
    for condition, f in zip(condlist, funclist, strict=False):
        result = where(condition, f(x) if callable(f) else f, result)
    return result


TABLE: dict[Any, Any] = {
    np.matmul: matmul,
    np.dot: dot,
    np.vdot: lambda a, b: matmul(np.ravel(a), np.ravel(b)),
    np.inner: lambda a, b: matmul(a, b) if np.ndim(b) < 2 else matmul(a, np.transpose(b)),
    np.outer: outer,
    np.trace: trace,
    np.kron: kron,
    np.cross: cross,
    np.einsum: einsum,
    np.interp: interp,
    np.polyval: polyval,
    np.piecewise: piecewise,
}
