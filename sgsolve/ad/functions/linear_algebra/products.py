"""Products of matrices and vectors with AD arrays."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ....arrays import DOUBLE
from ....errors import DerivativeError, ShapeError
from ....private_api import add_csr_product
from ...array import ADArray
from ...derivatives.derivative import Derivative
from ...indexing import kept
from ...structures.operands import Matrix
from ...structures.root import Evaluation
from ...ufuncs.ufunc_calls import EXTENDED, OF_MATRIX, array_of_values, raw_value

BY_ROWS = (sp.csr_array, sp.csr_matrix)


def matmul(a: Any, b: Any) -> Any:
    """Return ``a @ b`` where one or both carry derivatives.

    A constant matrix, sparse in any SciPy format or dense, acts on the last (or only) axis of an
    AD array; two AD arrays multiply as NumPy multiplies them.
    """
    if type(b) is ADArray and (type(a) in BY_ROWS or sp.issparse(a)) and _fits(a, b):
        return _sparse_product(a, b)
    if any((x.ndim if hasattr(x, "ndim") else np.ndim(x)) == 0 for x in (a, b)):
        raise ShapeError("matmul needs arrays with axes; use * for scalars")
    return _product(operator.matmul, a, b)


def sparse_product(A: Any, vector: Any) -> Any:
    """Return ``A @ vector`` for a constant sparse matrix without SciPy's way to its product."""
    if type(vector) is np.ndarray:
        return matrix_times_vector(A, vector)
    if type(vector) is ADArray and _fits(A, vector):
        return _sparse_product(A, vector)
    return A @ vector


def _fits(A: Any, y: ADArray) -> bool:
    """Whether the columns of a matrix are as many as the elements of a vector."""
    return bool(A.shape[1:] == y._value.shape)


def _sparse_product(A: Any, y: ADArray) -> ADArray:
    """Return the product of a sparse matrix and a vector."""
    vector, derivative = y._value, y._derivative
    if type(vector) is not np.ndarray and hasattr(vector, "record"):
        result = vector.record(matrix_times_vector, (A, vector))
    else:
        result = matrix_times_vector(A, vector)
    if vector.dtype is not DOUBLE:
        derivative = _in_own_precision(y)
    return ADArray(result, derivative.multiplied(derivative.root.matrix(A)))


def matrix_times_vector(A: Any, vector: NDArray[Any]) -> NDArray[Any]:
    """Return ``A @ vector`` for a sparse matrix."""
    if (
        type(A) in BY_ROWS
        and A.data.dtype is DOUBLE
        and vector.dtype is DOUBLE
        and A.shape[1:] == vector.shape
    ):
        # What ``A @ vector`` comes down to, without the questions on the way.
        result = np.zeros(len(A.indptr) - 1)
        add_csr_product(A, vector, result)
        return result
    product: NDArray[Any] = A @ vector
    return product


def _in_own_precision(y: ADArray) -> Derivative:
    """Return the derivative of y, so that no product of matrices is in double precision."""
    derivative: Derivative = y._derivative
    if y.dtype not in EXTENDED or derivative.is_sparsity:
        return derivative
    return derivative.scaled(np.ones(y.size, dtype=np.longdouble))


def _product(numpys: Any, a: Any, b: Any) -> Any:
    """Return the product of arrays with axes; `numpys` computes its value."""
    a, b = _operand(a), _operand(b)
    if a.shape[-1] != b.shape[0 if b.ndim == 1 else -2]:
        raise ShapeError(f"matmul: shapes {a.shape} and {b.shape} do not fit")
    result = _value_of_product(numpys, raw_value(a), raw_value(b))
    if isinstance(a, ADArray) and not isinstance(b, ADArray) and a.ndim <= b.ndim == 2:
        return _constant_right(a, b, result)
    if isinstance(b, ADArray) and not isinstance(a, ADArray) and b.ndim <= a.ndim == 2:
        return _constant_left(a, b, result)
    return ADArray(result, _sum_of_products(a, b)._derivative)


def _value_of_product(numpys: Any, a: Any, b: Any) -> Any:
    for v in (a, b):
        if hasattr(v, "record"):
            return v.record(numpys, (a, b))  # a sparse matrix would ask for a plain array
    return numpys(a, b)


