"""A sweep of bias points on the pn diode with each predictor: factorizations, iterations, time.

    python benchmarks/sweep_predictors.py [nodes [points]]

One thread, CPU time, the best of three; the start at no bias is solved before and not counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent / "examples" / "semiconductor"))

import numpy as np
import pn_diode

from sgsolve.continuation import ConstantPredictor, Natural, SecantPredictor, TangentPredictor
from sgsolve.devices import coupled_method

HEAD = ("predictor", "points", "analyses", "factorizations", "a point", "iterations", "seconds")


def mesh(count: int) -> np.ndarray:
    """Nodes of the 0.1 um diode, denser at the junction in the middle."""
    t = np.linspace(-1.0, 1.0, count)
    return 5e-6 * (1.0 + np.sinh(3.0 * t) / np.sinh(3.0))


def main(nodes: int = 10000, points: int = 100) -> list[tuple]:
    """Print the table and return its rows."""
    device = pn_diode.diode(mesh(nodes))
    values = np.linspace(0.0, 1.0, points)
    start = device.sweep("top", [0.0]).x
    rows = []
    for predictor in (ConstantPredictor(), SecantPredictor(), TangentPredictor()):
        best = np.inf
        for _ in range(3):
            device = pn_diode.diode(mesh(nodes))  # afresh, so that its one analysis counts
            begin = time.process_time()
            branch = device.problem.sweep(
                start,
                "V_top",
                values,
                solver=coupled_method(device.thermal_voltage),
                steps=Natural(predictor=predictor),
            )
            best = min(best, time.process_time() - begin)
        stats = branch.stats
        rows.append(
            (
                type(predictor).__name__, len(branch), stats.n_analyze, stats.n_factor,
                f"{stats.n_factor / points:.2f}", stats.nit, f"{best:.2f}",
            )
        )  # fmt: skip
        assert branch.success
    for row in (HEAD, *rows):
        print("  ".join(f"{cell!s:>14s}" for cell in row))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="?", type=int, default=10000)
    parser.add_argument("points", nargs="?", type=int, default=100)
    asked = parser.parse_args()
    main(asked.nodes, asked.points)
