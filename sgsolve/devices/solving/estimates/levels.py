"""Estimates of the carriers' levels at given voltages, without a solve.

The majority carriers of a region have the level of its ohmic contact. Between several contacts the
region is a resistor. A region without a contact has the level of the neighbor by which it is
forward biased: the forward voltage of a junction is a few kT/q, the reverse voltage arbitrary. A
region with one neighbor only, a guard ring, has the level at which hardly any of its carriers leave
(`enclosed`). A minority carrier has the level of that neighboring region, or metal, for which its
density is smallest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csc_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ...equations.boundaries.floating import majority
from ...equations.boundaries.neutrality import neutral
from ...equations.carriers import carriers
from ...equations.model import DeviceModel
from ...meshes.mesh import edge_values
from .depletion import depleted
from .enclosed import CLOSE, REACHED, Enclosed, enclosed_level

Array = np.ndarray
Majority = Mapping[str, Array]
TURNS = 4  # for the levels of several regions that depend on each other
HALF = 0.5  # of the doping: with fewer carriers a node is depleted


def levels(device: DeviceModel, p: Mapping[str, Any]) -> tuple[Array, Array] | None:
    """Levels of electrons and holes at the semiconductor's nodes, V.

    None where no region is doped; where the carriers of one come from traps alone, of which no
    conductance is known; beside metals, where a region has no contact and one neighbor only; and in
    devices with interfaces of `Regions`.
    """
    if device.layout.pairs > device.layout.n_s:
        return None
    inside = majority(device)
    kind = doping_signs(inside)
    if not kind.any() or (p["doping"][device.layout.doped][kind != 0] == 0.0).any():
        return None
    part, level = of_regions(device, p, kind)
    _enclose(device, p, part, level, inside)
    if np.isnan(level[kind != 0]).any():
        return None
    return of_both(device, p, part, level, inside)


def doping_signs(inside: Majority) -> Array:
    """1 where electrons are in the majority, -1 where holes are, else 0."""
    found: Array = inside["n"].astype(int) - inside["p"].astype(int)
    return found


def of_both(
    device: DeviceModel, p: Mapping[str, Any], part: Array, level: Array, inside: Majority
) -> tuple[Array, Array] | None:
    """Levels of electrons and holes from those of the majority carriers of each region."""
    kind = doping_signs(inside)
    edges = device.layout.carrier_edges
    across = np.concatenate([edges, edges[:, ::-1]])
    n = _of_carrier(level, part, across, inside["n"], 1.0)
    h = _of_carrier(level, part, across, inside["p"], -1.0)
    n, h = np.where(np.isfinite(n), n, h), np.where(np.isfinite(h), h, n)
    n, h = _taken_by_metals(device, p, part, kind, n, h)
    if not (np.isfinite(n) & np.isfinite(h)).all():
        return None
    for name, nodes in device.layout.reached.items():
        n[nodes] = h[nodes] = p["V_" + name]
    return n, h


def of_regions(device: DeviceModel, p: Mapping[str, Any], kind: Array) -> tuple[Array, Array]:
    """Number of the connected region of one type of each node, and the majority's level, or NaN."""
    lay, m = device.layout, device.layout.n_s
    edges, part = lay.carrier_edges, _connected_parts(device, kind)
    count = int(part.max()) + 1
    held, level = _voltages_at(lay.reached, m, p), np.full(m, np.nan)
    firm = _voltages_at(lay.carrier_fixed, m, p)
    for k in range(count):
        nodes = np.flatnonzero(part == k)
        if np.isfinite(firm[nodes]).any():  # a metal with a barrier blocks
            held[nodes] = firm[nodes]
        known = nodes[np.isfinite(held[nodes])]
        if not len(known) or kind[nodes[0]] == 0:
            continue
        if np.ptp(held[known]) == 0.0:
            level[nodes] = held[known[0]]
        else:
            level[nodes] = _resistor(device, p, nodes, held, kind[nodes[0]])
    floating = np.unique(part[np.isnan(level) & (kind != 0)])
    float_between(level, part, kind, region_borders(edges, kind), floating)
    return part, level


