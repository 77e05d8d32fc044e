"""Nonlinear solvers: one loop, small parts, named presets.

``Robust()`` is a ladder of the others, to which ``Problem.solve`` adds two homotopies. A solver is
made of a direction, a damping, limits on the step, a termination test and a policy for keeping the
Jacobian; ``print(solver)`` shows them, and every one can be replaced. See
docs/start/which_method.md.

>>> DampedNewton(max_iterations=30).max_iterations
30
>>> Newton(termination=Residual(absolute=1e-6, relative=0.0)).termination
Residual(relative=0.0, absolute=1e-06)
"""

from .damping import Armijo, FullStep, NaturalMonotonicity
from .direction import NewtonDirection, PseudoTransientDirection
from .iterate import Iterate
from .krylov import KrylovDirection
from .levenberg_marquardt import Marquardt
from .limits import Bounds, Limit, LogDamping, MaxChange, Positive
from .method import Method
from .polyalgorithm import Robust, Rung
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
from .reuse import Every, Measured, Never
from .system import System
from .termination import Decrease, Error, Residual, Rounding, StepSize, Test
from .trust_region import Dogleg

__all__ = [
    "Armijo",
    "Bounds",
    "Constant",
    "DampedNewton",
    "Decrease",
    "Dogleg",
    "Error",
    "Every",
    "FullStep",
    "Iterate",
    "KrylovDirection",
    "LevenbergMarquardt",
    "Limit",
    "LineSearchNewton",
    "LogDamping",
    "Marquardt",
    "MaxChange",
    "Measured",
    "Method",
    "NaturalMonotonicity",
    "Never",
    "Newton",
    "NewtonDirection",
    "NewtonKrylov",
    "Positive",
    "PseudoTransient",
    "PseudoTransientDirection",
    "Residual",
    "Robust",
    "Rounding",
    "Rung",
    "Secant",
    "StepSize",
    "System",
    "Tangent",
    "Test",
    "TrustRegion",
]
