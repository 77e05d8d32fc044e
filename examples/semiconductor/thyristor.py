"""Thyristor
=========

Four silicon layers, p-n-p-n. In forward bias the junction in the middle blocks. Its avalanche
multiplies the currents of the two transistors that the layers make. Where their gains add up to
one, the voltage has a maximum, the breakover voltage. Beyond it the device conducts at 0.8 V: the
middle junction is flooded with carriers.

The current is swept, because three currents belong to one voltage. Without avalanche the breakover
voltage would be that of punch-through.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 11.2.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from report import figure, run, save, table

from sgsolve.devices import (
    Device,
    Driven,
    Ohmic,
    drive_current,
    graded,
    interval,
    ionization_values,
    srh,
    van_overstraeten,
)

ENDS = (0.0, 2e-4, 17e-4, 20e-4, 22e-4)  # cm, of the four layers
SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 800.0, "mu_p": 300.0}
TRAPS = {"tau_n": 3e-8, "tau_p": 3e-8, "n1": 1e10, "p1": 1e10}
CURRENTS = np.logspace(-6, 2, 17)  # A/cm^2


@dataclass
class Switching:
    """What `main` returns: the curve (V, A/cm^2) and its largest voltage."""

    driven: Driven
    breakover: float


def thyristor(compiled: bool = False) -> Device:
    """10^19, 3e15, 10^17 and 10^19 dopants per cm^3; lifetimes of 30 ns."""
    x = graded(list(ENDS), 8e-5, 5e-7, 1.3)
    doping = np.select([x < end for end in ENDS[1:4]], [-1e19, 3e15, -1e17], 1e19)
    return Device(
        interval(x),
        doping,
        {"anode": Ohmic(0), "cathode": Ohmic(-1)},
        SILICON | TRAPS | ionization_values("Si van Overstraeten"),
        recombination=[srh],
        ionization=van_overstraeten,
        compiled=compiled,
    )


# %%
# Computation
# -----------
def main(picture: str | None = None) -> Switching:
    """Compute the curve; print and draw."""
    driven = drive_current(thyristor(), "anode", CURRENTS)
    data = Switching(driven, float(driven.voltage.max()))
    print(table({"V (V)": driven.voltage, "J (A/cm^2)": driven.current}))
    if picture:
        draw(data, picture)
    return data


# %%
# Picture
# -------
# Drawn from the data that ``main`` returns.
def draw(data: Switching, picture: str) -> None:
    """Current over the voltage: blocking, breakover, on."""
    drawing, axes = figure(1)
    axes.semilogy(data.driven.voltage, data.driven.current, "k.-")
    axes.text(15.0, 2e-6, "blocking")
    axes.text(data.breakover - 16.0, 3e-3, "breakover")
    axes.text(4.0, 20.0, "on")
    axes.set(xlabel="anode voltage (V)", ylabel="current (A/cm$^2$)")
    save(drawing, picture)


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "thyristor")
