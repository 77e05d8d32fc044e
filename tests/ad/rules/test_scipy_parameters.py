"""Special functions with orders and parameters: rules against mpmath, refusals in words."""

import mpmath as mp
import numpy as np
import pytest
from scipy import special

from sgsolve import ad
from sgsolve.ad.rules import scipy_parameters
from sgsolve.ad.ufuncs import ufunc_calls
from sgsolve.errors import DerivativeError, SgsolveError
from tests.ad.reference_parameters import CALLS, PARAMETERS

UFUNCS = sorted(PARAMETERS, key=lambda u: u.__name__)
COMPLEX = {special.hankel1, special.hankel2, special.hankel1e, special.hankel2e}  # in CALLS


def exact_slope(f, point, k):
    with mp.workdps(40):
        z = [mp.mpf(a) if isinstance(a, float) else a for a in point]
        return complex(mp.diff(lambda x: f(*z[:k], x, *z[k + 1 :]), z[k]))


def seeded(ufunc, point, k, count=2):
    arguments = list(point)
    arguments[k] = ad.seed(np.full(count, float(point[k])))
    return ufunc(*arguments)


def test_every_rule_has_a_reference():
    assert {*scipy_parameters.FUNCTIONS, *scipy_parameters.UNARY} - COMPLEX == set(PARAMETERS)


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda u: u.__name__)
def test_rule(ufunc):
    f, points = PARAMETERS[ufunc]
    for point in points:
        known, refused = 0, []
        for k in range(len(point)):
            if isinstance(point[k], int):
                continue  # a degree
            try:
                y = seeded(ufunc, point, k)
            except DerivativeError as error:
                refused.append(str(error))
                continue
            known += 1
            exact = exact_slope(f, point, k).real
            got = y.jacobian.diagonal()
            np.testing.assert_allclose(got, exact, rtol=3e-12, atol=1e-14, err_msg=str(point))
            np.testing.assert_array_equal(y.value, ufunc(*point))
        assert known
        assert all(ufunc.__name__ in words and "constant" in words for words in refused)


@pytest.mark.parametrize("name", CALLS)
def test_call(name):
    call, f, points = CALLS[name]
    y = call(ad.seed(points))
    np.testing.assert_array_equal(y.value, call(np.array(points)))
    exact = [exact_slope(lambda x: f(x), (x,), 0) for x in points]
    got = y.jacobian.diagonal()
    np.testing.assert_allclose(
        got, exact if got.dtype.kind == "c" else np.real(exact), rtol=1e-11, atol=1e-14
    )


AT_THE_ENDS = [  # ufunc, point, argument, slope in closed form
    (special.eval_legendre, (-1, 0.3), 1, 0.0),
    (special.eval_legendre, (-2, 0.3), 1, 1.0),  # P_1
    (special.eval_legendre, (-3.0, 0.3), 1, 0.9),  # P_2
    (special.eval_chebyt, (-2, 0.3), 1, 1.2),
    (special.eval_chebyc, (-2, 0.3), 1, 0.6),
    (special.eval_chebyu, (-1, 0.3), 1, 0.0),
    (special.eval_chebyu, (-2, 0.3), 1, 0.0),
    (special.eval_chebyu, (-3, 0.3), 1, -2.0),  # -U_1
    (special.eval_chebys, (-3, 0.3), 1, -1.0),
    (special.eval_chebyu, (700.0, 1.0), 1, 700 * 701 * 702 / 3),
    (special.eval_laguerre, (-1, 0.3), 1, np.exp(0.3)),
    (special.eval_genlaguerre, (-1, 0.5, 0.3), 2, 0.0),
    (special.eval_gegenbauer, (-1, 1.5, 0.3), 2, 0.0),
    (special.eval_gegenbauer, (2.5, 0.0, -1.0), 2, 0.0),
    (special.eval_jacobi, (-1, 0.5, 0.5, 0.3), 3, 0.0),
    (special.voigt_profile, (0.3, 0.0, 0.4), 0, -0.24 / (0.0625 * np.pi)),
    (special.voigt_profile, (0.3, 0.0, 0.4), 1, 0.0),
    (special.voigt_profile, (0.3, 0.0, 0.4), 2, -0.07 / (0.0625 * np.pi)),
    (special.gdtr, (0.0, 0.5, 2.0), 2, 0.0),
    (special.gdtrc, (0.0, 0.5, 2.0), 2, 0.0),
    (special.beta, (-2.0, 2.0), 0, 0.75),  # 1 / (a (a + 1))
    (special.beta, (1.0, -3.0), 1, -1.0 / 9.0),
    (special.beta, (0.5, -0.5), 0, -2.0 * np.pi),
    (special.beta, (2.0, np.inf), 0, 0.0),
    (special.betaln, (-2.0, 1.0), 0, 0.5),
]


