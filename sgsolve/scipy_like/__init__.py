"""The signatures of SciPy for the solvers of this package: `root` and `solve_ivp`."""

from .initial_value import solve_ivp
from .root_finding import METHODS, root

__all__ = ["METHODS", "root", "solve_ivp"]
