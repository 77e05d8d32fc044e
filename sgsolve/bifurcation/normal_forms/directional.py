"""Directional derivatives of the Jacobian and of the mass matrix, for normal forms.

J is exact, so its first and second derivatives along a direction are differences of one and two
orders only. Central differences of order 8 are exact for polynomials. Those of orders 4 and 6 from
the same matrices tell their error. Where it is small, one length serves; else that at which the
results at two lengths do best.

Reference: B. Fornberg, Math. Comp. 51 (1988) 699 (the coefficients).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Vector
from ...private_api import csr_with_data
from ..spectra.balance import Balance

Matrices = tuple[Any, Any]  # J and C, sparse
Pencil = Callable[[Vector], Matrices | None]

STEPS = np.array([1.0, 2.0, 3.0, 4.0])
# Of orders 8, 6 and 4.
FIRST = np.array(
    [
        [4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0],
        [3 / 4, -3 / 20, 1 / 60, 0.0],
        [2 / 3, -1 / 12, 0, 0],
    ]
)
SECOND = np.array(
    [
        [8.0 / 5.0, -1.0 / 5.0, 8.0 / 315.0, -1.0 / 560.0],
        [3 / 2, -3 / 20, 1 / 90, 0.0],
        [4 / 3, -1 / 12, 0, 0],
    ]
)
ODD, EVEN = np.array([1.0, -1.0]), np.array([1.0, 1.0, -2.0])
LONGEST, SHRINK, LENGTHS = 0.1, 0.25, 7  # of the size of x, and how often the length is reduced
NOTICED, MOST = 0.01, 0.5  # relative changes of J: one that is noticed, and one of most of it
SEEN = float(np.sqrt(np.finfo(float).eps))  # ... whose square is rounding
LARGER = 10.0  # factor of other sizes
DECADES = 18  # powers of 10 around 1 that are units
VANISHED = 1e-6  # part of J on the length 1 below which J counts as zero
MINOR = 1e-4  # part of J, by its change on the first length, below which a change is small
SURE = 1e-10  # relative error at which no other length is tried
ROUNDED = 1e-3  # ... below which a difference that grows with a shorter length is rounding


@dataclass(eq=False)
class Slopes:
    """First and second derivatives along a direction.

    Attributes
    ----------
    J1, C1, J2, C2 : sparse, shape (n, n)
    """

    J1: Any
    C1: Any
    J2: Any
    C2: Any


def slopes_along(pencil: Pencil, x: Vector, v: Vector, here: Matrices | None = None) -> Slopes:
    """Return the derivatives of J and C along v at x; those that agree best at two lengths.

    Parameters
    ----------
    here : (J, C), optional
        The matrices at x, where they are known; else the pencil is asked for them.

    Raises
    ------
    ArithmeticError
        If J and C are not finite around x.
    """
    here = pencil(x) if here is None else here
    if here is None:
        raise ArithmeticError("the Jacobian is not finite")
    balance = Balance.of(*here)
    pencil, x, v = balanced(pencil, balance), x / balance.columns, v / balance.columns
    here = balance.scaled(here[0]), balance.scaled(here[1])
    found = _best_slopes(pencil, x, v, here)
    return Slopes(*(balance.unscaled(A) for A in vars(found).values()))


def balanced(pencil: Pencil, balance: Balance) -> Pencil:
    """Return the pencil of the scaled unknowns, with scaled rows and columns."""

    def scaled(y: Vector) -> Matrices | None:
        found = pencil(y * balance.columns)
        return None if found is None else (balance.scaled(found[0]), balance.scaled(found[1]))

    return scaled


def _best_slopes(pencil: Pencil, x: Vector, v: Vector, here: Matrices) -> Slopes:
    """Return the derivatives along v from balanced matrices."""
    longest = float(np.abs(v).max(initial=0.0))
    if longest == 0.0:
        nothing = here[0] * 0.0, here[1] * 0.0
        return Slopes(*nothing, *nothing)
    h = LONGEST * size_along(pencil, x, v, here) / longest
    least = _least_sizes(here, h)
    before: Slopes | None = None
    best: tuple[dict[str, float], Slopes] | None = None
    for _ in range(LENGTHS):
        found = _matrix_differences(pencil, x, v, h, here)
        h *= SHRINK
        if found is None:
            continue
        now = found[0]
        if max(_errors(*found, least).values()) <= SURE:
            return now
        if before is not None:
            gaps = _gaps(before, now, least)
            rounded = best is not None and _are_rounding(best[0], gaps)
            best = (gaps, before) if best is None else _better(best, (gaps, before))
            if rounded or max(best[0].values()) <= SURE:
                break
        before = now
    if best is None:
        raise ArithmeticError("the Jacobian is not finite around the point")
    return best[1]


def _errors(
    eighth: Slopes, sixth: Slopes, fourth: Slopes, least: Mapping[str, float]
) -> dict[str, float]:
    """Return estimates of the relative errors of the results of order 8.

    Where the function is smooth on the length, results of rising order differ less and less, at
    about the same rate: the next difference is estimated by it.
    """
    before, last = _gaps(sixth, fourth, least), _gaps(eighth, sixth, least)
    return {
        name: gap * gap / before[name] if gap < before[name] else gap for name, gap in last.items()
    }


def _are_rounding(best: dict[str, float], gaps: dict[str, float]) -> bool:
    """Whether all differences were small, and are larger at this length, or nothing."""
    grown = all(gaps[name] >= best[name] for name in best)
    return grown and max(best.values()) <= ROUNDED


def size_along(pencil: Pencil, x: Vector, v: Vector, here: Matrices) -> float:
    """Return the size of x by which lengths along v are measured: 1 at most, if x is smaller.

    Where x vanishes but for rounding, its own size says nothing. It counts only if J or C change
    on a length of that size. Units in which 1 says nothing either are those in which it changes
    most of J or C, or nothing beyond rounding.
    """
    size, longest = float(np.abs(x).max(initial=0.0)), float(np.abs(v).max())
    if size >= 1.0:
        return size
    # the Jacobian of one equation vanishes at a cusp but for rounding, and changes on any length
    far = pencil(x + v / longest) if len(x) == 1 else None
    least = [0.0 if far is None else VANISHED * _largest_entry(far[k]) for k in (0, 1)]

    def change(length: float) -> float:
        there = pencil(x + LONGEST * length / longest * v)
        if there is None:
            return np.inf
        return max(_gap(here[k], there[k], least[k]) for k in (0, 1))

    def least_power(unit: float, part: float, low: int, high: int) -> int:
        while low < high:
            middle = (low + high) // 2
            found = change(unit * LARGER**middle) > part
            low, high = (low, middle) if found else (middle + 1, high)
        return low

    if size:
        power = least_power(size, NOTICED, 0, math.ceil(-math.log(size, LARGER)))
        if size * LARGER**power < 1.0:
            return size * LARGER**power
    changed = change(1.0)
    if changed > MOST and not size:
        return float(LARGER ** (least_power(1.0, MOST, -DECADES, 0) - 1))
    if changed < SEEN:
        power = least_power(1.0, SEEN, 0, DECADES)
        return float(LARGER**power) if power < DECADES else 1.0
    return 1.0


def _matrix_differences(
    pencil: Pencil, x: Vector, v: Vector, h: float, here: Matrices
) -> tuple[Slopes, Slopes, Slopes] | None:
    """Return the derivatives by differences of order 8, of order 6 and of order 4."""
    odd: tuple[list[Any], list[Any]] = [], []
    even: tuple[list[Any], list[Any]] = [], []
    for step in STEPS:
        up, down = pencil(x + step * h * v), pencil(x - step * h * v)
        if up is None or down is None:
            return None
        for k in (0, 1):
            odd[k].append(_combined(ODD, (up[k], down[k])))
            even[k].append(_combined(EVEN, (up[k], down[k], here[k])))
    eighth, sixth, fourth = (
        Slopes(
            *(_combined(first / h, differences) for differences in odd),
            *(_combined(second / h**2, differences) for differences in even),
        )
        for first, second in zip(FIRST, SECOND, strict=True)
    )
    return eighth, sixth, fourth


def _combined(factors: Vector, matrices: Sequence[Any]) -> Any:
    """Return a linear combination of sparse matrices; without their indices if these agree."""
    one = matrices[0]
    if one.format == "csr" and all(_have_one_pattern(one, other) for other in matrices):
        return csr_with_data(one, factors @ np.array([other.data for other in matrices]))
    return sum(factor * other for factor, other in zip(factors, matrices, strict=True))


def _have_one_pattern(a: Any, b: Any) -> bool:
    return a.indices is b.indices or (
        a.nnz == b.nnz
        and np.array_equal(a.indices, b.indices)
        and np.array_equal(a.indptr, b.indptr)
    )


def _least_sizes(here: Matrices, h: float) -> dict[str, float]:
    """Return the sizes below which derivatives do not matter beside J and C on a length."""
    J, C = (MINOR * _largest_entry(one) for one in here)
    return {"J1": J / h, "C1": C / h, "J2": J / h**2, "C2": C / h**2}


def _gaps(a: Slopes, b: Slopes, least: Mapping[str, float]) -> dict[str, float]:
    """Return how far two results are apart, by derivative."""
    return {name: _gap(getattr(a, name), getattr(b, name), least[name]) for name in vars(a)}


def _gap(a: Any, b: Any, least: float = 0.0) -> float:
    """Return how far two matrices differ, relative to their size, or to the least that counts."""
    size = max(_largest_entry(a), _largest_entry(b), least)
    return _largest_entry(_combined(ODD, (a, b))) / size if size > 0.0 else 0.0


def _largest_entry(A: Any) -> float:
    """Return the largest absolute value of the entries of a sparse matrix."""
    return float(np.abs(A.data).max(initial=0.0))


def _better(
    a: tuple[dict[str, float], Slopes], b: tuple[dict[str, float], Slopes]
) -> tuple[dict[str, float], Slopes]:
    """Return of each derivative the one that is known better."""
    gaps, parts = dict[str, float](), {}
    for name in a[0]:
        one = a if a[0][name] <= b[0][name] else b
        gaps[name], parts[name] = one[0][name], getattr(one[1], name)
    return gaps, Slopes(**parts)
