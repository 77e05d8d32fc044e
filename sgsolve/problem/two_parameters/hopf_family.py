"""HopfFamily: the equations of a Hopf point, with a second parameter free.

(J + i omega C) q = 0 with C = dQ/dx and q = u + i omega w gives two real equations in which the
square kappa of the frequency omega stands alone. With the first parameter p they are::

    F(x, p) = 0,    J u - kappa C w = 0,    J w + C u = 0,    c u = 1,    c w = 0

The vector c is fixed as long as u does not turn away from it: then w stays finite where omega
vanishes. The system is sparse, and regular at Bogdanov-Takens points, where kappa passes through
zero; with omega as the unknown they would be branch points. The derivative of J u by x is that of J
along u, for second derivatives commute: a difference of two Jacobians. It serves Newton's method
only; the residual is exact.

References: D. Roose, V. Hlavacek, SIAM J. Appl. Math. 45 (1985) 879; W. Govaerts, Numerical Methods
for Bifurcations of Dynamical Equilibria (2000), section 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...arrays import Vector
from ...continuation.family import DIFFERENCE, Family
from ...linear.frame import Frame
from ...pattern import Pattern
from ..equations.central_differences import central_difference, size_near_zero
from ..equations.parameters import parameter_derivative
from ..equations.residual_system import ResidualSystem
from .mass_pencil import MassPencil

TURNED = 3.0  # |c| |u| where c u = 1, above which c is chosen anew


class HopfFamily(Family):
    """Hopf points of a problem for each value of q.

    Parameters
    ----------
    names : (str, str)
        The first parameter, and the second one.
    y : ndarray, shape (3 n + 2,)
        A Hopf point: x, u, w, kappa, p.
    sizes : ndarray, shape (n,)
        Typical sizes of the unknowns.
    largest : (float, float)
        The largest magnitudes of the two parameters so far.
    """

    def __init__(
        self,
        system: ResidualSystem,
        pencil: MassPencil,
        names: tuple[str, str],
        y: Vector,
        sizes: Vector,
        largest: tuple[float, float],
    ) -> None:
        self.system, self.pencil, (self.p, self.q) = system, pencil, names
        self.size, self.n = system.n, len(y)
        self.nfev = self.njev = 0
        self.seconds = {"residual": 0.0, "jacobian": 0.0}
        self._inner, self._place = self._blocks(pencil.pattern)
        self._frame = Frame(self._inner, 2)
        kappa = abs(float(y[-2]))
        self._sizes, self._others = sizes, (1.0 / np.sqrt(kappa), [kappa, largest[0] or 1.0])
        self._c: Any = None
        self._largest = dict(zip(names, largest, strict=True))
        self.accepted(np.append(y, 0.0))

    @property
    def pattern(self) -> Pattern:
        """Three blocks of J and C, with two dense rows and columns."""
        return self._frame.pattern

    @property
    def scale(self) -> Vector | None:
        """The sizes of x, u and w, of kappa and of the first parameter."""
        by_omega, ends = self._others
        return np.concatenate([self._sizes, self._sizes, by_omega * self._sizes, ends])

    def split(self, y: Vector) -> tuple[Vector, Vector, Vector, float, float]:
        """Return x, u, w, kappa and p."""
        n = self.size
        return y[:n], y[n : 2 * n], y[2 * n : 3 * n], float(y[3 * n]), float(y[3 * n + 1])

    def accepted(self, z: Vector) -> None:
        """Take another vector c where u has turned away from it."""
        _, u, w, _, _ = self.split(z[: self.n])
        u, w = u / self._sizes, w / self._sizes
        if self._c is None or np.linalg.norm(self._c * self._sizes) * np.linalg.norm(u) > TURNED:
            across = u - (u @ w) / (w @ w) * w
            self._c = across / (across @ u) / self._sizes

    def saved(self) -> dict[str, Any]:
        """Return the vector c, and how large the parameters have been."""
        return {"c": self._c, "largest": np.array([self._largest[k] for k in (self.p, self.q)])}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take them back."""
        self._c = saved["c"]
        self._largest = dict(zip((self.p, self.q), saved["largest"].tolist(), strict=True))

    def params(self, y: Vector, q: float) -> dict[str, float]:
        """Return both parameters by name."""
        return {self.p: float(y[-1]), self.q: q}

    def linearize(self, y: Vector, q: float) -> tuple[Vector, Any, Vector]:
        """Return the residual, its Jacobian and its derivative by q."""
        self.njev += 1
        start = perf_counter()
        x, u, w, kappa, _ = self.split(y)
        params = self.params(y, q)
        F, J, C = self.pencil.at(x, params)
        (Ju, Cu), (Jw, Cw) = self._along(x, u, params), self._along(x, w, params)
        union = self.pencil.pattern
        by_x = [self._data(union, A) for A in (J, Ju - kappa * Cw, Jw + Cu)]
        parts = (*by_x, self._data(union, J), self._data(union, C))
        values = np.concatenate(
            [parts[0], parts[1], parts[2], parts[3], -kappa * parts[4], parts[4], parts[3]]
        )
        inner = self._inner.matrix(np.bincount(self._place, values, self._inner.nnz))
        system = self.system.at(params)
        none = np.zeros(self.size)
        by_kappa = np.concatenate([none, -(C @ w), none])
        columns = np.column_stack([by_kappa, self._by(system, x, (u, w, kappa), params, self.p)])
        below = np.zeros((2, self.n))
        c, n = self._c, self.size
        below[0, n : 2 * n] = below[1, 2 * n : 3 * n] = c
        ends = [c @ u - 1.0, c @ w]
        found = np.concatenate([F, J @ u - kappa * (C @ w), J @ w + C @ u, ends])
        by_q = np.append(self._by(system, x, (u, w, kappa), params, self.q), [0.0, 0.0])
        matrix = self._frame.matrix(inner, columns, below)
        self.seconds["jacobian"] += perf_counter() - start
        return found, matrix, by_q

    def _along(self, x: Vector, v: Vector, params: dict[str, float]) -> tuple[Any, Any]:
        """Return the derivatives of J and C along v."""
        sizes = np.maximum(np.abs(x), self._sizes)
        h = DIFFERENCE / (float(np.abs(v / sizes).max()) or 1.0)
        up, down = self.pencil.at(x + h * v, params), self.pencil.at(x - h * v, params)
        J, C = ((up[k] - down[k]) / (2.0 * h) for k in (1, 2))
        return J, C

    def _by(
        self,
        system: ResidualSystem,
        x: Vector,
        mode: tuple[Vector, Vector, float],
        params: dict[str, float],
        name: str,
    ) -> Vector:
        """Return the derivative of the first 3 n equations by a parameter."""
        u, w, kappa = mode

        def rotated(value: float) -> Vector:
            _, J, C = self.pencil.at(x, {**params, name: value})
            return np.append(J @ u - kappa * (C @ w), J @ w + C @ u)

        self._largest[name] = max(self._largest[name], abs(params[name]))
        if self._largest[name] == 0.0:
            self._largest[name] = size_near_zero(rotated)
        slope = central_difference(rotated, params[name], self._largest[name])
        return np.append(parameter_derivative(system, x, name), slope)

    def _blocks(self, union: Pattern) -> tuple[Pattern, Vector]:
        """Return the pattern of the 3 n equations by x, u and v, and where each block goes."""
        n = self.size
        places = ((0, 0), (1, 0), (2, 0), (1, 1), (1, 2), (2, 1), (2, 2))
        rows = np.concatenate([union.rows + i * n for i, _ in places])
        columns = np.concatenate([union.indices + j * n for _, j in places])
        return Pattern.from_coordinates(rows, columns, (3 * n, 3 * n))

    @staticmethod
    def _data(union: Pattern, A: Any) -> Vector:
        """Return the values of a matrix on the union of the patterns."""
        data = np.zeros(union.nnz)
        A = sp.csr_array(A)
        data[union.positions(Pattern.of(A))] = A.data
        return data
