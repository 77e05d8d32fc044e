"""GaAs p-i-n diode with several statistics
========================================

The standard example of ChargeTransport.jl.

Three regions of 2 um, twelve equidistant nodes each; the doping is given per cell, so a node at an
interface takes the mean of its two cells, weighted by their volumes.

Reference: D. Abdel, P. Farrell, J. Fuhrmann, ChargeTransport.jl, example Ex101_PIN.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    Blakemore,
    Boltzmann,
    CarrierStatistics,
    Device,
    Ohmic,
    auger,
    draw_bands,
    fermi_dirac_half,
    interval,
    radiative,
    srh,
)

NC, NV, EC, EV = 4.35195989587969e17, 9.139615903601645e18, 1.424, 0.0
STATISTICS: Mapping[str, CarrierStatistics] = {
    "Boltzmann": Boltzmann(),
    "Blakemore": Blakemore(0.27),
    "Fermi-Dirac": fermi_dirac_half(),
}


@dataclass
class GaAs:
    """What `main` returns: voltages, and for every statistics currents and final potentials."""

    voltage: np.ndarray
    current: dict[str, np.ndarray]
    potential: dict[str, np.ndarray]


def diode(statistics: CarrierStatistics | None = None) -> Device:
    """Diode of three regions of 2 um, p side on the left."""
    nodes = np.linspace(0.0, 6e-4, 34)
    cells = np.repeat([0, 1, 2], 11)
    intrinsic = np.sqrt(NC * NV) * np.exp(-0.5 * (EC - EV) / 0.025852)
    at_cells = np.array([-0.46 * NV, intrinsic, NC])[cells]
    doping = np.concatenate([at_cells[:1], 0.5 * (at_cells[1:] + at_cells[:-1]), at_cells[-1:]])
    return Device(
        interval(nodes),
        doping,
        contacts={"p": Ohmic(0), "n": Ohmic(-1)},
        recombination=[srh, radiative, auger],
        statistics=statistics or Boltzmann(),
        parameters={
            "T": 300.0,
            "eps_r": 12.9,
            "Nc": NC,
            "Nv": NV,
            "Ec": EC,
            "Ev": EV,
            "mu_n": 8500.0,
            "mu_p": 400.0,
            "tau_n": 1e-9,
            "tau_p": 1e-9,
            "n1": 1e10,
            "p1": 1e10,
            "B_rad": 1e-10,
            "C_n": 1e-29,
            "C_p": 1e-29,
        },
    )


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(picture: str | None = None) -> GaAs:
    """Sweep from 0 to 1.5 V with three statistics, print the currents, draw the bands."""
    voltages = np.linspace(0.0, 1.5, 16)
    data = GaAs(voltages, {}, {})
    for name, statistics in STATISTICS.items():
        device = diode(statistics)
        sweep = device.sweep("p", voltages)
        data.current[name] = device.currents(sweep, "p")
        data.potential[name] = sweep.x[: device.mesh.n]
        if picture and name == "Fermi-Dirac":
            draw(data, device, sweep.x, picture)
    print(table({"V (V)": voltages, **data.current}))
    print(f"potential at node 5 at 1.5 V (Boltzmann): {data.potential['Boltzmann'][4]:.16f} V")
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: GaAs, device: Device, x: np.ndarray, picture: str) -> None:
    """Bands at the last voltage, and how far the currents are from those of Boltzmann."""
    drawing, (left, right) = figure(2)
    draw_bands(left, device, x, "Fermi-Dirac, 1.5 V")
    boltzmann = data.current["Boltzmann"]
    for color, name in enumerate(list(data.current)[1:]):
        change = 100.0 * (data.current[name] / boltzmann - 1.0)[1:]
        right.plot(data.voltage[1:], change, ".-", color=f"C{color}", label=name)
    right.axhline(0.0, color="k", linewidth=0.8)
    right.set(xlabel="voltage (V)", ylabel="current, change from Boltzmann (%)")
    right.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "gaas_pin")
