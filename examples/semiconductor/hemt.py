"""Electron gas of a HEMT
======================

Charge of the electron gas under the gate of an AlGaN/GaN transistor, and its band.

Polarization puts a sheet of positive charge at the interface of barrier and channel. Electrons
gather there without any doping. The gate, behind the barrier, takes them away.

The barrier carries no charge, so it is a gate's insulator. The channel has Fermi-Dirac statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    CODATA2018,
    Device,
    Gate,
    Ohmic,
    SheetCharge,
    densities,
    fermi_dirac_half,
    interval,
)

VOLTAGES = np.linspace(0.0, -3.5, 15)
POLARIZATION, SCHOTTKY, STEP = 9e12, 1.0, 0.35  # cm^-2, eV, eV
THICKNESS, PERMITTIVITY = 25e-7, 9.3  # of the barrier, cm


@dataclass
class ElectronGas:
    """What `main` returns: voltages (V), sheet densities (cm^-2), and the device."""

    voltage: np.ndarray
    sheet: np.ndarray
    device: Device
    states: np.ndarray


def channel(nodes: int = 400) -> Device:
    """Channel of GaN below the interface, fine there."""
    x = np.append(0.0, np.cumsum(np.geomspace(4e-9, 6e-7, nodes - 1)))
    values = {"Ec": 0.0, "Ev": -3.4, "Nc": 2.3e18, "Nv": 4.6e19, "eps_r": 9.5}
    values |= {"mu_n": 1000.0, "mu_p": 30.0, "sheet_polarization": POLARIZATION}
    gate = Gate(0, offset=STEP - SCHOTTKY, capacitance=PERMITTIVITY * CODATA2018.eps0 / THICKNESS)
    return Device(
        interval(x),
        np.full(nodes, 1e15),
        {"gate": gate, "bulk": Ohmic(-1)},
        values,
        statistics=fermi_dirac_half(),
        interfaces={"polarization": SheetCharge(0)},
    )


# %%
# Computation
# -----------
def main(
    voltages: Sequence[float] = VOLTAGES, nodes: int = 400, picture: str | None = None
) -> ElectronGas:
    """Sweep the gate, print the density of the electron gas, draw it and the band."""
    device = channel(nodes)
    sweep = device.sweep("gate", voltages)
    charged = [densities(device, x)[0] - 1e15 for x in sweep.states]
    sheet = np.array([float(np.sum(device.mesh.volumes * n)) for n in charged])
    data = ElectronGas(np.asarray(voltages), sheet, device, sweep.states)
    print(table({"V (V)": data.voltage, "electrons (cm^-2)": data.sheet}))
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: ElectronGas, picture: str) -> None:
    """Density over the gate's voltage; the band below the interface at three of them."""
    drawing, (left, right) = figure(2)
    left.plot(data.voltage, 1e-12 * data.sheet, ".-")
    left.set(xlabel="gate voltage (V)", ylabel="electrons ($10^{12}$ cm$^{-2}$)")
    x = 1e7 * data.device.mesh.nodes
    for i in np.linspace(0, len(data.voltage) - 1, 3).astype(int):
        right.plot(x, -data.states[i][: len(x)], label=f"{data.voltage[i]:g} V")
    right.axhline(0.0, color="0.6", lw=0.8, ls="--", label="Fermi level")
    right.set(xlabel="depth (nm)", ylabel="conduction band (eV)", xlim=(0, 60))
    right.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "hemt")
