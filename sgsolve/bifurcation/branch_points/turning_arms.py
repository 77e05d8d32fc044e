"""Whether the parameter has an extremum at a branch point, as along both arms of a pitchfork.

The derivative of the parameter then has different signs on the two sides of the branch point, at
every distance. Beside a fold at a distance d from the branch point, the signs are the same at all
distances below d, and the mean of the two hardly changes. They are computed at ever shorter
distances, down to the error that the corrector allows, or to where rounding decides: until then the
difference of the two derivatives decreases with the distance. What the points of the curve cannot
tell apart is one special point.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.corrector import ERROR
from ...continuation.curve_points.curve import ASIDE, Curve
from ...continuation.stepper import Point
from ...results.special_points import SpecialPoint

FIRST = 0.25  # first distance from the branch point, in steps
SHORTER = 0.5  # each distance is this part of the one before
DECREASED = 0.75  # largest ratio of two differences; it is 0.5 where the parameter is a parabola
CONFIRMED = 2  # number of distances in a row at which the signs must be the same
KEPT = (0.5, 2.0)  # ratio of the means of the two derivatives at these distances: not of rounding


def turns_there(curve: Curve, branch_point: SpecialPoint, a: Point, b: Point) -> bool | None:
    """Whether the parameter has its extremum between a and b at a branch point.

    False also if no points are found near the branch point, so that no fold is lost. None if no
    points are found at shorter distances, where the signs may change.
    """
    reach = curve.metric.norm(b.z - a.z)
    z = np.append(branch_point.x, branch_point.parameter)
    along = curve.metric.unit(b.z - a.z) if branch_point.tangent is None else branch_point.tangent
    turns, same, before, mean, distance = False, 0, np.nan, np.nan, FIRST
    while distance > ERROR:
        low, high = (_slope_of_parameter(curve, z, along, t * reach) for t in (-distance, distance))
        difference, ratio = high - low, (high + low) / mean
        if 0.0 < difference / before <= DECREASED:
            on = same > 0 and KEPT[0] <= ratio <= KEPT[1]
            turns, same = True, (1 + same * on) if low * high > 0.0 else 0
            if same == CONFIRMED:
                return False
        elif turns:
            return None if np.isnan(difference) else True  # otherwise rounding decides
        before, mean = difference or np.nan, (high + low) or np.nan
        distance *= SHORTER
    return turns


def _slope_of_parameter(curve: Curve, z: Vector, along: Vector, distance: float) -> float:
    """Return the parameter's part of the tangent at a distance from z along a direction.

    NaN if there is no point of the curve, or it is too far away to be on the same branch.
    """
    guess = z + distance * along
    corrected = curve.correct(guess, along, abs(distance))
    if corrected.at is None:
        return np.nan
    if curve.metric.norm(corrected.at.z - guess) > ASIDE * abs(distance):
        return np.nan
    point = curve.point(corrected, along, 0.0)
    return np.nan if point is None else float(point.tangent[-1])
