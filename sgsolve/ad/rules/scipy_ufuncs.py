"""The table of derivative rules of SciPy's special functions: ufunc -> partial derivatives.

The form of `numpy_ufuncs`; a partial derivative that is not implemented (that of a Bessel
function with respect to its order, say) is None, and asking for it raises. Where the plain formula
cancels, the rule goes over to a series or a continued fraction. Equation numbers are those of the
NIST Digital Library of Mathematical Functions (dlmf.nist.gov).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ..derivatives.array_operations import NO_SLOPE
from . import scipy_parameters
from .quiet import quiet
from .scipy_parameters import ROOT_PI, gamma_density, last_argument

LN2, LN10 = float(np.log(2.0)), float(np.log(10.0))
ROOT_2PI = float(np.sqrt(2.0 * np.pi))


def _erfcx_slope(y: Any, x: Any) -> Any:
    """Return 2 x erfcx(x) - 2/sqrt(pi), by the continued fraction 7.9.1 where this cancels.

    With erfcx(x) = 1/sqrt(pi) / (x + K), the slope is -2 K erfcx(x).
    """
    x = np.asarray(x)
    plain = 2.0 * x * y - 2.0 / ROOT_PI
    large = np.real(x) > 2.0
    if not np.any(large):
        return plain
    z = x[large]
    K: Any = 0.0
    for k in range(60, 0, -1):
        K = 0.5 * k / (z + K)
    plain = np.array(plain)
    plain[large] = -2.0 * K * np.asarray(y)[large]
    return plain


def _dawson_slope(y: Any, x: Any) -> Any:
    """Return 1 - 2 x dawsn(x), by the asymptotic series from 7.12 where this cancels."""
    x = np.asarray(x)
    large = np.abs(x) > 7.0
    if np.iscomplexobj(x) or not np.any(large):
        return 1.0 - 2.0 * x * y
    t = 0.5 / np.where(large, x * x, 100.0)
    series: Any = 0.0
    for k in range(24, 0, -1):
        series = (2 * k - 1) * t * (1.0 + series)
    return np.where(large, -series, 1.0 - 2.0 * x * y)


def _rgamma_slope(y: Any, x: Any) -> Any:
    """Return -digamma(x)/gamma(x); (-1)^n n! at its zeros x = -n (from 5.7.6)."""
    x = np.asarray(x)
    slope = -y * special.digamma(x)
    pole = (np.real(x) <= 0) & (x == np.rint(x))
    n = np.where(pole, -np.real(x), 0.0)
    return np.where(pole, np.where(n % 2 == 0, 1.0, -1.0) * special.gamma(n + 1.0), slope)


def _exprel_slope(y: Any, x: Any) -> Any:
    """Return d/dx (exp(x) - 1)/x = (exp(x) - y)/x, by its Taylor series for small x."""
    x = np.asarray(x)
    small = np.abs(x) < 1.0
    plain = np.asarray((np.exp(x) - y) / np.where(x == 0, 1.0, x))
    if not np.any(small):
        return plain
    series: Any = 0.0
    for k in range(18, -1, -1):
        series = (k + 1.0) / special.gamma(k + 3.0) + series * np.where(small, x, 0.0)
    return np.where(small, series, plain)


def _spence_slope(y: Any, x: Any) -> Any:
    """Return log(x)/(1 - x), -1 at x = 1 (25.12.2 in SciPy's convention)."""
    t = np.asarray(x) - 1.0
    near = np.abs(t) < 0.5
    safe = np.where(t == 0, 1.0, t)
    log = np.where(near, np.log1p(np.where(near, t, 0.0)), np.log(np.where(near, 1.0, x)))
    return np.where(t == 0, -1.0, -log / safe)


def _boxcox_slopes(y: Any, x: Any, k: Any) -> Any:
    return np.power(x, np.subtract(k, 1.0)), None


Unary = Callable[[Any, Any], Any]
Binary = Callable[[Any, Any, Any], tuple[Any, Any]]

_UNARY: dict[np.ufunc, Unary] = {
    special.expit: lambda y, x: y * special.expit(-x),
    special.log_expit: lambda y, x: special.expit(-x),
    special.logit: lambda y, x: 1.0 / (x * (1.0 - x)),
    special.erf: lambda y, x: (2.0 / ROOT_PI, np.exp(-x * x)),
    special.erfc: lambda y, x: (-2.0 / ROOT_PI, np.exp(-x * x)),
    special.erfi: lambda y, x: (2.0 / ROOT_PI, np.exp(x * x)),
    special.erfcx: _erfcx_slope,
    special.wofz: lambda y, x: 2j / ROOT_PI - 2.0 * x * y,
    special.erfinv: lambda y, x: (0.5 * ROOT_PI, np.exp(y * y)),
    special.erfcinv: lambda y, x: (-0.5 * ROOT_PI, np.exp(y * y)),
    special.ndtr: lambda y, x: (1.0 / ROOT_2PI, np.exp(-0.5 * x * x)),
    special.ndtri: lambda y, x: (ROOT_2PI, np.exp(0.5 * y * y)),
    special.log_ndtr: lambda y, x: 2.0 / ROOT_2PI / special.erfcx(-np.sqrt(0.5) * x),
    special.dawsn: _dawson_slope,
    special.gamma: lambda y, x: y * special.digamma(x),
    special.gammaln: lambda y, x: special.digamma(x),
    special.loggamma: lambda y, x: special.digamma(x),
    special.rgamma: _rgamma_slope,
    special.psi: lambda y, x: special.zeta(2.0, x),
    special.entr: lambda y, x: -np.log(x) - 1.0,
    special.exprel: _exprel_slope,
    special.expm1: lambda y, x: np.exp(x),
    special.log1p: lambda y, x: 1.0 / (1.0 + x),
    special.exp1: lambda y, x: -np.exp(-x) / x,
    special.expi: lambda y, x: np.exp(x) / x,
    special.j0: lambda y, x: (-1.0, special.j1(x)),
    special.j1: lambda y, x: special.jvp(1, x),
    special.y0: lambda y, x: (-1.0, special.y1(x)),
    special.y1: lambda y, x: special.yvp(1, x),
    special.i0: lambda y, x: special.i1(x),
    special.i1: lambda y, x: special.ivp(1, x),
    special.i0e: lambda y, x: special.i1e(x) - np.sign(x) * y,
    special.i1e: lambda y, x: 0.5 * (special.i0e(x) + special.ive(2, x)) - np.sign(x) * y,
    special.k0: lambda y, x: (-1.0, special.k1(x)),
    special.k1: lambda y, x: special.kvp(1, x),
    special.k0e: lambda y, x: y - special.k1e(x),
    special.k1e: lambda y, x: y - 0.5 * (special.k0e(x) + special.kve(2, x)),
    special.wrightomega: lambda y, x: y / (1.0 + y),
    special.cosm1: lambda y, x: (-1.0, np.sin(x)),
    special.sindg: lambda y, x: (np.pi / 180.0, special.cosdg(x)),
    special.cosdg: lambda y, x: (-np.pi / 180.0, special.sindg(x)),
    special.tandg: lambda y, x: np.pi / 180.0 / np.square(special.cosdg(x)),
    special.cotdg: lambda y, x: -np.pi / 180.0 / np.square(special.sindg(x)),
    special.exp2: lambda y, x: (LN2, y),
    special.exp10: lambda y, x: (LN10, y),
    special.cbrt: lambda y, x: 1.0 / (3.0 * y * y),
    special.spence: _spence_slope,
    special.round: lambda y, x: NO_SLOPE,
    special.gammasgn: lambda y, x: NO_SLOPE,
    **scipy_parameters.UNARY,
}
UNARY: dict[np.ufunc, Unary] = {ufunc: quiet(rule) for ufunc, rule in _UNARY.items()}


@quiet
def _xlogy(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    # 0 log(b) is 0 for every b, so its slope in b is 0, also at b = 0.
    return np.log(b), np.where(np.equal(a, 0), 0.0, np.divide(a, b))


@quiet
def _xlog1py(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    return np.log1p(b), np.where(np.equal(a, 0), 0.0, a / (1.0 + b))


def _log_ratio(a: Any, b: Any) -> Any:
    """Return log(a / b), also where the quotient leaves the range of normal numbers."""
    ratio = np.divide(a, b)
    normal = (ratio > 1e-300) & (ratio < 1e300)
    return np.where(normal, np.log(ratio), np.log(a) - np.log(b))


@quiet
def _beta(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    total = np.add(a, b)
    # A zero of 1/gamma(a + b), where neither gamma(a) nor gamma(b) is infinite.
    zero = np.equal(y, 0) & np.less_equal(total, 0) & np.equal(total, np.rint(total))
    at_zero = special.gamma(a) * special.gamma(b) * _rgamma_slope(0.0, np.where(zero, total, 1.0))
    slopes = (np.where(np.isinf(total), 0.0, y * s) for s in _betaln(y, a, b))
    by_a, by_b = (np.where(zero, at_zero, s) for s in slopes)
    return by_a, by_b


@quiet
def _betaln(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    return _digamma_difference(a, b), _digamma_difference(b, a)


def _digamma_difference(a: Any, b: Any) -> Any:
    """Return psi(a) - psi(a + b), by 5.5.4 where both are infinite."""
    total = np.add(a, b)
    low, high = special.digamma(a), special.digamma(total)
    poles = ~(np.isfinite(low) | np.isfinite(high)) & np.less_equal(total, 0)
    mirrored = special.digamma(np.subtract(1.0, a)) - special.digamma(np.subtract(1.0, total))
    return np.where(poles, mirrored, low - high) if np.any(poles) else low - high


def _poch(y: Any, a: Any, m: Any) -> tuple[Any, Any]:
    whole = special.digamma(a + m)
    return y * (whole - special.digamma(a)), y * whole


def _huber(y: Any, delta: Any, r: Any) -> tuple[Any, Any]:
    size = np.abs(r)
    inside = size <= delta
    return np.where(inside, 0.0, size - delta), np.where(inside, r, delta * np.sign(r))


def _pseudo_huber(y: Any, delta: Any, r: Any) -> tuple[Any, Any]:
    u = np.divide(r, delta)
    root = np.sqrt(1.0 + u * u)
    # d/d delta = (root - 1)^2 / root, with root - 1 = u^2 / (root + 1)
    return delta * np.square(u * u / (root + 1.0)) / root, r / root


BINARY: dict[np.ufunc, Binary] = {
    special.xlogy: _xlogy,
    special.xlog1py: _xlog1py,
    special.rel_entr: quiet(lambda y, a, b: (_log_ratio(a, b) + 1.0, -np.divide(a, b))),
    special.kl_div: quiet(lambda y, a, b: (_log_ratio(a, b), 1.0 - np.divide(a, b))),
    special.beta: _beta,
    special.betaln: _betaln,
    special.poch: quiet(_poch),
    special.huber: quiet(_huber),
    special.pseudo_huber: quiet(_pseudo_huber),
    special.boxcox: quiet(_boxcox_slopes),
    special.gammainc: last_argument(lambda y, a, x: gamma_density(a, x)),
    special.gammaincc: last_argument(lambda y, a, x: -gamma_density(a, x)),
    special.expn: last_argument(lambda y, n, x: -_expn(np.trunc(n) - 1, x)),
    special.jv: last_argument(lambda y, n, x: special.jvp(n, x)),
    special.yv: last_argument(lambda y, n, x: special.yvp(n, x)),
    special.iv: last_argument(lambda y, n, x: special.ivp(n, x)),
    special.kv: last_argument(lambda y, n, x: special.kvp(n, x)),
    special.hyp0f1: last_argument(lambda y, b, x: special.hyp0f1(np.add(b, 1.0), x) / b),
}


def _expn(n: Any, x: Any) -> Any:
    """Return the exponential integral E_n(x), for n = 0 and -1 too (8.19.4 and its derivative)."""
    closed = np.exp(-np.asarray(x)) / x
    closed = np.where(np.equal(n, 0), closed, closed * (1.0 + 1.0 / np.asarray(x)))
    return np.where(np.less(n, 1), closed, special.expn(np.maximum(n, 1), x))
