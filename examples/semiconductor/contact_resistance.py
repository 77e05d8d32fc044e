"""Contact resistance
==================

The transfer length method: the resistance between two contacts on a layer, over their distance.

The slope gives the resistance of the layer, what is left at no distance that of two contacts. Most
of the current enters a contact within the transfer length from its edge. The law of Berger follows
from Ohm's law along the layer and across the contact: ``R_c = sqrt(R_s rho_c) coth(L / L_T)``.

Reference: H. H. Berger, Solid-State Electron. 15 (1972) 145.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import CODATA2018, Device, Schottky, graded, materials, rectangle

THICKNESS, LENGTH = 1e-5, 1e-3  # cm, of the layer and of each contact
DOPING, MOBILITY, VELOCITY = 1e18, 200.0, 1e3  # cm^-3, cm^2/(V s), cm/s
DISTANCES = np.array([1e-4, 2e-4, 4e-4, 8e-4])  # cm
VOLTAGE = 1e-3  # V, far below kT/q


@dataclass
class ContactResistance:
    """What `main` returns.

    Attributes
    ----------
    distance, resistance : ndarray
        Between the contacts, cm; ohm cm.
    sheet, contact : float
        Of the layer (ohm), and of one contact (ohm cm), from the line through the resistances.
    law : tuple of float
        Both by Ohm's law and by Berger's.
    transfer : float
        Transfer length, cm.
    """

    distance: np.ndarray
    resistance: np.ndarray
    sheet: float
    contact: float
    law: tuple[float, float]
    transfer: float
    device: Device


def layer(distance: float) -> Device:
    """A layer of n-type silicon with two contacts on top, whose barriers leave the bands flat."""
    ends = [0.0, LENGTH, LENGTH + distance, 2 * LENGTH + distance]
    mesh = rectangle(graded(ends, 5e-5, 1e-6, 1.2, 5e-5), np.linspace(0.0, THICKNESS, 6))
    at, depth = mesh.nodes.T
    top = depth == 0.0
    silicon = materials.silicon.at(300.0, []) | {"mu_n": MOBILITY, "mu_p": MOBILITY}
    barrier = CODATA2018.thermal_voltage(300.0) * np.log(silicon["Nc"] / DOPING)
    contacts = {}
    for name, nodes in (
        ("left", mesh.where(top & (at <= ends[1]))),
        ("right", mesh.where(top & (at >= ends[2]))),
    ):
        area = mesh.boundary(nodes)
        contacts[name] = Schottky(nodes, barrier, v_n=VELOCITY, v_p=VELOCITY, area=area)
    return Device(mesh, np.full(mesh.n, DOPING), contacts, silicon)


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(distances: Sequence[float] = DISTANCES, picture: str | None = None) -> ContactResistance:
    """Measure the resistance at each distance, and lay a line through them."""
    resistance = []
    for distance in distances:
        device = layer(distance)
        sweep = device.sweep("left", [0.0, VOLTAGE])
        resistance.append(VOLTAGE / device.currents(sweep, "left")[-1])
    sheet, twice = np.polyfit(distances, resistance, 1)
    q, vt = device.constants.q, device.thermal_voltage
    ohmic, specific = 1 / (q * MOBILITY * DOPING * THICKNESS), vt / (q * VELOCITY * DOPING)
    transfer = np.sqrt(specific / ohmic)
    law = ohmic, np.sqrt(ohmic * specific) / np.tanh(LENGTH / transfer)
    data = ContactResistance(
        np.asarray(distances), np.array(resistance), sheet, 0.5 * twice, law, transfer, device
    )
    print(table({"distance (um)": 1e4 * data.distance, "R (ohm cm)": data.resistance}))
    print(f"layer {sheet:.1f} ohm, by Ohm's law {law[0]:.1f}")
    print(f"contact {data.contact:.4f} ohm cm, by Berger's law {law[1]:.4f}")
    if picture:
        draw(data, sweep.x, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: ContactResistance, x: np.ndarray, picture: str) -> None:
    """The line through the resistances, and the level of the electrons under the left contact."""
    drawing, (left, right) = figure(2)
    line = np.array([0.0, data.distance[-1]])
    left.plot(1e4 * data.distance, data.resistance, "o", label="solved")
    left.plot(1e4 * line, data.sheet * line + 2 * data.contact, "k-", linewidth=1, label="line")
    left.set(xlabel="distance (um)", ylabel="resistance (ohm cm)", ylim=(0, None))
    left.legend()
    device = data.device
    at, depth = device.mesh.nodes.T
    under = device.mesh.where((depth == THICKNESS) & (at <= LENGTH))
    drop = np.abs(VOLTAGE - x[device.mesh.n + under])
    right.semilogy(1e4 * at[under], 1e3 * drop, ".", label="solved")
    law = drop[-1] * np.cosh(at[under] / data.transfer) / np.cosh(LENGTH / data.transfer)
    right.semilogy(1e4 * at[under], 1e3 * law, "k-", linewidth=1, label="Berger")
    right.set(xlabel="under the left contact (um)", ylabel="drop across the contact (mV)")
    right.legend()
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "contact_resistance")
