"""Rows of the equations of a device, each divided by what multiplies its own unknown."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, diags_array

from ..meshes.mesh import incidence
from ..models.device_layout import CarrierRows, placing
from ..models.interfaces import row_weight
from .carriers import log_factors
from .model import DeviceModel


def poisson_rows(device: DeviceModel) -> tuple[csr_array, np.ndarray]:
    """Divergence of Poisson's equation with every row divided by its coupling, and its factors.

    The factor is 0, and the row empty, where the potential is fixed.
    """
    lay, p, c = device.layout, device.parameters, device.constants
    vt = c.thermal_voltage(p["T"])
    doping = np.zeros(lay.n)
    doping[lay.nodes] = c.q * lay.at_rows(np.abs(p["doping"][lay.doped]) * lay.volumes)
    weight = lay.permittivity(p["eps_r"]) * lay.ratio * (c.eps0 * vt)
    scale = _factors(lay.divergence, weight, lay.psi_free, doping)
    return _with_scaled_rows(scale, lay.divergence), scale


def carrier_rows(
    device: DeviceModel, name: str, floating: tuple[np.ndarray, csr_array]
) -> CarrierRows:
    """Return rows of electrons ("n") or holes ("p"), with roots and sums of floating regions."""
    lay, (roots, sums) = device.layout, floating
    scale = _factors(lay.carrier_divergence, row_weight(device, name), lay.carrier_free)
    reference = _references(device, name)
    region = _with_scaled_rows(scale[roots], sums)
    # entries are whole numbers: inner fluxes cancel exactly
    border = _with_scaled_rows(scale[roots], csr_array(sums @ lay.carrier_divergence))
    scale[roots] = 0.0
    start, end = (_with_scaled_rows(scale, part) for part in incidence(lay.row_edges, lay.n_s))
    return CarrierRows(start, end, scale, roots, border, region, placing(roots, lay.n_s), reference)


class KeptBalances(NamedTuple):
    """How the balances of one carrier are put together where its fluxes are unknowns.

    Attributes
    ----------
    divergence : csr_array, shape (n_s, m)
        Takes the fluxes.
    sums : csr_array of shape (n_s, n_s), or None
        Takes what nodes lose or store; None where every balance is that of its own node.
    """

    divergence: csr_array
    sums: csr_array | None

    def of_nodes(self, values: Any) -> Any:
        """What the balances hold of values at the nodes."""
        return values if self.sums is None else self.sums @ values


def kept_balances(device: DeviceModel, name: str) -> KeptBalances:
    """Return the balances of electrons ("n") or holes ("p"), those of roots over their regions.

    Fluxes circulate where edges form loops, with the rounding errors of the conductances. Factors
    of the matrix then lose the small sum over a floating region, unless it is an equation of its
    own. In one dimension nothing circulates, and such rows would only widen the band.
    """
    lay, rows = device.layout, device.carrier_rows[name]
    if len(lay.row_edges) < lay.n_s or not len(rows.roots):
        return KeptBalances(lay.carrier_divergence, None)
    others = np.ones(lay.n_s)
    others[rows.roots] = 0.0
    region = rows.region.copy()
    region.data[:] = 1.0
    sums = csr_array(diags_array(others) + rows.place @ region)
    divergence = csr_array(sums @ lay.carrier_divergence)  # whole numbers: the inner ones cancel
    divergence.eliminate_zeros()
    return KeptBalances(divergence, sums)


def _with_scaled_rows(scale: np.ndarray, matrix: csr_array) -> csr_array:
    """Return a matrix with its rows multiplied by factors, without the entries that are zero."""
    data = matrix.data * np.repeat(scale, np.diff(matrix.indptr))
    scaled = csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape, copy=True)
    scaled.eliminate_zeros()
    return scaled


def _references(device: DeviceModel, name: str) -> np.ndarray:
    """For each pair, that of the same node where the carrier has most states at its level."""
    lay, p = device.layout, device.parameters
    own = np.arange(lay.pairs)
    if lay.pairs == lay.n_s:
        return own
    factors = log_factors(p, device.constants.thermal_voltage(p["T"]))["np".index(name)]
    order = np.argsort(factors * np.ones(lay.pairs), kind="stable")
    most = np.zeros(lay.n_s, dtype=int)
    most[lay.row[order]] = order  # the last one written is the largest
    found: np.ndarray = most[lay.row]
    return found


def _factors(
    divergence: csr_array, weight: Any, free: np.ndarray, more: float | np.ndarray = 0.0
) -> np.ndarray:
    """One over the couplings of each row, 0 where the unknown is fixed."""
    total = abs(divergence) @ np.abs(weight) + more
    return np.asarray(free / np.where(total > 0, total, 1.0))
