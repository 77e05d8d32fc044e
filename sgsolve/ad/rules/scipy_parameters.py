"""Derivative rules of special functions with orders and parameters, by their last argument.

The form of `numpy_ufuncs`, for ufuncs of any number of arguments: a rule gets the value y and all
arguments, and returns one partial derivative for each, None where there is none. Equation numbers
are those of the NIST Digital Library of Mathematical Functions (dlmf.nist.gov).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ...private_api import LAMBERTW_UFUNC, ZETA_UFUNC
from .quiet import quiet

ROOT_PI = float(np.sqrt(np.pi))
Rule = Callable[..., tuple[Any, ...]]


def last_argument(slope: Callable[..., Any]) -> Any:
    """Make the rule of a function that is differentiable in its last argument only."""
    return quiet(lambda y, *arguments: (*(None,) * (len(arguments) - 1), slope(y, *arguments)))


def _real(slope: Callable[..., Any]) -> Any:
    """Raise for complex arguments of a function that is not complex differentiable."""

    def checked(y: Any, *arguments: Any) -> Any:
        if any(np.iscomplexobj(a) for a in arguments):
            raise TypeError("the function has no complex derivative")
        return slope(y, *arguments)

    return checked


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """Return x^(a-1) (1-x)^(b-1) / B(a, b) (8.17.1)."""
    powers = special.xlogy(np.subtract(a, 1.0), x) + special.xlog1py(
        np.subtract(b, 1.0), np.negative(x)
    )
    return np.exp(powers - special.betaln(a, b))


def gamma_density(a: Any, x: Any) -> Any:
    """Return x^(a-1) exp(-x) / gamma(a) (8.8.13 and 8.4.4), without overflow."""
    return np.exp(special.xlogy(np.subtract(a, 1.0), x) - x - special.gammaln(a))


def _gamma_slope(a: Any, b: Any, x: Any) -> Any:
    """Return the slope in x of the gamma distribution with rate a and shape b."""
    return np.where(np.equal(a, 0), 0.0, a * gamma_density(b, np.multiply(a, x)))


def _student_density(df: Any, t: Any) -> Any:
    df = np.asarray(df, dtype=float)
    power = 0.5 * (df + 1.0) * np.log1p(np.square(t) / df)
    return np.exp(-power - special.betaln(0.5 * df, 0.5) - 0.5 * np.log(df))


def _ratio_density(m: Any, n: Any, x: Any) -> Any:
    """Return the density of Snedecor's F distribution."""
    m, n = np.asarray(m, dtype=float), np.asarray(n, dtype=float)
    whole = m * x + n
    return _beta_density(0.5 * m, 0.5 * n, m * x / whole) * (m / whole) * (n / whole)


def _struve_term(v: Any, x: Any) -> Any:
    """Return (x/2)^v / (sqrt(pi) gamma(v + 3/2)) (11.4.23)."""
    half = np.asarray(0.5 * np.asarray(x))
    return np.power(half, v) * special.rgamma(np.add(v, 1.5)) / ROOT_PI


def _neighbors(f: Any, sign: float) -> Callable[[Any, Any], Any]:
    """Return half the sum or difference of a cylinder function of the orders v - 1 and v + 1."""
    return lambda v, x: 0.5 * (f(np.subtract(v, 1), x) + sign * f(np.add(v, 1), x))


def _lower(f: Any, n: Any, *arguments: Any) -> Any:
    """Return a polynomial of degree n - 1; zero for n = 0.

    The recurrences that SciPy has for integers do not overflow, as its functions of real n do.
    """
    degree = np.subtract(n, 1.0)
    whole = np.equal(degree, np.rint(degree)) & np.less(np.abs(degree), 1e6)
    lower = f(np.asarray(np.where(whole, degree, 0.0)).astype(np.int64), *arguments)
    if not np.all(whole):
        lower = np.where(whole, lower, f(degree, *arguments))
    return np.where(np.equal(n, 0), 0.0, lower)


