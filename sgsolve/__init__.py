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

Continuation follows a solution branch past its folds:

>>> curve = problem.continuation(result.x, "strength", (0.5, 4.0), max_step=0.5)
>>> print(curve.special_points[0])  # doctest: +ELLIPSIS
fold at 3.51364790...

``print(result)`` summarizes a solve, and ``result.explain()`` diagnoses a failure. The parts:
`ad` (derivatives, usable alone), `linear` (sparse systems analyzed once), `solvers`,
`continuation` (curves of solutions).
"""

from . import ad, bifurcation, continuation, linear, solvers, transient
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
    OutOfMemoryError,
    ParameterError,
    RanksDisagreeError,
    SgsolveError,
    ShapeError,
    SingularMatrixError,
    SolveInterrupted,
    StructureError,
)
from .parallel import parallel_sweep
from .pattern import Pattern
from .problem import Problem, SmallSignalResponse, SolutionSets, TransientSensitivity
from .results.bifurcation_diagram import BifurcationDiagram
from .results.branch import Branch, PartialBranchWarning
from .results.checkpoint import Checkpoint, CheckpointWarning
from .results.cost import CostEstimate
from .results.member_results import MemberResults
from .results.periodic_orbit import PeriodicOrbit
from .results.result import Result
from .results.special_points import ApproximateSpecialPoint, SpecialPoint
from .results.status import Status
from .scipy_like import NoSolutionWarning, fsolve, root, solve_ivp

__version__ = "0.1.0"

__all__ = [
    "ApproximateSpecialPoint",
    "BackendError",
    "BifurcationDiagram",
    "Branch",
    "Checkpoint",
    "CheckpointError",
    "CheckpointWarning",
    "ConvergenceError",
    "CostEstimate",
    "DataTypeError",
    "DerivativeError",
    "DomainError",
    "InputError",
    "LinearSolveError",
    "MemberResults",
    "NoSolutionWarning",
    "NotFiniteError",
    "OutOfMemoryError",
    "ParameterError",
    "PartialBranchWarning",
    "Pattern",
    "PeriodicOrbit",
    "Problem",
    "RanksDisagreeError",
    "SmallSignalResponse",
    "Result",
    "SgsolveError",
    "ShapeError",
    "SingularMatrixError",
    "SolutionSets",
    "SolveInterrupted",
    "SpecialPoint",
    "Status",
    "StructureError",
    "TransientSensitivity",
    "ad",
    "bifurcation",
    "continuation",
    "fsolve",
    "linear",
    "parallel_sweep",
    "root",
    "solve_ivp",
    "solvers",
    "transient",
]
