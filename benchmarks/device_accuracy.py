"""Largest relative difference to the reference curves, and what the sweeps of the programs cost.

``python benchmarks/device_accuracy.py`` compares the diode and the solar cell with the curves in
`tests/data` (an independent program in 128-bit arithmetic), then runs every sweep of the gallery
and counts factorizations for each bias, steps that were rejected, and analyses of the pattern.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "semiconductor"))


def table(name: str) -> np.ndarray:
    """A table of tests/data, columns by name."""
    return np.genfromtxt(ROOT / "tests" / "data" / f"{name}.csv", delimiter=",", names=True)


def differences() -> dict[str, float]:
    """Print and return the largest relative difference of each curve, zero bias apart."""
    import pin_solar_cell
    import pn_diode

    nodes, curve = table("pn_diode_nodes"), table("pn_diode_iv")
    curves = [("pn_diode", pn_diode.diode, nodes, curve, "J_top_total_A_cm2", 0.0)]
    nodes, curve = table("pin_solar_cell_nodes"), table("pin_solar_cell_jv")
    for column, rate in (("J_G0", 0.0), ("J_G1e20", 1e20), ("J_G25e21", 2.5e21)):
        curves.append(("pin_solar_cell", pin_solar_cell.cell, nodes, curve, column, rate))
    found = {}
    for name, make, nodes, curve, column, rate in curves:
        device = make(nodes["x_cm"], nodes["NetDoping_cm3"])
        sweep = device.sweep("top", curve["V_top"], G=rate)
        expected = curve[column]
        away = np.abs(expected) > 1e-20
        worst = np.abs(device.currents(sweep, "top")[away] / expected[away] - 1).max()
        print(f"{name:16s} G={rate:<8g} {away.sum():3d} currents, largest difference {worst:.1e}")
        found[f"{name} {column}"] = float(worst)
    return found


def costs() -> list[tuple[str, str, int, float]]:
    """Print and return the factorizations for each point of every sweep of the gallery."""
    from sgsolve.devices import Device

    original = Device.sweep
    current, found = [""], []

    def counted(self: Device, name: str, values: object, *args: object, **p: object) -> object:
        branch = original(self, name, values, *args, **p)
        count, each = len(branch), branch.stats.n_factor / len(branch)
        found.append((current[0], name, count, each))
        print(
            f"{current[0]:22s} {name:10s} {count:3d} points  "
            f"{each:5.1f} factorizations each  "
            f"{len(branch.rejected)} rejected  {branch.stats.n_analyze} analyses  "
            f"{branch.stats.backend}  solved: {branch.success}",
            file=sys.stderr,
        )
        return branch

    Device.sweep = counted
    import gallery

    for program in gallery.PROGRAMS:
        current[0] = program
        with contextlib.redirect_stdout(io.StringIO()):
            __import__(program).main()
    Device.sweep = original
    return found


def main() -> tuple[dict[str, float], list[tuple[str, str, int, float]]]:
    """Print both tables and return them."""
    return differences(), costs()


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
