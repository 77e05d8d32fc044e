"""Linearized equations that leave a level open have solutions only if they are balanced."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import SingularMatrixError
from ...linear.gauged import Gauged


def check_balanced(solver: Any, slope: Any, name: str) -> None:
    """Raise if the equations contradict each other where a parameter differs a little.

    Parameters
    ----------
    solver : linear solver
        With the matrix factorized. Only one with a null space leaves a level open.
    slope : array or sparse array, shape (n,) or (n, 1)
        The derivative of the equations by the parameter.
    name : str
        The parameter.

    Raises
    ------
    SingularMatrixError
    """
    if isinstance(solver, Gauged) and np.any(solver.refused(slope)):
        raise SingularMatrixError(
            f"no solution follows the parameter {name!r}: the equations leave a level open, and "
            f"contradict each other at other values of {name!r}, as where a source is not balanced "
            "by a sink. Let another parameter or unknown balance them, or prescribe one value of "
            "what is determined up to a constant"
        )
