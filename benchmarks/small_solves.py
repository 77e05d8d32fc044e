"""Many solves of small systems: `Problem.solve` against Newton's method written by hand.

    python benchmarks/small_solves.py [rounds]

A network ``A x + x**3 = q`` (4 unknowns) and a boundary value problem ``-u'' + exp(u) = q`` (40
and 400), solved in a loop over q. By hand the Jacobian is written out, and LAPACK solves:
`numpy.linalg.solve` for 4 unknowns, `scipy.linalg.solve_banded` for the others. Both start at the
same point. All values of q at once are one call of `Problem.solve_many`. CPU time of one thread,
the medians of alternating rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy reads them
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import scipy.sparse as sp
from scipy.linalg import solve_banded

from sgsolve import Problem, ad, solvers

VALUES = np.linspace(1.0, 2.0, 20)  # the parameter
WARM = 12  # loops before the measurement
TOLERANCE = 1e-14  # of the residual by hand


def network(coupling):
    """Residual ``A x + x**3 = q`` with a full matrix, and by hand with its Jacobian."""

    def residual(x, q):
        return coupling @ x + x**3 - q

    def with_jacobian(x, q):
        square = x * x
        J = coupling.copy()
        J.flat[:: len(x) + 1] += 3.0 * square
        return coupling @ x + square * x - q, J

    return residual, with_jacobian


def chain(n):
    """Residual of the boundary value problem, and by hand with the diagonals of its Jacobian."""
    h2 = 1.0 / (n + 1) ** 2
    laplacian = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n)).tocsr()

    def residual(u, q):
        return laplacian @ u + h2 * (np.exp(u) - q)

    def with_jacobian(u, q):
        slope = h2 * np.exp(u)
        F = 2.0 * u + slope - h2 * q
        F[1:] -= u[:-1]
        F[:-1] -= u[1:]
        J = np.full((3, n), -1.0)
        J[1] = 2.0 + slope
        return F, J

    return residual, with_jacobian


def equations(x, q):
    """Residual of four unknowns, each taken out of the vector: a list of equations."""
    a, b, c, d = x
    return [a + 0.1 * b * d - q, b + 0.2 * a * c - 1.0, c + 0.1 * d - 1.0, d * d + b - q]


def scalars(x, q):
    """The same, stacked."""
    return ad.stack(equations(x, q))


def scalars_with_jacobian(x, q):
    """The same by hand."""
    a, b, c, d = x.tolist()
    F = [a + 0.1 * b * d - q, b + 0.2 * a * c - 1.0, c + 0.1 * d - 1.0, d * d + b - q]
    J = [
        [1.0, 0.1 * d, 0.0, 0.1 * b],
        [0.2 * c, 1.0, 0.2 * a, 0.0],
        [0.0, 0.0, 1.0, 0.1],
        [0.0, 1.0, 0.0, 2.0 * d],
    ]
    return np.array(F), np.array(J)


def by_hand(x, q, evaluate, solve) -> tuple[np.ndarray, int]:
    """Newton's method as one writes it: the Jacobian of every iterate, and a test of F."""
    for k in range(50):
        F, J = evaluate(x, q)
        if np.abs(F).max() <= TOLERANCE:
            return x, k
        x = x + solve(J, -F)
    raise RuntimeError("no convergence")


def banded(J, b):
    """Solve with the three diagonals."""
    return solve_banded((1, 1), J, b)


def cases():
    """Return residual, residual with Jacobian, linear solver and size of each case."""
    full = np.array([[4, 1, 0, 1], [1, 5, 2, 0], [0, 2, 6, 1], [1, 0, 1, 3]], dtype=float)
    return {
        "4": (*network(full), np.linalg.solve, 4),
        "4 scalars": (scalars, scalars_with_jacobian, np.linalg.solve, 4),
        "4 list": (equations, scalars_with_jacobian, np.linalg.solve, 4),
        "40": (*chain(40), banded, 40),
        "400": (*chain(400), banded, 400),
    }


def programs(residual, evaluate, solve, n) -> dict[str, Callable[[], tuple[np.ndarray, int]]]:
    """Return the loop over the parameter by each program: last solution, iterations in all."""
    start, newton = np.full(n, 0.5), solvers.Newton()

    def hand():
        steps = 0
        for q in VALUES:
            x, k = by_hand(start, q, evaluate, solve)
            steps += k
        return x, steps

    def ours(problem, solver):
        def run():
            steps = 0
            for q in VALUES:
                found = problem.at(q=q).solve(start, solver)
                steps += found.nit
            return found.x, steps

        return run

    def at_once(problem):
        def run():
            found = problem.solve_many(np.tile(start, (len(VALUES), 1)), {"q": VALUES})
            return found.x[-1], found.stats.nit

        return run

    eager = Problem(residual, params={"q": 1.0})
    compiled = Problem(residual, params={"q": 1.0}, compiled=True)
    return {
        "by hand": hand,
        "Newton()": ours(eager, newton),
        "compiled": ours(compiled, newton),
        "default": ours(eager, None),
        "compiled default": ours(compiled, None),
        "at once": at_once(Problem(residual, params={"q": 1.0})),
        "at once, compiled": at_once(Problem(residual, params={"q": 1.0}, compiled=True)),
    }


def main(rounds: int = 15) -> dict[tuple[str, str], float]:
    """Print the time of one solve; return the ratios to the loop by hand."""
    ratios = {}
    print(f"{'unknowns':>9} {'program':>17} {'us/solve':>9} {'steps':>6} {'ratio':>6}")
    for label, case in cases().items():
        runs = programs(*case)
        reference = runs["by hand"]()[0]
        steps, times = {}, {name: [] for name in runs}
        for name, run in runs.items():
            for _ in range(WARM):  # until kernels are made
                x, steps[name] = run()
            assert np.allclose(x, reference, rtol=1e-8), name
        for _ in range(rounds):
            for name, run in runs.items():
                begin = process_time()
                run()
                times[name].append(process_time() - begin)
        hand = times["by hand"]
        for name, found in times.items():
            ratio = statistics.median(a / b for a, b in zip(found, hand, strict=True))
            ratios[label, name] = ratio
            one = 1e6 * statistics.median(found) / len(VALUES)
            count = steps[name] / len(VALUES)
            print(f"{label:>9} {name:>17} {one:9.0f} {count:6.1f} {ratio:6.2f}", flush=True)
    return ratios


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=15)
    main(parser.parse_args().rounds)
