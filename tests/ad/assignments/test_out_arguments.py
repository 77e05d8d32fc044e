"""``out=`` and ``where=``: results written into AD arrays, against NumPy and differences."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.errors import DerivativeError, SgsolveError
from tests.ad.differences import check, numeric_jacobian
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite

V = np.array([0.7, 1.9, -2.6, 0.3, 1.1, -0.8])
A = np.random.default_rng(2).normal(size=(6, 6))


def into_part(x):
    y = np.zeros_like(x)
    np.multiply(x[1:], x[:-1], out=y[1:])
    return y


def over_itself(x):
    y = 1.0 * x
    backwards = y[::-1]
    np.add(y[1:], y[:-1], out=y[1:])  # NumPy reads all before it writes
    np.exp(0.3 * y, out=y)
    return y + 2.0 * backwards


def into_rows(x):
    y = np.zeros((2, 6), like=x)
    np.sin(x, out=y[0])
    np.square(x, out=y[1], where=V > 0.5)
    return y


def clipped(x):
    y = x * x
    np.clip(y, 0.5, 3.0, out=y)
    return y - x


def in_complex_numbers(x):
    z = np.zeros_like(x, dtype=complex)
    np.exp(1j * x, out=z)
    np.multiply(z, z, out=z, where=V > 0.0)
    return z.imag


def with_keyword(call):
    return lambda x: call(x, np.zeros_like(x))


FORMS = {
    "a safe quotient": lambda x: np.divide(x, x - V, out=np.zeros_like(x), where=V < -9.0) + x,
    "roots of some": lambda x: np.sqrt(x, out=np.zeros_like(x), where=x > 0.0),
    "what is left keeps its slope": lambda x: np.log(x, out=3.0 * x, where=x > 0.5),
    "all": with_keyword(lambda x, y: np.sin(x, out=y)),
    "repeated": lambda x: np.multiply(x, 2.0, out=np.zeros((2, 6), like=x)),
    "of constants": with_keyword(lambda x, y: np.cos(V, out=y, where=V > 0) * x),
    "a decision": with_keyword(lambda x, y: np.less(x, 0.0, out=y) * x),
    "a product": with_keyword(lambda x, y: np.matmul(A, x, out=y)),
    "a running sum": with_keyword(lambda x, y: np.cumsum(x * x, out=y)),
    "accumulated": with_keyword(lambda x, y: np.add.accumulate(x * x, out=y)),
    "a sum of rows": with_keyword(lambda x, y: np.sum(np.outer(x, x), axis=0, out=y)),
    "taken": with_keyword(lambda x, y: np.take(x, [0, 0, 1, 5, 2, 1], out=y)),
    "into a part": into_part,
    "into rows": into_rows,
    "clipped": clipped,
    "in complex numbers": in_complex_numbers,
}


@pytest.mark.parametrize("name", FORMS)
def test_values_and_slopes(name):
    check(FORMS[name], V)


def test_a_view_taken_before_sees_what_is_written():
    F, J = ad.value_and_jacobian(over_itself, V)
    np.testing.assert_array_equal(F, over_itself(V))
    np.testing.assert_allclose(J.toarray(), numeric_jacobian(over_itself, V), atol=1e-8)


@needs_llvmlite
def test_kernels(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")
    for form in (into_part, over_itself, FORMS["roots of some"], FORMS["a safe quotient"]):
        assert_same_bits(form, (V, V + 0.1), evaluations=2)


def test_the_target_itself_is_returned():
    x = ad.seed(V)
    y = np.zeros_like(x)
    assert np.sin(x, out=y) is y
    assert np.cumsum(x, out=y) is y


def test_arrays_that_a_residual_makes_of_zeros():
    def residual(x):
        F = np.zeros(6)
        np.divide(1.0, x, out=F, where=x > 0.0)
        return F

    J = ad.jacobian(residual, V).toarray()
    np.testing.assert_allclose(np.diag(J), np.where(V > 0.0, -1.0 / V**2, 0.0), rtol=1e-15)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.square(x, out=np.zeros((3,), like=x)),
        lambda x: np.square(x, out=np.zeros((6, 2), like=x)),
        lambda x: np.sum(x, out=np.zeros((6,), like=x)),
        lambda x: np.square(x, out=np.zeros(6, dtype=int, like=x)),
        lambda x: np.exp(1j * x, out=np.zeros_like(x)),
        lambda x: np.modf(x, out=(np.zeros_like(x), np.zeros_like(x))),
        lambda x: np.sin(x, out=np.broadcast_to(x[0], (6,))),
    ],
)
def test_what_numpy_refuses_is_refused_in_words(call):
    with pytest.raises(SgsolveError, match=r"\w+ \w+"):
        call(ad.seed(V))


def test_an_ndarray_names_how_to_make_one_with_derivatives():
    with pytest.raises(DerivativeError, match=r"np\.zeros_like\(y\) or np\.zeros\(n, like=y\)"):
        np.sin(ad.seed(V), out=np.zeros(6))
