"""Operations of NumPy in compiled functions: every bit is that of the function itself."""

import math
import tracemalloc

import numpy as np
import pytest

from sgsolve import ad, private_api
from sgsolve.ad.kernels.lowering import ufunc_loops
from sgsolve.ad.kernels.lowering.ufunc_loops import product_loop
from sgsolve.problem.equations.compiled_functions import as_vector_function
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite

pytestmark = needs_llvmlite

N = 60
RNG = np.random.default_rng(11)
X = RNG.uniform(0.2, 2.0, N)
POINTS = (X, X[::-1].copy())
INDEX = RNG.integers(0, N, 40)
FACTOR = RNG.uniform(0.5, 1.5, N)
MASK = FACTOR > 1.0
FORTRAN = np.asfortranarray(RNG.uniform(0.5, 1.5, (6, 10)))


@pytest.fixture(autouse=True)
def _no_cache_on_disk(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")


def above(x, level):
    return ad.value(x) > level


FUNCTIONS = {
    "powers that are simpler": lambda x: x**1 + x**0.5 + x**0 * 2.0 + x**-1,
    "power of a field": lambda x: x**FACTOR + FACTOR**x,
    "square roots": lambda x: np.sqrt(x) + np.cbrt(x) + np.reciprocal(x),
    "logic of conditions": lambda x: np.where(
        np.logical_and(above(x, 0.5), ~above(x, 1.5)), x * x, np.where(above(x, 1.8), x, -x)
    ),
    "either and not both": lambda x: np.where(
        np.logical_xor(above(x, 0.7), above(x, 1.4)) | np.logical_not(above(x, 0.3)), x, 2.0 * x
    ),
    "numbers that are none": lambda x: np.where(
        np.isfinite(np.log(ad.value(x) - 1.0)) & ~np.isnan(ad.value(x)), x * x, x
    ),
    "a condition that all meet": lambda x: x * x if np.all(above(x, 0.0)) else -x,
    "a condition that some meet": lambda x: x * x if np.any(above(x, 5.0)) else np.exp(x),
    "signs and steps": lambda x: np.sign(x - 1.0) * x + np.floor(x) * x + np.heaviside(x - 1, 0.5),
    "a number taken apart": lambda x: x * x[7] - np.repeat(x[3], N) + np.full(N, 2.0) * x,
    "repeated and tiled": lambda x: np.repeat(x[:20], 3) * np.tile(x[:30], 2),
    "rolled and flipped": lambda x: np.roll(x, 3) * np.flip(x) + np.roll(x, -1),
    "stacked planes": lambda x: np.stack([x[:30], x[30:]]).T.reshape(-1) * FACTOR,
    "an array in columns": lambda x: (x.reshape(6, 10) * FORTRAN).ravel(),
    "broadcast rows": lambda x: (x.reshape(6, 10) * x[:10] + x[:6, None]).ravel(),
    "outer products": lambda x: np.outer(x[:6], x[6:16]).ravel() * x,
    "sums along an axis": lambda x: np.concatenate(
        [x.reshape(6, 10).sum(axis=0), x.reshape(6, 10).sum(axis=1), x[16:]]
    ),
    "means and norms": lambda x: x * np.mean(x[:20]) + x / np.linalg.norm(x) + np.dot(x, FACTOR),
    "determinants": lambda x: x * np.repeat(np.linalg.det(x.reshape(15, 2, 2)), 4),
    "inverses": lambda x: np.linalg.inv(x[:36].reshape(4, 3, 3)).ravel()[:36] * x[:36],
    "extremes": lambda x: x * np.max(x) - np.min(x) + np.clip(x, 0.5, 1.5),
    "selected by a constant mask": lambda x: np.concatenate([x[MASK] ** 2, np.exp(x[~MASK])]),
    "chosen twice": lambda x: np.concatenate([x[INDEX] * x[INDEX[::-1]], x[40:]]),
    "placed": lambda x: ad.sparsesum(
        [ad.sparsevec(N, np.arange(30), x[:30] ** 2), ad.sparsevec(N, np.arange(30, 60), x[30:])]
    ),
    "added up": lambda x: np.bincount(INDEX, weights=x[:40], minlength=N) + x,
    "differences": lambda x: np.concatenate([[0.0], np.diff(x)]) + np.diff(x, append=1.0),
    "nothing of something": lambda x: np.concatenate([x[:0], x * x]),
    "a branch of numbers": lambda x: ad.branch(
        above(x, 1.0), lambda i: np.sqrt(x[i]) * FACTOR[i], lambda i: np.full(len(i), 2.0) * x[i]
    ),
    "a branch inside a branch": lambda x: ad.branch(
        above(x, 1.0),
        lambda i: ad.branch(above(x[i], 1.5), lambda j: np.exp(x[i][j]), lambda j: np.log(x[i][j])),
        lambda i: x[i],
    ),
    "logical sums": lambda x: x * np.count_nonzero(above(x, 1.0)) + np.sum(MASK) * x,
    "complex on the way": lambda x: np.abs(x + 1j * FACTOR) * x,
    "casts": lambda x: x.astype(np.float64) * x.copy() + x.astype(np.float32).astype(float),
    "integers": lambda x: x * np.arange(N) + np.arange(N) // 3,
    "two conditions in a row": lambda x: np.where(MASK, x, np.where(above(x, 1.0), x * x, 1.0)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_bit_is_that_of_the_function(name):
    assert_same_bits(FUNCTIONS[name], POINTS, kernels=False)


SURELY_COMPILED = (
    "powers that are simpler",
    "square roots",
    "logic of conditions",
    "a number taken apart",
    "an array in columns",
    "placed",
    "differences",
    "selected by a constant mask",
    "determinants",
)


@pytest.mark.parametrize("name", SURELY_COMPILED)
def test_these_run_as_machine_code(name):
    stats = assert_same_bits(FUNCTIONS[name], POINTS, kernels=False)
    assert stats.compiled >= 2, stats


def test_lists_of_equations_call_nothing_between_the_loops():
    """Then the members of a family run together."""

    def numbers(x):
        a, b, c = x
        return [a * b - 1.0, b + np.sin(c), c * c - a]

    def mixed(x):
        return [x[0] - 1.0, x[1:] ** 2 - x[:-1], np.atleast_2d(x[:2] * x[1:])]

    for f in (numbers, mixed):
        points = [np.array([0.5, 1.5, -0.3]), np.array([2.0, -1.0, 4.0])]
        stats = assert_same_bits(as_vector_function(f), points)
        assert not stats.calls, stats


def test_a_plain_list_is_evaluated_by_the_function():
    f = ad.compiled(lambda x: np.multiply(2.0, x), at_once=True)
    np.testing.assert_array_equal(f([1.0, 2.0]), [2.0, 4.0])
    np.testing.assert_array_equal(f.jacobian(np.ones(2)).toarray(), 2.0 * np.eye(2))


def test_counts_of_compiled_evaluations_are_printed():
    f = ad.compiled(lambda x: np.exp(x) * x, at_once=True)
    for _ in range(5):
        f.value_and_jacobian(X)
    assert "kernel" in str(f.stats)


NO_CALLS = {
    "a third power": lambda x: x**3 - x,
    "a broken power": lambda x: np.abs(x) ** 1.5 * FACTOR,
    "a power of planes": lambda x: (x.reshape(6, 10) ** 2.5).ravel(),
    "methods that reduce": lambda x: (
        x * x
        - ad.value(x).sum()
        + ad.value(x).mean() * FACTOR
        + ad.value(x).max() * ad.value(x).min()
    ),
    "methods that ask": lambda x: x * x if above(x, 9.0).any() or above(x, 0.0).all() else -x,
}


@pytest.mark.parametrize("name", NO_CALLS)
def test_nothing_is_called_between_the_loops(name):
    stats = assert_same_bits(NO_CALLS[name], POINTS)
    assert not stats.calls, stats.calls


def test_the_slope_of_a_power_takes_another_way_where_the_quotient_has_lost_digits():
    """At 0, where y / x has none, and where y is next to the smallest number or infinite."""
    points = []
    for special in (None, 0.0, -0.0, 1e-103, 1e104, np.inf):
        x = X.copy()
        if special is not None:
            x[[3, 17, N - 1]] = special
        points.append(x)
    for power in (3, 3.0, 5):
        stats = assert_same_bits(lambda x, p=power: x**p, points, evaluations=3)
        assert stats.kernels >= 2  # one for either way


def test_an_exponent_that_varies_is_an_input():
    compiled = ad.compiled(lambda x, p: x**p - 2.0, at_once=True)
    for p in (1.5, 2.5, 3.0, 3.5, 4.25, 5.0, 6.5):
        F, J = compiled.value_and_jacobian(X, p=p)
        np.testing.assert_array_equal(F, X**p - 2.0)
        K = ad.jacobian(lambda x, q=p: x**q - 2.0, X)
        np.testing.assert_array_equal(J.data, K.data)
        np.testing.assert_allclose(J.diagonal(), p * X ** (p - 1.0), rtol=1e-13)
    assert compiled.stats.compiled >= 4, compiled.stats


A = RNG.uniform(-1.0, 1.0, (N, N))
WIDE = RNG.uniform(-1.0, 1.0, (6, 9))
PRODUCTS = {
    "a matrix times a vector": lambda x: A @ x + x**3 - 1.0,
    "nothing else": lambda x: A @ x,
    "a vector times a matrix": lambda x: x @ A - np.exp(x),
    "np.matmul": lambda x: np.matmul(A, x) * x,
    "products of products": lambda x: A @ (A @ x + np.exp(A @ x)),
    "a vector in other places": lambda x: (A @ x)[::-1] * x + np.sum(A @ x),
    "two matrices": lambda x: x * (x[:54].reshape(9, 6) @ WIDE).ravel()[:N],
    "one that decides": lambda x: np.where(A @ x > 0.0, A @ x, x),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_with_a_full_matrix_are_in_machine_code(name):
    """They are NumPy's own, by BLAS, without a call between the loops."""
    stats = assert_same_bits(PRODUCTS[name], POINTS)
    assert not stats.calls


ALSO_PRODUCTS = {
    "columns": lambda x: A.T @ x + x,
    "every second column": lambda x: WIDE[:, ::2].repeat(10, axis=0) @ x[:5] + x,
    "a strided vector": lambda x: WIDE[:, :6] @ x[::10] * x[0] + x[:6],
    "one row": lambda x: (A[:1] @ x) * x,
    "one column": lambda x: A[:, :1] @ x[:1] + x,
    "whole numbers": lambda x: np.arange(N * N).reshape(N, N) @ x,
    "many matrices": lambda x: (A.reshape(4, 15, N) @ x).ravel() + x,
}


@pytest.mark.parametrize("name", ALSO_PRODUCTS)
def test_products_with_other_layouts_have_the_same_bits(name):
    assert_same_bits(ALSO_PRODUCTS[name], POINTS)


def test_a_matrix_that_is_a_parameter_may_change():
    compiled = ad.compiled(lambda x, B: B @ x + x, at_once=True)
    for k in range(6):
        B = (A + k).T if k % 2 else A + k
        F, J = compiled.value_and_jacobian(X, B=B)
        np.testing.assert_array_equal(F, B @ X + X)
        np.testing.assert_array_equal(J.toarray(), B + np.eye(N))


def test_another_loop_of_numpy_is_not_called(monkeypatch):
    """Where the loop has another layout, products are calls of NumPy's between the loops."""
    assert product_loop() is not None
    moved = [(s, f, d) for s, f, d in private_api.ufunc_loops(np.matmul) if s != "dd->d"]
    monkeypatch.setattr(ufunc_loops, "ufunc_loops", lambda ufunc: moved)
    product_loop.cache_clear()
    try:
        assert set(assert_same_bits(PRODUCTS["nothing else"], POINTS).calls) == {"matmul"}
    finally:
        monkeypatch.undo()
        product_loop.cache_clear()


def test_results_of_calls_are_not_held_after_the_next_run():
    """Each run of a kernel with a call of NumPy's replaces what the last one computed."""
    compiled = ad.compiled(lambda x: A.T @ x + x * x, at_once=True)
    for _ in range(3):
        compiled.value_and_jacobian(X)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(300):
            compiled.value_and_jacobian(X)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert set(compiled.stats.calls) == {"matmul"}
    assert grown < 100 * 8 * N


ALSO_NO_CALLS = {
    "the larger and the smaller": lambda x: np.maximum(x, x * x) + np.minimum(0.3, x) * x,
    "a number to a power": lambda x: np.power(2.0, x) * x,
    "the larger that is a number": lambda x: np.fmax(x, 0.5) - np.fmin(x, FACTOR),
}


@pytest.mark.parametrize("name", ALSO_NO_CALLS)
def test_rules_are_compiled_too(name):
    stats = assert_same_bits(ALSO_NO_CALLS[name], POINTS)
    assert not set(stats.calls) - {"real"}, stats.calls


def test_whole_numbers_of_a_parameter_are_what_a_kernel_depends_on():
    """One kernel for each number of terms, whatever the parameter is."""

    def f(x, p):
        terms = int(4 * p) + math.floor(p) - math.ceil(p)
        return x * x - p + sum(x[k] * np.roll(x, k) for k in range(terms))

    compiled = ad.compiled(f, at_once=True)
    for p in np.linspace(0.51, 0.99, 30):
        F, J = compiled.value_and_jacobian(X, p=float(p))
        np.testing.assert_array_equal(F, f(X, p))
        np.testing.assert_array_equal(J.data, ad.jacobian(f, X, p=float(p)).data)
    assert compiled.stats.compiled >= 20, compiled.stats
