"""Many small systems: 1000 diodes of 100 nodes together, and one at a time.

    python benchmarks/many_diodes.py [members] [nodes]

The diodes differ in bias, lifetimes and mobility; each starts from the solution of the first one.
One thread, CPU time. "One at a time" is ``problem.at(...).solve(x0)`` for a sample of the members,
with the same solver. Both are shown with and without compiled kernels, after a first run that
makes the kernels. The difference is the largest one to the single
solves, relative to the largest potential.
"""

from __future__ import annotations

import argparse
import gc
import os
from time import process_time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy reads them

import numpy as np

from sgsolve.ad import compiled_is_available
from sgsolve.devices import Device, Ohmic, coupled_method, interval, srh

LENGTH, DOPING, SAMPLE = 1e-4, 1e17, 60
VALUES = {"eps_r": 11.1, "ni": 1e10, "mu_n": 400.0, "mu_p": 200.0}
VALUES |= {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 1e10, "p1": 1e10}


def diode(nodes: int, compiled: bool) -> Device:
    """A silicon diode of 1 um."""
    x = np.linspace(0.0, LENGTH, nodes)
    return Device(
        interval(x),
        np.where(x < LENGTH / 2, -DOPING, DOPING),
        {"top": Ohmic(0), "bot": Ohmic(-1)},
        VALUES,
        recombination=[srh],
        compiled=compiled,
    )


def members(count: int) -> dict[str, np.ndarray]:
    """The parameters of each diode."""
    random = np.random.default_rng(0)
    return {
        "V_top": random.uniform(0.45, 0.6, count),
        "tau_n": 1e-8 * 10.0 ** random.uniform(-1.0, 1.0, count),
        "mu_n": random.uniform(300.0, 500.0, count),
    }


def measure(count: int, nodes: int, compiled: bool) -> list[str]:
    """Return one row of the table."""
    device, params = diode(nodes, compiled), members(count)
    problem, method = device.problem, coupled_method(device.thermal_voltage)
    x0 = device.solve(V_top=0.5).x
    problem.solve_many(x0, params, method)
    gc.collect()  # one more of them would count as part of the members
    begin = process_time()
    results = problem.solve_many(x0, params, method)
    together = (process_time() - begin) / count
    chosen = np.linspace(0, count - 1, min(count, SAMPLE)).astype(int)
    own = [{name: float(values[m]) for name, values in params.items()} for m in chosen]
    problem.at(**own[0]).solve(x0, method)
    gc.collect()
    begin = process_time()
    single = [problem.at(**p).solve(x0, method) for p in own]
    alone = (process_time() - begin) / len(own)
    x = np.array([result.x for result in single])
    difference = float(np.abs(results.x[chosen] - x).max() / np.abs(x).max())
    return [
        str(count), str(nodes), "yes" if compiled else "no",
        f"{int(results.success.sum())}", f"{results.nit.mean():.1f}",
        f"{1e3 * together:.2f}", f"{1e3 * alone:.2f}", f"{together / alone:.2f}",
        f"{difference:.1e}",
    ]  # fmt: skip


def main(count: int = 1000, nodes: int = 100) -> list[list[str]]:
    """Print the table and return its rows."""
    head = ["members", "nodes", "compiled", "solved", "iterations", "ms together",
            "ms one at a time", "ratio", "difference"]  # fmt: skip
    rows = [measure(count, nodes, c) for c in (False, True) if compiled_is_available() or not c]
    widths = [max(len(r[k]) for r in [head, *rows]) for k in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("members", nargs="?", type=int, default=1000)
    parser.add_argument("nodes", nargs="?", type=int, default=100)
    asked = parser.parse_args()
    main(asked.members, asked.nodes)
