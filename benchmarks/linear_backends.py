"""Times of the linear back ends: what `linear.LinearSolver` chooses, and what its checks cost.

Run ``python benchmarks/linear_backends.py [band | dense | overhead | order | nodes]``; set
OMP_NUM_THREADS for a fixed number of threads. Every time is one factorization with one checked
solve, in microseconds, the best of several repetitions.
"""

import argparse
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sgsolve import linear
from sgsolve.errors import BackendError
from sgsolve.linear.methods.direct import pardiso
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, five_point

Times = dict[str, list[float]]  # microseconds, or ratios, of each matrix


def best(function: Callable[[], Any], seconds: float = 0.3) -> float:
    """Return the smallest time of one call, in microseconds."""
    once = timeit.timeit(function, number=1)
    number = max(1, int(seconds / 5 / max(once, 1e-6)))
    return min(timeit.repeat(function, number=number, repeat=5)) / number * 1e6


def step(A: Any, name: str) -> float:
    """Return the time of a factorization and a solve; NaN if the back end is missing."""
    pattern = Pattern.of(A)
    try:
        solver = linear.LinearSolver(pattern, name)
    except BackendError:
        return float("nan")
    J, b = pattern.matrix(A.data), A @ np.ones(A.shape[0])

    def run() -> None:
        solver.factorize(J)
        solver.solve(b)

    run()
    return best(run)


def table(title: str, matrices: dict[str, Any], names: list[str]) -> Times:
    """Print and return the time of every matrix with every back end."""
    found = {}
    print(f"\n{title}\n{'':24}" + "".join(f"{name:>12}" for name in names) + "   auto")
    for label, A in matrices.items():
        found[label] = [step(A, name) for name in names]
        times = "".join(f"{time:12.0f}" for time in found[label])
        print(f"{label:24}{times}   {linear.LinearSolver(Pattern.of(A)).name}", flush=True)
    return found


def strip(width: int, length: int) -> Any:
    """Return a five-point matrix on a strip: half bandwidth `width`."""

    def chain(n: int) -> Any:
        return sp.diags_array(
            [np.ones(n - 1), np.full(n, -2.5), np.ones(n - 1)], offsets=[-1, 0, 1]
        )

    A = sp.kron(sp.eye_array(length), chain(width)) + sp.kron(chain(length), sp.eye_array(width))
    A = sp.csr_array(A)
    A.data *= np.random.default_rng(0).uniform(0.5, 2.0, A.nnz)
    return A


def band() -> Times:
    """Up to which width is a band worth it?"""
    widths = {f"width {w}, n = {400 * w}": strip(w, 400) for w in (4, 16, 32, 48, 64, 96)}
    return table("half bandwidth", widths, ["banded", "superlu", "pardiso"])


def dense() -> Times:
    """Up to which size is a full matrix worth it?"""
    random = np.random.default_rng(0)
    matrices = {}
    for n in (20, 40, 60, 100, 150, 200, 300):
        A = sp.random_array((n, n), density=6 / n, rng=random) + 5 * sp.eye_array(n)
        matrices[f"random, n = {n}"] = sp.csr_array(A)
    for n in (300, 1000):
        A = random.standard_normal((n, n)) + 5 * np.eye(n)
        matrices[f"full, n = {n}"] = sp.csr_array(A)
        matrices[f"60 % of entries, n = {n}"] = sp.csr_array(A * (random.random((n, n)) < 0.6))
    return table("no structure", matrices, ["dense", "superlu", "pardiso"])


def overhead() -> Times:
    """What do equilibration, check and refinement cost on top of the back end?"""
    print(f"\n{'':28}{'factorize':>10}{'back end':>10}{'solve':>10}{'back end':>10}{'refined':>9}")
    devices = [(100,), (1000,), (10000,), (30, 30), (100, 100)]
    matrices = {f"device {s}": drift_diffusion(s, 10.0) for s in devices}
    matrices["five-point (200, 200)"] = five_point(200)
    found = {}
    for label, A in matrices.items():
        pattern = Pattern.of(A)
        solver = linear.LinearSolver(pattern)
        J, b = pattern.matrix(A.data), A @ np.ones(A.shape[0])
        solver.factorize(J)
        solver.solve(b)
        refined = solver.stats.n_refine
        whole = best(lambda s=solver, J=J: s.factorize(J)), best(lambda s=solver, b=b: s.solve(b))
        engine, prepared = solver._driver.active, solver._prepared
        assert prepared is not None
        bare = (
            best(lambda e=engine, p=prepared: e.factorize(p.A)),
            best(lambda e=engine, b=b: e.solve(b.copy(), False)),
        )
        found[label] = [whole[0], bare[0], whole[1], bare[1]]
        numbers = "".join(f"{time:10.0f}" for time in found[label])
        print(f"{label:20}{solver.name:8}{numbers}{refined:9d}", flush=True)
    return found


