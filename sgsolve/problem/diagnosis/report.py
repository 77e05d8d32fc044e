"""The message of a result: what happened, the largest residuals, and what to try."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SingularMatrixError
from ...results.blocks import Blocks, suspects
from ...results.result import Result
from ...solvers.outcome import Outcome
from ..equations.residual_system import ResidualSystem

SIGNIFICANT = 0.1  # of the largest entry of a null vector


def remarks(system: ResidualSystem, outcome: Outcome, null_space: NDArray[Any] | None) -> list[str]:
    """Return what is to be said of a start that was moved, and of a singular solution.

    `null_space` are the directions that no equation determines, if the Jacobian has such.
    """
    said = []
    if outcome.moved is not None:
        said.append(
            "the Jacobian is not finite at the start, which was moved by 1e-8 of the size of its "
            "unknowns"
        )
    if outcome.status.success and null_space is not None:
        said.append(_open_directions(null_space, system.blocks, outcome.singular))
    elif outcome.status.success and outcome.singular is not None:
        named = suspects(system.blocks, outcome.singular)
        said.append(
            f"the Jacobian is singular there, so other solutions may lie next to it; {named}"
        )
    singular = outcome.status.success and (null_space is not None or outcome.singular is not None)
    flat = _flat_equations(system, outcome) if singular else ""
    if outcome.idle is not None:
        said.append(
            f"rounding alone makes {_equation_names(system, outcome.idle)} hold: its terms cancel "
            "there and at all x near by, and its slopes are next to zero. So it determines no "
            "unknown; start elsewhere to find a root where its sign changes"
        )
    if flat:
        said.append(
            f"all derivatives of {flat} are zero there, so these equations determine no "
            "unknown. If their terms underflow or saturate there, start where they do not"
        )
    return said


def _open_directions(V: NDArray[Any], blocks: Blocks, error: SingularMatrixError | None) -> str:
    """Return what is to be said of null vectors that the Jacobian has at every x."""
    largest = np.max(np.abs(V), axis=1)
    moved = (largest > SIGNIFICANT * largest.max()).astype(float)
    names = ", ".join(f"{block!r}" for block, norm in blocks.norms(moved).items() if norm)
    k = V.shape[1]
    return (
        "the Jacobian is singular at every x: no equation determines the solution along "
        f"{'one direction' if k == 1 else f'{k} directions'}, of {int(moved.sum())} unknowns in "
        f"{names}. Their level stays that of the start. Declare it by "
        "Problem(null_space=result.null_space), or prescribe one value, or look for a repeated "
        f"equation{'' if error is None else f'; {suspects(blocks, error)}'}"
    )


def _flat_equations(system: ResidualSystem, outcome: Outcome) -> str:
    """Return the names of some equations that hold exactly, with derivatives that are all zero."""
    try:
        with np.errstate(all="ignore"):
            J = system.linearize(outcome.x)[1]
    except ArithmeticError:
        return ""
    return _equation_names(system, (outcome.F == 0.0) & (abs(J) @ np.ones(len(outcome.x)) == 0.0))


def _equation_names(system: ResidualSystem, equations: NDArray[np.bool_]) -> str:
    """Return the names of the first three of some equations; empty if there is none."""
    flat = np.flatnonzero(equations)
    names = ", ".join(f"equation {system.blocks.label(int(i))}" for i in flat[:3])
    return names + (", ..." if len(flat) > 3 else "")


def message(
    result: Result, cause: Exception | None = None, notes: tuple[str, ...] = (), found: str = ""
) -> str:
    """Return what happened, where it is worst and what to try, in a few sentences."""
    status = result.status
    text = f"{status.text} ({status.name}, {result.solver}, iteration {result.nit})"
    if status.success:
        return f"{text}; {result.remark}" if result.remark else text
    largest = float(abs(result.residual).max())
    worst = ", ".join(f"{name} = {value:.2e}" for name, value in result.worst(3))
    parts = [f"{text}; the largest residual is {largest:.2e}", f"worst equations: {worst}"]
    if isinstance(cause, SingularMatrixError):
        parts.append(suspects(result.blocks, cause))
    elif cause is not None:
        parts.append(str(cause))
    parts += [result.remark, found]
    if notes:
        parts.append("in the attempt that failed: " + ", ".join(notes))
    if len(result.stages) > 1:
        parts.append("tried " + "; ".join(result.stages))
    if status.advice:
        parts.append(f"what to try: {status.advice}")
    return ". ".join(part for part in parts if part)
