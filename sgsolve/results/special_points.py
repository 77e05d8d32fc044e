"""Special points of a branch: folds, branch points, Hopf points, events.

Converged special points and approximate ones, which were detected but did not converge, are two
classes everywhere: in a branch, in a file, in a run that is resumed.

BifurcationKit.jl makes the same distinction: "converged", or a "guess" with an interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(eq=False)
class SpecialPoint:
    """A special point of a branch: a fold, a branch point, a Hopf point, an event.

    Attributes
    ----------
    kind : str
        "fold", "branch point", "hopf", or the name of the event.
    parameter : float
    x : ndarray, shape (n,)
    vector : ndarray of shape (n,), or None
        The null vector of the Jacobian there; complex, the critical eigenvector, at a Hopf point.
    index : int
        The row of the branch that comes next.
    tangent : ndarray of shape (n + 1,), or None
        Of the branch, in (x, parameter).
    other_tangent : ndarray of shape (n + 1,), or None
        At a branch point: the tangent of the branch that crosses.
    frequency : float
        At a Hopf point: the imaginary part of the critical eigenvalue.
    marker : str
        How diagrams show it, as matplotlib calls it.
    """

    kind: str
    parameter: float
    x: NDArray[Any]
    vector: NDArray[Any] | None = None
    index: int = 0
    tangent: NDArray[Any] | None = None
    other_tangent: NDArray[Any] | None = None
    frequency: float = float("nan")
    marker: str = "x"

    def __repr__(self) -> str:
        return f"SpecialPoint({self}, row {self.index})"

    def __str__(self) -> str:
        text = f"{self.kind} at {self.parameter:.12g}"
        return text if np.isnan(self.frequency) else f"{text}, frequency {self.frequency:.8g}"


@dataclass(eq=False)
class ApproximateSpecialPoint(SpecialPoint):
    """A special point that was detected but not located: x is a solution near it.

    Attributes
    ----------
    uncertainty : float
        Bound on the distance of the special point from ``parameter``.
    """

    uncertainty: float = 0.0

    def __str__(self) -> str:
        smallest = max(self.uncertainty, 1e-300)
        digits = 3 + max(0, int(np.log10(max(abs(self.parameter) / smallest, 1.0))))
        return f"{self.kind} at {self.parameter:.{min(digits, 12)}g} ± {self.uncertainty:.2g}"
