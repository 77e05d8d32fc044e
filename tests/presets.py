"""The solvers of `sgsolve.solvers` with their default settings, by name."""

import pytest

from sgsolve import Problem, solvers

PRESETS = {
    "Newton": solvers.Newton(),
    "DampedNewton": solvers.DampedNewton(),
    "LineSearchNewton": solvers.LineSearchNewton(),
    "TrustRegion": solvers.TrustRegion(),
    "LevenbergMarquardt": solvers.LevenbergMarquardt(),
    "PseudoTransient": solvers.PseudoTransient(),
    "NewtonKrylov": solvers.NewtonKrylov(),
}
"""Each without the others."""

ALL_SOLVERS = {"default": None, **PRESETS}
"""The default solver, which tries several of them, and each alone."""

QUICK = ("default", "Newton", "TrustRegion")


def each_solver(names=ALL_SOLVERS):
    """Parametrize a test by ``solver``: by a few in the quick tests, by the others in the slow."""
    slow = {name: () if name in QUICK else pytest.mark.slow for name in names}
    values = [pytest.param(ALL_SOLVERS[name], id=name, marks=slow[name]) for name in names]
    return pytest.mark.parametrize("solver", values)


def solved(residual, start, solver=None, **settings):
    """Return the result of a solve, of a failure too."""
    return Problem(residual, **settings).solve(start, solver, raise_on_failure=False)
