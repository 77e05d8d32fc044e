"""The pn diode: iterations and time for each bias point, split by phase, at growing meshes.

    python benchmarks/diode.py [nodes ...]

One thread, CPU time; the sweep is that of examples/semiconductor/pn_diode.py, cold start included.
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

BIASES = [0.1 * k for k in range(11)]
HEAD = ("nodes", "backend", "iterations", "a point", "analyses", "factorizations", "ms/iteration",
        "residual+J %", "factor+solve %", "rest %")  # fmt: skip


def mesh(count: int) -> np.ndarray:
    """Nodes of the 0.1 um diode, denser at the junction in the middle."""
    t = np.linspace(-1.0, 1.0, count)
    return 5e-6 * (1.0 + np.sinh(3.0 * t) / np.sinh(3.0))


def measure(count: int) -> list[str]:
    """Return one row of the table."""
    device = pn_diode.diode(mesh(count))
    device.sweep("top", BIASES)
    device = pn_diode.diode(mesh(count))
    begin = time.process_time()
    sweep = device.sweep("top", BIASES)
    total = time.process_time() - begin
    stats = sweep.stats
    seconds = stats.seconds
    evaluation = seconds["residual"] + seconds["jacobian"]
    linear = seconds["factor"] + seconds["solve"] + seconds["analyze"]
    whole = sum(seconds.values()) - seconds.get("total", 0.0)
    shares = [100 * part / whole for part in (evaluation, linear, whole - evaluation - linear)]
    return [
        str(count), stats.backend if hasattr(stats, "backend") else "", str(stats.nit),
        f"{stats.nit / len(BIASES):.1f}", str(stats.n_analyze), str(stats.n_factor),
        f"{1e3 * total / max(1, stats.nit):.2f}", *(f"{s:.0f}" for s in shares),
    ]  # fmt: skip


def main(counts: list[int]) -> list[list[str]]:
    """Print the table and return its rows."""
    rows = [measure(count) for count in counts]
    widths = [max(len(r[k]) for r in [list(HEAD), *rows]) for k in range(len(HEAD))]
    for row in [list(HEAD), *rows]:
        print("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="*", type=int, default=[100, 1000, 10000])
    main(parser.parse_args().nodes)
