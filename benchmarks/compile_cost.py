"""What it costs to make kernels of cheap residuals of 300 unknowns, in evaluations by NumPy.

    python benchmarks/compile_cost.py [unknowns]

An evaluation is F and its Jacobian. One process makes all kernels and stores them in a folder of
its own, and a second one loads them. LLVM is started, and a first kernel made, before times are
taken. "by it" is the time of an evaluation by the kernel. CPU time of one thread.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from time import process_time
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy reads them

import numpy as np
import scipy.sparse as sp

from sgsolve import ad

REPEATS = 40


def residuals(n: int) -> dict[str, Callable[[Any], Any]]:
    """Return residuals of n unknowns, an even number."""
    matrix = sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n, n)).tocsr()
    left, right = np.roll(np.arange(n), 1), np.roll(np.arange(n), -1)

    def bratu(x: Any) -> Any:
        u = np.concatenate([[0.0], x, [0.0]])
        return u[2:] - 2 * u[1:-1] + u[:-2] + np.exp(x)

    def burgers(x: Any) -> Any:
        u = np.concatenate([[1.0], x, [0.0]])
        f = 0.5 * u * u
        return (f[2:] - f[:-2]) * 0.5 - 0.01 * (u[2:] - 2 * u[1:-1] + u[:-2])

    def p_laplacian(x: Any) -> Any:
        d = np.diff(np.concatenate([[0.0], x, [0.0]]))
        return np.diff(np.sqrt(d * d + 1e-6) * d) + 1e-3

    def two_species(x: Any) -> Any:
        a, b = x[: n // 2], x[n // 2 :]
        return np.concatenate([a * a * b - 4 * a + 1.0, 3 * a - a * a * b])

    return {
        "x * x - 2": lambda x: x * x - 2.0,
        "Bratu": bratu,
        "A @ x + x^3": lambda x: matrix @ x + x**3,
        "gathers": lambda x: x[left] - 2 * x + x[right] - x**3,
        "Burgers": burgers,
        "p-Laplacian": p_laplacian,
        "two species": two_species,
    }


def seconds(evaluate: Callable[[], Any], repeats: int = 1) -> float:
    """Return the median of the CPU time."""
    times = []
    for _ in range(repeats):
        begin = process_time()
        evaluate()
        times.append(process_time() - begin)
    return float(np.median(times))


def measure(n: int, origin: str) -> None:
    """Print a line for each residual."""
    x = np.linspace(0.1, 0.4, n)
    first = ad.compiled(lambda x: np.sin(x) + 1.0, at_once=True)
    first.value_and_jacobian(x)
    first(x)
    for name, f in residuals(n).items():
        by_numpy = seconds(lambda f=f: ad.value_and_jacobian(f, x), REPEATS)
        compiled = ad.compiled(f, at_once=True)
        both = seconds(lambda c=compiled: c.value_and_jacobian(x)) - by_numpy
        alone = seconds(lambda c=compiled: c(x))
        by_kernel = seconds(lambda c=compiled: c.value_and_jacobian(x), REPEATS)
        cost = both + alone
        print(
            f"{name:12s} {origin:9s} {1e6 * by_numpy:9.1f} {1e6 * by_kernel:7.1f} "
            f"{1e3 * cost:10.2f} {cost / by_numpy:12.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("unknowns", type=int, nargs="?", default=300)
    parser.add_argument("--origin", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.origin:
        measure(options.unknowns, options.origin)
        return
    print("residual     kernels    us NumPy   by it    ms cost  evaluations", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SGSOLVE_CACHE_DIR": folder}
        for origin in ("made", "from disk"):
            command = [sys.executable, __file__, str(options.unknowns), "--origin", origin]
            subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
