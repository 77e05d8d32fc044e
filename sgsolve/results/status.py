"""Statuses: why a solve, a sweep or a continuation run ended, and what to try next.

A status declares whether it is a success, whether it is final, and whether a run can be resumed. A
new status is one member here.

The list follows the reasons for convergence of PETSc and the warnings of NLEQ1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class _Meaning:
    """The value of a status; see `Status`."""

    text: str
    advice: str = ""
    success: bool = False
    final: bool = False
    resumable: bool = False


class Status(Enum):
    """Why a solver or a run stopped.

    Attributes
    ----------
    text : str
        What happened.
    advice : str
        What to try next; empty for a plain success.
    success : bool
        Whether a solution was found, or a run ended as asked. A solve that its callback ends
        (STOPPED) has no solution; a run that its callback ends (STOP_CONDITION) is complete.
    final : bool
        Whether no other solver is tried, because the user or the clock ended the solve.
    resumable : bool
        Whether a run that ended like this continues from its checkpoint. Otherwise ``resume=True``
        returns the branch as it is.

    See Also
    --------
    Result : Has one.

    Examples
    --------
    >>> from sgsolve import Status
    >>> Status.CONVERGED.success
    True
    >>> [status.name for status in Status if status.final]
    ['STOPPED', 'INTERRUPTED', 'TIME_LIMIT']
    >>> print(Status.SINGULAR_JACOBIAN.advice)  # doctest: +ELLIPSIS
    look at the equations and unknowns named below...
    """

    CONVERGED = _Meaning("the residual and the error estimate are within tolerance", success=True)
    CONVERGED_ROUNDOFF = _Meaning(
        "the residual cannot be made smaller in this arithmetic",
        "the tolerance is below the rounding errors; if the accuracy is not sufficient, "
        "rescale the equations or rewrite differences of nearly equal terms",
        success=True,
    )
    CONVERGED_SLOWLY = _Meaning(
        "the residual is within tolerance, but convergence stayed linear",
        "the Jacobian is singular at the solution, or wrong; call problem.check_jacobian(x), "
        "and expect fewer correct digits",
        success=True,
    )
    MAX_ITERATIONS = _Meaning(
        "the iteration limit was reached",
        "raise max_iterations if the history still decreases; otherwise start closer with "
        "problem.sweep on a parameter that makes the problem easy",
    )
    STALLED = _Meaning(
        "the steps, or what they gained, became too small before the residual vanished",
        "check the Jacobian with problem.check_jacobian(x) and the residual for jumps; "
        "try solvers.TrustRegion or solvers.PseudoTransient, or problem.sweep from an easy case",
    )
    DAMPING_FAILED = _Meaning(
        "no acceptable step was found along the Newton direction",
        "check the Jacobian with problem.check_jacobian(x) and the residual for jumps; "
        "try solvers.TrustRegion, solvers.LevenbergMarquardt or solvers.PseudoTransient, "
        "or reach this case by problem.sweep from an easier one",
    )
    LOCAL_MINIMUM = _Meaning(
        "the norm of the residual has a local minimum here that is not a solution",
        "start elsewhere, or reach this case by problem.sweep from an easier one; "
        "the system may have no solution",
    )
    SINGULAR_JACOBIAN = _Meaning(
        "the Jacobian is singular",
        "look at the equations and unknowns named below: one of them is missing, repeated or "
        "undetermined; at a fold of a sweep use problem.continuation",
        resumable=True,
    )
    LINEAR_SOLVE_FAILED = _Meaning(
        "the linear system could not be solved accurately",
        "scale the unknowns and equations to similar size, or choose another back end",
    )
    NOT_FINITE = _Meaning(
        "the residual or the Jacobian is not finite, even for the shortest step",
        "start where the model is defined and stay there with limits=(solvers.Positive(...),) or "
        "solvers.Bounds, or change the variables",
    )
    DIVERGED = _Meaning(
        "the iteration diverged",
        "use a damped solver (the default is one), limit the steps with solvers.MaxChange, "
        "or start closer",
    )
    NO_LINEAR_CONVERGENCE = _Meaning(
        "the Krylov iteration for the linear system did not converge",
        "pass a preconditioner to solvers.KrylovDirection, or use a direct solver",
    )
    EXCEPTION = _Meaning(
        "the called code raised an exception", "run this member or this value alone to see where"
    )
    OUTPUT_FAILED = _Meaning(
        "a function of the user returned a value that cannot be stored",
        "return numbers of the same shape at all points, and NaN where there is no value",
        resumable=True,
    )
    STOPPED = _Meaning("the callback ended the solve before a solution was found", final=True)
    STOP_CONDITION = _Meaning(
        "a stop condition of the run was met: stop=, until= or the callback", success=True
    )
    INTERRUPTED = _Meaning(
        "it was interrupted from the keyboard",
        "the computed points are kept; continue from there",
        final=True,
        resumable=True,
    )
    TIME_LIMIT = _Meaning(
        "the time limit was reached",
        "allow more time, or continue from the best point, which is returned",
        final=True,
        resumable=True,
    )
    STEP_TOO_SMALL = _Meaning(
        "the step size fell below min_step",
        "a fold or a jump of the solution is near: look at the last points, allow a "
        "smaller min_step, or use problem.continuation",
        resumable=True,
    )
    ASYMPTOTE = _Meaning(
        "the branch tends to a value of the parameter without reaching it, or stays there",
        "take the last point as the limit, end at a bound further inside, or use the logarithm of "
        "the distance to that value as parameter to follow the branch further; where x is still "
        "small in its own unit, give Problem(..., scale=) that unit",
    )
    MAX_POINTS = _Meaning(
        "the limit on the number of solves or points was reached",
        "raise max_solves, max_failed or max_points, ask for fewer or closer values, or give "
        "closer bounds",
        resumable=True,
    )

    def __init__(self, meaning: _Meaning) -> None:
        self.text = meaning.text
        self.advice = meaning.advice
        self.success = meaning.success
        self.final = meaning.final
        self.resumable = meaning.resumable

    def __repr__(self) -> str:
        return f"Status.{self.name}"
