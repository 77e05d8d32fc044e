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
* `FIX`: it is one if rounding moves unknowns without influence by little. The rounding of the
  residual is written as the right-hand side of a linear system.
* `REFINE`: the solution of a linear system takes a step of refinement, with the residual written.
* `LEAVE`: the solver itself has to run.
"""

from __future__ import annotations

import math

INF, NAN = math.inf, math.nan
# What the functions return.
LEAVE, STEP, RESCALE, SOLVED, EXAMINE, ASK, JACOBIAN, VANISH, FIX, REFINE = range(10)
# Places of the numbers that live from one iteration to the next.
(
    K, PHI, CONTRACTION, LARGEST, SMALLEST, BARE, STEP_SIZE, STEP_SIZE_OLD, STEP_ABSOLUTE,
    STEP_ABSOLUTE_OLD, RUN, RUN_SIZE, CLOSED, HELD, RENEWED, SCALED, BACKWARD_ERROR,
    UPCOMING, ESTIMATE, KNOWN, DOUBTED, LARGEST_OLD, LINEAR_RUN, OPEN, N_STATE,
) = range(25)  # fmt: skip
