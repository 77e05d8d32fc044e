"""The signatures of SciPy for the solvers of this package: `root`, `fsolve`, `solve_ivp`."""

from .fsolve import NoSolutionWarning, fsolve
from .initial_value import solve_ivp
from .root_finding import METHODS, root

__all__ = ["METHODS", "NoSolutionWarning", "fsolve", "root", "solve_ivp"]
