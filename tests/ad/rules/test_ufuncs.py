import operator

import mpmath as mp
import numpy as np
import pytest
from scipy import special

from sgsolve import ad
from sgsolve.ad.rules import numpy_ufuncs, scipy_parameters, scipy_ufuncs
from sgsolve.ad.ufuncs.ufunc_calls import DECISIONS, SEVERAL
from sgsolve.errors import DerivativeError
from tests.ad import reference

mp.mp.dps = 50
EPS = np.finfo(float).eps
UNTESTED_BY_TABLE = {special.wofz, np.ldexp}  # complex, and one with an integer argument: below


def names(table):
    return sorted((u for u in table if u not in UNTESTED_BY_TABLE), key=lambda u: u.__name__)


def slopes_of(ufunc, *arguments):
    """The partial derivatives as a residual would meet them."""
    n = len(arguments[0])
    x = ad.seed(np.concatenate(arguments))
    with np.errstate(all="ignore"):
        y = ufunc(*(x[k * n : (k + 1) * n] for k in range(len(arguments))))
    J = y.jacobian.toarray()
    return [np.diag(J[:, k * n : (k + 1) * n]) for k in range(len(arguments))]


def allowance(exact, conditioning, ulps):
    return ulps * EPS * (abs(exact) + abs(conditioning)) + mp.mpf(5e-324)


def test_every_rule_has_a_check():
    of_one = set(numpy_ufuncs.UNARY) - UNTESTED_BY_TABLE - set(scipy_parameters.UNARY)
    assert of_one == set(reference.UNARY)
    of_two = {*numpy_ufuncs.BINARY, *numpy_ufuncs.CHOICES}
    assert of_two - UNTESTED_BY_TABLE == set(reference.BINARY)
    assert set(scipy_ufuncs.UNARY) <= set(numpy_ufuncs.UNARY)


def test_every_float_ufunc_of_numpy_has_a_rule_or_decides():
    of_tables = {*numpy_ufuncs.UNARY, *numpy_ufuncs.BINARY, *numpy_ufuncs.CHOICES}
    known = {*of_tables, *DECISIONS, *SEVERAL}
    matrix_products = {getattr(np, n, None) for n in ("matmul", "vecdot", "matvec", "vecmat")}
    ufuncs = {f for n in dir(np) if isinstance(f := getattr(np, n), np.ufunc)}
    of_floats = {u for u in ufuncs if any(t.startswith("d" * u.nin + "->") for t in u.types)}
    assert of_floats - known - matrix_products == set()


@pytest.mark.parametrize("ufunc", names(reference.UNARY), ids=lambda u: u.__name__)
def test_unary_rule(ufunc):
    f, points = reference.UNARY[ufunc]
    (got,) = slopes_of(ufunc, np.array(points))
    for x, slope in zip(points, got, strict=True):
        exact, second = reference.derivatives(f, (x,), [(1,), (2,)])
        error = abs(mp.mpf(float(slope)) - exact)
        assert error <= allowance(exact, x * second, reference.ULPS.get(ufunc, 8)), (
            x, slope, float(exact))  # fmt: skip


@pytest.mark.parametrize("ufunc", names(reference.BINARY), ids=lambda u: u.__name__)
def test_binary_rule(ufunc):
    f, points = reference.BINARY[ufunc]
    a, b = np.array(points).T
    if ufunc in {special.gammainc, special.gammaincc, special.expn, special.jv, special.yv,
                 special.iv, special.kv, special.hyp0f1}:  # fmt: skip
        got = [None, np.diag(ufunc(a, ad.seed(b)).jacobian.toarray())]
    elif ufunc is special.boxcox:
        got = [np.diag(ufunc(ad.seed(a), b).jacobian.toarray()), None]
    else:
        got = slopes_of(ufunc, a, b)
    ulps = reference.ULPS.get(ufunc, 8)
    for k, (p, q) in enumerate(points):
        for i, slopes in enumerate(got):
            if slopes is None:
                continue
            order = np.eye(2, dtype=int)[i]
            orders = [tuple(map(int, order + extra)) for extra in ((0, 0), (1, 0), (0, 1))]
            exact, by_a, by_b = reference.derivatives(f, (p, q), orders)
            cross = abs(p * by_a) + abs(q * by_b)
            error = abs(mp.mpf(float(slopes[k])) - exact)
            assert error <= allowance(exact, cross, ulps), (p, q, i, slopes[k], float(exact))


@pytest.mark.parametrize(
    ("ufunc", "arguments", "expected"), reference.AWKWARD, ids=lambda v: getattr(v, "__name__", "")
)
def test_awkward_points(ufunc, arguments, expected):
    # Two elements, so that slopes are arrays as in a residual, and one, where they are numbers.
    for count in (2, 1):
        got = slopes_of(ufunc, *(np.full(count, a) for a in arguments))
        assert [float(s[0]) for s in got] == list(expected)


COMPLEX = [u for u in names(reference.UNARY) if "D->D" in u.types]


