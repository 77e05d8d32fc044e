"""Roots on a curve: where a test function changes sign between two spots.

One idea: a special point is bracketed before it is polished. The bracket shrinks along the curve by
safeguarded interpolation, every trial a corrected spot, so the answer lies between the two spots
that were given, on the same branch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq

from .curve import Curve, Spot


class _LostError(Exception):
    """A trial point between two spots could not be corrected, or tested."""


def crossing(
    curve: Curve,
    a: Spot,
    b: Spot,
    test: Callable[[Spot], float],
    tolerance: float,
    ends: tuple[float, float] | None = None,
) -> tuple[float, Spot] | None:
    """Return the fraction of the way and the spot where a test function vanishes.

    Parameters
    ----------
    test : callable
        ``test(spot) -> float``, called while the bordered Jacobian of the spot is factorised.
    tolerance : float
        Of the fraction.
    ends : (float, float), optional
        The values at a and b, if known.

    Returns
    -------
    (t, spot), or None if a trial could not be corrected, the test function is not defined (NaN)
    there, or has no change of sign
    """
    seen: dict[float, Any] = {0.0: a, 1.0: b}
    values = {} if ends is None else {0.0: ends[0], 1.0: ends[1]}

    def at(t: float) -> float:
        if t not in values:
            spot = seen.get(t) or curve.between(a, b, t)
            if spot is None:
                raise _LostError
            seen[t], values[t] = spot, float(test(spot))
            if np.isnan(values[t]):
                raise _LostError
        return values[t]

    try:
        if at(0.0) * at(1.0) > 0.0:
            return None
        t = float(brentq(at, 0.0, 1.0, xtol=tolerance, rtol=1e-15, maxiter=60, disp=False))
        at(t)
    except _LostError:
        return None
    return t, seen[t]
