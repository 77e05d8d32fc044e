"""The table of derivative rules: ufunc -> partial derivatives.

A rule gets the value y that the ufunc gave and the values of its arguments, and returns for each
argument the partial derivative: a number, an array, or a pair (number, array) that stands for
their product and saves a pass over memory. Whatever y already knows is not computed again.

Piecewise constant functions (floor, sign, ...) have derivative zero where they have one; where a
function has a kink, the rule takes the derivative of the side that NumPy's value comes from, and
at the kink itself the choice is stated. References: NIST Digital Library of Mathematical
Functions (dlmf.nist.gov), chapters 4 to 8 and 25, for the special functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

Partial = Any
Unary = Callable[[Any, Any], Partial]
Binary = Callable[[Any, Any, Any], tuple[Partial, Partial]]

LN2, LN10 = float(np.log(2.0)), float(np.log(10.0))
ROOT_PI = float(np.sqrt(np.pi))


def _quiet(rule: Any) -> Any:
    """Give infinite slopes (sqrt at 0, arcsin at 1) as inf, without a warning of NumPy's."""

    @functools.wraps(rule)
    def quiet(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return rule(*args)

    return quiet


def _real_only(rule: Any) -> Any:
    """Refuse complex arguments of functions that are not complex differentiable."""

    @functools.wraps(rule)
    def checked(y: Any, *args: Any) -> Any:
        if any(np.iscomplexobj(a) for a in args):
            raise TypeError("the function has no complex derivative")
        return rule(y, *args)

    return checked


UNARY: dict[np.ufunc, Unary] = {
    np.positive: lambda y, x: 1.0,
    np.negative: lambda y, x: -1.0,
    np.absolute: _real_only(lambda y, x: np.sign(x)),  # 0 at 0
    np.fabs: lambda y, x: np.sign(x),
    np.conjugate: _real_only(lambda y, x: 1.0),
    np.square: lambda y, x: (2.0, x),
    np.sqrt: _quiet(lambda y, x: (0.5, 1.0 / y)),
    np.cbrt: _quiet(lambda y, x: 1.0 / (3.0 * y * y)),
    np.reciprocal: lambda y, x: (-1.0, y * y),
    np.exp: lambda y, x: y,
    np.exp2: lambda y, x: (LN2, y),
    np.expm1: lambda y, x: np.exp(x),
    np.log: _quiet(lambda y, x: 1.0 / x),
    np.log2: _quiet(lambda y, x: (1.0 / LN2, 1.0 / x)),
    np.log10: _quiet(lambda y, x: (1.0 / LN10, 1.0 / x)),
    np.log1p: _quiet(lambda y, x: 1.0 / (1.0 + x)),
    np.sin: lambda y, x: np.cos(x),
    np.cos: lambda y, x: (-1.0, np.sin(x)),
    np.tan: lambda y, x: 1.0 + y * y,
    np.arcsin: _quiet(lambda y, x: 1.0 / np.sqrt((1.0 - x) * (1.0 + x))),
    np.arccos: _quiet(lambda y, x: (-1.0, 1.0 / np.sqrt((1.0 - x) * (1.0 + x)))),
    np.arctan: lambda y, x: 1.0 / (1.0 + x * x),
    np.sinh: lambda y, x: np.cosh(x),
    np.cosh: lambda y, x: np.sinh(x),
    # 1 - y^2 cancels where |x| is large; cosh overflows to inf there, whose inverse is right.
    np.tanh: _quiet(lambda y, x: 1.0 / np.square(np.cosh(x))),
    np.arcsinh: lambda y, x: (
        1.0 / np.hypot(1.0, x) if not np.iscomplexobj(x) else 1.0 / np.sqrt(1.0 + x * x)
    ),
    np.arccosh: _quiet(lambda y, x: 1.0 / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0))),
    np.arctanh: _quiet(lambda y, x: 1.0 / ((1.0 - x) * (1.0 + x))),
    np.deg2rad: lambda y, x: np.pi / 180.0,
    np.radians: lambda y, x: np.pi / 180.0,
    np.rad2deg: lambda y, x: 180.0 / np.pi,
    np.degrees: lambda y, x: 180.0 / np.pi,
    np.sign: _real_only(lambda y, x: 0.0),
    np.floor: lambda y, x: 0.0,
    np.ceil: lambda y, x: 0.0,
    np.rint: _real_only(lambda y, x: 0.0),
    np.trunc: lambda y, x: 0.0,
    np.spacing: lambda y, x: 0.0,
    special.expit: lambda y, x: y * special.expit(-x),
    special.log_expit: lambda y, x: special.expit(-x),
    special.logit: _quiet(lambda y, x: 1.0 / (x * (1.0 - x))),
    special.erf: lambda y, x: (2.0 / ROOT_PI, np.exp(-x * x)),
    special.erfc: lambda y, x: (-2.0 / ROOT_PI, np.exp(-x * x)),
    special.erfcx: lambda y, x: _erfcx_slope(y, x),
    special.erfinv: lambda y, x: (0.5 * ROOT_PI, np.exp(y * y)),
    special.erfcinv: lambda y, x: (-0.5 * ROOT_PI, np.exp(y * y)),
    special.ndtr: lambda y, x: (1.0 / (np.sqrt(2.0) * ROOT_PI), np.exp(-0.5 * x * x)),
    special.log_ndtr: lambda y, x: np.exp(-0.5 * x * x - y) / (np.sqrt(2.0) * ROOT_PI),
    special.dawsn: lambda y, x: 1.0 - 2.0 * x * y,
    special.gamma: lambda y, x: y * special.digamma(x),
    special.gammaln: lambda y, x: special.digamma(x),
    special.loggamma: lambda y, x: special.digamma(x),
    special.rgamma: lambda y, x: -y * special.digamma(x),
    special.psi: lambda y, x: special.polygamma(1, x),
    special.entr: _quiet(lambda y, x: -np.log(x) - 1.0),
    special.exprel: lambda y, x: _exprel_slope(y, x),
    special.exp1: _quiet(lambda y, x: -np.exp(-x) / x),
    special.expi: _quiet(lambda y, x: np.exp(x) / x),
    special.j0: lambda y, x: (-1.0, special.j1(x)),
    special.j1: lambda y, x: special.jvp(1, x),
    special.y0: lambda y, x: (-1.0, special.y1(x)),
    special.i0: lambda y, x: special.i1(x),
    special.i1: lambda y, x: special.ivp(1, x),
    special.k0: lambda y, x: (-1.0, special.k1(x)),
    special.cosm1: lambda y, x: (-1.0, np.sin(x)),
    special.sindg: lambda y, x: (np.pi / 180.0, special.cosdg(x)),
    special.cosdg: lambda y, x: (-np.pi / 180.0, special.sindg(x)),
    special.tandg: lambda y, x: np.pi / 180.0 * (1.0 + y * y),
    special.exp2: lambda y, x: (LN2, y),
    special.exp10: lambda y, x: (LN10, y),
    special.cbrt: _quiet(lambda y, x: 1.0 / (3.0 * y * y)),
    special.spence: lambda y, x: _spence_slope(x),
}


