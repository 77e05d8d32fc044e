"""Settings of natural continuation, the steps of a sweep through the requested values.

The step is the distance to the next requested value. After a failure it is halved, through values
in between. After a success it grows again, by a larger factor if the solve took fewer iterations.

References: Deuflhard, Newton Methods for Nonlinear Problems (2011), section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...solvers.settings import fraction, made_of, positive
from .predictors import Predictor, SecantPredictor


@dataclass(frozen=True, kw_only=True)
class Natural:
    """Step control of a sweep.

    Parameters
    ----------
    predictor : Predictor
        `SecantPredictor` by default. `TangentPredictor` costs dF/dp and one solve per point, and
        guards against jumps to another branch.
    min_step : float
        Smallest step, as a fraction of the distance between two values that were asked for.
    shrink, grow : float
        Factors after a failure and after a success.
    jump : float
        The step is rejected if the solution changed this many times more than the tangents at both
        ends predict: it is then on another branch. Needs a predictor that computes tangents.
    optimal_iterations : int
        Steps grow fully below this and not at all above twice this.
    max_solves : int or None
        Limit on the number of solves, failures included.
    max_failed : int or None
        Limit on the factorizations of failed solves between two values that were asked for. The
        sweep then looks for a fold, as it does at the smallest step, and ends.

    See Also
    --------
    Arclength : Of a continuation.
    Problem.sweep : Takes it as ``steps=``.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> from sgsolve.continuation import Natural
    >>> problem = Problem(lambda x, a: x**2 - a)
    >>> problem.sweep([1.0], "a", [1.0, 4.0], steps=Natural(max_solves=50)).x
    array([2.])
    """

    predictor: Predictor = field(default_factory=SecantPredictor)
    min_step: float = 1e-4
    shrink: float = 0.5
    grow: float = 2.0
    jump: float = 5.0
    optimal_iterations: int = 6
    max_solves: int | None = None
    max_failed: int | None = None

    def __post_init__(self) -> None:
        made_of(self, "predictor", "predict", "TangentPredictor()")
        positive(self, "min_step", "grow", "jump", "optimal_iterations")
        fraction(self, "shrink")
        positive(self, *(k for k in ("max_solves", "max_failed") if getattr(self, k) is not None))

    def growth(self, iterations: int) -> float:
        """Return the factor for the next step, from the iterations of the last one."""
        over = iterations / self.optimal_iterations - 1.0
        return float(self.grow ** min(1.0, max(0.0, 1.0 - over)))
