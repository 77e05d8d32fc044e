"""The protocol of a family of systems F(x, p) = 0 with one parameter p.

Continuation needs F, its Jacobian J on a fixed sparsity pattern, and the column dF/dp. Each class
that provides these can be followed: a problem, the equations of a fold, a homotopy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..arrays import Vector
from ..norms import is_finite
from ..pattern import Pattern, transposed_product
from ..private_api import quiet
from ..results.history import Stats

SMALL = 1e-3  # an unknown below this part of the largest counts as this in a difference
DIFFERENCE = 6e-6  # length of a central difference, relative to what changes along it


class Family(Protocol):
    """The n equations in n unknowns and one parameter.

    Inherit from it: all members but the first four have defaults.

    See Also
    --------
    Problem : Makes one for its sweeps and continuations.
    """

    n: int

    @property
    def pattern(self) -> Pattern:
        """The sparsity pattern of J."""
        ...

    @property
    def scale(self) -> Vector | None:
        """Typical size of each unknown; None if all have the same."""
        ...

    @property
    def lacks_sizes(self) -> bool:
        """Whether `scale` is only supposed for some unknowns, which are zero at the start."""
        return False

    def take_sizes(self, change: Vector) -> None:
        """Receive the change of x over the first step, which tells the sizes that are lacking."""
        return None

    def linearize(self, x: Vector, p: float) -> tuple[Vector, Any, Vector]:
        """Return F, J (``csr_array`` on `pattern`) and dF/dp, shape (n,)."""
        ...

    def accepted(self, z: Vector) -> None:
        """Receive an accepted point; z is x with p appended."""
        return None

    def confirm(self, z: Vector, F: Vector) -> bool:
        """Whether F at z is what the equations give, by an evaluation of another kind.

        For families that evaluate them in another form than the user wrote. What such a family does
        not confirm it does not use again.
        """
        return True

    def objection(self, at: Linear) -> str:
        """Why a point at which these equations hold does not solve those of the user; else empty.

        For families that add unknowns to them, which have to vanish at a solution.
        """
        return ""

    def saved(self) -> dict[str, Any]:
        """Return what the family keeps of the points so far, such as a mesh, for the checkpoint."""
        return {}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `saved` returned."""
        return None


class FamilyAround(Family):
    """A family whose equations contain those of another one, `inner`, which counts evaluations."""

    inner: Any

    @property
    def nfev(self) -> int:
        """Evaluations of the residual alone."""
        count: int = self.inner.nfev
        return count

    @property
    def njev(self) -> int:
        """Evaluations with derivatives."""
        count: int = self.inner.njev
        return count

    @property
    def seconds(self) -> dict[str, float]:
        """Spent in either."""
        seconds: dict[str, float] = self.inner.seconds
        return seconds

    def compiled_counts(self) -> Stats:
        """Return the counts of compiled evaluations so far."""
        counts: Stats = self.inner.compiled_counts()
        return counts


class Linear:
    """F, J and dF/dp at a point z = (x, p), and products with the n by n + 1 matrix of both.

    Attributes
    ----------
    z : ndarray, shape (n + 1,)
    F, Fp : ndarray, shape (n,)
    J : csr_array, shape (n, n)
    """

    def __init__(self, z: Vector, F: Vector, J: Any, Fp: Vector) -> None:
        self.z, self.F, self.J, self.Fp = z, F, J, Fp

    @property
    def finite(self) -> bool:
        """Whether F, J and dF/dp are finite."""
        return is_finite(self.F) and is_finite(self.J.data) and is_finite(self.Fp)

    def left(self, w: Vector) -> Vector:
        """Return w [J Fp], shape (n + 1,)."""
        return with_last(transposed_product(self.J, w), self.Fp.dot(w))


def with_last(x: Vector, last: float) -> Vector:
    """Return a vector with one more component, in a quarter of the time of ``numpy.append``."""
    z = np.empty(len(x) + 1)
    z[:-1], z[-1] = x, last
    return z


def linearized(family: Family, z: Vector) -> Linear | None:
    """Return the linearization at z; None if it is not finite or outside the model."""
    try:
        with quiet():
            found = Linear(z, *family.linearize(z[:-1], float(z[-1])))
    except ArithmeticError:
        return None
    return found if found.finite else None


def second_derivative(
    family: Family, at: Linear, w: Vector, v: Vector, h: float | None = None, usual: float = 0.0
) -> Vector | None:
    """Return the gradient over z of w . [J Fp] v, shape (n + 1,), by a central difference.

    Differentiation commutes, so it is the change of w [J Fp] along v: two linearizations whatever
    n is. None where they are not finite.

    Parameters
    ----------
    h : float, optional
        The length of the difference, as a multiple of v. By default no component changes by more
        than a small part of itself, or of a thousandth of the largest unknown.
    usual : float
        The size that the largest unknown usually has. It may be zero within rounding here.
    """
    size = float(np.linalg.norm(v))
    if size == 0.0:
        return np.zeros_like(v)
    if h is None:
        sizes = np.maximum(np.abs(at.z), SMALL * max(float(np.abs(at.z[:-1]).max()), usual))
        moving = (v != 0.0) & (sizes > 0.0)
        h = DIFFERENCE / float((np.abs(v)[moving] / sizes[moving]).max(initial=0.0) or size)
    up, down = linearized(family, at.z + h * v), linearized(family, at.z - h * v)
    if up is None or down is None:
        return None
    gradient: Vector = (up.left(w) - down.left(w)) / (2.0 * h)
    return gradient
