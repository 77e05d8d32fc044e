"""Ions in the form with the fluxes kept: one level each, or a level per node and a flux per edge.

In the steady state no ions flow, and all of a species have one level. In small signals they move.
The balance of the first node is then replaced by the number of ions, which follows from all
balances together except at zero frequency.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import ad

Array = Any


def level_of_each(device: Any, begin: int) -> dict[str, slice]:
    """Where the one level of each ion is in the form with the fluxes kept."""
    return {f"level_{name}": slice(begin + i, begin + i + 1) for i, name in enumerate(device.ions)}


def kept_blocks(device: Any, begin: int) -> dict[str, slice]:
    """Where the levels and the fluxes of the ions are in the form with the fluxes kept."""
    found: dict[str, slice] = {}
    for name, region in device.ions.items():
        middle = begin + len(region.nodes)
        end = middle + len(region.edges)
        found |= {f"level_{name}": slice(begin, middle), f"flux_{name}": slice(middle, end)}
        begin = end
    return found


def kept_unknowns(device: Any, rest: np.ndarray) -> list[np.ndarray]:
    """Levels (V) and fluxes of all ions in the steady state: one level each, and no flux."""
    return [
        part
        for region, level in zip(device.ions.values(), rest, strict=True)
        for part in (np.full(len(region.nodes), level), np.zeros(len(region.edges)))
    ]


def kept_rows(device: Any, us: Array, y: Array, where: Mapping[str, slice], vt: Any) -> list[Array]:
    """Balances of all ions, the first of each replaced by its number; then what its fluxes are."""
    found = []
    for name, region in device.ions.items():
        level, flux = y[where[f"level_{name}"]] / vt, y[where[f"flux_{name}"]]
        density = region.density(us, level)
        number = np.log(ad.sum(region.volumes * density) / region.total)
        found += [ad.hstack([number, (region.divergence @ flux)[1:]])]
        found += [region.flux_rows(us, level, flux)]
    return found


def kept_storage(device: Any, densities: list[Array], vt: Any) -> list[Array]:
    """Return what these rows store: nothing in the first and in those of the fluxes."""
    found: list[Array] = []
    for region, density in zip(device.ions.values(), densities, strict=True):
        weight = region.volumes * (np.arange(len(region.nodes)) > 0)
        found += [(weight / vt) * density, np.zeros(len(region.edges))]
    return found
