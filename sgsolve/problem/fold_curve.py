"""Fold curve: the locus of a fold while a second parameter changes.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), ch. 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..bifurcation import Stability
from ..continuation.stepper import RunState
from ..errors import InputError
from ..results.branch import Branch
from ..results.special_points import ApproximateSpecialPoint, SpecialPoint
from .curve_run import asked_of, fold_view, run_curve
from .definition import ProblemDefinition
from .fold_family import FoldFamily
from .switch_branch import NEEDED, chosen


def fold_curve(
    problem: ProblemDefinition,
    branch: Branch,
    name: str,
    bounds: tuple[float, float] | None,
    special: SpecialPoint | int,
    **options: Any,
) -> Branch:
    """Follow a fold of a branch while a second parameter changes; see `Problem.fold_curve`."""
    problem.check_same({k: v for k, v in branch.params.items() if k != branch.name}, "the branch")
    fold = chosen(branch, special, "fold")
    if isinstance(fold, ApproximateSpecialPoint):
        raise InputError(f"{fold} did not converge: {NEEDED}")
    options["stability"] = Stability.of(options["stability"])
    asked = asked_of(bounds, options, (name, branch.name))
    problem.signature.numeric(name)
    if name == branch.name:
        raise InputError(f"the fold moves in {branch.name!r}; name a second parameter")
    params = {**branch.params, branch.name: fold.parameter}
    params.setdefault(name, problem.signature.known.get(name))
    system, x, _ = problem.started(fold.x, params)
    z, p = np.append(x, fold.parameter), branch.name
    vector = fold.vector if fold.vector is not None else np.ones(len(x))
    if problem.null_space:
        raise InputError(
            "fold_curve takes no problem with null_space=; fix the level by an equation"
        )
    with problem.lend(system, x) as workspace:
        family = FoldFamily(system, workspace, (p, name), z, vector)

        start, view = float(system.value_of(name)), fold_view((p, name), system)

        def origin(state: RunState) -> tuple[Any, None]:
            return np.append(z, start), None

        return run_curve(family, workspace, view, origin, *asked, "folds")
