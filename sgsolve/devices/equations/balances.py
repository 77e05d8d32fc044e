"""The continuity equations, each divided by the carrier density at its node.

Every term is then a rate of change of the logarithm of the density. No term contains the density
itself, so a balance has a value where the density underflows. The balance of a floating region is a
sum over many nodes. Its fluxes and losses are divided by the density at the root of the region.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...ad.functions.linear_algebra.products import sparse_product
from ..models.device_layout import CarrierRows
from .boundaries.boundary import emission
from .carriers import Carriers
from .model import DeviceModel
from .transport.conduction import fluxes, relative_fluxes
from .transport.source_terms import pairs_made
from .transport.terminal import capture, recombination

Array = Any


def continuity(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> tuple[Array, Array]:
    """Balances of electrons and of holes at the semiconductor's nodes, 0 where they are fixed."""
    lay, ((n_a, n_b), (p_a, p_b)) = device.layout, relative_fluxes(device, s, p)
    lost_n, lost_p = _relative_losses(device, s, p)
    rows_n, rows_p = device.carrier_rows["n"], device.carrier_rows["p"]
    if lay.pairs > lay.n_s:
        a, b = lay.carrier_a, lay.carrier_b
        share_n = np.exp(s.log_n - s.log_n[rows_n.reference])
        share_p = np.exp(s.log_p - s.log_p[rows_p.reference])
        n_a, n_b, p_a, p_b = n_a * share_n[a], n_b * share_n[b], p_a * share_p[a], p_b * share_p[b]
        lost_n, lost_p = lay.gather @ (lost_n * share_n), lay.gather @ (lost_p * share_p)
    sum_n = sparse_product(rows_n.start, n_a) + sparse_product(rows_n.end, n_b)
    sum_p = sparse_product(rows_p.start, p_a) + sparse_product(rows_p.end, p_b)
    balance_n, balance_p = sum_n - lost_n * rows_n.scale, sum_p + lost_p * rows_p.scale
    if len(rows_n.roots) or len(rows_p.roots):
        rate_n = rate_p = lay.at_rows(recombination(device, s, p)) / s.vt
        if device.tunneling is not None:
            taken_n, taken_p = device.tunneling.taken(s, p)
            rate_n = rate_n + lay.at_rows(taken_n) / s.vt
            rate_p = rate_p + lay.at_rows(taken_p) / s.vt
        jn, jp = fluxes(device, s, p)
        balance_n = _with_regions(balance_n, rows_n, jn, -1.0 * rate_n, s.n)
        balance_p = _with_regions(balance_p, rows_p, jp, rate_p, s.p)
    return balance_n, balance_p


def _relative_losses(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> tuple[Array, Array]:
    """Return losses at each node over its density and vt: in the volume, at surfaces, to metals."""
    lost_n, lost_p = s.losses(capture(device, s, p))
    made, metal = pairs_made(device, s, p), emission(device, s, p)
    if made is not None:
        gained = device.layout.volumes * made / s.vt
        lost_n = lost_n - gained * np.exp(-s.log_n)
        lost_p = lost_p - gained * np.exp(-s.log_p)
    if device.tunneling is not None:
        taken_n, taken_p = device.tunneling.taken(s, p)
        lost_n = lost_n + taken_n / s.vt * np.exp(-s.log_n)
        lost_p = lost_p + taken_p / s.vt * np.exp(-s.log_p)
    return (lost_n, lost_p) if metal is None else (lost_n + metal[0], lost_p + metal[1])


def _with_regions(
    balance: Array, rows: CarrierRows, flux: Array, gain: Array, density: Array
) -> Array:
    """Balances with those of the floating regions at their roots."""
    if not len(rows.roots):
        return balance
    whole = (rows.border @ flux + rows.region @ gain) / density[rows.roots]
    return balance + rows.place @ whole
