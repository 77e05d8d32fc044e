"""What the loops of steps in time read and write: settings, numbers, arrays.

The names are those of `transient.bdf`, `transient.implicit_solver` and `transient.error_weights`,
where these have them.
"""

from __future__ import annotations

from ...ad.kernels.loops.scalar_loops import (
    Addresses,
    Choices,
    Doubles,
    Indices,
    Inner,
    LoopStruct,
    Number,
)

# Places in `StepLoop.whole`, the integers that loops change.
ORDER, EQUAL_STEPS, RISING, FIRST, COUNT, SIDE, AGE, UNMEASURED, FACTORED, CHECKED, DONE = range(11)
NFEV, NIT, N_FACTOR, CALLS, N_WHOLE = range(11, 16)
COLUMNS = 8  # of a row of a table of coefficients
NUMBERS = 5  # that are told of each step
MOST = 32  # steps in one call: so long does Ctrl-C wait
KEPT = 100_000  # numbers of the states at their ends, at most
# What became of a step: it is too long by its error, needs another J or other factors of the rows,
# does not converge, or is left to Python.
MADE, TOO_LONG, RENEW, RESCALE, DIVERGED, UNSOLVED, LEAVE = range(7)


def steps_at_once(n: int) -> int:
    """Return how many steps of n unknowns are made in one call."""
    return max(1, min(MOST, KEPT // n))


class StepLoop(LoopStruct):
    """The state of the method, of the iteration and of the matrix, and the steps that were made."""

    # Settings.
    n: int
    nnz: int
    n_parts: int
    has_fixed: int  # whether the absolute tolerances are given
    max_order: int
    max_iterations: int

    # Numbers of a run, and those that live from one step to the next.
    tolerance: Number
    rtol: Number
    max_step: Number
    t: Number
    h: Number
    target: Number  # where the next step ends
    stop: Number  # before which the last of the steps ends
    next_row: Number  # which is recorded within a step
    most: Number  # steps
    a_wanted: Number  # of the matrix that is factorized next
    fresh: Number  # whether J was evaluated for the planned step
    a0: Number  # with which M is factorized
    rate: Number
    error: Number  # of the last step
    iterations: Number
    a: Number  # of the equation of the step
    t_evaluated: Number  # of F and Q
    told_a: Number  # of that of the last accepted step, with `told_q`

    whole: Choices

    # The method: two memories of past values, and coefficients by order.
    past: Doubles
    alpha: Doubles
    error_of_order: Doubles
    caps: Doubles
    known: Doubles
    ahead: Doubles
    next_difference: Doubles
    pascal: Doubles
    bases: Doubles
    mixing: Doubles

    # The sizes of errors.
    weights: Doubles
    largest: Doubles
    fixed: Doubles
    inherited: Doubles
    apart: Indices
    begins: Indices  # of the parts in `members`
    quarters: Indices  # of their numbers of unknowns
    members: Indices

    # The iteration: F and Q are written for x by kernels.
    x: Doubles
    F: Doubles
    Q: Doubles
    flow: Addresses
    storage: Addresses
    libm: Addresses
    predicted: Doubles
    x_new: Doubles
    charge: Doubles
    q: Doubles
    d: Doubles
    last: Doubles  # d of the iteration before
    residual: Doubles  # G of the iteration before
    deviation: Doubles

    # The matrix M = J + a0 C, equilibrated, and its factors.
    J: Doubles
    C: Doubles
    starts: Indices
    columns: Indices
    factor: Doubles
    row: Doubles
    column: Doubles
    A: Doubles
    b: Doubles
    y: Doubles
    lu: Inner
    lower: int
    upper: int
    band: Doubles
    band_places: Indices
    exchanges: Choices
    exchanged: Number  # whether rows were exchanged
    before: Indices
    after: Indices
    work: Doubles
    below: Doubles  # the factors row by row, without the ones
    above: Doubles
    inverse: Doubles

    # The steps that were made: t, h, order, error, iterations; x at their ends; and q of the last.
    told: Doubles
    told_q: Doubles
    ends: Doubles