def _of_degree(slope: Callable[..., Any], factor: Callable[..., Any], *parts: Any) -> Any:
    """Return the slope of a polynomial; for a degree n < 0 that of the function it is then.

    The function is ``factor(n, ...)`` times 2F1(-n, q; c; (1 - x)/2), or 1F1(-n; c; x) without q,
    from 18.5(iii) as SciPy has it; ``parts`` are the functions of n and parameters for q and c.
    """
    *q, c = parts

    def of_degree(y: Any, n: Any, *arguments: Any) -> Any:
        plain = slope(y, n, *arguments)
        if not np.any(np.less(n, 0)):
            return plain
        *parameters, x = arguments
        ours: Any = factor(n, *parameters) * np.negative(n) / c(n, *parameters)
        below = np.subtract(1.0, n), c(n, *parameters) + 1.0
        if q:
            upper = q[0](n, *parameters)
            z = 0.5 * np.subtract(1.0, x)
            series = special.hyp2f1(below[0], upper + 1.0, below[1], z)
            ours = np.where(np.equal(upper, 0), 0.0, -0.5 * ours * upper * series)
        else:
            ours = ours * special.hyp1f1(*below, x)
        return np.where(np.less(n, 0), ours, plain)

    return of_degree


def _of_half(rule: Any, scale: float) -> Any:
    """Return the slope of ``scale * f(n, x/2)`` from that of f."""
    return lambda y, n, x: 0.5 * scale * rule(y / scale, n, 0.5 * np.asarray(x))


_J, _Y, _H1, _H2 = (
    _neighbors(f, -1.0) for f in (special.jve, special.yve, special.hankel1, special.hankel2)
)
_H1E, _H2E = (_neighbors(f, -1.0) for f in (special.hankel1e, special.hankel2e))
_I, _K = (_neighbors(f, 1.0) for f in (special.ive, special.kve))

