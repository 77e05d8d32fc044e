"""Path families: the systems of a problem along a path of parameters, which a sweep solves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arrays import Vector
from ...continuation.family import Linear, linearized
from ...errors import LinearSolveError
from ...results.history import Stats
from ...results.result import Result
from ...solvers.monitor import Monitor
from ...solvers.state.workspace import Workspace
from ..equations.parameters import parameter_derivative
from ..equations.residual_system import ResidualSystem
from ..families.gauged_family import curve_family, lifted
from ..families.parameter_family import Line
from ..families.parameter_path import ParameterPath
from ..short_newton.short_solve import short_result
from ..solves.solve import run_solver


class PathFamily:
    """The systems of a problem along a path; a `continuation.natural.SolvedFamily`.

    Parameters
    ----------
    system : ResidualSystem
        Prepared, at any value.
    first, following : solver
        For the first point, which has no solution to start from, and for the others.

    Attributes
    ----------
    open : ndarray, shape (n, k), or None
        Directions that no equation determines, once a solve has shown them. The following points
        keep the level along them.
    """

    def __init__(
        self,
        system: ResidualSystem,
        path: ParameterPath,
        workspace: Workspace,
        first: Any,
        following: Any,
        monitor: Monitor,
    ) -> None:
        self.system, self.path, self.workspace = system, path, workspace
        self._first, self._following, self._monitor = first, following, monitor
        self.n_slope = 0  # evaluations of dF/dp
        self.open: Vector | None = None
        self._curve: Any = None
        self._curve_line: Line | None = None
        self._evaluated: list[tuple[Vector, float, Vector]] = []  # the last two, by predictors

    def at(self, p: float) -> ResidualSystem:
        """Return the system at p."""
        return self.system.at(self.path.params(p))

    def curve(self, x: Vector, p: float) -> Any:
        """Return the family with x and p free, on the straight line that the path has at p."""
        line = self.path.line(p)
        if self._curve is None or self._curve_line != line:
            self._curve_line = line
            self._curve = curve_family(self.system, line, x, p, self.workspace)
        return self._curve

    def linearize(self, x: Vector, p: float) -> Linear | None:
        """Return F, J and dF/dp; None where they are not finite."""
        family = self.curve(x, p)
        return linearized(family, lifted(family, np.append(x, p)))

    def compiled_counts(self) -> Stats:
        """Return the counts of compiled evaluations so far."""
        return self.system.compiled_counts()

    @property
    def multipliers(self) -> int:
        """How many multipliers the family with x and p free has behind x."""
        V = self.workspace.null_space
        return 0 if V is None else int(V.shape[1])

    @property
    def nfev(self) -> int:
        """Evaluations of the residual for detectors."""
        return 0 if self._curve is None else int(self._curve.nfev)

    @property
    def njev(self) -> int:
        """Evaluations of dF/dp, and of J for detectors."""
        return self.n_slope + (0 if self._curve is None else int(self._curve.njev))

    @property
    def seconds(self) -> dict[str, float]:
        """Spent in these."""
        return {} if self._curve is None else dict(self._curve.seconds)

    def residual_or_none(self, x: Vector, p: float) -> Vector | None:
        """Return F, or None where it is not finite or outside the model."""
        try:
            F = self.at(p).residual_quietly(x)
        except ArithmeticError:
            return None
        if not np.isfinite(F).all():
            return None
        self._evaluated = [*self._evaluated[-1:], (x, p, F)]
        return F

    def _start(self, system: ResidualSystem, x: Vector, p: float) -> Vector:
        """Return F at a guess, which a predictor may have evaluated."""
        for known, at, F in self._evaluated:
            if known is x and at == p:
                return F
        return system.residual_quietly(x)

    def solve(self, x: Vector, p: float, first: bool) -> Result:
        """Solve at p from x."""
        system = self.at(p)
        F = system.prepare(x) if first else self._start(system, x, p)
        self._evaluated = []
        solver = self._first if first else self._following
        result, monitor = None, self._monitor
        if monitor.is_quiet:
            try:
                result = short_result(self.workspace, system, x, solver)
            except KeyboardInterrupt:
                monitor = Monitor.interrupting()
        if result is None:
            result = run_solver(solver, system, self.workspace, x, F, monitor)
        self.open = result.null_space
        return result

    def save(self) -> dict[str, Any]:
        """Return the directions that were found to be open."""
        return {} if self.open is None else {"null space": self.open}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        if "null space" in saved:
            self.open = saved["null space"]
            self.workspace.gauge(self.open)

    def slopes(self, x: Vector, p: float) -> tuple[Vector | None, Vector | None]:
        """Return dx/dp ahead of and behind a solution, by the factorization of its solve."""
        system, ahead, behind = self.at(p), self.path.line(p), self.path.line_behind(p)
        lines = (ahead,) if behind == ahead else (ahead, behind)
        self.n_slope += 1
        try:
            solver = self.workspace.solver(system.pattern)
            if not solver.factorized:
                solver.factorize(system.linearize(x)[1])
            moves = [i for i in range(len(ahead.names)) if any(line.direction[i] for line in lines)]
            B = np.zeros((len(x), len(lines)))
            for i in moves:
                Fp = parameter_derivative(system, x, ahead.names[i])
                B += np.outer(Fp, [line.direction[i] for line in lines])
            found = -solver.solve(B)
        except LinearSolveError:
            return None, None
        if not np.isfinite(found).all():
            return None, None
        return found[:, 0], found[:, -1]
