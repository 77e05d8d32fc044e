"""What the loops of a short solve return.

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
LEAVE, STEP, RESCALE, SOLVED, EXAMINE, ASK, JACOBIAN, VANISH, FIX, REFINE = range(10)
