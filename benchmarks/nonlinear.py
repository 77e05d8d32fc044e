"""Nonlinear solvers: the gallery against SciPy, the Brusselator against a loop by hand, overhead.

Run as ``python benchmarks/nonlinear.py gallery|hard|brusselator|overhead [N ...]`` from the top of
the repository, with OMP_NUM_THREADS set as you want it compared.
"""

from __future__ import annotations

import argparse
import time
import warnings
from functools import partial

import numpy as np
import scipy.optimize
import scipy.sparse as sp

from sgsolve import Problem, solvers
from tests.continuation.gallery import far_start
from tests.families import bratu
from tests.problems import CASES, brusselator

SMALL = 1e-6  # largest residual that counts as solved, as in SciMLBenchmarks


def gallery() -> dict[str, list[tuple[int, int]]]:
    """Print and return how many of 23 problems are solved from 1, 10, 100 times the start."""
    ours = {
        "sgsolve (default)": None,
        "Newton": solvers.Newton(),
        "DampedNewton": solvers.DampedNewton(),
        "LineSearchNewton": solvers.LineSearchNewton(),
        "TrustRegion": solvers.TrustRegion(),
        "LevenbergMarquardt": solvers.LevenbergMarquardt(),
        "PseudoTransient": solvers.PseudoTransient(),
    }
    theirs = ["hybr", "lm", "df-sane", "anderson", "broyden1", "broyden2", "krylov"]
    print(f"{'solver':24s} {'x1':>12s} {'x10':>12s} {'x100':>12s}   solved (false successes)")
    programs = {name: partial(_ours, solver=solver) for name, solver in ours.items()}
    programs |= {f"scipy {method}": partial(_theirs, method=method) for method in theirs}
    return {name: _row(name, attempt) for name, attempt in programs.items()}


def _row(name, attempt) -> list[tuple[int, int]]:
    counts = []
    for factor in (1.0, 10.0, 100.0):
        good = false = 0
        for case in CASES:
            claimed, x = attempt(case, factor * case.start)
            with np.errstate(all="ignore"):
                F = case.residual(x) if np.isfinite(x).all() else np.array([np.inf])
            small = bool(np.abs(F).max() < SMALL)
            good += small
            false += claimed and not small
        counts.append((good, false))
    cells = [f"{good} ({false})" for good, false in counts]
    print(f"{name:24s} " + " ".join(f"{cell:>12s}" for cell in cells))
    return counts


def _ours(case, x0, solver):
    result = Problem(case.residual).solve(x0, solver, raise_on_failure=False)
    return result.success, result.x


def _theirs(case, x0, method):
    tight = {"hybr": {"xtol": 1e-10}, "lm": {"xtol": 1e-10, "ftol": 1e-10}}
    options = tight.get(method, {"fatol": 1e-8})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = scipy.optimize.root(case.residual, x0, method=method, options=options)
        except (ValueError, FloatingPointError, np.linalg.LinAlgError, ZeroDivisionError):
            return False, x0
    return bool(found.success), np.asarray(found.x)


def by_hand(n: int, x):
    """Solve the Brusselator with the Jacobian written out and PARDISO analyzed once."""
    import pypardiso

    residual, _ = brusselator(n)
    m = n * n
    unit = np.zeros(2 * m)
    base = Problem(residual).linearize(unit)[1]  # linear part: at u = v = 0
    rows = np.repeat(np.arange(2 * m), np.diff(base.indptr))
    place = {}
    for name, r, c in (("uu", 0, 0), ("uv", 0, m), ("vu", m, 0), ("vv", m, m)):
        key = rows.astype(np.int64) * 2 * m + base.indices
        wanted = (np.arange(m) + r) * np.int64(2 * m) + np.arange(m) + c
        place[name] = np.searchsorted(key, wanted)
    J = sp.csr_matrix(base)
    constant = J.data.copy()
    solver = pypardiso.PyPardisoSolver(mtype=11)
    for key, value in {1: 1, 2: 2, 8: 2, 10: 13, 11: 1, 13: 1, 18: -1}.items():
        solver.set_iparm(key, value)
    start, steps = time.perf_counter(), 0
    F = residual(x)
    while np.abs(F).max() >= 1e-6:
        u, v = x[:m], x[m:]
        J.data[:] = constant
        J.data[place["uu"]] += 2.0 * u * v
        J.data[place["uv"]] += u * u
        J.data[place["vu"]] -= 2.0 * u * v
        J.data[place["vv"]] -= u * u
        for phase in (11, 22, 33) if steps == 0 else (22, 33):
            solver.set_phase(phase)
            dx = solver._call_pardiso(J, -F)
        x = x + dx.ravel()
        F = residual(x)
        steps += 1
    seconds = time.perf_counter() - start
    solver.free_memory(everything=True)
    return steps, seconds


