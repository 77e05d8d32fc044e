"""Nonlinear solvers: one loop, small parts, named presets.

``Robust()`` is a ladder of the others, to which ``Problem.solve`` adds two homotopies. A solver is
made of a direction, a damping, limits on the step, a termination test and a policy for keeping the
Jacobian; ``print(solver)`` shows them, and every one can be replaced. See
docs/start/which_method.md.

>>> DampedNewton(max_iterations=30).max_iterations
30
>>> Newton(termination=ResidualTolerance(absolute=1e-6, relative=0.0)).termination
ResidualTolerance(relative=0.0, absolute=1e-06)
"""

from .damping import Armijo, FullStep, NaturalMonotonicity
from .direction import NewtonDirection, PseudoTransientDirection
from .iterate import Iterate
from .krylov import KrylovDirection
from .levenberg_marquardt import LevenbergMarquardtStep
from .limits import Bounds, Limit, LogDamping, MaxChange, Positive
from .method import NewtonMethod
from .polyalgorithm import Robust, Stage
from .predictor import Constant, Secant, Tangent
from .presets import (
    DampedNewton,
    LevenbergMarquardt,
    LineSearchNewton,
    Newton,
    NewtonKrylov,
    PseudoTransient,
    TrustRegion,
)
from .reuse import CostBasedReuse, NoReuse, Shamanskii
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
    "Armijo",
    "Bounds",
    "Constant",
    "CostBasedReuse",
    "DampedNewton",
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
    "Robust",
    "RoundingLevel",
    "Secant",
    "Shamanskii",
    "Stage",
    "StepTolerance",
    "System",
    "Tangent",
    "TerminationTest",
    "TrustRegion",
]
