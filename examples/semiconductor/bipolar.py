"""Bipolar transistor in two dimensions
====================================

Gummel plot and current gain.

Half of an npn transistor: the emitter's contact on top left, the base's on top right, the collector
below. The base current is a billionth of a billionth of an ampere at low bias, between contacts
that exchange much more charge by drift and diffusion: the balance keeps its digits.

Reference: H. K. Gummel, Proc. IRE 49 (1961) 834.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import Device, Ohmic, auger, graded, masetti, rectangle, srh

WIDTH, DEPTH = 1.0e-4, 1.0e-4  # cm
VOLTAGES = np.linspace(0.3, 0.9, 13)


@dataclass
class Bipolar:
    """What `main` returns: base-emitter voltages (V), collector and base currents (A/cm)."""

    voltage: np.ndarray
    collector: np.ndarray
    base: np.ndarray
    device: Device

    @property
    def gain(self) -> np.ndarray:
        """Collector current over base current."""
        return self.collector / self.base


def transistor() -> Device:
    """Emitter 1e20, base 2e18, collector 1e16 cm^-3, with Gaussian profiles."""
    x = graded([0.0, 5e-5, WIDTH], 5e-6, 1e-6, 1.25)
    y = graded([0.0, 1.1e-5, 3e-5, DEPTH], 1e-6, 5e-7, 1.2)
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    edge = np.maximum(at - 5e-5, 0.0)
    emitter = 1e20 * np.exp(-0.5 * (depth / 3.5e-6) ** 2 - 0.5 * (edge / 3e-6) ** 2)
    base = 2e18 * np.exp(-0.5 * (depth / 9e-6) ** 2)
    doping = emitter - base + 1e16 + 1e19 * np.exp(-0.5 * ((depth - DEPTH) / 1e-5) ** 2)
    total = emitter + base + 1e16
    return Device(
        mesh,
        doping,
        contacts={
            "emitter": Ohmic(mesh.where((depth == 0) & (at <= 4e-5))),
            "base": Ohmic(mesh.where((depth == 0) & (at >= 8e-5))),
            "collector": Ohmic(mesh.where(depth == y[-1])),
        },
        recombination=[srh, auger],
        parameters={
            "eps_r": 11.7,
            "ni": 1e10,
            "mu_n": masetti(total, "n"),
            "mu_p": masetti(total, "p"),
            "tau_n": 1e-7,
            "tau_p": 1e-7,
            "n1": 1e10,
            "p1": 1e10,
            "C_n": 2.8e-31,
            "C_p": 9.9e-32,
        },
    )


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(voltages: Sequence[float] = VOLTAGES, picture: str | None = None) -> Bipolar:
    """Sweep the base at 2 V on the collector, print and draw the Gummel plot."""
    device = transistor()
    sweep = device.sweep("base", voltages, V_collector=2.0)
    data = Bipolar(
        sweep.parameter, device.currents(sweep, "collector"), device.currents(sweep, "base"), device
    )
    print(
        table(
            {
                "V_BE (V)": data.voltage,
                "I_C (A/cm)": data.collector,
                "I_B (A/cm)": data.base,
                "gain": data.gain,
            }
        )
    )
    if picture:
        drawing, (left, right) = figure(2)
        left.semilogy(data.voltage, data.collector, ".-", label="$I_C$")
        left.semilogy(data.voltage, np.abs(data.base), ".--", label="$I_B$")
        left.set(xlabel="$V_{BE}$ (V)", ylabel="current (A/cm)", title="Gummel plot")
        left.legend()
        right.semilogx(data.collector, data.gain, ".-")
        right.set(xlabel="collector current (A/cm)", ylabel="gain", ylim=(0, None))
        save(drawing, picture)
    return data


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "bipolar")
