"""What every rule is checked against: the function in mpmath, and where to look at it.

Each entry is ``ufunc: (function, points)``. The slope is mpmath's, of the function at exactly
these doubles, so that an error is an error of the rule. Points go near zeros, poles, branch
points, and as far as the value or the slope is representable.
"""

from __future__ import annotations

import operator

import mpmath as mp
import numpy as np
from scipy import special

LINE = [
    -1e3,
    -40.0,
    -5.0,
    -1.3,
    -0.5,
    -1e-3,
    -1e-9,
    0.0,
    1e-30,
    1e-9,
    1e-3,
    0.3,
    0.75,
    2.0,
    5.5,
    30.0,
    900.0,
]
MIDDLE = [x for x in LINE if abs(x) <= 5.5]
NEAR = [x for x in LINE if abs(x) <= 40.0]
POSITIVE = [1e-90, 1e-12, 1e-3, 0.2, 0.5, 0.999, 1.0, 1.5, 3.7, 10.0, 60.0, 1e6, 1e90]
MODERATE = [x for x in POSITIVE if 1e-12 <= x <= 60.0]
BESSEL = [0.3, 6.0]
UNIT = [-1 + 1e-15, -0.999, -0.5, -1e-9, 0.0, 1e-300, 0.3, 0.9, 1 - 1e-15]
KINKS_LEFT_OUT = [-2.7, -1e-3, 1e-9, 0.2, 1.4, 80.3]


def _degrees(f):
    return lambda x: f(x * mp.pi / 180)


def _real_root(x):
    return mp.sign(x) * mp.cbrt(abs(x))


def _below(f, largest):
    return [x for x in LINE if x < largest]


def _log_ndtr(x):
    with mp.extradps(30 + int(abs(x) ** 2 / 4)):
        return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def _erfcx(x):
    with mp.extradps(30):  # both factors have all digits, and their product too
        return mp.exp(x * x) * mp.erfc(x)


def _dawson(x):
    with mp.extradps(30):  # both factors have all digits, and their product too
        return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


def _exprel(x):
    return (
        mp.mpf(1) + x / 2 + x**2 / 6 + x**3 / 24 if abs(x) < mp.mpf(10) ** -20 else mp.expm1(x) / x
    )


def _real(z):
    return z.real if isinstance(z, mp.mpc) else z  # mp.re would round


def derivatives(f, point, orders):
    """Partial derivatives of f at doubles, by differences in as many digits as they need."""
    sizes = [abs(mp.log10(abs(mp.mpf(x)))) for x in point if x != 0]
    with mp.workdps(30 + int(3 * max(sizes, default=0))):
        exact = tuple(mp.mpf(x) for x in point)
        return [mp.diff(lambda *z: _real(f(*z)), exact if len(exact) > 1 else exact[0],
                        order if len(exact) > 1 else order[0], relative=all(point))
                for order in orders]  # fmt: skip


