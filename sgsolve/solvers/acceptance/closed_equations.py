"""Equations that came to hold exactly by a step, and whether their linear model says the same.

A linear equation holds exactly after a full step, and the next Jacobian repeats the change. The
tail of ``exp(-x)`` or ``1 - tanh(x)`` comes to hold exactly where rounding hides it, and the next
Jacobian explains little of the change. The length of the step tells nothing: it is short next to
large unknowns of which only a small difference counts. Where an equation closes by a change of the
size of its terms, all of these may be rounding, and the Jacobian repeats the change by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Mask, Vector
from ..state.entries import equations_with
from ..state.iterate import Iterate

CHANGED = 1e-10  # a change below this part of the terms of an equation is no matter
PROVABLE = 1e-6  # ... and one above this part is asked further: its slopes may be rounding
REPEATED = 1e-3  # of a change: where an equation is linear, the next Jacobian misses only rounding
SPLIT = 2.0**41 + 1.0  # splits a number into its leading 12 bits and the rest (Veltkamp)


@dataclass
class Closed:
    """Equations that came to hold exactly.

    Attributes
    ----------
    step, change : ndarray, shape (n,)
        The last step by which equations did, and their changes; zero for other equations.
    k : int
        The iteration of that step.
    unproven : ndarray of bool, shape (n,)
        Equations whose change the next Jacobian did not repeat beyond doubt.
    """

    step: Vector
    change: Vector
    k: int
    unproven: Mask

    def compare(self, J: Any) -> None:
        """Compare the last changes with the Jacobian from after that step."""
        pending = self.change != 0.0
        if pending.any():
            off = np.abs(J @ self.step - self.change)
            repeated = (off <= REPEATED * np.abs(self.change)) & ~few_bits(self.change)
            self.unproven |= pending & ~repeated
            self.change = np.zeros_like(self.change)


def few_bits(change: Vector) -> Mask:
    """Return which changes may be few units of the rounding of large terms that cancel.

    The slopes of such an equation may be few units of rounding too, and agree by chance.
    """
    with np.errstate(all="ignore"):
        split = SPLIT * change
        few: Mask = split - (split - change) == change
    return few


def closed_by(F_old: Vector, F: Vector, own: Vector) -> Mask:
    """Return which equations came to hold exactly by a change that matters."""
    closed: Mask = (F == 0.0) & (np.abs(F_old) > CHANGED * own)
    return closed


def note_start(it: Iterate) -> None:
    """Take note of a start at which equations hold exactly: they may be flat there.

    The steps of the unknowns in them are zero, while the other equations still converge.
    """
    if not it.F.all() and it.x.any():
        it.memory["start"] = it.F


def note_closed(it: Iterate) -> None:
    """Take note of equations that came to hold exactly by the last step.

    The Jacobian here is that from before the step: it is compared with the step before.
    """
    known: Closed | None = it.memory.get("closed")
    if known is not None and it.J is not None and it.k - known.k >= it.age:
        known.compare(it.J)
    if it.F.all():
        return
    closed = closed_by(it.F_old, it.F, it.scaling.own)
    if closed.any():
        it.memory["closed"] = closing(known, closed, it.step, it.F_old, it.scaling.own, it.k)


def closing(
    known: Closed | None, closed: Mask, step: Vector, F_old: Vector, own: Vector, k: int
) -> Closed:
    """Return what is kept of a step that closed equations, added to what is known."""
    unproven = np.zeros_like(closed)
    if known is not None:
        unproven = known.unproven | (known.change != 0.0)
    large = closed & (np.abs(F_old) > PROVABLE * own)
    return Closed(step, np.where(closed & ~large, -F_old, 0.0), k, (unproven & ~closed) | large)


def unproven_equations(it: Iterate) -> Mask:
    """Return which equations hold at the iterate, and may do so by rounding alone."""
    if it.k == 0:
        none: Mask = it.F == 0.0
        return none & bool(it.x.any())
    found = _held_from_start(it)
    known: Closed | None = it.memory.get("closed")
    if known is not None:
        if it.J is not None and (it.fresh or it.k - known.k >= it.age):
            known.compare(it.J)
        found |= known.unproven | (known.change != 0.0)
    closed = closed_by(it.F_old, it.F, it.scaling.own)
    if closed.any():
        last = closing(None, closed, it.step, it.F_old, it.scaling.own, it.k)
        if it.fresh and it.J is not None:
            last.compare(it.J)
        found |= last.unproven | (last.change != 0.0)
    found &= it.F == 0.0
    return found


def _held_from_start(it: Iterate) -> Mask:
    """Return which equations held exactly at the start, hold now, and have terms."""
    F_start = it.memory.get("start")
    if F_start is None:
        return np.zeros(len(it.F), dtype=bool)
    return equations_with(it, it.x != 0.0, (F_start == 0.0) & (it.F == 0.0))
