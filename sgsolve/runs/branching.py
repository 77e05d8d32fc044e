"""Branching: on from a special point of a branch; a base of `Problem`.

One idea: a special point is a start like any other, on a curve of its own: the branch that crosses
there, or the places that a fold takes while a second parameter changes.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), chapters
3 and 4.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..continuation.switching import departure
from ..errors import InputError
from ..results.branch import Branch
from ..results.special_points import Rough, Special
from ..systems.fold_family import FoldFamily
from ..systems.gauged_family import curve_family, lifted
from .curves import Curves
from .following import Run

_NEEDED = "take a special point that a continuation located exactly"


class Branching(Curves):
    """Branch switching and curves of folds, for `Problem`."""

    def switch(
        self,
        branch: Branch,
        special: Special | int = 0,
        bounds: tuple[float, float] | None = None,
        *,
        step: float | None = None,
        **options: Any,
    ) -> Branch:
        """Follow the other branch that crosses at a branch point.

        Parameters
        ----------
        branch : Branch
            Of `continuation`.
        special : Special or int
            A branch point of it, or the number of one among its branch points.
        bounds : (float, float), optional
            As in `continuation`.
        step : float, optional
            Length of the first step, in the metric of the branch; the sign says to which side.
        **options
            As in `continuation`: max_step, method, max_points, outputs, stop, stability, ...;
            and other values of parameters.

        Returns
        -------
        Branch
            It begins beside the branch point.

        Raises
        ------
        ConvergenceError
            If the other branch could not be entered.
        """
        special = _chosen(branch, special, "branch point")
        if special.other is None or branch.weights is None:
            raise InputError(f"no second branch is known at {special}: {_NEEDED}")
        request, given = self._asked(bounds, {**options, "step": step}, branch.name)
        params = {**branch.params, **given, branch.name: special.parameter}
        system, x = self._ready(special.x, params)
        with self._lend(system, x) as workspace:
            family = curve_family(system, branch.name, x, special.parameter, workspace)
            run = Run(family, branch.name, system.params, workspace, request, {"kind": "switch"})
            length = request.method.first_step(special.parameter, request.bounds)
            special = _lifted(family, special)
            z, tangent = departure(family, workspace, special, branch.weights, length)
            return run.go(z, tangent, branch.weights)

    def fold_curve(
        self,
        branch: Branch,
        name: str,
        bounds: tuple[float, float] | None = None,
        special: Special | int = 0,
        **options: Any,
    ) -> Branch:
        """Follow a fold of a branch while a second parameter changes.

        Parameters
        ----------
        branch : Branch
            Of `continuation` or `sweep`.
        name : str
            The second parameter.
        bounds : (float, float), optional
            As in `continuation`, for the second parameter.
        special : Special or int
            A fold of the branch, or the number of one among its folds.
        **options
            As in `continuation`: step and max_step in units of the second parameter, method,
            max_points, outputs, stop, ...; and other values of parameters.

        Returns
        -------
        Branch
            Over the second parameter, with the first one as a column. Where the curve turns back
            (a cusp, or where an isola is born) it has a "fold" of its own.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, p, q: p + q * x - x**3 / 3, params={"p": -1.0, "q": 1.0})
        >>> branch = problem.continuation([-2.0], "p", (-1.0, 1.0))
        >>> folds = problem.fold_curve(branch, "q", (-1.0, 1.0), step=-0.1)
        >>> print(f"{abs(folds.special[0].parameter):.8f}")  # the cusp at p = q = 0
        0.00000000
        """
        fold = _chosen(branch, special, "fold")
        if isinstance(fold, Rough):
            raise InputError(f"{fold} is known roughly only: {_NEEDED}")
        request, given = self._asked(bounds, options, name, branch.name, detect=("fold",))
        self._signature.numeric(name)
        if name == branch.name:
            raise InputError(f"the fold moves in {branch.name!r}; name a second parameter")
        params = {**branch.params, **given, branch.name: fold.parameter}
        params.setdefault(name, self._signature.known.get(name))
        system, x = self._ready(fold.x, params)
        z, p = np.append(x, fold.parameter), branch.name
        vector = fold.vector if fold.vector is not None else np.ones(len(x))
        if self._null_space:
            raise InputError(
                "fold_curve takes no problem with null_space=; fix the level by an equation"
            )
        with self._lend(system, x) as workspace:
            family = FoldFamily(system, workspace, (p, name), z, vector)

            def view(y: Any) -> tuple[Any, dict[str, float]]:
                return y[:-1], {p: float(y[-1])}

            run = Run(family, name, system.params, workspace, request, {"kind": "folds"}, view)
            return run.go(np.append(z, float(system.value_of(name))))


def _lifted(family: Any, special: Special) -> Special:
    """Return a special point with the multipliers of a gauged family behind its state."""
    assert special.other is not None
    assert special.tangent is not None
    x, tangent = lifted(family, special.x), lifted(family, special.tangent)
    return replace(special, x=x, tangent=tangent, other=lifted(family, special.other))


def _chosen(branch: Branch, special: Special | int, kind: str) -> Special:
    """Return a special point that was given itself or by its number."""
    if branch.along:
        moved = ", ".join((branch.name, *branch.along))
        raise InputError(
            f"several parameters change along this branch ({moved}); go on from a special point "
            "of a branch of one"
        )
    if isinstance(special, Special):
        return special
    points = branch.specials(kind)
    if not -len(points) <= special < len(points):
        raise InputError(f"the branch has {len(points)} {kind}s; there is no number {special}")
    return points[special]