UNARY = {
    np.positive: (lambda x: x, LINE),
    np.negative: (lambda x: -x, LINE),
    np.absolute: (abs, KINKS_LEFT_OUT),
    np.fabs: (abs, KINKS_LEFT_OUT),
    np.conjugate: (lambda x: x, LINE),
    np.square: (lambda x: x * x, LINE),
    np.sqrt: (mp.sqrt, POSITIVE),
    np.cbrt: (_real_root, [-1e100, -0.01, *POSITIVE[1:]]),
    np.reciprocal: (lambda x: 1 / x, [-1e100, -3.0, -1e-100, 1e-100, 0.4, 1e100]),
    np.exp: (mp.exp, _below(mp.exp, 700)),
    np.exp2: (lambda x: mp.mpf(2) ** x, _below(mp.exp, 700)),
    np.expm1: (mp.expm1, _below(mp.exp, 700)),
    np.log: (mp.log, POSITIVE),
    np.log2: (lambda x: mp.log(x) / mp.log(2), POSITIVE),
    np.log10: (mp.log10, POSITIVE),
    np.log1p: (mp.log1p, [-1 + 1e-15, -0.5, -1e-20, 0.0, 1e-300, 1e-9, 3.0, 1e100]),
    np.sin: (mp.sin, [*LINE, 1e6]),
    np.cos: (mp.cos, [*LINE, 1e6]),
    np.tan: (mp.tan, [*LINE, 1.5707963]),
    np.arcsin: (mp.asin, UNIT),
    np.arccos: (mp.acos, UNIT),
    np.arctan: (mp.atan, [*LINE, -1e100, 1e150, 1e200]),
    np.sinh: (mp.sinh, [x for x in LINE if abs(x) < 700]),
    np.cosh: (mp.cosh, [x for x in LINE if abs(x) < 700]),
    np.tanh: (mp.tanh, [*[x for x in NEAR if x > -40], 18.0, -20.0]),
    np.arcsinh: (mp.asinh, [*LINE, 1e200]),
    np.arccosh: (mp.acosh, [1 + 1e-15, 1.0001, 1.5, 30.0, 1e8]),
    np.arctanh: (mp.atanh, UNIT),
    np.deg2rad: (mp.radians, LINE),
    np.radians: (mp.radians, LINE),
    np.rad2deg: (mp.degrees, LINE),
    np.degrees: (mp.degrees, LINE),
    np.sign: (lambda x: mp.sign(x), KINKS_LEFT_OUT),
    np.floor: (mp.floor, KINKS_LEFT_OUT),
    np.ceil: (mp.ceil, KINKS_LEFT_OUT),
    np.rint: (mp.nint, KINKS_LEFT_OUT),
    np.trunc: (lambda x: mp.sign(x) * mp.floor(abs(x)), KINKS_LEFT_OUT),
    np.spacing: (lambda x: mp.mpf(1), KINKS_LEFT_OUT),
    special.round: (mp.nint, KINKS_LEFT_OUT),
    special.gammasgn: (lambda x: mp.sign(mp.gamma(x)), KINKS_LEFT_OUT),
    special.expit: (lambda x: 1 / (1 + mp.exp(-x)), [x for x in LINE if abs(x) < 700]),
    special.log_expit: (lambda x: -mp.log1p(mp.exp(-x)), [x for x in LINE if abs(x) < 700]),
    special.logit: (lambda x: mp.log(x / (1 - x)), [1e-300, 1e-9, 0.3, 0.5, 0.9, 1 - 1e-12]),
    special.erf: (mp.erf, [x for x in LINE if abs(x) < 26]),
    special.erfc: (mp.erfc, [x for x in LINE if abs(x) < 26]),
    special.erfi: (mp.erfi, MIDDLE),
    special.erfcx: (_erfcx, [-5.0, -0.3, 0.0, 1e-9, 0.5, 1.9, 2.1, 4.0, 12.0, 30.0, 55.0]),
    special.erfinv: (mp.erfinv, [-1 + 1e-12, -0.9, -1e-9, 0.0, 1e-300, 0.4, 1 - 1e-12]),
    special.erfcinv: (lambda x: mp.erfinv(1 - mp.mpf(x)), [1e-3, 0.2, 1.0, 1.5, 2 - 1e-9]),
    special.ndtr: (mp.ncdf, NEAR[1:-1]),
    special.ndtri: (lambda x: mp.sqrt(2) * mp.erfinv(2 * mp.mpf(x) - 1), [1e-6, 0.1, 0.5, 0.99]),
    special.log_ndtr: (_log_ndtr, [-30.0, -5.0, -1.0, 0.0, 1e-9, 0.7, 5.0]),
    special.dawsn: (_dawson, [-8.0, -0.9, 0.0, 1e-9, 0.5, 2.0, 5.0, 6.9, 7.1, 11.0, 20.0]),
    special.gamma: (mp.gamma, [-2.5, -0.5, 1e-9, 0.5, 1.0, 1.4616, 2.0, 30.5, 160.0]),
    special.gammaln: (lambda x: mp.log(abs(mp.gamma(x))), [-1.5, 1e-9, 0.5, 1.0, 2.0, 7.3, 1e3]),
    special.loggamma: (mp.loggamma, [1e-9, 0.5, 1.0, 2.0, 7.3, 1e3]),
    special.rgamma: (mp.rgamma, [-4.0, -3.0, -1.0, -0.5, 0.0, 1e-9, 0.5, 3.0, 20.0]),
    special.psi: (mp.digamma, [-1.4, 1e-9, 0.3, 1.0, 1.4616, 8.0, 1e4]),
    special.entr: (lambda x: -x * mp.log(x), POSITIVE),
    special.exprel: (_exprel, [x for x in LINE if abs(x) < 700]),
    special.expm1: (mp.expm1, _below(mp.exp, 700)),
    special.log1p: (mp.log1p, [-0.5, -1e-20, 0.0, 1e-300, 1e-9, 3.0, 1e100]),
    special.exp1: (mp.e1, MODERATE),
    special.expi: (mp.ei, [-5.0, -1e-6, *MODERATE]),
    special.j0: (mp.j0, NEAR),
    special.j1: (mp.j1, NEAR),
    special.y0: (lambda x: mp.bessely(0, x), BESSEL),
    special.y1: (lambda x: mp.bessely(1, x), BESSEL),
    special.i0: (lambda x: mp.besseli(0, x), NEAR),
    special.i1: (lambda x: mp.besseli(1, x), NEAR),
    special.i0e: (lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), [-5.0, -0.3, 1e-3, 0.7, 8.0, 40.0]),
    special.i1e: (lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), [-5.0, -0.3, 1e-3, 0.7, 8.0, 40.0]),
    special.k0: (lambda x: mp.besselk(0, x), BESSEL),
    special.k1: (lambda x: mp.besselk(1, x), BESSEL),
    special.k0e: (lambda x: mp.besselk(0, x) * mp.exp(x), BESSEL),
    special.k1e: (lambda x: mp.besselk(1, x) * mp.exp(x), BESSEL),
    special.wrightomega: (lambda x: mp.lambertw(mp.exp(x)), NEAR),
    special.cosm1: (lambda x: mp.cos(x) - 1, NEAR),
    special.sindg: (_degrees(mp.sin), NEAR),
    special.cosdg: (_degrees(mp.cos), NEAR),
    special.tandg: (_degrees(mp.tan), NEAR),
    special.cotdg: (_degrees(mp.cot), [-40.0, -1.3, 1e-3, 0.3, 30.0]),
    special.exp2: (lambda x: mp.mpf(2) ** x, _below(mp.exp, 700)),
    special.exp10: (lambda x: mp.mpf(10) ** x, MIDDLE),
    special.cbrt: (_real_root, [-1e100, -0.01, *POSITIVE[1:]]),
    special.spence: (lambda x: mp.polylog(2, 1 - x), [1e-20, 1e-3, 0.3, 0.7, 1 - 1e-9, 1.2, 1.9]),
}

