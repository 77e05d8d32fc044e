"""Periodic orbits: CPU time of one Newton correction, and of a branch of 50 orbits.

Run as ``python benchmarks/periodic_orbits.py`` from the top of the repository, with
OMP_NUM_THREADS=1. A feedback loop of 3 unknowns with 50 intervals of degree 4; the branch is
followed from its Hopf point, with and without special points and their multipliers. Each figure is
the median of five runs.

Then the Brusselator on an interval, with more unknowns and more intervals: the CPU time and the
peak memory of the process grow like the number of all states.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

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


def brusselator(n: int) -> Problem:
    """Return two concentrations at n points each, on an interval of length L."""
    A, B, DX, DY = 2.0, 5.45, 0.008, 0.004

    def curvature(u, end):
        full = np.concatenate([[end], u, [end]])
        return (full[2:] - 2.0 * u + full[:-2]) * (n + 1) ** 2

    def residual(X, Y, L):
        reaction = X**2 * Y
        return {
            "X": -(DX / L**2 * curvature(X, A) + reaction - (B + 1.0) * X + A),
            "Y": -(DY / L**2 * curvature(Y, B / A) + B * X - reaction),
        }

    return Problem(
        residual,
        params={"L": 0.48},
        blocks={"X": (n,), "Y": (n,)},
        fields=True,
        storage=lambda X, Y: {"X": 1.0 * X, "Y": 1.0 * Y},
    )


def field(n: int, intervals: int) -> tuple[float, float]:
    """Print the seconds and the memory (MB) of a branch of four orbits of the Brusselator."""
    problem = brusselator(n)
    start = problem.pack(X=2.0, Y=2.725)
    steady = problem.continuation(start, "L", (0.48, 0.55), step=0.04, stability=True)
    begin = time.process_time()
    orbits = problem.orbit_continuation(
        steady, bounds=(0.48, 0.8), max_points=4, intervals=intervals, detect=()
    )
    seconds = time.process_time() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"Brusselator, {2 * n} unknowns, {intervals} intervals: {len(orbits)} orbits with the "
        f"leading multipliers in {seconds:.1f} s, {orbits.stats.nit} corrections; "
        f"peak memory {memory:.0f} MB"
    )
    return seconds, memory


def main() -> dict[str, float]:
    """Print the figures; return milliseconds for each correction, and seconds of the fields."""
    found = {}
    warnings.simplefilter("ignore", PartialBranchWarning)
    problem = Problem(loop, params={"a": 1.3}, storage=storage)
    steady = problem.continuation(np.zeros(3), "a", (0.3, 1.3), step=-0.05, stability=True)
    for name, detect in (("no special points", ()), ("all special points", ALL)):
        runs = [branch(problem, steady, detect) for _ in range(RUNS)]
        seconds, orbits = sorted(runs, key=lambda run: run[0])[RUNS // 2]
        found[name] = per = 1e3 * seconds / orbits.stats.nit
        print(
            f"{name}: {len(orbits)} orbits in {seconds:.2f} s, {orbits.stats.nit} corrections, "
            f"{per:.1f} ms for each with everything"
        )
    for n, intervals in ((125, 20), (250, 20), (500, 20), (500, 40)):
        found[f"{2 * n} unknowns, {intervals} intervals"] = field(n, intervals)[0]
    return found


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
