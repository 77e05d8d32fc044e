"""Special functions of semiconductor statistics and of diode equations, with derivatives.

Complete Fermi-Dirac integrals of integer and half-integer order, and the real branches of
Lambert's W function. SciPy has the first not at all, and the second with complex values only.

The half-integer integrals are computed once, at Chebyshev nodes, from their definition by the
trapezoidal rule, which converges geometrically for a smooth integrand that decays on both sides
(L. N. Trefethen and J. A. C. Weideman, SIAM Review 56 (2014) 385); what is evaluated afterwards is
the Chebyshev series through these nodes, and for large arguments Sommerfeld's expansion. No table
of coefficients is copied from anywhere. Relative errors are a few 1e-15.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy import special

from ....errors import DerivativeError, InputError
from ...ufuncs.ufunc_calls import raw_value
from .user import primitive

HALF_ORDERS = (-1.5, -0.5, 0.5, 1.5, 2.5)
# Between these the integral is one Chebyshev series each; above, Sommerfeld's expansion.
EDGES = (0.0, 1.5, 3.5, 6.0, 10.0, 16.0, 26.0, 42.0)
DEGREE = 26


def fermi_dirac(order: float, eta: Any) -> Any:
    """Return the complete Fermi-Dirac integral of an order, normalized.

    F_j(eta) = 1/Gamma(j + 1) * integral over t > 0 of t^j / (1 + exp(t - eta)). It tends to
    exp(eta) for eta far below zero, and dF_j/deta = F_{j-1} (DLMF 25.12.14, there named F_s; J. S.
    Blakemore, Solid-State Electronics 25 (1982) 1067).

    Parameters
    ----------
    order : {-1, -1/2, 0, 1/2, 1, 3/2, 5/2}
        The order j. 1/2 gives the density of carriers in a parabolic band.
    eta : ndarray or AD array of float
        Reduced Fermi energy (E_F - E_c) / kT.

    Returns
    -------
    ndarray or AD array
        F_j(eta), of the shape of eta.

    Raises
    ------
    InputError
        For any other order.
    DerivativeError
        If the order is an AD array.

    See Also
    --------
    bernoulli, lambertw, logsumexp

    Examples
    --------
    >>> from sgsolve import ad
    >>> eta = ad.seed([-20.0, 0.0, 5.0])
    >>> ad.fermi_dirac(0.5, eta).value.round(6)
    array([0.      , 0.765147, 8.844209])
    >>> ad.fermi_dirac(0.5, eta).jacobian.diagonal().round(6)
    array([0.      , 0.604899, 2.472988])
    """
    if hasattr(order, "_derivative"):
        raise DerivativeError("fermi_dirac: the order is an AD array; it must be a constant")
    if not np.isscalar(order) or order not in _INTEGRALS:
        known = ", ".join(f"{j:g}" for j in sorted(_INTEGRALS))
        raise InputError(f"fermi_dirac: order {order!r} is not one of {known}")
    return _INTEGRALS[order](eta)


def _half(order: float, eta: Any) -> Any:
    """Return F_j for a half-integer order, element by element."""
    x = np.asarray(eta)
    if x.dtype.kind == "c":
        raise DerivativeError("fermi_dirac takes real arguments")
    z = x.astype(float).ravel()
    y = np.full(z.shape, np.nan)
    low = z < EDGES[0]
    boltzmann = np.exp(z[low])
    y[low] = boltzmann * chebyshev.chebval(2.0 * boltzmann - 1.0, _below_zero(order))
    for begin, end in itertools.pairwise(EDGES):
        here = (z >= begin) & (z < end)
        if here.any():
            t = (2.0 * z[here] - begin - end) / (end - begin)
            y[here] = chebyshev.chebval(t, _between(order, begin, end))
    high = z >= EDGES[-1]
    y[high] = _sommerfeld(order, z[high])
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    return y.reshape(x.shape).astype(dtype)[()]


def _trapezoid(order: float, integrand: Any, far: float) -> Any:
    """Return 2/Gamma(j + 1) times the integral over u > 0 of u^(2j+1) integrand(u^2).

    With t = u^2 the integrand is even and smooth; the step resolves its nearest poles, which
    are at a distance pi / (2 sqrt(eta)) from the real line or more.
    """
    u = np.arange(0.0, np.sqrt(far), 0.02)
    w = np.full(len(u), 0.02)
    w[0] *= 0.5
    j = -0.5 if order == -1.5 else order
    terms = (w * u ** round(2 * j + 1)) * integrand(u * u).T
    # Summed without rounding: the series hold on every machine, whatever its BLAS adds first.
    total = np.array([math.fsum(row) for row in terms])
    return 2.0 / special.gamma(j + 1.0) * total


def _series(values: NDArray[Any]) -> NDArray[Any]:
    """Return the Chebyshev series through values at ``chebpts1(DEGREE)``.

    By the discrete orthogonality of the polynomials (DLMF 3.11.11) and exact sums: the same bitwise
    on every machine, which a least-squares fit by LAPACK is not.
    """
    angle = np.pi * (np.arange(DEGREE)[::-1] + 0.5) / DEGREE
    weights = 2.0 / DEGREE * np.cos(np.outer(np.arange(DEGREE), angle))
    weights[0] *= 0.5
    return np.array([math.fsum(row) for row in weights * values])


@functools.cache
def _below_zero(order: float) -> NDArray[Any]:
    """Return the series of F_j(eta) / exp(eta) in exp(eta), for eta < 0."""
    z = 0.5 * (chebyshev.chebpts1(DEGREE) + 1.0)

    def integrand(t: Any) -> Any:
        # The slope in eta, for order -3/2: of z / (exp(t) + z), divided by z.
        e = np.exp(np.minimum(t, 700.0))[:, np.newaxis]
        return e / (e + z) ** 2 if order == -1.5 else 1.0 / (e + z)

    return _series(_trapezoid(order, integrand, 60.0))


@functools.cache
def _between(order: float, begin: float, end: float) -> NDArray[Any]:
    """Return the series of F_j(eta) for eta in an interval above zero."""
    nodes = chebyshev.chebpts1(DEGREE)
    eta = 0.5 * ((end - begin) * nodes + begin + end)

    def integrand(t: Any) -> Any:
        f = special.expit(eta - t[:, np.newaxis])
        return f * special.expit(t[:, np.newaxis] - eta) if order == -1.5 else f

    return _series(_trapezoid(order, integrand, end + 60.0))


def _sommerfeld(order: float, eta: Any) -> Any:
    """Return the asymptotic series eta^(j+1) / Gamma(j+2) * (1 + sum of c_k eta^(-2k)).

    c_k = 2 eta_D(2k) (j+1) j (j-1) ... (j-2k+2), with Dirichlet's eta function (DLMF 25.12.15
    and 25.2.3). The first term left out is below 1e-17 for eta > 42.
    """
    power: Any = 1.0
    total: Any = 1.0
    for k in range(1, 11):
        power = power * (order + 3.0 - 2 * k) * (order + 2.0 - 2 * k) / (eta * eta)
        dirichlet = (1.0 - 2.0 ** (1 - 2 * k)) * special.zeta(2.0 * k)
        total = total + 2.0 * dirichlet * power
    return eta ** (order + 1.0) * special.rgamma(order + 2.0) * total


def _one_order(eta: Any) -> Any:
    """Return F_1: minus the dilogarithm of -exp(eta), reflected for eta > 0 (DLMF 25.12.4)."""
    x = np.asarray(eta)
    q = np.exp(-np.abs(x))
    series: Any = 0.0  # 25.12.1; the dilogarithm of SciPy has its own argument rounded to 1 - q
    for k in range(18, 0, -1):
        series = q * (1.0 / k**2 - series)
    below = np.where(q < 0.1, series, -special.spence(1.0 + q))
    return np.where(x > 0, np.pi**2 / 6.0 + 0.5 * x * x - below, below)[()]


def _made(f: Any, slope: Any) -> Any:
    return primitive(f, lambda y, which, x: [slope(x)])


_INTEGRALS = {
    **{j: _made(functools.partial(_half, j), functools.partial(_half, j - 1.0))
       for j in HALF_ORDERS if j != -1.5},
    -1.0: _made(special.expit, lambda x: special.expit(x) * special.expit(-np.asarray(x))),
    0.0: _made(lambda x: np.logaddexp(0.0, x), special.expit),
    1.0: _made(_one_order, lambda x: np.logaddexp(0.0, x)),
}  # fmt: skip


def lambertw(x: Any, k: int = 0) -> Any:
    """Return the real solution w of w exp(w) = x; NaN where there is none.

    Parameters
    ----------
    x : ndarray or AD array of float
        The argument.
    k : {0, -1}
        The branch: w >= -1 for k = 0 (x >= -1/e), w <= -1 for k = -1 (-1/e <= x < 0).
        For w + log(w) = x, use ``scipy.special.wrightomega(x)``, which does not overflow.

    Returns
    -------
    ndarray or AD array
        w, of the shape of x.

    Raises
    ------
    InputError
        For another branch: its values are not real.

    See Also
    --------
    bernoulli, fermi_dirac, logsumexp

    Examples
    --------
    >>> from sgsolve import ad
    >>> x = ad.seed([0.0, 1.0])
    >>> ad.lambertw(x).value.round(6), ad.lambertw(x).jacobian.diagonal().round(6)
    (array([0.      , 0.567143]), array([1.      , 0.361896]))
    """
    if k not in _BRANCHES:
        raise InputError(f"lambertw: k = {k} has no real values; use 0 or -1")
    return _BRANCHES[k](x)


def _lambert(k: int, x: Any) -> Any:
    x = np.asarray(x)
    if x.dtype.kind == "c":
        raise DerivativeError("ad.lambertw takes real arguments")
    w = special.lambertw(x, k)
    with np.errstate(all="ignore"):
        return np.where((np.imag(w) == 0) & (x >= -np.exp(-1.0)), np.real(w), np.nan)[()]


def _lambert_slope(y: Any, which: Any, x: Any) -> list[Any]:
    with np.errstate(all="ignore"):
        return [np.exp(-np.asarray(y)) / (1.0 + np.asarray(y))]


_BRANCHES = {k: primitive(functools.partial(_lambert, k), _lambert_slope) for k in (0, -1)}


def logsumexp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return log(sum(exp(a))) over axes without overflow; scipy.special.logsumexp for AD arrays.

    Parameters
    ----------
    a : ndarray or AD array
        The exponents.
    axis : int or tuple of int, optional
        Axes to sum over; all by default.
    keepdims : bool
        Keep the axes that are summed over, with length one.

    Returns
    -------
    ndarray or AD array
        The logarithm.

    See Also
    --------
    bernoulli, fermi_dirac, lambertw

    Examples
    --------
    >>> from sgsolve import ad
    >>> ad.logsumexp(ad.seed([1000.0, 1000.0])).jacobian.toarray()
    array([[0.5, 0.5]])
    """
    top = np.max(raw_value(a), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    shares: Any = np.exp(a - top)
    with np.errstate(divide="ignore"):
        total = np.log(shares.sum(axis=axis, keepdims=keepdims))
    return total + np.reshape(top, np.shape(total))
