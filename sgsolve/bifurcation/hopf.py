"""Stability of the points of a run, and the detector of Hopf points.

A solution of M dx/dt = F(x) is unstable if an eigenvalue mu of J v = mu M v has a positive real
part. At a Hopf point a complex pair crosses the imaginary axis. The zero of its real part is
located between two points.

Reference: Y. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), section 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from ..arrays import Vector
from ..continuation.columns import Column
from ..continuation.locating.approximate_points import approximate_special_point
from ..continuation.locating.detector import STEP_DOUBT, Detector, Doubt, reserve_kind
from ..continuation.locating.locate import crossing
from ..continuation.stepper import Found, Point
from ..errors import InputError, LinearSolveError
from ..results.special_points import ApproximateSpecialPoint, SpecialPoint
from .normal_forms.form_coefficients import hopf_form
from .spectra.balance import Balance
from .spectra.hidden_pairs import EigenvalueCount, is_pair_hidden
from .spectra.spectrum import (
    REAL,
    all_eigenvalues,
    are_all_computed,
    eigenvalues,
    growth_near,
    known_within,
    most_near,
)
from .spectra.spectrum_bounds import count_above, farthest_unstable

HOPF = "hopf"
KEY, COUNT, REACH = "eigenvalues", "unstable eigenvalues", "known within"
NO_SIGN = 1e-13  # of l1 times the square of x over q, up to which its sign is rounding
# A state of zero has no size. There the sign is certain if l1 is this many times what it changes by
# where the parameter is off by this part of the step, ten times as much as at a located point.
CERTAIN, OFF = 10.0, 1e-9
HIDDEN = Doubt("a pair of eigenvalues crossed the axis and became real within the step", HOPF)
FASTEST = 0.5  # least power of a distance with which the number of eigenvalues within it grows
CROSSED = 1e-6  # real part of a pair on the axis, relative to those at the two points


@dataclass(frozen=True)
class Stability:
    """Settings of the eigenvalues that are computed at every point.

    Parameters
    ----------
    mass : float, ndarray of shape (n,), sparse matrix or callable
        M in M dx/dt = F(x); the identity by default. Where F is the negative of the right-hand
        side, -1. Or ``mass(x, p)`` -> M. With ``stability=True`` a problem with a ``storage`` Q has
        M = -dQ/dx.
    count : int
        Number of eigenvalues near each shift. Up to 1000 unknowns all eigenvalues are computed; up
        to 200 if `mass` is singular or not diagonal. In larger systems the number of unstable ones
        is still exact if J is symmetric and `mass` diagonal, or if some hundred eigenvalues
        near the first shift cover the region in which unstable ones can be. In a reaction with
        diffusion it reaches as far as the rates of the reactions. In others those beyond the
        column "known within" may be missing: the distance from the first shift within which none
        is. It is infinite where the number is exact.
    shifts : tuple of complex
        Eigenvalues near these numbers are computed: 0, and i omega if oscillations of the angular
        frequency omega are expected.
    tolerance : float
        Real parts above this count as unstable, relative to the largest eigenvalue found.

    See Also
    --------
    Problem.continuation : Takes it as ``stability=``.

    Examples
    --------
    The number of unstable eigenvalues along a branch with two folds, for dx/dt = F(x):

    >>> from sgsolve import Problem
    >>> from sgsolve.bifurcation import Stability
    >>> curve = Problem(lambda x, p: p + x - x**3 / 3, params={"p": -1.0})
    >>> branch = curve.continuation([-2.0], "p", (-1.0, 1.0), stability=Stability())
    >>> sorted(set(branch["unstable"].tolist()))
    [0, 1]
    """

    mass: Any = 1.0
    count: int = 10
    shifts: tuple[complex, ...] = (0.0,)
    tolerance: float = 1e-10
    kind: ClassVar[str] = HOPF
    column: ClassVar[str] = "unstable"

    def detector(self, n: int, extra: int = 0) -> Eigenvalues:
        """Return the detector; `extra` multipliers stand behind the unknowns."""
        return Eigenvalues(self, n, extra)

    @classmethod
    def of(cls, given: Any) -> Any:
        """Return the settings for True, anything else as it is."""
        return cls() if given is True else given

    @classmethod
    def or_default(cls, given: Any) -> Stability:
        """Return the settings if some were given, else the defaults."""
        return given if isinstance(given, Stability) else cls()

    def matrix(self, n: int) -> Any:
        """Return M, a ``csr_array`` of shape (n, n), where it is constant."""
        return _given_mass(self.mass, n)


def _given_mass(mass: Any, n: int) -> Any:
    M: Any
    if sp.issparse(mass):
        given: Any = mass
        M = sp.csr_array(given)
    else:
        values = np.asarray(mass, dtype=float)
        if values.ndim == 2:
            M = sp.csr_array(values)
        else:
            try:
                M = sp.csr_array(sp.diags_array(np.broadcast_to(values, n).copy()))
            except ValueError:
                raise InputError(
                    f"mass has shape {values.shape} for {n} unknowns; give a number, a vector of "
                    "length n, or a matrix"
                ) from None
    if M.shape != (n, n):
        raise InputError(f"mass has shape {M.shape} for {n} unknowns")
    return M


def _with_empty_rows(M: Any, count: int) -> Any:
    return sp.csr_array(sp.block_diag([M, sp.csr_array((count, count))]))


class Eigenvalues(Detector):
    """The detector of changes of stability; see `sgsolve.continuation.locating.detector.Detector`.

    Parameters
    ----------
    extra : int
        Multipliers of constraints behind the n unknowns; they have no mass.
    """

    kind, marker, changes_stability = HOPF, "D", True

    def __init__(self, settings: Stability, n: int, extra: int = 0) -> None:
        self.settings, self._n, self._extra = settings, n, extra
        self._constant = None if callable(settings.mass) else self._padded(settings.matrix(n))
        self.columns = (Column(Stability.column, self.unstable),)
        M = sp.csr_array((n + extra, n + extra)) if self._constant is None else self._constant
        if not are_all_computed(M, settings.count):
            self.columns = (*self.columns, Column(REACH, lambda point: float(point.tests[REACH])))

    def mass(self, x: Vector, p: float) -> Any:
        """Return M at a state, with empty rows for the multipliers."""
        if self._constant is not None:
            return self._constant
        return self._padded(_given_mass(self.settings.mass(x[: self._n], p), self._n))

    def _padded(self, M: Any) -> Any:
        return _with_empty_rows(M, self._extra) if self._extra else M

    def _matrices(self, stepper: Any, point: Point) -> tuple[Any, Any]:
        J = stepper.linearized(point).J
        return J, self._mass_beside(J, point.x, point.p)

    def _mass_beside(self, J: Any, x: Vector, p: float) -> Any:
        """Return M of the size of J, which has the multipliers of levels found to be open."""
        M = self.mass(x, p)
        found = J.shape[0] - M.shape[0]
        return _with_empty_rows(M, found) if found else M

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Compute the eigenvalues, with those that continue the unstable ones before."""
        known = None if before is None else before.tests.get(KEY)
        unstable = None if known is None else known[self._right(known)]
        J, M = self._matrices(stepper, point)
        if are_all_computed(M, self.settings.count):
            values, reach = all_eigenvalues(J, M), np.inf
        else:
            values, reach = self._near_shifts(J, M, unstable)
        count = int(self._right(values).sum())
        if np.isfinite(reach):
            sigma = self.settings.tolerance * float(np.abs(values).max(initial=0.0))
            certain = count_above(J, M, sigma)
            count, reach = (count, reach) if certain is None else (certain, np.inf)
        point.tests[KEY], point.tests[COUNT], point.tests[REACH] = values, count, reach

    def _near_shifts(self, J: Any, M: Any, unstable: Vector | None) -> tuple[Vector, float]:
        """Return eigenvalues near the shifts, and how far from the first one none is missing.

        More are computed if that can make the number of unstable ones certain.
        """
        shifts, count = self.settings.shifts, self.settings.count
        farthest, most = farthest_unstable(J, M, shifts[0]), most_near(len(J.indptr) - 1)
        growth = FASTEST
        while True:
            values = eigenvalues(J, M, shifts, count, unstable)[0]
            reach = known_within(values, shifts[0], count)
            if reach > farthest:
                return values, np.inf
            if count > self.settings.count:
                growth = growth_near(values, shifts[0], count)
            if not reach or not count * (farthest / reach) ** growth <= most or count >= most:
                return values, reach
            count = min(most, 5 * count)

    def unstable(self, point: Point) -> int:
        """Return the number of unstable eigenvalues at a point, of those that are known."""
        return int(point.tests[COUNT])

    def save(self, point: Point) -> dict[str, Any]:
        """Return the eigenvalues, and what is known of their number."""
        return {
            "values": point.tests[KEY],
            "count": point.tests[COUNT],
            "reach": point.tests[REACH],
        }

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        point.tests[KEY] = saved["values"]
        point.tests[COUNT], point.tests[REACH] = int(saved["count"]), float(saved["reach"])

    def _values(self, stepper: Any, point: Point) -> Vector:
        """Return all eigenvalues, or those near the shifts, without vectors."""
        J, M = self._matrices(stepper, point)
        if are_all_computed(M, self.settings.count):
            return all_eigenvalues(J, M)
        return self._near_shifts(J, M, None)[0]

    def _right(self, values: Vector) -> Vector:
        """Return which eigenvalues are unstable."""
        size = float(np.abs(values).max(initial=0.0))
        right: Vector = values.real > self.settings.tolerance * size
        return right

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the Hopf points between two points: one for each complex pair that crosses."""
        first, last = _upper_eigenvalues(a.tests[KEY]), _upper_eigenvalues(b.tests[KEY])
        counts = [int((pairs.real > 0.0).sum()) for pairs in (first, last)]
        # a pair that is missing at one end became real there, or was none of those computed
        known = min(max(counts), len(first), len(last))
        found = [self._crossing(stepper, a, b, rank) for rank in range(min(counts), known)]
        return [one for one in found if one is not None]

    def review(self, stepper: Any, a: Point, b: Point, found: Sequence[Found]) -> None:
        """Store a doubt if a pair crossed the axis within the step, and is not among those found.

        Nothing is stored where the number of unstable eigenvalues is not certain.
        """
        zeros = [one for one in found if one.special.changes_stability and one.special.kind != HOPF]
        known = [one for one in found if one.special.kind == HOPF]
        about = any(isinstance(one.special, ApproximateSpecialPoint) for one in zeros)
        certain = not about and all(np.isinf(point.tests[REACH]) for point in (a, b))
        if STEP_DOUBT in b.tests or not certain:
            return
        counts, least = [], self.settings.tolerance
        for one in zeros:
            values = self._values(stepper, one.point)
            counts.append(EigenvalueCount.at_zero(one.point.s, values, least))
        first, last = (EigenvalueCount.at_end(p.s, p.tests[KEY], least) for p in (a, b))
        if is_pair_hidden([first, *counts, last], [one.point.s for one in known]):
            b.tests[STEP_DOUBT] = HIDDEN

    def _crossing(self, stepper: Any, a: Point, b: Point, rank: int) -> Found | None:
        """Return the Hopf point of the pair with this rank, by descending real part."""

        def test(point: Point) -> float:
            if KEY not in point.tests:
                self.measure(stepper, point, a)
            pairs = _upper_eigenvalues(point.tests[KEY])
            return float(pairs[rank].real) if rank < len(pairs) else -abs(ends[0] - ends[1])

        ends = 0.0, 0.0
        ends = test(a), test(b)
        root = crossing(stepper, a, b, test, 1e-13, ends)
        if root is None:
            return None
        point = root.point
        if not root.exact:
            return approximate_special_point(HOPF, point, root.other)
        if not abs(root.value) <= CROSSED * max(abs(end) for end in ends):
            return None  # the pair became real to the right of the axis
        pair = _upper_eigenvalues(point.tests[KEY])[rank]
        # that pair may be far from the shifts, and known from the point before only
        J, M = self._matrices(stepper, point)
        shifts = (*self.settings.shifts, 1j * float(pair.imag))
        values, vectors = eigenvalues(J, M, shifts, self.settings.count)
        k = int(np.argmin(np.abs(values - pair)))
        special = SpecialPoint(HOPF, point.p, point.x.copy(), vectors[:, k], tangent=point.tangent)
        special.frequency = float(values[k].imag)
        l1 = self._lyapunov(stepper, point, special)
        if np.isfinite(l1):
            special.coefficients["l1"] = l1
            if self._has_sign(stepper, point, special, OFF * (b.p - a.p)):
                special.nature = "supercritical" if l1 < 0.0 else "subcritical"
        special.vector = vectors[: len(point.x), k]
        return Found(point, special)

    def _has_sign(self, stepper: Any, point: Point, special: SpecialPoint, off: float) -> bool:
        """Whether l1 is no rounding error, of its own or of the parameter."""
        l1, vector = special.coefficients["l1"], special.vector
        assert vector is not None
        units = Balance.of(*self._matrices(stepper, point)).columns[: len(point.x)]
        size = float(np.abs(point.x / units).max() / np.abs(vector[: len(point.x)] / units).max())
        if size > 0.0:
            return abs(l1) * size**2 > NO_SIGN
        other = self._lyapunov(stepper, replace(point, p=point.p + off), special)
        return abs(l1) > CERTAIN * abs(other - l1)

    def _lyapunov(self, stepper: Any, point: Point, special: SpecialPoint) -> float:
        """Return the first Lyapunov coefficient; NaN where it is not defined."""
        assert special.vector is not None
        # the points of a sweep have no multipliers
        x0 = np.append(point.x, np.zeros(len(special.vector) - len(point.x)))

        def pencil(x: Vector) -> tuple[Any, Any] | None:
            J = stepper.jacobian(x[: len(point.x)], point.p)
            return None if J is None else (J, -self._mass_beside(J, x, point.p))

        try:
            form = hopf_form(pencil, x0, special.frequency, special.vector)
        except (LinearSolveError, ArithmeticError):
            return np.nan  # another eigenvalue is on the axis, or the model ends here
        return form.l1


def _upper_eigenvalues(values: Vector) -> Vector:
    """Return the eigenvalues in the upper half plane, largest real part first."""
    size = float(np.abs(values).max(initial=0.0))
    upper = values[values.imag > REAL * size]
    return upper[np.argsort(-upper.real)]


reserve_kind(HOPF)
