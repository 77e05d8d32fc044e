"""Ring oscillator of three transistors
====================================

Three inverters in a ring have no stable state; they oscillate.

Run ``python examples/circuits/ring_oscillator.py --picture ring.png``.

The transistors follow Ebers and Moll, with a transit time and junction capacitances. The steady
state is found first, and disturbed by 10 mV; an event counts the periods.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from nodal_analysis import Circuit

from sgsolve.transient import TimeEvent


def circuit(stages: int = 3) -> Circuit:
    """Return the ring."""
    ring = Circuit()
    ring.voltage("supply", "0", 5.0)
    for k in range(stages):
        base, before, after = f"b{k}", f"n{k}", f"n{(k + 1) % stages}"
        ring.resistor("supply", after, 1e3)
        ring.resistor(before, base, 1e3)
        ring.npn(after, base, "0", transit=1e-10, junction=1e-12)
        ring.capacitor(after, "0", 5e-12)
    return ring


# %%
# Computation
# -----------
def main(picture: str | None = None, end: float = 2e-7, rtol: float = 1e-3) -> dict[str, Any]:
    """Integrate, draw if a file is named, and return the run and the frequency in Hz."""
    ring = circuit()
    problem = ring.problem()
    x0 = problem.at(t=0.0).solve(ring.zeros()).x.copy()
    x0[ring.nodes["n0"]] += 0.01
    run = problem.transient(
        x0,
        (0.0, end),
        rtol=rtol,
        outputs={f"n{k}": lambda x, k=k: ring.at(f"n{k}", x) for k in range(3)},
        events={"rise": TimeEvent(lambda x: ring.at("n0", x) - 0.8, direction=1)},
    )
    rises = [event.parameter for event in run.special_points]
    if picture is not None:
        draw(picture, run)
    return {"run": run, "frequency": 1.0 / float(np.mean(np.diff(rises[-3:])))}


# %%
# Picture
# -------
def draw(picture: str, run: Any) -> None:
    """Draw the voltages of the three stages."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    for name in ("n0", "n1", "n2"):
        axes.plot(1e9 * run["t"], run[name], label=name)
    axes.set_xlabel("time (ns)")
    axes.set_ylabel("voltage (V)")
    axes.legend(loc="upper left")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ring oscillator of three transistors")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    print(f"frequency {found['frequency'] / 1e6:.2f} MHz")
    print(found["run"].message)