def _connected_parts(device: DeviceModel, kind: Array) -> Array:
    """Number of the connected region of one kind that each node belongs to."""
    edges, m = device.layout.row_edges, device.layout.n_s
    same = kind[edges[:, 0]] == kind[edges[:, 1]]
    graph = coo_array((np.ones(int(same.sum())), tuple(edges[same].T)), shape=(m, m))
    part: Array = connected_components(graph, directed=False)[1]
    return part


def may_switch(device: DeviceModel) -> bool:
    """Whether four regions of alternating types lie in a row, as in a thyristor."""
    kind = doping_signs(majority(device))
    part, edges = _connected_parts(device, kind), device.layout.row_edges
    across = part[edges[kind[edges[:, 0]] * kind[edges[:, 1]] < 0]]
    borders = np.unique(np.sort(across, axis=1), axis=0)
    neighbors = np.bincount(borders.ravel(), minlength=1)
    return bool((neighbors[borders] > 1).all(axis=1).any())


def blocks_inside(device: DeviceModel, p: Mapping[str, Any]) -> bool:
    """Whether a junction between two regions without a contact is reverse biased.

    Each of the two takes the carriers that its other neighbor injects, and passes them on: such a
    device may switch on, whatever its levels say.
    """
    lay, kind = device.layout, doping_signs(majority(device))
    part, level = of_regions(device, p, kind)
    touched = np.concatenate([[], *lay.reached.values()]).astype(int)
    floating = ~np.isin(part, part[touched])
    a, b = lay.row_edges[floating[lay.row_edges].all(axis=1)].T
    return bool(((kind[a] - kind[b]) * (level[a] - level[b]) > 0.0)[kind[a] * kind[b] < 0].any())


def blocks_nowhere(device: DeviceModel, x: Array, p: Mapping[str, Any]) -> bool:
    """Whether no junction is reverse biased in a state, as where a thyristor is on."""
    s = carriers(device, x, p)
    return bool(np.min(s.splitting()) > -1.0)  # kT/q


def layers_join_regions(device: DeviceModel, x: Array, p: Mapping[str, Any]) -> bool:
    """Whether inversion layers of a state join regions that the doping separates.

    Such a layer belongs to no region, and no level of a region is that of its carriers.
    """
    s, inside = carriers(device, x, p), majority(device)
    doped = doping_signs(inside)
    many = np.log(np.maximum(HALF * np.abs(p["doping"][device.layout.doped]), 1.0))
    kind = np.where(s.log_n > many, 1, 0) - np.where(s.log_p > many, 1, 0)
    part, region = _connected_parts(device, kind), _connected_parts(device, doped)
    own = np.flatnonzero((kind != 0) & (kind == doped))
    pairs = np.unique(np.stack([part[own], region[own]]), axis=1)
    return len(pairs[0]) > len(np.unique(pairs[0]))


def _voltages_at(contacts: Mapping[str, Array], m: int, p: Mapping[str, Any]) -> Array:
    """Return the voltages of contacts at their nodes, NaN at the others of m nodes."""
    voltage = np.full(m, np.nan)
    for name, nodes in contacts.items():
        voltage[nodes] = p["V_" + name]
    return voltage


def _taken_by_metals(
    device: DeviceModel, p: Mapping[str, Any], part: Array, kind: Array, n: Array, h: Array
) -> tuple[Array, Array]:
    """The levels, those of minority carriers in regions at metals not above the metals' own."""
    n, h = n.copy(), h.copy()
    for name, nodes in device.layout.reached.items():
        if device.contacts[name].has_barrier:
            here = np.isin(part, part[nodes])
            n_type, p_type = here & (kind > 0), here & (kind < 0)
            h[n_type] = np.minimum(h[n_type], p["V_" + name])
            n[p_type] = np.maximum(n[p_type], p["V_" + name])
    return n, h


