"""Sparse linear systems with one pattern and many values.

::

    solver = linear.LinearSolver(pattern)    # or LinearSolver(pattern, Pardiso(threads=2))
    solver.factorize(J)                      # analyzes the pattern the first time only
    x = solver.solve(b)                      # checked: a solution, or an error with its reason

The componentwise backward error of every solution is checked. Each package may import those that
stand above it:

* ``structure``: what the pattern alone tells.
* ``methods``: factorizations and iterative methods, and the choice between them.
* ``checks``: input, accuracy of answers, singular matrices.
"""

from .fallback_driver import FallbackWarning
from .large_factors import LargeFactorsWarning
from .methods.backend import Backend
from .methods.choose import backends, register
from .methods.direct.banded import Banded
from .methods.direct.dense import Dense
from .methods.direct.mumps import Mumps
from .methods.direct.pardiso import Pardiso
from .methods.direct.superlu import SuperLU
from .methods.iterative.krylov_backend import Krylov
from .methods.iterative.multigrid import Multigrid
from .solver import LinearSolver
from .statistics import Statistics

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
