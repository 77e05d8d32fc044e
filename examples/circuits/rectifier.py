"""Rectifier with a smoothing capacitor
====================================

A diode charges a capacitor from an alternating source; a resistor discharges it.

Run ``python examples/circuits/rectifier.py --picture rectifier.png``.

The circuit is a list of elements. The same description serves direct current, small signals and
transients; here it is integrated over five periods of the source.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from nodal_analysis import Circuit

FREQUENCY, AMPLITUDE = 50.0, 10.0  # Hz, V
LOAD, SMOOTHING = 200.0, 2e-4  # Ohm, F


def circuit() -> Circuit:
    """Return the rectifier."""
    one = Circuit()
    one.voltage("in", "0", lambda t: AMPLITUDE * np.sin(2.0 * np.pi * FREQUENCY * t))
    one.diode("in", "out", saturation=1e-9)
    one.capacitor("out", "0", SMOOTHING)
    one.resistor("out", "0", LOAD)
    return one


# %%
# Computation
# -----------
def main(picture: str | None = None, periods: int = 5, rtol: float = 1e-5) -> dict[str, Any]:
    """Integrate, draw if a file is named, and return the run and the ripple of the last period."""
    rectifier = circuit()
    run = rectifier.problem().transient(
        rectifier.zeros(),
        (0.0, periods / FREQUENCY),
        rtol=rtol,
        outputs={"in": lambda x: rectifier.at("in", x), "out": lambda x: rectifier.at("out", x)},
    )
    last = run["out"][run["t"] > (periods - 1) / FREQUENCY]
    if picture is not None:
        draw(picture, run)
    return {"run": run, "high": float(last.max()), "low": float(last.min())}


# %%
# Picture
# -------
def draw(picture: str, run: Any) -> None:
    """Draw both voltages over the time."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    axes.plot(1e3 * run["t"], run["in"], color="0.6", label="source")
    axes.plot(1e3 * run["t"], run["out"], color="C0", label="output")
    axes.set_xlabel("time (ms)")
    axes.set_ylabel("voltage (V)")
    axes.set_ylim(-11.0, 14.0)  # room for the legend above the curves
    axes.legend(loc="upper center", ncols=2)
    figure.savefig(picture, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Rectifier with a smoothing capacitor")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    print(f"output from {found['low']:.3f} V to {found['high']:.3f} V")
    print(found["run"].message)
