"""What the balance equations hold at the nodes: recombination, generation and space charge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...meshes.cell_fields import FLOOR
from ...models.model_arguments import arguments, joins_ends, more_arguments
from ...models.trap_levels import level_charge
from ..carriers import Carriers
from ..model import DeviceModel

Array = Any
ELECTRON_STATES = 2.5094e19 / 300.0**1.5  # cm^-3 K^-1.5, of the electron's own mass: for `ni` alone


def recombination_factor(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array:
    """Return recombination in the volume over the excess product, cm^3/s."""
    n, h = s.densities()
    rates = [
        model(n, h, *_in_field(device, s, model), **arguments(model, p))
        for model in device.recombination
        if not joins_ends(model)
    ]
    return sum(rates[1:], rates[0]) if rates else 0.0


def _in_field(device: DeviceModel, s: Carriers, model: Callable[..., Any]) -> list[Array]:
    """Return what a model takes after the densities: ``field`` (V/cm), ``intrinsic`` (cm^-3)."""
    found = []
    for name in more_arguments(model):
        if name == "field":
            found.append(device.cell_fields.at_nodes(device.cell_fields.field(s)))
        else:
            found.append(np.exp(_log_intrinsic(s)))
    return found


def _log_intrinsic(s: Carriers) -> Array:
    return 0.5 * (s.log_n + s.log_p - s.splitting())


def pairs_made(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array | None:
    """Pairs made by light, and between the ends of tunneling paths, cm^-3 s^-1; None if none.

    A path through half of the gap starts where the density is that of the node times
    ``(n_i / Nc)^r``. Here r is the gradient of the level over the field: 1 in the drift of a
    depletion layer, 0 in equilibrium.
    """
    made = generation(p)
    for model in filter(joins_ends, device.recombination):
        cells, (a, b) = device.cell_fields, device.layout.carrier_edges.T
        field, log_intrinsic = cells.at_nodes(cells.field(s)), _log_intrinsic(s)
        ends = []
        for log, level, name in ((s.log_n, s.un, "Nc"), (s.log_p, s.up, "Nv")):
            slope = cells.at_nodes(cells.gradient(s, level[a] - level[b])) - FLOOR
            states = np.log(p[name]) if name in p else np.log(ELECTRON_STATES * p["T"] ** 1.5)
            ends.append(log - slope / field * (states - log_intrinsic))
        apart = ends[0] + ends[1] - 2.0 * log_intrinsic
        n, h = (np.exp(log) for log in ends)
        factor = model(n, h, *_in_field(device, s, model), **arguments(model, p))
        made_here = -1.0 * factor * np.exp(2.0 * log_intrinsic) * np.expm1(apart)
        made = made_here if made is None else made + made_here
    return made


def tunneled_at_most(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array:
    """What such paths make where the levels are reversed and both ends are empty."""
    made: Any = 0.0
    for model in filter(joins_ends, device.recombination):
        rate = model(0.0, 0.0, *_in_field(device, s, model), **arguments(model, p))
        made = made + np.where(s.up < s.un, rate * np.exp(2.0 * _log_intrinsic(s)), 0.0)
    return made


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
