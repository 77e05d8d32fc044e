"""Scalar products on one thread: the same values, also where squares overflow."""

import math

import numpy as np
import pytest

from sgsolve import norms


@pytest.mark.parametrize("n", [1, 100, norms.THREADED - 1, norms.THREADED, 3 * norms.THREADED])
def test_a_scalar_product_is_the_sum_of_the_products(n):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, n))
    exact = math.fsum(a * b)
    assert norms.scalar_product(a, b) == pytest.approx(exact, rel=1e-12, abs=1e-12 * n)
    assert norms.norm2(a) == pytest.approx(math.sqrt(math.fsum(a * a)), rel=1e-13)


@pytest.mark.parametrize("n", [10, 2 * norms.THREADED])
def test_squares_that_overflow_or_vanish(n):
    with np.errstate(all="ignore"):
        assert norms.scalar_product(np.full(n, 1e200), np.full(n, 1e200)) == math.inf
        assert norms.norm2(np.full(n, 1e200)) == pytest.approx(1e200 * math.sqrt(n))
        assert norms.norm2(np.full(n, 1e-200)) == pytest.approx(1e-200 * math.sqrt(n))
        assert math.isnan(norms.norm2(np.r_[np.ones(n), np.nan]))
        assert not norms.is_finite(np.r_[np.ones(n), np.inf])
        assert norms.is_finite(np.full(n, 1e200))


def test_long_vectors_do_without_the_blas(monkeypatch):
    class Watched(np.ndarray):
        def __matmul__(self, other):
            raise AssertionError("a product by the BLAS")

    long = np.ones(norms.THREADED).view(Watched)
    assert norms.scalar_product(long, long) == norms.THREADED


@pytest.mark.parametrize("n", [3, norms.THREADED, norms.THREADED + 7])
def test_products_and_combinations_of_rows_are_those_of_blas(n):
    rows = np.random.default_rng(0).normal(size=(4, n))
    factors = np.array([1.0, -2.0, 0.5, 3.0])
    expected = rows @ rows[0]
    np.testing.assert_allclose(norms.scalar_products(rows, rows[0]), expected, atol=1e-9)
    kept = rows.copy()
    np.testing.assert_allclose(norms.linear_combination(factors, rows), factors @ kept, atol=1e-12)
    np.testing.assert_array_equal(rows, kept)


@pytest.mark.parametrize("n", [1, 3, norms.THREADED + 1])
def test_a_square_that_overflows_is_told_from_infinity_without_a_warning(n):
    assert norms.is_finite(np.full(n, 1e200))
    assert not norms.is_finite(np.append(np.full(n, 1e200), -np.inf))
    assert not norms.is_finite(np.append(np.full(n, 1.0), np.nan)[::-1])
