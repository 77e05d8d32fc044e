"""The flow on the center manifold of a steady state, in normal form, to a given order.

The equations are F(x) + dQ(x)/dt = 0 with J = dF/dx and C = dQ/dx. The manifold is
x = x0 + H(z), where z has an entry for each critical eigenvalue, and dz/dt = G(z) on it. H and G
are polynomials with F(H(z)) + C(H(z)) H_z(z) G(z) = 0 to the order asked for. At each order the
coefficients of H and G appear linearly, in equations with J + lambda C. What cannot be removed
from G by the choice of H stays in it: the monomials that turn with the phases as dz/dt does.

The coefficients of the known part of the equation are those of its values along rays through x0,
from J and C by polynomials in the distance. If polynomials of a lower degree do not agree with
them, other lengths are tried, and the results that agree best are taken.

Reference: Y. A. Kuznetsov, SIAM J. Numer. Anal. 36 (1999) 1104 (the homological equation, and the
choice of the part of H along a critical vector).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import scipy.sparse as sp

from ... import linear
from ...arrays import Vector
from ...pattern import Pattern
from ..spectra.balance import Balance
from .critical_modes import CriticalModes, Powers
from .directional import Pencil, balanced, size_along
from .form_coefficients import bordered_matrix, solved

Flow = dict[tuple[int, Powers], complex]  # coefficients of G, by the entry of z

LONGEST, SHRINK, LENGTHS = 0.8, 0.6, 12  # of the size of x, and how often the length is reduced
MINOR = 1e-4  # part of the largest term above which a degree is judged by itself
SURE = 1e-10  # relative difference of two results at which no other one is needed
NODES = 6  # distances on either side of x0, beyond half the order
RAYS = 2  # for each monomial of more than two variables
ROUNDED, GROWN = 1e-6, 3.0  # difference that is small, and its growth that shows rounding


def center_flow(pencil: Pencil, x: Vector, modes: CriticalModes, order: int) -> Flow:
    """Return the coefficients of dz/dt = G(z) beyond the linear ones.

    Parameters
    ----------
    pencil : callable
        ``pencil(x)`` -> J and C, sparse; None where they are not finite.
    order : int
        The largest degree of a monomial.

    Raises
    ------
    LinearSolveError
        If an eigenvalue is not simple.
    ArithmeticError
        If the model is not smooth around x, or at a strong resonance.
    """
    here = pencil(x)
    if here is None:
        raise ArithmeticError("the Jacobian is not finite")
    balance = Balance.of(*here)
    pencil, x, modes = balanced(pencil, balance), x / balance.columns, modes.balanced(balance)
    here = balance.scaled(here[0]), balance.scaled(here[1])
    longest = max(float(np.abs(q).max()) for q in modes.vectors)
    h = LONGEST * min(size_along(pencil, x, q.real, here) for q in modes.vectors) / longest
    first = h
    before: Flow | None = None
    best: tuple[float, Flow] | None = None
    for _ in range(LENGTHS):
        expansion = _Expansion(pencil, x, here, modes, h)
        now = expansion.flow(order)
        h *= SHRINK
        if now is None:
            continue
        if expansion.gap() <= SURE:
            return now
        if before is not None:
            gap = _largest_gap(before, now, first)
            best = (gap, before) if best is None or gap < best[0] else best
            if gap <= SURE or (best[0] <= ROUNDED and gap > GROWN * best[0]):
                break
        before = now
    if best is None:
        raise ArithmeticError("the Jacobian is not finite around the point")
    return best[1]


def _largest_gap(one: Flow, other: Flow, length: float) -> float:
    """Return the largest difference of two results, relative to the largest of each degree.

    A degree whose terms are far smaller than others, at a length, is measured by those.
    """
    sizes: dict[int, float] = {}
    for (_, powers), value in one.items():
        degree = sum(powers)
        sizes[degree] = max(sizes.get(degree, 0.0), abs(value) * length ** (degree - 1))
    least = MINOR * max(sizes.values(), default=0.0) or 1.0
    gaps = [
        abs(value - other[key]) * length ** (sum(key[1]) - 1) / max(sizes[sum(key[1])], least)
        for key, value in one.items()
    ]
    return max(gaps, default=0.0)


def _monomials(m: int, degree: int) -> Iterator[Powers]:
    """Return the powers of all monomials of a degree in m variables."""
    for chosen in combinations_with_replacement(range(m), degree):
        yield tuple(chosen.count(k) for k in range(m))


def _unit_rays(m: int, count: int) -> Vector:
    """Return unit vectors along which homogeneous polynomials of `count` monomials are known.

    In a plane as many rays at equal angles determine them best.
    """
    if m == 2:
        angles = np.pi * np.arange(count) / count
        return np.column_stack([np.cos(angles), np.sin(angles)])
    found = np.random.default_rng(0).standard_normal((RAYS * count, m))
    unit: Vector = found / np.linalg.norm(found, axis=1)[:, None]
    return unit


class _Expansion:
    """H and G, degree by degree, from values within a distance h of x."""

    def __init__(
        self, pencil: Pencil, x: Vector, here: tuple[Any, Any], modes: CriticalModes, h: float
    ) -> None:
        self._pencil, self._x, self._modes, self._h = pencil, x, modes, h
        self._J, self._C = here
        self._solvers: dict[complex, Any] = {}
        units = [tuple(row) for row in np.eye(len(modes.rates), dtype=int).tolist()]
        self._H: dict[Powers, Vector] = dict(zip(units, modes.vectors, strict=True))
        self._G: Flow = {(k, one): complex(modes.rates[k]) for k, one in enumerate(units)}
        self._parts: list[tuple[float, float]] = []  # of each degree: its size, and its error

    def flow(self, order: int) -> Flow | None:
        """Return G without its linear part; None if J is not finite within the distance."""
        for degree in range(2, order + 1):
            known = self._known_part(degree)
            if known is None:
                return None
            for powers, r in known.items():
                self._solve(powers, r)
        return {key: value for key, value in self._G.items() if sum(key[1]) > 1}

    def gap(self) -> float:
        """Return the largest difference of the known parts from those of a lower degree.

        It is relative to the part, or to the largest one if that is far larger.
        """
        least = MINOR * max(size for size, _ in self._parts) or 1.0
        return max(error / max(size, least) for size, error in self._parts)

    def _solve(self, powers: Powers, r: Vector) -> None:
        """Take the coefficients of a monomial from those of the known part."""
        mirror = self._modes.mirrored(powers)
        if mirror in self._H:
            self._H[powers] = self._H[mirror].conj()
            for k in range(len(self._modes.rates)):
                if (k, mirror) in self._G:
                    own = int(self._modes.conjugate[k])
                    self._G[own, powers] = self._G[k, mirror].conjugate()
            return
        like = self._modes.entry_like(powers)
        rate = complex(np.array(powers) @ self._modes.rates)
        A = sp.csr_array(self._J + rate * self._C)
        if like is None:
            self._H[powers] = self._solved(A, rate, -r)
            return
        column, row = self._C @ self._modes.vectors[like], self._modes.left[like] @ self._C
        K = bordered_matrix(A, column, row)
        found = solved(K, np.append(-r, 0.0))
        self._H[powers], self._G[like, powers] = found[:-1], complex(found[-1])

    def _solved(self, A: Any, rate: complex, b: Vector) -> Vector:
        """Return the solution with J + rate C, factorized once."""
        if rate not in self._solvers:
            solver = linear.LinearSolver(Pattern.of(A))
            solver.factorize(A)
            self._solvers[rate] = solver
        found: Vector = self._solvers[rate].solve(b)
        return found

    def _known_part(self, degree: int) -> dict[Powers, Vector] | None:
        """Return the coefficients of a degree of F(H) + C(H) H_z G, with H and G so far."""
        m = len(self._modes.rates)
        monomials = list(_monomials(m, degree))
        rays = self._modes.entries(_unit_rays(m, len(monomials)))
        values = [self._along(ray, degree) for ray in rays]
        if any(value is None for value in values):
            return None
        powers = np.array(monomials)
        table = np.prod(rays[:, None, :] ** powers[None, :, :], axis=2)
        both = np.array(values, dtype=complex)
        found = np.linalg.lstsq(table, both.reshape(len(rays), -1))[0].reshape(-1, *both.shape[1:])
        size, error = np.abs(found[:, 0]).max(), np.abs(found[:, 1] - found[:, 0]).max()
        self._parts.append((self._h**degree * float(size), self._h**degree * float(error)))
        return dict(zip(monomials, found[:, 0], strict=True))

    def _along(self, ray: Vector, degree: int) -> Vector | None:
        """Return the coefficient of a degree in the distance along a ray, shape (2, n).

        That of F(H) is a part of the one before in J H', the derivative by the distance. The
        second row is that of a polynomial of a lower degree, by least squares.
        """
        H, Y = self._curve(ray, degree)
        even = degree % 2 == 1  # the degree before
        # equations of the fourth degree are exact, by the polynomial of a lower degree too
        count = max(NODES + degree // 2, 2 * degree)
        nodes = np.cos((2.0 * np.arange(count) + 1.0) * np.pi / (4.0 * count))
        sums = np.zeros((count, len(self._x)))
        for i, node in enumerate(nodes):
            for sign in (1.0, -1.0):
                t = sign * node * self._h
                powers = t ** np.arange(degree + 1)
                found = self._pencil(self._x + powers[1:] @ H[1:])
                if found is None:
                    return None
                slope = (np.arange(1, degree + 1) * powers[:-1]) @ H[1:]
                value = found[0] @ slope / degree + found[1] @ (powers[:-1] @ Y[1:])
                sums[i] += 0.5 * (1.0 if even else sign) * value
        degrees = 2 * np.arange(count) + (0 if even else 1)
        best = np.linalg.solve(nodes[:, None] ** degrees, sums)
        fewer = np.linalg.lstsq(nodes[:, None] ** degrees[:-1], sums)[0]
        found_at = int(np.flatnonzero(degrees == degree - 1)[0])
        return np.stack([best[found_at], fewer[found_at]]) / self._h ** (degree - 1)

    def _curve(self, ray: Vector, degree: int) -> tuple[Vector, Vector]:
        """Return the coefficients of H and of H_z G in the distance, shape (degree + 1, n)."""
        n = len(self._x)
        H, Y = np.zeros((degree + 1, n)), np.zeros((degree + 1, n), dtype=complex)
        for powers, h in self._H.items():
            if sum(powers) <= degree:
                H[sum(powers)] += (h * np.prod(ray ** np.array(powers))).real
        for (k, powers), g in self._G.items():
            rate = g * np.prod(ray ** np.array(powers))
            for alpha, h in self._H.items():
                total = sum(alpha) + sum(powers) - 1
                if alpha[k] and total <= degree:
                    lower = np.array(alpha)
                    lower[k] -= 1
                    Y[total] += alpha[k] * rate * h * np.prod(ray**lower)
        return H, Y.real
