"""Reverse recovery of a diode in a circuit
========================================

A diode, simulated from its doping, is switched from forward to reverse through a resistor. The
charge stored in it keeps the current flowing backwards for a while.

Run ``python examples/circuits/reverse_recovery.py --picture recovery.png``.

The circuit is a list of elements; one of them is a device of 1000 nodes. Its unknowns and those of
the circuit are solved together, with one analysis of their pattern.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from device_element import DeviceCircuit

from sgsolve.devices import Device, Ohmic, interval, srh
from sgsolve.transient import PiecewiseLinear, TimeEvent

FORWARD, REVERSE, SERIES = 5.0, -5.0, 1e3  # V, V, Ohm
LIFETIME, AREA = 1e-7, 1e-4  # s, cm^2
ON, OFF, END = 1e-9, 5e-7, 8e-7  # s


def diode(nodes: int) -> Device:
    """Return a diode with a long, lightly doped n layer."""
    x = np.linspace(0.0, 4e-3, nodes)
    doping = np.where(x < 2e-4, -1e18, 1e15)
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0}
    values |= {"tau_n": LIFETIME, "tau_p": LIFETIME, "n1": 1e10, "p1": 1e10}
    return Device(interval(x), doping, {"p": Ohmic(0), "n": Ohmic(-1)}, values, recombination=[srh])


def circuit(nodes: int) -> DeviceCircuit:
    """Return source, resistor and diode."""
    one = DeviceCircuit()
    level = PiecewiseLinear([0.0, ON, OFF, OFF + ON], [0.0, FORWARD, FORWARD, REVERSE])
    one.voltage("source", "0", level)
    one.resistor("source", "anode", SERIES)
    one.device(diode(nodes), {"p": "anode", "n": "0"}, AREA)
    return one


# %%
# Computation
# -----------
def main(picture: str | None = None, nodes: int = 1000, rtol: float = 1e-4) -> dict[str, Any]:
    """Integrate, draw if a file is named, and return the run, the current and the storage time."""
    one = circuit(nodes)
    run = one.problem().transient(
        one.zeros(),
        (0.0, END),
        rtol=rtol,
        breakpoints=one.breakpoints(0.0, END),
        outputs={
            "voltage": lambda x: one.at("anode", x),
            "current": lambda x: (one.at("source", x) - one.at("anode", x)) / SERIES,
        },
        events={"reverse": TimeEvent(lambda x: one.at("anode", x), direction=-1)},
        keep_states="none",
    )
    storage = run.special_points[-1].parameter - OFF
    if picture is not None:
        draw(picture, run)
    return {"run": run, "storage": storage}


# %%
# Picture
# -------
def draw(picture: str, run: Any) -> None:
    """Draw the current and the voltage of the diode over the time."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(
        2, 1, sharex=True, figsize=(6.0, 4.4), layout="constrained"
    )
    above.plot(1e9 * run["t"], 1e3 * run["current"])
    above.set_ylabel("current (mA)")
    below.plot(1e9 * run["t"], run["voltage"], color="C3")
    below.set_ylabel("diode voltage (V)")
    below.set_xlabel("time (ns)")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Reverse recovery of a diode in a circuit")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    print(f"storage time {1e9 * found['storage']:.1f} ns")
    print(found["run"].message)
