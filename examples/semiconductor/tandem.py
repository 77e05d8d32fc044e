"""Tandem solar cell with a tunnel junction
========================================

A cell with a gap of 1.85 eV on one with 1.42 eV, joined in series by a tunnel junction: two layers
that are doped so highly that electrons of the lower cell pass into the valence band of the upper
one. Without tunneling the junction between the cells would block.

The voltage at open circuit is nearly the sum of both cells', and the current is that of the cell
with less light. The second picture is the tunnel junction alone: its current has a peak, far above
that of the cells, and a valley.

Reference: M. Hermle, G. Letay, S. P. Philipps, A. W. Bett, Prog. Photovolt. 16 (2008) 409.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    Device,
    Ohmic,
    TunnelJunction,
    at_current,
    fermi_dirac_half,
    graded,
    interval,
    radiative,
    srh,
)

Q = 1.602176634e-19  # C
# Layers from the side of the light: a window, a cell, the tunnel junction, a cell, a back field.
ENDS = np.array([0.0, 0.02, 0.07, 0.67, 0.69, 0.71, 0.81, 2.81, 2.91]) * 1e-4  # cm
DOPING = np.array([2e18, 1e18, -1e17, -4e19, 2e19, 1e18, -1e17, -1e18])  # cm^-3
GAP = np.array([2.0, 1.85, 1.85, 1.95, 1.42, 1.42, 1.42, 1.6])  # eV
UPPER, LOWER = slice(1, 3), slice(5, 7)
JUNCTION = 4
CURRENTS = (14.0e-3, 14.5e-3)  # A/cm^2, of the light in the upper and the lower cell
VALUES = {"eps_r": 12.9, "Nc": 4.35e17, "Nv": 8.5e18, "mu_n": 3000.0, "mu_p": 150.0}
VALUES |= {"tau_n": 1e-8, "tau_p": 1e-8, "B_rad": 2e-10}


@dataclass
class Tandem:
    """What `main` returns: voltages (V) and currents (A/cm^2) of the cell and of its junction."""

    voltage: np.ndarray
    current: np.ndarray
    junction_voltage: np.ndarray
    junction_current: np.ndarray
    open_circuit: float


def layers(first: int, last: int) -> tuple[np.ndarray, np.ndarray, dict[str, object]]:
    """Nodes, doping and parameters of all layers, or of the two of the junction."""
    ends = ENDS[first : last + 1]
    thin = [np.linspace(*ENDS[i : i + 2], 21) for i in (JUNCTION - 1, JUNCTION)]
    x = np.concatenate([thin[0], thin[1][1:]])
    if last > JUNCTION + 1:
        above, below = (list(part) for part in (ENDS[:JUNCTION], ENDS[JUNCTION + 1 :]))
        parts = [graded(part, 8e-6, 1e-7, 1.4) for part in (above, below)]
        x = np.concatenate([parts[0], x[1:-1], parts[1]])
    layer = first + np.clip(np.searchsorted(ends, x, side="right") - 1, 0, last - first - 1)
    gap = GAP[layer]
    bands = {"Ec": 0.5 * gap, "Ev": -0.5 * gap}
    few = np.sqrt(4.35e17 * 8.5e18) * np.exp(-0.5 * gap / 0.02585)
    return x, DOPING[layer], VALUES | bands | {"n1": few, "p1": few}


def junction_between(x: np.ndarray, middle: float) -> TunnelJunction:
    """Paths from 15 nm inside the n layer to 15 nm inside the p layer."""
    near = np.flatnonzero(np.abs(x - middle) < 1.5e-6)
    return TunnelJunction(near[::-1], mass=0.06)


def cell() -> Device:
    """All layers. Light makes pairs uniformly in each cell."""
    x, doping, values = layers(0, 8)
    light = np.zeros(len(x))
    for J, part in zip(CURRENTS, (UPPER, LOWER), strict=True):
        first, last = ENDS[part.start], ENDS[part.stop]
        light[(first < x) & (x < last)] = J / (Q * (last - first))
    return Device(
        interval(x),
        doping,
        {"top": Ohmic(0), "bottom": Ohmic(-1)},
        values,
        recombination=[srh, radiative],
        interfaces={"tunnel": junction_between(x, ENDS[JUNCTION])},
        statistics=fermi_dirac_half(),
        profile=light,
    )


def tunnel_diode() -> Device:
    """The two highly doped layers alone."""
    x, doping, values = layers(3, 5)
    return Device(
        interval(x),
        doping,
        {"p": Ohmic(0), "n": Ohmic(-1)},
        values,
        recombination=[srh, radiative],
        interfaces={"tunnel": junction_between(x, ENDS[JUNCTION])},
        statistics=fermi_dirac_half(),
    )


# %%
# Computation
# -----------
def main(picture: str | None = None) -> Tandem:
    """Compute both curves; print and draw."""
    device, diode = cell(), tunnel_diode()
    voltage = np.linspace(0.0, 2.5, 26)
    sweep = device.sweep("bottom", voltage, G=1.0)
    current = device.currents(sweep, "bottom")
    last = int(np.flatnonzero(current < 0.0)[-1])  # before the open circuit
    near, x = voltage[last], sweep.states[last]
    open_circuit, _ = at_current(device, "bottom", 0.0, near, x, G=1.0)
    across = np.linspace(-0.1, 0.6, 36)
    through = diode.currents(diode.sweep("p", across), "p")
    data = Tandem(voltage, current, across, through, open_circuit)
    print(table({"V (V)": voltage[::5], "J (mA/cm^2)": 1e3 * current[::5]}))
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Tandem, picture: str) -> None:
    """The cell under light, and its tunnel junction."""
    drawing, (left, right) = figure(2)
    left.plot(data.voltage, -1e3 * data.current, "k.-")
    left.set(xlabel="voltage (V)", ylabel="current (mA/cm$^2$)", ylim=(0.0, 16.0))
    right.plot(data.junction_voltage, data.junction_current, "b.-")
    right.set(xlabel="voltage of the junction (V)", ylabel="current (A/cm$^2$)", ylim=(-20, 20))
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "tandem")