@pytest.mark.parametrize(
    ("ufunc", "point", "k", "slope"), AT_THE_ENDS, ids=lambda v: getattr(v, "__name__", None)
)
def test_slopes_at_the_ends_of_the_domain(ufunc, point, k, slope):
    for _ in range(3):
        y = seeded(ufunc, point, k)
        np.testing.assert_allclose(y.jacobian.diagonal(), slope, rtol=1e-12, atol=1e-15)


def test_several_arguments_carry_derivatives_at_once():
    x = np.array([0.4, -2.0, 0.6, 1.5, 0.7, 0.1])

    def f(u):
        return special.voigt_profile(u[:2], u[2:4], u[4:]) * u[:2]

    def expected(u):
        out = []
        for k in range(2):
            point = tuple(u[k::2])
            slopes = [exact_slope(PARAMETERS[special.voigt_profile][0], point, i) for i in range(3)]
            row = np.zeros(6)
            row[k::2] = np.real(slopes) * u[k]
            row[k] += special.voigt_profile(*point)
            out.append(row)
        return np.array(out)

    for _ in range(4):  # what recurs is compiled
        np.testing.assert_allclose(f(ad.seed(x)).jacobian.toarray(), expected(x), rtol=1e-12)
    assert f(ad.seed_sparsity(x)).sparsity.nnz == 6


def test_parameters_broadcast_and_recur():
    x = np.array([0.2, 0.3])
    a = np.array([[2.0], [2.5], [0.7]])
    for scale in (1.0, 1.1, 1.2, 1.0):
        y = special.betainc(a, 3.0, ad.seed(scale * x))
        assert y.shape == (3, 2)
        slopes = special.betainc(a, 3.0, scale * x + 1e-6) - special.betainc(
            a, 3.0, scale * x - 1e-6
        )
        np.testing.assert_allclose(
            y.jacobian.toarray().sum(axis=1).reshape(3, 2), slopes / 2e-6, rtol=1e-7
        )


def test_complex_scaled_functions_without_a_complex_derivative_refuse():
    with pytest.raises(DerivativeError, match="ive"):
        special.ive(1.0, ad.seed([1.0 + 1.0j]))


NAMES = [n for n in dir(special) if not n.startswith("_") and callable(getattr(special, n))
         and not isinstance(getattr(special, n), type)]  # fmt: skip
# Called with orders that SciPy ignores; the AD array is never looked at.
IGNORED = {"assoc_legendre_p", "legendre_p", "sph_legendre_p"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_every_function_of_scipy_computes_or_refuses_in_words(name, monkeypatch):
    """One to four arguments, the AD array at every place, no error that explains nothing."""
    monkeypatch.setattr(ufunc_calls, "DEFINED", {})  # other tests may define rules
    f = getattr(special, name)
    x = ad.seed([0.3, 0.4])
    for count in [f.nin] if isinstance(f, np.ufunc) else range(1, 5):
        for place in range(count):
            for other in (2, 2.0, np.array([2.0, 3.0])):
                arguments = [other] * count
                arguments[place] = x
                plain = [*arguments[:place], x.value, *arguments[place + 1 :]]
                with np.errstate(all="ignore"):
                    try:
                        f(*plain)
                    except Exception:  # SciPy refuses the numbers themselves
                        continue
                    try:
                        result = f(*arguments)
                    except SgsolveError:
                        continue
                parts = result if isinstance(result, (tuple, list)) else [result]
                assert name in IGNORED or any(isinstance(p, ad.ADArray) for p in parts)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: special.polygamma(1, x), r"special\.polygamma.*zeta"),
        (lambda x: special.logsumexp(x), r"special\.logsumexp.*ad\.logsumexp"),
        (lambda x: special.softmax(x), r"special\.softmax.*ad\.logsumexp"),
        (lambda x: special.jvp(x, 1.0), r"special\.jvp"),
        (lambda x: special.spherical_jn(2, x), r"special\.spherical_jn.*jv\(n \+ 0\.5, x\)"),
        (lambda x: np.r_[[x[0], 1.0], x], r"np\.r_.*np\.hstack"),
        (lambda x: np.c_[[x[0], 1.0], x], r"np\.c_.*np\.column_stack"),
        (lambda x: np.sum([x, x]), r"np\.sum.*np\.stack"),
        (lambda x: np.array([x, x]), r"^write np\.stack\(\[a, b\]\)"),
    ],
)
def test_functions_of_plain_arrays_are_named_with_a_way_out(call, words):
    with pytest.raises(DerivativeError, match=words) as error:
        call(ad.seed([0.3, 0.4]))
    assert "ad.value" not in str(error.value)
