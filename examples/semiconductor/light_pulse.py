"""A solar cell under a light pulse
================================

Current and stored charge of a p-i-n cell while the light is turned on and off.

The cell is held at two voltages. After the light is turned off, the carriers that are left drift
to the contacts or recombine: the current decays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pin_solar_cell import cell
from report import figure, run, save, table

from sgsolve.results import Branch
from sgsolve.transient import Pulse

LIGHT, ON, OFF, EDGE, END = 2.5e21, 1e-9, 6e-8, 1e-10, 1.2e-7  # cm^-3 s^-1, then s


@dataclass
class LightPulse:
    """What `main` returns: the runs, and the time in which the current falls to 1/e, by voltage."""

    runs: dict[float, Branch]
    decay: dict[float, float]


# %%
# Computation
# -----------
# The columns ``I_top`` and ``I_bottom`` are the currents with their displacement parts.
def main(
    voltages: Sequence[float] = (0.0, 0.6), rtol: float = 1e-4, picture: str | None = None
) -> LightPulse:
    """Turn the light on and off at each voltage, print the decay, draw the currents."""
    device, data = cell(), LightPulse({}, {})
    width = OFF - ON - EDGE
    light = Pulse(0.0, LIGHT, delay=ON, rise=EDGE, width=width, fall=EDGE)
    for voltage in voltages:
        pulse = device.transient({"top": voltage, "G": light}, (0.0, END), rtol=rtol)
        data.runs[voltage] = pulse
        data.decay[voltage] = _decay(pulse["t"], pulse["I_top"] - pulse["I_top"][0])
    print(table({"V (V)": list(data.decay), "decay (s)": list(data.decay.values())}))
    if picture:
        draw(data, picture)
    return data


def _decay(t: np.ndarray, current: np.ndarray) -> float:
    """Time after the light is off until the current is 1/e of its last value in the light."""
    lit = np.interp(OFF, t, current)
    dark = t >= OFF
    return float(np.interp(-1.0 / np.e, -current[dark] / lit, t[dark])) - OFF


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: LightPulse, picture: str) -> None:
    """Currents over the time."""
    drawing, axes = figure(1)
    for voltage, pulse in data.runs.items():
        axes.plot(1e9 * pulse["t"], 1e3 * pulse["I_top"], label=f"{voltage:g} V")
    axes.axvspan(1e9 * ON, 1e9 * OFF, color="gold", alpha=0.2, label="light")
    axes.set(xlabel="time (ns)", ylabel="current (mA/cm$^2$)")
    axes.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "light_pulse")