@pytest.mark.parametrize("ufunc", [*COMPLEX, special.wofz], ids=lambda u: u.__name__)
def test_complex_slopes_are_central_differences(ufunc):
    z = np.array([0.3 + 0.2j, -0.4 + 0.7j, 0.6 - 1.1j])
    if ufunc in (np.absolute, np.conjugate, np.sign, np.rint, np.positive, np.negative):
        z = z.real  # not complex differentiable; the constant slopes are checked above
    if ufunc is special.wrightomega:
        z = z + 1
    x = ad.seed(z)
    if ufunc is special.psi:
        with pytest.raises(DerivativeError, match="psi"):
            ufunc(x)
        return
    h = 1e-4
    five = [(1, -2), (-8, -1), (8, 1), (-1, 2)]
    expected = sum(w * ufunc(z + k * h) for w, k in five) / (12 * h)
    np.testing.assert_allclose(np.diag(ufunc(x).jacobian.toarray()), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("ufunc", [np.absolute, np.conjugate, np.sign], ids=lambda u: u.__name__)
def test_functions_without_complex_derivative_refuse(ufunc):
    with pytest.raises(DerivativeError, match=ufunc.__name__):
        ufunc(ad.seed([1.0 + 1.0j, 2.0]))


@pytest.mark.parametrize(
    "ufunc", [u for u in names(reference.UNARY) if "g->g" in u.types and u is not np.spacing],
    ids=lambda u: u.__name__,
)  # fmt: skip
def test_extended_precision_is_kept(ufunc):
    f, points = reference.UNARY[ufunc]
    x = points[len(points) // 2 + 1]
    y = ufunc(ad.seed(np.full(2, x, dtype=np.longdouble)))
    assert y.dtype == y.jacobian.dtype == np.longdouble
    exact, second = reference.derivatives(f, (x,), [(1,), (2,)])
    slope = y.jacobian.data[0]
    high = float(slope)
    got = mp.mpf(high) + mp.mpf(float(slope - np.longdouble(high)))
    eps = float(np.finfo(np.longdouble).eps)
    assert abs(got - exact) <= 16 * eps * (abs(exact) + abs(x * second))


@pytest.mark.parametrize(
    "ufunc", [u for u in names(reference.UNARY) if "f->f" in u.types], ids=lambda u: u.__name__
)
def test_single_precision_stays_single(ufunc):
    x = ad.seed(np.array([0.5, 0.25], dtype=np.float32))
    with np.errstate(all="ignore"):
        y = ufunc(x)
        expected = ufunc(x.value)
    assert y.dtype == expected.dtype
    assert y.jacobian.dtype == y.dtype


def test_orders_are_not_differentiated():
    n = ad.seed([1.0, 2.0])
    with pytest.raises(DerivativeError, match="jv"):
        special.jv(n, 1.0)
    with pytest.raises(DerivativeError, match="boxcox"):
        special.boxcox(2.0, n)


def test_ldexp_and_several_results():
    x = ad.seed([0.75, -3.5])
    np.testing.assert_array_equal(np.ldexp(x, 3).jacobian.toarray(), np.diag([8.0, 8.0]))
    mantissa, exponent = np.frexp(x)
    np.testing.assert_array_equal(mantissa.value * 2.0**exponent, x.value)
    np.testing.assert_array_equal(mantissa.jacobian.diagonal(), 2.0**-exponent)
    fraction, whole = np.modf(x)
    np.testing.assert_array_equal(fraction.jacobian.diagonal(), [1.0, 1.0])
    assert not whole.jacobian.data.any()
    quotient, rest = np.divmod(x, 0.5)
    np.testing.assert_array_equal(quotient.value * 0.5 + rest.value, x.value)


def test_a_ufunc_without_a_rule_is_named_with_a_way_out():
    with pytest.raises(DerivativeError, match=r"scipy.special.tklmbda.*ad\.define_rule"):
        special.tklmbda(1.0, ad.seed([1.0]))


def test_the_operator_and_the_function_agree():
    x = ad.seed([0.5, 2.0])
    for b in (2, 3, -1, 0.5, 0, 1):
        a, c = operator.pow(x, b), np.power(x, float(b))
        np.testing.assert_allclose(a.jacobian.toarray(), c.jacobian.toarray(), rtol=1e-15)


@pytest.mark.parametrize("b", [3, -1, -2, 0.5, 1.5, -2.5, 7])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.longdouble, complex])
def test_powers_of_awkward_numbers(b, dtype):
    """Zero, and where the power overflows, underflows or has lost digits, included."""
    size = [0.0, 1e-40, 1e-20, 1e-9, 0.3, 1.0, 7.0, 1e9, 1e20, np.inf, np.nan]
    a = np.array([*size, *(-k for k in size)] if b == int(b) else size, dtype=dtype)
    if dtype in (np.float64, np.longdouble):
        a = np.concatenate([a, [5e-324, 1e-309, 1e-160, 1e-110, 1e110, 1e160, 1e300]]).astype(dtype)
    with np.errstate(all="ignore"):
        slope = (ad.seed(a) ** b).jacobian.diagonal()
        expected = b * np.power(a, b - 1)
    # Numbers below the normal ones are multiples of the smallest.
    step = 8 * float(np.finfo(dtype).smallest_subnormal)
    np.testing.assert_allclose(slope, expected, rtol=8 * float(np.finfo(dtype).eps), atol=step)


def test_slopes_of_one_argument_are_those_of_both():
    a = np.array([-np.inf, -2.0, -0.0, 0.5, 0.5, 3.0, np.inf, np.nan, 1.0])
    b = np.array([-np.inf, 3.0, 0.0, 0.5, -0.5, -2.0, np.inf, 1.0, np.nan])
    for f in (np.maximum, np.minimum, np.logaddexp, np.fmod, np.remainder, np.hypot):
        with np.errstate(all="ignore"):
            u = ad.seed(np.append(a, b))
            both = f(u[:9], u[9:]).jacobian.toarray()
            first = f(ad.seed(a), b).jacobian.diagonal()
            second = f(a, ad.seed(b)).jacobian.diagonal()
        np.testing.assert_array_equal(first, both[:, :9].diagonal())
        np.testing.assert_array_equal(second, both[:, 9:].diagonal())
