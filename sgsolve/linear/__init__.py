"""Sparse linear systems with one pattern and many values.

::

    solver = linear.auto(pattern)       # or linear.make("superlu", pattern), or your own object
    solver.factorize(J)                 # analyses the pattern the first time only
    x = solver.solve(b)                 # checked: an answer, or an error that says what is wrong

One idea: every answer is checked by its componentwise backward error, so that a singular matrix,
a stale analysis or a back end that fails in silence never reaches the caller as numbers.
"""

from .backend import Backend
from .choose import auto, known, make
from .solver import LinearSolver
from .statistics import Statistics

__all__ = ["Backend", "LinearSolver", "Statistics", "auto", "known", "make"]
