"""Report: from how a solver ended to the `Result` and the sentence that a person reads.

One idea: the message is put together once, at the end, from what is known: what happened, how
far it came, where it is worst, and what to try.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from ..errors import SingularMatrixError
from ..result.result import Result
from ..solvers.monitor import Monitor
from ..solvers.outcome import Outcome
from ..solvers.workspace import Workspace
from .bound import BoundSystem


def conclude(
    solver: Any, system: BoundSystem, workspace: Workspace, x: Any, F: Any, monitor: Monitor
) -> Result:
    """Run a solver from (x, F) and make the result of what it returns."""
    started = perf_counter()
    before = workspace.counts()
    outcome: Outcome = solver.run(system, workspace, x, F, monitor)
    stats = outcome.stats
    stats.add(workspace.counts().since(before))
    seconds = stats.seconds
    total = perf_counter() - started
    seconds["other"] = max(0.0, total - sum(seconds.values()))
    seconds["total"] = total
    result = Result(
        x=outcome.x,
        status=outcome.status,
        message="",
        residual=outcome.F,
        scaled_residual=outcome.scaled,
        history=outcome.history,
        stats=stats,
        solver=outcome.name,
        blocks=system.blocks,
        stages=outcome.stages,
        params=system.params,
        sizes=outcome.S,
        system=system,
    )
    result.message = message(result, outcome.cause, outcome.notes)
    return result


def message(result: Result, cause: Exception | None = None, notes: tuple[str, ...] = ()) -> str:
    """Return what happened, where it is worst and what to try, in a few sentences."""
    status = result.status
    text = f"{status.text} ({status.name}, {result.solver}, iteration {result.nit})"
    if status.success:
        return text
    largest = float(abs(result.residual).max())
    worst = ", ".join(f"{name} = {value:.2e}" for name, value in result.worst(3))
    parts = [
        f"{text}; the largest residual is {largest:.2e}",
        f"worst equations: {worst}",
    ]
    if isinstance(cause, SingularMatrixError):
        parts.append(_suspects(result, cause) or str(cause))
    elif cause is not None:
        parts.append(str(cause))
    if notes:
        parts.append("in the attempt that failed: " + ", ".join(notes))
    if len(result.stages) > 1:
        parts.append("tried " + "; ".join(result.stages))
    if status.advice:
        parts.append(f"what to try: {status.advice}")
    return ". ".join(part for part in parts if part)


def _suspects(result: Result, cause: SingularMatrixError) -> str:
    rows = ", ".join(result.blocks.label(i) for i in cause.rows[:3])
    columns = ", ".join(result.blocks.label(j) for j in cause.columns[:3])
    parts = [f"suspicious equations: {rows}" if rows else ""]
    parts.append(f"suspicious unknowns: {columns}" if columns else "")
    return "; ".join(part for part in parts if part)