CYLINDER: dict[Any, Any] = {  # 10.6.1, 10.29.1
    special.kn: lambda y, n, x: special.kvp(np.trunc(n), x),
    special.yn: lambda y, n, x: special.yvp(np.trunc(n), x),
    special.jve: _real(lambda y, v, x: _J(v, x)),
    special.yve: _real(lambda y, v, x: _Y(v, x)),
    special.ive: _real(lambda y, v, x: _I(v, x) - np.sign(x) * y),
    special.kve: lambda y, v, x: y - _K(v, x),
    special.hankel1: lambda y, v, x: _H1(v, x),
    special.hankel2: lambda y, v, x: _H2(v, x),
    special.hankel1e: lambda y, v, x: _H1E(v, x) - 1j * y,
    special.hankel2e: lambda y, v, x: _H2E(v, x) + 1j * y,
    special.struve: lambda y, v, x: (
        _neighbors(special.struve, -1.0)(v, x) + 0.5 * _struve_term(v, x)
    ),
    special.modstruve: lambda y, v, x: (
        _neighbors(special.modstruve, 1.0)(v, x) + 0.5 * _struve_term(v, x)
    ),
}
HYPERGEOMETRIC: dict[Any, Any] = {  # 13.3.15, 13.3.22, 15.5.1
    special.hyp1f1: lambda y, a, b, x: (
        np.divide(a, b) * special.hyp1f1(np.add(a, 1.0), np.add(b, 1.0), x)
    ),
    special.hyperu: lambda y, a, b, x: (
        np.negative(a) * special.hyperu(np.add(a, 1.0), np.add(b, 1.0), x)
    ),
    special.hyp2f1: lambda y, a, b, c, x: (
        np.multiply(a, np.divide(b, c))
        * special.hyp2f1(np.add(a, 1.0), np.add(b, 1.0), np.add(c, 1.0), x)
    ),
}
DISTRIBUTIONS: dict[Any, Any] = {
    special.betainc: lambda y, a, b, x: _beta_density(a, b, x),
    special.betaincc: lambda y, a, b, x: -_beta_density(a, b, x),
    special.betaincinv: lambda y, a, b, p: 1.0 / _beta_density(a, b, y),
    special.betainccinv: lambda y, a, b, p: -1.0 / _beta_density(a, b, y),
    special.gammaincinv: lambda y, a, p: 1.0 / gamma_density(a, y),
    special.gammainccinv: lambda y, a, p: -1.0 / gamma_density(a, y),
    special.stdtr: lambda y, df, t: _student_density(df, t),
    special.stdtrit: lambda y, df, p: 1.0 / _student_density(df, y),
    special.chdtr: lambda y, v, x: 0.5 * gamma_density(0.5 * np.asarray(v), 0.5 * x),
    special.chdtrc: lambda y, v, x: -0.5 * gamma_density(0.5 * np.asarray(v), 0.5 * x),
    special.chdtri: lambda y, v, p: -2.0 / gamma_density(0.5 * np.asarray(v), 0.5 * y),
    special.gdtr: lambda y, a, b, x: _gamma_slope(a, b, x),
    special.gdtrc: lambda y, a, b, x: -_gamma_slope(a, b, x),
    special.fdtr: lambda y, m, n, x: _ratio_density(m, n, x),
    special.fdtrc: lambda y, m, n, x: -_ratio_density(m, n, x),
}
_T = _of_degree(
    lambda y, n, x: n * _lower(special.eval_chebyu, n, x),
    lambda n: 1.0, lambda n: n, lambda n: 0.5,
)  # fmt: skip
_U = _of_degree(
    lambda y, n, x: 2.0 * _lower(special.eval_gegenbauer, n, 2.0, x),
    lambda n: np.add(n, 1.0), lambda n: np.add(n, 2.0), lambda n: 1.5,
)  # fmt: skip
POLYNOMIALS: dict[Any, Any] = {  # table 18.6.1, 18.9.15, 18.9.19 to 18.9.28
    special.eval_chebyt: _T,
    special.eval_chebyu: _U,
    special.eval_chebyc: _of_half(_T, 2.0),
    special.eval_chebys: _of_half(_U, 1.0),
    special.eval_legendre: _of_degree(
        lambda y, n, x: _lower(special.eval_gegenbauer, n, 1.5, x),
        lambda n: 1.0, lambda n: np.add(n, 1.0), lambda n: 1.0,
    ),
    special.eval_hermite: lambda y, n, x: (
        2.0 * n * special.eval_hermite(np.maximum(np.subtract(n, 1), 0), x)
    ),
    special.eval_hermitenorm: lambda y, n, x: (
        n * special.eval_hermitenorm(np.maximum(np.subtract(n, 1), 0), x)
    ),
    special.eval_laguerre: _of_degree(
        lambda y, n, x: -_lower(special.eval_genlaguerre, n, 1.0, x),
        lambda n: 1.0, lambda n: 1.0,
    ),
    special.eval_genlaguerre: _of_degree(
        lambda y, n, a, x: -_lower(special.eval_genlaguerre, n, np.add(a, 1.0), x),
        lambda n, a: special.binom(np.add(n, a), n), lambda n, a: np.add(a, 1.0),
    ),
    special.eval_gegenbauer: _of_degree(
        lambda y, n, a, x: np.where(  # SciPy's function vanishes at a = 0 for n > 0
            np.equal(a, 0.0),
            0.0,
            np.multiply(2.0, a) * _lower(special.eval_gegenbauer, n, np.add(a, 1.0), x),
        ),
        lambda n, a: special.poch(np.multiply(2.0, a), n) * special.rgamma(np.add(n, 1.0)),
        lambda n, a: n + np.multiply(2.0, a), lambda n, a: np.add(a, 0.5),
    ),
    special.eval_jacobi: _of_degree(
        lambda y, n, a, b, x: (
            0.5
            * (np.add(n, a) + b + 1.0)
            * _lower(special.eval_jacobi, n, np.add(a, 1.0), np.add(b, 1.0), x)
        ),
        lambda n, a, b: special.binom(np.add(n, a), n),
        lambda n, a, b: np.add(n, a) + b + 1.0, lambda n, a, b: np.add(a, 1.0),
    ),
}  # fmt: skip


def _powm1(y: Any, x: Any, p: Any) -> tuple[Any, Any]:
    zero = np.equal(x, 0)
    power = np.where(zero, 0.0, (y + 1.0) * np.log(np.where(zero, 1.0, x)))
    return p * np.power(x, np.subtract(p, 1.0)), power


def _owens_t(y: Any, h: Any, a: Any) -> tuple[Any, Any]:
    q = 1.0 + np.square(a)
    by_h = np.exp(-0.5 * np.square(h)) * special.erf(np.sqrt(0.5) * np.multiply(a, h))
    by_a = np.exp(-0.5 * np.square(h) * q) / (2.0 * np.pi * q)
    return -by_h / np.sqrt(8.0 * np.pi), by_a


def _ellipkinc(y: Any, phi: Any, m: Any) -> tuple[Any, Any]:
    return 1.0 / np.sqrt(1.0 - m * np.square(np.sin(phi))), None  # 19.2.4


