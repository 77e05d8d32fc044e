"""Extrapolation to a multiple root, where Newton's method converges linearly.

At a root of multiplicity m a step of Newton's method is 1 - 1/m times the step before it, in the
same direction, and with a constant damping it is similar. The limit of this geometric series is
close to the root, and closer with each extrapolation. Far from a root steps may form such a series
too, as for ``x**3 - 8`` from 1e6. The limit is therefore taken only if the residual is much smaller
there, relative to the terms at the limit. A double root needs no help: each step halves the error.

Reference: Decker, Keller and Kelley, SIAM J. Numer. Anal. 20 (1983) 296.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Vector
from ...norms import norm2, scalar_product
from ..state.iterate import Iterate

STEPS = 5  # steps in a row by which the residual falls alike
ALIKE = 0.02  # relative difference of two contractions, or of two steps after scaling
LEAST_RATIO, MOST_RATIO = 0.55, 0.99  # of two steps: a double root has 0.5, and m = 100 has 0.99
VANISHED = 1e-13  # of an unknown: what is left by rounding where the root is zero
SMALLER = 0.25  # of the relative residual: what may be left at the limit
HOLDS = 1e-11  # ... and at any rate


def extrapolate(it: Iterate) -> bool:
    """Move an iterate to the limit of its last steps, if these converge to a multiple root.

    Sizes of terms are those of the point before: the Jacobian must be evaluated where it moved.
    """
    old, now = it.memory.get("contraction", 0.0), it.contraction
    alike = it.newton and not it.limited and abs(now - old) <= ALIKE * now
    run = it.memory.get("linear run", 0) + 1 if alike and now < 1.0 else 0
    it.memory["contraction"], it.memory["linear run"] = now, run
    ratio = _ratio(it) if run >= STEPS else None
    if ratio is None:
        return False
    it.memory["linear run"] = 0
    rest = it.step * (ratio / (1.0 - ratio))
    x = it.x + rest
    x[np.abs(x) <= VANISHED * np.abs(it.x)] = 0.0
    F = it.evaluate(x) if it.limited_step(rest) is rest else None
    it.limited = False
    if F is None or not _holds_better(it, x, F):
        return False
    it.accept(x, F, 1.0)
    it.newton = False  # the decrease says nothing of the error that is left
    it.notes.append("extrapolated to a multiple root")
    return True


def _ratio(it: Iterate) -> float | None:
    """Return the ratio of the last two steps, if they form a geometric series; else None."""
    now, before, older = (s / it.weights for s in (it.step, it.step_old, it.step_older))
    square = scalar_product(before, before)
    ratio = scalar_product(now, before) / square if square > 0.0 else 0.0
    if not LEAST_RATIO < ratio < MOST_RATIO:
        return None
    series = norm2(now - ratio * before) <= ALIKE * norm2(now)
    return ratio if series and norm2(before - ratio * older) <= ALIKE * norm2(before) else None


def _holds_better(it: Iterate, x: Vector, F: Vector) -> bool:
    """Whether the residual at a point is much smaller by its terms there, or vanishes."""
    if not F.any():
        return True
    terms = it.terms_at(x)
    allowed = max(SMALLER * float(it.scaling.scaled(it.F).max()), HOLDS)
    return terms is not None and bool((np.abs(F) <= allowed * terms).all())
