"""Band matrices: both storages against dense LU."""

import numpy as np
import pytest

from sgsolve.linear.methods.direct.band_storage import Band, Tridiagonal, band_of


def entries(A):
    rows, columns = np.nonzero(np.ones_like(A))
    near = np.abs(rows - columns) <= 1
    return rows[near], columns[near], A[rows[near], columns[near]]


@pytest.mark.parametrize("kind", [Tridiagonal, lambda n: Band(n, 1, 1, np.float64)])
@pytest.mark.parametrize("transpose", [False, True])
def test_a_tridiagonal_matrix_that_needs_pivoting(kind, transpose):
    n, random = 40, np.random.default_rng(5)
    A = np.triu(np.tril(random.standard_normal((n, n)), 1), -1)
    A[3, 3] = A[20, 20] = 0.0
    rows, columns, values = entries(A)
    band = kind(n)
    band.place(rows, columns)
    assert band.factorize(values)
    B = np.asfortranarray(random.standard_normal((n, 3)))
    expected = np.linalg.solve(A.T if transpose else A, B)
    assert np.allclose(band.solve(B.copy(order="F"), transpose), expected, rtol=1e-9, atol=1e-9)
    assert np.allclose(band.solve(B[:, 0].copy(), transpose), expected[:, 0], rtol=1e-9, atol=1e-9)
    sign = np.prod(np.sign(band.pivots)) * (-1) ** band.swaps
    assert sign == np.sign(np.linalg.det(A))
    assert np.prod(np.abs(band.pivots)) == pytest.approx(abs(np.linalg.det(A)))


@pytest.mark.parametrize("transpose", [False, True])
def test_a_tridiagonal_matrix_without_exchanged_rows(transpose):
    n, random = 60, np.random.default_rng(7)
    A = np.triu(np.tril(random.standard_normal((n, n)), 1), -1) + np.diag(np.geomspace(5, 5e6, n))
    band = band_of(n, 1, 1, np.float64)
    for scale in (1.0, -3.0):  # factors of a second matrix take the place of the first ones
        rows, columns, values = entries(scale * A)
        band.place(rows, columns)
        assert band.factorize(values)
        assert band.swaps == 0
        b = random.standard_normal(n)
        expected = np.linalg.solve(scale * (A.T if transpose else A), b)
        np.testing.assert_allclose(band.solve(b.copy(), transpose), expected, rtol=1e-12)


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(("lower", "upper"), [(1, 1), (2, 1), (0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("weight", [20.0, 0.1])
def test_a_band_with_and_without_exchanged_rows(lower, upper, dtype, transpose, weight):
    n, random = 30, np.random.default_rng(8)
    A = random.standard_normal((n, n)).astype(dtype) + weight * np.eye(n)
    if dtype is complex:
        A = A + 0.3j * random.standard_normal((n, n))
    A = np.triu(np.tril(A, upper), -lower)
    rows, columns = np.nonzero(A)
    band = Band(n, lower, upper, A.dtype)
    band.place(rows, columns)
    assert band.factorize(A[rows, columns])
    if weight > 1.0:
        assert band.swaps == 0
    b = random.standard_normal(n).astype(dtype)
    expected = np.linalg.solve(A.T if transpose else A, b)
    assert np.allclose(band.solve(b.copy(), transpose), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("dtype", [float, complex])
def test_many_solutions_with_the_same_factors(width, dtype):
    """From the seventh or eighth on, triangles with ones on the diagonals solve."""
    n, random = 400, np.random.default_rng(3)
    A = np.triu(np.tril(random.uniform(0.5, 1.0, (n, n)), width), -width).astype(dtype)
    A += np.diag(np.geomspace(4.0, 4e12, n)) * (1.0 if dtype is float else 1.0 + 0.5j)
    rows, columns = np.nonzero(A)
    band = band_of(n, width, width, A.dtype)
    band.place(rows, columns)
    for scale in (1.0, -2.0):  # factors of a second matrix take the place of the first ones
        assert band.factorize(scale * A[rows, columns])
        assert band.swaps == 0
        b = random.standard_normal(n).astype(dtype)
        expected = [band.solve(b.copy(), flag) for flag in (False, True)]
        for M, x in zip((A, A.T), expected, strict=True):
            np.testing.assert_allclose(scale * (M @ x), b, atol=1e-13)
        for _ in range(4):
            for flag in (False, True):
                np.testing.assert_allclose(band.solve(b.copy(), flag), expected[flag], rtol=1e-13)


def test_a_zero_pivot_is_reported():
    A = np.eye(5)
    A[2] = A[:, 2] = 0.0
    for band in (Tridiagonal(5), Band(5, 1, 1, np.float64)):
        rows, columns, values = entries(A)
        band.place(rows, columns)
        assert not band.factorize(values)


def test_the_storage_follows_the_band():
    assert isinstance(band_of(9, 1, 1, np.float64), Tridiagonal)
    assert not isinstance(band_of(9, 1, 1, np.complex128), Tridiagonal)
    assert not isinstance(band_of(9, 1, 2, np.float64), Tridiagonal)
