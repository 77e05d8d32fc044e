"""Curves: solutions over a parameter as a curve; a base of `Problem`.

One idea: solutions form curves. A curve is followed by its arclength, so a fold is a point like any
other.

Reference: H. B. Keller, in: Applications of Bifurcation Theory (1977) 359.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..continuation.arclength import Arclength
from ..continuation.ladder import as_solver
from ..errors import ConvergenceError, InputError, SolveInterrupted
from ..results.branch import Branch
from ..results.history import Stats
from ..results.status import Status
from ..solvers.limits import refuse_outside
from ..solvers.monitor import Monitor
from ..systems.bound import BoundSystem
from ..systems.gauged_family import curve_family, lifted
from ..systems.report import conclude
from ..systems.starts import prepared_start
from .following import Run
from .keywords import refuse_both
from .request import OPTIONS, Request
from .sweeps import Sweeps

Vector = NDArray[Any]


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
        time_limit : float, optional
            Seconds after which the branch ends with the points that it has, under TIME_LIMIT.
        **params
            Other parameters.

        Returns
        -------
        Branch
            Columns: the parameter, "nit", "s" (arclength), "tangent"; ``branch.special``. Partial,
            with a `PartialBranchWarning`, if it could not go on. A special point that is certainly
            there but cannot be located is among them as "fold near ..., within ...", with an
            `UnlocatedWarning`.

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
        options |= {"step": step, "max_step": max_step, "method": method}
        options |= {"max_points": max_points, "outputs": outputs}
        request, params = self._asked(bounds, options, name)
        p, first = self._start_value(name, params, request), as_solver(solver)
        system, x = self._ready(x0, {**params, name: p}, first)
        with self._lend(system, x) as workspace:
            family = curve_family(system, name, x, p, workspace)
            run = Run(family, name, system.params, workspace, request, {"kind": "continuation"})
            if run.saved is None:
                result = conclude(
                    first,
                    system,
                    workspace,
                    x,
                    system.residual_quietly(x),
                    Monitor(deadline=request.deadline),
                )
                if result.status is Status.INTERRUPTED:
                    raise SolveInterrupted(result.message, result)
                if not result.success:
                    raise ConvergenceError(
                        f"the first point, {name} = {p:g}, failed: {result.message}. Start where "
                        "the problem is easy",
                        result,
                    )
                x = result.x
                cost = result.stats
                run.first.add(Stats(nit=cost.nit, nfev=cost.nfev, njev=cost.njev))
            return run.go(lifted(family, np.append(x, p)))

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

    def _asked(
        self, bounds: Any, keywords: Mapping[str, Any], *moved: str, **defaults: Any
    ) -> tuple[Request, dict[str, Any]]:
        """Return the request of a run, and the keywords that are parameters of the problem.

        `moved` are the parameters that change along the branch; `defaults` are of options.
        """
        options = {k: v for k, v in keywords.items() if k in OPTIONS}
        params = {k: v for k, v in keywords.items() if k not in OPTIONS}
        refuse_both(self._signature, [k for k, v in options.items() if v is not None])
        return Request.of(bounds, {**defaults, **options}, moved), params

    def _ready(
        self, x: ArrayLike, params: Mapping[str, Any], solver: Any = None
    ) -> tuple[BoundSystem, Vector]:
        """Return the system with its pattern, and x as a starting point of a solver."""
        system, start = self._system(x, params)
        refuse_outside(solver, start, system.blocks)
        return system, prepared_start(system, start, solver)[0]
