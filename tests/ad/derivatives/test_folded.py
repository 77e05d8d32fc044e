"""Slopes at the ends of double precision: right wherever the values of the code are finite.

Numbers stand beside arrays until the end, rules have intermediate results, and products of slopes
may leave the range of double precision where the slope that comes out does not.
"""

import numpy as np
import pytest
from scipy import special

from sgsolve import ad
from sgsolve.ad.assembly.plan import Plan
from sgsolve.ad.programs import computation as evaluation


def one(v):
    return np.full(1, v)


# name: (function of one unknown, the unknown, the slope by hand)
# ruff: noqa: E501  (one case a line)
CASES = {
    "exp": (lambda x:(1e-250*np.exp(x))*one(1e10),700.,lambda x:1e-250*np.exp(x)*1e10),
    "exp small factor": (lambda x:(1e-5*np.exp(x))*one(1e7)*one(1e-7),705.,lambda x:1e-5*np.exp(x)),
    "inv": (lambda u:1/(1e-200*u),1.,lambda u:-1e200),
    "inv big": (lambda u:1/(1e200*u),1.,lambda u:-1e-200),
    "recip": (lambda u:np.reciprocal(1e-200*u),1.,lambda u:-1e200),
    "pow-1": (lambda u:(1e-200*u)**-1.0,1.,lambda u:-1e200),
    "pow-1 big": (lambda u:(1e200*u)**-1.0,1.,lambda u:-1e-200),
    "pow-3": (lambda u:(1e-100*u)**-3,1.,lambda u:-3e300),
    "pow3": (lambda u:(1e-100*u)**3,1.,lambda u:3e-300),
    "pow3 then up": (lambda u:1e290*(1e-100*u)**3,1.,lambda u:3e-10),
    "pow2.5": (lambda u:(1e100*u)**2.5,1.,lambda u:2.5e250),
    "pow arr": (lambda u:(1e-200*u)**np.array([-1.0]),1.,lambda u:-1e200),
    "pow -2 back": (lambda u:1e-280*(1e-150*u)**-2,1.,lambda u:-2e20),
    "x/y": (lambda u:(1e200*u)/(1e-100*u**2),1.,lambda u:-1e300),
    "x/y2": (lambda u:(1e-200*u)/(1e100*u**2),1.,lambda u:-1e-300),
    "x/arr": (lambda u:(1e-300*u)/one(1e-300),1.,lambda u:1.),
    "x/num": (lambda u:(1e-300*u)/1e-300,1.,lambda u:1.),
    "num 1e200 twice": (lambda u:(np.sin(u)*1e-300)*1e200*1e200,1.,lambda u:np.cos(1.)*1e100),
    "num 1e200 twice b": (lambda u:(np.sin(1e-300*u)*1e200)*1e200,1.,lambda u:1e100),
    "weights": (lambda u:((1e-90*u)*one(1e160))*one(1e160),1.,lambda u:1e230),
    "weights2": (lambda u:((1e-250*u)*one(1e200))*one(1e200),1.,lambda u:1e150),
    "matrix": (lambda u:np.array([[1e200]])@(1e-300*(np.array([[1e200]])@u)),1.,lambda u:1e100),
    "matrix2": (lambda u:np.array([[1e200]])@(np.sin(1e-300*(np.array([[1e200]])@u))),1.,lambda u:1e100),
    "matrix3": (lambda u:(1e300*(np.array([[1e-200]])@np.sin(1e-200*u)))*1e50,1.,lambda u:1e-50),
    "ratio": (lambda x:1e-200*np.sin(x)+1e200*np.cos(x),1.,lambda x:-1e200*np.sin(x)),
    "ratio0": (lambda x:1e-200*np.sin(x)+1e200*(np.cos(x)-np.cos(x)),1.,lambda x:1e-200*np.cos(x)),
    "shift": (lambda x:(x*1e160+np.sin(x)*1e-160)*np.array([2.0]),1.,lambda x:2e160),
    "shift2": (lambda x:(x*1e-160+np.sin(x)*1e160)*np.array([2.0]),1.,lambda x:2e160*np.cos(1.)),
    "where": (lambda x:np.where(x>0,1e-300*np.exp(x),x)*one(1e10),705.,lambda x:1e-300*np.exp(x)*1e10),
    "branch": (lambda x:ad.branch(x>0,lambda i:1e-300*np.exp(x[i]),lambda i:x[i])*one(1e10),705.,lambda x:1e-300*np.exp(x)*1e10),
    "gather": (lambda x:ad.sparsesum([(1,np.array([0]),(1e-300*np.exp(x))[np.array([0])]*one(1e10))]),705.,lambda x:1e-300*np.exp(x)*1e10),
    "hypot": (lambda x:np.hypot(1e200*x,1e200),1.,lambda x:1e200/np.sqrt(2)),
    "hypot s": (lambda x:np.hypot(1e-200*x,1e-200),1.,lambda x:1e-200/np.sqrt(2)),
    "arctan2": (lambda x:np.arctan2(1e-200*x,1e-200),1.,lambda x:.5),
    "arctan2b": (lambda x:np.arctan2(1e200*x,1e200),1.,lambda x:.5),
    "arctan": (lambda x:np.arctan(1e160*x),1.,lambda x:1e-160),
    "arctan up": (lambda x:1e200*np.arctan(1e160*x),1.,lambda x:1e40),
    "log": (lambda x:np.log(1e-300*x),1.,lambda x:1.),
    "log2": (lambda x:np.log2(1e300*x),1.,lambda x:1/np.log(2)),
    "log1p": (lambda x:np.log1p(1e300*x),1.,lambda x:1.),
    "sqrt": (lambda x:np.sqrt(1e-300*x),1.,lambda x:.5e-150),
    "cbrt": (lambda x:np.cbrt(1e-300*x),1.,lambda x:1e-100/3),
    "cbrt big": (lambda x:np.cbrt(1e300*x),1.,lambda x:1e100/3),
    "sq": (lambda x:(1e-150*x)**2,1.,lambda x:2e-300),
    "sq2": (lambda x:1e280*(1e-150*x)**2,1.,lambda x:2e-20),
    "arcsinh": (lambda x:np.arcsinh(1e300*x),1.,lambda x:1.),
    "arccosh": (lambda x:np.arccosh(1e300*x),1.,lambda x:1.),
    "tanh": (lambda x:1e300*np.tanh(x),360.,lambda x:4e300*np.exp(-360.0)*np.exp(-360.0)),
    "expit": (lambda x:1e300*special.expit(x),-700.,lambda x:1e300*np.exp(-700.0)),
    "logaddexp": (lambda x:np.logaddexp(1e300*x,-1e300),1.,lambda x:1e300),
    "xlogy": (lambda x:special.xlogy(1e-300*x,1e-300),1.,lambda x:1e-300*np.log(1e-300)),
    "norm s": (lambda x:np.linalg.norm(np.concatenate([1e-170*x,one(1e-170)]),np.inf),1.,lambda x:1e-170),
    "prod": (lambda x:np.prod(np.concatenate([1e200*x,one(1e-200),one(1e200)])),1.,lambda x:1e200),
    "var": (lambda x:np.var(np.concatenate([1e-100*x,one(3e-100)])),1.,lambda x:-1e-200),
    "elementwise": (lambda x:(1e-250*ad.elementwise(np.exp,np.exp)(x))*one(1e10),700.,lambda x:1e-250*np.exp(x)*1e10),
    "logsumexp": (lambda x:ad.logsumexp(np.concatenate([1e300*x,one(0.)])),1.,lambda x:1e300),
    "gammaln": (lambda x:special.gammaln(1e300*x),1.,lambda x:1e300*np.log(1e300)),
    "bern": (lambda x:1e200*ad.bernoulli(x),600.,lambda x: -1e200*599*np.exp(-600.0)),
    "divbc": (lambda x:((1e200*x)[:,None]/(1e-100*x**2)[None,:]).ravel(),1.,lambda x:-1e300),
    "mul": (lambda x:(1e-200*x)*(1e-100*x)*one(1e250),1.,lambda x:2e-50),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_slope_overflows_or_vanishes_only_where_the_code_does(name):
    """Evaluated afresh, and by the program that it becomes, in the fast and the folded form."""
    f, x, slope = CASES[name]
    exact = slope(x)
    with np.errstate(all="ignore"):
        assert np.isfinite(f(np.array([x]))).all()
        for _ in range(2 * evaluation.COMPILE_AFTER + 3):
            J = ad.jacobian(f, [x]).toarray()[0, 0]
            assert abs(J - exact) <= 1e-9 * abs(exact)
        if name not in FORWARD_VANISHES:
            J = ad.jvp(f, [x], [1.0])[1].ravel()[0]
            assert abs(J - exact) <= 1e-9 * abs(exact)


# The value of the code vanishes on the way.
FORWARD_VANISHES = {"matrix3"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, complex])
def test_an_extreme_element_beside_ordinary_ones(dtype):
    """Folded once, a computation stays right at points where nothing overflows, and back."""
    w = np.array([1e-30, 2.0, 1e30], dtype=dtype)

    def f(u):
        return (1e-30 * np.exp(u)) * w / w[::-1] * 1e20

    for k in range(30):
        x = np.array([80.0, 1.0, -50.0 if k % 4 else -80.0], dtype=dtype)
        got = ad.jacobian(f, x).diagonal()
        wide = x.astype(np.clongdouble if dtype is complex else np.longdouble)
        ratio = w.astype(wide.dtype) / w[::-1].astype(wide.dtype)
        exact = (1e-10 * np.exp(wide) * ratio).astype(dtype)
        np.testing.assert_allclose(got, exact, rtol=64 * np.finfo(dtype).eps, atol=1e-44)


