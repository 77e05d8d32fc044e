"""Linearized equations that leave a level open have solutions only if they are balanced.

A change dp of a parameter has a solution if M^T dp = 0, where M holds what the null space of the
transposed Jacobian sees of the slopes: one row for each element of the parameter. An element whose
unit vector lies in the range of M changes in no such dp, so that its slope means nothing. The other
elements may balance each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SingularMatrixError
from ...linear.gauged import Gauged

ROUNDED = 1e-9  # of the largest singular value, or of 1: zero but for rounding


def check_balanced(solver: Any, slope: Any, name: str) -> None:
    """Raise if no change of a parameter, or of one of its elements, has a solution.

    Parameters
    ----------
    solver : linear solver
        With the matrix factorized. Only one with a null space leaves a level open.
    slope : array or sparse array, shape (n,) or (n, m)
        The derivative of the equations by the parameter, or by each of its m elements.
    name : str
        The parameter.

    Raises
    ------
    SingularMatrixError
    """
    if not isinstance(solver, Gauged):
        return
    alone = np.flatnonzero(_never_balanced(solver.imbalance(slope)))
    if len(alone):
        what = f"the parameter {name!r}"
        if slope.ndim == 2 and slope.shape[1] > 1:
            what = f"element {alone[0]} of {what}"
        raise SingularMatrixError(
            f"no solution follows {what}: the equations leave a level open, and contradict each "
            "other at other values of it, as where a source is not balanced by a sink. Let another "
            "parameter or unknown balance them, or prescribe one value of what is determined up to "
            "a constant"
        )


def _never_balanced(imbalance: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of M, shape (m, k), no combination of the others balances."""
    sizes = np.sqrt((np.abs(imbalance) ** 2).sum(axis=1))
    never: NDArray[np.bool_] = sizes > 0.0
    if never.any():
        rows = imbalance[never] / sizes[never, None]
        basis, singular, _ = np.linalg.svd(rows, full_matrices=False)
        seen = basis[:, singular > ROUNDED * singular[0]]
        never[never] = (np.abs(seen) ** 2).sum(axis=1) >= 1.0 - ROUNDED
    return never
