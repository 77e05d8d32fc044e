"""OrbitFamily: the periodic orbits of a problem for each value of a parameter.

The unknowns are the states at the nodes of all intervals, and the period T. Besides the collocation
equations the integral of <x - x_ref, dx_ref/dt> over the period vanishes, where x_ref is the last
orbit of the branch: of all shifts in time it is the nearest one to x_ref.

Reference: E. Doedel, Congressus Numerantium 30 (1981) 265.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np

from ..arrays import Vector
from ..continuation.family import Family
from ..linear.frame import Frame
from ..pattern import Pattern
from .discretization import Discretization
from .evaluated import AutonomousEquations, Evaluated
from .orbit_mesh import adapted_mesh, interpolated_at, mesh_error
from .scheme import Scheme

LARGE = 3000  # unknowns above which the phase is measured at one state instead of the integral
LATER = 1e-6  # of a period, for the direction of a shift in time
FAST = 0.5  # share of the largest speed that suffices for the condition on the phase


class OrbitFamily(Family):
    """Periodic orbits on one mesh.

    Parameters
    ----------
    mesh : ndarray, shape (N + 1,)
        From 0 to 1.
    sizes : ndarray, shape (n,)
        What a change of each unknown of the problem is measured by.

    Attributes
    ----------
    n : int
        Unknowns: of all states and the period.
    nfev, njev : int
        Evaluations of the equations at all states, alone and with derivatives.
    seconds : dict
        Spent in either.
    """

    def __init__(
        self, equations: AutonomousEquations, scheme: Scheme, mesh: Vector, sizes: Vector
    ) -> None:
        self.equations, self.scheme, self.sizes = equations, scheme, sizes
        self.grid = Discretization(equations, scheme, len(mesh) - 1)
        self._frame = Frame(self.grid.pattern, 1)
        self.n = self.grid.size + 1
        self.mesh = mesh
        self._reference = self._phase = np.zeros((self.grid.size // equations.n, equations.n))
        self.nfev = self.njev = 0
        self.seconds = {"residual": 0.0, "jacobian": 0.0}

    @property
    def pattern(self) -> Pattern:
        """The blocks of all intervals, with a dense last row and column."""
        return self._frame.pattern

    @property
    def scale(self) -> Vector:
        """The sizes of the unknowns at every node; the period has its own."""
        tiled = np.tile(self.sizes, self.grid.size // len(self.sizes))
        return np.append(tiled, 1.0)

    def split(self, x: Vector) -> tuple[Vector, float]:
        """Return the states, shape (P, n), and the period."""
        return x[: self.grid.size].reshape(-1, self.equations.n), float(x[self.grid.size])

    def residual(self, x: Vector, p: float) -> Vector:
        """Return the collocation equations and the phase condition."""
        self.nfev += 1
        start = perf_counter()
        X, T = self.split(x)
        F, Q = self.equations.values(X, self.grid.rates(X, self.mesh, T), p)
        found = self._whole(X, self.grid.residual(F, Q, self.mesh, T))
        self.seconds["residual"] += perf_counter() - start
        return found

    def linearize(self, x: Vector, p: float) -> tuple[Vector, Any, Vector]:
        """Return the residual, its Jacobian and its derivative by the parameter."""
        self.njev += 1
        start = perf_counter()
        (X, T), grid, mesh = self.split(x), self.grid, self.mesh
        now = self.evaluated(x, p)
        column = np.append(grid.ordered(grid.by_period(now, X, mesh, T)), 0.0)
        inner = grid.pattern.matrix(grid.data(now, mesh, T))
        below = np.append(self._phase.ravel(), 0.0)
        J = self._frame.matrix(inner, column[:-1, None], below[None, :])
        Fp = np.append(grid.ordered(grid.by_parameter(now, mesh, T)), 0.0)
        F = self._whole(X, grid.residual(now.F, now.Q, mesh, T))
        self.seconds["jacobian"] += perf_counter() - start
        return F, J, Fp

    def evaluated(self, x: Vector, p: float) -> Evaluated:
        """Return the equations with derivatives at all states of an orbit."""
        X, T = self.split(x)
        return self.equations.evaluate(X, self.grid.rates(X, self.mesh, T), p)

    def accepted(self, z: Vector) -> None:
        """Measure the phase from this orbit on."""
        self.refer_to(z[:-1])

    def refer_to(self, x: Vector) -> None:
        """Measure the phase from an orbit on."""
        X, _ = self.split(x)
        slopes = np.einsum("ij,kjn->kin", self.scheme.slopes, self.grid.local(X))
        shares = self.scheme.weights[None, :, None]  # the length of the interval cancels
        phase = np.zeros_like(X)
        phase[self.grid.nodes[:, 1:]] = shares * slopes / self.sizes**2
        if self.grid.size > LARGE:  # a dense row would fill the factors of most linear solvers
            node = self._node_of_phase(np.abs(phase * self.sizes).sum(axis=1))
            phase[:node] = phase[node + 1 :] = 0.0
        size = float(np.abs(phase * self.sizes).sum())
        self._reference, self._phase = X.copy(), phase / (size or 1.0)

    def in_phase(self, x: Vector, v: Vector) -> Vector:
        """Return a change v of an orbit x, with a shift in time as the phase condition asks."""
        (X, _), times = self.split(x), node_times(self.scheme, self.mesh)
        later = interpolated_at(self.scheme, self.mesh, self.grid.local(X), (times + LATER) % 1.0)
        shift, row = (later - X).ravel(), self._phase.ravel()
        found = v.copy()
        found[: len(row)] -= (row @ v[: len(row)]) / (row @ shift) * shift
        return found

    def _node_of_phase(self, speeds: Vector) -> int:
        """Return a fast node, that of before where it is one: tangents hold for its condition.

        A doubled orbit passes its fastest part twice, and rounding would choose among both.
        """
        before = np.flatnonzero(self._phase.any(axis=1))
        fastest = int(np.argmax(speeds))
        if len(self._phase) == len(speeds) and len(before) == 1:
            node = int(before[0])
            return node if speeds[node] >= FAST * speeds[fastest] else fastest
        return fastest

    def _take(self, mesh: Vector) -> None:
        """Take a mesh; the pattern stays the same object for as many intervals."""
        self.mesh = mesh
        if len(mesh) - 1 != self.grid.N:
            self.grid = Discretization(self.equations, self.scheme, len(mesh) - 1)
            self.n = self.grid.size + 1
            self._frame = Frame(self.grid.pattern, 1)

    def remeshed(self, x: Vector, count: int | None = None) -> Vector:
        """Return the mesh that suits an orbit, by default with as many intervals."""
        X, _ = self.split(x)
        local = self.grid.local(X)
        return adapted_mesh(self.scheme, self.mesh, local, self.sizes, count or self.grid.N)

    def error(self, x: Vector) -> float:
        """Return the error of the polynomials of an orbit, relative to the sizes of x."""
        X, _ = self.split(x)
        return mesh_error(self.scheme, self.mesh, self.grid.local(X), self.sizes)

    def moved(self, mesh: Vector, vectors: list[Vector]) -> list[Vector]:
        """Take another mesh; return vectors of unknowns on it.

        A vector may have more numbers behind the states; they stay.
        """
        old, grid = self.mesh, self.grid
        times = node_times(self.scheme, mesh)
        found = []
        for v in vectors:
            X = v[: grid.size].reshape(-1, self.equations.n)
            moved = interpolated_at(self.scheme, old, grid.local(X), times)
            found.append(np.append(moved.ravel(), v[grid.size :]))
        reference = interpolated_at(self.scheme, old, grid.local(self._reference), times)
        self._take(mesh)
        self.refer_to(np.append(reference.ravel(), 1.0))
        return found

    def saved(self) -> dict[str, Any]:
        """Return the mesh, and the orbit by which the phase is measured."""
        return {"mesh": self.mesh, "reference": self._reference, "phase": self._phase}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `saved` returned."""
        self._take(np.asarray(saved["mesh"]))
        self._reference, self._phase = saved["reference"], saved["phase"]

    def weights(self, unit: float, period: float) -> Vector:
        """Return the weights of a metric, shape (n + 1,).

        A node counts by its share of time, so that lengths do not depend on the mesh. The period
        counts like all states together, relative to a period.
        """
        n, stored = self.equations.n, self.scheme.stored
        shares = np.repeat(np.diff(self.mesh) / stored, stored)
        states = (shares[:, None] / (n * self.sizes**2)).ravel()
        return 0.5 * np.concatenate([unit**2 * states, [(unit / period) ** 2], [1.0]])

    def _whole(self, X: Vector, collocation: Vector) -> Vector:
        phase = float(np.sum(self._phase * (X - self._reference)))
        return np.append(self.grid.ordered(collocation), phase)


def node_times(scheme: Scheme, mesh: Vector) -> Vector:
    """Return the times of all states of an orbit with period 1."""
    own = scheme.nodes[: scheme.stored]
    times: Vector = mesh[:-1, None] + np.diff(mesh)[:, None] * own
    return times.ravel()
