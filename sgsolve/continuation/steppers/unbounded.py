"""Branches without an end: the solution grows without limit, or solutions fill a line.

A branch x = 1 / (p - p0) tends to infinity while the parameter tends to p0. The changes of the
parameter from one doubling of x to the next then decay like a geometric series, whose sum gives the
limit. If x tends to infinity far more slowly, as the logarithm of p - p0, the changes vanish in
rounding instead. On a line of solutions at one value of the parameter, such as an eigenvalue of a
linear problem, the parameter does not change at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arrays import Vector
from ...private_api import quiet

DOUBLINGS = 14  # of the size of x, from its start or 1: fewer may be those of a steep branch
DOUBLINGS_ON_LINE = 7  # ... where the parameter does not change at all: fewer, a flat fold
CHECKED = 6  # number of changes of the parameter, between doublings, that must decay
DECAY = 0.9  # largest ratio of two such changes
RISE = (
    1.02  # largest growth of this ratio: it tends to 1 where no geometric series is, as 1 / log x
)
LEFT = 0.02  # largest distance to the limit, as a part of the range of the branch
STILL = 1e-12  # change of the parameter that is rounding, relative to its size or its first step


def size_of(x: Vector, scale: Vector | None) -> float:
    """Return the root mean square of x in units of its usual sizes, each of at least 1."""
    units = 1.0 if scale is None else np.maximum(scale, 1.0)
    with quiet():
        return float(np.sqrt(np.mean((x / units) ** 2)))


def doublings(
    known: int, first: float, before: tuple[float, float], here: tuple[float, float]
) -> list[float]:
    """Return the parameter at the doublings of the size of x between two points.

    Parameters
    ----------
    known : int
        How many doublings there were before.
    first : float
        The size that they are counted from.
    before, here : (float, float)
        Size and parameter of either point. The parameter is linear in the logarithm of the size.
    """
    (small, p), (large, q) = before, here
    if not (np.isfinite(large) and large >= first):
        return []
    a, b = (float(np.log2(max(size, 0.5 * first) / first)) for size in (small, large))
    levels = range(known + 1, int(b) + 1)
    return [p + min(max((level - a) / (b - a), 0.0), 1.0) * (q - p) for level in levels]


def parameter_limit(
    marks: Sequence[float] | Vector, bounds: tuple[float, float], span: float, first: float
) -> float | None:
    """Return the limit of the parameter while x grows, or None.

    Parameters
    ----------
    marks : sequence of float
        Values of the parameter at the doublings of the size of x.
    bounds : (float, float)
        Of the parameter. A limit close to one of them is left to `curve_ends.approached`.
    span : float
        The range of the parameter on the branch.
    first : float
        The first step, a change of the parameter.
    """
    if len(marks) <= DOUBLINGS_ON_LINE:
        return None
    last = float(marks[-1])
    changes = np.abs(np.diff(marks[-CHECKED - 1 :]))
    still = changes <= STILL * max(abs(last), abs(first))
    with quiet():
        ratios = np.where(changes[1:] > 0.0, changes[1:] / changes[:-1], 0.0)
    decay = float(ratios.max())
    if still.all() or (still[-1] and decay <= DECAY):
        left = 0.0
    elif len(marks) > DOUBLINGS and decay <= DECAY and ratios[-1] <= RISE * ratios.min():
        left = float(changes[-1] * ratios[-1] / (1.0 - ratios[-1]))
    else:
        return None
    limit = last + float(np.copysign(left, last - marks[-2]))
    if abs(limit) <= STILL * abs(first):
        limit = 0.0
    away = min(abs(limit - bound) for bound in bounds)
    return limit if left <= LEFT * span < away else None