def _resistor(
    device: DeviceModel, p: Mapping[str, Any], nodes: Array, held: Array, kind: int
) -> Array:
    """Potential of a region as a resistor between its contacts."""
    lay = device.layout
    local = np.full(lay.n_s, -1)
    local[nodes] = np.arange(len(nodes))
    mobility = edge_values(p["mu_n" if kind > 0 else "mu_p"], lay.carrier_edges, lay.n_s)
    doping = np.abs(p["doping"][lay.doped])
    weight = mobility * lay.carrier_ratio * np.sqrt(np.prod(doping[lay.carrier_edges], axis=1))
    own = (local[lay.carrier_edges] >= 0).all(axis=1)
    a, b = local[lay.carrier_edges[own]].T
    w, k = np.abs(weight[own]), len(nodes)
    rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
    matrix = csc_array((np.concatenate([w, w, -w, -w]), (rows, cols)), shape=(k, k))
    level: Array = held[nodes]
    free = np.isnan(level)
    if free.any():
        known = matrix @ np.where(free, 0.0, level)
        level[free] = splu(csc_array(matrix[:, free][free])).solve(-known[free])
    return level


def region_borders(edges: Array, kind: Array) -> Array:
    """Pairs of nodes of different types that an edge joins, both ways."""
    joined = edges[kind[edges[:, 0]] != kind[edges[:, 1]]]
    return np.concatenate([joined, joined[:, ::-1]])


def float_between(level: Array, part: Array, kind: Array, across: Array, floating: Array) -> None:
    """Put regions without a contact, of several neighbors, at a level that those give, in place.

    An n region takes the highest level of its neighbors, a p region the lowest.
    """
    for _ in range(len(floating) + 1):
        for k in floating:
            here = across[part[across[:, 0]] == k]
            found = level[here[:, 1]]
            found = found[np.isfinite(found)]
            if len(found) and np.ptp(part[here[:, 1]]) > 0:
                mine = part == k
                level[mine] = found.max() if kind[mine][0] > 0 else found.min()


def _enclose(
    device: DeviceModel, p: Mapping[str, Any], part: Array, level: Array, inside: Majority
) -> None:
    """Fill in, in place, the levels of regions that nothing biases forward, by turns."""
    lay, vt = device.layout, device.constants.thermal_voltage(p["T"])
    kind = doping_signs(inside)
    rings = np.unique(part[np.isnan(level) & (kind != 0)])
    if not len(rings) or any(contact.has_barrier for contact in device.contacts.values()):
        return
    rest, edges = vt * neutral(device, p, vt, np.arange(lay.n_s)), lay.carrier_edges
    across = np.concatenate([edges, edges[:, ::-1]])
    found = [Enclosed(part, level, kind, rest, across, k) for k in rings]
    if any(np.isnan(ring.neighbor) for ring in found):
        return
    others = ~np.isin(part, rings)
    for ring in found:
        level[ring.nodes] = ring.neighbor
    for _ in range(TURNS if len(found) > 1 else 1):
        before = level.copy()
        for ring in found:

            def barrier(at: float, ring: Enclosed = ring) -> float:
                level[ring.nodes] = at
                both = of_both(device, p, part, level, inside)
                if both is None:
                    return np.inf
                return ring.barrier(depleted(device, p, *both)[lay.nodes], edges, level, kind)

            wanted = ring.built_in - REACHED * vt
            furthest = ring.furthest(level[others & (kind == kind[ring.root])])
            level[ring.nodes] = enclosed_level(barrier, ring.neighbor, furthest, wanted, CLOSE * vt)
        if np.nanmax(np.abs(level - before)) < 2.0 * CLOSE * vt:
            break


def _of_carrier(level: Array, part: Array, across: Array, inside: Array, sign: float) -> Array:
    """Level of a carrier: its own where it is in the majority, else the rarest of its neighbors."""
    mine = np.where(inside, sign * level, -np.inf)
    graph = across[~inside[across].any(axis=1)]
    shape = (len(part), len(part))
    ones = np.ones(len(graph))
    _, pool = connected_components(coo_array((ones, tuple(graph.T)), shape=shape), directed=False)
    rarest = np.full(int(pool.max()) + 1, -np.inf)
    border = across[~inside[across[:, 0]] & inside[across[:, 1]]]
    np.maximum.at(rarest, pool[border[:, 0]], mine[border[:, 1]])
    found = np.where(inside, mine, rarest[pool])
    return np.where(np.isfinite(found), sign * found, level)
