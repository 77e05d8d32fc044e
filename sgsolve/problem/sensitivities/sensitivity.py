"""Sensitivity: derivatives of a solution by parameters, by the implicit function theorem.

F(x(p), p) = 0 gives J dx/dp = -dF/dp. With a functional g(x, p) of the solution::

    forward   dg/dp = g_p - g_x (J^-1 F_p)       one linear solve for each parameter
    adjoint   dg/dp = g_p - (J^-T g_x) F_p       one linear solve for each functional

Both use one factorization of J at the solution. An array (one value per node or edge) counts as
many parameters; then only the adjoint is cheap.

Reference: A. Griewank, A. Walther, Evaluating Derivatives (2008), section 15; M. B. Giles,
N. A. Pierce, Flow, Turbulence and Combustion 65 (2000) 393.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arrays import Vector
from ...errors import InputError
from ...results.result import Result
from ...solvers.state.workspace import Workspace
from ...solvers.steps.open_directions import gauge_at_solution
from ..equations.definition import ProblemDefinition
from ..equations.parameters import by_parameter
from ..equations.residual_system import ResidualSystem
from ..inputs.signature import parameter_names
from .balanced_slopes import check_balanced
from .functional import Functional
from .given_solution import check_given_solution

MODES = ("auto", "forward", "adjoint")


def sensitivity(
    problem: ProblemDefinition,
    at: Result | ArrayLike,
    name: str | Sequence[str],
    functional: Any,
    mode: str,
) -> Any:
    """Return how a solution moves with parameters; see `Problem.sensitivity`."""
    names = parameter_names(name)
    for one in names:
        problem.signature.differentiable(one)
    system, x = problem.solution(at)
    with problem.lend(system, x) as workspace:
        _, J = system.linearize_confirmed(x)
        known = at.null_space if isinstance(at, Result) else None
        gauge_at_solution(workspace, system, x, J, known)
        if not isinstance(at, Result):
            check_given_solution(system, workspace, x)
        found = sensitivities(system, workspace, x, J, names, functional, mode)
    return found[name] if isinstance(name, str) else found


def sensitivities(
    system: ResidualSystem,
    workspace: Workspace,
    x: Vector,
    J: Any,
    names: Sequence[str],
    functional: Any,
    mode: str,
) -> dict[str, Any]:
    """Return dx/dp, or dg/dp with a functional, for each of the parameters.

    Returns
    -------
    dict of str to ndarray or float
        Of the shape of x or g, followed by that of the parameter; a float where both are numbers.
    """
    if mode not in MODES:
        raise InputError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    shapes = {name: np.shape(system.value_of(name)) for name in names}
    slopes = {name: by_parameter(system, x, name) for name in names}
    solver = workspace.factorized(system.pattern, J)
    for name, F_p in slopes.items():
        check_balanced(solver, F_p, name)
    if functional is None:
        if mode == "adjoint":
            raise InputError("mode='adjoint' needs a functional")
        moved = {name: -solver.solve(F_p.toarray()) for name, F_p in slopes.items()}
        return {name: moved[name].reshape(x.shape + shapes[name]) for name in names}
    g = Functional(functional, x, {**system.defaults, **system.params})
    total = sum(F_p.shape[1] for F_p in slopes.values())
    if mode == "forward" or (mode == "auto" and g.size > total):
        through = {name: g.gradient @ solver.solve(F_p.toarray()) for name, F_p in slopes.items()}
    else:
        weights = solver.solve(g.gradient.toarray().T, transpose=True)
        through = {name: (F_p.T @ weights).T for name, F_p in slopes.items()}
    return {
        name: _shaped(g.by_parameter(name) - through[name], g.shape + shapes[name])
        for name in names
    }


def _shaped(values: NDArray[Any], shape: tuple[int, ...]) -> Any:
    return values.reshape(shape) if shape else float(values[0, 0])
