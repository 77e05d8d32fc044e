"""Inverse, determinant and solution of small systems: np.linalg.inv, det, slogdet, solve.

With dA the derivative of A: d inv(A) = -inv(A) dA inv(A), d log det(A) = trace(inv(A) dA), and
d solve(A, b) = inv(A) (db - dA x). Values are NumPy's own. A matrix depends on every element of
the one that it is the inverse of, so that this is for matrices of a few rows; a large system
belongs among the unknowns. Systems with a constant matrix may have any size.

Reference: M. B. Giles, Collected matrix derivative results for forward and reverse mode
algorithmic differentiation (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DerivativeError, ShapeError
from ...array import ADArray
from ...conversions.nested import array_of
from ...derivatives.array_operations import flat
from ...ufuncs import complex_values
from ...ufuncs.ufunc_calls import array_of_values, raw_value
from ..element_functions.user import from_partials

LARGEST = 16


def inv(a: Any) -> Any:
    """Return the inverses of (stacks of) small matrices; np.linalg.inv for AD arrays."""
    a = _small(a, "inv")
    inverse = _inverted(a, "inv")
    return ADArray(
        np.linalg.inv(raw_value(a)),
        (-_stacked_product(_stacked_product(inverse, a), inverse))._derivative,
    )


def det(a: Any) -> Any:
    """Return the determinants of small matrices; np.linalg.det for AD arrays."""
    a = _small(a, "det")
    result = np.linalg.det(raw_value(a))
    return ADArray(result, _sum_weighted_by_values(a, _cofactors(raw_value(a))))


def slogdet(a: Any) -> Any:
    """Return sign and logarithm of the determinants; np.linalg.slogdet for AD arrays."""
    a = _small(a, "slogdet")
    result = np.linalg.slogdet(raw_value(a))
    transposed = np.swapaxes(_inverted(a, "slogdet"), -1, -2)
    derivative = _sum_weighted_by_values(a, transposed)
    if a.dtype.kind != "c":
        return type(result)(result[0], ADArray(result[1], derivative))
    # Of a complex logarithm: the absolute value is its real part, the angle its imaginary part.
    turning = complex_values.derivative_of_imag(derivative)
    if not turning.is_sparsity:
        turning = turning.scaled(flat(1j * result[0], result[0]))
    logarithm = ADArray(result[1], complex_values.derivative_of_real(derivative))
    return type(result)(ADArray(result[0], turning), logarithm)


def solve(a: Any, b: Any) -> Any:
    """Return the solutions of systems A x = b, small or with constant A; np.linalg.solve."""
    if isinstance(a, np.ndarray) and a.ndim == 2:
        inverse = np.linalg.inv(a.astype(np.result_type(a, float)))
        constant = inverse @ b  # a dense Jacobian, as that of any such solution
        return ADArray(np.linalg.solve(a, raw_value(b)), constant._derivative)
    a, b = _small(a, "solve"), array_of(b)
    result = np.linalg.solve(raw_value(a), raw_value(b))
    inverse = _inverted(a, "solve")
    vector = np.ndim(b) == 1
    right = np.reshape(b, (-1, 1)) if vector else b
    solution = result[..., np.newaxis] if vector else result
    total: Any = 0.0
    if isinstance(b, ADArray):
        total = total + _stacked_product(inverse, right)
    if isinstance(a, ADArray):
        total = total - _stacked_product(inverse, _stacked_product(a, solution))
    shaped: Any = np.reshape(total, np.shape(result))
    return ADArray(result, shaped._derivative)


def matrix_power(a: Any, n: int) -> Any:
    """Return powers of square matrices with a whole exponent; np.linalg.matrix_power."""
    a = _small(a, "matrix_power")
    result = np.linalg.matrix_power(raw_value(a), n)
    factor = inv(a) if n < 0 else a
    total = factor
    for _ in range(abs(int(n)) - 1):
        total = total @ factor
    return ADArray(result, (total if n else 0.0 * a)._derivative)


def _stacked_product(a: Any, b: Any) -> Any:
    """Return a @ b as sums of elementwise products; one of them carries no derivative."""
    return np.sum(_times(a[..., :, :, np.newaxis], b[..., np.newaxis, :, :]), axis=-2)


def _sum_weighted_by_values(a: Any, weights: Any) -> Any:
    """Return the derivative of the sum of a times weights, over the elements of each matrix."""
    return np.sum(_times(a, weights), axis=(-2, -1))._derivative


def _times(a: Any, b: Any) -> Any:
    """Return a * b, where one is of plain values.

    They depend on the unknowns. They are no constants, which are compared with those of earlier
    evaluations, and added up in another order where they are equal.
    """
    x, values = (a, b) if isinstance(a, ADArray) else (b, a)
    return from_partials(x._value * values, [(x, values)])


def _small(a: Any, name: str) -> Any:
    a = array_of(a)
    a = a if isinstance(a, ADArray) else array_of_values(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"np.linalg.{name} needs square matrices, not shape {a.shape}")
    if a.shape[-1] > LARGEST:
        raise DerivativeError(
            f"np.linalg.{name} is not supported on AD arrays of more than {LARGEST} rows, here "
            f"{a.shape[-1]}: use an unknown for the solution: its equation is A @ x - b. "
            "np.linalg.solve(A, y) and np.linalg.inv(A) @ y take a constant A of any size"
        )
    return a


def _inverted(a: Any, name: str) -> Any:
    try:
        return np.linalg.inv(raw_value(a))
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError(
            f"np.linalg.{name}: the matrix is singular at these unknowns"
        ) from None


def _cofactors(a: Any) -> Any:
    """Return the matrices of cofactors, also of singular matrices."""
    places = range(a.shape[-1])
    minors = [[np.delete(np.delete(a, i, axis=-2), j, axis=-1) for j in places] for i in places]
    rows = [[(-1.0) ** (i + j) * np.linalg.det(minors[i][j]) for j in places] for i in places]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


TABLE: dict[Any, Any] = {
    np.linalg.inv: inv,
    np.linalg.det: det,
    np.linalg.slogdet: slogdet,
    np.linalg.solve: solve,
    np.linalg.matrix_power: matrix_power,
}
