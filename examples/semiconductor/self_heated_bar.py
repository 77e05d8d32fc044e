"""Self-heated bar
===============

Current of a bar of silicon, 100 um long, that its own current warms. Its ends are heat sinks at
300 K. In the middle the mobility falls as ``T^-2.3``, so the current bends down from Ohm's law.

The heat that the sinks take is the electric power.

Reference: G. K. Wachutka, IEEE Trans. Comput.-Aided Des. 9 (1990) 1141.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import Device, Heat, Ohmic, interval, temperature

LENGTH, DOPING = 1e-2, 1e18  # cm, cm^-3
BANDS = {"eps_r": 11.7, "Nc": 2.86e19, "Nv": 3.1e19, "Ec": 0.0, "Ev": -1.12}
VOLTAGES = np.linspace(0.0, 10.0, 21)


@dataclass
class Heated:
    """What `main` returns: currents (A/cm^2) with and without heat, and temperatures (K)."""

    voltage: np.ndarray
    current: np.ndarray
    cold: np.ndarray
    position: np.ndarray
    temperature: np.ndarray


def mobilities(T):
    """Of electrons and holes in doped silicon, cm^2/(V s), at temperatures in K."""
    return {"mu_n": 250.0 * (T / 300.0) ** -2.3, "mu_p": 150.0 * (T / 300.0) ** -2.2}


def conductivity(T):
    """Thermal conductivity of silicon, W/(cm K)."""
    return 1.0 / (0.03 + 1.56e-3 * T + 1.65e-6 * T**2)


def bar(heated: bool = True) -> Device:
    """A bar of one doping between two contacts."""
    x = np.linspace(0.0, LENGTH, 201)
    return Device(
        interval(x),
        np.full(len(x), DOPING),
        {"a": Ohmic(0), "b": Ohmic(-1)},
        BANDS | mobilities(300.0),
        heat=Heat(conductivity, mobilities) if heated else None,
    )


# %%
# Computation
# -----------
def main(picture: str | None = None) -> Heated:
    """Sweep the voltage of the bar with and without the heat equation; print and draw."""
    warm, cold = bar(), bar(heated=False)
    sweep = warm.sweep("a", VOLTAGES)
    data = Heated(
        VOLTAGES,
        warm.currents(sweep, "a"),
        cold.currents(cold.sweep("a", VOLTAGES), "a"),
        warm.mesh.nodes,
        np.array([temperature(warm, x) for x in sweep.states]),
    )
    print(
        table(
            {
                "V (V)": data.voltage[::4],
                "J (A/cm^2)": data.current[::4],
                "Ohm's law": data.cold[::4],
                "hottest (K)": data.temperature.max(axis=1)[::4],
            }
        )
    )
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Heated, picture: str) -> None:
    """Currents over the voltage, temperatures along the bar."""
    drawing, (left, right) = figure(2)
    left.plot(data.voltage, 1e-3 * data.cold, "k--", label="at 300 K")
    left.plot(data.voltage, 1e-3 * data.current, label="self-heated")
    left.set(xlabel="voltage (V)", ylabel="current (kA/cm$^2$)")
    left.legend(fontsize=8)
    for i in (8, 14, 20):
        right.plot(1e4 * data.position, data.temperature[i], label=f"{data.voltage[i]:g} V")
    right.set(xlabel="x (um)", ylabel="temperature (K)")
    right.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "self_heated_bar")
