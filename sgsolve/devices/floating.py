"""Regions that no contact reaches: the base of an open transistor, a guard ring, a thyristor's.

Within such a region a carrier's level is pinned by nothing but what crosses its borders and what
recombines, often 1e-13 of the currents that the region could carry; added up node by node, that
would drown in the rounding errors of those. So the balance of one of its nodes, the *root*, is
replaced by the balance of the whole region, in which the inner fluxes have canceled before they are
computed. The equations are the same, taken in another combination.

Regions are found from the doping: connected nodes of one type. The inversion layer under a gate is
none of them, and comes and goes with the voltage. Devices all of one type are solved with the
fluxes kept (`kept_fluxes`), whether a contact reaches their layer or not. In devices of both types
contacts usually reach it. Where none does, its level hangs on generation alone, often 1e-18 of the
conductances that it is added to in the diagonal of the Jacobian, and rounding decides the sign of
what is left. So the diagonal is rounded up there, by eight rounding errors: the *firmness*, part of
the derivative and not of the residual, in devices with gates and for minority carriers only.

Reference: H. K. Gummel, Solid-State Electron. 11 (1968) 1128, on balances over regions.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from .boundary import neutral
from .carriers import log_factors
from .contacts import Gate
from .model import DeviceModel

FIRM = 8.0 * float(np.finfo(float).eps)


def majority(device: DeviceModel) -> dict[str, np.ndarray]:
    """Where electrons ("n") and holes ("p") are in the majority by doping, bool over the nodes."""
    lay, p = device.layout, device.parameters
    vt = device.constants.thermal_voltage(p["T"])
    u = neutral(device, p, vt, np.arange(lay.n_s))
    factor_n, factor_p = log_factors(p, vt)
    excess = 2.0 * u - (factor_p - factor_n)
    # A millionth of kT/q: what is not doped at all belongs to neither.
    return {"n": excess > 1e-6, "p": excess < -1e-6}


def regions(device: DeviceModel) -> dict[str, list[np.ndarray]]:
    """Nodes of the floating regions where electrons ("n") and holes ("p") are in the majority."""
    lay = device.layout
    reached = [*lay.carrier_fixed.values(), *lay.emitting.values()]
    touched = np.concatenate([[], *reached]).astype(int)
    inside = majority(device)
    return {name: _unreached(lay.carrier_edges, inside[name], touched) for name in "np"}


def firmness(device: DeviceModel) -> np.ndarray:
    """What is added to the diagonal of the Jacobian, over all unknowns."""
    lay, firm = device.layout, np.zeros(len(device.layout.fixed))
    if any(isinstance(contact, Gate) for contact in device.contacts.values()):
        inside = majority(device)
        minority = np.concatenate([~inside["n"], ~inside["p"]])
        firm[lay.n :] = FIRM * minority * np.tile(lay.carrier_free, 2)
    return firm


def _unreached(edges: np.ndarray, inside: np.ndarray, touched: np.ndarray) -> list[np.ndarray]:
    n = len(inside)
    a, b = edges[inside[edges].all(axis=1)].T
    _, label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(n, n)), False)
    alone = np.setdiff1d(np.unique(label[inside]), label[touched])
    return [np.flatnonzero(label == k) for k in alone]


def gathering(device: DeviceModel) -> dict[str, tuple[np.ndarray, csr_array]]:
    """The roots of the regions of each carrier, and a matrix (k, n_s) of ones over each region."""
    lay, found = device.layout, {}
    for name, parts in regions(device).items():
        roots = np.array([_innermost(device, part) for part in parts], dtype=int)
        rows = [np.full(len(part), k) for k, part in enumerate(parts)]
        nodes = np.concatenate([[], *parts]).astype(int)
        ones = (np.ones(len(nodes)), (np.concatenate([[], *rows]).astype(int), nodes))
        found[name] = roots, csr_array(ones, shape=(len(parts), lay.n_s))
    return found


def _innermost(device: DeviceModel, part: np.ndarray) -> int:
    """The node farthest from everything outside: it is not depleted."""
    lay = device.layout
    a, b = lay.carrier_edges.T
    graph = coo_array((lay.carrier_lengths, (a, b)), shape=(lay.n_s, lay.n_s)).tocsr()
    outside = np.setdiff1d(np.arange(lay.n_s), part)
    if not len(outside):
        return int(part[0])
    distance = dijkstra(graph, directed=False, indices=outside, min_only=True)
    return int(part[np.argmax(distance[part])])