def test_a_factor_that_varies_and_is_extreme_now_and_then():
    """A program takes numbers from the tape: it is not run with extreme ones."""
    for k in range(40):
        dt = 1e-3 / (k + 1) if k % 7 else 1e-200
        x = np.array([0.5 + 0.01 * k])
        J = ad.jacobian(lambda u, dt=dt: (np.sin(u) * dt + u**2) * (1e150 * dt), x).toarray()[0, 0]
        exact = (np.cos(x) * dt + 2 * x) * (1e150 * dt)
        assert abs(J - exact[0]) <= 1e-12 * exact[0]


# name: (function whose parts overflow, its slope by hand, for extended precision)
OVERFLOWING = {
    "logistic": (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    "Fermi": (lambda x: 1 / (np.exp(x) + 1), lambda x: -np.exp(x) / (1 + np.exp(x)) ** 2),
    "power": (lambda x: (1 + np.exp(x)) ** -2.0, lambda x: -2 * np.exp(x) / (1 + np.exp(x)) ** 3),
    "sech squared": (lambda x: 1 / np.cosh(x) ** 2, lambda x: -2 * np.sinh(x) / np.cosh(x) ** 3),
    "sech cubed": (lambda x: 1 / np.cosh(x) ** 3, lambda x: -3 * np.tanh(x) / np.cosh(x) ** 3),
    "Bernoulli": (lambda x: x / (np.exp(x) - 1), lambda x: (1 - x * (1 + 1 / np.expm1(x))) / np.expm1(x)),
    "arctangent": (lambda x: np.arctan(np.exp(x)), lambda x: np.exp(x) / (1 + np.exp(2 * x))),
    "tanh": (lambda x: np.tanh(np.exp(x)), lambda x: np.exp(x) / np.cosh(np.minimum(np.exp(x), 9e3)) ** 2),
    "Gompertz": (lambda x: np.exp(-np.exp(x)), lambda x: -np.exp(x - np.exp(x))),
    "products": (lambda x: 1 / (np.exp(x) * np.exp(x) + np.exp(x)), lambda x: -(2 + np.exp(-x)) / (1 + np.exp(x)) ** 2),
    "Hill": (lambda x: 1 / (1 + x**150), lambda x: -150 * x**149 / (1 + x**150) ** 2),
    "choice": (lambda x: np.minimum(np.exp(x), 3.0) * x, lambda x: np.where(np.exp(x) < 3.0, np.exp(x) * (1 + x), 3.0)),
    "in series": (lambda x: 1 / (1 + 1 / (1 + np.exp(-x))), lambda x: -np.exp(-x) / (2 + np.exp(-x)) ** 2),
}  # fmt: skip


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp < 15000, reason="longdouble is no wider")
@pytest.mark.parametrize("name", OVERFLOWING)
def test_what_is_made_of_a_value_that_overflowed_has_its_slope(name):
    """A value that is right has a slope that is, eager and by the program that it becomes."""
    f, slope = OVERFLOWING[name]
    x = np.array([-3e3, -800.0, -2.0, -0.5, 0.5, 2.0, 800.0, 3e3])
    with np.errstate(all="ignore"):
        x = x[np.isfinite(f(x))]
        wide = x.astype(np.longdouble)
        exact = slope(wide).astype(float)
        for _ in range(2 * evaluation.COMPILE_AFTER + 3):
            np.testing.assert_allclose(ad.jacobian(f, x).diagonal(), exact, rtol=1e-11, atol=1e-300)
        slopes = ad.jvp(f, x, np.ones(len(x)))[1]
        np.testing.assert_allclose(slopes, exact, rtol=1e-11, atol=1e-300)
        compiled = ad.compiled(f, at_once=True) if ad.compiled_is_available() else f
        np.testing.assert_allclose(
            ad.jacobian(compiled, x).diagonal(), exact, rtol=1e-11, atol=1e-300
        )
    assert len(x) > 4


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp < 15000, reason="longdouble is no wider")
@pytest.mark.parametrize("name", ["logistic", "in series"])
def test_such_slopes_among_many_constants(name, monkeypatch):
    """NaN is looked for in what a program computed: the constants are no numbers to look at."""
    f, slope = OVERFLOWING[name]
    x = np.array([-3e3, -800.0, -2.0, -0.5, 0.5, 2.0, 300.0])
    asked, is_sound = [], Plan.is_sound
    monkeypatch.setattr(Plan, "is_sound", lambda *a: asked.append(is_sound(*a)) or asked[-1])

    def among_constants(x):
        return f(x) + 3.0 * np.roll(x, 1) - 2.0 * np.roll(x, -1) + np.roll(x, 2) + np.roll(x, 3)

    with np.errstate(all="ignore"):
        x = x[np.isfinite(f(x))]
        exact = slope(x.astype(np.longdouble)).astype(float)
        for _ in range(2 * evaluation.COMPILE_AFTER + 3):
            for now in (x, np.clip(x, -2.0, 2.0)):
                got = ad.jacobian(among_constants, now).diagonal()
                right = exact if now is x else slope(now)
                np.testing.assert_allclose(got, right, rtol=1e-11, atol=1e-300)
    assert False in asked
    assert True in asked


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
def test_a_constant_that_is_no_number_is_never_sound(number):
    def f(x, c):
        return x**2 + c * np.roll(x, 1) - c * np.roll(x, 1) + np.roll(x, 2)

    with np.errstate(all="ignore"):
        for _ in range(evaluation.COMPILE_AFTER + 3):
            for c in (2.0, number):
                J = ad.jacobian(f, np.arange(1.0, 7.0), c).toarray()
                np.testing.assert_array_equal(np.diag(J), 2.0 * np.arange(1.0, 7.0))
                np.testing.assert_array_equal(J[1, 0], c - c)


