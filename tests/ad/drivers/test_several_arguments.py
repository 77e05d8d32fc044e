import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import integrate, optimize

from sgsolve import ad
from sgsolve.errors import DataTypeError, DerivativeError, InputError
from tests.ad.differences import numeric_jacobian

X, P = np.array([0.3, 1.7, 2.2]), np.array([[0.5, 2.0]])


def F(x, p, c=1.0):
    return c * p[0, 1] * x[1:] ** 2 + np.exp(p[0, 0] * x[:-1])


def test_blocks_are_those_of_each_argument_alone():
    value, (dx, dp) = ad.value_and_jacobian_blocks(F, (X, P), c=3.0)
    np.testing.assert_array_equal(value, F(X, P, 3.0))
    assert isinstance(dx, sp.csr_array)
    np.testing.assert_allclose(dx.toarray(), ad.jacobian(F, X, P, 3.0).toarray(), rtol=1e-15)
    np.testing.assert_allclose(dp.toarray(), numeric_jacobian(lambda p: F(X, p, 3.0), P), rtol=1e-9)
    assert dp.shape == (2, 2)


def test_seed_all_keeps_shapes_and_promotes():
    x, p, s, nothing = ad.seed_all(X, P, 3, [])
    assert (x.shape, p.shape, s.shape, nothing.shape) == ((3,), (1, 2), (), (0,))
    assert s.dtype == np.float64
    y = x * s + p[0, 0]
    ds, dx = ad.jacobian_blocks(y, s, x)
    np.testing.assert_array_equal(ds.toarray(), X[:, None])
    np.testing.assert_array_equal(dx.toarray(), 3 * np.eye(3))
    (none,) = ad.jacobian_blocks(y, nothing)
    assert none.shape == (3, 0)


def test_blocks_refuses_what_is_no_seed():
    x, p = ad.seed_all(X, P)
    for other in (2.0 * x, x[::-1], x * p[0, 0], ad.seed(X)):
        with pytest.raises(DerivativeError, match="argument 1"):
            ad.jacobian_blocks(x * p[0, 0], x, other)
    with pytest.raises(InputError, match="at least one"):
        ad.seed_all()


def test_jacobian_of_shapes():
    sparse, full = ad.jacobian_function(F), ad.jacobian_function(F, dense=True)
    assert sp.issparse(sparse(X, P))
    np.testing.assert_array_equal(full(X, P), sparse(X, P).toarray())
    np.testing.assert_array_equal(
        ad.jacobian_function(F, 1)(X, P).toarray(),
        ad.value_and_jacobian_blocks(F, (X, P))[1][1].toarray(),
    )
    np.testing.assert_array_equal(
        ad.jacobian_function(lambda x: np.sum(x * x), dense=True)(X), 2 * X
    )
    assert ad.jacobian_function(lambda x: np.zeros(2))(X).shape == (2, 3)
    np.testing.assert_array_equal(ad.jacobian_function(lambda x: 1.0, dense=True)(X), np.zeros(3))
    with pytest.raises(InputError, match="argument 3"):
        ad.jacobian_function(F, 3)(X, P)


def laplacian(n):
    return sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n, n))


@pytest.mark.parametrize("method", ["BDF", "Radau"])
def test_solve_ivp(method):
    A = laplacian(20)

    def rhs(t, u):
        return A @ u + u * (1 - u) + np.cos(t)

    u0 = np.linspace(0, 1, 20)
    jac = ad.jacobian_function(rhs, 1)
    run = integrate.solve_ivp(rhs, (0, 2), u0, method=method, jac=jac, rtol=1e-7, atol=1e-9)
    other = integrate.solve_ivp(rhs, (0, 2), u0, method="LSODA", rtol=1e-9, atol=1e-11)
    assert run.success
    np.testing.assert_allclose(run.y[:, -1], other.y[:, -1], rtol=1e-5)


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_least_squares_takes_the_sparse_jacobian(method):
    A = laplacian(8)

    def residual(u):
        return A @ u - 1.0 + 0.01 * np.exp(u)

    fit = optimize.least_squares(
        residual,
        np.zeros(8),
        jac=ad.jacobian_function(residual),
        method=method,
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
    )
    assert np.abs(residual(fit.x)).max() < 1e-8


def test_minimize_with_an_inequality_and_root():
    def cost(x):
        return np.sum((x - np.array([2.0, 1.0])) ** 2)

    def inside(x):
        return np.stack([1.0 - x[0] ** 2 - x[1] ** 2, x[0]])

    limits = optimize.NonlinearConstraint(inside, 0, np.inf, jac=ad.jacobian_function(inside))
    best = optimize.minimize(
        cost,
        [0.1, 0.1],
        jac=ad.jacobian_function(cost, dense=True),
        constraints=limits,
        method="trust-constr",
    )
    np.testing.assert_allclose(best.x, np.array([2.0, 1.0]) / np.sqrt(5.0), atol=1e-3)
    found = optimize.root(inside, [0.5, 0.5], jac=ad.jacobian_function(inside, dense=True))
    np.testing.assert_allclose(found.x, [0.0, 1.0], atol=1e-8)


def test_a_function_in_place_of_its_result():
    x, p = ad.seed_all(X, P)
    for wrong in (lambda x, p: x, X):
        with pytest.raises(
            DataTypeError, match=r"y must be an AD array.*value_and_jacobian_blocks"
        ):
            ad.jacobian_blocks(wrong, x, p)
        with pytest.raises(DataTypeError, match=r"argument 1 must be an AD array"):
            ad.jacobian_blocks(x * 2.0, x, wrong)


def cubic(x):
    return x**3


@pytest.mark.parametrize("dense", [False, True])
def test_a_jacobian_function_can_be_sent_to_another_process(dense):
    sent = pickle.loads(pickle.dumps(ad.jacobian_function(cubic, dense=dense)))
    J = sent(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(J if dense else J.toarray(), np.diag([3.0, 12.0]))
