"""Run every program of this folder and write its picture.

``python examples/semiconductor/gallery.py pictures``
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from pathlib import Path
from time import perf_counter

PROGRAMS = (
    "pn_diode",
    "pin_solar_cell",
    "gaas_pin",
    "sic_diode",
    "heterojunction",
    "space_charge_limited",
    "mos_capacitor",
    "mosfet",
    "mesfet",
    "bipolar",
    "gummel_or_newton",
    "fin",
    "hemt",
    "contact_resistance",
    "light_pulse",
    "perovskite",
    "avalanche_diode",
    "tandem",
    "thyristor",
    "interface_states",
    "self_heated_bar",
    "voltage_ramp",
)


def main(folder: str) -> dict[str, float]:
    """Run all programs, quietly; return the seconds that each took."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    seconds = {}
    for name in PROGRAMS:
        start = perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(name).main(picture=f"{folder}/{name}.png")
        seconds[name] = perf_counter() - start
        print(f"{name:24s} {seconds[name]:6.1f} s", flush=True)
    return seconds


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "pictures")
