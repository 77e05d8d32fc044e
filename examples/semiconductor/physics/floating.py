"""Regions that no contact reaches: the base of an open transistor, a guard ring, a thyristor's.

One idea: within such a region a carrier's level is pinned by nothing but what crosses its borders
and what recombines, often 1e-13 of the currents that the region could carry; added up node by node,
that would drown in the rounding errors of those. So the balance of one of its nodes, the *root*, is
replaced by the balance of the whole region, in which the inner fluxes have cancelled before they
are computed. The equations are the same, taken in another combination.

Regions are found from the doping: connected nodes of one type.

Reference: H. K. Gummel, Solid-State Electron. 11 (1968) 1128, on balances over regions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from .boundary import neutral
from .carriers import band_factors

if TYPE_CHECKING:
    from .device import Device


def regions(device: Device) -> dict[str, list[np.ndarray]]:
    """Nodes of the floating regions where electrons ("n") and holes ("p") are in the majority."""
    lay, p = device.layout, device.parameters
    vt = device.constants.thermal_voltage(p["T"])
    u = neutral(device, p, vt, np.arange(lay.n_s))
    factor_n, factor_p = band_factors(p, vt)
    excess = 2.0 * u - np.log(factor_p / factor_n)
    reached = [*lay.carrier_fixed.values(), *lay.emitting.values()]
    touched = np.concatenate([[], *reached]).astype(int)
    # A millionth of kT/q: what is not doped at all belongs to neither.
    return {
        "n": _unreached(lay.carrier_edges, excess > 1e-6, touched),
        "p": _unreached(lay.carrier_edges, excess < -1e-6, touched),
    }


def _unreached(edges: np.ndarray, inside: np.ndarray, touched: np.ndarray) -> list[np.ndarray]:
    n = len(inside)
    a, b = edges[inside[edges].all(axis=1)].T
    _, label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(n, n)), False)
    alone = np.setdiff1d(np.unique(label[inside]), label[touched])
    return [np.flatnonzero(label == k) for k in alone]


def gathering(device: Device) -> dict[str, csr_array]:
    """Matrices (n_s, n_s) that put the sum over each region in the place of its root.

    Only for carriers that have such regions. Roots need no firmness (see `layout`): they lose it.
    """
    lay, matrices = device.layout, {}
    for (name, parts), first in zip(regions(device).items(), (lay.n, lay.n + lay.n_s), strict=True):
        if not parts:
            continue
        roots = [_innermost(device, part) for part in parts]
        others = np.setdiff1d(np.arange(lay.n_s), roots)
        sums = [np.full(len(part), root) for part, root in zip(parts, roots, strict=True)]
        rows, columns = np.concatenate([others, *sums]), np.concatenate([others, *parts])
        matrices[name] = csr_array((np.ones(len(rows)), (rows, columns)), shape=(lay.n_s, lay.n_s))
        lay.soften(first + np.array(roots))
    return matrices


def _innermost(device: Device, part: np.ndarray) -> int:
    """The node farthest from everything outside: it is not depleted."""
    lay = device.layout
    a, b = lay.carrier_edges.T
    graph = coo_array((lay.carrier_lengths, (a, b)), shape=(lay.n_s, lay.n_s)).tocsr()
    outside = np.setdiff1d(np.arange(lay.n_s), part)
    if not len(outside):
        return int(part[0])
    distance = dijkstra(graph, directed=False, indices=outside, min_only=True)
    return int(part[np.argmax(distance[part])])
