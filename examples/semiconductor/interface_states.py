"""Interface states of a MOS capacitor
===================================

The conductance of a MOS capacitor shows states at the interface of oxide and silicon: over the
frequency, G/w has a peak where the states just follow. Its position is their time constant, its
height half of their capacitance. The frequency of the peak depends on the gate's voltage.

Reference: E. H. Nicollian, A. Goetzberger, Bell Syst. Tech. J. 46 (1967) 1055.
"""

# sphinx_gallery_thumbnail_number = 1
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
    SmallSignal,
    TrapLevel,
    graded,
    interval,
)

OXIDE = 3.9 * CODATA2018.eps0 / 1e-6  # F/cm^2, of 10 nm
SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
VOLTAGES = (-0.3, -0.25, -0.2)
FREQUENCIES = np.logspace(2, 8, 61)  # Hz


@dataclass
class Conductance:
    """What `main` returns: ``G/w`` of the interface (F/cm^2) by voltage, over the frequencies."""

    frequency: np.ndarray
    by_voltage: dict[float, np.ndarray]
    device: Device


def capacitor(states: float = 1e11) -> Device:
    """A capacitor on silicon with 10^16 acceptors per cm^3, and donor states (cm^-2)."""
    x = graded([0.0, 2e-4], 1e-7, 1e-8, 1.1)
    level = TrapLevel("donor", states, c_n=1e-8, c_p=1e-8, n_trap=1e6, nodes=0, area=1.0)
    return Device(
        interval(x),
        np.full(len(x), -1e16),
        {"gate": Gate(0, capacitance=OXIDE), "body": Ohmic(-1)},
        SILICON,
        trap_levels={"states": level},
    )


# %%
# Computation
# -----------
def main(voltages: Sequence[float] = VOLTAGES, picture: str | None = None) -> Conductance:
    """Compute the conductance at each voltage of the gate; print and draw."""
    device = capacitor()
    data, small = Conductance(FREQUENCIES, {}, device), SmallSignal(device)
    w = 2 * np.pi * FREQUENCIES
    for voltage in voltages:
        state = device.solve(V_gate=voltage).x
        y = small.admittance(state, "gate", FREQUENCIES, V_gate=voltage)
        silicon = 1.0 / (1.0 / y - 1.0 / (1j * w * OXIDE))
        data.by_voltage[voltage] = silicon.real / w
    peaks = [curve.max() for curve in data.by_voltage.values()]
    at = [FREQUENCIES[curve.argmax()] for curve in data.by_voltage.values()]
    print(table({"V (V)": list(data.by_voltage), "f (Hz)": at, "G/w (F/cm^2)": peaks}))
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Conductance, picture: str) -> None:
    """G/w over the frequency."""
    drawing, axes = figure(1)
    for voltage, curve in data.by_voltage.items():
        axes.semilogx(data.frequency, 1e9 * curve, label=f"gate at {voltage:g} V")
    axes.set(xlabel="frequency (Hz)", ylabel=r"$G/\omega$ (nF/cm$^2$)")
    axes.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "interface_states")
