"""Normal forms: the coefficients that tell what branches look like beside a special point.

The equations are F(x, p) + dQ(x, p)/dt = 0 with J = dF/dx and C = dQ/dx; for M dx/dt = F(x) it is
C = -M. Expansions of x in the amplitude of the critical vector are put into the equations, and the
coefficients of equal powers compared. The Jacobian is differentiated along a few directions only.

Reference: Y. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), sections 3.5, 5.4, 8.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ... import linear
from ...arrays import Vector
from ...linear.frame import Frame
from ...linear.methods.choose import SMALL
from ...pattern import Pattern
from ..spectra.balance import Balance
from .directional import Pencil, Slopes, slopes_along

SLOWEST = 1e6  # omega over an eigenvalue that counts as zero


def null_vectors(J: Any, C: Any, omega: float, near: Vector | None = None) -> tuple[Vector, Vector]:
    """Return v and w with A v = 0 and A^T w = 0 for a simple eigenvalue, A = J + i omega C.

    v has Euclidean length 1.

    Raises
    ------
    LinearSolveError
        If more than one eigenvalue vanishes.
    """
    n, balance = J.shape[0], Balance.of(J, C)
    A = balance.scaled(J + 1j * omega * C if omega else J)
    b, c = np.random.default_rng(0).standard_normal((2, n))
    v, w = c if near is None else near / balance.columns, b
    for _ in range(3):
        v, w = v / np.linalg.norm(v), w / np.linalg.norm(w)
        solver = _solver_of(bordered_matrix(A, w.conj(), v.conj()))
        edge = np.append(np.zeros(n), 1.0)
        v, w = solver.solve(edge)[:-1], solver.solve(edge, transpose=True)[:-1]
    v, w = v * balance.columns, w * balance.rows
    return v / np.linalg.norm(v), w


def bordered_matrix(A: Any, b: Vector, c: Vector) -> Any:
    """Return [A b; c 0] as a sparse matrix."""
    A = sp.csr_array(A)
    pattern = Pattern.of(A)
    return Frame(pattern, 1).matrix(pattern.matrix(A.data), b[:, None], np.append(c, 0.0)[None])


def solved(A: Any, b: Vector) -> Vector:
    """Return x with A x = b for a sparse matrix."""
    return _solver_of(sp.csr_array(A)).solve(b)


def _solver_of(A: Any) -> linear.LinearSolver:
    """Return a solver with a factorized matrix: a dense one if small, for borders are dense."""
    backend = "dense" if A.shape[0] <= SMALL else "auto"
    solver = linear.LinearSolver(Pattern.of(A), backend)
    solver.factorize(A)
    return solver


@dataclass(eq=False)
class HopfForm:
    """The normal form of a Hopf point, dz/dt = i omega z + c1 z |z|^2.

    Attributes
    ----------
    q : ndarray of complex, shape (n,)
        (J + i omega C) q = 0, of Euclidean length 1.
    """

    omega: float
    q: Vector
    c1: complex

    @property
    def l1(self) -> float:
        """The first Lyapunov coefficient: negative where the orbits are stable (supercritical)."""
        return float(self.c1.real / self.omega)


def hopf_form(pencil: Pencil, x: Vector, omega: float, near: Vector | None = None) -> HopfForm:
    """Return the normal form of a Hopf point.

    Parameters
    ----------
    pencil : callable
        ``pencil(x)`` -> J and C, sparse; None where they are not finite.
    omega : float
        Positive.
    near : ndarray of complex, shape (n,), optional
        Near q.

    Raises
    ------
    LinearSolveError
        If the pair of eigenvalues is not simple, or 0 is one as well.
    ArithmeticError
        If the Jacobian is not finite around x.
    """
    here = pencil(x)
    if here is None:
        raise ArithmeticError("the Jacobian is not finite")
    J, C = here
    q, w = null_vectors(J, C, omega, near)
    real, imaginary = (slopes_along(pencil, x, v, here) for v in (q.real, q.imag))
    iw = 1j * omega

    def second(u: Vector, conjugate: bool, rate: complex) -> Vector:
        """Return the second derivative along q, or its conjugate, and u."""
        sign = -1j if conjugate else 1j
        found: Vector = (real.J1 + sign * imaginary.J1) @ u
        if rate:
            found = found + rate * ((real.C1 + sign * imaginary.C1) @ u)
        return found

    square = second(q.conj(), False, 0.0).real
    still = -solved(J, square)
    rows = Balance.of(J, C).rows
    slow = omega * float(np.linalg.norm(rows * (C @ still)))
    if slow > SLOWEST * float(np.linalg.norm(rows * square)):
        raise ArithmeticError("zero is an eigenvalue as well: a zero-Hopf point")
    twice = -solved(sp.csr_array(J + 2.0 * iw * C), second(q, False, 2.0 * iw))
    cubic = (real.J2 + imaginary.J2) @ q + iw * ((real.C2 + imaginary.C2) @ q)
    total = 0.5 * cubic + second(still, False, iw) + 0.5 * second(twice, True, iw)
    return HopfForm(omega, q, complex(-(w @ total) / (w @ (C @ q))))


def bogdanov_takens_form(pencil: Pencil, x: Vector) -> tuple[float, float]:
    """Return a and b of u' = v, v' = a u^2 + b u v at a Bogdanov-Takens point.

    The vectors are J q0 = 0, J q1 + C q0 = 0, J^T w = 0 and J^T z + C^T w = 0, with w C q1 = 1 and
    z C q1 = 0; then w C q0 = 0 and z C q0 = 1. q0 has length 1, and its largest element is
    positive. With the other sign of q0 a and b change their signs; that of their product stays.

    Raises
    ------
    LinearSolveError
        If J has more than one null vector.
    ArithmeticError
        If the Jacobian is not finite around x, or zero is not a double eigenvalue.
    """
    here = pencil(x)
    if here is None:
        raise ArithmeticError("the Jacobian is not finite")
    J, C = here
    n = len(x)
    q0, w = null_vectors(J, C, 0.0)
    q0 = q0 * np.sign(q0[int(np.argmax(np.abs(q0)))])
    K = bordered_matrix(J, w / np.linalg.norm(w), q0)
    q1 = solved(K, np.append(-(C @ q0), 0.0))[:n]
    share = float(w @ (C @ q1))
    if share == 0.0:
        raise ArithmeticError("zero is an eigenvalue of a higher order")
    w = w / share
    z = solved(sp.csr_array(K.T), np.append(-(C.T @ w), 0.0))[:n]
    z = z - float(z @ (C @ q1)) * w
    slopes = slopes_along(pencil, x, q0, here)
    square = slopes.J1 @ q0
    mixed = slopes.J1 @ q1 + slopes.C1 @ q0
    return -0.5 * float(w @ square), -float(w @ mixed) - float(z @ square)


def fold_coefficient(pencil: Pencil, x: Vector, v: Vector, w: Vector) -> float:
    """Return a = w . F_xx(v, v) / 2 at a point with the null vectors v and w of J."""
    return 0.5 * float(w @ (slopes_along(pencil, x, v).J1 @ v))


def cubic_coefficient(J: Any, slopes: Slopes, v: Vector, w: Vector) -> tuple[float, float, float]:
    """Return a = w . F_xx(v, v) / 2, b = w . (F_xxx(v, v, v) - 3 F_xx(v, h)) / 6, and its terms.

    h is the solution of J h = F_xx(v, v) without a part along v, up to the part along w. The last
    number is the size of the terms of b, against which its rounding error is to be seen.
    """
    n = len(v)
    square = slopes.J1 @ v
    K = bordered_matrix(J, w / np.linalg.norm(w), v / np.linalg.norm(v))
    h = solved(K, np.append(square, 0.0))[:n]
    third, second = slopes.J2 @ v, 3.0 * (slopes.J1 @ h)
    terms = float(np.abs(w) @ (np.abs(third) + np.abs(second))) / 6.0
    return 0.5 * float(w @ square), float(w @ (third - second)) / 6.0, terms
