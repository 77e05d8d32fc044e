"""Curves of solutions: pseudo-arclength continuation, special points, deflation, homotopy.

Most users call ``Problem.continuation``. This package holds its settings and
the parts, which work on any `Family` of systems with one parameter.

>>> Arclength(step=0.1, max_angle=20.0).max_angle
20.0
"""

from .approximate_points import UnlocatedWarning
from .arclength import Arclength
from .deflation import Deflation
from .family import Family
from .homotopy import Homotopy
from .natural import Natural
from .predictors import ConstantPredictor, SecantPredictor, TangentPredictor

__all__ = [
    "Arclength",
    "ConstantPredictor",
    "Deflation",
    "Family",
    "Homotopy",
    "Natural",
    "SecantPredictor",
    "TangentPredictor",
    "UnlocatedWarning",
]
