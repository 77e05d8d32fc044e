"""Derivatives inside a residual: answered right, or refused; never mixed with the outer ones."""

import pickle

import numpy as np
import pytest

from sgsolve import Problem, SgsolveError, ad
from sgsolve.ad.programs import computation as evaluation
from sgsolve.errors import DerivativeError

X = np.array([0.5, 1.5, 2.5])


def one_by_hand(f, x):
    return f(ad.seed(x)).jacobian


DRIVERS = [
    ad.jacobian,
    lambda f, x: ad.value_and_jacobian(f, x)[1],
    lambda f, x: ad.jvp(f, x, np.ones(np.shape(x)))[1],
    lambda f, x: ad.vjp(f, x, np.ones(np.shape(x)))[1],
    lambda f, x: ad.jacobian_function(f)(x),
    lambda f, x: ad.jacobian_function(f, dense=True)(x),
    lambda f, x: ad.value_and_jacobian_blocks(f, (x,))[1][0],
    lambda f, x: ad.check_jacobian(f, x),
    one_by_hand,
]
# What the outer evaluation may do with the inner vector v and its own u, of the same size.
MIXTURES = [
    lambda u, v: u * v, lambda u, v: v + u, lambda u, v: v - u, lambda u, v: v / u,
    lambda u, v: v**u, lambda u, v: np.hypot(v, u), lambda u, v: np.maximum(u, v),
    lambda u, v: np.concatenate([u, v]), lambda u, v: np.stack([v, u]),
    lambda u, v: np.where(v > 0, u, v), lambda u, v: v @ u, lambda u, v: np.outer(u, v),
    lambda u, v: ad.branch(v > 1, lambda i: u[i], lambda i: v[i]),
    lambda u, v: ad.sparsesum([(3, [0, 1, 2], u), (3, [2, 1, 0], v)]),
    lambda u, v: np.sum(v) * u, lambda u, v: v[0] * u[1], lambda u, v: 0.0 * u + v,
    lambda u, v: ad.elementwise(lambda a, b: a * b, [lambda a, b: b, lambda a, b: a])(u, v),
    lambda u, v: u, lambda u, v: 2.0 * u, lambda u, v: u * ad.value(v),
]  # fmt: skip


def outer_seeds(x):
    direction = []
    ad.jvp(lambda u: direction.append(u) or u, x, x)
    return [ad.seed(x), ad.seed_sparsity(x), direction[0], pickle.loads(pickle.dumps(ad.seed(x)))]


@pytest.mark.parametrize("kind", range(4))
@pytest.mark.parametrize("driver", DRIVERS)
def test_arrays_of_two_evaluations_are_not_combined(driver, kind):
    """A sum, a product, a join, or the outer array itself as the result of the inner function."""
    for n, mixture in enumerate(MIXTURES):
        u = outer_seeds(X)[kind]
        if driver is one_by_hand and n >= len(MIXTURES) - 3:
            continue  # its own Jacobian is what was asked for
        with pytest.raises(DerivativeError):
            driver(lambda v, mixture=mixture, u=u: mixture(u, v), X)


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_outer_array_is_no_point_to_differentiate_at(driver):
    u = ad.seed(X)
    for x in (u, list(u), [u[0], 1.0, 2.0]):
        with pytest.raises(SgsolveError):
            driver(lambda v: v * 2.0, x)
    with pytest.raises(DerivativeError):
        ad.jvp(lambda v: v * 2.0, X, u)
    with pytest.raises(DerivativeError):
        ad.vjp(lambda v: v * 2.0, X, u)


@pytest.mark.parametrize("length", [3, 30, 5000])
def test_carried_out_chains_are_of_their_evaluation(length):
    """Long chains, and numbers of NumPy's, leave the tape: they are told apart as well."""
    u, v = ad.seed(X), ad.seed(X)
    for _ in range(length):
        u, v = u * np.longdouble(1.0), v + v * 0.0
    with pytest.raises(DerivativeError):
        u * v
    with pytest.raises(DerivativeError):
        np.hstack([u, v])
    assert (u * X).jacobian.nnz == (v * X).jacobian.nnz == 3


