"""Collocation schemes: points, differentiation, quadrature and extrapolation on one interval.

A polynomial of degree m on [0, 1] is given by its values at 0 and at m collocation points. At the
Gauss points the values at the ends of the intervals have an error of order 2 m. At the Radau points
the last one is the end of the interval, which equations without storage need: with Gauss points
their unknowns would oscillate from interval to interval.

All matrices come from products of differences of the points, not from powers of the points: powers
lose digits from degree 6 on.

References: C. de Boor, B. Swartz, SIAM J. Numer. Anal. 10 (1973) 582; U. Ascher, R. Mattheij,
R. Russell, Numerical Solution of Boundary Value Problems (1988), chapter 5; E. Hairer, G. Wanner,
Solving Ordinary Differential Equations II (1996), section IV.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.special

from ..arrays import Vector


@dataclass(frozen=True, eq=False)
class Scheme:
    """One interval of a piecewise polynomial.

    Attributes
    ----------
    ends : bool
        Whether the last collocation point is the end of the interval (Radau).
    nodes : ndarray, shape (degree + 1,)
        0 and the collocation points.
    slopes : ndarray, shape (degree, degree + 1)
        The derivative at the collocation points of the values at the nodes.
    weights : ndarray, shape (degree,)
        Of the quadrature at the collocation points.
    last : ndarray, shape (degree + 1,)
        The value at 1.
    top : ndarray, shape (degree + 1,)
        The coefficient of the highest power.
    """

    degree: int
    ends: bool
    nodes: Vector
    slopes: Vector
    weights: Vector
    last: Vector
    top: Vector

    @property
    def stored(self) -> int:
        """How many nodes an interval owns; the end belongs to the next interval."""
        return self.degree + (0 if self.ends else 1)

    def values(self, t: Vector) -> Vector:
        """Return the values of the Lagrange polynomials at t, shape (len(t), degree + 1)."""
        return lagrange(self.nodes, t)


@lru_cache(maxsize=32)
def collocation_scheme(degree: int, ends: bool) -> Scheme:
    """Return the scheme of a degree, at the Gauss points or at the Radau points."""
    if ends:
        inner = scipy.special.roots_jacobi(degree - 1, 1.0, 0.0)[0] if degree > 1 else np.empty(0)
        points = np.append(0.5 * (inner + 1.0), 1.0)
    else:
        points = 0.5 * (np.polynomial.legendre.leggauss(degree)[0] + 1.0)
    nodes = np.append(0.0, points)
    gaps = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(gaps, 1.0)
    top = 1.0 / gaps.prod(axis=1)
    t, weights = np.polynomial.legendre.leggauss(degree + 1)
    integrals = 0.5 * weights @ lagrange(points, 0.5 * (t + 1.0))
    last = lagrange(nodes, np.array([1.0]))[0]
    return Scheme(degree, ends, nodes, _differentiation(nodes, top), integrals, last, top)


def lagrange(nodes: Vector, t: Vector) -> Vector:
    """Return the Lagrange polynomials of the nodes at t, shape (len(t), len(nodes))."""
    found = np.ones((len(t), len(nodes)))
    for j, node in enumerate(nodes):
        others = np.delete(nodes, j)
        found[:, j] = np.prod((t[:, None] - others) / (node - others), axis=1)
    return found


def _differentiation(nodes: Vector, top: Vector) -> Vector:
    """Return the differentiation matrix at all nodes but the first.

    The diagonal is minus the sum of the others: the derivative of a constant is exactly zero.
    """
    gaps = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(gaps, 1.0)
    D = top[None, :] / top[:, None] / gaps
    np.fill_diagonal(D, 0.0)
    np.fill_diagonal(D, -D.sum(axis=1))
    inner: Vector = D[1:]
    return inner
