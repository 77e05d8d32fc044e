"""Spectrum: the eigenvalues of a large sparse pencil near given shifts.

The largest eigenvalues 1 / (mu - sigma) of (J - sigma M)^-1 M give those of J v = mu M v near
sigma. Arnoldi's method computes them, with a factorization by our back ends. It covers a disc
around sigma. Eigenvalues that were unstable at the point before are searched for outside the disc
as well.

Reference: R. B. Lehoucq, D. C. Sorensen, C. Yang, ARPACK Users' Guide (1998), section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

from ... import linear
from ...arrays import Vector
from ...errors import LinearSolveError
from ...pattern import Pattern
from .balance import Balance
from .spectrum_bounds import is_symmetric

# Up to here all eigenvalues are computed: by the QZ algorithm if M is singular or not diagonal,
# else by the QR algorithm, which takes half a second for 1000 unknowns. For larger systems
# eigenvalues outside the discs are not known.
SMALL, MEDIUM = 200, 1000
INSIDE = 0.3  # an eigenvalue within this part of the radius does not leave the disc in one step
MOVED = 0.5  # largest relative change of an eigenvalue from one point to the next
OUTWARD, TRIES = 1.8, 4  # factor and number of further shifts for one that changed more
MOST, WORK = 250, 200_000_000  # eigenvalues near a shift; n times their square
REAL = 1e-9  # imaginary parts within this part of the largest eigenvalue are rounding
SAME = 1e-7  # eigenvalues of different runs that differ by less than this part are the same


@dataclass
class Disc:
    """The eigenvalues near a shift, with eigenvectors as columns."""

    center: complex
    values: Vector
    vectors: Vector

    @property
    def radius(self) -> float:
        """The radius within which all eigenvalues are known."""
        return float(np.abs(self.values - self.center).max(initial=0.0))


def eigenvalues(
    J: Any, M: Any, shifts: Sequence[complex], count: int, unstable: Vector | None = None
) -> tuple[Vector, Vector]:
    """Return eigenvalues, shape (k,), and eigenvectors, shape (n, k); complex ones in pairs.

    Parameters
    ----------
    J, M : csr_array, shape (n, n)
    shifts : sequence of complex
        Eigenvalues near these are computed. Up to 1000 unknowns all are; up to 200 if M is
        singular or not diagonal.
    count : int
        Number of eigenvalues near each shift.
    unstable : ndarray, optional
        Unstable eigenvalues at the point before; those that continue them are computed too.

    Raises
    ------
    LinearSolveError
        If J - sigma M is singular at and near a shift.
    """
    if are_all_computed(M, count):
        if _is_diagonal(M):
            # that of SciPy 1.17 returns wrong values where they are beyond 1e138 or below 1e-138
            values, vectors = np.linalg.eig(J.toarray() / M.diagonal()[:, None])
            return values.astype(complex), vectors.astype(complex)
        balance = Balance.of(J, M)
        values, vectors = scipy.linalg.eig(*(balance.scaled(A).toarray() for A in (J, M)))
        finite = np.isfinite(values)
        return values[finite], balance.columns[:, None] * vectors[:, finite]
    balance = Balance.of(J, M)
    J, M = balance.scaled(J), balance.scaled(M)
    discs = [_disc(J, M, shift, count) for shift in shifts]
    before = np.empty(0) if unstable is None else unstable[unstable.imag >= 0.0]
    for value in before:
        place = complex(value)
        for _ in range(TRIES):
            if value not in _lost(before, discs):
                break
            discs.append(_disc(J, M, place, count))
            place *= OUTWARD
    values, vectors = _joined_discs(discs)
    return values, balance.columns[:, None] * vectors


def all_eigenvalues(J: Any, M: Any) -> Vector:
    """Return all finite eigenvalues of J v = mu M v, without vectors; real ones if symmetric.

    The vectors take half of the time of the QR algorithm. A symmetric matrix takes an eighth.
    """
    values: Vector
    if not _is_diagonal(M):
        balance = Balance.of(J, M)
        values = scipy.linalg.eigvals(*(balance.scaled(B).toarray() for B in (J, M)))
        return values[np.isfinite(values)]
    A, mass = J.toarray(), M.diagonal()
    if (np.sign(mass) == np.sign(mass[0])).all() and is_symmetric(A):
        roots = np.sqrt(np.abs(mass))
        values = scipy.linalg.eigvalsh(A / np.outer(roots, roots)) * np.sign(mass[0])
    else:
        values = np.linalg.eigvals(A / mass[:, None]).astype(complex)
    return values


def are_all_computed(M: Any, count: int) -> bool:
    """Whether a system with this mass matrix is small enough for all eigenvalues."""
    n = M.shape[0]
    return n <= SMALL or (n <= MEDIUM and _is_diagonal(M)) or count >= n - 2


def _is_diagonal(M: Any) -> bool:
    return bool(M.nnz == M.shape[0] and M.diagonal().all())


def known_within(values: Vector, shift: complex, count: int) -> float:
    """Return the distance from a shift within which no eigenvalue is missing, of some in discs.

    It is 0 if fewer than `count` are known: Arnoldi's method did not converge to all.
    """
    away = np.sort(np.abs(values - shift))
    return float(away[count - 1]) if len(away) >= count else 0.0


def growth_near(values: Vector, shift: complex, count: int) -> float:
    """Return the power of the distance with which the number of eigenvalues within it grows."""
    half, whole = (known_within(values, shift, k) for k in (count // 2, count))
    return math.log(2.0) / math.log(whole / half) if 0.0 < half < whole else math.inf


def most_near(n: int) -> int:
    """Return how many eigenvalues of n may be computed near a shift, so that it takes seconds."""
    return min(MOST, math.isqrt(WORK // n), n // 4)


def _lost(before: Vector, discs: Sequence[Disc]) -> list[complex]:
    """Return the unstable eigenvalues of the point before that none in the discs continues."""
    known = _joined_discs(discs)[0]
    free = known[(known.real > 0.0) & (known.imag >= 0.0)]
    lost = []
    for value in sorted(before, key=abs, reverse=True):
        away = np.abs(free - value)
        if away.min(initial=np.inf) <= MOVED * abs(value):
            free = np.delete(free, np.argmin(away))
        elif all(abs(value - disc.center) > INSIDE * disc.radius for disc in discs):
            lost.append(value)
    return lost


def _joined_discs(discs: Sequence[Disc]) -> tuple[Vector, Vector]:
    """Return the eigenvalues of several overlapping discs, each once.

    An eigenvalue that is twice in one disc is a double one.
    """
    size = max(float(np.abs(disc.values).max(initial=1e-300)) for disc in discs)
    kept, vectors = list[complex](), list[Vector]()
    for disc in discs:
        known = np.array(kept)
        for k in np.flatnonzero(disc.values.imag >= -REAL * size):
            value = complex(disc.values[k])
            value = value if value.imag > REAL * size else complex(value.real)
            near = np.abs(known - value)
            if near.min(initial=np.inf) < SAME * size:
                known[np.argmin(near)] = np.inf  # it is that one, and no other
                continue
            kept.append(value)
            vectors.append(disc.vectors[:, k])
    pairs = [k for k, value in enumerate(kept) if value.imag > 0.0]
    both = [*vectors, *(np.conj(vectors[k]) for k in pairs)]
    return np.array([*kept, *(np.conj(kept[k]) for k in pairs)]), np.array(both).T


def _disc(J: Any, M: Any, shift: complex, count: int) -> Disc:
    """Return the eigenvalues near a shift, which is moved a little where it is one of them."""
    sigma: complex = shift.real if np.imag(shift) == 0.0 else shift
    nudge = 1e-6 * float(np.abs(J.diagonal()).max() or 1.0)
    for _ in range(3):
        try:
            return _by_inverse(J, M, sigma, count)
        except LinearSolveError:
            sigma += nudge
            nudge *= 30.0
    raise LinearSolveError(f"J - sigma M is singular at and near sigma = {shift}")


def _by_inverse(J: Any, M: Any, sigma: complex, count: int) -> Disc:
    n = J.shape[0]
    A = sp.csr_array(J - sigma * M) if sigma != 0.0 else J
    solver = linear.LinearSolver(Pattern.of(A))
    solver.factorize(A)
    operator = LinearOperator((n, n), lambda v: solver.solve(M @ v), dtype=np.result_type(sigma))
    start = np.random.default_rng(0).uniform(0.5, 1.0, n)
    theta: Any
    vectors: Any
    try:
        theta, vectors = eigs(operator, k=count, which="LM", v0=start)
    except ArpackNoConvergence as partial:
        theta, vectors = partial.eigenvalues, partial.eigenvectors
    kept = np.abs(theta) > 1e-300
    return Disc(sigma, sigma + 1.0 / theta[kept], vectors[:, kept])
