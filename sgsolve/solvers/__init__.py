"""Nonlinear solvers: one Newton loop made of parts, its presets, and `Robust`.

``Robust()`` tries the presets in order and is the default of ``Problem.solve``. A `NewtonMethod`
consists of a direction, a damping, step limiters, a termination criterion and a rule for reusing
the Jacobian. ``print(solver)`` shows them, and each can be replaced. See
docs/start/which_method.md.

>>> DampedNewton(max_iterations=30).max_iterations
30
>>> Newton(termination=ResidualTolerance(absolute=1e-6, relative=0.0)).termination
ResidualTolerance(relative=0.0, absolute=1e-06, of_scale=False)
"""

from .damping import Armijo, Damping, FullStep, NaturalMonotonicity
from .direction import Direction, NewtonDirection, PseudoTransientDirection
from .iterate import Iterate
from .kinks import AcrossKinks
from .krylov import KrylovDirection
from .levenberg_marquardt import LevenbergMarquardtStep
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
from .reuse import CostBasedReuse, NoReuse, Reuse, Shamanskii
from .solver_protocol import Solver
from .stages import Stage, register_stages
from .system import System
from .termination import (
    ErrorTolerance,
    ResidualReduction,
    ResidualTolerance,
    RoundingLevel,
    StepTolerance,
    TerminationTest,
)
from .trust_region import Dogleg

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
