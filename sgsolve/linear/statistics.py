"""Statistics: what the linear solver did, as counts and seconds.

One idea: a claim such as "analysed once for the whole sweep" is a number that can be read off.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def _no_time() -> dict[str, float]:
    return {"analyse": 0.0, "factor": 0.0, "solve": 0.0}


@dataclass
class Statistics:
    """Counts and seconds of one `LinearSolver` since it was made.

    Attributes
    ----------
    n_analyse, n_factor, n_solve : int
        Analyses of a pattern, factorisations, and calls of `solve` that were asked for.
    n_refine : int
        Steps of refinement inside the solves.
    n_grow : int
        Matrices that left the pattern, so that it grew and was analysed again.
    n_fallback : int
        Times that another back end had to take over.
    seconds : dict
        Wall seconds under ``"analyse"``, ``"factor"`` (with equilibration) and ``"solve"`` (with
        checks and refinement).

    Examples
    --------
    >>> Statistics(n_analyse=1, n_factor=3)
    Statistics(1 analyses, 3 factorisations, 0 solves, 0 refinements, 0 fallbacks, 0.000 s)
    """

    n_analyse: int = 0
    n_factor: int = 0
    n_solve: int = 0
    n_refine: int = 0
    n_grow: int = 0
    n_fallback: int = 0
    seconds: dict[str, float] = field(default_factory=_no_time)

    @property
    def total_seconds(self) -> float:
        """Wall seconds of everything."""
        return sum(self.seconds.values())

    def __repr__(self) -> str:
        return (
            f"Statistics({self.n_analyse} analyses, {self.n_factor} factorisations, "
            f"{self.n_solve} solves, {self.n_refine} refinements, {self.n_fallback} fallbacks, "
            f"{self.total_seconds:.3f} s)"
        )
