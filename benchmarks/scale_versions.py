"""CPU time of a step of Newton's method, and of its factorization, in two versions of sgsolve.

    git worktree add --detach /tmp/first 0483374
    python benchmarks/scale_versions.py /tmp/first                  # all cases, ten minutes
    python benchmarks/scale_versions.py /tmp/first device-100 bratu-40

Each version runs in processes of its own, three of each in turn; the medians are compared. A
factorization is that of the Jacobian of the solution with one solution of a linear system. A step
is the time of a sweep (devices) or of a solve by `Newton` over its iterations, after others that
find the patterns and the orders. The last column compares whole sweeps and solves by default.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy reads them

import numpy as np

CASES = ("device-100", "device-316", "brusselator-128", "brusselator-200", "bratu-40")
BIASES = [0.3, 0.4, 0.5, 0.6]
# PARDISO's order is compared with that of the nodes within the first WARM factorizations.
WARM, REPEATS = 9, 3


def timed(function: Any, *arguments: Any, **options: Any) -> tuple[float, Any]:
    """Return the CPU seconds of a call, and its result."""
    start = process_time()
    result = function(*arguments, **options)
    return process_time() - start, result


def factorization(J: Any) -> float:
    """Return the CPU seconds of a factorization with one solution, the analysis done."""
    from sgsolve import linear
    from sgsolve.pattern import Pattern

    if hasattr(linear, "make"):
        solver = linear.make("auto", Pattern.of(J))
    else:
        solver = linear.LinearSolver(Pattern.of(J))
    b, seconds = J @ np.ones(J.shape[0]), []
    for _ in range(WARM + REPEATS):
        seconds.append(timed(lambda: (solver.factorize(J), solver.solve(b)))[0])
    return float(np.median(seconds[WARM:]))


def measured(case: str) -> dict[str, float]:
    """Return the seconds of a factorization, of a step and of the whole, in this process."""
    import scale_problems

    from sgsolve import solvers

    kind, side = case.split("-")
    if kind == "device":
        device = scale_problems.diode([int(side)] * 2)
        x = device.solve(V_top=BIASES[0]).x
        device.sweep("top", BIASES[:2], x0=x)
        whole, sweep = timed(device.sweep, "top", BIASES, x0=x)
        J = device.problem.jacobian(x)
        return {"factorization": factorization(J), "step": whole / sweep.stats.nit, "whole": whole}
    problem, x0 = getattr(scale_problems, kind)(int(side))
    first = problem.solve(x0)
    runs = [timed(problem.solve, x0, solvers.Newton()) for _ in range(WARM // 3 + REPEATS)]
    step = np.median([seconds / result.nit for seconds, result in runs[WARM // 3 :]])
    whole, _ = timed(problem.solve, x0)
    factors = factorization(problem.jacobian(first.x))
    return {"factorization": factors, "step": float(step), "whole": whole}


def compare(path: str, case: str) -> dict[str, float]:
    """Print and return the ratios of this version to that of another checkout."""
    versions = [str(Path(path).resolve()), str(Path(__file__).resolve().parents[1])]
    found: dict[str, list[dict[str, float]]] = {root: [] for root in versions}
    for _ in range(REPEATS):
        for root in versions:
            done = subprocess.run(
                [sys.executable, __file__, "--one", case],
                env=os.environ | {"PYTHONPATH": root}, check=True, stdout=subprocess.PIPE,
            )  # fmt: skip
            found[root].append(json.loads(done.stdout))
    medians = [
        {name: float(np.median([one[name] for one in found[root]])) for name in found[root][0]}
        for root in versions
    ]
    ratios = {name: now / medians[0][name] for name, now in medians[1].items()}
    columns = "  ".join(f"{k} {medians[1][k]:7.3f} s, {r:4.2f}" for k, r in ratios.items())
    print(f"{case:16}  {columns}", flush=True)
    return ratios


def main(path: str, cases: list[str]) -> dict[str, dict[str, float]]:
    """Print and return the ratios of the cases."""
    return {case: compare(path, case) for case in cases or CASES}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", help="the top folder of another checkout")
    parser.add_argument("cases", nargs="*", help=", ".join(CASES))
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measured(asked.path)))
    else:
        main(asked.path, asked.cases)
