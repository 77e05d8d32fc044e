"""What a user may give as an approximate inverse of a matrix, as a function of a vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

from ....arrays import Vector
from ....errors import InputError, ShapeError
from .krylov_methods import Operator


def applied(M: Any, n: int) -> Operator:
    """Return the function v -> M^-1 v that a preconditioner of any kind stands for.

    Raises
    ------
    InputError, ShapeError
        It is none, or it is not one of n unknowns.
    """
    apply: Operator
    matrix: Any = M
    if hasattr(M, "matvec"):
        apply = M.matvec
    elif issparse(M) or isinstance(M, np.ndarray):
        apply = matrix.dot
    elif hasattr(M, "solve"):
        apply = M.solve
    elif callable(M):
        apply = M
    else:
        raise InputError(
            "the preconditioner must return a function v -> M^-1 v, a LinearOperator, a matrix or "
            f"an object with solve(v), not {type(M).__name__}"
        )
    shape = getattr(M, "shape", (n, n))
    if shape != (n, n):
        raise ShapeError(f"the preconditioner has shape {shape}; {n} unknowns need {(n, n)}")

    def checked(v: Vector) -> Vector:
        result = np.asarray(apply(v))
        if result.shape != (n,):
            raise ShapeError(
                f"the preconditioner returned an array of shape {result.shape} for a vector of "
                f"shape {(n,)}"
            )
        return result

    return checked


def is_fixed(M: Any) -> bool:
    """Whether a preconditioner is the same at all x: an operator, a matrix or a factorization."""
    return bool(
        hasattr(M, "matvec") or issparse(M) or isinstance(M, np.ndarray) or hasattr(M, "solve")
    )
