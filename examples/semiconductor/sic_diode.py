"""Silicon carbide diode
=====================

An intrinsic density of 5e-9 cm^-3, in plain doubles, from -20 to 3.2 V.

The densities of this device span fifty decades and its currents thirty-five, far below what a
double can resolve in a difference of densities. With quasi-Fermi potentials as unknowns, and
``expm1`` where a difference of exponentials is meant, nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve import Branch
from sgsolve.devices import Device, Ohmic, graded, interval, srh

VOLTAGES = [-20.0, -15.0, -10.0, -5.0, -2.0, -1.0, -0.1, 0.0, 0.1, 0.5, 1.0, 1.5] + [
    2.0,
    2.2,
    2.4,
    2.6,
    2.8,
    3.0,
    3.1,
    3.2,
]


@dataclass
class SiliconCarbide:
    """What `main` returns: voltages (V), currents (A/cm^2), the device and its sweep."""

    voltage: np.ndarray
    current: np.ndarray
    device: Device
    sweep: Branch


def diode() -> Device:
    """4H-SiC: 1 um of 1e18 cm^-3 p type on 9 um of 1e16 cm^-3 n type."""
    nodes = graded([0.0, 1e-4, 1e-3], 1e-7, 2e-8, 1.1)
    doping = np.where(nodes < 1e-4, -1e18, 1e16)
    return Device(
        interval(nodes),
        doping,
        contacts={"anode": Ohmic(0), "cathode": Ohmic(-1)},
        recombination=[srh],
        parameters={
            "eps_r": 9.7,
            "ni": 5e-9,
            "mu_n": 800.0,
            "mu_p": 115.0,
            "tau_n": 1e-9,
            "tau_p": 1e-9,
            "n1": 5e-9,
            "p1": 5e-9,
        },
    )


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(voltages: Sequence[float] = VOLTAGES, picture: str | None = None) -> SiliconCarbide:
    """Sweep the diode, print the table, draw the current."""
    device = diode()
    sweep = device.sweep("anode", voltages)
    data = SiliconCarbide(sweep.parameter, device.currents(sweep, "anode"), device, sweep)
    print(table({"V (V)": data.voltage, "J (A/cm^2)": data.current}))
    print(f"\n{sweep.stats}")
    if picture:
        drawing, axes = figure(1)
        away = data.voltage != 0
        axes.semilogy(data.voltage[away], np.abs(data.current[away]), ".-")
        axes.set(xlabel="voltage (V)", ylabel="|current| (A/cm$^2$)", title="4H-SiC diode")
        save(drawing, picture)
    return data


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "sic_diode")
