"""What the carriers of a device store, in the balances that are divided by their densities.

It serves for steps towards a steady state, which does not depend on it: of several pairs at a node
the one with most states stands for all.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import block_diag, coo_array, csr_array, diags_array

from ...pattern import Pattern
from .density_newton import RANGE, Densities, DensityState

Array = np.ndarray


class CarrierStorage:
    """What the carriers of a device store, for relative changes of their densities.

    Attributes
    ----------
    of : ndarray of int
        Number of the density of each weight.
    """

    def __init__(self, densities: Densities) -> None:
        device, lay = densities.device, densities.device.layout
        free = np.flatnonzero(lay.carrier_free > 0.0)
        volumes = lay.at_rows(lay.volumes) / device.constants.thermal_voltage(densities.p["T"])
        blocks, roots = [], []
        for name, sign in (("n", -1.0), ("p", 1.0)):
            rows = device.carrier_rows[name]
            whole = rows.place @ csr_array(rows.region @ diags_array(volumes))
            one = csr_array(diags_array(rows.scale * volumes) + whole)[free][:, free]
            blocks.append(sign * one)
            roots.append(np.isin(free, rows.roots))
        self._take(densities, blocks)
        self._in_region = np.concatenate(roots)[self._row]

    def _take(self, densities: Densities, blocks: list[csr_array]) -> None:
        """Keep what each density adds to each balance, of electrons and of holes."""
        joined = coo_array(block_diag(blocks))
        self._densities, self._weight = densities, joined.data
        self._row, self.of = joined.coords

    def weights(self, here: DensityState) -> Array:
        """What each density adds to each balance, divided by the density of the balance."""
        ratio = here.log[self.of] - here.log[self._row]
        found: Array = (
            np.where(self._in_region, np.exp(np.clip(ratio, -RANGE, RANGE)), 1.0) * self._weight
        )
        return found

    def change(self, weights: Array, relative: Array) -> Array:
        """What the balances take to change the densities."""
        taken: Array = np.bincount(self._row, weights * relative[self.of], len(relative))
        return taken

    def places(self, pattern: Pattern) -> tuple[Pattern, Array, Array, Array]:
        """A pattern with the storage, and where J, and storage by psi and by levels, are in it."""
        d = self._densities
        rows = np.concatenate([d.rows[self._row], d.rows[self._row]])
        columns = np.concatenate([d.psi[self.of], d.rows[self.of]])
        stored, order = Pattern.from_coordinates(rows, columns, pattern.shape)
        whole = pattern.union(stored)
        by_psi, by_level = np.split(whole.positions(stored)[order], 2)
        return whole, whole.positions(pattern), by_psi, by_level
