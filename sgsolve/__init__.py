"""sgsolve: large sparse nonlinear systems, solved with exact sparse Jacobians of NumPy code.

Write the residual of your equations as a function of the unknowns, in NumPy:

>>> import numpy as np
>>> from sgsolve import Problem
>>> def residual(u, strength):  # u'' + strength exp(u) = 0 on (0, 1), u = 0 at both ends
...     h = 1.0 / (len(u) + 1)
...     full = np.concatenate([[0.0], u, [0.0]])
...     return (full[2:] - 2.0 * u + full[:-2]) / h**2 + strength * np.exp(u)

The Jacobian is found, exactly and sparse, and the system is solved:

>>> problem = Problem(residual, params={"strength": 1.0})
>>> result = problem.solve(np.zeros(99))
>>> print(f"{result.x.max():.6f}", result.status.name)
0.140541 CONVERGED

A parameter can be swept; every solution is the guess for the next:

>>> branch = problem.sweep(result.x, "strength", [1.0, 2.0, 3.0], outputs={"top": np.max})
>>> branch["top"].round(4).tolist()
[0.1405, 0.329, 0.6402]

What can go wrong comes back in words: ``print(result)``, ``result.explain()``. The parts:
`ad` (derivatives, usable alone), `linear` (sparse systems analysed once), `solvers`.
"""

from . import ad, linear, solvers
from .branch import Branch, PartialBranchWarning
from .errors import (
    BackendError,
    CheckpointError,
    ConvergenceError,
    DataTypeError,
    DerivativeError,
    DomainError,
    InputError,
    LinearSolveError,
    NotFiniteError,
    ParameterError,
    SgsolveError,
    ShapeError,
    SingularMatrixError,
    StructureError,
)
from .problem import Problem
from .result import Result
from .scipy_like import root
from .status import Status

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "Branch",
    "CheckpointError",
    "ConvergenceError",
    "DataTypeError",
    "DerivativeError",
    "DomainError",
    "InputError",
    "LinearSolveError",
    "NotFiniteError",
    "ParameterError",
    "PartialBranchWarning",
    "Problem",
    "Result",
    "SgsolveError",
    "ShapeError",
    "SingularMatrixError",
    "Status",
    "StructureError",
    "ad",
    "linear",
    "root",
    "solvers",
]
