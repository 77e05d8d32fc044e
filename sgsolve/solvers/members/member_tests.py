"""Which members may have converged: the criteria of `termination` for many members at once.

A member that passes is tested again alone, by `termination_status`. A member that does not pass
cannot have converged by the criterion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import EPS, Mask, Vector
from ...results.blocks import Blocks
from ..acceptance.termination import (
    And,
    ErrorTolerance,
    Or,
    ResidualTolerance,
    RoundingLevel,
    TerminationTest,
)

# The sizes here are those of the Jacobian before the last step: they are right to this factor.
MARGIN = 2.0


@dataclass
class MemberPoints:
    """Where members stand.

    Attributes
    ----------
    F : ndarray, shape (count, n)
    own : ndarray, shape (count, n)
        Sizes of the own terms of the equations.
    estimate : ndarray, shape (count,)
        Estimated relative errors; infinite at a start.
    """

    F: Vector
    own: Vector
    estimate: Vector
    blocks: Blocks


def may_pass(test: TerminationTest, points: MemberPoints) -> Mask:
    """Return which members may fulfill a criterion; all for a criterion of the user's."""
    if type(test) is And:
        return may_pass(test.left, points) & may_pass(test.right, points)
    if type(test) is Or:
        return may_pass(test.left, points) | may_pass(test.right, points)
    if type(test) is ErrorTolerance:
        return points.estimate <= MARGIN * test.relative
    if type(test) is RoundingLevel:
        return _within(points, test.factor * EPS)
    if type(test) is ResidualTolerance:
        absolute: Any = test.absolute
        if isinstance(absolute, Mapping):
            absolute = points.blocks.spread(absolute, 0.0, "absolute")
        return _within(points, test.relative, absolute)
    return np.ones(len(points.F), dtype=bool)


def _within(points: MemberPoints, relative: float, absolute: Any = 0.0) -> Mask:
    allowed = MARGIN * (relative * points.own + absolute)
    within: Mask = (np.abs(points.F) <= allowed).all(axis=1)
    return within