PLANE = [(-2.5, 0.7), (1e-9, 3.0), (0.3, -40.0), (5.5, 5.4), (-1e3, 2e3), (1e-150, 1e150)]
QUADRANT = [(1e-9, 0.3), (0.5, 0.5), (2.0, 7.0), (30.0, 1e-3), (0.7, 40.0)]
BINARY = {
    np.add: (lambda a, b: a + b, PLANE),
    np.subtract: (lambda a, b: a - b, PLANE),
    np.multiply: (lambda a, b: a * b, PLANE),
    np.divide: (lambda a, b: a / b, [*PLANE[:-1], (0.0, 2.0)]),
    np.power: (lambda a, b: a**b, [*QUADRANT, (1.5, -3.3), (1e-30, 2.5), (1.0, 700.0)]),
    np.float_power: (lambda a, b: a**b, QUADRANT),
    operator.pow: (lambda a, b: a**b, QUADRANT),
    np.floor_divide: (lambda a, b: mp.floor(a / b), [(2.3, 0.7), (-2.3, 0.7), (5.0, -1.9)]),
    np.remainder: (lambda a, b: a - b * mp.floor(a / b), [(2.3, 0.7), (-2.3, 0.7), (5.0, -1.9)]),
    np.fmod: (lambda a, b: mp.fmod(a, b) if a > 0 else -mp.fmod(-a, b),
              [(2.3, 0.7), (-2.3, 0.7), (0.8999999999999999, 0.3), (1e15, 0.7)]),
    np.maximum: (max, [(1.0, 2.0), (-1.0, -2.0), (1e-300, 0.0)]),
    np.minimum: (min, [(1.0, 2.0), (-1.0, -2.0), (1e-300, 0.0)]),
    np.fmax: (max, [(1.0, 2.0), (-1.0, -2.0)]),
    np.fmin: (min, [(1.0, 2.0), (-1.0, -2.0)]),
    np.hypot: (mp.hypot, [(3.0, -4.0), (1e-300, 2e-300), (1e300, -1e300), (0.0, 2.0),
        (1.0, 1e-20)]),
    np.arctan2: (mp.atan2, [(3.0, -4.0), (1e-9, 1.0), (1e200, -1e200), (1e-200, 2e-200),
        (0.0, 2.0)]),
    np.logaddexp: (lambda a, b: a + mp.log1p(mp.exp(b - a)),
        [(1.0, 2.0), (-800.0, -801.0), (900.0, 901.5), (0.0, -40.0)]),
    np.logaddexp2: (lambda a, b: a + mp.log1p(mp.mpf(2) ** (b - a)) / mp.log(2),
        [(1.0, 2.0), (-800.0, -801.0), (900.0, 901.5)]),
    np.copysign: (lambda a, b: abs(a) * mp.sign(b), [(1.0, -2.0), (-1.5, -2.0), (3.0, 0.1)]),
    np.heaviside: (lambda a, b: mp.mpf(a > 0), [(1.0, 2.0), (-1.0, 2.0)]),
    np.nextafter: (lambda a, b: a, [(1.0, 2.0), (-1.0, 2.0)]),
    special.xlogy: (lambda a, b: a * mp.log(b), [*QUADRANT, (0.0, 2.0)]),
    special.xlog1py: (lambda a, b: a * mp.log1p(b), [*QUADRANT, (0.0, -0.5), (2.0, 1e-20)]),
    special.rel_entr: (lambda a, b: a * mp.log(a / b), QUADRANT),
    special.kl_div: (lambda a, b: a * mp.log(a / b) - a + b, QUADRANT),
    special.beta: (mp.beta, QUADRANT[1:3]),
    special.betaln: (lambda a, b: mp.log(mp.beta(a, b)), QUADRANT[1:3]),
    special.poch: (mp.rf, [(0.5, 1.2), (3.0, 2.0), (7.5, 0.4)]),
    special.huber: (lambda d, r: r * r / 2 if abs(r) <= d else d * (abs(r) - d / 2),
        [(1.0, 0.4), (1.0, -3.0), (0.5, 2.0)]),
    special.pseudo_huber: (lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1),
        [(1.0, 0.4), (1.0, -300.0), (2.0, 1e-6)]),
    special.boxcox: (lambda x, k: (x**k - 1) / k, [(0.3, 0.5), (2.0, -1.0), (7.0, 1e-3)]),
    special.gammainc: (lambda a, x: mp.gammainc(a, 0, x, regularized=True),
        [(0.5, 0.3), (2.0, 7.0), (30.0, 25.0), (3.0, 1e-3)]),
    special.gammaincc: (lambda a, x: mp.gammainc(a, x, regularized=True),
        [(0.5, 0.3), (2.0, 7.0), (30.0, 25.0), (3.0, 1e-3)]),
    special.expn: (mp.expint, [(1.0, 0.4), (2.0, 1e-3), (3.0, 5.0)]),
    special.jv: (mp.besselj, [(0.0, 2.0), (1.5, 7.0), (3.0, 0.1), (-0.5, 2.0)]),
    special.yv: (mp.bessely, [(0.0, 2.0), (1.5, 7.0), (3.0, 0.5)]),
    special.iv: (mp.besseli, [(0.0, 2.0), (1.5, 7.0), (3.0, 0.1)]),
    special.kv: (mp.besselk, [(0.0, 2.0), (1.5, 7.0), (3.0, 0.5)]),
    special.hyp0f1: (lambda b, x: mp.hyp0f1(b, x), [(1.5, 2.0), (0.5, -7.0)]),
}  # fmt: skip

