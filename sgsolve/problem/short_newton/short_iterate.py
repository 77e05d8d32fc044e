"""What the loops of a short solve read and write: settings, numbers and arrays.

They are laid out once for a pattern. The names are those of `solvers.state.iterate` and
`solvers.state.scaling`, where these have them.
"""

from __future__ import annotations

from ...ad.kernels.loops.scalar_loops import Doubles, Indices, LoopStruct, Number


class ShortIterate(LoopStruct):
    """A point of a short solve, the system behind it, and what is remembered of earlier points."""

    # Settings.
    n: int
    nnz: int
    n_blocks: int
    dense: int  # whether the loops write a full matrix
    damped: int  # whether the steps are those of `DampedNewton`
    has_scale: int  # whether the problem has sizes of the unknowns
    of_scale: int  # and the criterion is relative to them
    tolerance: float  # of the criterion: see `UsualCriterion`
    error: float
    rounding: float

    # Numbers that live from one call to the next; the history tells them.
    k: Number
    phi: Number
    contraction: Number
    largest: Number
    largest_old: Number
    smallest: Number
    bare: Number  # whether an equation has no terms
    step_size: Number
    step_size_old: Number
    step_absolute: Number
    step_absolute_old: Number
    upcoming: Number  # size of the step to the point that comes
    run: Number  # iteration since which the steps shrink; -1: they do not
    run_size: Number
    linear_run: Number  # iterations in a row with the same contraction
    has_jacobian: Number  # whether it is known at the new point
    renewed: Number  # whether it was taken to judge a solution
    doubted: Number  # whether the criterion holds with the old Jacobian
    open: Number  # whether equations are to be asked
    estimate: Number  # of the error
    scaled_residual: Number
    backward_error: Number

    # The last point and the new one; the start, that of `run`, and one beside the new point.
    x: Doubles
    x_new: Doubles
    x_start: Doubles
    x_run: Doubles
    x_beside: Doubles
    F: Doubles
    F_new: Doubles
    F_beside: Doubles
    starts: Indices  # rows of the Jacobians
    columns: Indices
    J: Doubles
    J_old: Doubles
    step: Doubles
    step_old: Doubles
    step_older: Doubles

    # Sizes of the unknowns, and of the equations: see `Scaling`.
    user_scale: Doubles
    magnitude: Doubles
    weights: Doubles
    terms: Doubles
    held_sizes: Doubles
    sizes: Doubles  # of the entries of the Jacobian
    S: Doubles
    own: Doubles
    sized: Doubles
    scaled: Doubles  # residuals over the terms of their equations
    block: Indices  # number of the block of each unknown
    floors: Doubles  # in each block, as what follows
    largest_in: Doubles
    run_in: Doubles
    residual_in: Doubles
    step_in: Doubles

    # The linear system A y = b, equilibrated.
    factor: Doubles
    row: Doubles
    column: Doubles
    of_columns: Doubles
    A: Doubles
    A_sizes: Doubles
    full: Doubles  # the same, column after column
    b: Doubles
    y: Doubles
    r: Doubles
    scale: Doubles
    dx: Doubles  # the step of Newton's method
    correction: Doubles  # the simplified one, behind it

    # Equations that hold exactly: see `exact_loops`; unknowns without influence.
    parts: Doubles
    asked: Doubles
    small: Doubles
    known: Doubles
    J_known: Doubles
    free: Doubles
