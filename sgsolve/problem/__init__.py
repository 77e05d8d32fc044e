"""The equations of a user with their parameters, and everything that can be asked of them."""

from .problem import Problem
from .small_signal import SmallSignalResponse
from .solutions import SolutionSets

__all__ = ["Problem", "SmallSignalResponse", "SolutionSets"]
