"""Functions that catch the errors of AD arrays: with the values of NumPy, or refused."""

import contextlib

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as sl
from scipy import linalg, special, stats

from sgsolve import DerivativeError, ad
from tests.ad.differences import numeric_jacobian

X = np.array([0.7, 1.3, 0.4, 0.9])


def fills_or_cubes(x):
    F = np.zeros(4)
    try:
        F[:] = x**2
    except Exception:
        F = x**3
    return F


def fills_or_returns(x):
    F = np.zeros(4)
    try:
        F[1:] = x[1:] * x[0]
    except TypeError:
        return 7.0 * x
    return F


def fills_or_leaves(x):
    F = np.zeros(4)
    with contextlib.suppress(Exception):
        F[:] = x**2
    return F + x


@pytest.mark.parametrize("x", [X, np.zeros(4)], ids=["x", "zero"])
@pytest.mark.parametrize("f", [fills_or_cubes, fills_or_returns, fills_or_leaves])
def test_arrays_filled_in_a_try_statement(f, x):
    J = ad.jacobian(f, x).toarray()
    np.testing.assert_allclose(J, numeric_jacobian(f, x), rtol=1e-6, atol=1e-6)
    pytest.importorskip("llvmlite")
    compiled = ad.compiled(f, at_once=True)
    for _ in range(3):
        assert (compiled.value_and_jacobian(x)[1].toarray() == J).all()


def drops_or_squares(x):
    try:
        return x * float(x[0])
    except TypeError:
        return x**2


def sorts_or_negates(x):
    with contextlib.suppress(TypeError):
        return np.histogram2d(x, x)[0][0, :4] * x
    return -x


@pytest.mark.parametrize("x", [X, np.zeros(4)], ids=["x", "zero"])
@pytest.mark.parametrize("f", [drops_or_squares, sorts_or_negates])
def test_another_way_taken_after_an_error_is_refused(f, x):
    for call in (ad.jacobian, ad.value_and_jacobian, ad.check_jacobian):
        with pytest.raises(DerivativeError, match="caught an error"):
            call(f, x)


def as_float(v):
    try:
        return float(v)
    except TypeError:
        return v


def test_another_way_with_the_same_values_is_taken():
    J = ad.jacobian(lambda x: np.stack([as_float(v) ** 2 for v in x]), X).toarray()
    np.testing.assert_array_equal(J, np.diag(2.0 * X))


def test_errors_of_the_user_pass():
    def divided(x):
        try:
            return np.asarray(x)
        except TypeError:
            raise ZeroDivisionError("of the user") from None

    with pytest.raises(ZeroDivisionError, match="of the user"):
        ad.jacobian(divided, X)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: special.factorial(x[0]) * x, r"scipy\.special\.factorial.*gamma\(n \+ 1\)"),
        (lambda x: {x[0]: x}[x[0]], "key of a dictionary"),
    ],
)
def test_a_key_is_refused_in_words(f, words):
    with pytest.raises(DerivativeError, match=words):
        ad.jacobian(f, X)


def shaped(x):
    y = 2.0 * x
    y.shape = 2, 2
    return y


def checked_by_the_user(x):
    if type(x) is not np.ndarray:
        raise TypeError("not mine")
    return x


CAUSED = {
    "out of np.fix": (lambda x: np.fix(x, np.zeros(4)), "takes 1 positional argument"),
    "a shape assigned": (shaped, r"y\.reshape"),
    "class of the user": (checked_by_the_user, "not mine.*stands for an ndarray"),
    "flag of LAPACK": (
        lambda x: linalg.lu_solve((np.eye(2), [0, 1]), np.ones(2), trans=x[0]),
        r"scipy\.linalg\.lu_solve",
    ),
    "operand of lobpcg": (lambda x: sl.lsqr(x.reshape(2, 2), [1.0, 0.0])[0], r"linalg\.lsqr"),
    "blocks": (lambda x: sp.block_diag(x) @ x, r"scipy\.sparse\.block_diag"),
    "keys": (lambda x: sp.dok_array(x.reshape(2, 2)).toarray(), r"scipy\.sparse\.dok_array"),
    "angles": (lambda x: x * stats.circvar(x), r"scipy\.stats\.circvar"),
    "integers from unknowns": (lambda x: np.insert(np.arange(3), 1, x[0]), "holds no derivative"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of NumPy 2.5 and SciPy 1.18
@pytest.mark.parametrize("name", CAUSED)
def test_errors_that_numbers_do_not_raise_are_explained(name):
    f, words = CAUSED[name]
    f(X)
    with pytest.raises(DerivativeError, match=words):
        ad.jacobian(f, X)


def test_errors_that_numbers_raise_too_stand():
    def outside(x):
        raise ArithmeticError("outside of the model")

    with pytest.raises(ArithmeticError, match="of the model"):
        ad.jacobian(outside, X)
    with pytest.raises(ValueError, match="reshape"):
        ad.jacobian(lambda x: np.eye(3).reshape(2, 2) * x, X)
