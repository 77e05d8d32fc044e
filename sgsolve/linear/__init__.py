"""Sparse linear systems with one pattern and many values.

::

    solver = linear.LinearSolver(pattern)    # or LinearSolver(pattern, Pardiso(threads=2))
    solver.factorize(J)                      # analyzes the pattern the first time only
    x = solver.solve(b)                      # checked: a solution, or an error with its reason

The componentwise backward error of every solution is checked.
"""

from .backend import Backend
from .banded import Banded
from .choose import backends, register
from .dense import Dense
from .fallback_driver import FallbackWarning
from .krylov_backend import Krylov
from .large_factors import LargeFactorsWarning
from .multigrid import Multigrid
from .mumps import Mumps
from .pardiso import Pardiso
from .solver import LinearSolver
from .statistics import Statistics
from .superlu import SuperLU

__all__ = [
    "Backend",
    "Banded",
    "Dense",
    "FallbackWarning",
    "Krylov",
    "LargeFactorsWarning",
    "LinearSolver",
    "Multigrid",
    "Mumps",
    "Pardiso",
    "Statistics",
    "SuperLU",
    "backends",
    "register",
]
