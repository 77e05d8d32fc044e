"""MOS capacitor
=============

Capacitance against gate voltage, at low and at high frequency.

An oxide with a gate on p-type silicon. At high frequency the inversion layer cannot follow and the
capacitance stays at its minimum; at low frequency it returns to that of the oxide. Both come from
the linearization of the same residual that gives the direct current.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 4.3.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    Device,
    Gate,
    Ohmic,
    SmallSignal,
    draw_bands,
    graded,
    interval,
    quasi_static,
    srh,
)

OXIDE, SILICON, DOPING = 5e-7, 5e-5, 1e17  # cm, cm, cm^-3
VOLTAGES = np.linspace(-3.0, 2.0, 41)
FREQUENCY = 1e6  # Hz


@dataclass
class MosCapacitor:
    """What `main` returns.

    Attributes
    ----------
    voltage : ndarray
        Of the gate, V.
    low, high : ndarray
        Capacitance at low and high frequency, F/cm^2.
    oxide : float
        Capacitance of the oxide alone, F/cm^2.
    """

    voltage: np.ndarray
    low: np.ndarray
    high: np.ndarray
    oxide: float
    device: Device


def capacitor() -> Device:
    """Gate of n+ silicon on 5 nm of oxide on p-type silicon; x = 0 is the gate."""
    inner = np.concatenate([[0.0], graded([0.0, 2 * SILICON], 2e-8, 2e-8, 1.06)[1:]])
    silicon = OXIDE + inner[inner <= SILICON]
    mesh = interval(np.concatenate([np.linspace(0.0, OXIDE, 11)[:-1], silicon]))
    below = mesh.centers() > OXIDE
    return Device(
        mesh,
        np.where(mesh.nodes >= OXIDE, -DOPING, 0.0),
        contacts={"gate": Gate(0, offset=0.55), "bulk": Ohmic(-1)},
        active=mesh.part(below),
        recombination=[srh],
        parameters={
            "eps_r": mesh.on_edges(np.where(below, 11.7, 3.9)),
            "ni": 1e10,
            "mu_n": 800.0,
            "mu_p": 300.0,
            "tau_n": 1e-6,
            "tau_p": 1e-6,
            "n1": 1e10,
            "p1": 1e10,
        },
    )


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(voltages: Sequence[float] = VOLTAGES, picture: str | None = None) -> MosCapacitor:
    """Sweep the gate, print both capacitances, draw them and the bands in inversion."""
    device = capacitor()
    sweep = device.sweep("gate", voltages)
    small = SmallSignal(device)
    points = [sweep.at(i) for i in range(len(sweep))]
    low = np.array([quasi_static(device, x, "gate", **p) for x, p in points])
    high = np.array([small.capacitance(x, "gate", [FREQUENCY], **p)[0] for x, p in points])
    oxide = 3.9 * device.constants.eps0 / OXIDE
    data = MosCapacitor(sweep.parameter, low, high, oxide, device)
    names = {"C/Cox, slow": low / oxide, f"at {FREQUENCY:g} Hz": high / oxide}
    print(table({"V (V)": data.voltage, **names}))
    print(f"{small.analyses} analysis of the pattern for {len(high)} complex systems")
    if picture:
        drawing, (left, right) = figure(2)
        left.plot(data.voltage, data.low / oxide, label="low frequency")
        left.plot(data.voltage, data.high / oxide, "--", label="high frequency")
        left.set(xlabel="gate voltage (V)", ylabel="$C / C_{ox}$", ylim=(0, 1.05))
        left.legend(fontsize=8)
        draw_bands(right, device, sweep.x, f"inversion, {data.voltage[-1]:g} V")
        right.set(xlim=(0, 0.2), xticks=[0.0, 0.05, 0.1, 0.15, 0.2])
        save(drawing, picture)
    return data


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "mos_capacitor")