def _erfcx_slope(y: Any, x: Any) -> Any:
    """Return 2 x erfcx(x) - 2/sqrt(pi) without the cancellation of large x (DLMF 7.12.1)."""
    x = np.asarray(x)
    plain = 2.0 * x * y - 2.0 / ROOT_PI
    if not np.any(x > 50.0):
        return plain
    t = 1.0 / np.where(x > 50.0, x * x, 1.0)
    series = -1.0 / ROOT_PI * t * (1.0 - 1.5 * t * (1.0 - 2.5 * t * (1.0 - 3.5 * t)))
    return np.where(x > 50.0, series, plain)


def _exprel_slope(y: Any, x: Any) -> Any:
    """Return d/dx (exp(x) - 1)/x = (exp(x) - y)/x, by series near 0."""
    x = np.asarray(x)
    small = np.abs(x) < 0.04
    safe = np.where(small, 1.0, x)
    with np.errstate(all="ignore"):
        plain = (np.exp(x) - y) / safe
    terms = 1 / 2 + x * (1 / 3 + x * (1 / 8 + x * (1 / 30 + x * (1 / 144 + x * (1 / 840)))))
    return np.where(small, terms, plain)


@_quiet
def _spence_slope(x: Any) -> Any:
    """Return log(x)/(1 - x), -1 at x = 1 (DLMF 25.12.2 in SciPy's convention)."""
    x = np.asarray(x)
    t = x - 1.0
    safe = np.where(np.abs(t) < 1e-300, 1.0, t)
    return np.where(np.abs(t) < 1e-300, -1.0, -np.log1p(t) / safe)


