"""Functions of SciPy that take plain arrays only: the message says what to write instead."""

import re
import sys

import numpy as np
import pytest
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse as sp
import scipy.sparse.linalg as sl
import scipy.spatial
import scipy.special
import scipy.stats

from sgsolve import DerivativeError, Problem, ad

A = np.diag([2.0, 3.0])
S = sp.csc_array(A)
LU = sl.splu(S)
# What empties the cache of attributes of classes.
CLEAR = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
UNKNOWN = "make its result an unknown"
CONSTANT = "constant matrices allow A @ y"

CALLS = {
    "spsolve": (lambda x: sl.spsolve(S, x), UNKNOWN),
    "gmres": (lambda x: sl.gmres(S, x)[0], UNKNOWN),
    "splu": (lambda x: LU.solve(x), UNKNOWN),
    "factorized": (lambda x: sl.factorized(S)(x), UNKNOWN),
    "solve": (lambda x: scipy.linalg.solve(A, x), UNKNOWN),
    "expm": (lambda x: scipy.linalg.expm(np.diag(x)) @ x, UNKNOWN),
    "minimize": (lambda x: scipy.optimize.minimize(lambda s: s @ s, x).x, UNKNOWN),
    "diags": (lambda x: sp.diags(x) @ x, CONSTANT),
    "diags_array": (lambda x: sp.diags_array(x, offsets=0) @ x, CONSTANT),
    "coo": (lambda x: sp.coo_array((x, ([0, 1], [0, 1]))) @ x, CONSTANT),
    "multiply": (lambda x: S.multiply(x) @ x, CONSTANT),
    "simpson": (lambda x: x * scipy.integrate.simpson(x), "w @ y"),
    "trapezoid": (lambda x: x * scipy.integrate.trapezoid(x), r"use np\.trapezoid"),
    "dct": (lambda x: scipy.fft.dct(x), "constant matrix of the operation"),
    "filter": (lambda x: scipy.ndimage.gaussian_filter(x, 1.0), "constant matrix of the operation"),
    "convolve": (lambda x: scipy.signal.convolve(x, [1.0], mode="same"), r"np\.convolve"),
    "fft": (lambda x: scipy.fft.fft(x).real, r"use np\.fft"),
    "quad": (lambda x: x * scipy.integrate.quad(lambda t: t * x[0], 0.0, 1.0)[0], "w @ y"),
    "odeint": (lambda x: scipy.integrate.odeint(lambda y, t: -y, x, [0, 1])[1], "time steps"),
    "brentq": (lambda x: x * scipy.optimize.brentq(lambda t: t - x[0], 0.0, 5.0), UNKNOWN),
    "norm": (lambda x: x * scipy.linalg.norm(x), r"use np\.linalg\.norm"),
    "toeplitz": (lambda x: scipy.linalg.toeplitz(x) @ x, r"y\[np\.abs\(i - j\)\]"),
    "circulant": (lambda x: scipy.linalg.circulant(x) @ x, r"y\[\(i - j\) % n\]"),
    "block_diag": (lambda x: scipy.linalg.block_diag(x[0], x[1]) @ x, r"np\.block"),
    "cdist": (lambda x: scipy.spatial.distance.cdist(x[:, None], x[:, None]) @ x, r"np\.sqrt"),
    "binom": (lambda x: scipy.special.binom(x, 2), "gammaln"),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_message_says_what_to_write(name):
    call, advice = CALLS[name]
    with pytest.raises(DerivativeError, match=advice) as caught:
        Problem(call).solve([1.0, 2.0])
    assert "elementwise" not in str(caught.value)


WRAPPED = {
    "scipy.stats.skew": lambda x: x * scipy.stats.skew(x),
    "scipy.stats.norm.pdf": lambda x: scipy.stats.norm.pdf(x),
    "scipy.sparse.linalg.spsolve": lambda x: sl.spsolve(S, x),
    "scipy.linalg.toeplitz": lambda x: scipy.linalg.toeplitz(x) @ x,
    "np.ma.log": lambda x: np.ma.log(x),
    "np.ma.MaskedArray": lambda x: x * np.ma.MaskedArray([1.0, 2.0], x).filled(0.0),
    "scipy.interpolate.CubicSpline": lambda x: scipy.interpolate.CubicSpline([0.0, 1.0], x)(x),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_the_message_names_the_function_that_was_called(name):
    with pytest.raises(DerivativeError, match=rf"{re.escape(name)} takes plain arrays only"):
        Problem(WRAPPED[name]).solve([1.0, 2.0])


SPLINES = {
    "CubicSpline": scipy.interpolate.CubicSpline,
    "PchipInterpolator": scipy.interpolate.PchipInterpolator,
    "Akima1DInterpolator": scipy.interpolate.Akima1DInterpolator,
    "InterpolatedUnivariateSpline": scipy.interpolate.InterpolatedUnivariateSpline,
    "BSpline": scipy.interpolate.make_interp_spline,
}


@pytest.mark.parametrize("name", SPLINES)
def test_the_advice_for_splines_works(name):
    points = np.linspace(0.0, 4.0, 9)
    spline = SPLINES[name](points, np.exp(points))
    with pytest.raises(DerivativeError, match=rf"{name} .*ad\.elementwise\(spline, spline\.deriv"):
        Problem(lambda x: spline(x) - 2.0).solve([1.0, 2.0])
    curve = ad.elementwise(spline, spline.derivative())
    found = Problem(lambda x: curve(x) - 2.0).solve([1.0, 2.0])
    assert spline(found.x) == pytest.approx(2.0, abs=1e-10)


def test_a_root_finder_that_hides_the_error_does_not_hide_it_from_the_user():
    def root(x):
        return [scipy.optimize.brentq(lambda s: s**3 + s - x[0], -3.0, 3.0) - 1.0, x[1]]

    with pytest.raises(DerivativeError):
        Problem(root).solve([1.0, 2.0])


@pytest.mark.parametrize("finder", ["brentq", "brenth", "bisect", "ridder", "toms748"])
@pytest.mark.parametrize("seed", [ad.seed, ad.seed_sparsity])
def test_a_root_finder_calls_no_function_while_an_error_is_set(finder, seed):
    """Then any attribute may be missing: CPython looks no further where an error is set."""
    calls = []

    def shifted(t, x):
        CLEAR()  # what makes it fail; it may be empty at any time
        calls.append(t)
        return t - x

    for k in range(200):
        x = seed(np.array([1.0 + k, 2.0]))
        with pytest.raises(DerivativeError, match=rf"scipy\.optimize\.{finder} takes plain"):
            getattr(scipy.optimize, finder)(shifted, 0.0, 500.0, args=(x[0],))
    assert len(calls) == 200


def test_a_root_finder_may_use_plain_values():
    def residual(x):
        root = scipy.optimize.brentq(lambda t: t - 1.0, 0.0, 5.0)
        return x - root

    np.testing.assert_allclose(Problem(residual).solve([3.0]).x, [1.0])


def test_other_errors_of_the_user_keep_their_type():
    problem = Problem(lambda x: sp.diags([1.0, 2.0], [0, 1, 2], shape=(2, 2)) @ x)
    with pytest.raises(ValueError, match="Different number of diagonals") as caught:
        problem.jacobian([1.0, 2.0])
    assert not isinstance(caught.value, DerivativeError)


X = np.array([1.3, 0.4, 2.2])
I, J = np.indices((3, 3))
# What the advice says, beside the function that is refused.
SPELLINGS = {
    "scipy.linalg.toeplitz": (scipy.linalg.toeplitz, lambda y: y[np.abs(I - J)]),
    "scipy.linalg.circulant": (scipy.linalg.circulant, lambda y: y[(I - J) % 3]),
    "scipy.linalg.norm": (scipy.linalg.norm, np.linalg.norm),
    "scipy.fft.fft": (lambda y: scipy.fft.fft(y).real, lambda y: np.fft.fft(y).real),
    "scipy.stats.norm.cdf": (
        scipy.stats.norm.cdf,
        ad.elementwise(scipy.stats.norm.cdf, scipy.stats.norm.pdf),
    ),
    "scipy.spatial.distance.cdist": (
        lambda y: scipy.spatial.distance.cdist(y[:, None], A[:, :1]),
        lambda y: np.sqrt(np.sum((y[:, None][:, np.newaxis] - A[:, :1]) ** 2, axis=-1)),
    ),
    "np.cov": (
        lambda y: np.cov([y, y**2]),
        lambda y: (lambda d: d @ d.T / 2)(
            np.stack([y, y**2]) - np.mean(np.stack([y, y**2]), 1, keepdims=True)
        ),
    ),
    "numpy.polyder": (np.polyder, lambda y: y[:-1] * np.arange(2, 0, -1)),
    "numpy.lib.scimath.sqrt": (
        lambda y: np.emath.sqrt(y - 1.0).imag,
        lambda y: np.sqrt(y - 1.0 + 0j).imag,
    ),
    "np.fill_diagonal": (
        lambda y: (lambda F: (np.fill_diagonal(F, y), F)[1])(np.zeros((3, 3))),
        np.diag,
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_what_the_message_says_has_the_values_of_the_function(name):
    refused, spelled = SPELLINGS[name]
    with pytest.raises(DerivativeError, match=re.escape(name)):
        ad.jacobian(refused, X)
    F, dF = ad.value_and_jacobian(spelled, X)
    np.testing.assert_allclose(F, refused(X), rtol=1e-12, atol=1e-14)
    assert ad.check_jacobian(spelled, X, jacobian=dF)
