"""Continue a sweep along the branch where no step in the parameter succeeds.

A fold is located and told apart from other obstacles. If the branch returns, it leads to the
requested value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...bifurcation.folds import Folds
from ...continuation.columns import Column
from ...continuation.runs.follow import StopRule, follow
from ...continuation.stepper import RunState
from ...continuation.steppers.arclength import Arclength
from ...continuation.steppers.arclength_stepper import ArclengthStepper
from ...continuation.steppers.natural_stepper import NaturalStepper, Passage
from ...results.history import Stats
from ...results.special_points import ApproximateSpecialPoint
from ...results.status import Status
from ..diagnosis.diagnosis import singular_along
from ..families.gauged_family import curve_family, lifted, stripped
from .path_family import PathFamily

MOST = 60  # points to look for the fold
ONWARDS = 400  # points to come to the target


def pass_fold(
    family: PathFamily,
    onwards: bool,
    detected: bool,
    stepper: NaturalStepper,
    state: RunState,
    target: float,
) -> Passage:
    """Follow the curve from the last point of a sweep, which no step can leave.

    Parameters
    ----------
    onwards : bool
        Continue past the fold to the target; else only to the first fold.
    detected : bool
        List the folds among the special points.
    stepper, state, target
        See `NaturalStepper`.
    """
    here = state.here
    line = family.path.line(min(here.p, target))
    system = curve_family(family.system, line, here.x, here.p, family.workspace)
    span, rising = abs(target - stepper.values[stepper.reached - 1]), target > here.p
    method = Arclength(step=(1.0 if rising else -1.0) * 1e-3 * span, max_step=0.2 * span)
    bounds = (-np.inf, target) if rising else (target, np.inf)
    z, detectors = lifted(system, np.append(here.x, here.p)), (Folds(),)
    curve = ArclengthStepper(
        system, family.workspace, method, bounds, lambda state: (z, None), detectors=detectors
    )
    run = RunState((Column("p", lambda point: point.p), *curve.columns))
    rule = StopRule(ONWARDS) if onwards else StopRule(MOST, stop=("fold",))
    follow(curve, run, detectors, rule)  # at a branch point it ends at once, without a point
    seconds = dict(system.seconds)
    state.stats.add(Stats(nfev=system.nfev, njev=system.njev, seconds=seconds))
    return _passage(family, stepper, state, run, target, (system, detected))


def _passage(
    family: PathFamily,
    stepper: NaturalStepper,
    state: RunState,
    run: RunState,
    target: float,
    found_in: tuple[Any, bool],
) -> Passage:
    """Return what came of it: the solution at the target, the folds, what stands in the way."""
    here, (system, detected) = state.here, found_in
    passage = Passage()
    folds = [stripped(system, special) for special in run.special_points]
    for fold in folds:
        fold.marker = Folds.marker
    passage.special_points = folds if detected else []
    if run.status.success and run.point is not None and run.point.p == target:
        passage.x = run.point.x[: len(here.x)]
    if folds:
        where = family.path.label(folds[0].parameter, 12)
        about = "about " if isinstance(folds[0], ApproximateSpecialPoint) else ""
        passage.said = f"the curve turns back at a fold at {about}{where}"
    elif passage.x is None and stepper.first[0] != here.p:
        places = [stepper.first, (here.p, here.x)]
        cause = singular_along([(family.at(p), x) for p, x in places], family.workspace)
        if cause:
            passage.said, passage.status = cause, Status.SINGULAR_JACOBIAN
    return passage
