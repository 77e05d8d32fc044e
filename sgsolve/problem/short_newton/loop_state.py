"""What the loops of a short solve return, and the numbers that live from one call to the next."""

from __future__ import annotations

import math

INF, NAN = math.inf, math.nan
# What the functions return.
LEAVE, STEP, RESCALE, SOLVED, EXAMINE = 0, 1, 2, 3, 4
# Places of the numbers that live from one iteration to the next.
(
    K, PHI, CONTRACTION, LARGEST, SMALLEST, FLOOR, BARE, STEP_SIZE, STEP_SIZE_OLD, STEP_ABSOLUTE,
    STEP_ABSOLUTE_OLD, RUN, RUN_SIZE, CLOSED, HELD, RENEWED, RESIDUAL, SCALED, BACKWARD_ERROR,
    N_STATE,
) = range(20)  # fmt: skip
