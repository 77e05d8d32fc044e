"""Special functions with orders and parameters, in mpmath, and where to look at them.

Each entry is ``ufunc: (function, points)``; slopes are differences in fifty digits.
"""

from __future__ import annotations

import mpmath as mp
from scipy import special


def _scaled(f, sign):
    return lambda v, x: f(v, x) * mp.exp(sign * x)


def _beta(a, b, x):
    return mp.betainc(a, b, 0, x, regularized=True)


def _inverse(f, start):
    """Return the inverse of a distribution, by Newton's method in mpmath."""
    return lambda *arguments: mp.findroot(lambda x: f(*arguments[:-1], x) - arguments[-1], start)


def _student(df, t):
    tail = _beta(df / 2, mp.mpf(1) / 2, df / (df + t * t)) / 2
    return 1 - tail if t > 0 else tail


def _gamma(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def _ratio(m, n, x):
    return _beta(m / 2, n / 2, m * x / (m * x + n))


def _voigt(x, sigma, gamma):
    z = (x + 1j * gamma) / (sigma * mp.sqrt(2))
    return (mp.exp(-z * z) * mp.erfc(-1j * z)).real / (sigma * mp.sqrt(2 * mp.pi))


def _owen(h, a):
    return mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a]) / (2 * mp.pi)


def _boxcox(x, k):
    return (x**k - 1) / k


ORDERS = [(0, 0.4), (1, 1.3), (3, 6.5)]
REAL_ORDERS = [(0.0, 0.4), (1.5, 1.3), (3.0, 6.5), (0.3, 30.0)]
SHAPES = [(2.0, 3.0, 0.3), (0.5, 0.5, 0.9), (12.0, 7.5, 0.6)]
DEGREES = [(0, 0.3), (1, -0.4), (2, 1.0), (5, 0.7), (3, -1.0)]
FAMILIES = [(0, 0.7, 0.3), (1, 1.5, -0.4), (4, 0.5, 0.9)]

PARAMETERS = {
    special.kn: (mp.besselk, ORDERS),
    special.yn: (mp.bessely, ORDERS),
    special.jve: (mp.besselj, REAL_ORDERS),
    special.yve: (mp.bessely, REAL_ORDERS),
    special.ive: (_scaled(mp.besseli, -1), REAL_ORDERS),
    special.kve: (_scaled(mp.besselk, 1), REAL_ORDERS),
    special.struve: (mp.struveh, REAL_ORDERS[:3]),
    special.modstruve: (mp.struvel, REAL_ORDERS[:3]),
    special.hyp1f1: (mp.hyp1f1, [(1.0, 2.0, 0.3), (0.5, 1.5, -4.0), (-2.0, 0.7, 1.1)]),
    special.hyperu: (mp.hyperu, [(1.2, 0.4, 0.7), (0.5, 1.5, 4.0)]),
    special.hyp2f1: (mp.hyp2f1, [(1.0, 2.0, 3.0, 0.3), (0.5, 0.5, 1.5, -2.0)]),
    special.betainc: (_beta, SHAPES),
    special.betaincc: (lambda a, b, x: 1 - _beta(a, b, x), SHAPES),
    special.betaincinv: (_inverse(_beta, 0.4), SHAPES[::2]),
    special.betainccinv: (_inverse(lambda a, b, x: 1 - _beta(a, b, x), 0.4), SHAPES[::2]),
    special.gammaincinv: (_inverse(_gamma, 2.0), [(2.0, 0.4), (3.5, 0.7)]),
    special.gammainccinv: (_inverse(lambda a, x: 1 - _gamma(a, x), 2.0), [(2.0, 0.4), (3.5, 0.7)]),
    special.stdtr: (_student, [(3.0, 0.7), (1.0, -2.0), (20.0, 1.5)]),
    special.stdtrit: (_inverse(_student, 0.5), [(3.0, 0.7), (8.0, 0.6)]),
    special.chdtr: (lambda v, x: _gamma(v / 2, x / 2), [(3.0, 0.7), (8.0, 12.0)]),
    special.chdtrc: (lambda v, x: 1 - _gamma(v / 2, x / 2), [(3.0, 0.7), (8.0, 12.0)]),
    special.chdtri: (_inverse(lambda v, x: 1 - _gamma(v / 2, x / 2), 4.0), [(3.0, 0.4)]),
    special.gdtr: (lambda a, b, x: _gamma(b, a * x), [(1.2, 3.0, 0.7)]),
    special.gdtrc: (lambda a, b, x: 1 - _gamma(b, a * x), [(1.2, 3.0, 0.7)]),
    special.fdtr: (_ratio, [(3.0, 4.0, 0.7), (10.0, 2.0, 3.0)]),
    special.fdtrc: (lambda m, n, x: 1 - _ratio(m, n, x), [(3.0, 4.0, 0.7)]),
    special.eval_chebyt: (mp.chebyt, DEGREES),
    special.eval_chebyu: (mp.chebyu, DEGREES),
    special.eval_chebyc: (lambda n, x: 2 * mp.chebyt(n, x / 2), DEGREES),
    special.eval_chebys: (lambda n, x: mp.chebyu(n, x / 2), DEGREES),
    special.eval_legendre: (mp.legendre, DEGREES),
    special.eval_hermite: (mp.hermite, DEGREES),
    special.eval_hermitenorm: (
        lambda n, x: mp.hermite(n, x / mp.sqrt(2)) / mp.mpf(2) ** (mp.mpf(n) / 2), DEGREES),
    special.eval_laguerre: (lambda n, x: mp.laguerre(n, 0, x), DEGREES),
    special.eval_genlaguerre: (mp.laguerre, FAMILIES),
    special.eval_gegenbauer: (mp.gegenbauer, FAMILIES),
    special.eval_jacobi: (mp.jacobi, [(0, 0.7, 0.2, 0.3), (3, 0.5, 1.5, -0.4)]),
    special.powm1: (lambda x, p: x**p - 1, [(0.3, 0.7), (2.0, -3.0)]),
    special.owens_t: (_owen, [(0.4, 0.7), (-1.3, 2.0)]),
    special.ellipkinc: (mp.ellipf, [(0.4, 0.7), (1.2, -0.5)]),
    special.ellipeinc: (lambda phi, m: mp.ellipe(phi, m), [(0.4, 0.7), (1.2, -0.5)]),
    special.voigt_profile: (_voigt, [(0.4, 0.6, 0.7), (-2.0, 1.5, 0.1)]),
    special.boxcox1p: (lambda x, k: _boxcox(1 + x, k), [(0.4, 0.7), (-0.3, -1.5)]),
    special.inv_boxcox: (lambda y, k: (1 + k * y) ** (1 / k), [(0.4, 0.7), (0.3, -1.5)]),
    special.inv_boxcox1p: (lambda y, k: (1 + k * y) ** (1 / k) - 1, [(0.4, 0.7), (0.3, -1.5)]),
    special.ellipk: (mp.ellipk, [(-3.0,), (0.0,), (1e-9,), (0.7,), (0.999,)]),
    special.ellipe: (mp.ellipe, [(-3.0,), (0.0,), (1e-9,), (0.7,), (0.999,)]),
    special.ber: (lambda x: mp.ber(0, x), [(0.4,), (5.0,)]),
    special.bei: (lambda x: mp.bei(0, x), [(0.4,), (5.0,)]),
    special.ker: (lambda x: mp.ker(0, x), [(0.4,), (5.0,)]),
    special.kei: (lambda x: mp.kei(0, x), [(0.4,), (5.0,)]),
}  # fmt: skip

