"""Status: why a solve or a sweep ended, in words that say what to try next.

One idea: a status is a sentence, not a number. Every member knows whether it is a success, what
happened, and what a person does about it; `Result.message` puts the two together with the
numbers of the case. PETSc's list of reasons and NLEQ's warnings 4 and 5 were the models.
"""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """Why the solver stopped.

    Attributes
    ----------
    text : str
        What happened.
    advice : str
        What to try next; empty for a plain success.
    success : bool

    Examples
    --------
    >>> Status.CONVERGED.success
    True
    >>> print(Status.SINGULAR_JACOBIAN.advice)  # doctest: +ELLIPSIS
    look at the equations and unknowns named below...
    """

    CONVERGED = ("the residual and the error estimate are within tolerance", "")
    CONVERGED_ROUNDOFF = (
        "the residual cannot be made smaller in this arithmetic",
        "the tolerance is tighter than rounding allows; if the accuracy does not suffice, "
        "rescale the equations or rewrite differences of nearly equal terms",
    )
    CONVERGED_SLOWLY = (
        "the residual is within tolerance, but convergence stayed linear",
        "the Jacobian is singular at the solution or wrong; call problem.check_jacobian(x), "
        "and expect fewer correct digits",
    )
    MAX_ITERATIONS = (
        "the iteration limit was reached",
        "raise max_iterations if the history still decreases; otherwise start closer with "
        "problem.sweep on a parameter that makes the problem easy",
    )
    STALLED = (
        "the steps became too small while the residual did not vanish",
        "check the Jacobian with problem.check_jacobian(x) and the residual for jumps; "
        "try solvers.TrustRegion or solvers.PseudoTransient, or problem.sweep from an easy case",
    )
    DAMPING_FAILED = (
        "no acceptable step was found along the direction of Newton",
        "check the Jacobian with problem.check_jacobian(x) and the residual for jumps; "
        "try solvers.TrustRegion, solvers.LevenbergMarquardt or solvers.PseudoTransient, "
        "or reach this case by problem.sweep from an easier one",
    )
    LOCAL_MINIMUM = (
        "the norm of the residual has a local minimum here that is not a solution",
        "start elsewhere, or reach this case by problem.sweep from an easier one; "
        "the system may have no solution",
    )
    SINGULAR_JACOBIAN = (
        "the Jacobian is singular",
        "look at the equations and unknowns named below: one of them is missing, repeated or "
        "undetermined; at a turning point of a sweep use continuation",
    )
    LINEAR_SOLVE_FAILED = (
        "the linear system could not be solved accurately",
        "scale the unknowns and equations to similar size, or choose another back end",
    )
    NOT_FINITE = (
        "the residual or the Jacobian is not finite however short the step",
        "start inside the model and stay there with limits=(solvers.Positive(...),) or "
        "solvers.Bounds, or change the variables",
    )
    DIVERGED = (
        "the iterates ran away",
        "use a damped solver (the default is one), limit the steps with solvers.MaxChange, "
        "or start closer",
    )
    NO_LINEAR_CONVERGENCE = (
        "the inner iteration for the linear system made no progress",
        "give solvers.NewtonKrylov a preconditioner, or use a direct solver",
    )
    EXCEPTION = (
        "the code that was called raised an exception",
        "run this member alone to see where",
    )
    OUTPUT_FAILED = (
        "a function of the user returned something that cannot be kept",
        "return numbers, of one shape at all points: NaN where there is nothing to tell",
    )
    STOPPED = ("the callback asked to stop", "")
    INTERRUPTED = (
        "it was interrupted from the keyboard",
        "what was computed is kept; go on from it",
    )
    TIME_LIMIT = (
        "the time limit was reached",
        "allow more time, or go on from the best point, which is handed back",
    )
    STEP_TOO_SMALL = (
        "the sweep cannot go on: its step fell below the smallest one allowed",
        "a turning point or a jump of the solution is near: look at the last points, allow a "
        "smaller min_step, or follow the curve by arclength",
    )
    ASYMPTOTE = (
        "the branch tends to a bound of the parameter without reaching it",
        "take the last point for the limit, end at a bound further inside, or let the logarithm of "
        "the distance to the bound be the parameter to follow the branch further",
    )
    MAX_POINTS = (
        "the limit on the number of solves or points was reached",
        "raise max_solves or max_points, or ask for fewer or closer values",
    )

    def __init__(self, text: str, advice: str) -> None:
        self.text = text
        self.advice = advice

    @property
    def success(self) -> bool:
        """Whether a solution was found."""
        return self.name.startswith("CONVERGED")

    def __repr__(self) -> str:
        return f"Status.{self.name}"
