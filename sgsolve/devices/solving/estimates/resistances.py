"""A state after a long step of a voltage of a device that conducts: the step over its resistances.

All three potentials of a node change by the same amount, so no density changes. The amounts are
those of a network of resistors, the conductances of both carriers along the edges. The total
current is then the same in all sections, up to the change of the conductances.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import splu

from ...equations.carriers import carriers
from ...equations.model import DeviceModel
from ...equations.transport.conduction import conduction

Array = np.ndarray


def spread_step(
    device: DeviceModel, x: Array, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Array | None:
    """The potentials after a change of the contacts' voltages; None where nothing conducts.

    Parameters
    ----------
    x : ndarray
        psi, phin and phip, V.
    before, after : dict
        All parameters, those of x and the new ones.
    """
    lay = device.layout
    step, fixed = np.zeros(lay.n_s), np.zeros(lay.n_s, dtype=bool)
    for name, nodes in lay.reached.items():
        step[nodes], fixed[nodes] = after["V_" + name] - before["V_" + name], True
    divergence = lay.carrier_divergence
    network = csc_array(divergence @ diags_array(_conductances(device, x, before)) @ divergence.T)
    free = np.flatnonzero(~fixed)
    root = np.sqrt(network.diagonal()[free])
    if not (np.isfinite(root) & (root > 0.0)).all():
        return None
    inner = diags_array(1.0 / root) @ network[:, free][free] @ diags_array(1.0 / root)
    known = (network @ step)[free] / root
    step[free] = -splu(csc_array(inner)).solve(known) / root
    moved = x.copy()
    moved[lay.nodes] += step
    moved[lay.n : lay.n + 2 * lay.n_s] += np.tile(step, 2)
    return moved


def _conductances(device: DeviceModel, x: Array, p: Mapping[str, Any]) -> Array:
    """Conductances of both carriers along the edges, over ``q vt``."""
    s = carriers(device, x, p)
    a, b = device.layout.carrier_edges.T
    total = np.zeros(len(a))
    for log, (weight, drift, _) in zip((s.log_n, s.log_p), conduction(device, s, p), strict=True):
        ahead, back = drift.logarithms
        total += weight * np.exp(0.5 * (log[a] + log[b] + ahead + back))
    return total
