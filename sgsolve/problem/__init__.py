"""Problem: equations with their parameters, and one module for each question about them."""

from .problem import Problem
from .small_signal import SmallSignalResponse
from .solutions import SolutionSets
from .transient_sensitivity import TransientSensitivity

__all__ = ["Problem", "SmallSignalResponse", "SolutionSets", "TransientSensitivity"]
