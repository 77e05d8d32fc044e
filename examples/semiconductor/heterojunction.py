"""Heterojunction
==============

Bands and current of p-type Al(0.3)Ga(0.7)As on n-type GaAs.

Materials depend on the position: band edges, densities of states, permittivity and mobility are
arrays over the nodes. The wide gap on the p side keeps electrons from being injected there, which
is what a heterojunction emitter is for; the program compares it with a diode of GaAs alone.

Reference: S. Adachi, J. Appl. Phys. 58 (1985) R1, for the material; S. M. Sze, K. K. Ng, Physics of
Semiconductor Devices, 3rd ed., section 2.7.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import Device, Ohmic, densities, draw_bands, graded, interval, radiative, srh

VOLTAGES = np.linspace(0.0, 1.3, 14)
# Energies from the conduction band of GaAs, eV; densities in cm^-3.
GAAS = {"Ec": 0.0, "Ev": -1.424, "Nc": 4.7e17, "Nv": 7.0e18, "mu_n": 8000.0, "mu_p": 400.0}
ALGAAS = {"Ec": 0.224, "Ev": -1.574, "Nc": 6.2e17, "Nv": 8.5e18, "mu_n": 2000.0, "mu_p": 150.0}


@dataclass
class Heterojunction:
    """What `main` returns.

    Attributes
    ----------
    voltage : ndarray
        V.
    current, homojunction : ndarray
        A/cm^2, of the heterojunction and of GaAs with the same doping.
    ratio : tuple of float
        Electrons that enter the p side, over holes that enter the n side, at the last voltage, in
        the two diodes.
    """

    voltage: np.ndarray
    current: np.ndarray
    homojunction: np.ndarray
    ratio: tuple[float, float]
    device: Device


def diode(wide: dict[str, float] = ALGAAS) -> Device:
    """Diode of two layers of 0.5 um, 1e17 cm^-3 on both sides, the wide gap on the p side."""
    nodes = graded([0.0, 5e-5, 1e-4], 5e-7, 2e-8, 1.08)
    left = nodes < 5e-5
    materials = {name: np.where(left, wide[name], GAAS[name]) for name in GAAS}
    return Device(
        interval(nodes),
        np.where(left, -1e17, 1e17),
        contacts={"p": Ohmic(0), "n": Ohmic(-1)},
        recombination=[srh, radiative],
        parameters={
            **materials,
            "eps_r": np.where(left, 12.0, 12.9),
            "tau_n": 1e-9,
            "tau_p": 1e-9,
            "n1": 2e6,
            "p1": 2e6,
            "B_rad": 1e-10,
        },
    )


def injection(device: Device, x: np.ndarray) -> float:
    """Electrons 0.1 um inside the p side over holes as far inside the n side."""
    n, p = densities(device, x)
    nodes = device.mesh.nodes
    return float(np.interp(4e-5, nodes, n) / np.interp(6e-5, nodes, p))


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(voltages: Sequence[float] = VOLTAGES, picture: str | None = None) -> Heterojunction:
    """Sweep both diodes, print the currents and the injection, draw bands and currents."""
    hetero, homo = diode(), diode(GAAS)
    sweep, other = hetero.sweep("p", voltages), homo.sweep("p", voltages)
    data = Heterojunction(
        sweep.parameter,
        hetero.currents(sweep, "p"),
        homo.currents(other, "p"),
        (injection(hetero, sweep.x), injection(homo, other.x)),
        hetero,
    )
    print(table({"V (V)": data.voltage, "AlGaAs/GaAs": data.current, "GaAs": data.homojunction}))
    print("electrons in p over holes in n: {:.3g} and {:.3g}".format(*data.ratio))
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Heterojunction, picture: str) -> None:
    """Bands in equilibrium, currents."""
    drawing, (left, right) = figure(2)
    draw_bands(left, data.device, data.device.equilibrium(), "equilibrium")
    right.semilogy(data.voltage[1:], data.current[1:], ".-", label="AlGaAs/GaAs")
    right.semilogy(data.voltage[1:], data.homojunction[1:], ".--", label="GaAs")
    right.set(xlabel="voltage (V)", ylabel="current (A/cm$^2$)")
    right.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "heterojunction")