# name: (function that is right at a pole of its parts, the pole)
AT_POLES = {
    "parallel": (lambda x: 1 / (1 / x + 1 / (1 + x)), 0.0),
    "reciprocal": (lambda x: np.reciprocal(np.reciprocal(x)), 0.0),
    "power": (lambda x: (x**-0.5) ** -2.0, 0.0),
    "square": (lambda x: 1 / np.sqrt((1 / x) ** 2), 0.0),
    "cube": (lambda x: np.cbrt(1 / (1 / x) ** 3), 0.0),
    "product": (lambda x: 1 / ((1 / x) * np.cos(x)), 0.0),
    "quotient": (lambda x: 1 / (np.sin(x) / x**2), 0.0),
    "logarithm": (lambda x: 1 / np.log(x), 0.0),
    "tanh": (lambda x: np.tanh(np.arctanh(x)), 1.0),
    "arctangent": (lambda x: np.arctan(1 / x), 0.0),
    "logit": (lambda x: 1 / special.logit(x), 1.0),
    "degrees": (lambda x: np.reciprocal(special.tandg(x)), 90.0),
    "gamma": (lambda x: 1 / special.gamma(x), 0.0),
    "erfinv": (lambda x: special.erf(special.erfinv(x)), 1.0),
    "Bessel": (lambda x: 1 / special.k0(x), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_POLES)
def test_no_slope_is_dropped_at_a_pole(name):
    """The slope there is not zero; also beside an element whose exponential overflows."""
    f, pole = AT_POLES[name]

    def beside(x):
        return np.concatenate([f(x[:1]), 1 / (1 + np.exp(x[1:]))])

    with np.errstate(all="ignore"):
        for _ in range(evaluation.COMPILE_AFTER + 3):
            assert ad.jacobian(f, [pole]).toarray()[0, 0] != 0
            J = ad.jacobian(beside, [pole, 800.0]).toarray()
            assert J[0, 0] != 0
