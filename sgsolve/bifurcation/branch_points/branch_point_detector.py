"""Detector of branch points, where another solution branch crosses.

The matrix K = [J Fp; tangent] is singular at a branch point. It is factorized at every point
anyway. Block inverse iteration computes its smallest singular values and their vectors u and v,
from those of the point before. For each of them 1 / (v K^-1 u) changes sign at its zero, so two
branch points within a step are both found. The sign of det K, if the back end has it, is a check.

A step is made shorter in two cases. A sign changes, but no branch point is found: the step may
have led to another branch. Or the singular values changed by more than the range of those that are
followed.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section
3.3 (bordered determinants); E. Allgower and K. Georg, Introduction to Numerical Continuation
Methods (2003), chapter 8 (the orientation, and jumps).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.curve import Curve
from ...continuation.family import linearized
from ...continuation.locating.detector import STEP_DOUBT, Detector, Doubt, register_detector
from ...continuation.stepper import Found, Point
from ...errors import LinearSolveError
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

WIDTH = 6  # number of singular values that are followed
FRESH = 4  # random vectors added at every point: a step may bring two new pairs of small values
ROUNDS = 5  # largest number of inverse iterations at a point
CONVERGED = 0.1  # relative residual up to which a singular triplet has converged
NULL = 1e-6  # a singular value below this part of the largest one followed may be zero
ROUNDED = 2e-12  # ... and is, if below 1e4 rounding errors of its own terms u_i K_ij v_j
HUGE = 1e100  # K is singular if its solution for a unit vector is larger
ORIENTATION = Doubt(
    "the orientation changed without a branch point: it may be another branch", KIND
)
UNRESOLVED = Doubt("more branch points than are followed may lie within the step")
TURNED = 0.2  # cosine below which a change of sign comes from a change of the vectors


class BranchPoints(Detector):
    """The detector of branch points; see `sgsolve.continuation.locating.detector.Detector`."""

    kind, marker, priority, changes_stability = KIND, "s", 10, True
    needs_factorization = True

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Compute the smallest singular values of K, and the test values of the point before."""
        curve: Curve = stepper.curve
        known: SingularTriplets | None = None if before is None else before.tests.get(KEY)
        solve, size, tested = partial(_bordered_solution, curve), len(point.z), np.empty(0)
        determinant = curve.bordered.determinant()
        width = min(WIDTH, size)
        fresh = np.random.default_rng(0).standard_normal((size, FRESH + width))
        if known is None:
            image = solve(fresh)
        else:
            image = solve(np.column_stack([known.left, fresh[:, :FRESH]]))
            inner = np.sum(known.right * image[:, :width], axis=0)
            kept = np.abs(inner) > TURNED * np.linalg.norm(image[:, :width], axis=0)
            tested = np.where(kept, 1.0 / np.where(kept, inner, 1.0), 0.0)[: known.n_converged]
        for _ in range(0 if known is not None else 2):
            image = solve(orthonormal(solve(orthonormal(image), transpose=True)))
        triplets = _triplets(solve, image, width)
        triplets.tested_here = tested
        triplets.sign = 0.0 if determinant is None else determinant[0]
        point.tests[KEY] = triplets
        if before is not None and known is not None and _unresolved(before, point):
            point.tests[STEP_DOUBT] = UNRESOLVED

    def save(self, point: Point) -> dict[str, Any]:
        """Return the singular triplets; nothing at a special point, where they are not computed."""
        return dict(vars(point.tests[KEY])) if KEY in point.tests else {}

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        numbers = {"n_converged": int(saved["n_converged"]), "sign": float(saved["sign"])}
        point.tests[KEY] = SingularTriplets(**{**saved, **numbers})

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the branch points between two points; store a doubt if some may be missing."""
        curve: Curve = stepper.curve
        changed, rounding_only = _sign_changed(curve, a, b)
        sign = a.tests[KEY].sign * b.tests[KEY].sign * (-1.0) ** len(rounding_only)
        found, coincident, missed = _separate(curve, a, b, changed.tolist())
        if missed and not found and len(changed) > 1:
            one = multiple(curve, a, b, changed)
            if one is not None:
                if sign * (-1.0) ** len(changed) < 0.0:
                    b.tests[STEP_DOUBT] = ORIENTATION
                return [one]
        doubt = bool(missed)
        if sign:  # the determinant counts the zeros, but for pairs of them
            doubt = sign * (-1.0) ** (len(found) + coincident) < 0.0
            if doubt and not found:
                one = by_determinant(curve, a, b)
                found += [] if one is None else [one]
                doubt = one is None
            doubt = doubt or len(missed) > 1
        if doubt:
            b.tests[STEP_DOUBT] = ORIENTATION
        return found


def _separate(
    curve: Curve, a: Point, b: Point, changed: list[int]
) -> tuple[list[Found], int, list[int]]:
    """Locate the zero of each singular value that changed sign.

    Two of them with the same branch point that do not vanish together there belong to two points:
    all are bracketed then.

    Returns
    -------
    found : list of Found
        The branch points, each place once.
    coincident : int
        How many more singular values vanish at the same places.
    missed : list of int
        The singular values for which no branch point was found.
    """
    parts = _located(curve, a, b, changed, quick=True)
    if parts[2] or len(parts[0]) + parts[1] < len(changed):
        parts = _located(curve, a, b, changed, quick=False)
    return parts


def _located(
    curve: Curve, a: Point, b: Point, changed: list[int], quick: bool
) -> tuple[list[Found], int, list[int]]:
    """Return what `_separate` does, from the zeros of secants or by bracketing."""
    found: list[Found] = []
    of: list[list[int]] = []  # the singular values that vanish there
    missed = list[int]()
    for j in changed:
        one = by_vectors(curve, a, b, j, quick)
        if one is None:
            missed.append(j)
            continue
        away = [abs(one.point.s - f.point.s) for f in found]
        if min(away, default=np.inf) > 1e-4 * (b.s - a.s):
            found.append(one)
            of.append([j])
        else:
            k = int(np.argmin(away))
            if together(curve, a, b, found[k].point, [of[k][0], j]):
                of[k].append(j)
    for j in list(missed):  # where two vanish together, one may hide the other
        for f, known in zip(found, of, strict=True):
            if together(curve, a, b, f.point, [known[0], j]):
                known.append(j)
                missed.remove(j)
                break
    several = [
        f if len(j) == 1 else _of_several(curve, a, b, f, j) for f, j in zip(found, of, strict=True)
    ]
    return several, sum(map(len, of)) - len(found), missed


def _of_several(curve: Curve, a: Point, b: Point, found: Found, of: list[int]) -> Found:
    """Return a point at which several singular values vanish: it has no simple normal form."""
    one = multiple(curve, a, b, np.array(of))
    if one is not None:
        return one
    bare = replace(found.special, coefficients={}, nature="")
    return Found(found.point, bare)


def _bordered_solution(curve: Curve, b: Vector, transpose: bool = False) -> Vector:
    """Return K^-1 b; raise `LinearSolveError` if K is singular to working precision."""
    x = curve.bordered.solve(b, transpose=transpose)
    largest = np.abs(x).max()
    if not largest <= HUGE:
        raise LinearSolveError(
            f"the inverse of the bordered Jacobian has entries of size {largest:.0e}: it is "
            "singular to working precision, or the units of unknowns or equations are extreme; "
            "divide both by their typical sizes in the residual"
        )
    return x


def _sign_changed(curve: Curve, a: Point, b: Point) -> tuple[Vector, Vector]:
    """Return which singular values changed sign, and which of zero did so by rounding only.

    A singular value u . K v is compared with the sizes of its terms, in which all units cancel.
    """
    known, now = a.tests[KEY], b.tests[KEY].tested_here
    changed = np.flatnonzero(now < 0.0)
    size = np.maximum(known.tests[changed], -now[changed])
    zero = size <= NULL * known.tests.max(initial=0.0)
    at = linearized(curve.family, b.z) if zero.any() else None
    if at is not None:
        u, v = np.abs(known.left[:, changed]), np.abs(known.right[:, changed])
        J = curve.family.pattern.matrix(np.abs(at.J.data))
        terms = np.sum(u[:-1] * (J @ v[:-1] + np.abs(at.Fp)[:, None] * v[-1]), axis=0)
        terms += u[-1] * (np.abs(curve.row(b.tangent)) @ v)
        zero &= size <= ROUNDED * terms
    return changed[~zero], changed[zero]


def _unresolved(a: Point, b: Point) -> bool:
    """Whether singular values that are not followed may have a zero between two points.

    They may if those that are followed changed by more than the largest of them.
    """
    before, now = a.tests[KEY].tests, b.tests[KEY].tested_here
    if len(before) == len(a.z):
        return False
    moved = np.abs(now - before[: len(now)])[now != 0.0]
    return bool(moved.max(initial=0.0) > before[-1])


def _triplets(solve: Callable[..., Vector], image: Vector, width: int) -> SingularTriplets:
    """Return the smallest singular triplets by block inverse iteration."""
    for _ in range(ROUNDS):
        right = orthonormal(solve(orthonormal(solve(orthonormal(image), transpose=True))))
        left, inverse, turn = np.linalg.svd(solve(right, transpose=True), full_matrices=False)
        image = solve(left)
        residual = np.linalg.norm(image / inverse - right @ turn.T, axis=0)[:width]
        n_converged = max(1, int(np.argmax(np.append(residual > CONVERGED, True))))
        if n_converged == width:
            break
    left, right = left[:, :width], right @ turn[:width].T
    return SingularTriplets(left, right, 1.0 / inverse[:width], n_converged, np.empty(0))


register_detector("branch point", BranchPoints)
