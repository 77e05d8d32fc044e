"""Stability of the equations in time of a problem: its storage gives the mass matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...arrays import Vector
from ...bifurcation import Stability
from ..equations.definition import ProblemDefinition
from ..equations.storage import Storage


def stability_of(
    problem: ProblemDefinition, given: Any, moved: Callable[[float], Mapping[str, Any]]
) -> Any:
    """Return the settings for True, anything else as it is.

    Where the problem has a storage Q, F + dQ/dt = 0, and M = -dQ/dx in M dx/dt = F.

    Parameters
    ----------
    moved : callable
        ``moved(p)`` -> the parameters that differ from those of the problem, by name.
    """
    if given is not True or problem.storage is None:
        return Stability.of(given)

    def mass(x: Vector, p: float) -> Any:
        system, at = problem.system(x, moved(p))
        return -Storage(problem.storage, system).matrix(at)

    return Stability(mass=mass)
