"""Curves: what a problem can do with a parameter beyond a sweep; the base of `Problem`.

One idea: solutions form curves. A curve is followed by its arclength, so a fold is a point like any
other; where two curves cross, the other one can be taken; where nothing connects them, deflation
finds the next.

References: H. B. Keller (1977) for arclength; P. E. Farrell, A. Birkisson, S. W. Funke, SIAM J.
Sci. Comput. 37 (2015) A2026 for deflation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..continuation.arclength import Arclength
from ..continuation.ladder import as_solver
from ..continuation.switching import departure
from ..errors import ConvergenceError, InputError
from ..result.branch import Branch, Special
from ..result.history import Stats
from ..solvers.monitor import Monitor
from ..systems.families import ParameterizedSystem
from ..systems.fold_family import FoldFamily
from ..systems.report import conclude
from .following import Run
from .request import Request
from .sweeps import Sweeps


class Curves(Sweeps):
    """Continuation, for `Problem`."""

    def continuation(
        self,
        x0: ArrayLike,
        name: str,
        bounds: tuple[float, float] | None = None,
        *,
        step: float | None = None,
        max_step: float | None = None,
        method: Arclength | None = None,
        solver: Any = None,
        max_points: int | None = None,
        outputs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Branch:
        """Follow the curve of solutions through x0, round its folds, by pseudo-arclength.

        Parameters
        ----------
        x0 : array_like, shape (n,)
            Guess for the first point, at the value that the parameter has in the problem or
            among the keywords.
        name : str
            The parameter.
        bounds : (float, float), optional
            Where to end; hit exactly. None: no bounds, then `max_points` ends it.
        step : float, optional
            The first step, as a change of the parameter; negative goes down.
        max_step : float, optional
            The longest step, in the same units.
        method : Arclength, optional
            All settings of the steps.
        solver : optional
            For the first point; as in `solve`.
        max_points : int, optional
            Limit on the points; 400, with a warning when it is reached, by default.
        outputs : mapping of str to callable, optional
            Columns, as in `sweep`.
        detect : sequence of str
            Special points to locate, to 1e-10 in the parameter: "fold", "branch point".
        events : mapping of str to callable, optional
            Functions ``f(x, **parameters)``; where they pass through zero is located too.
        stop : str or sequence of str, optional
            Kinds of special points at which to end.
        until : callable, optional
            ``until(x, **parameters)`` -> True ends the branch there.
        stability : bool or Stability, optional
            Count unstable eigenvalues (column "unstable"), and locate Hopf points.
        keep : "all", "none" or int
            States to keep: all, the last, or every k-th.
        checkpoint : path or Checkpoint, optional
            Write the branch so far there, atomically, every 10 points or 30 seconds.
        resume : bool
            Go on from the checkpoint if the file is there.
        progress : bool, optional
        raise_on_failure : bool
        **params
            Other parameters.

        Returns
        -------
        Branch
            Columns: the parameter, "nit", "s" (arclength), "tangent"; ``branch.special``. Partial,
            with a `PartialBranchWarning`, if it could not go on.

        Raises
        ------
        ConvergenceError
            If even the first point fails.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> curve = Problem(lambda x, p: p + x - x**3 / 3, params={"p": -1.0})
        >>> branch = curve.continuation([-2.0], "p", (-1.0, 1.0))
        >>> print(*branch.special, sep="; ")
        fold at 0.666666666667; fold at -0.666666666667
        """
        options, params = self._split(options)
        options |= {"max_points": max_points, "outputs": outputs}
        request = Request.of(bounds, method, step, max_step, options)
        p = self._start_value(name, params, request)
        system, x = self._system(x0, {**params, name: p})
        system.prepare(x)
        with self._workspaces.lend() as workspace:
            family = ParameterizedSystem(system, name, x, p)
            run = Run(family, name, system.params, workspace, request, {"kind": "continuation"})
            if run.saved is None:
                result = conclude(
                    as_solver(solver), system, workspace, x, system.residual_quietly(x), Monitor()
                )
                if not result.success:
                    raise ConvergenceError(
                        f"the first point, {name} = {p:g}, failed: {result.message}. Start where "
                        "the problem is easy",
                        result,
                    )
                x = result.x
                cost = result.stats
                run.first.add(Stats(nit=cost.nit, nfev=cost.nfev, njev=cost.njev))
            return run.go(np.append(x, p))

    def switch(
        self,
        branch: Branch,
        special: Special | int = 0,
        bounds: tuple[float, float] | None = None,
        *,
        step: float | None = None,
        max_step: float | None = None,
        method: Arclength | None = None,
        max_points: int | None = None,
        outputs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Branch:
        """Follow the other branch that crosses at a branch point.

        Parameters
        ----------
        branch : Branch
            Of `continuation`.
        special : Special or int
            A branch point of it, or the number of one among its branch points.
        bounds, method, max_points, outputs, **options
            As in `continuation`.
        step : float, optional
            Length of the first step, in the metric of the branch; the sign says to which side.

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
            raise InputError(f"{special} is no branch point of a continuation; nothing crosses")
        options, params = self._split(options)
        options |= {"max_points": max_points, "outputs": outputs}
        request = Request.of(bounds, method, step, max_step, options)
        params = {**branch.params, **params, branch.name: special.parameter}
        system, x = self._system(special.x, params)
        system.prepare(x)
        with self._workspaces.lend() as workspace:
            family = ParameterizedSystem(system, branch.name, x, special.parameter)
            run = Run(family, branch.name, system.params, workspace, request, {"kind": "switch"})
            length = request.method.first_step(special.parameter, request.bounds)
            z, tangent = departure(family, workspace, special, branch.weights, length)
            return run.go(z, tangent, branch.weights)

    def fold_curve(
        self,
        branch: Branch,
        name: str,
        bounds: tuple[float, float] | None = None,
        special: Special | int = 0,
        *,
        step: float | None = None,
        max_step: float | None = None,
        method: Arclength | None = None,
        max_points: int | None = None,
        outputs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Branch:
        """Follow a fold of a branch while a second parameter changes.

        Parameters
        ----------
        branch : Branch
            Of `continuation` or `sweep`.
        name : str
            The second parameter.
        bounds, step, max_step, method, max_points, outputs, **options
            As in `continuation`, for the second parameter.
        special : Special or int
            A fold of the branch, or the number of one among its folds.

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
        options, params = self._split(options)
        options |= {"max_points": max_points, "outputs": outputs}
        request = Request.of(bounds, method, step, max_step, {"detect": ("fold",), **options})
        self._signature.numeric(name)
        params = {**branch.params, **params, branch.name: fold.parameter}
        params.setdefault(name, self._signature.known.get(name))
        system, x = self._system(fold.x, params)
        system.prepare(x)
        z, p = np.append(x, fold.parameter), branch.name
        vector = fold.vector if fold.vector is not None else np.ones(len(x))
        with self._workspaces.lend() as workspace:
            family = FoldFamily(system, workspace, (p, name), z, vector)

            def view(y: Any) -> tuple[Any, dict[str, float]]:
                return y[:-1], {p: float(y[-1])}

            run = Run(family, name, system.params, workspace, request, {"kind": "folds"}, view)
            return run.go(np.append(z, float(system.value_of(name))))

    def _start_value(self, name: str, params: Mapping[str, Any], request: Request) -> float:
        """Return where the parameter starts, or say that it does not say."""
        self._signature.numeric(name)
        known = {**self._signature.known, **params}
        if name not in known:
            raise InputError(f"say where to start: give {name}=value, or a value in params")
        p, (low, high) = float(known[name]), request.bounds
        if not low <= p <= high:
            raise InputError(
                f"{name} = {p:g} at the start is outside the bounds {low:g} to {high:g}"
            )
        first = request.method.first_step(p, request.bounds)
        if (p == low and first < 0.0) or (p == high and first > 0.0):
            raise InputError(f"step = {first:g} leads out of the bounds at once")
        return p

    def _split(self, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return (options of continuation, parameters of the problem)."""
        names = set(Request.__dataclass_fields__)
        chosen = {k: v for k, v in options.items() if k in names}
        return chosen, {k: v for k, v in options.items() if k not in names}


def _chosen(branch: Branch, special: Special | int, kind: str) -> Special:
    """Return a special point that was given itself or by its number."""
    if isinstance(special, Special):
        return special
    points = branch.specials(kind)
    if not -len(points) <= special < len(points):
        raise InputError(f"the branch has {len(points)} {kind}s; there is no number {special}")
    return points[special]
