"""sgsolve.root: SciPy's signature."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import InputError, root
from sgsolve.solvers import Newton


def fun(x, a):
    return np.stack([x[0] ** 2 + x[1] - a, x[0] - x[1]])


@pytest.mark.parametrize("method", ["robust", "newton", "damped", "hybr", "lm", "krylov", "ptc"])
def test_methods(method):
    solution = root(fun, [1.0, 2.0], args=(6.0,), method=method)
    assert solution.success
    assert np.allclose(solution.x, [2.0, 2.0])
    assert np.abs(solution.fun).max() < 1e-8
    assert solution.nit > 0


def test_own_jacobian_sparse():
    def jac(x, a):
        return sp.csr_array(np.array([[2.0 * x[0], 1.0], [1.0, -1.0]]))

    assert np.allclose(root(fun, [1.0, 2.0], 6.0, jac=jac).x, 2.0)


def test_function_with_jacobian():
    def both(x):
        return np.array([x[0] ** 2 - 4.0]), np.array([[2.0 * x[0]]])

    assert np.allclose(root(both, [1.0], jac=True).x, 2.0)


def test_failure_does_not_raise():
    assert not root(lambda x: x**2 + 1.0, [1.0]).success


def test_options_tol_callback_and_solver():
    seen = []
    root(fun, [1.0, 2.0], (6.0,), "newton", tol=1e-3, callback=lambda x, f: seen.append(f))
    assert len(seen) > 2
    assert root(fun, [9.0, 2.0], (6.0,), "newton", options={"max_iterations": 1}).nit == 1
    assert root(fun, [1.0, 2.0], (6.0,), Newton()).success


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "magic"}, "unknown method"),
        ({"tol": 0.0}, "tol must be positive"),
        ({"options": {"maxiter": 3}}, "options of method"),
        ({"jac": 3.0}, "jac must be"),
        ({"method": Newton(), "tol": 1e-3}, "go with a method's name"),
    ],
)
def test_bad_arguments(arguments, text):
    with pytest.raises(InputError, match=text):
        root(fun, [1.0, 2.0], (6.0,), **arguments)
