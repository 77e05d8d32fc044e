"""Estimate the levels of regions without a contact between junctions that block in series.

The level of an n region without a contact is the highest one of its neighbors, that of a p region
the lowest one (`levels`). In a thyristor in reverse any level between those of both contacts agrees
with that. Currents alone decide: two junctions in series divide a voltage by what they generate.
Regions between them, which nothing biases in reverse, have about one level. Where more electrons
than holes are generated into them the level is lower, where fewer are it is higher, so bisection
finds it. Minority carriers that cross the regions are left out. In light, junctions in series do
not block: those of lit cells are biased forward.

Reference: S. M. Sze, Physics of Semiconductor Devices (1981), chapter 4, on thyristors in reverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...equations.boundaries.floating import has_floating_regions, majority
from ...equations.carriers import carriers
from ...equations.model import DeviceModel
from ...equations.transport.source_terms import generation
from ...equations.transport.terminal import recombination
from .depletion import depleted, potential_bounds
from .enclosed import REACHED
from .levels import doping_signs, float_between, levels, of_both, of_regions, region_borders

Array = np.ndarray
CLOSE = 2.0  # kT/q: the accuracy of a level
SHARE = 2e-3  # ... or this share of the voltage: junctions generate by whole nodes of the mesh
TURNS = 4  # for several groups of regions that depend on each other
MEANS = 100  # rounds of means over neighbors, for levels between those of the contacts


class _Regions(NamedTuple):
    """Regions of one type, by nodes: their numbers, types (1 for n, -1 for p), levels, borders."""

    part: Array
    kind: Array
    level: Array
    across: Array

    def beside(self, members: Array) -> Array:
        """Levels of the nodes at the borders of regions, outside."""
        (a, b), inside = self.across.T, np.isin(self.part, members)
        outer = b[inside[a] & ~inside[b] & (self.kind[b] != 0)]
        found: Array = self.level[outer]
        known: Array = found[np.isfinite(found)]
        return known

    def put(self, members: Array, level: float) -> None:
        """Give regions a level, in place."""
        self.level[np.isin(self.part, members)] = level


def shares_voltage(device: DeviceModel, p: Mapping[str, Any]) -> bool:
    """Whether regions without a contact lie between junctions that block in series."""
    return has_floating_regions(device) and len(_left_open(device, p)[1]) > 0


def series_levels(device: DeviceModel, p: Mapping[str, Any]) -> tuple[Array, Array] | None:
    """`levels`, with those of regions between junctions in series, where a device has such."""
    if not has_floating_regions(device):
        return levels(device, p)
    regions, free = _left_open(device, p)
    if not len(free) or device.layout.pairs > device.layout.n_s:
        return levels(device, p)
    for _ in range(MEANS):
        for k in free:
            regions.put(k, float(np.mean(regions.beside(k))))
    groups = _held_together(regions, free)
    for _ in range(TURNS if len(groups) > 1 else 1):
        for members in groups:
            _set_level(device, p, regions, members)
    if np.isnan(regions.level[regions.kind != 0]).any():
        return levels(device, p)
    return of_both(device, p, regions.part, regions.level, majority(device))


def _left_open(device: DeviceModel, p: Mapping[str, Any]) -> tuple[_Regions, Array]:
    """The regions, and the numbers of those whose levels the rule for neighbors leaves open."""
    kind = doping_signs(majority(device))
    part, level = of_regions(device, p, kind)
    regions = _Regions(part, kind, level, region_borders(device.layout.carrier_edges, kind))
    touched = np.concatenate([[], *device.layout.reached.values()]).astype(int)
    floating = np.setdiff1d(part[kind != 0], part[touched])
    known, light = level[~np.isin(part, floating) & np.isfinite(level)], generation(p)
    if not len(floating) or not len(known) or (light is not None and np.any(light != 0.0)):
        return regions, floating[:0]
    ends = []
    for end in (known.min(), known.max()):
        one = level.copy()
        one[np.isin(part, floating) & np.isfinite(level)] = end
        float_between(one, part, kind, regions.across, floating)
        ends.append(one)
    return regions, np.unique(part[(ends[0] < ends[1]) & np.isin(part, floating)])


def _held_together(regions: _Regions, free: Array) -> list[Array]:
    """Numbers of the free regions, those together that no junction between them blocks."""
    a, b = regions.across[np.isin(regions.part[regions.across], free).all(axis=1)].T
    kind, level, part = regions.kind, regions.level, regions.part
    forward = (kind[a] > 0) & (kind[b] < 0) & (level[a] < level[b])
    count = int(part.max()) + 1
    pairs = part[a[forward]], part[b[forward]]
    graph = coo_array((np.ones(len(pairs[0])), pairs), shape=(count, count))
    together = connected_components(graph, directed=False)[1]
    return [free[together[free] == k] for k in np.unique(together[free])]


def _set_level(
    device: DeviceModel, p: Mapping[str, Any], regions: _Regions, members: Array
) -> None:
    """Put a level where as many electrons as holes come in, between those of the neighbors."""
    vt, ends = device.constants.thermal_voltage(p["T"]), regions.beside(members)
    low, high = float(ends.min()), float(ends.max())
    close = max(CLOSE * vt, SHARE * (high - low))
    while high - low > close:
        middle = 0.5 * (low + high)
        regions.put(members, middle)
        if _electrons_less_holes(device, p, regions, members) > 0.0:
            high = middle
        else:
            low = middle
    regions.put(members, 0.5 * (low + high))


def _electrons_less_holes(
    device: DeviceModel, p: Mapping[str, Any], regions: _Regions, members: Array
) -> float:
    """Electrons less holes that are generated, and drift into regions; NaN without levels."""
    both = of_both(device, p, regions.part, regions.level, majority(device))
    if both is None:
        return np.nan
    lay, inside = device.layout, np.isin(regions.part, members)
    smooth = depleted(device, p, *both, bounded=False)[lay.nodes]
    passed = _passed(device, p, both, smooth, inside * regions.kind)
    if passed != 0.0:
        return passed
    tops, bottoms = (_ends_of_ascent(u, lay.carrier_edges) for u in (smooth, -smooth))
    share = inside[tops].astype(float) - inside[bottoms]
    s = carriers(device, np.concatenate([depleted(device, p, *both), *both]), p)
    return -float(np.sum(share * recombination(device, s, p)))


def _passed(
    device: DeviceModel, p: Mapping[str, Any], both: tuple[Array, Array], psi: Array, kind: Array
) -> float:
    """1 where holes leave through n regions that are depleted, -1 where electrons do, else 0."""
    vt, nodes = device.constants.thermal_voltage(p["T"]), device.layout.nodes
    n, h = psi[kind > 0], psi[kind < 0]
    if not len(n) or not len(h) or n.max() > h.min() + REACHED * vt:
        return 0.0
    low, high = (bound[nodes] for bound in potential_bounds(device, p, *both, vt))
    neutral_n = bool((n > high[kind > 0] - REACHED * vt).any())
    neutral_p = bool((h < low[kind < 0] + REACHED * vt).any())
    return float(neutral_p) - float(neutral_n)


def _ends_of_ascent(height: Array, edges: Array) -> Array:
    """Where the steepest ascent from each node ends, as a carrier drifts that is made there."""
    a, b = np.concatenate([edges, edges[:, ::-1]]).T
    up = height[b] > height[a]
    a, b = a[up], b[up]
    order = np.argsort(height[b], kind="stable")
    found = np.arange(len(height))
    found[a[order]] = b[order]  # the highest neighbor is assigned last
    while not np.array_equal(found, further := found[found]):
        found = further
    return found
