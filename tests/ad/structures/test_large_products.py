"""Constant matrices times derivatives with many coefficients in each row."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, ad
from sgsolve.ad.structures import large_products
from tests.ad.differences import numeric_jacobian

N = 64
RNG = np.random.default_rng(8)
FULL = RNG.normal(size=(N, N)) / N
OTHER = RNG.normal(size=(N, N)) / N
HALF = FULL * (RNG.random((N, N)) < 0.5)
SPARSE = sp.csr_array(OTHER * (RNG.random((N, N)) < 0.1))
BAND = sp.diags_array(np.ones((41, N)), offsets=np.arange(-20, 21), shape=(N, N)).tocsr()
U = RNG.uniform(0.2, 1.0, N)

FUNCTIONS = {
    "layers": lambda u: u - FULL @ np.exp(OTHER @ u**2),
    "three": lambda u: FULL @ np.sin(HALF @ np.exp(OTHER @ u) + u),
    "sparse": lambda u: SPARSE @ np.exp(HALF @ u**2) + u[::-1],
    "band": lambda u: BAND @ np.exp(BAND @ np.sin(BAND @ u / 41) / 41),
    "parts": lambda u: np.concatenate([FULL[:20] @ np.exp(HALF @ u), u[:9]]),
    "chosen": lambda u: FULL @ np.where(U > 0.5, np.exp(OTHER @ u), u),
    "complex": lambda u: abs(FULL @ np.exp(1j * (OTHER @ u))),
    "rows": lambda u: (u.reshape(8, 8) @ FULL[:8, :8]).ravel() * (OTHER @ u),
    "cells": lambda u: (np.exp(np.cumsum(u.reshape(8, 8), axis=1)) @ FULL[:8, :6]).ravel(),
    "padded": lambda u: FULL @ np.exp(np.concatenate([HALF[:32] @ u, np.ones(16), u[:16]])),
}


@pytest.fixture(params=["always", "by size"])
def limit(request, monkeypatch):
    if request.param == "always":
        monkeypatch.setattr(large_products, "LARGE", 0)
        monkeypatch.setattr("sgsolve.ad.structures.operations.LARGE", 0)
    ad.clear_cache()
    yield
    ad.clear_cache()


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_jacobian_and_pattern(f):
    for x in (U, U[::-1].copy(), 0.9 * U, U + 0.1, 0.8 * U):  # what recurs is compiled
        y, J = ad.value_and_jacobian(f, x)
        np.testing.assert_array_equal(y, f(x))
        np.testing.assert_allclose(J.toarray(), numeric_jacobian(f, x), rtol=1e-8, atol=1e-9)
        pattern = ad.sparsity_pattern(f(ad.seed_sparsity(x)))
        assert pattern.matrix(np.ones(pattern.nnz)).toarray()[J.toarray() != 0].all()


@pytest.mark.parametrize("name", ["sparse", "band", "cells"])
def test_sums_that_are_held_are_those_of_a_sparse_product(name, monkeypatch):
    monkeypatch.setattr(large_products, "LARGE", 0)
    monkeypatch.setattr("sgsolve.ad.structures.operations.LARGE", 0)
    monkeypatch.setattr(large_products, "SURPLUS", 0)
    monkeypatch.setattr(large_products, "SPARSE_COST", 0)  # no full products
    products = large_products.LargeProduct.values
    counted = []

    def values(self, coefficients):
        counted.append(self._sums is not None)
        return products(self, coefficients)

    monkeypatch.setattr(large_products.LargeProduct, "values", values)
    f, found = FUNCTIONS[name], []
    for most in (large_products.MOST_HELD, 0):
        monkeypatch.setattr(large_products, "MOST_HELD", most)
        ad.clear_cache()
        found.append(ad.jacobian(f, U))
    assert set(counted) == {True, False}
    np.testing.assert_allclose(found[0].toarray(), found[1].toarray(), rtol=1e-13)
    np.testing.assert_array_equal(found[0].indices, found[1].indices)


@pytest.mark.usefixtures("limit")
def test_entries_that_cancel_stay_in_the_pattern():
    A = np.array([[1.0, -1.0], [1.0, 1.0]])
    big = sp.csr_array(np.kron(A, np.ones((32, 32)) / 32))
    J = ad.jacobian(lambda u: big @ np.exp(big @ u), np.zeros(N))
    assert J.nnz == N**2
    np.testing.assert_allclose(J.toarray(), big.toarray() @ big.toarray(), atol=1e-15)


@pytest.mark.usefixtures("limit")
def test_infinite_slopes_stay_in_their_rows():
    """Zeros of a matrix that is full mostly must not meet them: 0 times infinity is NaN."""
    inner, u = abs(OTHER), U.copy()
    inner[0], u[5] = 0.0, 0.0
    inner[0, 5] = 1.0
    with np.errstate(divide="ignore"):
        J = ad.jacobian(lambda u: HALF @ np.sqrt(inner @ u), u).toarray()
    infinite = (HALF[:, :1] != 0) & (np.arange(N) == 5)
    np.testing.assert_array_equal(np.isinf(J), infinite)
    assert np.isfinite(J[~infinite]).all()


def test_memory_is_that_of_the_result():
    """As a structure the product of two layers would hold 400^3 entries: a gigabyte."""
    n = 400
    A = np.random.default_rng(3).normal(size=(n, n)) / n
    u = np.linspace(0.0, 1.0, n)
    J = ad.jacobian(lambda u: A @ np.exp(A @ u), u)
    np.testing.assert_allclose(J.toarray(), A @ (np.exp(A @ u)[:, None] * A), atol=1e-14)
    np.testing.assert_allclose(ad.jacobian(lambda u: A @ (A @ u), u).toarray(), A @ A, atol=1e-15)


def test_compiled():
    pytest.importorskip("llvmlite")
    f = ad.compiled(FUNCTIONS["layers"], at_once=True)
    for x in (U, 0.5 * U, 2.0 * U):
        y, J = f.value_and_jacobian(x)
        np.testing.assert_array_equal(y, f.function(x))
        np.testing.assert_array_equal(J.toarray(), ad.jacobian(f.function, x).toarray())
    assert f.stats.compiled


def test_a_pseudo_spectral_problem():
    """A convolution by Fourier transforms; compared with the matrix of the convolution."""
    n = 128
    kernel = 1 / (1 + np.fft.rfftfreq(n, 1 / n) ** 2)
    matrix = np.fft.irfft(kernel[:, None] * np.fft.rfft(np.eye(n), axis=0), n, axis=0)
    source = np.cos(2 * np.pi * np.arange(n) / n)

    def residual(u, convolve):
        return u - 0.1 * convolve(u**2) - source

    found = Problem(
        lambda u: residual(u, lambda v: np.fft.irfft(kernel * np.fft.rfft(v), n))
    ).solve(np.zeros(n))
    expected = Problem(lambda u: residual(u, lambda v: matrix @ v)).solve(np.zeros(n))
    np.testing.assert_allclose(found.x, expected.x, atol=1e-14)
