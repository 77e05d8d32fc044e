"""Band matrices: both storages against dense LU."""

import numpy as np
import pytest

from sgsolve.linear.band_factors import SymmetricFactors, Triangles
from sgsolve.linear.band_storage import Band, Tridiagonal, band_of


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


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("width", [1, 2])
def test_rows_of_other_factors_are_not_exchanged(width, dtype, transpose):
    """Each column of A is dominated by its diagonal, but for the factors of two of the rows."""
    n, random = 80, np.random.default_rng(9)
    A = np.triu(np.tril(-random.uniform(0.5, 1.0, (n, n)), width), -width).astype(dtype)
    A[np.arange(n), np.arange(n)] = 0.01 - np.sum(A, axis=0) + np.diag(A)
    A *= np.where(np.arange(n) // 20 % 2, 2.0, 1.0)[:, None]
    rows, columns = np.nonzero(A)
    band = band_of(n, width, width, A.dtype)
    band.place(rows, columns)
    for later in (0.0, 0.3):  # the second matrix begins with the factors of the first
        M = A + later * np.diag(np.linspace(0.0, 1.0, n))
        assert band.factorize(M[rows, columns])
        assert band.swaps == 0
        assert np.prod(band.pivots) == pytest.approx(np.linalg.det(M))
        B = random.standard_normal((n, 2)).astype(dtype)
        expected = np.linalg.solve(M.T if transpose else M, B)
        found = band.solve(np.array(B, order="F"), transpose)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        found = band.solve(B[:, 0].copy(), transpose)
        np.testing.assert_allclose(found, expected[:, 0], rtol=1e-9)


def solved_often(band):
    """The solution for ones, by the form of the factors that is for many solves."""
    for _ in range(band.by_lapack):
        band.solve(np.ones(band._n), False)
    return band.solve(np.ones(band._n), False)


@pytest.mark.parametrize(
    ("drift", "kind"),
    [(0.0, SymmetricFactors), (0.2, SymmetricFactors), (-0.2, SymmetricFactors), (1.5, Triangles)],
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_factors_of_diffusion_with_drift(drift, kind, sign):
    """Entries of both signs on either side of the diagonal do not allow symmetric factors."""
    n, random = 50, np.random.default_rng(3)
    below, above = random.uniform(0.5, 1.0, n - 1), random.uniform(0.5, 1.0, n - 1)
    A = (
        np.diag(np.full(n, 2.5))
        - np.diag((1 - drift) * below, -1)
        - np.diag((1 + drift) * above, 1)
    )
    A[7, 8] = A[8, 7] = 0.0
    rows, columns, values = entries(sign * A)
    band = Tridiagonal(n)
    band.place(rows, columns)
    assert band.factorize(values)
    assert band.swaps == 0
    b = random.standard_normal(n)
    expected = [np.linalg.solve(sign * (A.T if flag else A), b) for flag in (False, True)]
    for solves in range(band.by_lapack + 2):
        assert (band._split is not None) == (solves > band.by_lapack // 2)  # it does not pay before
        for transpose in (False, True):
            x = band.solve(b.copy(), transpose)
            np.testing.assert_allclose(x, expected[transpose], rtol=1e-10)
    assert isinstance(band._split, kind)


def test_a_strong_drift_gets_triangles():
    n = 40
    A = np.diag(np.full(n, 4.0)) - np.diag(np.ones(n - 1), -1) - np.diag(np.full(n - 1, 1e-3), 1)
    rows, columns, values = entries(A)
    band = Tridiagonal(n)
    band.place(rows, columns)
    assert band.factorize(values)
    x = solved_often(band)
    assert isinstance(band._split, Triangles)  # S would reach 1000^20
    np.testing.assert_allclose(x, np.linalg.solve(A, np.ones(n)), rtol=1e-12)


def test_a_matrix_that_needs_exchanges_does_not_decide_for_the_next_ones():
    n = 40
    easy = np.diag(np.full(n, 4.0)) - np.diag(np.ones(n - 1), -1) - np.diag(np.ones(n - 1), 1)
    easy[20:] *= 8.0
    easy[20, 19] *= 0.6  # larger than the pivot before it
    hard = easy.copy()
    hard[5, 5], hard[5, 4] = 1e-9, 0.0
    rows, columns, _ = entries(easy)
    band = Tridiagonal(n)
    band.place(rows, columns)
    swaps = []
    for A in [hard] + 20 * [easy]:
        assert band.factorize(A[rows, columns])
        swaps.append(band.swaps)
        x = solved_often(band)
        np.testing.assert_allclose(A @ x, np.ones(n), rtol=1e-11)
    assert swaps[0] > 0
    assert swaps[-1] == 0


def test_factors_of_rows_do_not_grow_small_over_many_matrices():
    """In each matrix, other rows are larger than those before them, as where a front moves."""
    n = 60
    A = np.diag(np.full(n, 2.01)) - np.diag(np.ones(n - 1), -1) - np.diag(np.ones(n - 1), 1)
    rows, columns, _ = entries(A)
    band = Tridiagonal(n)
    band.place(rows, columns)
    for k in range(5, 55):
        M = A * np.where(np.arange(n) < k, 1.0, 2.0)[:, None]
        assert band.factorize(M[rows, columns])
        assert band.swaps == 0
        assert band._row is None or band._row.min() > 1e-8
        x = solved_often(band)
        np.testing.assert_allclose(M @ x, np.ones(n), atol=1e-11)
        assert isinstance(band._split, SymmetricFactors)


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
