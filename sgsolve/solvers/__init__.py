"""Nonlinear solvers: one Newton loop made of parts, its presets, and `Robust`.

``Robust()`` tries the presets in order and is the default of ``Problem.solve``. A `NewtonMethod`
consists of a direction, a damping, step limiters, a termination criterion and a rule for reusing
the Jacobian. ``print(solver)`` shows them, and each can be replaced. See
docs/start/which_method.md.

Each package may import those that stand above it, and the modules above all of them
(``settings``, ``limits``):

* ``state``: the system, the current point, the sizes of unknowns and equations.
* ``steps``: directions, damping, reuse of a Jacobian.
* ``acceptance``: whether a point is a solution, and why a solver failed there.

>>> DampedNewton(max_iterations=30).max_iterations
30
>>> Newton(termination=ResidualTolerance(absolute=1e-6, relative=0.0)).termination
ResidualTolerance(relative=0.0, absolute=1e-06, of_scale=False)
"""

from .acceptance.termination import (
    ErrorTolerance,
    ResidualReduction,
    ResidualTolerance,
    RoundingLevel,
    StepTolerance,
    TerminationTest,
)
from .kinks import AcrossKinks
from .limits import Bounds, Limit, LogDamping, MaxChange, Positive
from .method import NewtonMethod
from .polyalgorithm import Robust
from .presets import (
    DampedNewton,
    LevenbergMarquardt,
    LineSearchNewton,
    Newton,
    NewtonKrylov,
    PseudoTransient,
    TrustRegion,
)
from .restarts import Restarts
from .solver_protocol import Solver
from .stages import Stage, register_stages
from .state.iterate import Iterate
from .state.system import System
from .steps.damping import Armijo, Damping, FullStep, NaturalMonotonicity
from .steps.direction import Direction, NewtonDirection, PseudoTransientDirection
from .steps.krylov import KrylovDirection
from .steps.levenberg_marquardt import LevenbergMarquardtStep
from .steps.reuse import CostBasedReuse, NoReuse, Reuse, Shamanskii
from .steps.trust_region import Dogleg

__all__ = [
    "AcrossKinks",
    "Armijo",
    "Bounds",
    "CostBasedReuse",
    "Damping",
    "DampedNewton",
    "Direction",
    "Dogleg",
    "ErrorTolerance",
    "FullStep",
    "Iterate",
    "KrylovDirection",
    "LevenbergMarquardt",
    "LevenbergMarquardtStep",
    "Limit",
    "LineSearchNewton",
    "LogDamping",
    "MaxChange",
    "NaturalMonotonicity",
    "Newton",
    "NewtonDirection",
    "NewtonKrylov",
    "NewtonMethod",
    "NoReuse",
    "Positive",
    "PseudoTransient",
    "PseudoTransientDirection",
    "ResidualReduction",
    "ResidualTolerance",
    "Restarts",
    "Reuse",
    "Robust",
    "RoundingLevel",
    "Shamanskii",
    "Solver",
    "Stage",
    "StepTolerance",
    "System",
    "TerminationTest",
    "TrustRegion",
    "register_stages",
]