# Where a slope is infinite, one-sided or chosen: (ufunc, arguments, slopes).
AWKWARD = [
    (np.absolute, (0.0,), (0.0,)),
    (np.sqrt, (0.0,), (np.inf,)),
    (np.cbrt, (0.0,), (np.inf,)),
    (np.log, (0.0,), (np.inf,)),
    (np.log1p, (-1.0,), (np.inf,)),
    (np.arcsin, (1.0,), (np.inf,)),
    (np.arccos, (-1.0,), (-np.inf,)),
    (np.arccosh, (1.0,), (np.inf,)),
    (np.arctanh, (1.0,), (np.inf,)),
    (np.tanh, (800.0,), (0.0,)),
    (np.exp, (-800.0,), (0.0,)),
    (np.exp, (-np.inf,), (0.0,)),
    (np.arctan, (np.inf,), (0.0,)),
    (np.sign, (0.0,), (0.0,)),
    (np.maximum, (1.0, 1.0), (1.0, 0.0)),
    (np.minimum, (1.0, 1.0), (1.0, 0.0)),
    (np.fmax, (np.nan, 2.0), (0.0, 1.0)),
    (np.fmin, (2.0, np.nan), (1.0, 0.0)),
    (np.hypot, (0.0, 0.0), (0.0, 0.0)),
    (np.power, (0.0, 0.0), (0.0, 0.0)),
    (np.power, (0.0, 1.0), (1.0, 0.0)),
    (np.power, (0.0, 2.0), (0.0, 0.0)),
    (np.power, (0.0, 2.5), (0.0, 0.0)),
    (np.power, (0.0, 0.5), (np.inf, 0.0)),
    (np.logaddexp, (-np.inf, -np.inf), (0.5, 0.5)),
    (np.logaddexp, (-np.inf, 3.0), (0.0, 1.0)),
    (np.logaddexp, (np.inf, 3.0), (1.0, 0.0)),
    (np.heaviside, (0.0, 0.5), (0.0, 1.0)),
    (special.xlogy, (0.0, 0.0), (-np.inf, 0.0)),
    (special.xlog1py, (0.0, -1.0), (-np.inf, 0.0)),
    (special.entr, (0.0,), (np.inf,)),
    (special.spence, (1.0,), (-1.0,)),
    (special.spence, (0.0,), (-np.inf,)),
    (special.exprel, (0.0,), (0.5,)),
    (special.log_ndtr, (60.0,), (0.0,)),
    (special.huber, (1.0, 1.0), (0.0, 1.0)),
]  # fmt: skip

# Rules that lose more than a few units in the last place, and why.
ULPS = {
    special.erfcx: 300, special.dawsn: 200,  # 2 x^2 below the switch to a series
    special.gamma: 100, special.rgamma: 100, special.poch: 100, special.beta: 100,
    special.gammainc: 200, special.gammaincc: 200,  # gammaln in an exponent
    special.j0: 60, special.j1: 60, special.y0: 60, special.y1: 60, special.jv: 200,
    special.yv: 200, special.iv: 60, special.kv: 60, special.k0: 40, special.k1: 40,
    special.k0e: 200, special.k1e: 200, special.i0e: 100, special.i1e: 200,  # differences
    special.ndtri: 40, special.erfinv: 100, special.erfcinv: 40, special.tandg: 40,
    special.cotdg: 40, special.spence: 20, special.psi: 40, special.log_ndtr: 40,
    special.expi: 40, special.exp1: 40, special.expn: 100,
}  # fmt: skip
