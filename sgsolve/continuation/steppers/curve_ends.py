"""Where a run along a curve ends: on a bound, out of it, near it, or back at the start.

A branch may tend to a bound of its parameter without reaching it. The tangent predicts the
arclength that is left to the bound. On a branch that reaches the bound, it falls by about the
length of each step. On a branch that only tends to the bound, such as p = exp(-x) to p = 0, it
stays constant or grows. The distance then falls by a factor at each step. A long step may lead to
where rounding hides the distance; it is made shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ...results.special_points import ApproximateSpecialPoint
from ..locating.bracket import opposite
from ..locating.detector import Detector, located
from ..runs.follow import SINGULAR
from ..stepper import Point, Rejection

ON = 1e-6  # distance of a special point that lies on a bound, as a part of the step
CLOSED = 0.05  # distance from the start at which a curve may be closed, as a part of the step
SAME = 1e-4  # ... and of the point that is computed beside the start
NEAR = 1e-9  # distance to the bound where the test begins, relative to the largest on the branch
COARSE = 1e-2  # ... and of the last point of a run that had to end
LAST = 4  # number of points that the test uses
GONE = 0.5  # least arclength over these points, relative to the longest step
ORDER = 50.0  # a branch may touch a bound as this power of the arclength that is left
GROWS = 3.0  # allowed growth of the predicted arclength, relative to the step
TENDS = "tends"  # cause of a rejection where a branch only tends to a bound
FLAT = 5e-4  # part of the distance to a bound that is left before it, where it is not reached
ROUNDING = 16.0  # units in the last place of the bound; smaller distances are rounding errors


@dataclass(frozen=True)
class CurveEnds:
    """The ends of a curve within a step; the stepper has `curve` and `home`, where it started.

    Parameters
    ----------
    bounds : (float, float)
        Of the parameter.
    detectors : sequence of Detector
        Used where a special point lies on a bound.
    """

    bounds: tuple[float, float]
    detectors: Sequence[Detector]

    def of_step(self, stepper: Any, a: Point, b: Point) -> Point | Rejection:
        """Return the new point b, or the last point of the run on a bound or a closed curve."""
        for bound in self.bounds:
            inside, now = a.p - bound, b.p - bound
            if inside != 0.0 and opposite(inside, now):
                text = f"the bound {bound:.10g} of the parameter is reached"
                last: Point | None = stepper.curve.hit(a, b, bound)
                last = last or self._on_bound(stepper, a, b, bound)
                if last is None:
                    return Rejection(a.p, f"the bound {bound:.10g} could not be hit", "bound")
                try:
                    if _only_tends(stepper.curve, a, last):
                        text = f"the branch tends to the bound {bound:.10g}"
                        return Rejection(bound, text, TENDS)
                except LinearSolveError as error:
                    return Rejection(bound, f"at the bound {bound:.10g}: {error}", SINGULAR)
                last.ending = text
                return last
            outward = 1.0 if bound == self.bounds[1] else -1.0
            if outward * inside >= 0.0 and outward * now > self._slack():
                b.recorded = False
                b.ending = f"the branch leads out of the bound {bound:.10g} of the parameter"
                return b
        return self._closed(stepper, a, b) if a.s > 0.0 else b

    def _closed(self, stepper: Any, a: Point, b: Point) -> Point | Rejection:
        """Return b, which ends the run where the curve came back to its start."""
        curve, home = stepper.curve, stepper.home
        length = curve.metric.norm(b.z - a.z)
        if length == 0.0:
            return Rejection(a.p, "the step is lost to rounding", "rounding")
        t = curve.metric.dot(home - a.z, a.tangent) / length
        gap = curve.metric.norm(curve.interpolated(a, b, t) - home)
        if 0.0 < t <= 1.0 and gap < CLOSED * length:
            if _passes(curve, a, b, home, stepper.outbound):
                b.ending = "the curve is closed: it is back where it started"
            curve.corrector.factorize(b.at, curve.row(b.tangent))
        return b

    def _slack(self) -> float:
        """Return how far beyond a bound a parameter may be by rounding."""
        finite = [abs(bound) for bound in self.bounds if np.isfinite(bound)]
        span = self.bounds[1] - self.bounds[0]
        return ON * (span if np.isfinite(span) else max(finite, default=0.0))

    def _on_bound(self, stepper: Any, a: Point, b: Point, bound: float) -> Point | None:
        """Return a special point that lies on the bound, or None.

        The equations with the parameter held at the bound are singular there: no corrector
        converges.
        """
        curve = stepper.curve
        try:
            curve.corrector.factorize(b.at, curve.row(b.tangent))
            for detector in self.detectors:
                detector.measure(stepper, b, a)
            found = located(stepper, a, b, self.detectors)
        except LinearSolveError:
            return None
        for k, one in enumerate(found):
            near = abs(one.point.p - bound) <= ON * abs(b.p - a.p)
            if near and not isinstance(one.special, ApproximateSpecialPoint):
                one.point.p = bound
                for detector in self.detectors:
                    if not detector.needs_factorization:
                        detector.measure(stepper, one.point, a)
                one.point.found = found[: k + 1]
                return one.point
        return None


def _passes(curve: Any, a: Point, b: Point, home: Vector, outbound: Vector) -> bool:
    """Whether the curve between two points goes through its start, in the direction it had there.

    A curve that turns back within a narrow loop passes near its start, too.
    """
    length = curve.metric.norm(b.z - a.z)
    guess = curve.interpolated(a, b, curve.metric.dot(home - a.z, a.tangent) / length)
    guess = guess + curve.metric.dot(home - guess, a.tangent) * a.tangent
    found = curve.point(curve.correct(guess, a.tangent, length), a.tangent, b.s)
    if found is None or curve.metric.norm(found.z - home) > SAME * length:
        return False
    return bool(curve.metric.dot(found.tangent, outbound) > 0.0)


def _only_tends(curve: Any, a: Point, last: Point) -> bool:
    """Whether a step to a point on a bound went the whole way to it long before its end.

    The branch is flat at that point. Where p is the fifth power of x it is flat as well, but after
    three quarters of the step 1/1024 of p is left. The bordered Jacobian is factorized at a point
    that was hit again.
    """
    reach, inside = curve.metric.norm(last.z - a.z), abs(a.p - last.p)
    if abs(float(last.tangent[-1])) * reach > FLAT * inside:
        return False
    before = curve.between(a, last, 0.75)
    if last.found is None:
        curve.corrector.factorize(last.at, curve.row(last.tangent))
    return before is not None and abs(before.p - last.p) <= FLAT * inside


def approached(
    table: tuple[Sequence[float], Sequence[float], Sequence[float]],
    bounds: tuple[float, float],
    longest: float,
    near: float = NEAR,
) -> float | None:
    """Return the bound that the last points tend to, or None.

    Parameters
    ----------
    table : (p, s, tangent)
        Three columns: parameter, arclength, and parameter component of the tangent.
    bounds : (float, float)
    longest : float
        The longest step.
    near : float
        Largest distance of the last point to the bound, relative to the largest on the branch.
    """
    if len(table[0]) < LAST:
        return None
    for bound in bounds:
        if np.isfinite(bound) and is_near(table[0], bound, near):
            p, s, share = (np.array(column[-LAST:]) for column in table)
            if _tends(np.abs(p - bound), s, np.abs(share), longest):
                return float(bound)
    return None


def is_near(values: Sequence[float], bound: float, near: float = NEAR) -> bool:
    """Whether the last value is close to a bound, relative to the largest distance of all."""
    farthest = max(abs(max(values) - bound), abs(min(values) - bound))
    close = max(near * farthest, ROUNDING * float(np.spacing(abs(bound))))
    return abs(values[-1] - bound) <= close


def _tends(distance: Vector, s: Vector, share: Vector, longest: float) -> bool:
    """Whether the distance falls from point to point while the predicted arclength does not.

    The predicted arclength grows by a step per step for p = 1 / x, and without limit near a fold.
    On the way to a bound that is touched with order m, it falls by 1/m of a step per step.
    """
    gone = float(s[-1] - s[0])
    if not (np.diff(distance) <= 0.0).all() or gone < GONE * longest:
        return False
    if share[-1] == 0.0:  # smaller than any number
        return True
    change = np.diff(distance / np.where(share > 0.0, share, np.inf)) / np.diff(s)
    return bool(((change >= -1.0 / ORDER) & (change <= GROWS)).all())