def _ellipeinc(y: Any, phi: Any, m: Any) -> tuple[Any, Any]:
    return np.sqrt(1.0 - m * np.square(np.sin(phi))), None  # 19.2.5


def _voigt(y: Any, x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any, Any]:
    """Return the slopes of Re w(z) / (sigma sqrt(2 pi)), z = (x + i gamma) / (sigma sqrt(2))."""
    width = np.sqrt(2.0) * np.asarray(sigma, dtype=float)
    z = (x + 1j * np.asarray(gamma)) / width
    w = special.wofz(z)
    slope = 2j / ROOT_PI - 2.0 * z * w  # 7.10.2
    by_sigma = -(w + z * slope).real / (np.asarray(sigma) * width * ROOT_PI)
    area = width * width * ROOT_PI
    narrow = np.equal(sigma, 0)  # Lorentz's curve
    square = np.square(1.0 / (x + 1j * np.asarray(gamma))) / np.pi
    return (
        np.where(narrow, square.imag, slope.real / area),
        np.where(narrow, 0.0, by_sigma),
        np.where(narrow, square.real, -slope.imag / area),
    )


FUNCTIONS: dict[Any, Rule] = {
    **{
        ufunc: last_argument(slope)
        for table in (CYLINDER, HYPERGEOMETRIC, DISTRIBUTIONS, POLYNOMIALS)
        for ufunc, slope in table.items()
    },
    special.powm1: quiet(_powm1),
    special.owens_t: quiet(_owens_t),
    special.ellipkinc: quiet(_ellipkinc),
    special.ellipeinc: quiet(_ellipeinc),
    special.voigt_profile: quiet(_voigt),
    special.boxcox1p: quiet(lambda y, x, k: (np.power(1.0 + x, np.subtract(k, 1.0)), None)),
    special.inv_boxcox: quiet(lambda y, x, k: (np.power(y, np.subtract(1.0, k)), None)),
    special.inv_boxcox1p: quiet(lambda y, x, k: (np.power(1.0 + y, np.subtract(1.0, k)), None)),
}

# SciPy's functions lambertw and zeta hand their arguments to ufuncs of their own.
BY_NAME: dict[str, Rule] = {
    LAMBERTW_UFUNC: quiet(lambda y, z, k, tol: (np.exp(-y) / (1.0 + y), None, None)),  # 4.13.4
    ZETA_UFUNC: last_argument(
        lambda y, s, a: np.negative(s) * special.zeta(np.add(s, 1.0), a)
    ),  # 25.11.17
}


def _airy(y: Any, x: Any) -> list[Any]:
    return [y[1], x * y[0], y[3], x * y[2]]  # 9.2.1


def _fresnel(y: Any, x: Any) -> list[Any]:
    return [np.sin(0.5 * np.pi * x * x), np.cos(0.5 * np.pi * x * x)]  # 7.2.7, 7.2.8


def _integrals(sine: Any, cosine: Any) -> Any:
    def slopes(y: Any, x: Any) -> list[Any]:
        quotient = np.where(np.equal(x, 0), 1.0, sine(x) / x)
        return [quotient, cosine(x) / x]

    return slopes


# One argument, several results.
SEVERAL: dict[Any, Callable[[Any, Any], list[Any]]] = {
    special.airy: quiet(_airy),
    special.fresnel: quiet(_fresnel),
    special.sici: quiet(_integrals(np.sin, np.cos)),  # 6.2.9, 6.2.11
    special.shichi: quiet(_integrals(np.sinh, np.cosh)),  # 6.2.15, 6.2.16
}


def _ellipk(y: Any, m: Any) -> Any:
    return np.pi / 8.0 * special.hyp2f1(1.5, 1.5, 2.0, m)  # 19.5.1 and 15.5.1


def _ellipe(y: Any, m: Any) -> Any:
    return -np.pi / 8.0 * special.hyp2f1(0.5, 1.5, 2.0, m)  # 19.5.2 and 15.5.1


UNARY: dict[Any, Callable[[Any, Any], Any]] = {
    special.ellipk: quiet(_ellipk),
    special.ellipe: quiet(_ellipe),
    special.ber: lambda y, x: special.berp(x),
    special.bei: lambda y, x: special.beip(x),
    special.ker: lambda y, x: special.kerp(x),
    special.kei: lambda y, x: special.keip(x),
}
