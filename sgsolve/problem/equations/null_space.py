"""NullSpace: directions along which the solutions of a problem are not determined.

Examples are a pressure without reference value, a potential with flux conditions only, and a
network with a conserved total. The Jacobian is singular at every x, while solutions exist. The
user declares the directions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import Vector
from ...continuation.runs.user_functions import called
from ...errors import DataTypeError, InputError, NotFiniteError, ShapeError
from ...results.blocks import Blocks
from .residual_system import ResidualSystem
from .time_system import TimeSystem

NULL = 1e-6  # of the terms of an equation, that J v may be


class NullSpace:
    """The null space that a user declares.

    Parameters
    ----------
    given : array_like of shape (n,) or (n, k), callable or None
        A callable gets x and the parameters that it names.
    """

    def __init__(self, given: Any) -> None:
        if given is not None and not callable(given):
            given = _given_directions(given)
        self._given = given

    def __bool__(self) -> bool:
        return self._given is not None

    def basis(self, system: ResidualSystem, x: Vector) -> Vector | None:
        """Return an orthonormal basis at x, shape (n, k); None if nothing was declared.

        Raises
        ------
        InputError
            If the columns are dependent, or no null vectors of the Jacobian at x.
        """
        if self._given is None:
            return None
        V, Q = self._directions(x, {**system.defaults, **system.params})
        if not system.is_prepared:
            system.prepare(x)
        with np.errstate(all="ignore"):
            _check_null_space(system.linearize(x)[1], V, system.blocks)
        return Q

    def unstored(self, system: TimeSystem, t: float, x: Vector) -> Vector | None:
        """Return an orthonormal basis of the directions that no charge determines either.

        Along the others, the level at the start determines the solution in time.

        Raises
        ------
        InputError
            As `basis` does, for the equations at time t.
        """
        if self._given is None:
            return None
        V, Q = self._directions(x, system.parameters.every(t))
        with np.errstate(all="ignore"):
            at = system.derivatives(t, x, 0.0, np.zeros(len(x)))
        C = system.pattern.matrix(at.C)
        _check_null_space(system.pattern.matrix(at.J), V, system.blocks)
        _, moved, W = np.linalg.svd(C @ Q, full_matrices=False)
        W = W[moved <= NULL * (np.abs(C) @ np.abs(Q)).max()]
        return Q @ W.T if len(W) else None

    def _directions(self, x: Vector, params: dict[str, Any]) -> tuple[Vector, Vector]:
        """Return the directions at x, and an orthonormal basis."""
        V: Any = self._given
        if callable(V):
            V = _given_directions(called(V, x, params))
        V = V[:, None] if V.ndim == 1 else V
        if V.ndim != 2 or len(V) != len(x) or not 0 < V.shape[1] < len(x):
            raise ShapeError(
                f"null_space has shape {V.shape} for {len(x)} unknowns; give columns, shape "
                f"({len(x)}, k)"
            )
        V = V / np.maximum(np.abs(V).max(axis=0), 1e-300)
        Q, R = np.linalg.qr(V)
        if np.abs(np.diag(R)).min() <= 1e-10:
            raise InputError("the columns of null_space are dependent or zero; give a basis")
        return V, Q


def _given_directions(given: Any) -> Vector:
    V = np.asarray(given)
    if V.dtype.kind not in "biuf":
        raise DataTypeError(f"null_space must hold real numbers, not dtype {V.dtype}")
    if not np.isfinite(V).all():
        raise NotFiniteError("null_space holds values that are not finite")
    return V.astype(float)


def _check_null_space(J: Any, V: Vector, blocks: Blocks) -> None:
    """Raise for what is certainly no null space of the Jacobian."""
    found = not_annihilated(J, V, blocks)
    if found:
        raise InputError(
            f"null_space: column {found[0]} is no null vector of the Jacobian at the start: "
            f"along it, {found[1]}; give vectors v with J v = 0"
        )


def not_annihilated(J: Any, V: Vector, blocks: Blocks) -> tuple[int, str] | None:
    """Return a column of V that is certainly no null vector of J, and why; None if all may be."""
    with np.errstate(all="ignore"):
        product, terms = np.abs(J @ V), abs(J) @ np.abs(V)
    bad = product > NULL * terms
    if not np.isfinite(product).all() or not bad.any():
        return None
    i, j = (int(k[0]) for k in np.nonzero(bad))
    changes = f"equation {blocks.label(i)} changes by {product[i, j]:.2e}"
    return j, f"{changes}, its terms have size {terms[i, j]:.2e}"
