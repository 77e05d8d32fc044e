"""Transistor with a fin, in three dimensions
==========================================

Transfer curves of a gate on three sides and of a gate on top alone.

A silicon fin between source and drain, 10 nm wide and 20 nm high. The gate lies behind 1 nm of
oxide, which is a capacitance. The gate on three sides controls the channel better: the current
below threshold falls faster, and depends less on the drain voltage.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 6.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import Device, Gate, Ohmic, box, graded

WIDTH, HEIGHT = 1e-6, 2e-6  # of the fin, cm
ENDS = [0.0, 2e-6, 5e-6, 7e-6]  # source, channel of 30 nm, drain, cm
OXIDE = 3.9 * 8.854e-14 / 1e-7  # F/cm^2
VOLTAGES = np.linspace(0.0, 1.0, 11)
DRAINS = (0.05, 0.8)


@dataclass
class Fin:
    """What `main` returns.

    Attributes
    ----------
    gate : ndarray
        Gate voltages, V.
    current : dict of (str, float) to ndarray
        Drain current (A) by kind of gate and drain voltage.
    swing : dict of str to float
        Gate voltage for a decade of current below threshold at the high drain voltage, mV.
    """

    gate: np.ndarray
    current: dict[tuple[str, float], np.ndarray]
    swing: dict[str, float]


def transistor(sides: str) -> Device:
    """Return the fin with its gate on "three sides" or on "top"."""
    x = graded(ENDS, 5e-7, 1.5e-7, 1.5)
    mesh = box(x, np.linspace(0.0, WIDTH, 7), np.linspace(0.0, HEIGHT, 9))
    at, across, up = mesh.nodes.T
    outer = up == HEIGHT
    if sides == "three sides":
        outer |= (across == 0) | (across == WIDTH)
    gate = mesh.where(outer & (at >= ENDS[1]) & (at <= ENDS[2]))
    doping = np.where((at < ENDS[1]) | (at > ENDS[2]), 1e20, -1e18)
    contacts = {
        "source": Ohmic(mesh.where(at == ENDS[0])),
        "drain": Ohmic(mesh.where(at == ENDS[-1])),
        "gate": Gate(gate, offset=0.3, capacitance=OXIDE, area=mesh.boundary(gate)),
    }
    silicon = {"eps_r": 11.7, "ni": 1e10, "mu_n": 200.0, "mu_p": 100.0}
    return Device(mesh, doping, contacts, silicon)


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(
    gate: Sequence[float] = VOLTAGES, drains: Sequence[float] = DRAINS, picture: str | None = None
) -> Fin:
    """Sweep the gate of both transistors at each drain voltage."""
    data = Fin(np.asarray(gate), {}, {})
    for sides in ("three sides", "top"):
        device = transistor(sides)
        for drain in drains:
            sweep = device.sweep("gate", gate, V_drain=drain)
            data.current[sides, drain] = device.currents(sweep, "drain")
        decades = np.log10(data.current[sides, drains[-1]])
        data.swing[sides] = float(1e3 / np.max(np.diff(decades) / np.diff(data.gate)))
    named = {f"{kind}, V_D={drain:g}": c for (kind, drain), c in data.current.items()}
    print(table({"V_G (V)": data.gate, **named}))
    for kind, swing in data.swing.items():
        print(f"gate on {kind}: {swing:.1f} mV for a decade")
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Fin, picture: str) -> None:
    """Draw the drain currents over the gate voltage, on two scales."""
    drawing, (left, right) = figure(2)
    for (kind, drain), current in data.current.items():
        line = ".-" if kind == "top" else "o-"
        left.semilogy(data.gate, current, line, ms=4, label=f"{kind}, $V_D$ = {drain:g} V")
        right.plot(data.gate, 1e6 * current, line, ms=4)
    left.set(xlabel="gate voltage (V)", ylabel="drain current (A)")
    left.legend(fontsize=8)
    right.set(xlabel="gate voltage (V)", ylabel="drain current (uA)")
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "fin")
