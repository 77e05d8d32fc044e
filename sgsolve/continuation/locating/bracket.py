"""Locate a sign change of a function that cannot be evaluated everywhere in the interval.

A change of sign between two points proves a zero or a discontinuity. A failed trial between them
does not disprove it. After a failure the search continues elsewhere in the bracket. The result is a
point, and a bound on its distance from the change of sign.

Reference: R. P. Brent, Algorithms for Minimization without Derivatives (1973), chapter 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import scipy

SHARES = (0.5, 0.25, 0.75, 0.125, 0.875, 1.0 / 64.0, 63.0 / 64.0)  # trials after a failure
ROUNDS = 60  # largest number of failures
WIDE = 0.05  # a bracket is wide above this part of its first width


class LostError(Exception):
    """The test function could not be evaluated at a trial place."""


def opposite(first: float, last: float) -> bool:
    """Whether two values differ in sign, or one is zero; a product of tiny ones would be zero."""
    return bool(np.sign(first) * np.sign(last) <= 0.0)


def bracketed_root(
    test: Callable[[float], float],
    ends: Mapping[float, float],
    tolerance: float,
    max_lost: float = np.inf,
) -> tuple[float, float]:
    """Return where a test function changes sign, and the other end of the bracket.

    Parameters
    ----------
    test : callable
        ``test(t) -> float``; raises `LostError` where it has no value.
    ends : mapping of float to float
        Two places and the values there, of different signs, or zero.
    tolerance : float
        Width of the bracket.
    max_lost : float
        The search ends at this number of failed trials while the bracket is wide.

    Returns
    -------
    t : float
        The place among those tried where the test is smallest, at one side of the bracket.
    other : float
        The other side of the bracket; t itself if it is as narrow as the tolerance.

    Examples
    --------
    >>> t, other = bracketed_root(lambda t: t**3 - 2.0, {0.0: -2.0, 2.0: 6.0}, 1e-12)
    >>> f"{t:.10f}", t == other
    ('1.2599210499', True)

    If the function has no value near the zero, the bracket contains that interval:

    >>> def test(t):
    ...     if abs(t - 1.2) < 0.1:
    ...         raise LostError
    ...     return t**3 - 2.0
    >>> low, high = sorted(bracketed_root(test, {0.0: -2.0, 2.0: 6.0}, 1e-12))
    >>> bool(0.99 < low < 1.1), bool(1.3 < high < 1.42)
    (True, True)
    """
    values, lost = dict(ends), set[float]()

    def at(t: float) -> float:
        if t in lost:
            raise LostError
        if t not in values:
            try:
                values[t] = test(t)
            except LostError:
                lost.add(t)
                raise
        return values[t]

    for _ in range(ROUNDS):
        low, high = _narrowest(values)
        wide = abs(high - low) > WIDE * abs(max(ends) - min(ends))
        if abs(high - low) <= tolerance or (wide and len(lost) >= max_lost):
            break
        try:
            t = float(
                scipy.optimize.brentq(
                    at, low, high, xtol=tolerance, rtol=1e-15, maxiter=60, disp=False
                )
            )
            at(t)
            return t, t
        except LostError:
            if not _elsewhere(at, *_narrowest(values)):
                break
    low, high = _narrowest(values)
    best, other = (low, high) if abs(values[low]) <= abs(values[high]) else (high, low)
    return best, (best if abs(high - low) <= tolerance else other)


def _elsewhere(at: Callable[[float], float], low: float, high: float) -> bool:
    """Whether a trial elsewhere between two places succeeds."""
    for share in SHARES:
        try:
            at(low + share * (high - low))
        except LostError:
            continue
        return True
    return False


def _narrowest(values: Mapping[float, float]) -> tuple[float, float]:
    """Return the narrowest pair of neighbors between which the sign changes."""
    places = sorted(values)
    pairs = [(a, b) for a, b in pairwise(places) if np.sign(values[a]) * np.sign(values[b]) <= 0.0]
    return min(pairs, key=lambda pair: pair[1] - pair[0])
