"""Monodromy: how a small change of the first state of an orbit returns after one period.

For small systems each interval gives a dense matrix: the changes of its nodes by a change of its
first state. The multipliers are the eigenvalues of the product. If rounding or the mesh makes the
trivial multiplier inaccurate, those across the flow are computed apart (`transverse`).

For large systems the equations of all intervals form one sparse matrix in block triangular form, in
which the last state is apart from the first. One solve with it follows a change once around the
orbit. Arnoldi's method finds the leading multipliers; all others are smaller.

Reference: R. B. Lehoucq, D. C. Sorensen, C. Yang, ARPACK Users' Guide (1998).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

from .. import linear
from ..arrays import Vector
from ..bifurcation.spectra.balance import power_of_two
from ..errors import LinearSolveError
from ..pattern import Pattern
from ..results.floquet import distance_of_trivial
from .multipliers import product_eigenvalues
from .orbit_family import OrbitFamily
from .transverse import interval_maps, transverse_multipliers

DENSE = 200  # unknowns up to which all multipliers are computed
LEADING = 10  # multipliers of larger systems
LOST = 1e-6  # error of the trivial multiplier above which those across the flow are computed apart


class Monodromy(Protocol):
    """The linear map of a change once round an orbit."""

    def multipliers(self) -> Vector:
        """Return the Floquet multipliers, largest modulus first; the leading ones of many."""
        ...

    def along(self, start: Vector) -> Vector:
        """Return the change at every state of the orbit, shape (P, n), from that at the first."""
        ...

    def turned(self) -> Vector:
        """Return the change of the first state that comes back with the other sign."""
        ...


@dataclass(eq=False)
class DenseMonodromy:
    """The linear maps of all intervals.

    Attributes
    ----------
    inner : ndarray, shape (N, stored, n, n)
        From the start of an interval to its other nodes, for changes over sizes; the last one is
        the next start.
    sizes : ndarray, shape (n,)
    algebraic : int
        How many multipliers are zero because equations store nothing.
    across : callable, optional
        ``across()`` -> the multipliers, and their error; see `transverse`.
    """

    inner: Vector
    sizes: Vector
    algebraic: int = 0
    across: Callable[[], tuple[Vector, float]] | None = None

    def multipliers(self) -> Vector:
        """Return the Floquet multipliers, largest modulus first."""
        values = product_eigenvalues(self.inner[:, -1])
        distance = distance_of_trivial(values)
        if self.across is not None and distance > LOST:
            try:
                apart, error = self.across()
            except np.linalg.LinAlgError:
                apart, error = values, distance
            if error < distance:
                values = apart
        return values[: len(values) - self.algebraic]

    def along(self, start: Vector) -> Vector:
        """Return the change at every state of the orbit, shape (P, n), from that at the first."""
        found = [start / self.sizes]
        for maps in self.inner:
            first = found[-1]
            found += [step @ first for step in maps]
        return np.array(found[:-1]) * self.sizes

    def turned(self) -> Vector:
        """Return the change of the first state that comes back with the other sign."""
        n = self.inner.shape[2]
        M = np.eye(n)
        for S in self.inner[:, -1]:
            M = S @ M
        vector: Vector = np.linalg.svd(M + np.eye(n))[2][-1] * self.sizes
        return vector


@dataclass(eq=False)
class SparseMonodromy:
    """The equations of all intervals at once.

    Attributes
    ----------
    solver : LinearSolver
        Of the columns behind the first state.
    first : csr_array, shape (size, n)
        The columns of the first state.
    sizes : ndarray, shape (n,)
        By which Arnoldi's method measures changes.
    """

    solver: Any
    first: Any
    sizes: Vector

    def multipliers(self) -> Vector:
        """Return the leading Floquet multipliers, largest modulus first."""
        return self._leading()[0]

    def along(self, start: Vector) -> Vector:
        """Return the change at every state of the orbit, shape (P, n), from that at the first."""
        n = self.first.shape[1]
        behind = -self.solver.solve(self.first @ start)
        return np.concatenate([start, behind[:-n]]).reshape(-1, n)

    def turned(self) -> Vector:
        """Return the change of the first state that comes back with the other sign."""
        values, vectors = self._leading()
        vector: Vector = vectors[:, int(np.argmin(np.abs(values + 1.0)))].real
        unit: Vector = vector / np.linalg.norm(vector)
        return unit

    def _leading(self) -> tuple[Vector, Vector]:
        n = self.first.shape[1]

        def round_trip(v: Vector) -> Vector:
            behind: Vector = -self.solver.solve(self.first @ (self.sizes * v.ravel()))
            return behind[-n:] / self.sizes

        operator = LinearOperator((n, n), round_trip, dtype=float)
        start = np.random.default_rng(0).uniform(0.5, 1.0, n)
        found: Any
        try:
            found = eigs(operator, k=LEADING, which="LM", v0=start)
        except ArpackNoConvergence as partial:
            found = partial.eigenvalues, partial.eigenvectors
        order = np.argsort(-np.abs(found[0]), kind="stable")
        return found[0][order], self.sizes[:, None] * found[1][:, order]


def monodromy(family: OrbitFamily, x: Vector, p: float) -> Monodromy:
    """Return the monodromy of an orbit.

    Raises
    ------
    LinearSolveError
        If an interval is so long that its equations are singular.
    """
    grid, T = family.grid, family.split(x)[1]
    now = family.evaluated(x, p)
    n, sizes = grid.n, power_of_two(family.sizes)
    if n > DENSE:
        whole = grid.unwrapped(now, family.mesh, T)
        inner = sp.csr_array(whole[:, n:])
        solver = linear.LinearSolver(Pattern.of(inner))
        solver.factorize(inner)
        return SparseMonodromy(solver, sp.csr_array(whole[:, :n]), sizes)
    try:
        maps = interval_maps(grid.blocks(now, family.mesh, T), sizes)
    except np.linalg.LinAlgError:
        raise LinearSolveError("the equations of an interval are singular") from None
    across = partial(transverse_multipliers, family, x, p)
    return DenseMonodromy(maps, sizes, family.equations.algebraic, across)
