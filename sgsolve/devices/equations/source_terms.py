"""What the balance equations hold at the nodes: recombination, generation and space charge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..models.model_arguments import arguments, more_arguments
from ..models.trap_levels import level_charge
from .carriers import Carriers
from .model import DeviceModel

Array = Any


def recombination_factor(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array:
    """Return recombination in the volume over the excess product, cm^3/s."""
    n, h = s.densities()
    rates = [
        model(n, h, *_in_field(device, s, model), **arguments(model, p))
        for model in device.recombination
    ]
    return sum(rates[1:], rates[0]) if rates else 0.0


def _in_field(device: DeviceModel, s: Carriers, model: Callable[..., Any]) -> list[Array]:
    """Return what a model takes after the densities: ``field`` (V/cm), ``intrinsic`` (cm^-3)."""
    found = []
    for name in more_arguments(model):
        if name == "field":
            found.append(device.cell_fields.at_nodes(s))
        else:
            found.append(np.exp(0.5 * (s.log_n + s.log_p - s.splitting())))
    return found


def generation(p: Mapping[str, Any]) -> Array | None:
    """Generation by light, cm^-3 s^-1; None in the dark."""
    light = p["G"] * p["profile"]
    return None if isinstance(light, float) and light == 0.0 else light


def space_charge(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array:
    """Charge density / q, cm^-3, at the semiconductor's nodes."""
    charge = s.p - s.n + p["doping"][device.layout.doped]
    for region, density in zip(device.ions.values(), s.ions, strict=True):
        charge = charge + region.charge(density)
    if device.trap_levels:
        charge = charge + level_charge(device, s, p)
    if device.traps:
        n, h = s.densities()
        for trap in device.traps:
            charge = charge + trap(n, h, **arguments(trap, p))
    return charge
