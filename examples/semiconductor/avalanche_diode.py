"""Avalanche and Zener diodes
==========================

Two silicon diodes in reverse: one breaks down by impact ionization at 52 V. The other has 30 nm
between its doped layers, and conducts at a few volts by tunneling from band to band. Its model is
local, after Hurkx: the rate falls where either carrier exceeds the intrinsic density.

The voltage is swept up to breakdown, then the current, over seven decades.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 2.4.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    Device,
    Driven,
    Ohmic,
    band_to_band,
    drive_current,
    graded,
    interval,
    ionization_values,
    srh,
    van_overstraeten,
)

SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 800.0, "mu_p": 300.0}
TRAPS = {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
TUNNELING = {"A_btb": 4e14, "E_btb": 1.9e7, "s_btb": 2.5}
CURRENTS = np.logspace(-5, 2, 8)  # A/cm^2


@dataclass
class Breakdown:
    """What `main` returns: voltages (V) and currents (A/cm^2) of both diodes."""

    voltage: np.ndarray
    leakage: np.ndarray
    driven: Driven
    zener_voltage: np.ndarray
    zener: np.ndarray


def avalanche_diode(compiled: bool = False) -> Device:
    """10^19 and 10^16 dopants per cm^3, with impact ionization."""
    x = graded([0.0, 1e-4, 6e-4], 2e-6, 1e-7, 1.08)
    return Device(
        interval(x),
        np.where(x < 1e-4, -1e19, 1e16),
        {"p": Ohmic(0), "n": Ohmic(-1)},
        SILICON | TRAPS | ionization_values("Si van Overstraeten"),
        recombination=[srh],
        ionization=van_overstraeten,
        compiled=compiled,
    )


def zener_diode() -> Device:
    """10^20 dopants per cm^3 on both sides of 30 nm without any, with tunneling."""
    x = graded([0.0, 5e-6, 8e-6, 1.3e-5], 2e-7, 1e-8, 1.1)
    return Device(
        interval(x),
        np.select([x < 5e-6, x > 8e-6], [-1e20, 1e20], 0.0),
        {"p": Ohmic(0), "n": Ohmic(-1)},
        SILICON | TUNNELING,
        recombination=[band_to_band],
    )


# %%
# Computation
# -----------
def main(picture: str | None = None) -> Breakdown:
    """Compute both curves; print and draw."""
    device, zener = avalanche_diode(), zener_diode()
    voltage = np.array([0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 45.0, 50.0])
    sweep = device.sweep("n", voltage)
    driven = drive_current(device, "n", CURRENTS, guess=voltage[-1], x=sweep.x)
    zener_voltage = np.linspace(0.0, 3.0, 13)
    data = Breakdown(
        voltage,
        device.currents(sweep, "n"),
        driven,
        zener_voltage,
        zener.currents(zener.sweep("n", zener_voltage), "n"),
    )
    print(table({"V (V)": driven.voltage, "J (A/cm^2)": driven.current}))
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Breakdown, picture: str) -> None:
    """Currents in reverse over the voltage."""
    drawing, axes = figure(1)
    V, J = data.driven.voltage, data.driven.current
    axes.semilogy(np.append(data.voltage[1:], V), np.append(data.leakage[1:], J), "k.-")
    axes.semilogy(data.zener_voltage[1:], data.zener[1:], "b.-")
    axes.text(30, 1e-5, "avalanche")
    axes.text(8, 1e0, "tunneling")
    axes.set(xlabel="reverse voltage (V)", ylabel="current (A/cm$^2$)")
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "avalanche_diode")
