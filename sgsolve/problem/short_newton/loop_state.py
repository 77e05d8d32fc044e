"""What the loops of a short solve return, and the numbers that live from one call to the next.

`STEP`: a linear system is written. `RESCALE`: the same, but its factors of equilibration have to be
found anew. `SOLVED`: the solution is found. `ASK`: so it is if equations that hold exactly answer
to a change of their unknowns, which is written. `EXAMINE`: the solver has to examine it.
`JACOBIAN`: the Jacobian at the new point is wanted. `VANISH`: unknowns converge to zero; it is a
solution if the residual is zero where they are zero, which is written. `LEAVE`: it takes the
solver itself.
"""

from __future__ import annotations

import math

INF, NAN = math.inf, math.nan
# What the functions return.
LEAVE, STEP, RESCALE, SOLVED, EXAMINE, ASK, JACOBIAN, VANISH = range(8)
# Places of the numbers that live from one iteration to the next.
(
    K, PHI, CONTRACTION, LARGEST, SMALLEST, FLOOR, BARE, STEP_SIZE, STEP_SIZE_OLD, STEP_ABSOLUTE,
    STEP_ABSOLUTE_OLD, RUN, RUN_SIZE, CLOSED, HELD, RENEWED, RESIDUAL, SCALED, BACKWARD_ERROR,
    UPCOMING, ESTIMATE, KNOWN, DOUBTED, LARGEST_OLD, N_STATE,
) = range(25)  # fmt: skip