def compare_brusselator(sizes: list[int]) -> dict[int, float]:
    """Print and return the time of a solve over that of the loop by hand, best of three each."""
    ratios = {}
    method = solvers.Newton(termination=solvers.ResidualTolerance(relative=0.0, absolute=1e-6))
    for n in sizes:
        residual, x0 = brusselator(n)
        hand, ours, default = [], [], []
        for _ in range(3):
            steps, seconds = by_hand(n, x0)
            hand.append(seconds)
            for times, solver in ((ours, method), (default, None)):
                start = time.perf_counter()
                result = Problem(residual).solve(x0, solver)
                times.append(time.perf_counter() - start)
                if solver is method:
                    nit, stats = result.nit, result.stats
        print(
            f"N = {n}: by hand {steps} steps {min(hand):.3f} s; "
            f"Newton {nit} steps {min(ours):.3f} s ({min(ours) / min(hand):.2f}x); "
            f"default solve {min(default):.3f} s"
        )
        print("   ", stats)
        ratios[n] = min(ours) / min(hand)
    return ratios


def overhead() -> dict[str, float]:
    """Print and return the share of all but residual, Jacobian and LAPACK at 300 unknowns."""
    shares = {}
    for solver in (solvers.Newton(), solvers.DampedNewton(reuse=solvers.NoReuse())):
        problem = Problem(bratu)
        runs = [problem.solve(np.full(300, 3.0), solver) for _ in range(50)]
        best = min(runs, key=lambda run: run.stats.seconds["total"])
        spent = {k: f"{1e6 * v / best.nit:.0f} us" for k, v in best.stats.seconds.items()}
        shares[solver.name] = share = best.stats.seconds["other"] / best.stats.seconds["total"]
        print(f"{solver.name}: other {100 * share:.0f} % of an iteration; {spent}")
    return shares


def hard() -> dict[str, int]:
    """Print and return how many of 500 random systems are solved from far away."""
    solved = {}
    default = solvers.Robust()
    without = solvers.Robust(stages=default.stages[:-1])
    for name, solver in (("without homotopy", without), ("default", default)):
        good, spent, work = 0, 0.0, 0
        for seed in range(500):
            residual, x0 = far_start(seed)
            with np.errstate(all="ignore"):
                start = time.perf_counter()
                result = Problem(residual).solve(x0, solver, raise_on_failure=False)
                good += result.success
            if not result.success:
                spent += time.perf_counter() - start
                work += result.stats.njev
        solved[name], bad = good, 500 - good
        print(f"{name}: {good} of 500; a failure {spent / bad:.3f} s, {work / bad:.0f} Jacobians")
    return solved


def main(part: str = "gallery", *sizes: int):
    """Print the table of a part and return its figures."""
    if part == "brusselator":
        return compare_brusselator(list(sizes) or [128])
    return {"gallery": gallery, "hard": hard, "overhead": overhead}[part]()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("gallery", "hard", "brusselator", "overhead")
    parser.add_argument("part", nargs="?", choices=parts, default="gallery")
    parser.add_argument("sizes", nargs="*", type=int, help="grid points of the Brusselator")
    asked = parser.parse_args()
    main(asked.part, *asked.sizes)
