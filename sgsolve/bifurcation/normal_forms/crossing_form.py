"""The normal form of a simple branch point: transcritical or pitchfork, and which way.

With the null vector q of J and the left one w, and y the part of x along q, the branches beside the
point are those of::

    c (p - p0) y + a y^2 + b y^3 = 0

where y = 0 is the branch that was followed, or the other one if that is the arm of a pitchfork. The
other one crosses it if a is not zero, with p - p0 = -a y / c. Otherwise it is a pitchfork, with
p - p0 = -b y^2 / c.

Reference: Y. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), section 7.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...arrays import EPS, Vector
from ...continuation.curve_points.curve import Curve
from ...continuation.family import linearized, with_last
from ...errors import LinearSolveError
from .directional import slopes_along
from .form_coefficients import cubic_coefficient

NEGLIGIBLE = 1e-7  # part of its terms up to which a coefficient counts as zero


def crossing_coefficients(
    curve: Curve, z: Vector, J: Any, w: Vector, q: Vector, form: tuple[Vector, Vector, Vector]
) -> dict[str, float]:
    """Return a, b and c; nothing where they are not defined.

    Parameters
    ----------
    z : ndarray, shape (n + 1,)
        The branch point.
    J : csr_array, shape (n, n)
    w, q : ndarray, shape (n,)
        The null vectors; q has length 1. The result belongs to w of length 1.
    form : (H, V, tangent)
        The quadratic form of the branches in the basis V of the null space of [J Fp], and the
        tangent of the branch along which the parameter changes.
    """
    H, V, tangent = form
    if tangent[-1] == 0.0:
        return {}

    no_mass = sp.csr_array(J.shape)

    def pencil(x: Vector) -> tuple[Any, Any] | None:
        at = linearized(curve.family, with_last(x, z[-1]))
        return None if at is None else (at.J, no_mass)

    size = float(np.linalg.norm(w))
    try:
        slopes = slopes_along(pencil, z[:-1], q, (J, no_mass))
        a, b, cubic = cubic_coefficient(J, slopes, q, w / size)
    except (LinearSolveError, ArithmeticError):
        return {}
    basis = np.linalg.lstsq(V, np.column_stack([np.append(q, 0.0), tangent / tangent[-1]]))[0]
    c = float(basis[:, 0] @ (0.5 * (H + H.T)) @ basis[:, 1]) / size
    terms = float(np.abs(slopes.J1).max())  # w and q have length 1
    # on a branch that stands still but for rounding, all terms may be as small as a and b
    y, unit = (1.0 / curve.metric.norm(np.append(q, 0.0)), EPS / np.sqrt(curve.metric.weights[-1]))
    a = 0.0 if abs(a) <= NEGLIGIBLE * terms or abs(a) * y <= unit * abs(c) else a
    b = 0.0 if abs(b) <= NEGLIGIBLE * cubic or abs(b) * y**2 <= unit * abs(c) else b
    values = {"a": a, "b": b, "c": c}
    return values if all(np.isfinite(list(values.values()))) else {}


def nature_of_crossing(values: Mapping[str, float]) -> str:
    """Return what the coefficients a, b and c say, in words; empty where there are none."""
    a, b, c = (values.get(name, 0.0) for name in "abc")
    if c and a:
        return "transcritical"
    if c and b:
        return f"pitchfork to {'higher' if b * c < 0.0 else 'lower'} values"
    return ""
