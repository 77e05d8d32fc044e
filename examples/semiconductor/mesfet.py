"""MESFET
======

Output curves of a field-effect transistor of gallium arsenide, whose gate is a Schottky contact.

The gate depletes a conducting layer. The current follows the law of the gradual channel, until the
layer is pinched off at the drain:
``I = G (V_D - 2/3 ((V_D + V_b)^(3/2) - V_b^(3/2)) / sqrt(V_p))``, where V_b is the barrier of the
gate less its voltage, and V_p the voltage that depletes the whole layer. Beyond, the current of a
short channel still grows, which the law leaves out.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 7.2.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import Device, Ohmic, Schottky, densities, graded, materials, rectangle

DOPING, MOBILITY, BARRIER = 1e17, 4000.0, 0.8  # cm^-3, cm^2/(V s), eV
LAYER, LENGTH, BESIDE = 2e-5, 4e-4, 2e-5  # cm: depth, length of the gate, distance to the contacts
GATE = (0.0, -0.5, -1.0, -1.5)
DRAIN = (0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0)


@dataclass
class Mesfet:
    """What `main` returns.

    Attributes
    ----------
    drain : ndarray
        Voltages of the drain, V.
    current, law : dict of float to ndarray
        Drain current and that of the gradual channel (A/cm), by gate voltage.
    """

    drain: np.ndarray
    current: dict[float, np.ndarray]
    law: dict[float, np.ndarray]
    device: Device


def transistor() -> Device:
    """A layer on an insulator; source and drain are its ends."""
    x = graded([0.0, BESIDE, BESIDE + LENGTH, 2 * BESIDE + LENGTH], 5e-6, 1e-6, 1.3, 2e-5)
    mesh = rectangle(x, np.linspace(0.0, LAYER, 31))
    at, depth = mesh.nodes.T
    under = mesh.where((depth == 0.0) & (at >= 0.99 * BESIDE) & (at <= 1.001 * (BESIDE + LENGTH)))
    contacts = {
        "source": Ohmic(mesh.where(at == 0.0)),
        "drain": Ohmic(mesh.where(at == x[-1])),
        "gate": Schottky(under, BARRIER, area=mesh.boundary(under)),
    }
    gaas = materials.gaas.at(300.0, []) | {"mu_n": MOBILITY}
    return Device(mesh, np.full(mesh.n, DOPING), contacts, gaas)


def gradual_channel(device: Device, gate: float, drain: np.ndarray) -> np.ndarray:
    """The law; constant beyond pinch-off. The depletion ends where kT/q is left."""
    vt, c, p = device.thermal_voltage, device.constants, device.parameters
    pinch = c.q * DOPING * LAYER**2 / (2 * p["eps_r"] * c.eps0)
    left = BARRIER - vt * np.log(p["Nc"] / DOPING) - vt - gate
    v = np.minimum(drain, max(pinch - left, 0.0))
    conductance = c.q * MOBILITY * DOPING * LAYER / LENGTH
    return conductance * (v - 2 / 3 * ((v + left) ** 1.5 - left**1.5) / np.sqrt(pinch))


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(
    gate: Sequence[float] = GATE, drain: Sequence[float] = DRAIN, picture: str | None = None
) -> Mesfet:
    """Sweep the drain at each voltage of the gate."""
    device = transistor()
    data = Mesfet(np.asarray(drain), {}, {}, device)
    for voltage in gate:
        sweep = device.sweep("drain", drain, V_gate=voltage)
        data.current[voltage] = device.currents(sweep, "drain")
        data.law[voltage] = gradual_channel(device, voltage, data.drain)
    names = {f"I_D at V_G={v:g}": c for v, c in data.current.items()}
    print(table({"V_D (V)": data.drain, **names}))
    if picture:
        draw(data, sweep.x, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Mesfet, x: np.ndarray, picture: str) -> None:
    """Output curves beside the law, and the electrons at the last point."""
    drawing, (left, right) = figure(2)
    fine = np.linspace(0.0, data.drain[-1], 101)
    for voltage, current in data.current.items():
        (line,) = left.plot(data.drain, current, "o", markersize=4, label=f"$V_G$ = {voltage:g} V")
        law = gradual_channel(data.device, voltage, fine)
        left.plot(fine, law, "-", linewidth=1, color=line.get_color())
    left.set(xlabel="drain voltage (V)", ylabel="drain current (A/cm)")
    left.legend(fontsize=8)
    at, depth = 1e4 * data.device.mesh.nodes.T
    electrons = np.log10(np.maximum(densities(data.device, x)[0], 1e10))
    shown = right.tricontourf(at, depth, electrons, 12)
    right.figure.colorbar(shown, ax=right, label="log$_{10}$ n (cm$^{-3}$)")
    right.set(xlabel="x (um)", ylabel="depth (um)")
    right.invert_yaxis()
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "mesfet")
