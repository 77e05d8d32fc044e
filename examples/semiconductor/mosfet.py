"""MOSFET in two dimensions
========================

Transfer and output curves, with mobility by doping and by field.

An n-channel transistor on a tensor-product mesh that includes the oxide. Carriers live in the
silicon only; the potential everywhere. Currents are per cm of width.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., chapter 6.
"""

# sphinx_gallery_thumbnail_number = 4
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    Device,
    Gate,
    Ohmic,
    densities,
    graded,
    masetti,
    rectangle,
    srh,
    velocity_saturation,
)

OXIDE, CHANNEL, REGION, DEPTH = 4e-7, 2.5e-5, 2.5e-5, 5e-5  # cm
GATE = np.linspace(-0.2, 1.6, 13)
DRAIN = np.linspace(0.0, 1.6, 9)


@dataclass
class Mosfet:
    """What `main` returns.

    Attributes
    ----------
    gate, drain : ndarray
        Voltages of the transfer and of the output curves, V.
    transfer : dict of float to ndarray
        Drain current (A/cm) over the gate voltage, by drain voltage.
    output : dict of float to ndarray
        Drain current over the drain voltage, by gate voltage.
    """

    gate: np.ndarray
    drain: np.ndarray
    transfer: dict[float, np.ndarray]
    output: dict[float, np.ndarray]
    device: Device


def transistor() -> Device:
    """Channel of 0.25 um under 4 nm of oxide; source and drain beside it, bulk below."""
    ends = [0.0, REGION, REGION + CHANNEL, 2 * REGION + CHANNEL]
    x = graded(ends, 4e-6, 5e-7, 1.25)
    silicon = graded([0.0, 2 * DEPTH], 3e-8, 3e-8, 1.3)
    y = np.concatenate([np.linspace(-OXIDE, 0.0, 5)[:-1], silicon[silicon <= DEPTH]])
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    below = mesh.centers()[:, 1] > 0
    doping = np.where(depth >= 0, _doping(at, depth), 0.0)
    total = np.abs(doping[depth >= 0])
    under = (at >= REGION) & (at <= REGION + CHANNEL)
    contacts = {
        "source": Ohmic(mesh.where((depth == 0) & (at <= 0.8 * REGION))),
        "drain": Ohmic(mesh.where((depth == 0) & (at >= ends[-1] - 0.8 * REGION))),
        "gate": Gate(mesh.where((depth == y[0]) & under), offset=0.55),
        "bulk": Ohmic(mesh.where(depth == y[-1])),
    }
    parameters = {
        "eps_r": mesh.on_edges(np.where(below, 11.7, 3.9)),
        "ni": 1e10,
        "mu_n": masetti(total, "n"),
        "mu_p": masetti(total, "p"),
        "v_sat_n": 1.07e7,
        "v_sat_p": 8.4e6,
        "beta_n": 2.0,
        "beta_p": 1.0,
        "tau_n": 1e-7,
        "tau_p": 1e-7,
        "n1": 1e10,
        "p1": 1e10,
    }
    return Device(
        mesh,
        doping,
        contacts,
        parameters,
        recombination=[srh],
        mobility=velocity_saturation,
        active=mesh.part(below),
    )


def _doping(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Boron everywhere; arsenic at source and drain, Gaussian in depth and towards the channel."""
    into = np.maximum(x - REGION, 0.0)
    back = np.maximum(REGION + CHANNEL - x, 0.0)
    spread, straggle = 2e-6, 4e-6
    profile = np.exp(-0.5 * (into / spread) ** 2) + np.exp(-0.5 * (back / spread) ** 2)
    return 1e20 * profile * np.exp(-0.5 * (y / straggle) ** 2) - 5e17


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(
    gate: Sequence[float] = GATE, drain: Sequence[float] = DRAIN, picture: str | None = None
) -> Mosfet:
    """Sweep the gate at two drain voltages and the drain at three gate voltages."""
    device = transistor()
    data = Mosfet(np.asarray(gate), np.asarray(drain), {}, {}, device)
    for voltage in (0.05, 1.2):
        sweep = device.sweep("gate", gate, V_drain=voltage)
        data.transfer[voltage] = device.currents(sweep, "drain")
    for voltage in (0.8, 1.2, 1.6):
        sweep = device.sweep("drain", drain, V_gate=voltage)
        data.output[voltage] = device.currents(sweep, "drain")
    names = {f"I_D at V_D={v:g}": c for v, c in data.transfer.items()}
    print(table({"V_G (V)": data.gate, **names}))
    names = {f"I_D at V_G={v:g}": c for v, c in data.output.items()}
    print(table({"V_D (V)": data.drain, **names}))
    if picture:
        draw(data, sweep.x, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Mosfet, x: np.ndarray, picture: str) -> None:
    """Transfer curves, output curves, and the electrons at the last point."""
    drawing, (left, middle, right) = figure(3)
    for voltage, current in data.transfer.items():
        left.semilogy(data.gate, np.abs(current), ".-", label=f"$V_D$ = {voltage:g} V")
    left.set(xlabel="gate voltage (V)", ylabel="drain current (A/cm)")
    left.legend(fontsize=8)
    for voltage, current in data.output.items():
        middle.plot(data.drain, current, ".-", label=f"$V_G$ = {voltage:g} V")
    middle.set(xlabel="drain voltage (V)", ylabel="drain current (A/cm)")
    middle.legend(fontsize=8)
    device = data.device
    nodes = device.mesh.nodes[device.layout.nodes]
    electrons, _ = densities(device, x)
    shown = right.tricontourf(
        1e4 * nodes[:, 0], 1e4 * nodes[:, 1], np.log10(np.maximum(electrons, 1.0)), 12
    )
    right.figure.colorbar(shown, ax=right, label="log$_{10}$ n (cm$^{-3}$)")
    right.set(xlabel="x (um)", ylabel="depth (um)", ylim=(0.2, 0.0))
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "mosfet")
