"""The Bernoulli function x / (exp(x) - 1), the weight of the Scharfetter-Gummel flux."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ufuncs.ufunc_calls import array_of_values
from .user import primitive

# B'(x) = sum over n of B_n x^(n-1) / (n-1)! with the Bernoulli numbers B_n (DLMF 24.2.1); for
# |x| < 1/4 the first term left out is below 1e-17.
_SERIES = (1 / 6, -1 / 180, 1 / 5040, -1 / 151200, 1 / 4790016, -691 / 108972864000)
TINY, LARGE = 1e-300, 700.0  # bounds in place of 0 / 0 and of an overflow


def bernoulli(x: Any) -> Any:
    """Return x / (exp(x) - 1), accurate to rounding for every x, with its derivative.

    The weight of the Scharfetter-Gummel flux (IEEE Trans. Electron Devices 16, 64 (1969)).
    B(0) = 1, B(-x) = B(x) + x.

    Parameters
    ----------
    x : ndarray or AD array of float
        The argument.

    Returns
    -------
    ndarray or AD array
        B(x), of the shape of x.

    See Also
    --------
    fermi_dirac, lambertw, logsumexp

    Examples
    --------
    >>> from sgsolve import ad
    >>> float(ad.bernoulli(0.0)), float(ad.bernoulli(-800.0))
    (1.0, 800.0)
    """
    return _bernoulli_primitive(x)


def bernoulli_of_both(x: Any) -> tuple[Any, Any]:
    """Return B(x) and B(-x) of an array of floats with one exponential, both to rounding.

    The smaller one is that of the magnitude of x, and the other one is larger by the magnitude.
    """
    size = np.abs(x)
    bounded = np.minimum(np.maximum(size, TINY), LARGE)
    small = bounded / np.expm1(bounded)
    return small + np.maximum(-x, 0.0), small + np.maximum(x, 0.0)


def slopes_of_both(x: Any, ahead: Any, back: Any) -> tuple[Any, Any]:
    """Return the derivatives of B(x) and of B(-x), both with respect to x, from their values."""
    size = np.abs(x)
    bounded = np.minimum(np.maximum(size, TINY), LARGE)
    slope = (1.0 - np.maximum(ahead, back)) * (np.minimum(ahead, back) / bounded)
    near, positive = size < 0.25, x > 0
    if hasattr(x, "record"):
        slope = np.where(near, _bernoulli_slope_near_zero(size), slope)
    elif near.any():
        slope[near] = _bernoulli_slope_near_zero(size[near])
    rest = 1.0 + slope  # B(-x) = B(x) + x
    return np.where(positive, slope, -rest), np.where(positive, rest, -slope)


def _bernoulli(x: Any) -> Any:
    x = array_of_values(x)
    with np.errstate(all="ignore"):
        t = _below_overflow(x)
        return np.where(x == 0, 1.0, t / np.expm1(t))[()]


def _below_overflow(x: Any) -> Any:
    # Beyond this B(x) is below 1e-36 (single) or 1e-301: a bound in place of an overflow.
    limit = 88.0 if x.dtype in (np.float32, np.complex64) else 700.0
    return np.minimum(x, limit) if x.dtype.kind != "c" else x


def _bernoulli_slope(y: Any, which: Any, x: Any) -> list[Any]:
    x = _below_overflow(array_of_values(x))
    with np.errstate(all="ignore"):
        slope = array_of_values((1.0 - y - x) * (y / x))  # y / x is 1 / expm1(x)
    small = np.abs(x) < 0.25
    if type(x) is not np.ndarray and hasattr(x, "record"):
        return [np.where(small, _bernoulli_slope_near_zero(x), slope)]
    if np.any(small):
        slope[small] = _bernoulli_slope_near_zero(x[small])
    return [slope]


def _bernoulli_slope_near_zero(t: Any) -> Any:
    t2 = t * t
    total: Any = 0.0
    for coefficient in reversed(_SERIES):
        total = total * t2 + coefficient
    return -0.5 + t * total


_bernoulli_primitive = primitive(_bernoulli, _bernoulli_slope)
