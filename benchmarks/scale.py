"""Large problems: which back end serves, memory and CPU time, one case a process.

    python benchmarks/scale.py default 64        # 3-D Bratu on 64^3 nodes by the default call
    python benchmarks/scale.py multigrid 64      # ... by multigrid
    python benchmarks/scale.py table             # both at 24^3 to 64^3, each in its own process
    (ulimit -v 4194304; python benchmarks/scale.py default 100)

CPU time is also given in units of one residual, measured in the same process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from time import process_time
from typing import Any

import numpy as np

from sgsolve import OutOfMemoryError, Problem

SIDES = (24, 32, 40, 64)


def bratu(side: int, backend: str) -> Problem:
    """Return u'' + 3 exp(u) = 0 on a cube of side^3 nodes."""
    h2 = 3.0 / (side + 1) ** 2

    def residual(u: Any) -> dict[str, Any]:
        w = np.pad(u, 1)
        around = w[2:, 1:-1, 1:-1] + w[:-2, 1:-1, 1:-1] + w[1:-1, 2:, 1:-1]
        around = around + w[1:-1, :-2, 1:-1] + w[1:-1, 1:-1, 2:] + w[1:-1, 1:-1, :-2]
        return {"u": 6.0 * u - around - h2 * np.exp(u)}

    return Problem(residual, blocks={"u": (side, side, side)}, fields=True, backend=backend)


def run(side: int, backend: str) -> None:
    """Solve once and print one line."""
    problem, x0 = bratu(side, backend), np.zeros(side**3)
    problem.residual(x0)
    start = process_time()
    for _ in range(5):
        problem.residual(x0)
    unit = (process_time() - start) / 5.0
    start = process_time()
    try:
        result = problem.solve(x0)
    except OutOfMemoryError as error:
        print(f"{side:5d}^3  {error}")
        return
    seconds = process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{side:5d}^3  {result.stats.backend:10}  {result.status.name}  max {result.x.max():.8f}  "
        f"{seconds:8.2f} s  {seconds / unit:8.0f} residuals  {peak:5.2f} GiB"
    )


def main(arguments: list[str]) -> None:
    """Run one case, or the table."""
    if arguments == ["table"]:
        for side in SIDES:
            for backend in ("default", "multigrid"):
                subprocess.run([sys.executable, __file__, backend, str(side)], check=True)
        return
    backend, side = arguments
    run(int(side), "auto" if backend == "default" else backend)


if __name__ == "__main__":
    main(sys.argv[1:])