# Functions of SciPy around ufuncs of its own, and ufuncs with several results.
CALLS = {
    "lambertw": (lambda x: special.lambertw(x), lambda x: mp.lambertw(x), [0.3, 5.0, -0.2]),
    "lambertw -1": (lambda x: special.lambertw(x, -1), lambda x: mp.lambertw(x, -1), [-0.3, -0.05]),
    "lambertw complex": (lambda x: special.lambertw(x), lambda x: mp.lambertw(x), [-2.0, -5.0]),
    "zeta": (lambda x: special.zeta(2.5, x), lambda x: mp.zeta(2.5, x), [0.4, 3.0]),
    "hankel1": (lambda x: special.hankel1(1.5, x), lambda x: mp.hankel1(1.5, x), [0.4, 7.0]),
    "hankel2": (lambda x: special.hankel2(1.5, x), lambda x: mp.hankel2(1.5, x), [0.4, 7.0]),
    "hankel1e": (lambda x: special.hankel1e(1.5, x),
        lambda x: mp.hankel1(1.5, x) * mp.exp(-1j * x), [0.4, 7.0]),
    "hankel2e": (lambda x: special.hankel2e(1.5, x),
        lambda x: mp.hankel2(1.5, x) * mp.exp(1j * x), [0.4, 7.0]),
    "airy Ai": (lambda x: special.airy(x)[0], mp.airyai, [-3.0, 0.0, 2.0]),
    "airy Ai'": (lambda x: special.airy(x)[1], lambda x: mp.airyai(x, 1), [-3.0, 0.1, 2.0]),
    "airy Bi": (lambda x: special.airy(x)[2], mp.airybi, [-3.0, 0.0, 2.0]),
    "airy Bi'": (lambda x: special.airy(x)[3], lambda x: mp.airybi(x, 1), [-3.0, 0.1, 2.0]),
    "fresnel S": (lambda x: special.fresnel(x)[0], mp.fresnels, [-0.7, 0.0, 3.0]),
    "fresnel C": (lambda x: special.fresnel(x)[1], mp.fresnelc, [-0.7, 0.0, 3.0]),
    "sici Si": (lambda x: special.sici(x)[0], mp.si, [-0.7, 0.0, 3.0]),
    "sici Ci": (lambda x: special.sici(x)[1], mp.ci, [0.7, 3.0]),
    "shichi Shi": (lambda x: special.shichi(x)[0], mp.shi, [-0.7, 0.0, 3.0]),
    "shichi Chi": (lambda x: special.shichi(x)[1], mp.chi, [0.7, 3.0]),
    "polygamma by zeta": (lambda x: special.zeta(2, x), lambda x: mp.polygamma(1, x), [0.3, 4.0]),
}  # fmt: skip
