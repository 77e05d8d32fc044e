"""Silicon pn diode
================

Current over thirteen decades, capacitance, and bands.

Above 0.95 V, the built-in voltage, the capacitance of the table is negative, as in an inductance.
The injected electrons and holes increase the conductivity of the whole diode (conductivity
modulation). After a small step of the voltage the current therefore rises with time. The
conductance at 1 V shows it: 9.1e6 S/cm^2 at 1 MHz, where the densities follow the voltage, and
7.6e6 S/cm^2 at 1 THz, where they cannot.

Reference: M. Ershov et al., Negative capacitance effect in semiconductor devices,
IEEE Trans. Electron Devices 45 (1998) 2196, arXiv:cond-mat/9806145.

Run it (``python examples/semiconductor/pn_diode.py``) for the table and the picture; import it and
call ``main`` for the data. It starts without an initial guess.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve import Branch
from sgsolve.devices import Constants, Device, Ohmic, SmallSignal, draw_bands, graded, interval, srh

BIASES = [-5.0, -4.0, -3.0, -2.0, -1.0, -0.5, -0.2, -0.1, 0.0] + [0.1 * k for k in range(1, 11)]


@dataclass
class Diode:
    """What `main` returns: voltages (V), currents (A/cm^2), capacitances at 1 MHz (F/cm^2)."""

    voltage: np.ndarray
    current: np.ndarray
    capacitance: np.ndarray
    device: Device
    sweep: Branch


def diode(
    nodes: np.ndarray | None = None,
    doping: np.ndarray | None = None,
    constants: Constants | None = None,
) -> Device:
    """Diode of 0.1 um, p side on top, 1e18 cm^-3 on both sides unless told otherwise.

    Parameters
    ----------
    nodes : ndarray, optional
        Mesh, cm; by default fine at the junction in the middle.
    doping : ndarray, optional
        Net doping at the nodes, cm^-3.
    constants : Constants, optional
        By default charge and Boltzmann constant as older programs have them.
    """
    if nodes is None:
        nodes = graded([0.0, 5e-6, 1e-5], 1e-7, 1e-9, 1.1)
    if doping is None:
        doping = 1e18 * np.sign(nodes - 0.5 * (nodes[0] + nodes[-1]))
    return Device(
        interval(nodes),
        doping,
        contacts={"top": Ohmic(0), "bottom": Ohmic(-1)},
        recombination=[srh],
        constants=constants or Constants(q=1.6e-19, k=1.3806503e-23, eps0=8.85e-14),
        parameters={
            "T": 300.0,
            "eps_r": 11.1,
            "ni": 1e10,
            "mu_n": 400.0,
            "mu_p": 200.0,
            "tau_n": 1e-8,
            "tau_p": 1e-8,
            "n1": 1e10,
            "p1": 1e10,
        },
    )


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(
    nodes: np.ndarray | None = None,
    doping: np.ndarray | None = None,
    biases: Sequence[float] = BIASES,
    picture: str | None = None,
) -> Diode:
    """Sweep the bias of a pn diode, print the table, draw bands and current.

    Parameters
    ----------
    nodes, doping : ndarray, optional
        See `diode`.
    biases : sequence of float
        Voltages of the p side, V.
    picture : str, optional
        File to draw to.
    """
    device = diode(nodes, doping)
    sweep = device.sweep("top", biases)
    small = SmallSignal(device)
    points = (sweep.at(i) for i in range(len(sweep)))
    capacitance = np.array([small.capacitance(x, "top", [1e6], **p)[0] for x, p in points])
    data = Diode(sweep.parameter, device.currents(sweep, "top"), capacitance, device, sweep)
    columns = {"V (V)": data.voltage, "J (A/cm^2)": data.current, "C (F/cm^2)": capacitance}
    print(table(columns))
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Diode, picture: str) -> None:
    """Bands at 0.5 V forward, the current on a logarithmic axis, 1/C^2 in reverse."""
    drawing, (left, right, last) = figure(3)
    forward = data.device.solve(V_top=0.5)
    draw_bands(left, data.device, forward.x, "0.5 V forward")
    away = data.voltage != 0
    right.semilogy(data.voltage[away], np.abs(data.current[away]), "o-", markersize=3)
    right.set(xlabel="voltage (V)", ylabel="|current| (A/cm$^2$)", title="current")
    reverse = (data.voltage <= 0) & (data.voltage >= -2)
    last.plot(data.voltage[reverse], data.capacitance[reverse] ** -2, "o-", markersize=3)
    last.set(xlabel="voltage (V)", ylabel="$1/C^2$ (cm$^4$/F$^2$)", title="depletion")
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "pn_diode")