def _operand(a: Any) -> Any:
    if type(a) is np.ndarray and a.dtype is DOUBLE:
        return a
    if isinstance(a, ADArray) or sp.issparse(a):
        return a
    array = array_of_values(a)
    if array.dtype == object:
        raise DerivativeError(
            f"a product of an AD array and a {type(a).__name__}, which is no matrix of numbers: "
            "use a constant matrix, sparse or dense, A @ y"
        )
    return array


def _constant_left(A: Any, y: ADArray, result: Any) -> ADArray:
    derivative = _in_own_precision(y)
    matrix = derivative.root.matrix(A)
    if y.ndim == 2:
        matrix = _repeated(derivative.root, matrix, y.shape[1], True)
    return ADArray(result, derivative.multiplied(matrix))


def _constant_right(y: ADArray, A: Any, result: Any) -> ADArray:
    derivative = _in_own_precision(y)
    matrix = derivative.root.matrix(A)
    matrix = _repeated(derivative.root, matrix, y.shape[0] if y.ndim == 2 else 1, False)
    return ADArray(result, derivative.multiplied(matrix))


def _repeated(root: Evaluation, matrix: Matrix, count: int, left: bool) -> Matrix:
    """Return A acting on each column of a flattened matrix (left), or A.T on each row; kept."""
    name = ("repeated", matrix, count, left)
    repeated: Matrix = kept(root, name, lambda: _repeat(matrix.csr, count, left, root))
    return repeated


def _repeat(csr: Any, count: int, left: bool, root: Evaluation) -> Any:
    coo = csr.tocoo()
    copy = np.repeat(np.arange(count), len(coo.data))
    i, j, v = (np.tile(part, count) for part in (coo.row, coo.col, coo.data))
    m, n = csr.shape
    if left:
        rows, cols, shape = i * count + copy, j * count + copy, (m * count, n * count)
    else:
        rows, cols, shape = copy * n + j, copy * m + i, (count * n, count * m)
    repeated = sp.csr_array(sp.coo_array((v, (rows, cols)), shape=shape))
    return Matrix(repeated, (), root.clock, (shape, "csr"))


def _sum_of_products(a: Any, b: Any) -> Any:
    """Return a @ b as a sum of elementwise products."""
    a, b = (c.toarray() if hasattr(c, "toarray") else c for c in (a, b))
    if b.ndim == 1:
        return np.sum(a * b, axis=-1)
    left = a[:, np.newaxis] if a.ndim == 1 else a[..., np.newaxis]
    right = b if a.ndim == 1 else b[..., np.newaxis, :, :]
    return np.sum(left * right, axis=-2)


