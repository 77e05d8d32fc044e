"""Points of codimension 2: test functions along curves of folds and of Hopf points.

Each test function changes sign at one kind of point. Some eigenvalues are critical all along the
curve; the tests use the others. For large systems only the eigenvalues near given shifts are
computed. The value of a test may then jump where another eigenvalue comes near. Such a jump is
told from a zero when the point is located.

Reference: Y. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), chapter 8; W. Govaerts,
Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section 4.4 (products of sums).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..arrays import Vector
from ..continuation.columns import Column
from ..continuation.locating.events import Event
from ..continuation.stepper import Found, Point
from ..results.special_points import ApproximateSpecialPoint
from .spectra.spectrum import all_eigenvalues, eigenvalues

CUSP = "cusp"
BOGDANOV_TAKENS = "bogdanov-takens"
GENERALIZED_HOPF = "generalized hopf"
ZERO_HOPF = "zero hopf"
DOUBLE_HOPF = "double hopf"
ON_FOLDS = (CUSP, BOGDANOV_TAKENS, ZERO_HOPF)
ON_HOPF_POINTS = (BOGDANOV_TAKENS, GENERALIZED_HOPF, ZERO_HOPF, DOUBLE_HOPF)
MARKERS = {CUSP: "*", BOGDANOV_TAKENS: "P", GENERALIZED_HOPF: "X", ZERO_HOPF: "d", DOUBLE_HOPF: "h"}

JUMP = 0.01  # part of the values at both ends above which a test is not zero at a located point
LARGE = 400  # unknowns up to which all eigenvalues are computed at every point
ASIDE = 0.1  # distance of a shift from a critical eigenvalue, relative to the others
ON_AXIS = 1e-6  # part of its size up to which the real part of an eigenvalue is zero
REAL = 1e-8  # imaginary parts below this part of the largest eigenvalue are rounding
OPEN = 1e-3  # part of the largest eigenvalue above which an imaginary part is certain
Test = Callable[[Vector, float], float]
Values = Callable[[Vector, float], Vector]


class CodimensionTwo(Event):
    """The detector of one kind of points of codimension 2.

    Parameters
    ----------
    test : callable
        ``test(x, p)`` in the unknowns of the run.
    proof : callable, optional
        ``proof(x, p)`` -> whether a zero of the test is such a point.
    coefficients : callable, optional
        ``coefficients(x, p)`` -> the coefficients of the normal form.
    columns : sequence of Column
        What it adds to the branch.
    """

    def __init__(
        self,
        kind: str,
        test: Test,
        proof: Callable[[Vector, float], bool] | None = None,
        coefficients: Callable[[Vector, float], dict[str, float]] | None = None,
        columns: Sequence[Column] = (),
    ) -> None:
        super().__init__(kind, test)
        self.marker, self.columns = MARKERS[kind], columns
        self._proof, self._coefficients = proof, coefficients

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the point between two points, if there is one."""
        found = [one for one in super().locate(stepper, a, b) if self._is_zero(one, a, b)]
        if self._proof is not None:
            found = [one for one in found if self._proof(one.point.x, one.point.p)]
        for one in found:
            if self._coefficients is not None:
                one.special.coefficients |= self._coefficients(one.point.x, one.point.p)
        return found

    def _is_zero(self, one: Found, a: Point, b: Point) -> bool:
        """Whether a change of sign is a zero: no jump, no pole as of l1 at a zero-Hopf point."""
        ends = abs(float(a.tests[self.kind])), abs(float(b.tests[self.kind]))
        most = 1.0 if isinstance(one.special, ApproximateSpecialPoint) else JUMP
        return abs(self._test(one.point)) <= most * max(ends)


def pencil_eigenvalues(J: Any, C: Any) -> Vector:
    """Return the finite eigenvalues of dx/dt in C dx/dt + J x = 0, shape (k,)."""
    return all_eigenvalues(sp.csr_array(J), sp.csr_array(-C))


def leading_eigenvalues(
    J: Any, C: Any, shifts: Sequence[complex], count: int, critical: complex
) -> Vector:
    """Return the eigenvalues of dx/dt in C dx/dt + J x = 0 near some numbers, shape (k,).

    A shift on the critical eigenvalue, which is known, is moved aside: beside an eigenvalue that
    is so much nearer to the shift, the others would lose their digits.
    """
    J, M = sp.csr_array(J), sp.csr_array(-C)
    size = abs(critical)
    if not size:
        size = float(np.median(np.abs(eigenvalues(J, M, (0.0,), count)[0])))
    aside = ASIDE * size
    near = any(abs(shift - critical) < aside for shift in shifts)
    moved = [shift for shift in shifts if abs(shift - critical) >= aside]
    if critical or near:
        moved.append(critical + aside * (1j if critical else 1.0))
    return eigenvalues(J, M, moved, count)[0]


def without(values: Vector, critical: Sequence[complex]) -> Vector:
    """Return eigenvalues without those nearest to the critical ones."""
    for value in critical:
        values = np.delete(values, np.argmin(np.abs(values - value)))
    return values


def real_test(values: Vector) -> float:
    """Return a function that changes sign where a real eigenvalue passes zero."""
    size = float(np.abs(values).max(initial=0.0))
    real = values.real[np.abs(values.imag) <= REAL * size]
    return float(np.prod(np.sign(real)) * np.abs(real).min(initial=1.0)) if len(real) else 1.0


def pair_test(values: Vector) -> float:
    """Return a function that changes sign where two eigenvalues have the sum zero."""
    i, j = np.triu_indices(len(values), 1)
    if not len(i):
        return 1.0
    sums = values[i] + values[j]
    phase = np.prod(np.where(sums == 0.0, 0.0, sums / np.where(sums == 0.0, 1.0, np.abs(sums))))
    return float(np.sign(phase.real) * np.abs(sums).min())


def has_pair_on_axis(values: Vector) -> bool:
    """Whether the eigenvalues with a vanishing sum are an oscillation, not two real ones."""
    return frequency_on_axis(values) > OPEN * float(np.abs(values).max())


def frequency_on_axis(values: Vector) -> float:
    """Return the imaginary part of the eigenvalues with the smallest sum."""
    i, j = np.triu_indices(len(values), 1)
    k = int(np.argmin(np.abs(values[i] + values[j])))
    return float(np.abs(values[i[k]].imag))


def oscillation_test(values: Vector) -> float:
    """Return a function that changes sign where a complex pair passes the axis.

    It serves where some eigenvalues are known only: stable ones that are missing do not matter.
    """
    pairs = values[values.imag > REAL * np.abs(values).max(initial=0.0)]
    if not len(pairs):
        return 1.0
    unstable = int((pairs.real > 0.0).sum())
    return float((-1.0) ** unstable * np.abs(pairs.real).min())


def is_pair_zero(values: Vector) -> bool:
    """Whether the real part of a complex pair is zero, and has not appeared among those known."""
    pairs = values[values.imag > REAL * np.abs(values).max(initial=0.0)]
    return bool((np.abs(pairs.real) <= ON_AXIS * np.abs(pairs)).any())


def is_real_zero(values: Vector) -> bool:
    """Whether a real eigenvalue is zero, and has not appeared among those known."""
    size = float(np.abs(values).max(initial=0.0))
    real = values.real[np.abs(values.imag) <= REAL * size]
    return bool((np.abs(real) <= ON_AXIS * size).any())
