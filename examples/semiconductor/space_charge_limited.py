"""Space-charge-limited diode
==========================

A unipolar diode limited by its own space charge: the law of Mott and Gurney.

Electrons are injected into an insulating layer that has none of its own. Well above kT/q the
current follows ``9/8 eps mu V^2 / L^3``; at small voltages diffusion from the contacts carries it.

Reference: N. F. Mott, R. W. Gurney, Electronic Processes in Ionic Crystals (1940), section V.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import Device, Ohmic, graded, interval

LENGTH, MOBILITY, EPS_R = 1e-5, 1e-4, 3.0  # cm, cm^2/(V s), 1
VOLTAGES = np.concatenate([[0.0], np.logspace(-2, 2, 17)])


@dataclass
class SpaceCharge:
    """What `main` returns: voltages (V), currents and Mott and Gurney's (A/cm^2)."""

    voltage: np.ndarray
    current: np.ndarray
    law: np.ndarray
    device: Device


def diode(cells_per_decade: float = 12.0) -> Device:
    """Layer of 0.1 um; its contacts hold 1e20 electrons per cm^3, a reservoir without end."""
    ratio = 10 ** (1 / cells_per_decade)
    nodes = graded([0.0, 0.5 * LENGTH, LENGTH], 1e-10, 2e-7, ratio)
    doping = np.zeros(len(nodes))
    doping[[0, -1]] = 1e20
    return Device(
        interval(nodes),
        doping,
        contacts={"anode": Ohmic(0), "cathode": Ohmic(-1)},
        parameters={"eps_r": EPS_R, "ni": 1.0, "mu_n": MOBILITY, "mu_p": MOBILITY},
    )


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(voltages: Sequence[float] = VOLTAGES, picture: str | None = None) -> SpaceCharge:
    """Sweep the voltage, print the current beside the law, draw both."""
    device = diode()
    sweep = device.sweep("anode", voltages)
    voltage, current = sweep.parameter, device.currents(sweep, "anode")
    law = 9 / 8 * EPS_R * device.constants.eps0 * MOBILITY * voltage**2 / LENGTH**3
    data = SpaceCharge(voltage, current, law, device)
    print(table({"V (V)": voltage, "J (A/cm^2)": current, "Mott-Gurney": law}))
    if picture:
        drawing, axes = figure(1)
        axes.loglog(voltage[1:], current[1:], "o", markersize=4, label="solved")
        axes.loglog(voltage[1:], law[1:], "k-", linewidth=1, label="Mott-Gurney")
        axes.set(xlabel="voltage (V)", ylabel="current (A/cm$^2$)")
        axes.legend()
        save(drawing, picture)
    return data


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "space_charge_limited")
