"""Which solvers a short solve takes the steps of."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...solvers.damping import FullStep, NaturalMonotonicity
from ...solvers.direction import NewtonDirection
from ...solvers.method import NewtonMethod
from ...solvers.polyalgorithm import Robust
from ...solvers.presets import DampedNewton, Newton
from ...solvers.reuse import CostBasedReuse, NoReuse
from ...solvers.termination import DEFAULT


class ShortMethod(NamedTuple):
    """A solver whose steps a short solve takes.

    Attributes
    ----------
    solver : NewtonMethod
    damped : bool
        Whether `NaturalMonotonicity` judges the steps.
    first_of_stages : bool
        Whether it is the first stage of `Robust`.
    """

    solver: NewtonMethod
    damped: bool
    first_of_stages: bool


def short_method(solver: Any, n: int) -> ShortMethod | None:
    """Return what a short solve of n unknowns needs of a solver; None if it takes other steps."""
    staged = type(solver) is Robust
    method = solver.stages[0].solver if staged else solver
    if type(method) not in (Newton, DampedNewton, NewtonMethod):
        return None
    if method.limits or not (method.termination is DEFAULT or method.termination == DEFAULT):
        return None
    damped, damping = False, method.damping
    if type(damping) is NaturalMonotonicity:
        damped, usual = True, damping.first == 1.0 and damping.bound >= 1.0
    else:
        usual = type(damping) is FullStep and damping.factor == 1.0
    if not usual or type(method.direction) is not NewtonDirection or not _renews(method.reuse, n):
        return None
    return ShortMethod(method, damped, staged)


def _renews(reuse: Any, n: int) -> bool:
    """Whether every step of n unknowns gets a new Jacobian."""
    if type(reuse) is CostBasedReuse:
        return n < reuse.smallest
    return type(reuse) is NoReuse
