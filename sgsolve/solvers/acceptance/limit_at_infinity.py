"""Whether a residual is small only because unknowns ran to where rounding hides it.

``tanh(x) = 1`` and ``exp(-x**2) = 0`` have no solution, but in this arithmetic they hold at every
x beyond a finite one. Neither the residual nor its Jacobian at such a point shows the difference
from a solution. Equations that hold exactly are asked alone, see `flat_equations`. Others, which
have terms of other unknowns, are asked along the last step of the unknowns that did not converge,
or outwards from a start that is accepted without a step. Where unknowns have next to no terms in
any equation, those are asked that have terms of them.

The tests cost no evaluation where convergence is fast, and few where the residual at four distances
on each side decides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...arrays import Vector
from ..state.entries import unknowns_with
from ..state.iterate import Iterate
from .determination import (
    LINEAR,
    SHORT,
    determined,
    determined_by_kept_factors,
    fixed_by_kept_factors,
    with_terms,
)
from .flat_equations import exact_equations, tail, tail_along, tail_of, unanswered

SIGNIFICANT = 1e-8  # a step shorter than this, relative to its unknown, is no matter
NOTHING = 1e-12  # of the scale of an unknown: as good as zero
SHRUNK = 0.1  # a step that is short, and so much shorter than the last, converges
OUTWARDS = 1.0 / 64.0  # of x, along which a start is examined: from zero to twice x


def at_limit(it: Iterate) -> bool:
    """Whether the residual at an iterate only tends to zero; a note says so."""
    steps, exact = _last_steps(it), unanswered(it, exact_equations(it))
    others = unknowns_with(it, exact)
    hidden = bool(exact.any()) and tail(it, exact, np.any([others, *steps], axis=0))
    if not hidden and not _hidden_tail(it):
        if not steps or determined_by_kept_factors(it, steps, others):
            return False
        if all(determined(it, step) for step in steps if tail_along(it, step)):
            return False
    it.notes.append(
        "rounding hides the residual there and further on, so that it only tends to zero"
    )
    return True


def _last_steps(it: Iterate) -> list[Vector]:
    """Return the last steps of the unknowns that did not converge, zero for the others."""
    if it.k == 0:
        last = OUTWARDS * _beyond_nothing(it)
    else:
        last = np.where(_long(it), it.step, 0.0)
        if it.fresh and _repeats_linearly(it, last):
            return []
    return [last] if last.any() else []


def _beyond_nothing(it: Iterate) -> Vector:
    """Return the unknowns, zero for those that are nothing beside their scale."""
    scale = it.weights if it.scaling.scale is None else it.scaling.scale
    return np.where(np.abs(it.x) > NOTHING * scale, it.x, 0.0)


def _long(it: Iterate) -> NDArray[np.bool_]:
    """Return which unknowns did not converge by the last step.

    Where the whole step shrank, the step before may have been small in an unknown by accident.
    """
    step, before = np.abs(it.step), np.abs(it.step_old)
    if it.step_size <= SHRUNK * it.step_size_old:
        before = np.maximum(before, np.abs(it.step_older))
    long: NDArray[np.bool_] = (step > SHORT * it.weights) | (step > SHRUNK * before)
    return long & (step > SIGNIFICANT * it.weights)


def _hidden_tail(it: Iterate) -> bool:
    """Whether an equation is the tail of a limit at infinity that other terms hide.

    Unknowns that are nothing beside their scale have no tail. Where weak terms determine others,
    no residual is evaluated.
    """
    unknowns = _without_influence(it) & (_beyond_nothing(it) != 0.0)
    if not unknowns.any() or fixed_by_kept_factors(it, unknowns):
        return False
    return tail_of(it, unknowns)


def _without_influence(it: Iterate) -> NDArray[np.bool_]:
    """Return which unknowns have next to no terms in any equation."""
    if it.J is None:
        return np.zeros(len(it.x), dtype=bool)
    every = np.ones(len(it.F), dtype=bool)
    return ~with_terms(it, it.magnitudes, every, np.abs(it.x))


def _repeats_linearly(it: Iterate, step: Vector) -> bool:
    """Whether the linear model repeats how the last step changed equations, so that none is flat.

    The Jacobian must be from after the step: the one before it repeats the change in any case.
    """
    if it.J is None:
        return False
    change = it.F - it.F_old
    off = np.abs(it.J @ step - change)
    return bool((off <= LINEAR * np.abs(change)).all())
