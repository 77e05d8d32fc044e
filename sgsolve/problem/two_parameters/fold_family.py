"""FoldFamily: the equations of a fold, with a second parameter free.

A fold is a regular solution (x, p) of F = 0, g = 0 (see `sgsolve.bifurcation.folds`). With a
second parameter q these are n + 1 equations in n + 1 unknowns and one parameter. Their solutions
form a curve, which the same continuation follows.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), ch. 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...arrays import Vector
from ...bifurcation.folds import Singular, singularity
from ...continuation.curve_points.bordered import Bordered
from ...continuation.family import FamilyAround, Linear, second_derivative
from ...linear.frame import Frame
from ...pattern import Pattern
from ...solvers.state.workspace import Workspace
from ..equations.central_differences import central_difference, size_near_zero
from ..equations.parameters import parameter_derivative
from ..equations.residual_system import ResidualSystem
from ..families.parameter_family import ParameterizedSystem


class FoldFamily(FamilyAround):
    """Folds of a problem in (x, p) for each value of q.

    Parameters
    ----------
    p, q : str
        The parameter of the branch, and the second one.
    fold : ndarray, shape (n + 1,)
        (x, p) of a fold at the value that q has in the system.
    vector : ndarray, shape (n,)
        The null vector there.
    sizes : ndarray, shape (n,)
        Typical sizes of the unknowns.
    largest : float
        The largest magnitude that p had on the branch.
    """

    def __init__(
        self,
        system: ResidualSystem,
        workspace: Workspace,
        names: tuple[str, str],
        fold: Vector,
        vector: Vector,
        sizes: Vector,
        largest: float,
    ) -> None:
        self.system, self.p, self.q = system, *names
        self.n = len(fold)
        self._bordered = Bordered(workspace, 1, whole=True)
        self.inner = ParameterizedSystem(system, self.p, fold[:-1], float(fold[-1]))
        self._sizes, self._usual = sizes, float(sizes.max())
        self._p_size = max(largest, abs(float(fold[-1]))) or 1.0
        self._size = abs(float(system.value_of(self.q)))  # the largest magnitude that q had
        self._frame: Frame | None = None
        self._of: Pattern | None = None
        self._rows = np.ones(len(vector))
        random = np.random.default_rng(0).standard_normal(len(vector))
        self._b, self._c = random / np.linalg.norm(random), vector / np.linalg.norm(vector)
        for _ in range(2):
            self.accepted(np.append(fold, float(system.value_of(self.q))))

    @property
    def pattern(self) -> Pattern:
        """J with a dense last row and column."""
        inner = self.inner.pattern
        if self._frame is None or self._of is not inner:
            self._frame, self._of = Frame(inner, 1), inner
        return self._frame.pattern

    @property
    def scale(self) -> Vector | None:
        """The sizes of the unknowns, and that of p."""
        return np.append(self._sizes, self._p_size)

    def linearize(self, x: Vector, p: float) -> tuple[Vector, Any, Vector]:
        """Return (F, g), its Jacobian over (x, p), and its derivative over q."""
        at = self._at(x, p)
        pair = self._singular(at)
        direction = np.append(pair.v, 0.0)
        gradient = second_derivative(self.inner, at, pair.w, direction, usual=self._usual)
        if gradient is None:
            raise ArithmeticError("the derivative of the Jacobian is not finite")
        pattern = self.pattern
        assert self._frame is not None
        J = self._frame.matrix(at.J, at.Fp[:, None], -gradient[None, :])
        assert J.indices is pattern.indices
        system = self.system.at({self.p: float(x[-1]), self.q: p})
        Fq = parameter_derivative(system, x[:-1], self.q)
        self._size = max(self._size, abs(p))
        if self._size == 0.0:
            self._size = size_near_zero(lambda q: self._at(x, q).F)
        bent = central_difference(lambda q: self._at(x, q).left(pair.w) @ direction, p, self._size)
        self._set(p)
        return np.append(at.F, pair.g), J, np.append(Fq, -bent)

    def confirm(self, z: Vector, F: Vector) -> bool:
        """Whether the user's code gives this F; see `ResidualSystem.confirm`."""
        self._set(float(z[-1]))
        confirmed: bool = self.inner.confirm(z[:-1], F[:-1])
        return confirmed

    def accepted(self, z: Vector) -> None:
        """Take the null vectors at a point as the borders from there on.

        Their components are measured by the sizes of the unknowns, and by how much each equation
        changes over these: then the borders do not depend on units.
        """
        at = self._at(z[:-1], float(z[-1]))
        v, w = self._unit(self._singular(at))
        by_x = (abs(at.J) @ sp.diags_array(self._sizes)).max(axis=1).toarray().ravel()
        rows = np.maximum(by_x, self._p_size * np.abs(at.Fp))
        self._rows = np.where(rows > 0.0, rows, rows.max(initial=0.0) or 1.0)
        self._b = self._rows**2 * w / np.linalg.norm(self._rows * w) ** 2
        self._c = v / self._sizes**2

    def saved(self) -> dict[str, Any]:
        """Return the borders, the sizes of the equations, and how large q has been."""
        return {"b": self._b, "c": self._c, "rows": self._rows, "size": self._size}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take them back."""
        self._b, self._c, self._rows = saved["b"], saved["c"], saved["rows"]
        self._size = float(saved["size"])

    def critical(self, x: Vector, q: float) -> tuple[Vector, Vector]:
        """Return the right and the left null vector at a fold, each of length 1 by their sizes.

        The adjugate of J is v w' times a positive number, if the back end gives determinants: then
        w C v, which is the coefficient of the eigenvalue in the characteristic polynomial, changes
        its sign only where it is zero, even if v or w turn round within a step.
        """
        pair = self._singular(self._at(x, q))
        known = self._bordered.determinant()
        v, w = self._unit(pair)
        return v, w if known is None else -np.sign(known[0]) * w

    def _unit(self, pair: Singular) -> tuple[Vector, Vector]:
        v, w = pair.v, pair.w
        return v / np.linalg.norm(v / self._sizes), w / np.linalg.norm(self._rows * w)

    def _set(self, q: float) -> None:
        self.inner.system = self.system.at({self.q: q})

    def _at(self, x: Vector, q: float) -> Linear:
        """Return the linearization of F over (x, p) at q."""
        self._set(q)
        return Linear(x, *self.inner.linearize(x[:-1], float(x[-1])))

    def _singular(self, at: Linear) -> Singular:
        return singularity(self.inner, at, self._bordered, self._b, self._c)
