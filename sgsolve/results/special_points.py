"""Special points of a branch: folds, branch points, Hopf points, events.

Converged special points and approximate ones, which were detected but did not converge, are two
classes, in a branch, in a file, and in a run that is resumed.

BifurcationKit.jl makes the same distinction: "converged", or a "guess" with an interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
        The value of the parameter.
    x : ndarray, shape (n,)
        The solution.
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
    coefficients : dict of str to float
        Of the normal form, where they were computed: "l1", the first Lyapunov coefficient, at a
        Hopf point; "a", "b" and "c" of c (p - p0) y + a y^2 + b y^3 = 0 at a branch point; "c" of
        y' = c y^3 at a cusp; "a" and "b" of u' = v, v' = a u^2 + b u v at a Bogdanov-Takens point,
        where small orbits are stable if a b < 0; "l2", the second Lyapunov coefficient, at a
        generalized Hopf point; "b", "c", "d" and "e" of w' = b w^2 + c abs(z)^2, z' = (i omega + d
        w + e w^2) z at a zero-Hopf point, with "s" = sign(b c) and "theta" = d / b; "p11", "p12",
        "p21" and "p22" of r1' = r1 (p11 r1^2 + p12 r2^2), r2' = r2 (p21 r1^2 + p22 r2^2) at a
        double-Hopf point, that of the higher frequency first, with "theta" = p12 / p22 and "delta"
        = p21 / p11; "angle" of the critical multiplier at a torus bifurcation. Critical vectors
        have length 1; the largest element of a real one is positive at Bogdanov-Takens and zero-
        Hopf points.
    along : dict of str to float
        Of a curve in two parameters: the value of the other one.
    nature : str
        What the coefficients say, in a word: "supercritical" or "subcritical" at a Hopf point,
        "transcritical" or a pitchfork with its direction at a branch point; empty elsewhere.
    changes_stability : bool
        Whether solutions may be stable on one side and unstable on the other.

    See Also
    --------
    Branch.special_points_of : Those of a kind.
    ApproximateSpecialPoint : Not converged.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> curve = Problem(lambda x, p: p + x - x**3 / 3, params={"p": -1.0})
    >>> fold = curve.continuation([-2.0], "p", (-1.0, 1.0)).folds[0]
    >>> fold.kind, round(fold.parameter, 6), fold.x.round(6).tolist()
    ('fold', 0.666667, [-1.0])
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
    coefficients: dict[str, float] = field(default_factory=dict)
    along: dict[str, float] = field(default_factory=dict)
    nature: str = ""
    changes_stability: bool = False

    def __repr__(self) -> str:
        return f"SpecialPoint({self}, row {self.index})"

    def __str__(self) -> str:
        text = f"{self.kind} at {self.parameter:.12g}"
        text += "".join(f", {name} = {value:.12g}" for name, value in self.along.items())
        if not np.isnan(self.frequency):
            text = f"{text}, frequency {self.frequency:.8g}"
        return f"{text}, {self.nature}" if self.nature else text


@dataclass(eq=False)
class ApproximateSpecialPoint(SpecialPoint):
    """A special point that was detected but did not converge: x is a solution near it.

    Attributes
    ----------
    kind, parameter, x, vector, index, tangent, other_tangent, frequency, marker, changes_stability
        As in `SpecialPoint`, at the nearest solution.
    uncertainty : float
        Bound on the distance of the special point from ``parameter``.

    See Also
    --------
    SpecialPoint : Converged.
    continuation.UnlocatedWarning : Is issued with it.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ApproximateSpecialPoint
    >>> print(ApproximateSpecialPoint("fold", 0.833, np.zeros(1), uncertainty=0.0012))
    fold at 0.833 ± 0.0012
    """

    uncertainty: float = 0.0

    def __str__(self) -> str:
        smallest = max(self.uncertainty, 1e-300)
        digits = 3 + max(0, int(np.log10(max(abs(self.parameter) / smallest, 1.0))))
        return f"{self.kind} at {self.parameter:.{min(digits, 12)}g} ± {self.uncertainty:.2g}"