def dot_product(a: Any, b: Any) -> Any:
    """Return the product over the last axis of a and the last but one of b; np.dot."""
    if type(b) is ADArray and sp.issparse(a) and _fits(a, b):
        return _sparse_product(a, b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _scaled(np.dot, a, b)
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        # Not bitwise equal to a @ b, for views with strides.
        return _product(operator.matmul if sp.issparse(a) or sp.issparse(b) else np.dot, a, b)
    axes = (-1, -1 if np.ndim(b) == 1 else -2)
    return ADArray(np.dot(raw_value(a), raw_value(b)), tensordot(a, b, axes)._derivative)


def _scaled(numpys: Any, a: Any, b: Any) -> Any:
    """Return the product of which one is a scalar; NumPy adds it to zero, and so has no -0."""
    if isinstance(a, np.matrix) or isinstance(b, np.matrix):
        raise DerivativeError(OF_MATRIX)  # its own a * b asks np.dot again
    return ADArray(numpys(raw_value(a), raw_value(b)), (a * b)._derivative)


def inner(a: Any, b: Any) -> Any:
    """Return the product over the last axes; np.inner for AD arrays."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _scaled(np.inner, a, b)
    return ADArray(np.inner(raw_value(a), raw_value(b)), tensordot(a, b, (-1, -1))._derivative)


def vdot(a: Any, b: Any) -> Any:
    """Return the sum of products of all elements; np.vdot for AD arrays."""
    # Of the arrays as they are: copies of views with strides add in another order.
    result = np.vdot(raw_value(a), raw_value(b))
    return ADArray(result, matmul(np.conjugate(np.ravel(a)), np.ravel(b))._derivative)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the product summed over pairs of axes; np.tensordot for AD arrays."""
    na, nb = np.ndim(a), np.ndim(b)
    if np.ndim(axes) == 0:
        first, second = list(range(na - int(axes), na)), list(range(int(axes)))
    else:
        first, second = (
            [int(k) % n for k in np.atleast_1d(part)]
            for part, n in zip(axes, (na, nb), strict=True)
        )
    rest_a = [k for k in range(na) if k not in first]
    rest_b = [k for k in range(nb) if k not in second]
    rows, cols = ([np.shape(c)[k] for k in rest] for c, rest in ((a, rest_a), (b, rest_b)))
    length = int(np.prod([np.shape(a)[k] for k in first]))
    left = np.reshape(np.transpose(a, rest_a + first), (int(np.prod(rows)), length))
    right = np.reshape(np.transpose(b, second + rest_b), (length, int(np.prod(cols))))
    total = matmul(left, right)
    return ADArray(np.tensordot(raw_value(a), raw_value(b), axes), total._derivative)


def matvec(x1: Any, x2: Any) -> Any:
    """Return the products of (stacks of) matrices with vectors; np.matvec for AD arrays."""
    total: Any = np.sum(x1 * np.expand_dims(x2, -2), axis=-1)
    return ADArray(_ufunc("matvec")(raw_value(x1), raw_value(x2)), total._derivative)


def vecmat(x1: Any, x2: Any) -> Any:
    """Return the products of vectors with (stacks of) matrices; np.vecmat for AD arrays."""
    total: Any = np.sum(np.conjugate(x1)[..., np.newaxis] * x2, axis=-2)
    return ADArray(_ufunc("vecmat")(raw_value(x1), raw_value(x2)), total._derivative)


def vecdot(x1: Any, x2: Any) -> Any:
    """Return the scalar products of vectors along the last axis; np.vecdot for AD arrays."""
    total: Any = np.sum(np.conjugate(x1) * x2, axis=-1)
    return ADArray(_ufunc("vecdot")(raw_value(x1), raw_value(x2)), total._derivative)


def _ufunc(name: str) -> Any:
    return getattr(np, name)  # np.matvec and np.vecmat came with NumPy 2.2


def multi_dot(arrays: Any) -> Any:
    """Return the product of several matrices; np.linalg.multi_dot for AD arrays."""
    total: Any = functools.reduce(np.dot, arrays)
    return ADArray(np.linalg.multi_dot([raw_value(a) for a in arrays]), total._derivative)


def outer(a: Any, b: Any) -> Any:
    """Return all products of two vectors; np.outer for AD arrays."""
    return np.ravel(a)[:, np.newaxis] * np.ravel(b)[np.newaxis, :]


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of the diagonal; np.trace for AD arrays."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


def kron(a: Any, b: Any) -> Any:
    """Return the Kronecker product; np.kron for AD arrays."""
    ndim = max(np.ndim(a), np.ndim(b))
    na, nb = ((1,) * (ndim - np.ndim(c)) + np.shape(c) for c in (a, b))
    left = np.reshape(a, [n for k in na for n in (k, 1)])
    right = np.reshape(b, [n for k in nb for n in (1, k)])
    product: Any = np.reshape(left * right, tuple(p * q for p, q in zip(na, nb, strict=True)))
    return ADArray(np.kron(raw_value(a), raw_value(b)), product._derivative)


TABLE: dict[Any, Any] = {
    np.matmul: matmul,
    **{getattr(np, f.__name__): f for f in (vecdot, matvec, vecmat) if hasattr(np, f.__name__)},
    np.dot: dot_product,
    np.vdot: vdot,
    np.inner: inner,
    np.tensordot: tensordot,
    np.outer: outer,
    np.trace: trace,
    np.kron: kron,
    np.linalg.outer: outer,
    np.linalg.multi_dot: multi_dot,
    np.linalg.trace: lambda a, offset=0: trace(a, offset, -2, -1),
    np.linalg.matmul: matmul,
    np.linalg.tensordot: tensordot,
}
