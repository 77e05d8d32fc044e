"""Normal forms at generalized Hopf, zero-Hopf and double-Hopf points.

They are those of Y. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), sections 8.3, 8.5
and 8.6, and SIAM J. Numer. Anal. 36 (1999) 1104; critical vectors have Euclidean length 1.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ...arrays import Vector
from .center_manifold import center_flow
from .critical_modes import CriticalModes
from .directional import Matrices, Pencil

FEW = 1e-9  # part of the largest coefficient below which one counts as zero


def second_lyapunov(
    pencil: Pencil, x: Vector, omega: float, near: Vector | None = None
) -> dict[str, float]:
    """Return "l2" = Re c2 / omega of z' = i omega z + c1 z |z|^2 + c2 z |z|^4.

    It does not depend on the choice of the coordinate where Re c1 = 0, at the point itself.

    Raises
    ------
    LinearSolveError, ArithmeticError
        See `center_flow`.
    """
    modes = CriticalModes.of(*_at(pencil, x), [omega], [near])
    flow = center_flow(pencil, x, modes, 5)
    return {"l2": flow[0, (3, 2)].real / omega}


def zero_hopf_form(pencil: Pencil, x: Vector, omega: float) -> dict[str, float]:
    """Return the coefficients of w' = b w^2 + c |z|^2, z' = (i omega + d w + e w^2) z.

    d is the real part. Time is scaled, and coordinates are chosen, so that no other terms of the
    third order are left; then e is real. "s" is the sign of b c, and "theta" is d / b. Where b or
    c is zero, as in systems with a reflection, e, s and theta are left out.

    Raises
    ------
    LinearSolveError, ArithmeticError
        See `center_flow`.
    """
    modes = CriticalModes.of(*_at(pencil, x), [0.0, omega])
    flow = center_flow(pencil, x, modes, 3)
    b, c, d = (
        flow[k, powers].real for k, powers in ((0, (2, 0, 0)), (0, (0, 1, 1)), (1, (1, 1, 0)))
    )
    found = {"b": b, "c": c, "d": d}
    if min(abs(b), abs(c)) <= FEW * max(abs(value) for value in flow.values()):
        return found
    cubic = ((0, (3, 0, 0)), (0, (1, 1, 1)), (1, (2, 1, 0)), (1, (0, 2, 1)))
    www, wzz, zww, zzz = (flow[key].real for key in cubic)
    e = zww + d * (zzz / c - 1.5 * www / b + 0.5 * wzz / c) - b * zzz / c
    return {**found, "e": e, "s": float(np.sign(b * c)), "theta": d / b}


def double_hopf_form(
    pencil: Pencil, x: Vector, frequencies: tuple[float, float]
) -> dict[str, float]:
    """Return the coefficients of the squares of the amplitudes of two oscillations.

    With r1 and r2 the amplitudes, that with the higher frequency first, r1' = r1 (p11 r1^2 +
    p12 r2^2) and r2' = r2 (p21 r1^2 + p22 r2^2) up to the fourth order. "theta" is p12 / p22, and
    "delta" is p21 / p11; they are left out where they are infinite.

    Raises
    ------
    LinearSolveError, ArithmeticError
        See `center_flow`; also where one frequency is twice or three times the other.
    """
    modes = CriticalModes.of(*_at(pencil, x), sorted(frequencies, reverse=True))
    flow = center_flow(pencil, x, modes, 3)
    found = {
        "p11": flow[0, (2, 1, 0, 0)].real,
        "p12": flow[0, (1, 0, 1, 1)].real,
        "p21": flow[2, (1, 1, 1, 0)].real,
        "p22": flow[2, (0, 0, 2, 1)].real,
    }
    size = FEW * max(abs(value) for value in flow.values())
    if abs(found["p22"]) > size:
        found["theta"] = found["p12"] / found["p22"]
    if abs(found["p11"]) > size:
        found["delta"] = found["p21"] / found["p11"]
    return found


def _at(pencil: Pencil, x: Vector) -> Matrices:
    here = pencil(x)
    if here is None:
        raise ArithmeticError("the Jacobian is not finite")
    return sp.csr_array(here[0]), sp.csr_array(here[1])
