"""p-i-n solar cell
================

Current against voltage in the dark and in the light, open-circuit voltage, fill factor.

Thin absorber between two doped layers, with trap-assisted, radiative and Auger recombination. The
open-circuit voltage and the point of largest power are solved for, not read off a table.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    Constants,
    Device,
    Ohmic,
    auger,
    graded,
    interval,
    open_circuit,
    power_point,
    radiative,
    srh,
)

VOLTAGES = [-0.5, -0.2, 0.0, 0.2, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.0]
GENERATIONS = [0.0, 1e20, 2.5e21]


@dataclass
class SolarCell:
    """What `main` returns.

    Attributes
    ----------
    voltage : ndarray
        V.
    current : dict of float to ndarray
        A/cm^2 at each generation rate (cm^-3 s^-1).
    figures : dict of float to tuple
        Short-circuit current (A/cm^2), open-circuit voltage (V) and fill factor in the light.
    """

    voltage: np.ndarray
    current: dict[float, np.ndarray]
    device: Device
    figures: dict[float, tuple[float, float, float]] = field(default_factory=dict)
    analyses: int = 0


def cell(nodes: np.ndarray | None = None, doping: np.ndarray | None = None) -> Device:
    """Cell of 2 um with doped layers of 0.2 um, p side (where light and current enter) on top."""
    if nodes is None:
        nodes = graded([0.0, 2e-5, 1.8e-4, 2e-4], 2e-7, 2e-8, 1.08)
    if doping is None:
        doping = np.where(nodes < 2e-5, -1e18, np.where(nodes > 1.8e-4, 1e18, 0.0))
        doping[np.isin(nodes, [2e-5, 1.8e-4])] = 0.0
    return Device(
        interval(nodes),
        doping,
        contacts={"top": Ohmic(0), "bottom": Ohmic(-1)},
        recombination=[srh, radiative, auger],
        constants=Constants(q=1.6e-19, k=1.3806503e-23, eps0=8.85e-14),
        parameters={
            "eps_r": 12.0,
            "ni": 1e8,
            "mu_n": 20.0,
            "mu_p": 10.0,
            "tau_n": 2e-8,
            "tau_p": 5e-8,
            "n1": 1e8,
            "p1": 1e8,
            "B_rad": 2e-10,
            "C_n": 1e-30,
            "C_p": 2e-30,
        },
    )


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(
    nodes: np.ndarray | None = None,
    doping: np.ndarray | None = None,
    voltages: Sequence[float] = VOLTAGES,
    generations: Sequence[float] = GENERATIONS,
    picture: str | None = None,
) -> SolarCell:
    """Sweep the voltage at several rates of generation, print the table, draw the curves.

    Parameters
    ----------
    nodes, doping : ndarray, optional
        See `cell`.
    voltages : sequence of float
        V at the p side.
    generations : sequence of float
        Uniform rates of generation, cm^-3 s^-1.
    picture : str, optional
        File to draw to.
    """
    device = cell(nodes, doping)
    data = SolarCell(np.asarray(voltages, dtype=float), {}, device)
    for rate in generations:
        sweep = device.sweep("top", voltages, G=rate)
        data.current[rate] = device.currents(sweep, "top")
        data.analyses += sweep.stats.n_analyze
        if rate > 0:
            short = device.current(device.solve(G=rate).x, "top", G=rate)
            v_oc = open_circuit(device, "top", G=rate)
            power, _ = power_point(device, "top", v_oc, G=rate)
            data.figures[rate] = (-short, v_oc, power / (-short * v_oc))
    names = {f"J at G={rate:g}": data.current[rate] for rate in generations}
    print(table({"V (V)": data.voltage, **names}))
    for rate, (short, v_oc, fill) in data.figures.items():
        print(f"G={rate:g}: J_sc {short:.4g} A/cm^2, V_oc {v_oc:.4f} V, fill factor {fill:.4f}")
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: SolarCell, picture: str) -> None:
    """Currents in the light, and in the dark on a logarithmic axis."""
    drawing, (left, right) = figure(2)
    for rate, current in data.current.items():
        left.plot(data.voltage, 1e3 * current, ".-", label=f"G = {rate:g} cm$^{{-3}}$ s$^{{-1}}$")
        away = data.voltage != 0
        right.semilogy(data.voltage[away], np.abs(current[away]), ".-")
    left.set(xlabel="voltage (V)", ylabel="current (mA/cm$^2$)", ylim=(-80, 80))
    right.set(xlabel="voltage (V)", ylabel="|current| (A/cm$^2$)")
    left.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "pin_solar_cell")
