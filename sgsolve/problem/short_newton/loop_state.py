"""What the loops of a short solve return, and the numbers that live from one call to the next.

* `STEP`: the next linear system is written.
* `RESCALE`: the same, but its factors of equilibration have to be computed again.
* `SOLVED`: the point is a solution.
* `ASK`: it is one if the equations that hold exactly change with their unknowns; the changed
  unknowns are written.
* `EXAMINE`: the solver has to examine the point.
* `JACOBIAN`: the Jacobian at the new point is needed.
* `VANISH`: unknowns converge to zero. The point at which they are zero is written; it is a solution
  if the residual is zero there.
* `LEAVE`: the solver itself has to run.
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
    UPCOMING, ESTIMATE, KNOWN, DOUBTED, LARGEST_OLD, LINEAR_RUN, N_STATE,
) = range(26)  # fmt: skip
