"""Sliding modes: a solution that stays on a discontinuity of the equations.

Where the rates on both sides point towards the discontinuity, the solution cannot leave it, and no
formula that evaluates the equations can follow it: one value of the jump is needed, and the
equations have two. Steps shrink without end there.

Reference: A. F. Filippov, Differential Equations with Discontinuous Righthand Sides (1988),
section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Vector
from ..errors import LinearSolveError
from .failures import jump_between, noise_of_equations, step_matrix
from .implicit.implicit_solver import LOWEST

UNRESOLVED = 1.0  # change in a step, in units of the tolerance: it does not tell both sides apart.
# Steps of one length may change the unknowns by more.
REACH = 2.0  # latest changes, before and after the state, in which a jump is looked for


def sliding_mode(stepper: Any) -> str:
    """Return what is to be said where the solution stays on a discontinuity; else nothing.

    Parameters
    ----------
    stepper : TransientStepper
        After a step that Newton's iteration could not make.
    """
    steps, weights = stepper.steps, stepper.weights
    t, x, change, sizes = steps.t, steps.x, steps.change, weights.weights(steps.x)
    unresolved = UNRESOLVED if stepper.plan.fixed is None else np.inf
    if not 0.0 < weights.norm(change, sizes) < unresolved:
        return ""
    nothing = np.zeros(stepper.system.n)

    def flow(y: Vector) -> Vector:
        with np.errstate(all="ignore"):
            F: Vector = stepper.system.residual(t, y, 0.0, nothing)[0]
        return F

    def along(s: float) -> Vector:  # s about 1, where neighboring numbers are about as far apart
        y: Vector = x + (s - 1.0 - REACH) * change
        return y

    try:
        place = jump_between(lambda s: flow(along(s)), 1.0, 1.0 + 2.0 * REACH)
        if place is None:
            return ""
        sides = [along(float(np.nextafter(place, 0.0))), along(place)]
        with step_matrix(stepper) as matrix:
            moves = [-matrix.solve(flow(y)) for y in sides]
        if not _returns(flow, sides, moves):
            return ""
        noise = noise_of_equations(stepper)
        if weights.norm(moves[1] - moves[0], sizes) <= LOWEST * noise:
            return ""  # rounding that changes its sign
    except (ArithmeticError, LinearSolveError):
        return ""
    return _message(stepper, int(np.argmax(np.abs(moves[1] - moves[0]) * sizes)), moves)


def _message(stepper: Any, worst: int, moves: list[Vector]) -> str:
    """Return what is to be said, with the unknown that moves most differently on both sides."""
    t, x = stepper.steps.t, stepper.steps.x
    rates = [move[worst] / stepper.steps.h for move in moves]
    return (
        f"the solution stays on a discontinuity of the equations from t = {t:.9g} on, which "
        f"{stepper.system.blocks.label(worst)} meets at {x[worst]:.6g} from both sides: it moves "
        f"at the rate {rates[0]:.3g} on one side and {rates[1]:.3g} on the other, and no step can "
        "follow it (a sliding mode). Write the jump as a steep smooth function, such as "
        "np.tanh(s / width) for np.sign(s), or end the run there by an event and let on_event "
        "change to equations that hold on the discontinuity"
    )


def _returns(flow: Any, sides: list[Vector], moves: list[Vector]) -> bool:
    """Whether the move from each side of a jump ends on the other side."""
    before, after = (flow(y) for y in sides)
    jump, middle = after - before, 0.5 * (before + after)
    ends = [flow(y + move) - middle for y, move in zip(sides, moves, strict=True)]
    return bool(ends[0] @ jump > 0.0 > ends[1] @ jump)
