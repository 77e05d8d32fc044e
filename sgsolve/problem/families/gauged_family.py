"""GaugedFamily: the family of systems of a problem with a null space, for continuation.

A solution can be moved along the null space, so the solutions form a surface instead of a curve.
With U and V bases of the left and right null spaces, F + U mu = 0 and V^T (x - x0) = 0 are n + k
regular equations for x and mu. At every solution mu is zero: points at which it is not are refused,
since the equations contradict each other there, or determine what they did not at the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...continuation.family import FamilyAround, Linear
from ...errors import SingularMatrixError
from ...linear.frame import Frame
from ...linear.null_basis import annihilates
from ...pattern import Pattern
from ...results.special_points import SpecialPoint
from ...solvers.state.workspace import NULL, Workspace
from ...solvers.steps.open_directions import gauge_levels
from ..diagnosis.consistency import contradicting
from ..equations.residual_system import ResidualSystem
from .parameter_family import Line, ParameterizedSystem

LEVEL_KEPT = (
    "no equation determines the level of some unknowns, which stays that of the first point (see "
    "null_space of the result of solve)"
)
DETERMINED = (
    "the equations determine the level here that none of them did at the first point; start there "
    "with another level, or beyond"
)


class GaugedFamily(FamilyAround):
    """A family with k multipliers behind x.

    Parameters
    ----------
    V, U : ndarray, shape (n, k)
        Bases of the null spaces of J and of its transpose.
    x0 : ndarray, shape (n,)
        V^T x keeps the value that it has here.
    """

    def __init__(self, inner: ParameterizedSystem, V: Vector, U: Vector, x0: Vector) -> None:
        self.inner, self._V, self._U, self._x0 = inner, V, U, x0
        self.n, self.k = inner.n + V.shape[1], V.shape[1]
        self._below = np.hstack([V.T, np.zeros((self.k, self.k))])
        self._frame, self._of = Frame(inner.pattern, self.k), inner.pattern

    @property
    def pattern(self) -> Pattern:
        """J with k dense rows and columns."""
        if self._of is not self.inner.pattern:
            self._frame, self._of = Frame(self.inner.pattern, self.k), self.inner.pattern
        return self._frame.pattern

    @property
    def scale(self) -> Vector | None:
        """The sizes of the unknowns, and 1 for the multipliers."""
        scale = self.inner.scale
        return None if scale is None else np.append(scale, np.ones(self.k))

    @property
    def lacks_sizes(self) -> bool:
        """As `inner` says."""
        lacking: bool = self.inner.lacks_sizes
        return lacking

    def take_sizes(self, change: Vector) -> None:
        """Pass them on."""
        self.inner.take_sizes(change[: -self.k])

    def linearize(self, x: Vector, p: float) -> tuple[Vector, Any, Vector]:
        """Return the residual, its Jacobian and its derivative by p."""
        y, mu = x[: -self.k], x[-self.k :]
        F, J, Fp = self.inner.linearize(y, p)
        pattern = self.pattern
        matrix = self._frame.matrix(J, self._U, self._below)
        assert matrix.indices is pattern.indices
        return self._whole(F, y, mu), matrix, np.append(Fp, np.zeros(self.k))

    def confirm(self, z: Vector, F: Vector) -> bool:
        """Whether the user's code gives this F; see `ResidualSystem.confirm`."""
        y, p = z[: -1 - self.k], float(z[-1])
        confirmed: bool = self.inner.confirm(np.append(y, p), self.inner.linearize(y, p)[0])
        return confirmed

    def objection(self, at: Linear) -> str:
        """Say why F is not zero at a point: mu is U^T F but for its sign."""
        n, size = self.inner.n, np.abs(at.z)
        size[n:-1] = 0.0
        mu, terms = at.z[n:-1], np.abs(at.J) @ size[:-1] + np.abs(at.Fp) * size[-1]
        totals = np.abs(self._U).T @ terms[:n]
        if (np.abs(mu) <= NULL * totals).all():
            return ""
        J = at.J[:n, :n]
        if not annihilates(J, self._V, NULL):
            return DETERMINED
        worst = int(np.argmax(np.abs(mu) / np.maximum(totals, np.abs(mu))))
        return contradicting(self._U[:, worst], -float(mu[worst]), self.inner.system.blocks)

    def accepted(self, z: Vector) -> None:
        """Keep the component along the null space that this point has."""
        self._x0 = z[: -1 - self.k].copy()

    def saved(self) -> dict[str, Any]:
        """Return the state whose component along the null space is kept, and sizes."""
        return {"x0": self._x0, **self.inner.saved()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take it back."""
        self._x0 = saved["x0"]
        self.inner.restore(saved)

    def _whole(self, F: Vector, y: Vector, mu: Vector) -> Vector:
        return np.append(F + self._U @ mu, self._V.T @ (y - self._x0))


def curve_family(
    system: ResidualSystem,
    line: Line | str,
    x: Vector,
    t: float,
    workspace: Workspace,
    search: bool = True,
) -> ParameterizedSystem | GaugedFamily:
    """Return the family of a problem along a parameter.

    It is gauged if a null space is declared, or if the levels of blocks are open at its start,
    which is not asked without the `search`.
    """
    inner = ParameterizedSystem(system, line, x, t)
    if search:
        gauge_levels(workspace, system, x)
    V = workspace.null_space
    if V is None:
        return inner
    return GaugedFamily(inner, V, _left_basis(inner, x, t, workspace), x.copy())


def _left_basis(inner: ParameterizedSystem, x: Vector, t: float, workspace: Workspace) -> Vector:
    """Return a basis of the left null space at x, or beside it if x is a branch point or a fold."""
    random = np.random.default_rng(0).standard_normal(len(x))
    aside = random * (np.abs(x) + float(np.abs(x).max() or 1.0))
    for share in (0.0, 1e-6, 1e-3):
        solver = workspace.solver(inner.pattern)
        try:
            solver.factorize(inner.linearize(x + share * aside, t)[1])
        except SingularMatrixError as error:
            last = error
            continue
        left: Vector = solver.left
        return left
    raise last


def multipliers(family: Any) -> int:
    """Return how many multipliers stand behind x in the unknowns of a family."""
    return family.k if isinstance(family, GaugedFamily) else 0


def lifted(family: Any, x: Vector) -> Vector:
    """Return x, shape (n,) or with p behind it (n + 1,), with the multipliers of a family: zero."""
    k = multipliers(family)
    return np.insert(x, min(len(x), family.n - k), np.zeros(k)) if k else x


def stripped(family: Any, special: SpecialPoint) -> SpecialPoint:
    """Return a special point without the multipliers of a family."""
    k, n = multipliers(family), family.n
    if not k or len(special.x) == n - k:
        return special

    def cut(v: Any) -> Any:
        return v if v is None else np.delete(v, np.s_[n - k : n])

    found = replace(special, x=special.x[: n - k], vector=cut(special.vector))
    found.tangent, found.other_tangent = cut(special.tangent), cut(special.other_tangent)
    return found
