"""Why a run in time cannot continue: jumps, growth without bound, singular algebraic equations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..arrays import Vector
from ..errors import LinearSolveError
from .evolution import EvolutionSystem, without_storage

BISECTIONS = 200
JUMP = 0.5  # the part of the change over a step that is left over the shortest one, at a jump
BEYOND = (
    "the solution may not exist beyond. End the run earlier, or check the model and its signs: "
    "dQ/dt = -F"
)
GREW = 1e4  # unknowns that grew by so much while steps shrank as much grow without bound


def jump_between(value: Callable[[float], Vector], a: float, b: float) -> float | None:
    """Return the time in a < t <= b at which a function of time jumps; None if it does not."""

    def change(t: float) -> float:
        return float(np.abs(value(t) - first).max(initial=0.0))

    first = value(a)
    whole = change(b)
    if not (np.isfinite(whole) and whole > 0.0):
        return None
    low, high = a, b
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (low, middle) if change(middle) > JUMP * whole else (middle, high)
    return high if change(high) - change(low) > JUMP * whole else None


def flow_at(system: EvolutionSystem, x: Vector) -> Callable[[float], Vector]:
    """Return F(x, t) and Q(x, t) as a function of t; not a number where they have no value."""

    def flow(t: float) -> Vector:
        try:
            with np.errstate(all="ignore"):
                return np.concatenate(system.residual(t, x, 0.0, x))
        except ArithmeticError:
            return np.full(2 * system.n, np.nan)

    return flow


def explained(stepper: Any) -> str:
    """Return why a run cannot continue, with the last attempts and what may be the cause."""
    t, last = stepper.steps.t, stepper.plan.setbacks.rejected[-3:]
    lines = [f"no step can be made from t = {t:.9g}"]
    lines += [f"a step of {h:.3g} failed: {reason}" for h, reason in last[-1:]]
    if not last:
        lines.append(
            "the steps that meet the tolerance became shorter than the rounding of the time"
        )
    causes = (_growth_sentence, _rounding_sentence, _singular_sentence, _rate_sentence)
    lines += [cause for cause in (find(stepper) for find in causes) if cause][:1]
    return "; ".join(lines)


def _growth_sentence(stepper: Any) -> str:
    """Return a sentence where unknowns grew without bound while steps shrank."""
    blocks, x = stepper.system.blocks, stepper.steps.x
    grown = [
        name
        for name, size in blocks.norms(x).items()
        if size > GREW * stepper.first_sizes.get(name, size) > 0.0
    ]
    if not grown or stepper.steps.h > stepper.longest / GREW:
        return ""
    part = np.arange(len(x))[blocks[grown[0]]]
    worst = blocks.label(int(part[np.argmax(np.abs(x[part]))]))
    return (
        f"unknown {worst} grows without bound near t = {stepper.steps.t:.9g} while the steps "
        f"shrink: {BEYOND}"
    )


def _singular_sentence(stepper: Any) -> str:
    """Return a sentence where an unknown without storage moves most while steps shrink.

    In units of the tolerance: at a fold it alone changes ever faster.
    """
    try:
        with np.errstate(all="ignore"):
            at = stepper.steps.t, stepper.steps.x
            algebraic = np.flatnonzero(without_storage(stepper.system, *at))
    except ArithmeticError:
        return ""
    moves = np.abs(stepper.steps.change) * stepper.weights.weights(stepper.steps.x)
    which = int(np.argmax(moves))
    if which not in algebraic:
        return ""
    name = stepper.system.blocks.label(which)
    return (
        f"the algebraic equations may be singular here, so that unknown {name} cannot follow, as "
        "at a fold; look at the last states, and use Problem.continuation for the steady state"
    )


def _rate_sentence(stepper: Any) -> str:
    """Return a sentence where an unknown changes ever faster, as at a logarithm or a root of time.

    At such a rate it would have changed by many times its size in the time of the run.
    """
    steps = stepper.steps
    moved = np.abs(steps.change) * (steps.t - stepper.schedule.t0) / steps.h
    beyond = moved - GREW * np.maximum(np.abs(steps.x), np.abs(stepper.start_x))
    which = int(np.argmax(beyond))
    if steps.h > stepper.longest / GREW or beyond[which] <= 0.0:
        return ""
    return (
        f"unknown {stepper.system.blocks.label(which)} changes ever faster, by "
        f"{steps.change[which]:.2g} in the last step of {steps.h:.2g}: {BEYOND}"
    )


def noise_of_equations(stepper: Any) -> float:
    """Return the change of the unknowns by rounding of F and Q, in units of the tolerance.

    Terms that cancel have more than the unknowns themselves.
    """
    x = stepper.steps.x
    with step_matrix(stepper) as matrix:
        change = matrix.rounding(x, 1.0 / stepper.steps.h)
    return float(stepper.weights.norm(change, stepper.weights.weights(x)))


@contextmanager
def step_matrix(stepper: Any) -> Iterator[Any]:
    """Factorize M at the state for a step of the present length within a block of code.

    Raises
    ------
    LinearSolveError
        That is not possible.
    """
    matrix, steps = stepper.implicit.matrix, stepper.steps
    a = 1.0 / steps.h
    try:
        reason = matrix.evaluate(steps.t, steps.x, a, steps.charge[: stepper.system.n])
        reason = reason or matrix.factorize(a)
        if reason:
            raise LinearSolveError(reason)
        yield matrix
    finally:
        matrix.forget()


def _rounding_sentence(stepper: Any) -> str:
    """Return a sentence where Newton's iteration cannot converge because of rounding."""
    try:
        noise = noise_of_equations(stepper)
    except LinearSolveError:
        return ""
    if not noise >= stepper.implicit.tolerance:
        return ""
    return (
        f"rounding of the equations changes the unknowns by {noise:.2g} times the tolerance; raise "
        "rtol and atol, unless the equations become singular here, as at a fold"
    )
