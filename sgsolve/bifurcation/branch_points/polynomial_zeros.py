"""Polynomials in several variables, and the zeros that m of them in m + 1 have on a sphere.

Newton's method starts from many points of the sphere at once, and then from between the zeros that
were found. Its steps are short, so that it finds a zero near its start. In models with a symmetry
the zeros between others are those that random starts miss.

On a sphere the signs of the zeros add up to zero, if all are regular: the number of solutions of
g = c, counted with signs, does not depend on c, and there is none if c is large. So an odd number
of missing zeros is seen.

Reference: A. Morgan, Solving Polynomial Systems Using Continuation (1987), chapter 1 (signs).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from ...arrays import Vector

ITERATIONS = 60
LONGEST = 0.3  # step, relative to the radius
CONVERGED = 1e-11  # length of the last step
APART = 1e-5  # distance of two zeros
SINGULAR = 1e-6  # a singular value below this part of the largest one is zero
REGULAR = 1e-7  # smallest determinant, with the largest coefficients as units
STARTS = 360  # for three variables, and three times as many for each further one
MOST = 3  # zeros, to the power of the variables: more are no separate zeros of cubic polynomials
ROUNDS = 4  # of starts between the zeros
PAIRS = 4000  # of them at most, in each round


def exponents(m: int, degree: int) -> Vector:
    """Return those of the monomials of y and q, shape (monomials, m + 1).

    q counts twice: along a branch it may be of the order of the square of y.
    """
    every = product(range(degree + 1), repeat=m + 1)
    kept = [powers for powers in every if sum(powers) + powers[-1] <= degree]
    return np.array(kept, dtype=int)


def monomials(points: Vector, powers: Vector) -> Vector:
    """Return the monomials at some points, shape (points, monomials)."""
    table = points[:, :, None] ** np.arange(powers.max(initial=0) + 1)
    found = np.ones((len(points), len(powers)))
    for j in range(points.shape[1]):
        found *= table[:, j, powers[:, j]]
    return found


@dataclass(frozen=True, eq=False)
class Polynomials:
    """m polynomials.

    Attributes
    ----------
    powers : ndarray of int, shape (monomials, variables)
    coefficients : ndarray, shape (monomials, m)
    """

    powers: Vector
    coefficients: Vector

    @classmethod
    def fitted(cls, points: Vector, values: Vector, powers: Vector) -> tuple[Polynomials, float]:
        """Return the polynomials closest to values at some points.

        Returns
        -------
        polynomials : Polynomials
            Each is divided by its largest value.
        error : float
            The largest difference, relative to the largest value of each.
        """
        sizes = np.abs(values).max(axis=0)
        values = values / np.where(sizes > 0.0, sizes, 1.0)
        M = monomials(points, powers)
        found = cls(powers, np.linalg.lstsq(M, values, rcond=None)[0])
        return found, float(np.abs(M @ found.coefficients - values).max(initial=0.0))

    def at(self, points: Vector) -> Vector:
        """Return the values, shape (points, m)."""
        values: Vector = monomials(points, self.powers) @ self.coefficients
        return values

    def slopes(self, points: Vector) -> Vector:
        """Return the derivatives, shape (points, m, variables)."""
        return np.stack([part.at(points) for part in self._derivatives], axis=2)

    @cached_property
    def _derivatives(self) -> list[Polynomials]:
        parts = []
        for j in range(self.powers.shape[1]):
            rest = self.powers[:, j] > 0
            lower = self.powers[rest].copy()
            lower[:, j] -= 1
            parts.append(Polynomials(lower, self.powers[rest, j, None] * self.coefficients[rest]))
        return parts


def zeros_on_sphere(g: Polynomials, known: Vector) -> tuple[Vector, bool]:
    """Return the zeros with length 1, and whether there is no sign of others.

    Parameters
    ----------
    g : Polynomials
        m in m + 1 variables.
    known : ndarray, shape (k, m + 1)
        Further starts.

    Returns
    -------
    zeros : ndarray, shape (zeros, m + 1)
    complete : bool
        Whether all are regular, and their signs add up to zero.
    """
    size, rng = g.powers.shape[1], np.random.default_rng(0)
    most = MOST**size
    starts = np.concatenate([known, rng.standard_normal((STARTS * 3 ** (size - 3), size))])
    found, lost = _converged(g, starts)
    more, _ = _converged(g, lost[: 2 * most], shortest=True)
    new = found = _apart(np.empty((0, size)), np.concatenate([found, more]))
    for _ in range(ROUNDS):
        if not len(new) or len(found) > most:
            break
        i, j = np.triu_indices(len(found), 1)
        beside = np.concatenate([-new, found[i] + found[j], found[i] - found[j]])
        far = beside[np.linalg.norm(beside, axis=1) > APART]
        starts = far if len(far) <= PAIRS else far[rng.choice(len(far), PAIRS, replace=False)]
        new = _apart(found, _converged(g, starts)[0])
        found = np.concatenate([found, new])
    if not 0 < len(found) <= most:
        return found, False
    rows = _bordered(g, found)
    rows[:, :-1] /= np.abs(g.coefficients).max(axis=0)[:, None]
    signs = np.linalg.det(rows)
    return found, bool(np.abs(signs).min() > REGULAR) and not round(float(np.sign(signs).sum()))


def _converged(g: Polynomials, starts: Vector, shortest: bool = False) -> tuple[Vector, Vector]:
    """Return the zeros that Newton's method finds from some starts, and where others ended.

    Parameters
    ----------
    shortest : bool
        Take the shortest of all steps where rows nearly depend on each other, as beside zeros that
        are not separate.
    """
    z = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    done = [z[:0]]
    for _ in range(ITERATIONS):
        rows = _bordered(g, z)
        lengths = np.linalg.norm(rows, axis=2)
        gap = np.concatenate([g.at(z), 0.5 * (np.sum(z * z, axis=1, keepdims=True) - 1.0)], axis=1)
        lengths = np.where(lengths > 0.0, lengths, 1.0)
        rows, gap = rows / lengths[..., None], (gap / lengths)[..., None]
        try:
            step = (
                -np.linalg.pinv(rows, SINGULAR) @ gap if shortest else -np.linalg.solve(rows, gap)
            )
        except np.linalg.LinAlgError:  # one of them is singular
            step = -np.linalg.pinv(rows, SINGULAR) @ gap
        length = np.linalg.norm(step[..., 0], axis=1)
        z = z + step[..., 0] * np.minimum(1.0, LONGEST / np.maximum(length, LONGEST))[:, None]
        done.append(z[length <= CONVERGED])
        z = z[np.isfinite(length) & (length > CONVERGED)]
        if not len(z):
            break
    return np.concatenate(done), z


def _bordered(g: Polynomials, z: Vector) -> Vector:
    """Return the derivatives with those of half the square of the length below."""
    return np.concatenate([g.slopes(z), z[:, None, :]], axis=1)


def _apart(known: Vector, found: Vector) -> Vector:
    """Return the points that are apart from the known ones and from each other."""
    kept = list[Vector]()
    for point in found:
        others = np.concatenate([known, np.array(kept).reshape(-1, found.shape[1])])
        if not len(others) or np.linalg.norm(others - point, axis=1).min() > APART:
            kept.append(point)
    return np.array(kept).reshape(-1, found.shape[1])