def test_inner_derivatives_of_plain_numbers():
    """An inner Jacobian at numbers is a constant of the outer evaluation, whatever its size."""

    def f(u):
        J = ad.jacobian(lambda v: v**2 * ad.value(u)[::-1], ad.value(u)).diagonal()
        slope = ad.jvp(np.sin, ad.value(u), np.ones(3))[1]
        back = ad.vjp(np.sin, X, np.ones(3))[1]
        return u * J + slope * u**2 + np.sum(back * u)

    x = np.array([0.3, 0.7, 1.1])
    exact = np.diag(2 * x * x[::-1] + 2 * np.cos(x) * x) + np.cos(X)
    for _ in range(evaluation.COMPILE_AFTER + 3):
        np.testing.assert_allclose(ad.jacobian(f, x).toarray(), exact)
    np.testing.assert_allclose(ad.jvp(f, x, X)[1], exact @ X)


def test_three_levels():
    def middle(v):
        inner = ad.jacobian(lambda w: w**3, ad.value(v)).diagonal()
        return inner * v

    def f(u):
        return ad.jacobian(middle, ad.value(u)).diagonal() * u

    np.testing.assert_allclose(ad.jacobian(f, X).toarray(), np.diag(3 * X**2))
    with pytest.raises(DerivativeError):
        ad.jacobian(lambda u: ad.jacobian(lambda v: ad.jacobian(lambda w: w * u, X) @ v, X) @ u, X)


def test_evaluations_side_by_side():
    """Several seeds of one size, alive together: each has its own derivative."""
    u, v = ad.seed(X), ad.seed(2 * X)
    a, b = np.sin(u), np.cos(v)
    np.testing.assert_allclose(b.jacobian.diagonal(), -np.sin(2 * X))
    np.testing.assert_allclose(a.jacobian.diagonal(), np.cos(X))
    with pytest.raises(DerivativeError, match=r"two seeds.*ad\.seed_all"):
        a + b


def test_a_jacobian_inside_does_not_end_the_tracing_of_structure():
    """The pattern holds on both sides of a branch that comes after an inner Jacobian."""

    def by_hand(v):
        return np.exp(ad.seed(v)).jacobian.diagonal()

    for inner in (
        lambda v: ad.jacobian(np.exp, v).diagonal(),
        lambda v: ad.jvp(np.exp, v, np.ones(3))[1],
        by_hand,
    ):

        def f(u, inner=inner):
            J = inner(ad.value(u))
            return ad.branch(u > 1.0, lambda i: J[i] * u[i], lambda i: u[i - 1])

        pattern = ad.sparsity_pattern(f(ad.seed_sparsity(X)))
        for x in (X, X[::-1].copy(), X - 1.0):
            ad.jacobian_values(f(ad.seed(x)), pattern)


def test_an_inner_branch_is_not_traced_inside_a_tracing():
    calls = []

    def inner(v):
        return ad.branch(v > 10.0, lambda i: calls.append(i) or v[i], lambda i: v[i] ** 2)

    s = ad.seed_sparsity(X)
    J = ad.jacobian(inner, X)
    assert not calls
    np.testing.assert_allclose(J.diagonal(), 2 * X)
    assert ad.branch(s > 10.0, lambda i: s[i - 1], lambda i: s[i]).sparsity.nnz == 6


@pytest.mark.parametrize("solve", ["solve", "root"])
def test_a_solve_inside_a_residual_is_refused(solve):
    def residual(u):
        inner = Problem(lambda w: w**3 + w - u)
        return inner.solve(np.ones(3)).x - 1.0 + 0.0 * u

    with pytest.raises(SgsolveError):
        ad.jacobian(residual, X)
    with pytest.raises(SgsolveError):
        Problem(residual).solve(X)


def test_arrays_that_were_pickled_together_belong_together():
    x = ad.seed(X)
    a, b = pickle.loads(pickle.dumps((x, x[::-1] ** 2)))
    np.testing.assert_allclose((a * b).jacobian.toarray(), (x * x[::-1] ** 2).jacobian.toarray())
    with pytest.raises(DerivativeError):
        a + ad.seed(X)
