"""`AcrossKinks`: full Newton steps for residuals with kinks, such as those of `np.minimum`.

Damping assumes that the residual along a step is linear up to a term of second order. Beyond a kink
the error is of first order. A test of monotonicity may then shorten all steps. Full steps converge
for many such systems (semismooth Newton method, primal-dual active set method).

References: L. Qi and J. Sun, Mathematical Programming 58 (1993) 353; M. Hintermueller, K. Ito and
K. Kunisch, SIAM J. Optim. 13 (2002) 865.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..arrays import Vector
from ..errors import InputError
from ..pattern import matrix_product
from ..results.status import Status
from .method import NewtonMethod
from .monitor import Monitor
from .outcome import Outcome
from .presets import Newton
from .solver_protocol import RunsMethod
from .state.iterate import Iterate
from .state.system import System
from .state.workspace import Workspace
from .steps.damping import Damping

SHORT = 1e-8  # part of a step, and of the sizes of the unknowns: no smooth slope changes much
LONGEST = 1e6  # a step, relative to the sizes: rounding hides where on it a slope changes
JUMP = 0.05  # change of a slope within the short part, relative to those at both ends of the step
CANCELED = 1e-5  # slopes that are a smaller part of their terms count as this part


@dataclass(frozen=True, kw_only=True)
class AcrossKinks(RunsMethod):
    """Run a solver if the Newton step from the start crosses a kink; else fail without a step.

    Equations with `min`, `max` or `abs` have kinks: obstacle, contact and complementarity
    problems. The status of the failure is ``DAMPING_FAILED``, after 0 iterations.

    Parameters
    ----------
    solver : NewtonMethod
        By default 300 full steps of `Newton`. In 1-D obstacle problems the set of contact may
        change by one point in a step. More unknowns then take more steps.

    Raises
    ------
    InputError
        If `solver` is no `NewtonMethod`, or needs no Jacobian.

    See Also
    --------
    Newton : Takes full steps from each start.
    Robust : Tries it where damped steps fail.

    Examples
    --------
    The solution of a complementarity problem, min(x, 2 x - 3) = 0:

    >>> import numpy as np
    >>> from sgsolve import Problem, solvers
    >>> problem = Problem(lambda x: np.minimum(x, 2.0 * x - 3.0))
    >>> problem.solve([9.0], solvers.AcrossKinks()).x
    array([1.5])
    """

    solver: NewtonMethod = field(default_factory=lambda: Newton(max_iterations=300))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.solver.matrix_free or not self.solver.damping.needs_direction:
            raise InputError(f"solver must follow Newton's direction, not {self.solver!r}")

    def run(
        self, system: System, workspace: Workspace, x: Vector, F: Vector, monitor: Monitor
    ) -> Outcome:
        """Solve from x, where the residual is F, if the first step crosses a kink."""
        method = replace(self.solver, damping=_FirstAcrossKink(self.solver.damping))
        outcome = method.run(system, workspace, x, F, monitor)
        outcome.name = self.name
        return outcome


class _FirstAcrossKink:
    """A damping whose first step must cross a kink."""

    needs_direction = True

    def __init__(self, damping: Damping) -> None:
        self._damping = damping
        self.needs_factorization = damping.needs_factorization

    def advance(self, it: Iterate) -> Status | None:
        """Move the iterate; `DAMPING_FAILED` if its first step would cross no kink."""
        if it.k == 0 and not crosses_kink(it):
            it.notes.append("the step crosses no kink")
            return Status.DAMPING_FAILED
        return self._damping.advance(it)


def crosses_kink(it: Iterate) -> bool:
    """Whether the slope of an equation jumps along the step ``it.dx``.

    The part of the step in which a slope changes most is halved again and again. In a short part
    the slope of a smooth equation changes little, and at a kink as much as before. A smooth
    residual takes a few Jacobians, one with a kink about 30.
    """
    length = float((np.abs(it.dx) / it.weights).max())
    near: Vector = matrix_product(it.J, it.dx)
    far = it.slope_at(it.x + it.dx, it.dx) if length < LONGEST else None
    if far is None or not np.isfinite(far).all():
        return False
    sizes = np.abs(near) + np.abs(far) + CANCELED * it.terms(np.abs(it.dx))
    sizes[sizes == 0.0] = 1.0  # equations without a slope
    start, part, change = 0.0, 1.0, _slope_jump(far - near, sizes)
    while change >= JUMP and part > min(SHORT, SHORT / length):
        part *= 0.5
        middle = it.slope_at(it.x + (start + part) * it.dx, it.dx)
        if middle is None or not np.isfinite(middle).all():
            return False
        first, second = _slope_jump(middle - near, sizes), _slope_jump(far - middle, sizes)
        if first >= second:
            far, change = middle, first
        else:
            start, near, change = start + part, middle, second
    return change >= JUMP


def _slope_jump(change: Vector, sizes: Vector) -> float:
    """Return the largest change of a slope, relative to sizes."""
    return float((np.abs(change) / sizes).max())
