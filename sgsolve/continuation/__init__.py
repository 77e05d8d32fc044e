"""Curves of solutions: pseudo-arclength continuation, special points, deflation, homotopy.

Most users call ``Problem.continuation``. This package holds its settings and
the parts, which work on any `Family` of systems with one parameter:

* ``family``, ``stepper`` and ``columns`` describe the systems, the steps and the state of a run
* ``curve_points`` corrects points of a curve
* ``locating`` finds special points and events between two points
* ``runs`` is the loop of all runs, with its options and its recorder
* ``steppers`` are the steps of natural and of pseudo-arclength continuation
* ``deflation`` and ``homotopy`` find solutions where Newton's method finds none

>>> Arclength(step=0.1, max_angle=20.0).max_angle
20.0
"""

from .deflation import Deflation
from .family import Family
from .homotopy import Homotopy
from .locating.approximate_points import UnlocatedWarning
from .steppers.arclength import Arclength
from .steppers.natural import Natural
from .steppers.predictors import ConstantPredictor, SecantPredictor, TangentPredictor

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
