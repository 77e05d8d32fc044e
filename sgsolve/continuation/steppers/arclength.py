"""Settings of pseudo-arclength continuation, and the rule for the step length.

The next step length follows from two measures of the last step: the iterations of the corrector,
and the angle between the tangents. The smaller of the two proposals is used. The metric is scaled
so that steps are in units of the parameter.

References: E. Allgower and K. Georg, Introduction to Numerical Continuation Methods (2003),
chapter 6; LOCA and AUTO for the rule by iterations.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, field

from ...errors import DataTypeError, InputError
from .predictors import CurvePredictor, TangentPredictor

GROW, SHRINK = 2.0, 0.5


@dataclass(frozen=True, kw_only=True)
class Arclength:
    """Step control of a continuation.

    Parameters
    ----------
    step : float, optional
        The first step, as a change of the parameter; its sign is the direction. By default a
        fiftieth of the range, or of the size of the parameter.
    max_step : float, optional
        Longest step along the branch, in units of the parameter; it limits the first one too. By
        default five first steps or more: a twentieth of the range. Two special points within one
        step can remain undetected.
    min_step : float, optional
        Shortest step; by default 1e-6 of the first one.
    max_angle : float
        The largest angle in degrees between the tangents of neighboring points. It prevents a
        jump to another branch.
    predictor : CurvePredictor
        `TangentPredictor` by default; or `SecantPredictor`.
    optimal_iterations, max_iterations : int
        Iterations of the corrector. Steps grow below the first number, and are rejected above the
        second.
    tolerance : float
        Of the residual, relative to the size of the terms of each equation.

    Raises
    ------
    InputError, DataTypeError
        If a setting is out of range, or is no number.

    See Also
    --------
    Natural : Of a sweep.
    Problem.continuation : Takes it as ``steps=``.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> from sgsolve.continuation import Arclength
    >>> curve = Problem(lambda x, p: p + x - x**3 / 3, params={"p": -1.0})
    >>> steps = Arclength(step=0.1, max_angle=10.0)
    >>> len(curve.continuation([-2.0], "p", (-1.0, 1.0), steps=steps).folds)
    2
    """

    step: float | None = None
    max_step: float | None = None
    min_step: float | None = None
    max_angle: float = 30.0
    predictor: CurvePredictor = field(default_factory=TangentPredictor)
    optimal_iterations: int = 4
    max_iterations: int = 8
    tolerance: float = 1e-11

    def __post_init__(self) -> None:
        for name in ("step", "max_step", "min_step"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, numbers.Real):
                raise DataTypeError(f"{name} must be a number, not {value!r}")
            if not math.isfinite(value) or value == 0.0 or (name != "step" and value < 0.0):
                sign = (
                    "a finite number other than zero" if name == "step" else "positive and finite"
                )
                raise InputError(f"{name} must be {sign}, not {value!r}")
            object.__setattr__(self, name, float(value))  # a number of NumPy has other types
        if not hasattr(self.predictor, "direction"):
            raise InputError(
                f"predictor must be TangentPredictor() or SecantPredictor(), not {self.predictor!r}"
            )
        if not 0.0 < self.max_angle <= 90.0:
            raise InputError(f"max_angle must be within 0 and 90 degrees, not {self.max_angle!r}")
        if self.max_iterations < 1 or self.optimal_iterations < 1:
            raise InputError("max_iterations and optimal_iterations must be at least 1")

    def first_step(self, p: float, bounds: tuple[float, float]) -> float:
        """Return the first step, a change of the parameter with its sign."""
        low, high = bounds
        if self.step is not None:
            return math.copysign(min(abs(self.step), high - low), self.step)
        size = (high - low) / 50.0 if high - low < float("inf") else 0.02 * abs(p) or 0.02
        size = min(size, self.max_step or size)
        return -size if high - p < p - low and p >= high else size

    def limits(self, first: float, bounds: tuple[float, float]) -> tuple[float, float]:
        """Return the shortest and the longest step."""
        low, high = bounds
        usual = 5.0 * abs(first)
        if high - low < float("inf"):
            usual = max(usual, (high - low) / 20.0)
        longest = self.max_step if self.max_step is not None else usual
        shortest = self.min_step if self.min_step is not None else 1e-6 * abs(first)
        return min(shortest, longest), longest

    def next_step(self, step: float, iterations: int, angle: float, longest: float) -> float:
        """Return the next step after a success."""
        by_iterations: float = 2.0 ** (0.5 * (self.optimal_iterations - iterations))
        by_angle = 0.6 * self.max_angle / angle if angle > 0.0 else GROW
        factor = min(GROW, max(SHRINK, min(by_iterations, by_angle)))
        return min(step * factor, longest)
