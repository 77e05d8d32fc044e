"""Stability: eigenvalues of the linearisation near the imaginary axis, and Hopf points.

One idea: for M dx/dt = F(x) the eigenvalues mu of J v = mu M v that matter are those near zero (or
near a frequency that the user names), and these are the largest of (J - sigma M)^-1 M: Arnoldi's
method with a factorisation of ours. Where a complex pair crosses the imaginary axis between two
points, its real part is followed to zero along the curve.

References: R. B. Lehoucq, D. C. Sorensen, C. Yang, ARPACK Users' Guide (1998), section 3.2; Y. A.
Kuznetsov, Elements of Applied Bifurcation Theory (2004), section 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

from .. import linear
from ..errors import InputError, LinearSolveError
from ..pattern import Pattern
from ..result.branch import Special
from .curve import Curve, Spot
from .detector import Found
from .roots import crossing
from .rough import rough

Vector = NDArray[Any]

KEY = "eigenvalues"
SMALL = 200  # up to here all eigenvalues are computed
CROSSED = 1e-6  # part of its real parts before and after that a pair has left where it crosses


@dataclass(frozen=True)
class Stability:
    """Which eigenvalues to compute at every point.

    Parameters
    ----------
    mass : float, ndarray of shape (n,) or sparse matrix
        M in M dx/dt = F(x); the identity by default. Where F is the negative of the right-hand
        side, -1.
    count : int
        How many eigenvalues near each shift; all of them up to 200 unknowns.
    shifts : tuple of complex
        Where to look: 0, and i omega for oscillations that are expected with frequency omega.
    tolerance : float
        Real parts above this count as unstable, relative to the largest eigenvalue found.
    """

    mass: Any = 1.0
    count: int = 10
    shifts: tuple[complex, ...] = (0.0,)
    tolerance: float = 1e-10

    def matrix(self, n: int) -> Any:
        """Return M, a ``csr_array`` of shape (n, n)."""
        if sp.issparse(self.mass):
            given: Any = self.mass
            M: Any = sp.csr_array(given)
        else:
            mass = np.asarray(self.mass, dtype=float)
            if mass.ndim == 2:
                M = sp.csr_array(mass)
            else:
                try:
                    M = sp.csr_array(sp.diags_array(np.broadcast_to(mass, n).copy()))
                except ValueError:
                    raise InputError(
                        f"mass has shape {mass.shape} for {n} unknowns; give a number, a vector of "
                        "length n, or a matrix"
                    ) from None
        if M.shape != (n, n):
            raise InputError(f"mass has shape {M.shape} for {n} unknowns")
        return M


def eigenvalues(J: Any, M: Any, settings: Stability) -> tuple[Vector, Vector]:
    """Return eigenvalues near the shifts, shape (k,), and vectors, shape (n, k)."""
    n = J.shape[0]
    if n <= SMALL or settings.count >= n - 2:
        values, vectors = scipy.linalg.eig(J.toarray(), M.toarray())
        finite = np.isfinite(values)
        return values[finite], vectors[:, finite]
    pairs = [_near(J, M, shift, settings.count) for shift in settings.shifts]
    values = np.concatenate([pair[0] for pair in pairs])
    vectors = np.concatenate([pair[1] for pair in pairs], axis=1)
    # neighbouring shifts find the same ones; the conjugate of a pair belongs to it
    size = float(np.abs(values).max(initial=1e-300))
    unique = [i for i, v in enumerate(values) if not (np.abs(values[:i] - v) < 1e-7 * size).any()]
    return values[unique], vectors[:, unique]


def _near(J: Any, M: Any, shift: complex, count: int) -> tuple[Vector, Vector]:
    n = J.shape[0]
    solver, sigma = _shifted(J, M, shift)
    operator = LinearOperator((n, n), lambda v: solver.solve(M @ v), dtype=np.result_type(sigma))
    start = np.random.default_rng(0).uniform(0.5, 1.0, n)
    theta: Any
    vectors: Any
    try:
        theta, vectors = eigs(operator, k=count, which="LM", v0=start)
    except ArpackNoConvergence as partial:
        theta, vectors = partial.eigenvalues, partial.eigenvectors
    kept = np.abs(theta) > 1e-300
    return sigma + 1.0 / theta[kept], vectors[:, kept]


def _shifted(J: Any, M: Any, shift: complex) -> tuple[Any, complex]:
    """Return a factorisation of J - sigma M with sigma at or near the shift."""
    sigma: complex = shift.real if np.imag(shift) == 0.0 else shift
    nudge = 1e-6 * float(np.abs(J.diagonal()).max() or 1.0)
    for _ in range(3):
        A = sp.csr_array(J - sigma * M) if sigma != 0.0 else J
        solver = linear.auto(Pattern.of(A))
        try:
            solver.factorize(A)
            solver.solve(np.ones(A.shape[0]))
        except LinearSolveError:
            sigma += nudge
            nudge *= 30.0
            continue
        return solver, sigma
    raise LinearSolveError(f"J - sigma M is singular at and near sigma = {shift}")


class Eigenvalues:
    """The detector of changes of stability; see `sgsolve.continuation.detector.Detector`.

    Parameters
    ----------
    settings : Stability
    n : int
    """

    needs_factorization = False

    def __init__(self, settings: Stability, n: int) -> None:
        self.settings, self.M = settings, settings.matrix(n)

    def measure(self, curve: Curve, spot: Spot, before: Spot | None) -> None:
        """Compute the eigenvalues."""
        spot.tests[KEY] = eigenvalues(spot.at.J, self.M, self.settings)[0]

    def unstable(self, spot: Spot) -> int:
        """Return the number of unstable eigenvalues found at a spot."""
        values = spot.tests[KEY]
        size = float(np.abs(values).max(initial=0.0))
        return int((values.real > self.settings.tolerance * size).sum())

    def locate(self, curve: Curve, a: Spot, b: Spot) -> list[Found]:
        """Return the Hopf points between two spots: one for each complex pair that crosses."""
        first, last = _pairs(a.tests[KEY]), _pairs(b.tests[KEY])
        counts = [int((pairs.real > 0.0).sum()) for pairs in (first, last)]
        # a pair that is missing at one end became real there, or was none of those computed
        known = min(max(counts), len(first), len(last))
        found = [self._crossing(curve, a, b, rank) for rank in range(min(counts), known)]
        return [one for one in found if one is not None]

    def _crossing(self, curve: Curve, a: Spot, b: Spot, rank: int) -> Found | None:
        """Return the place where the pair of a rank, from the right, crosses the axis."""

        def test(spot: Spot) -> float:
            if KEY not in spot.tests:
                self.measure(curve, spot, None)
            pairs = _pairs(spot.tests[KEY])
            return float(pairs[rank].real) if rank < len(pairs) else -abs(ends[0] - ends[1])

        ends = 0.0, 0.0
        ends = test(a), test(b)
        root = crossing(curve, a, b, test, 1e-13, ends)
        if root is None:
            return None
        spot = root.spot
        if not root.exact:
            return rough(curve, "hopf", spot, root.other)
        if not abs(root.value) <= CROSSED * max(abs(end) for end in ends):
            return None  # the pair became real to the right of the axis
        values, vectors = eigenvalues(spot.at.J, self.M, self.settings)
        upper = np.where(values.imag > 0.0, np.abs(values.real), np.inf)
        k = int(np.argmin(upper))
        special = Special("hopf", spot.p, spot.x.copy(), vectors[:, k], tangent=spot.tangent)
        special.frequency = float(values[k].imag)
        return Found(spot, special)


def _pairs(values: Vector) -> Vector:
    """Return the eigenvalues in the upper half plane, largest real part first."""
    size = float(np.abs(values).max(initial=0.0))
    upper = values[values.imag > 1e-9 * size]
    return upper[np.argsort(-upper.real)]
