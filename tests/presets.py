"""The solvers of `sgsolve.solvers` with their default settings, by name."""

from sgsolve import solvers

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
