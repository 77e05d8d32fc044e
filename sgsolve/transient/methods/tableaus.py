"""Diagonally implicit Runge-Kutta methods: an L-stable one of order 4, TR-BDF2, and the trapezoid.

References: C. A. Kennedy and M. H. Carpenter, Appl. Numer. Math. 44 (2003) 139, the implicit part
of ARK4(3)6L[2]SA; M. E. Hosea and L. F. Shampine, Appl. Numer. Math. 20 (1996) 21 (TR-BDF2 with an
embedded formula of order 3); R. E. Bank et al., IEEE Trans. Electron Devices 32 (1985) 1992; A.
Prothero and A. Robinson, Math. Comp. 28 (1974) 145 (the error where an equation is stiff).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...arrays import Vector


@dataclass(frozen=True)
class Tableau:
    """Coefficients of a stiffly accurate method whose first stage is explicit.

    Attributes
    ----------
    A : ndarray, shape (stages, stages)
        Lower triangular; all diagonal entries but the first are equal.
    c : ndarray, shape (stages,)
    error : ndarray, shape (stages,)
        Of the rates, for the estimate of the error: the weights of the method less those of the
        embedded one, or a multiple.
    error_order : int
        The smaller one of the orders of both.
    """

    name: str
    A: Vector
    c: Vector
    error: Vector
    order: int
    error_order: int

    @property
    def gamma(self) -> float:
        """The diagonal entry."""
        return float(self.A[-1, -1])

    @property
    def stage_share(self) -> float:
        """The part of the tolerance of Newton's iteration that a stage has.

        Errors in the charges of the stages add up in the charge at the end. They must not hide
        that the method is of a higher order than its estimate.
        """
        if self.order == self.error_order:
            return 1.0
        return self.gamma / float(np.abs(self.A[-1]).sum())

    @cached_property
    def inner(self) -> int:
        """The last stage that is not at the end of the step."""
        return int(np.flatnonzero(self.c < 1.0)[-1])

    @classmethod
    def of(
        cls, name: str, rows: list[list[float]], other: list[float], orders: tuple[int, int]
    ) -> Tableau:
        """Return the tableau of a method by the rows of A, as far as they are not zero.

        Parameters
        ----------
        other : list of float
            Weights of the embedded method.
        orders : (int, int)
            Of the method, and the smaller one of both.
        """
        stages = len(rows)
        A = np.zeros((stages, stages))
        for i, row in enumerate(rows):
            A[i, : len(row)] = row
        c = A.sum(axis=1)
        c[np.abs(c - 1.0) < 1e-14] = 1.0  # such stages end exactly at the end of the step
        return cls(name, A, c, A[-1] - np.array(other), *orders)

    def for_stiff(self) -> Tableau:
        """Return the same with an estimate that is the error where an equation is very stiff.

        For ``y' = -z (y - p(t)) + p'(t)`` with a large z, p = t^3 / 6, and a step of length 1. The
        stages integrate squares exactly, and so no lower power shows an error. The error falls as
        1 / z, and so does the estimate, as it is divided by 1 + z A[-1, -1]. The embedded method
        must not be stiffly accurate: its estimate would fall as 1 / z^2.
        """
        A, slope = self.A, 0.5 * self.c**2
        deviation = np.append(0.0, np.linalg.solve(A[1:, 1:], (self.c**3 / 6.0 - A @ slope)[1:]))
        ratio = self.gamma * deviation[-1] / (self.error @ (slope + deviation))
        return replace(self, error=abs(ratio) * self.error)


_ROOT = 2.0**0.5
_G = 1.0 - 0.5 * _ROOT  # TR-BDF2: gamma / 2 in the notation of the references
_W = 0.25 * _ROOT

TR_BDF2 = Tableau.of(
    "TR-BDF2",
    [[], [_G, _G], [_W, _W, _G]],
    [(1.0 - _W) / 3.0, (3.0 * _W + 1.0) / 3.0, _G / 3.0],
    (2, 2),
)

ESDIRK4 = Tableau.of(
    "ESDIRK4",
    [
        [],
        [1 / 4, 1 / 4],
        [8611 / 62500, -1743 / 31250, 1 / 4],
        [5012029 / 34652500, -654441 / 2922500, 174375 / 388108, 1 / 4],
        [
            15267082809 / 155376265600,
            -71443401 / 120774400,
            730878875 / 902184768,
            2285395 / 8070912,
            1 / 4,
        ],
        [82889 / 524892, 0.0, 15625 / 83664, 69875 / 102672, -2260 / 8211, 1 / 4],
    ],
    [
        4586570599 / 29645900160,
        0.0,
        178811875 / 945068544,
        814220225 / 1159782912,
        -3700637 / 11593932,
        61727 / 225920,
    ],
    (4, 3),
).for_stiff()

TRAPEZOID = Tableau.of("trapezoid", [[], [1 / 2, 1 / 2]], [1 / 2, 1 / 2], (2, 2))
# Two backward Euler steps of half the length, with the matrix of the trapezoidal rule: they damp
# what the rule itself would carry on for ever (R. Rannacher, Numer. Math. 43 (1984) 309).
TWO_HALVES = Tableau.of(
    "two backward Euler steps", [[], [0.0, 1 / 2], [0.0, 1 / 2, 1 / 2]], [0.0, 1 / 2, 1 / 2], (1, 1)
)