def decoupled(n: int) -> Any:
    """Return the Jacobian of extended Rosenbrock with its two kinds of equations in two blocks."""
    i = np.arange(n // 2)
    rows, columns = np.r_[i, i, n // 2 + i], np.r_[2 * i, 2 * i + 1, 2 * i]
    values = np.repeat([24.0, 10.0, -1.0], n // 2)
    return sp.csr_array(sp.coo_array((values, (rows, columns)), shape=(n, n)))


def out_of_order(A: Any, diagonal: bool) -> Any:
    """Shuffle the equations; store the zeros of the diagonal if asked."""
    A = sp.csr_array(A[np.random.default_rng(0).permutation(A.shape[0])])
    A.sort_indices()
    own = Pattern.of(A)
    pattern = own.with_diagonal() if diagonal else own
    data = np.zeros(pattern.nnz)
    data[pattern.positions(own)] = A.data
    return pattern.matrix(data)


def order() -> Times:
    """What do equations in another order than their unknowns cost, choice and analysis apart?"""
    cases = {
        "decoupled, n = 10000": decoupled(10_000),
        "decoupled, n = 100000": decoupled(100_000),
        "device (5000,)": drift_diffusion((5000,), 10.0),
        "device (60, 60)": drift_diffusion((60, 60), 10.0),
        "five-point (150, 150)": five_point(150),
    }
    found = {}
    print(f"\n{'':40}{'choice':>10}{'first':>10}{'step':>10}   auto")
    for label, given in cases.items():
        for how in ("as given", "shuffled", "and zeros stored"):
            A = given if how == "as given" else out_of_order(given, how != "shuffled")
            pattern = Pattern.of(A)
            choice = best(lambda p=pattern: linear.LinearSolver(p))
            J, b = pattern.matrix(A.data), A @ np.ones(A.shape[0])
            solver = linear.LinearSolver(pattern)
            first = timeit.timeit(lambda s=solver, J=J: s.factorize(J), number=1) * 1e6
            again = best(lambda s=solver, J=J, b=b: (s.factorize(J), s.solve(b)))
            found[f"{label} {how}"] = [choice, first, again]
            numbers = f"{choice:10.0f}{first:10.0f}{again:10.0f}"
            print(f"{label:22} {how:17}{numbers}   {solver.name}", flush=True)
    return found


def two_species(side: int) -> Any:
    """Return the Jacobian of two species that diffuse on a square and react."""
    L, nodes = five_point(side), side * side
    reaction = [sp.diags_array(np.random.default_rng(k).uniform(0.1, 1.0, nodes)) for k in (0, 1)]
    return sp.csr_array(sp.block_array([[L, reaction[0]], [reaction[1], L]]))


def nodes() -> Times:
    """What does an order by nodes save? Entries of the factors, operations, time of a step."""
    cases = {
        "device (60, 60)": drift_diffusion((60, 60), 10.0),
        "device (100, 100)": drift_diffusion((100, 100), 0.0),
        "two species (120, 120)": two_species(120),
        "five-point (150, 150)": five_point(150),
    }
    found = {}
    pardiso.COMPARISON = 0.0  # compare the orders before the first factorization
    print(f"\n{'':24}{'SuperLU, ordered / COLAMD':>28}{'PARDISO, ordered / own':>28}")
    for label, A in cases.items():
        pattern = Pattern.of(A)
        J, b = pattern.matrix(A.data), A @ np.ones(A.shape[0])
        times, entries = [], []
        for backend in (linear.SuperLU("diagonal"), linear.SuperLU("partial")):
            solver = linear.LinearSolver(pattern, backend)
            times.append(best(lambda s=solver, J=J, b=b: (s.factorize(J), s.solve(b))))
            entries.append(solver._driver.active._lu.nnz)
        line = f"entries {entries[0] / entries[1]:.2f}  time {times[0] / times[1]:.2f}"
        text, found[label] = f"{label:24}{line:>28}", [times[0] / times[1]]
        if not pardiso.available():
            print(text, flush=True)
            continue
        times, operations = [], []
        for first in (pardiso.ORDERED_FROM, A.shape[0] + 1):
            pardiso.ORDERED_FROM = first
            solver = linear.LinearSolver(pattern, "pardiso")
            times.append(best(lambda s=solver, J=J, b=b: (s.factorize(J), s.solve(b))))
            operations.append(solver._driver.active.operations)
            pardiso.ORDERED_FROM = 5000
        line = f"operations {operations[0] / operations[1]:.2f}  time {times[0] / times[1]:.2f}"
        found[label].append(times[0] / times[1])
        print(f"{text}{line:>28}", flush=True)
    return found


PARTS = {"overhead": overhead, "dense": dense, "band": band, "order": order, "nodes": nodes}


def main(parts: list[str]) -> dict[str, Times]:
    """Print the tables that are named, all by default, and return them."""
    return {part: PARTS[part]() for part in parts or PARTS}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    asked = parser.parse_args().parts
    if not set(asked) <= set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}")
    main(asked)