@_quiet
def _power(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return _power_base(a, b), _power_exponent(y, a)


def _power_base(a: Any, b: Any) -> Partial:
    if np.ndim(b) == 0:
        if b == 2:
            return (2.0, a)
        if b == 0 or b == 1:
            return float(b)
    # 0 * inf at a = 0, b = 0 is the slope of a constant.
    slope = b * np.power(np.asarray(a, dtype=np.result_type(a, 1.0)), np.subtract(b, 1))
    return np.where(np.equal(b, 0), 0.0, slope) if np.ndim(b) else slope


def _power_exponent(y: Any, a: Any) -> Partial:
    # 0**b is 0 for every b > 0, so its slope in b is 0, not 0 * log(0).
    return np.where(np.equal(a, 0), 0.0, y * np.log(np.where(np.equal(a, 0), 1.0, a)))


def _divide(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    inverse = 1.0 / b
    return inverse, (-1.0, y * inverse)


def _chosen(first: Any) -> tuple[Partial, Partial]:
    """Return the slopes of a function that hands on one of its arguments."""
    chosen = np.asarray(first, dtype=float)
    return chosen, 1.0 - chosen


@_quiet
def _hypot(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    safe = np.where(y == 0, 1.0, y)  # the slope at the origin is taken as 0
    return a / safe, b / safe


@_quiet
def _arctan2(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    r = np.hypot(a, b)
    return (b / r) / r, (-1.0, (a / r) / r)


def _logaddexp(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return special.expit(a - b), special.expit(b - a)


def _logaddexp2(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return special.expit(LN2 * (a - b)), special.expit(LN2 * (b - a))


@_quiet
def _xlogy(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return np.log(b), a / b


@_quiet
def _xlog1py(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return np.log1p(b), a / (1.0 + b)


def _kept(a: Any, b: Any, take_a: Any) -> tuple[Partial, Partial]:
    return _chosen(np.where(np.isnan(a), False, np.where(np.isnan(b), True, take_a)))


@_quiet
def _rel_entr(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return np.log(a / b) + 1.0, -a / b


@_quiet
def _beta_slopes(y: Any, a: Any, b: Any, factor: Any) -> tuple[Partial, Partial]:
    both = special.digamma(a + b)
    return factor * (special.digamma(a) - both), factor * (special.digamma(b) - both)


BINARY: dict[np.ufunc, Binary] = {
    np.add: lambda y, a, b: (1.0, 1.0),
    np.subtract: lambda y, a, b: (1.0, -1.0),
    np.multiply: lambda y, a, b: (b, a),
    np.divide: _divide,
    np.power: _power,
    np.float_power: _power,
    np.floor_divide: lambda y, a, b: (0.0, 0.0),
    np.remainder: lambda y, a, b: (1.0, (-1.0, np.floor_divide(a, b) * 1.0)),
    np.fmod: lambda y, a, b: (1.0, (-1.0, np.trunc(a / b))),
    # At a tie the slope of the first argument is taken.
    np.maximum: lambda y, a, b: _chosen(~(a < b)),
    np.minimum: lambda y, a, b: _chosen(~(a > b)),
    np.fmax: lambda y, a, b: _kept(a, b, a >= b),
    np.fmin: lambda y, a, b: _kept(a, b, a <= b),
    np.hypot: _hypot,
    np.arctan2: _arctan2,
    np.logaddexp: _logaddexp,
    np.logaddexp2: _logaddexp2,
    np.copysign: lambda y, a, b: (np.where(np.signbit(a) == np.signbit(b), 1.0, -1.0), 0.0),
    np.heaviside: lambda y, a, b: (0.0, (np.equal(a, 0)) * 1.0),
    np.nextafter: lambda y, a, b: (1.0, 0.0),
    np.ldexp: lambda y, a, b: (np.ldexp(1.0, b), 0.0),
    special.xlogy: _xlogy,
    special.xlog1py: _xlog1py,
    special.rel_entr: _rel_entr,
    special.kl_div: _quiet(lambda y, a, b: (np.log(a / b), 1.0 - a / b)),
    special.beta: lambda y, a, b: _beta_slopes(y, a, b, y),
    special.betaln: lambda y, a, b: _beta_slopes(y, a, b, 1.0),
}
