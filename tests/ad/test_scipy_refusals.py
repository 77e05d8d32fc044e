"""Functions of SciPy that take plain arrays only: the message says what to write instead."""

import re

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
import scipy.stats

from sgsolve import DerivativeError, Problem, ad

A = np.diag([2.0, 3.0])
S = sp.csc_array(A)
LU = sl.splu(S)
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


def test_other_errors_of_the_user_keep_their_type():
    problem = Problem(lambda x: sp.diags([1.0, 2.0], [0, 1, 2], shape=(2, 2)) @ x)
    with pytest.raises(ValueError, match="Different number of diagonals") as caught:
        problem.jacobian([1.0, 2.0])
    assert not isinstance(caught.value, DerivativeError)
