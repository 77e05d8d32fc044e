"""Periodic orbits: CPU time of one Newton correction, and of a branch of 50 orbits.

Run as ``python benchmarks/periodic_orbits.py`` from the top of the repository, with
OMP_NUM_THREADS=1. A feedback loop of 3 unknowns with 50 intervals of degree 4; the branch is
followed from its Hopf point, with and without special points and their multipliers. Each figure is
the median of five runs.
"""

from __future__ import annotations

import time
import warnings

import numpy as np

from sgsolve import Branch, PartialBranchWarning, Problem

INTERVALS, ORBITS, RUNS = 50, 50, 5
ALL = ("fold", "branch point", "period doubling", "torus")


def loop(x, a):
    """X''' + a x'' + x' + x = x^2."""
    return [-x[1], -x[2], a * x[2] + x[1] + x[0] - x[0] ** 2]


def storage(x):
    """What the equations store: x itself."""
    return 1.0 * x


def branch(problem: Problem, steady: Branch, detect: tuple[str, ...]) -> tuple[float, Branch]:
    """Return the CPU seconds of a branch of orbits, and the branch."""
    start = time.process_time()
    orbits = problem.orbit_continuation(
        steady,
        bounds=(0.3, 1.1),
        step=-0.01,
        max_step=0.01,
        intervals=INTERVALS,
        max_points=ORBITS,
        detect=detect,
    )
    return time.process_time() - start, orbits


def main() -> None:
    """Print the figures."""
    warnings.simplefilter("ignore", PartialBranchWarning)
    problem = Problem(loop, params={"a": 1.3}, storage=storage)
    steady = problem.continuation(np.zeros(3), "a", (0.3, 1.3), step=-0.05, stability=True)
    for name, detect in (("no special points", ()), ("all special points", ALL)):
        runs = [branch(problem, steady, detect) for _ in range(RUNS)]
        seconds, orbits = sorted(runs, key=lambda run: run[0])[RUNS // 2]
        per = seconds / orbits.stats.nit
        print(
            f"{name}: {len(orbits)} orbits in {seconds:.2f} s, {orbits.stats.nit} corrections, "
            f"{1e3 * per:.1f} ms for each with everything"
        )


if __name__ == "__main__":
    main()
