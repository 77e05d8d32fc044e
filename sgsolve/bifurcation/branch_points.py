"""Branch points: where another branch crosses.

There the matrix K = [J Fp; tangent] is singular. With K factorized anyway, block inverse iteration
follows the singular vectors u and v of its smallest singular values from point to point, and each
of the bordered determinants 1 / (v K^-1 u) changes sign where its singular value passes through
zero; one by one, so that two branch points within a step do not hide each other. Where the back end
gives a determinant, its sign says whether one was overlooked. A change of sign for which no branch
point is found means that the step was too long, or came to another branch; it was too long as well
if the singular values moved by more than those that are followed reach.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section
3.3 (bordered determinants); E. Allgower and K. Georg, Introduction to Numerical Continuation
Methods (2003), chapter 8 (the orientation, and jumps).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.curve import Curve
from ..continuation.detector import STEP_DOUBT, Detector, Doubt, register_detector
from ..continuation.stepper import Found, Point
from ..errors import LinearSolveError
from .branch_point_system import KIND
from .sign_changes import (
    KEY,
    SingularTriplets,
    by_determinant,
    by_vectors,
    multiple,
    orthonormal,
    together,
)

Vector = NDArray[Any]

WIDTH = 4  # singular values that are followed
FRESH = 2  # random vectors that join them at every point, for those that have no part in them yet
ROUNDS = 5  # of inverse iteration at a point, at most
PURE = 0.1  # relative residual of a singular triplet that counts as converged
NULL = 1e-6  # part of the largest singular value followed, up to which one counts as zero
HUGE = 1e100  # solutions for vectors of length one are never larger where K is regular
ORIENTATION = Doubt(
    "the orientation changed without a branch point: it may be another branch", KIND
)
UNRESOLVED = Doubt("more branch points than are followed may lie within the step")
TURNED = 0.2  # cosine below which a change of sign is due to vectors that turned


class BranchPoints(Detector):
    """The detector of branch points; see `sgsolve.continuation.detector.Detector`."""

    kind, marker, priority = KIND, "s", 10
    needs_factorization = True

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Update the blocks, and see whether the determinant changed sign."""
        curve: Curve = stepper.curve
        known: SingularTriplets | None = None if before is None else before.tests.get(KEY)
        solve, size, now = partial(_solved, curve), len(point.z), np.empty(0)
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
        for _ in range(0 if known is not None else 2):
            image = solve(orthonormal(solve(orthonormal(image), transpose=True)))
        triplets = _triplets(solve, image, width)
        triplets.now, triplets.sign = now, 0.0 if determinant is None else determinant[0]
        point.tests[KEY] = triplets

    def save(self, point: Point) -> dict[str, Any]:
        """Return the singular triplets."""
        return dict(vars(point.tests[KEY]))

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Take them back."""
        numbers = {"pure": int(saved["pure"]), "sign": float(saved["sign"])}
        point.tests[KEY] = SingularTriplets(**{**saved, **numbers})

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the branch points between two points; where it cannot tell, leave a doubt."""
        curve: Curve = stepper.curve
        found: list[Found] = []
        of: list[int] = []  # the singular values that vanish there
        sign = a.tests[KEY].sign * b.tests[KEY].sign
        twins, missed = 0, list[int]()
        crossed, idle = _crossed(a.tests[KEY].tests, b.tests[KEY].now)
        sign *= (-1.0) ** len(idle)
        for j in crossed.tolist():
            one = by_vectors(curve, a, b, j)
            if one is None:
                missed.append(j)
                continue
            away = [abs(one.point.s - f.point.s) for f in found]
            if min(away, default=np.inf) > 1e-4 * (b.s - a.s):
                found.append(one)
                of.append(j)
            else:
                k = int(np.argmin(away))
                twins += together(curve, a, b, found[k].point, [of[k], j])
        for j in list(missed):  # where two vanish together, one may hide the other
            if any(together(curve, a, b, f.point, [k, j]) for f, k in zip(found, of, strict=True)):
                twins += 1
                missed.remove(j)
        doubt = bool(missed)
        if doubt and not found and len(crossed) > 1:
            one = multiple(curve, a, b, crossed)
            if one is not None:
                if sign * (-1.0) ** len(crossed) < 0.0:
                    b.tests[STEP_DOUBT] = ORIENTATION
                return [one]
        if sign:
            doubt = sign * (-1.0) ** (len(found) + twins) < 0.0
            if doubt and not found:
                one = by_determinant(curve, a, b)
                found += [] if one is None else [one]
                doubt = one is None
        if doubt or _crowded(a, b):
            b.tests[STEP_DOUBT] = ORIENTATION if doubt else UNRESOLVED
        return found


def _solved(curve: Curve, b: Vector, transpose: bool = False) -> Vector:
    """Return K^-1 b; raise `LinearSolveError` where K is singular but for rounding."""
    x = curve.bordered.solve(b, transpose=transpose)
    if not np.abs(x).max() <= HUGE:
        raise LinearSolveError("the bordered Jacobian is singular to working precision")
    return x


def _crossed(before: Vector, now: Vector) -> tuple[Vector, Vector]:
    """Return which singular values changed sign, and which did so as zeros, by rounding only."""
    size = np.maximum(before[: len(now)], np.abs(now))
    null = size <= NULL * before.max(initial=0.0)
    return np.flatnonzero((now < 0.0) & ~null), np.flatnonzero((now < 0.0) & null)


def _crowded(a: Point, b: Point) -> bool:
    """Whether singular values that are not followed may have vanished between two points.

    It is to be expected of those that are no larger than the way which the followed ones went.
    """
    before, now = a.tests[KEY].tests, b.tests[KEY].now
    if len(before) == len(a.z):
        return False
    moved = np.abs(now - before[: len(now)])[now != 0.0]
    return bool(moved.max(initial=0.0) > before[-1])


def _triplets(solve: Callable[..., Vector], image: Vector, width: int) -> SingularTriplets:
    """Return the smallest singular values by block inverse iteration; more rounds if need be."""
    for _ in range(ROUNDS):
        right = orthonormal(solve(orthonormal(solve(orthonormal(image), transpose=True))))
        left, inverse, turn = np.linalg.svd(solve(right, transpose=True), full_matrices=False)
        image = solve(left)
        residual = np.linalg.norm(image / inverse - right @ turn.T, axis=0)[:width]
        pure = max(1, int(np.argmax(np.append(residual > PURE, True))))
        if pure == width:
            break
    left, right = left[:, :width], right @ turn[:width].T
    return SingularTriplets(left, right, 1.0 / inverse[:width], pure, np.empty(0))


register_detector("branch point", BranchPoints)
