"""Residual and Jacobian of a network written as a loop over its elements, and with arrays.

Run from the root of the repository: ``python benchmarks/element_loops.py [nodes ...]``. The
columns are milliseconds of CPU time for one residual, and residual and Jacobian in residuals, with
and without kernels. Loops of more than some hundred elements have none.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgsolve import ad

REPEATS = 7


def network(nodes: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the pairs of nodes that elements join, and which of the elements are diodes."""
    random = np.random.default_rng(0)
    chain = np.column_stack([np.arange(nodes - 1), np.arange(1, nodes)])
    pairs = np.vstack([chain, random.integers(0, nodes, (nodes, 2))])
    return pairs, random.random(len(pairs)) > 0.6


def residuals(nodes: int) -> dict[str, Callable[[Any], Any]]:
    """Return the residual as a loop, and with arrays."""
    pairs, is_diode = network(nodes)
    elements = list(zip(pairs.tolist(), is_diode.tolist(), strict=True))
    one, other = pairs.T

    def loop(v: Any) -> Any:
        F = np.zeros_like(v)
        for (a, b), diode in elements:
            u = v[a] - v[b]
            current = 1e-12 * (np.exp(u / 0.026) - 1.0) if diode else u / 1e3
            F[a] += current
            F[b] -= current
        return F

    def arrays(v: Any) -> Any:
        u = v[one] - v[other]
        current = np.where(is_diode, 1e-12 * (np.exp(u / 0.026) - 1.0), u / 1e3)
        outward = ad.sparsevec(nodes, one, current)
        return ad.sparsesum([outward, ad.sparsevec(nodes, other, -current)])

    return {"loop": loop, "arrays": arrays}


def seconds(call: Callable[[], Any]) -> float:
    """Return the median CPU time of a call, after it was made often enough to be prepared."""
    times = []
    for _ in range(2 * REPEATS):
        begin = process_time()
        call()
        times.append(process_time() - begin)
    return float(np.median(times[REPEATS:]))


def by_kernels(f: Callable[[Any], Any], v: NDArray[np.float64]) -> float | None:
    """Return the seconds of residual and Jacobian by a kernel; None if there is none."""
    if not ad.compiled_is_available():
        return None
    compiled = ad.compiled(f, at_once=True)
    took = seconds(lambda: compiled.value_and_jacobian(v))
    return took if compiled.stats.compiled else None


def main(sizes: list[int]) -> dict[tuple[str, int], float]:
    """Print the table, and return the time of residual and Jacobian in residuals."""
    ratios = {}
    print(f"{'form':>8} {'nodes':>8} {'residual/ms':>12} {'with Jacobian':>14} {'by kernels':>11}")
    for nodes in sizes:
        v = np.linspace(0.0, 0.1, nodes)
        for form, f in residuals(nodes).items():
            plain = seconds(lambda f=f, v=v: f(v))
            both = seconds(lambda f=f, v=v: ad.value_and_jacobian(f, v))
            ratios[form, nodes] = both / plain
            kernels = by_kernels(f, v)
            shown = "-" if kernels is None else f"{kernels / plain:.2f}"
            print(f"{form:>8} {nodes:8} {1e3 * plain:12.3f} {both / plain:14.1f} {shown:>11}")
    return ratios


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="*", type=int, default=[50, 200, 2000])
    main(parser.parse_args().nodes)
