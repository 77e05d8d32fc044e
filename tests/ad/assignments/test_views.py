"""Views that are in use while their array is written into, against NumPy and differences."""

import itertools

import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.errors import DerivativeError

X = np.array([0.55, 0.6, 0.7, 0.8, 1.1, 1.3])


def two_halves(x):
    F = x**2
    a, b = F[:3], F[3:]
    a[0] = x[1] * x[2]
    b[1] += x[0]
    return F


def siblings_without_owner(x):
    r = 2 * x
    a, b = r[:4], r[2:]
    del r
    a += b**2
    return np.concatenate([a, b])


def rows_and_transpose(x):
    F = np.sin(x).reshape(2, 3)
    T, row = F.T, F[1]
    F[0] = x[3:]
    T[2] *= x[0]
    row -= F[0]
    return np.ravel(F)


def zeros_beside_views(x):
    F = np.zeros(6)
    G = x * x
    u, w = G[:3], G[3:]
    u[0] = 3 * x[4]
    w[1] = x[0]
    F[:3] = u * w
    F[3:] = G[3:]
    return F


def loop_over_blocks(x):
    F = x * 1.0
    blocks = [F[2 * k : 2 * k + 2] for k in range(3)]
    for left, right in itertools.pairwise(blocks):
        flux = left[1] * right[0]
        left += flux
        right -= flux
    return F


def power(x):
    V = x[:3] * np.exp(1j * x[3:])
    S = V * np.conj((2.0 - 1.0j) * V)
    P, Q = S.real, S.imag
    P[0] = x[3]
    Q[1:] -= x[1] ** 2
    return np.concatenate([P, Q, abs(S)])


def parts_in_place(x):
    S = (x[:3] + 1j * x[3:]) ** 2
    S.real *= 2
    S.imag = x[3:] * x[0]
    S.real[1] = x[5]
    both = S[::2]
    both.imag[0] += 0.5 * x[2]
    S.real += S.imag
    return np.concatenate([S.real, S.imag])


def real_of_reals(x):
    F = x**2
    F.real += x[::-1]
    F.real = F * x[0]
    F.real[2] = x[1]
    return F


FUNCTIONS = [
    two_halves, siblings_without_owner, rows_and_transpose, zeros_beside_views, loop_over_blocks,
    power, parts_in_place, real_of_reals,
]  # fmt: skip


def slopes(f):
    h = 1e-6
    return np.stack([(f(X + e) - f(X - e)) / (2 * h) for e in h * np.eye(len(X))], axis=1)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_views_follow_as_in_numpy(f):
    for _ in range(2):  # the second evaluation knows that it has to note the views
        value, jacobian = ad.value_and_jacobian(f, X)
        np.testing.assert_array_equal(value, f(X))
        np.testing.assert_allclose(jacobian.toarray(), slopes(f), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_compiled(f):
    pytest.importorskip("llvmlite")
    compiled = ad.compiled(f, at_once=True)
    for x in (X, X + 0.1, X + 0.2, X):
        value, jacobian = compiled.value_and_jacobian(x)
        np.testing.assert_array_equal(value, f(x))
    np.testing.assert_allclose(jacobian.toarray(), slopes(f), rtol=1e-7, atol=1e-7)


def square(y):
    return y[:4].reshape(2, 2)


MAKERS = {
    "windows": lambda y: np.lib.stride_tricks.sliding_window_view(y, 2),
    "windows of a part": lambda y: np.lib.stride_tricks.sliding_window_view(y[::2], 2),
    "nan_to_num in place": lambda y: np.nan_to_num(y, copy=False),
    "nan_to_num": lambda y: np.nan_to_num(y),
    "broadcast_to": lambda y: np.broadcast_to(y, (2, 6)),
    "broadcast_arrays": lambda y: np.broadcast_arrays(y, np.ones((2, 6)))[0],
    "diagonal": lambda y: np.diagonal(square(y)),
    "diag": lambda y: np.diag(square(y)),
    "einsum": lambda y: np.einsum("ii->i", square(y)),
    "swapaxes": lambda y: np.swapaxes(square(y), 0, 1),
    "moveaxis": lambda y: np.moveaxis(square(y), 0, 1),
    "permute_dims": lambda y: np.permute_dims(square(y), (1, 0)),
    "rot90": lambda y: np.rot90(square(y)),
    "flip": np.flip,
    "roll": lambda y: np.roll(y, 1),
    "split": lambda y: np.split(y, 3)[0],
    "expand_dims": lambda y: np.expand_dims(y, 0),
    "atleast_3d": np.atleast_3d,
    "take": lambda y: np.take(y, [0, 2]),
    "flat": lambda y: y.flat[0:2],
    "iteration": lambda y: next(iter(square(y))),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_results_of_functions_follow_where_they_are_views(make):
    def f(x):
        y = x * 1.0
        made = make(y)
        y[0] = 5 * x[1] * x[2]
        return (made * 1.0).ravel()

    value, jacobian = ad.value_and_jacobian(f, X)
    np.testing.assert_array_equal(value, f(X))
    np.testing.assert_allclose(jacobian.toarray(), slopes(f), rtol=1e-7, atol=1e-7)


def test_windows_that_are_read_only_refuse_to_be_written():
    def f(x):
        windows = np.lib.stride_tricks.sliding_window_view(x * x, 2)
        windows[0] = x[:2]
        return windows.ravel()

    with pytest.raises(DerivativeError, match="read-only"):
        ad.jacobian(f, X)


def test_only_the_first_evaluation_runs_twice():
    class Counted:
        calls = 0

        def __call__(self, x):
            self.calls += 1
            return two_halves(x)

    def function(x):
        counted.calls += 1
        return two_halves(x)

    for f in (counted := Counted(), function):
        counted.calls = 0
        for _ in range(3):
            ad.jacobian(f, X)
        assert counted.calls == 4


def test_a_problem_finds_the_pattern():
    result = Problem(lambda x: two_halves(x) - two_halves(X)).solve(X + 1e-3)
    np.testing.assert_allclose(two_halves(result.x), two_halves(X), rtol=1e-10)
    y = real_of_reals(ad.seed_sparsity(X))
    assert ((y.sparsity.toarray() != 0) | (slopes(real_of_reals) == 0)).all()


def test_outside_of_a_call_nothing_is_evaluated_again():
    y = ad.seed(X) * 2.0
    parts = y[:3], y[3:]
    with pytest.raises(DerivativeError, match="views"):
        parts[0][0] = 1.0
    with pytest.raises(TypeError, match="y is real"):
        y.imag = 1.0
