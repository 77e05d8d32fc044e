"""Branch points: where another branch crosses.

One idea: there the matrix K = [J Fp; tangent] is singular. With K factorised anyway, block inverse
iteration follows the singular vectors u and v of its smallest singular values from point to point,
and each of the bordered determinants 1 / (v K^-1 u) changes sign where its singular value passes
through zero; one by one, so that two branch points within a step do not hide each other. Where the
back end gives a determinant, its sign says whether one was overlooked. A change of sign for which
no branch point is found means that the step was too long, or came to another branch.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section
3.3 (bordered determinants); E. Allgower and K. Georg, Introduction to Numerical Continuation
Methods (2003), chapter 8 (the orientation, and jumps).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LinearSolveError
from .crossings import (
    KIND,
    bracketed_point,
    crossing_near,
    quotient,
    quotients,
    special_point,
)
from .curve import Curve, Spot
from .detector import DOUBT, Found
from .roots import crossing

Vector = NDArray[Any]

KEY = KIND  # of the tests of a spot
WIDTH = 4  # singular values that are followed
FRESH = 2  # random vectors that join them at every point, for those that have no part in them yet
PURE = 0.1  # relative residual of a singular triplet that counts as converged
TOGETHER = 1e-4  # ... of several tests at the place where their sum is zero
ZERO = 1e-6  # part of the values at the ends that counts as zero of a test
TURNED = 0.2  # cosine below which a change of sign is due to vectors that turned


@dataclass
class Watch:
    """Singular triplets of K at a spot, and what became of those of the spot before.

    Attributes
    ----------
    left, right : ndarray, shape (n + 1, m)
        u and v of the smallest singular values, smallest first.
    tests : ndarray, shape (m,)
        The singular values.
    pure : int
        How many of them have converged.
    now : ndarray, shape (k,)
        The tests of the spot before, with its vectors, evaluated here; zero if they turned away.
    sign : float
        Of det K; 0 if the back end cannot tell.
    """

    left: Vector
    right: Vector
    tests: Vector
    pure: int
    now: Vector
    sign: float = 0.0


class BranchPoints:
    """The detector of branch points; see `sgsolve.continuation.detector.Detector`."""

    needs_factorization = True

    def measure(self, curve: Curve, spot: Spot, before: Spot | None) -> None:
        """Update the blocks, and see whether the determinant changed sign."""
        known: Watch | None = None if before is None else before.tests.get(KEY)
        solve, size, now = curve.bordered.solve, len(spot.z), np.empty(0)
        determinant = curve.bordered.determinant()
        width = min(WIDTH, size)
        fresh = np.random.default_rng(0).standard_normal((size, FRESH + width))
        if known is None:
            image = solve(fresh)
        else:
            image = solve(np.column_stack([known.left, fresh[:, :FRESH]]))
            inner = np.sum(known.right * image[:, :width], axis=0)
            kept = np.abs(inner) > TURNED * np.linalg.norm(image[:, :width], axis=0)
            now = np.where(kept, 1.0 / np.where(kept, inner, 1.0), 0.0)[: known.pure]
        for _ in range(1 if known is not None else 3):
            image = solve(_basis(solve(_basis(image), transpose=True)))
        right = _basis(image)
        left, inverse, turn = np.linalg.svd(solve(right, transpose=True), full_matrices=False)
        left, inverse, right = left[:, :width], inverse[:width], right @ turn[:width].T
        residual = np.linalg.norm(solve(left) / inverse - right, axis=0)
        pure = max(1, int(np.argmax(np.append(residual > PURE, True))))
        spot.tests[KEY] = Watch(left, right, 1.0 / inverse, pure, now)
        spot.tests[KEY].sign = 0.0 if determinant is None else determinant[0]

    def locate(self, curve: Curve, a: Spot, b: Spot) -> list[Found]:
        """Return the branch points between two spots.

        A change of sign without a branch point means that the step came to another branch, or was
        too long to tell; then ``b.tests`` says that there is doubt.
        """
        found: list[Found] = []
        of: list[int] = []  # the singular values that vanish there
        sign = a.tests[KEY].sign * b.tests[KEY].sign
        doubt, twins = False, 0
        crossed = np.flatnonzero(b.tests[KEY].now < 0.0)
        for j in crossed.tolist():
            one = _by_vectors(curve, a, b, j)
            if one is None:
                doubt = True
                continue
            away = [abs(one.spot.s - f.spot.s) for f in found]
            if min(away, default=np.inf) > 1e-4 * (b.s - a.s):
                found.append(one)
                of.append(j)
            else:
                k = int(np.argmin(away))
                twins += _together(curve, a, found[k].spot, [of[k], j])
        if doubt and not found and len(crossed) > 1:
            one = _multiple(curve, a, b, crossed)
            if one is not None:
                b.tests[DOUBT] = bool(sign * (-1.0) ** len(crossed) < 0.0)
                return [one]
        if sign:
            doubt = sign * (-1.0) ** (len(found) + twins) < 0.0
            if doubt and not found:
                one = _by_determinant(curve, a, b)
                found += [] if one is None else [one]
                doubt = one is None
        b.tests[DOUBT] = doubt
        return found


@dataclass
class Change:
    """A change of sign of a test function between two spots."""

    curve: Curve
    a: Spot
    b: Spot
    test: Callable[[Spot], float]
    ends: tuple[float, float]

    def place(self, tolerance: float) -> Spot | None:
        """Return the spot where the sign changes; None if it does not."""
        root = crossing(self.curve, self.a, self.b, self.test, tolerance, self.ends)
        return None if root is None else root.spot


def _by_determinant(curve: Curve, a: Spot, b: Spot) -> Found | None:
    """Return the branch point where det K changes sign."""
    watch: Watch = a.tests[KEY]
    scale: list[float] = []

    def test(spot: Spot) -> float:
        found = curve.bordered.determinant()
        if found is None or found[0] == 0.0:
            return 0.0
        scale.append(found[1])
        return found[0] * float(np.exp(np.clip(found[1] - scale[0], -300.0, 300.0)))

    change = Change(curve, a, b, test, (watch.sign, b.tests[KEY].sign))
    return _simple(change, (watch.left[:, 0], watch.right[:, 0]))


def _by_vectors(curve: Curve, a: Spot, b: Spot, j: int) -> Found | None:
    """Return the branch point where the singular value j of spot a vanishes."""
    watch: Watch = a.tests[KEY]
    pair = watch.left[:, j], watch.right[:, j]
    ends = float(watch.tests[j]), float(b.tests[KEY].now[j])
    return _simple(Change(curve, a, b, lambda spot: quotient(curve, spot, pair)[0], ends), pair)


def _multiple(curve: Curve, a: Spot, b: Spot, crossed: Vector) -> Found | None:
    """Return the point where several singular values vanish together."""
    watch: Watch = a.tests[KEY]
    block = watch.left[:, crossed], watch.right[:, crossed]

    def test(spot: Spot) -> float:
        return float(np.trace(quotients(curve, spot, block)[0]))

    ends = float(watch.tests[crossed].sum()), float(b.tests[KEY].now[crossed].sum())
    return _bracketed(Change(curve, a, b, test, ends), block, TOGETHER)


def _together(curve: Curve, a: Spot, spot: Spot, two: list[int]) -> bool:
    """Whether two singular values of spot a vanish together at a branch point."""
    watch: Watch = a.tests[KEY]
    try:
        G = quotients(curve, spot, (watch.left[:, two], watch.right[:, two]))[0]
    except LinearSolveError:
        return False
    return bool(np.abs(G).max() <= TOGETHER * float(watch.tests[two].max()))


def _simple(change: Change, pair: tuple[Vector, Vector]) -> Found | None:
    """Return the branch point where a test function changes sign, if there is one."""
    curve, a, b = change.curve, change.a, change.b
    reach, along = curve.metric.norm(b.z - a.z), curve.metric.unit(b.z - a.z)
    for tolerance in (0.1, 1e-4):
        spot = change.place(tolerance)
        if spot is None:
            return None
        found = crossing_near(curve, a, b, spot, pair, reach)
        if found is not None:
            t = curve.metric.dot(found.z - a.z, along) / reach
            place = Spot(found.at, spot.tangent, a.s + t * (b.s - a.s))
            return Found(place, special_point(curve, found, spot.tangent))
    return _bracketed(change, (pair[0][:, None], pair[1][:, None]), ZERO)


def _bracketed(change: Change, block: tuple[Vector, Vector], zero: float) -> Found | None:
    """Return a branch point as exactly as its test function can be bracketed.

    Where K is singular twice over, as at a crossing of three branches or with a symmetry that
    shifts all solutions, there is no regular system for the place.

    Parameters
    ----------
    block : (ndarray, ndarray), each of shape (n + 1, m)
        Near the m singular vectors.
    zero : float
        Part of the values at the ends that counts as zero.
    """
    spot = change.place(1e-12)
    if spot is None:
        return None
    try:
        for _ in range(2):
            G, (left, right) = quotients(change.curve, spot, block)
            block = _basis(left), _basis(right)
    except LinearSolveError:
        return None
    if not np.abs(G).max() <= zero * max(abs(end) for end in change.ends):
        return None  # a pole, or another vector
    return Found(spot, bracketed_point(change.curve, spot, block[1][:, 0]))


def _basis(block: Vector) -> Vector:
    """Return an orthonormal basis of what the columns span."""
    return np.linalg.qr(block)[0]
