"""One periodic orbit at fixed parameters: Newton's method, and meshes until the period is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Vector
from ..continuation.curve_points.corrector import CONTRACTION
from ..continuation.curve_points.metric import Metric
from ..errors import ConvergenceError, LinearSolveError
from ..results.blocks import Blocks
from ..solvers.monitor import Monitor
from ..solvers.presets import DampedNewton
from ..solvers.state.workspace import Workspace
from .orbit_family import OrbitFamily

ROUNDS = 3  # of Newton's method and a better mesh, for a number of intervals
ITERATIONS = 12
EXACT = 1e-11  # relative length of a step behind which an orbit is exact: Newton squares it
ROUNDING = 1e-8  # ... and up to which rounding may keep steps from becoming shorter
LARGEST = 2560  # intervals at most
FINAL, ALWAYS = 160, 640  # intervals where a failure is final: if they resolve the guess, or not
RESOLVED = 1e-5  # error of a guess on its mesh, relative to the sizes of x
FLAT = 1e-4  # part of the amplitude of the guess below which the answer is a steady state


class OrbitSystem:
    """The equations of an orbit at a fixed parameter; a `solvers.System`."""

    def __init__(self, family: OrbitFamily, p: float) -> None:
        self.family, self.p = family, p
        self.n, self.pattern, self.scale = family.n, family.pattern, None
        self.blocks = Blocks(family.n)

    def residual(self, x: Vector) -> Vector:
        """Return the residual."""
        return self.family.residual(x, self.p)

    def linearize(self, x: Vector) -> tuple[Vector, Any]:
        """Return the residual and its Jacobian."""
        return self.family.linearize(x, self.p)[:2]

    def jvp(self, x: Vector, v: Vector) -> Vector:
        """Return J v."""
        product: Vector = self.linearize(x)[1] @ v
        return product


def solved_orbit(family: OrbitFamily, workspace: Workspace, x: Vector, p: float) -> Vector:
    """Return the orbit near a guess, on the mesh of the family.

    Raises
    ------
    ConvergenceError
        If there is none, or if it is a steady state.
    """
    family.refer_to(x)
    before = _swing(family, x)
    found = _corrected(family, workspace, x, p)
    if found is None:
        outcome = DampedNewton(max_iterations=60).run(
            OrbitSystem(family, p), workspace, x, family.residual(x, p), Monitor()
        )
        found = _corrected(family, workspace, outcome.x, p)
    if found is None:
        raise ConvergenceError(
            "no periodic orbit was found near the guess: Newton's method failed. What to try: a "
            "longer run of transient, until the oscillation is periodic; a smaller "
            "rtol of it; more intervals. If the equations conserve a quantity, as an energy, there "
            "are orbits of all its values at one parameter: add its gradient, times a parameter, "
            "to F, and follow the orbits along that parameter from 0"
        )
    if family.split(found)[1] <= 0.0 or _swing(family, found) <= FLAT * before:
        raise ConvergenceError(
            "the iteration went to a steady state, which repeats after any period; start from a "
            "guess nearer to the orbit, or give its period"
        )
    return found


def _corrected(family: OrbitFamily, workspace: Workspace, x: Vector, p: float) -> Vector | None:
    """Return the orbit by Newton's method without damping; None where it does not contract."""
    metric = Metric(family.weights(1.0, float(x[-1]) or 1.0))
    solver, before = workspace.solver(family.pattern), np.inf
    for _ in range(ITERATIONS):
        F, J, _ = family.linearize(x, p)
        if not (np.isfinite(F).all() and np.isfinite(J.data).all()):
            return None
        try:
            solver.factorize(J)
            step = solver.solve(-F)
        except LinearSolveError:
            return None
        x, size = x + step, metric.norm(np.append(step, 0.0))
        if size <= EXACT * metric.norm(np.append(x, 0.0)):
            return x
        if size > CONTRACTION * before:
            return x if size <= ROUNDING * metric.norm(np.append(x, 0.0)) else None
        before = size
    return None


def _swing(family: OrbitFamily, x: Vector) -> float:
    X, _ = family.split(x)
    return float((np.ptp(X, axis=0) / family.sizes).max())


def meshed_orbit(family: OrbitFamily, workspace: Workspace, x: Vector, p: float) -> Vector:
    """Return the orbit near a guess on a mesh that was adapted to it.

    A coarse orbit may lead to a mesh on which it is not found again; it stays on its mesh then.
    """
    x = solved_orbit(family, workspace, x, p)
    for _ in range(ROUNDS - 1):
        before = family.saved()
        try:
            moved = family.moved(family.remeshed(x), [x])[0]
            x = solved_orbit(family, workspace, moved, p)
        except ConvergenceError:
            family.restore(before)
            break
    return x


def exact_orbit(
    guess: Callable[[int], tuple[OrbitFamily, Vector]],
    workspace: Workspace,
    first: int,
    tolerance: float,
) -> tuple[OrbitFamily, Vector]:
    """Double the intervals until the period changes by less than a relative tolerance.

    `guess` returns a family with a number of intervals, and the guess of the orbit on it; it is
    asked until an orbit is found.

    Raises
    ------
    ConvergenceError
        If the tolerance is not met with the largest number of intervals.
    """
    N, before, found = first, np.nan, False
    family, x = guess(N)
    while True:
        try:
            x = meshed_orbit(family, workspace, x, 0.0)
            found = True
        except ConvergenceError:  # a mesh may be too coarse for Newton's method
            before = np.nan
            if found:  # what a coarser mesh gave was no orbit
                found = False
                family, x = guess(N)
                continue
            final = FINAL if family.error(x) <= RESOLVED else ALWAYS
            if final <= N:
                raise
        if found:
            if abs(float(x[-1]) - before) <= tolerance * abs(before):
                return family, x
            before = float(x[-1])
        N *= 2
        if N > LARGEST:
            raise ConvergenceError(
                f"the period still changes by more than {tolerance:g} with {N // 2} intervals; a "
                "larger tolerance or degree, or a smoother residual is needed"
            )
        if found:
            mesh = family.mesh
            halves = np.sort(np.append(mesh, 0.5 * (mesh[:-1] + mesh[1:])))
            x = family.moved(halves, [x])[0]
        else:
            family, x = guess(N)
