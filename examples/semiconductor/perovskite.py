"""Hysteresis of a perovskite cell
===============================

Current of a solar cell with mobile vacancies, in scans of the voltage down and up again.

The vacancies move within seconds. In a fast scan they stay where they are; in a slow one they
follow. In between the two directions of a scan differ. Dots are steady states.

Reference: N. E. Courtier et al., J. Comput. Electron. 18 (2019) 1435, for layers and parameters.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    CODATA2018,
    Device,
    Ion,
    Ohmic,
    Regions,
    fermi_dirac_half,
    graded,
    interval,
    radiative,
    srh,
)
from sgsolve.results import Branch
from sgsolve.transient import PiecewiseLinear

TOP = 1.2  # V, where the scans begin and end
RATES = (100.0, 1.0)  # V/s
TEMPERATURE, FLUX, ABSORPTION = 298.0, 9.4e16, 1.3e5  # K, cm^-2 s^-1, 1/cm
NAMES = ["TiO2", "MAPbI3", "spiro-OMeTAD"]
LAYERS = {
    "Ec": (-4.0, -3.7, -3.4),
    "Ev": (-5.8, -5.4, -5.1),
    "Nc": (5e19, 8.1e18, 5e19),
    "Nv": (5e19, 5.8e18, 5e19),
    "mu_n": (3.89, 66.2, 0.389),
    "mu_p": (3.89, 66.2, 0.389),
    "eps_r": (10.0, 24.1, 3.0),
    "B_rad": (6.8e-11, 3.6e-12, 6.3e-11),
    "tau_n": (1e30, 3e-9, 1e30),
    "tau_p": (1e30, 3e-7, 1e30),
}
TRAPS, DOPING = (-5.0, -4.55, -4.1), (1e18, 0.0, -1e18)  # eV, cm^-3


@dataclass
class Scans:
    """What `main` returns: steady currents (A/cm^2) by voltage (V), and scans by their rates."""

    voltage: np.ndarray
    steady: np.ndarray
    device: Device
    scans: dict[float, Branch] = field(default_factory=dict)


def cell() -> Device:
    """Cell of three layers of 100, 400 and 200 nm, lit from the TiO2."""
    x = graded([0.0, 1e-5, 5e-5, 7e-5], 2e-6, 2e-8, 1.2)
    mesh = interval(x)
    of_cell = np.searchsorted([1e-5, 5e-5], mesh.centers())
    regions = Regions(mesh, np.array(NAMES)[of_cell])
    layer = np.array([NAMES.index(name) for name in regions.names])
    values = {name: np.array(of_layers)[layer] for name, of_layers in LAYERS.items()}
    vt = CODATA2018.thermal_voltage(TEMPERATURE)
    traps = np.array(TRAPS)[layer]
    values["n1"] = values["Nc"] * np.exp((traps - values["Ec"]) / vt)
    values["p1"] = values["Nv"] * np.exp((values["Ev"] - traps) / vt)
    through = np.exp(-ABSORPTION * np.maximum(x - 1e-5, 0.0))  # TiO2 is transparent
    light = np.where(layer == 1, regions.of_cells(-np.diff(through) / np.diff(x)), 0.0)
    vacancies = Ion("MAPbI3", charge=1, density=1.6e19, mobility=3.93e-12, limit=1e21)
    return Device(
        mesh,
        np.array(DOPING)[layer],
        {"n": Ohmic(0), "p": Ohmic(-1)},
        values | {"T": TEMPERATURE, "G": FLUX},
        recombination=[srh, radiative],
        statistics=fermi_dirac_half(),
        profile=light,
        regions=regions,
        ions={"vacancies": vacancies},
    )


# %%
# Computation
# -----------
def main(rates: Sequence[float] = RATES, picture: str | None = None) -> Scans:
    """Compute the steady curve, then scan down and up at each rate; print and draw."""
    device = cell()
    voltage = np.linspace(0.0, TOP, 13)
    sweep = device.sweep("p", voltage)
    data = Scans(voltage, device.currents(sweep, "p"), device)
    for rate in rates:
        turn, end = TOP / rate, 2.0 * TOP / rate
        wave = PiecewiseLinear([0.0, turn, end], [TOP, 0.0, TOP])
        data.scans[rate] = device.transient({"p": wave}, (0.0, end), sweep.x, rtol=1e-4)
    print(table({"V (V)": voltage, "steady J (mA/cm^2)": -1e3 * data.steady}))
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Scans, picture: str) -> None:
    """Currents over the voltage."""
    drawing, axes = figure(1)
    for rate, scan in data.scans.items():
        at = np.abs(TOP - rate * scan["t"])
        axes.plot(at, -1e3 * scan["I_p"], label=f"scan at {rate:g} V/s")
    axes.plot(data.voltage, -1e3 * data.steady, "k.", label="steady")
    axes.set(xlabel="voltage (V)", ylabel="current (mA/cm$^2$)", xlim=(0.7, TOP), ylim=(-5, 17))
    axes.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "perovskite")
