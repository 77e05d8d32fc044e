"""Absolute tolerances of the unknowns of a device in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from .model import DeviceModel

LIGHT = 1e-3  # of the highest doping: regions with less count as doped so
COOL = 1e-2  # of the temperature: a rise below it has the absolute tolerance
SHARE = 1e-3  # of the doping: densities below it have the absolute tolerance
MULTIPLIED = 1e-9  # the same with impact ionization: a leakage current starts an avalanche
FOLLOWING = 1e60  # of fluxes, which follow from the densities: their errors are those of these


def time_tolerances(device: DeviceModel, rtol: float) -> dict[str, Any]:
    """Those of kT/q, and of the doping, by block; but little where there is hardly any."""
    lay = device.layout
    doping = lay.first(np.abs(device.parameters["doping"][lay.doped]))
    share = SHARE if device.ionization is None else MULTIPLIED
    least = np.maximum(doping, LIGHT * max(float(doping.max()), 1.0)) * share
    found = {"psi": rtol * device.thermal_voltage, "n": rtol * least, "p": rtol * least}
    if device.heat is not None:
        found["heat"] = rtol * COOL * device.thermal_voltage
    if device.ionization is not None:
        found |= dict.fromkeys(("jn", "jp"), FOLLOWING)
    found |= {f"f_{name}": rtol * SHARE for name in device.trap_levels}
    return found | {name: rtol * SHARE * r.ion.density for name, r in device.ions.items()}
