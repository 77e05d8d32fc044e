"""Capacitance from a voltage ramp
===============================

The displacement current of a slow ramp, divided by its slope, is the capacitance that small signals
give.

A pn diode is swept in reverse at 1 V/us. Its current is almost all displacement; the leakage of the
steady state is subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pn_diode import diode
from report import figure, run, save, table

from sgsolve.devices import SmallSignal
from sgsolve.transient import PiecewiseLinear

SLOPE, LOWEST = -1e6, -2.0  # V/s, V


@dataclass
class Ramp:
    """What `main` returns: voltages (V) and both capacitances (F/cm^2)."""

    voltage: np.ndarray
    ramp: np.ndarray
    small_signal: np.ndarray


# %%
# Computation
# -----------
def main(rtol: float = 1e-6, picture: str | None = None) -> Ramp:
    """Ramp the voltage, compare with small signals at some voltages, print and draw both."""
    device = diode()
    voltage = np.linspace(-0.2, LOWEST, 10)
    end = LOWEST / SLOPE
    swept = device.transient(
        {"top": PiecewiseLinear([0.0, end], [0.0, LOWEST])},
        (0.0, end),
        rtol=rtol,
        times=np.append(0.0, voltage / SLOPE),
    )
    steady = device.sweep("top", voltage)
    leakage = device.currents(steady, "top")
    ramp = (swept["I_top"][1:] - leakage) / SLOPE
    signals = SmallSignal(device)
    small = [
        signals.capacitance(x, "top", [1e3], V_top=v)[0]
        for v, x in zip(voltage, steady.states, strict=True)
    ]
    data = Ramp(voltage, ramp, np.array(small))
    print(
        table({"V (V)": voltage, "ramp (F/cm2)": ramp, "small signal": data.small_signal}, digits=8)
    )
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Ramp, picture: str) -> None:
    """Both capacitances over the voltage."""
    drawing, axes = figure(1)
    axes.plot(data.voltage, 1e9 * data.small_signal, label="small signal")
    axes.plot(data.voltage, 1e9 * data.ramp, "o", mfc="none", label="ramp of 1 V/us")
    axes.set(xlabel="voltage (V)", ylabel="capacitance (nF/cm$^2$)")
    axes.locator_params(axis="x", nbins=5)
    axes.legend(fontsize=8)
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "voltage_ramp")
