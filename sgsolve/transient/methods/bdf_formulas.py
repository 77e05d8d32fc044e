"""Coefficients of backward differentiation formulas of order 1 to 5, as sums of past values.

Those of the numerical differentiation formulas (NDF) have smaller errors than BDF, and slightly
smaller angles of stability.

Reference: L. F. Shampine and M. W. Reichelt, SIAM J. Sci. Comput. 18 (1997) 1, table 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...arrays import Vector
from .backward_differences import GAMMA, MAX_ORDER, basis, differencing

ORDERS = range(MAX_ORDER + 1)
KAPPA = np.array([0.0, -0.1850, -1.0 / 9.0, -0.0823, -0.0415, 0.0])


@dataclass(frozen=True, eq=False)  # one object for each kind, see `of`
class Formulas:
    """Coefficients of the formulas of order 1 to 5.

    Attributes
    ----------
    alpha : ndarray, shape (6,)
        Of the new value, by order.
    error : ndarray, shape (6,)
        The local error of order k is this times the (k + 1)-th difference.
    known : list of ndarray, shape (k + 1,)
        By order: dQ/dt is alpha / h times the new Q less these multiples of the past values.
    ahead : list of ndarray, shape (k + 1,)
        By order: the predicted value is the sum of these multiples of the past values.
    next_difference : list of ndarray, shape (k + 2,)
        By order: the (k + 1)-th difference is the sum of these multiples of the past values.
    """

    alpha: Vector
    error: Vector
    known: list[Vector]
    ahead: list[Vector]
    next_difference: list[Vector]

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, ndf: bool) -> Formulas:
        """Return those of NDF or of BDF."""
        kappa = KAPPA if ndf else np.zeros(MAX_ORDER + 1)
        alpha = (1.0 - kappa) * GAMMA
        error = kappa * GAMMA + 1.0 / np.arange(1, MAX_ORDER + 2)
        known = [(1.0 - GAMMA[: k + 1] / (alpha[k] or 1.0)) @ differencing(k) for k in ORDERS]
        ahead = [basis(k, 1.0) @ differencing(k) for k in ORDERS]
        return cls(alpha, error, known, ahead, [differencing(k + 1)[-1] for k in ORDERS])
