"""Rules that the user defines: slopes, compiled programs, and what is refused."""

import mpmath as mp
import numpy as np
import pytest
from scipy import special

from sgsolve import ad
from sgsolve.ad.functions.element_functions import defined_rules
from sgsolve.ad.programs import computation as evaluation
from sgsolve.ad.ufuncs import ufunc_calls
from sgsolve.errors import DataTypeError, DerivativeError, InputError, ShapeError

P = np.array([0.1, 0.4, 0.8])


@pytest.fixture(autouse=True)
def _no_rules_yet(monkeypatch):
    table = {}
    monkeypatch.setattr(ufunc_calls, "DEFINED", table)
    monkeypatch.setattr(defined_rules, "DEFINED", table)


def elliptic_slope(p):
    return (p * special.ellipkm1(p) - special.ellipe(1.0 - p)) / (2.0 * p * (1.0 - p))


def by_n(n, k):
    return special.binom(n, k) * (special.digamma(n + 1.0) - special.digamma(n - k + 1.0))


def by_k(n, k):
    return special.binom(n, k) * (special.digamma(n - k + 1.0) - special.digamma(k + 1.0))


def test_without_a_rule_the_message_says_how_to_define_one():
    with pytest.raises(DerivativeError, match=r"scipy.special.ellipkm1 .* ad.define_rule"):
        special.ellipkm1(ad.seed(P))


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_one_argument_in_programs_too(shape):
    ad.define_rule(special.ellipkm1, elliptic_slope)
    for k in range(2 * evaluation.COMPILE_AFTER):
        p = P.reshape(shape) / (1 + k)
        y = special.ellipkm1(ad.seed(p))
        np.testing.assert_array_equal(y.value, special.ellipkm1(p))
        exact = [mp.diff(lambda t: mp.ellipk(1 - t), mp.mpf(float(v))) for v in p.ravel()]
        np.testing.assert_allclose(y.jacobian.toarray(), np.diag(np.array(exact, float)), 1e-13)
    assert ad.check_jacobian(special.ellipkm1, P)
    s = special.ellipkm1(ad.seed_sparsity(P.reshape(shape)))
    assert ad.sparsity_pattern(s).nnz == 3


@pytest.mark.parametrize(("by_first", "by_second"), [(True, True), (True, False), (False, True)])
def test_two_arguments_with_broadcasting(by_first, by_second):
    ad.define_rule(special.binom, [by_n, by_k])
    n, k = np.array([4.5, 6.0, 7.25]), np.array([[1.5], [2.0]])
    x = ad.seed(np.concatenate([n, k.ravel()]))
    for _ in range(evaluation.COMPILE_AFTER + 2):
        first = x[:3] if by_first else n
        second = np.reshape(x[3:], (2, 1)) if by_second else k
        y = special.binom(first, second)
        J = y.jacobian.toarray()
        a, b = by_n(n, k).ravel(), by_k(n, k).ravel()
        exact = np.zeros((6, 5))
        exact[range(6), [0, 1, 2] * 2] = a * by_first
        exact[range(6), [3] * 3 + [4] * 3] = b * by_second
        np.testing.assert_array_equal(J, exact)
    assert ad.check_jacobian(lambda z: special.binom(z[:3], np.reshape(z[3:], (2, 1))), x.value)


def test_an_argument_without_a_partial_derivative_must_be_constant():
    ad.define_rule(special.binom, [by_n, None])
    x = ad.seed([4.5, 6.0])
    np.testing.assert_array_equal(
        special.binom(x, 2.0).jacobian.toarray(), np.diag(by_n(x.value, 2.0))
    )
    with pytest.raises(DerivativeError, match=r"binom .* argument 1"):
        special.binom(4.5, x)


def test_a_wrong_partial_is_found():
    ad.define_rule(special.ellipkm1, lambda p: -elliptic_slope(p))
    check = ad.check_jacobian(special.ellipkm1, P)
    assert not check.ok
    assert check.error > 1.0


def test_a_rule_can_be_replaced_and_its_old_program_is_not_used():
    ad.define_rule(special.ellipkm1, lambda p: 1.0)
    for _ in range(evaluation.COMPILE_AFTER + 2):
        assert (special.ellipkm1(ad.seed(P)).jacobian.toarray() == np.eye(3)).all()
    ad.define_rule(special.ellipkm1, elliptic_slope)
    got = special.ellipkm1(ad.seed(P)).jacobian.toarray()
    np.testing.assert_array_equal(got, np.diag(elliptic_slope(P)))


def test_an_array_that_the_partial_derivative_keeps_may_change():
    kept = np.ones(3)
    ad.define_rule(special.ellipkm1, lambda p: kept)
    y = special.ellipkm1(ad.seed(P))
    J = y.jacobian.toarray()
    kept[:] = 7.0
    np.testing.assert_array_equal(J, np.eye(3))
    np.testing.assert_array_equal(y.jacobian.toarray(), J)


@pytest.mark.parametrize(
    ("slope", "error", "message"),
    [
        (lambda p: np.ones(5), ShapeError, r"ellipkm1 has shape \(5,\)"),
        (lambda p: np.array(["a"] * 3), DerivativeError, "ellipkm1 has dtype"),
    ],
)
def test_what_a_partial_derivative_returns_is_checked(slope, error, message):
    ad.define_rule(special.ellipkm1, slope)
    with pytest.raises(error, match=message):
        special.ellipkm1(ad.seed(P)).jacobian


@pytest.mark.parametrize(
    ("ufunc", "partials", "error", "message"),
    [
        (special.logsumexp, lambda x: x, DataTypeError, "ad.elementwise"),
        (np.exp, lambda x: x, InputError, "exp has a rule already"),
        (np.power, [None, lambda a, b: a], InputError, "power has a rule already"),
        (np.isnan, lambda x: 0.0, InputError, "isnan has a rule already"),
        (special.jv, [None, lambda a, b: a], InputError, "jv has a rule already"),
        (special.kelvin, lambda x: x, InputError, "several results"),
        (np.matmul, [None, lambda a, b: a], InputError, "whole vectors"),
        (np.frompyfunc(abs, 1, 1), lambda x: x, InputError, "Python objects"),
        (special.binom, by_n, InputError, "binom has 2 arguments"),
        (special.binom, [by_n, 3.0], InputError, "functions or None"),
        (special.binom, [None, None], InputError, "no partial derivative"),
    ],
)
def test_what_cannot_have_a_rule_is_refused(ufunc, partials, error, message):
    with pytest.raises(error, match=message):
        ad.define_rule(ufunc, partials)
