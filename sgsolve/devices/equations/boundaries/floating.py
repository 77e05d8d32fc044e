"""Regions without a contact: the base of an open transistor, a guard ring, a layer of a thyristor.

The level of a carrier in such a region depends only on the currents across its border and on
recombination. These are often 1e-13 of the currents inside the region, so the rounding errors of
the inner currents would hide them in a sum over nodes. Therefore the balance of one node, the
*root*, is replaced by the balance of the whole region, in which the inner fluxes cancel exactly.
The new equations are a linear combination of the old ones.

Regions are found from the doping: connected nodes of one type. An inversion layer under a gate is
not among them, because it depends on the voltage. Devices of one doping type are solved with the
fluxes as unknowns (`kept_fluxes`). In devices of both types a contact usually reaches the inversion
layer. Where none does, generation alone determines its level: often 1e-18 of the conductances in
the diagonal of the Jacobian, so that rounding errors decide the sign of the rest. The diagonal is
therefore increased by eight rounding errors (`firmness`), for minority carriers in devices with
gates. This changes the derivative and not the residual.

Reference: H. K. Gummel, Solid-State Electron. 11 (1968) 1128, on balances over regions.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from ..carriers import log_factors
from ..model import DeviceModel
from .neutrality import neutral

FIRM = 8.0 * float(np.finfo(float).eps)


def majority(device: DeviceModel) -> dict[str, np.ndarray]:
    """Where electrons ("n") and holes ("p") are in the majority by doping, bool over the nodes."""
    lay, p = device.layout, device.parameters
    vt = device.constants.thermal_voltage(p["T"])
    u = neutral(device, p, vt, np.arange(lay.n_s))
    factor_n, factor_p = log_factors(p, vt)
    excess = 2.0 * u - lay.first(factor_p - factor_n)
    # A millionth of kT/q: what is not doped at all belongs to neither.
    return {"n": excess > 1e-6, "p": excess < -1e-6}


def regions(device: DeviceModel) -> dict[str, list[np.ndarray]]:
    """Nodes of the floating regions where electrons ("n") and holes ("p") are in the majority."""
    lay = device.layout
    reached = [*lay.carrier_fixed.values(), *lay.emitting.values()]
    touched = np.concatenate([[], *reached]).astype(int)
    inside = majority(device)
    return {name: _unreached(lay.row_edges, inside[name], touched) for name in "np"}


def has_floating_regions(device: DeviceModel) -> bool:
    """Whether a device has regions without a contact."""
    return any(len(rows.roots) > 0 for rows in device.carrier_rows.values())


def firmness(device: DeviceModel) -> np.ndarray:
    """Return what is added to the diagonal of the Jacobian, over all unknowns."""
    lay, firm = device.layout, np.zeros(len(device.layout.fixed))
    if any(contact.is_gate for contact in device.contacts.values()):
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
    a, b = lay.row_edges.T
    graph = coo_array((lay.carrier_lengths, (a, b)), shape=(lay.n_s, lay.n_s)).tocsr()
    outside = np.setdiff1d(np.arange(lay.n_s), part)
    if not len(outside):
        return int(part[0])
    distance = dijkstra(graph, directed=False, indices=outside, min_only=True)
    return int(part[np.argmax(distance[part])])
