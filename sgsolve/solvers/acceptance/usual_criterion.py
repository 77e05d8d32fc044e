"""The numbers of a termination criterion of the usual form, for loops in machine code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...arrays import EPS
from .termination import And, ErrorTolerance, Or, ResidualTolerance, RoundingLevel, TerminationTest


class UsualCriterion(NamedTuple):
    """The numbers of `ResidualTolerance` & (`ErrorTolerance` | `RoundingLevel`).

    Attributes
    ----------
    residual, error, rounding : float
        Relative; `rounding` is a part of the terms, too.
    of_scale : bool
        Of both criteria on the residual.
    """

    residual: float
    error: float
    rounding: float
    of_scale: bool


def usual_criterion(test: TerminationTest) -> UsualCriterion | None:
    """Return the numbers of a criterion of the usual form; None for another form."""
    if type(test) is not And or type(test.right) is not Or:
        return None
    small, accurate, rounded = test.left, test.right.left, test.right.right
    if type(small) is not ResidualTolerance or type(rounded) is not RoundingLevel:
        return None
    if type(accurate) is not ErrorTolerance or small.of_scale != rounded.of_scale:
        return None
    if isinstance(small.absolute, Mapping) or small.absolute != 0.0:
        return None
    rounding = rounded.factor * EPS
    return UsualCriterion(small.relative, accurate.relative, rounding, small.of_scale)
