"""The equations of a periodic orbit by collocation, and their Jacobian on a fixed pattern.

Time is scaled to [0, 1]. On each interval of length h the unknowns are the state at its start and
at the collocation points i = 1..m, with the differentiation matrix D of these m + 1 nodes::

    (1/h) sum_j D_ij Q(x_j) + T F(x_i) = 0              at each collocation point
    (1/h) (Q(next start) - Q extrapolated to it) = 0    unless the last point is the end

The charge Q is the polynomial, so that it is conserved, and the order is that of the points for
every Q. Where dx/dt is an argument of F, x takes the place of Q. The last interval ends at the
first state. The blocks of the Jacobian always stand at the same places, so that one analysis by a
linear solver serves all meshes with as many intervals.

Reference: E. Doedel, H. B. Keller, J. P. Kernevez, Int. J. Bifurcation and Chaos 1 (1991) 745.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..arrays import Vector
from ..pattern import Pattern
from .evaluated import AutonomousEquations, Evaluated
from .scheme import Scheme


@dataclass(frozen=True, eq=False)
class Terms:
    """Blocks of the Jacobian of one interval: coefficient times a block of the equations.

    Attributes
    ----------
    row, column, at : ndarray of int, shape (terms,)
        Number of the equation, of the node that is differentiated, and of the node at which the
        block is evaluated, within the interval; the start of the next one has number `stored`.
    factor : ndarray, shape (terms,)
    """

    row: Vector
    column: Vector
    at: Vector
    factor: Vector


class Discretization:
    """Orbits with N intervals of a scheme."""

    def __init__(self, equations: AutonomousEquations, scheme: Scheme, N: int) -> None:
        self.equations, self.scheme, self.N, self.n = equations, scheme, N, equations.n
        self.stored = scheme.stored
        self.size = N * self.stored * self.n
        # node j of interval k among the states, shape (N, degree + 1); the next start behind them
        start = self.stored * np.arange(N)[:, None]
        own = start + np.arange(self.stored)[None, :]
        following = np.roll(start, -1, axis=0)
        self.nodes = np.hstack([own, following])[:, : scheme.degree + 1]
        self.places = np.hstack([own, following])
        self.charges, self.flows, self.units = self._terms()
        self._plan()

    def local(self, X: Vector) -> Vector:
        """Return the values at the nodes of each interval, shape (N, degree + 1, ...)."""
        found: Vector = X[self.nodes]
        return found

    def rates(self, X: Vector, mesh: Vector, T: float) -> Vector | None:
        """Return dx/dt at the states, zero at those without an equation; None if not needed."""
        if self.equations.conservative:
            return None
        slopes = np.einsum("ij,kjn->kin", self.scheme.slopes, self.local(X))
        slopes = slopes / (T * np.diff(mesh))[:, None, None]
        found = np.zeros_like(X)
        found[self.nodes[:, 1:]] = slopes
        return found

    def residual(self, F: Vector, Q: Vector, mesh: Vector, T: float) -> Vector:
        """Return the residual of the collocation equations, shape (N, stored, n)."""
        Y, h = self.local(Q), np.diff(mesh)[:, None, None]
        slopes = np.einsum("ij,kjn->kin", self.scheme.slopes, Y) / h
        at = F[self.nodes[:, 1:]]
        whole = np.empty((self.N, self.stored, self.n))
        m = self.scheme.degree
        whole[:, :m] = slopes + T * at if self.equations.conservative else T * at
        if not self.scheme.ends:
            ahead = np.einsum("j,kjn->kn", self.scheme.last, Y)
            whole[:, m] = (Q[self.places[:, -1]] - ahead) / h[:, 0]
        return whole

    def ordered(self, whole: Vector) -> Vector:
        """Return the equations, shape (size,), each beside the state that it determines.

        Equation i of an interval determines its node i, and the last one the next start. Linear
        solvers that choose no pivots at run time need large elements on the diagonal.
        """
        return np.roll(whole.reshape(-1, self.n), 1, axis=0).ravel()

    def by_period(self, now: Evaluated, X: Vector, mesh: Vector, T: float) -> Vector:
        """Return the derivative of the residual by T, shape (N, stored, n)."""
        m = self.scheme.degree
        found = np.zeros((self.N, self.stored, self.n))
        found[:, :m] = now.F[self.nodes[:, 1:]]
        rates = self.rates(X, mesh, T)
        if rates is not None:
            found[:, :m] -= self._product(now.C, rates)[self.nodes[:, 1:]]
        return found

    def by_parameter(self, now: Evaluated, mesh: Vector, T: float) -> Vector:
        """Return the derivative of the residual by the parameter, shape (N, stored, n)."""
        return self.residual(now.Fp, now.Qp, mesh, T)

    def data(self, now: Evaluated, mesh: Vector, T: float) -> Vector:
        """Return the values of the Jacobian by the states, on `pattern`."""
        return np.bincount(self._position, self._values(now, mesh, T), self.pattern.nnz)

    def blocks(self, now: Evaluated, mesh: Vector, T: float) -> Vector:
        """Return the dense Jacobian of each interval, shape (N, stored n, (stored + 1) n).

        Its columns are the states of the interval, and the start of the next one.
        """
        rows, columns = self.stored * self.n, (self.stored + 1) * self.n
        values = self._values(now, mesh, T)
        dense = np.bincount(self._dense, values, self.N * rows * columns)
        return dense.reshape(self.N, rows, columns)

    def unwrapped(self, now: Evaluated, mesh: Vector, T: float) -> Any:
        """Return the Jacobian with the last state apart from the first, shape (size, size + n).

        Its first n columns are the first state, its last n columns that after one period.
        """
        shape = (self.size, self.size + self.n)
        rows, columns = self._open
        return sp.csr_array((self._values(now, mesh, T), (rows, columns)), shape=shape)

    def _terms(self) -> tuple[Terms, Terms, Terms]:
        """Return the blocks of C, of J, and of the identity of one interval."""
        m, D, last = self.scheme.degree, self.scheme.slopes, self.scheme.last
        i, j = (index.ravel() for index in np.mgrid[0:m, 0 : m + 1])
        conservative = self.equations.conservative
        slopes = Terms(i, j, j if conservative else i + 1, D.ravel())
        k = np.arange(m)
        flows = Terms(k, k + 1, k + 1, np.ones(m))
        none = np.empty(0, dtype=int)
        ends = Terms(none, none, none, np.empty(0))
        if not self.scheme.ends:
            column = np.arange(m + 2)
            ends = Terms(np.full(m + 2, m), column, column, np.append(-last, 1.0))
        if not conservative:
            return slopes, flows, ends
        both = [np.append(getattr(slopes, name), getattr(ends, name)) for name in vars(slopes)]
        return Terms(*both), flows, Terms(none, none, none, np.empty(0))

    def _plan(self) -> None:
        """Find the pattern, and where the value of every block goes."""
        n, eye = self.n, np.arange(self.n)
        C, J = self.equations.pattern_C, self.equations.pattern_J
        rows, columns, dense = list[Vector](), list[Vector](), list[Vector]()
        open_columns = list[Vector]()
        places = self.places.copy()
        places[-1, -1] = self.N * self.stored  # behind the last state, not the first one again
        parts = (
            (self.charges, C.rows, C.indices),
            (self.flows, J.rows, J.indices),
            (self.units, eye, eye),
        )
        width = (self.stored + 1) * n
        k = np.arange(self.N)[:, None, None]
        for terms, inner_row, inner_column in parts:
            row = n * terms.row[None, :, None] + inner_row
            column = n * terms.column[None, :, None] + inner_column
            where = n * self.places[:, terms.column][:, :, None] + inner_column
            rows.append((self.stored * n * k + row).ravel())
            columns.append(where.ravel())
            last = n * places[:, terms.column][:, :, None] + inner_column
            open_columns.append(last.ravel())
            dense.append(((k * self.stored * n + row) * width + column).ravel())
        ordered = (np.concatenate(rows) + n) % self.size
        self.pattern, self._position = Pattern.from_coordinates(
            ordered, np.concatenate(columns), (self.size, self.size)
        )
        self._dense = np.concatenate(dense)
        self._open = np.concatenate(rows), np.concatenate(open_columns)

    def _values(self, now: Evaluated, mesh: Vector, T: float) -> Vector:
        """Return the value of every block entry, in the order of the plan."""
        h = np.diff(mesh)[:, None, None]
        at_charges, at_flows = self.places[:, self.charges.at], self.places[:, self.flows.at]
        charges = now.C[at_charges] * (self.charges.factor[:, None] / h)
        flows = T * now.J[at_flows]
        shape = (self.N, len(self.units.row), self.n)
        units = np.broadcast_to(self.units.factor[:, None] / h, shape)
        return np.concatenate([charges.ravel(), flows.ravel(), units.ravel()])

    def _product(self, C: Vector, v: Vector) -> Vector:
        """Return C v at each state."""
        pattern = self.equations.pattern_C
        found = np.zeros_like(v)
        np.add.at(found.T, pattern.rows, (C * v[:, pattern.indices]).T)
        return found
