"""Fields and current densities in the cells of a mesh, from those along its edges.

The field in a cell is the one whose components along the cell's edges fit best, each edge weighted
by its couple times its length. A uniform field is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from ...errors import InputError
from .cells import CellMesh

Array = Any
FLOOR = 1.0  # V/cm: sqrt(E^2 + 1) instead of E has a reciprocal everywhere


class CellFields:
    """Operators between the edges, the cells and the nodes of a device's semiconductor.

    Attributes
    ----------
    parts : list of csr_array, shape (k, m)
        Components of a vector in each cell, from its components along the semiconductor's edges.
    to_nodes : csr_array, shape (pairs, k)
        The volume that each cell gives to its nodes.
    shares : csr_array, shape (pairs, k)
        The same without negative volumes, those of a cell scaled to the same sum. What a cell
        makes is shared out so.
    """

    def __init__(self, device: Any) -> None:
        lay, mesh = device.layout, device.mesh
        self.lengths, self.layout = lay.carrier_lengths, lay
        self.couples = lay.carrier_ratio * lay.carrier_lengths
        cells, edges, weights, volumes = _semiconductor_cells(device)
        ends = lay.pair_nodes[lay.carrier_edges]
        x = mesh.nodes.reshape(mesh.n, -1)
        tangents = (x[ends[:, 1]] - x[ends[:, 0]]) / self.lengths[:, None]
        t = tangents[edges]
        normal = np.einsum("ke,kei,kej->kij", weights, t, t)
        inverse = np.linalg.solve(normal, np.swapaxes(weights[:, :, None] * t, 1, 2))
        k, count = edges.shape
        rows = np.repeat(np.arange(k), count)
        shape = (k, len(self.lengths))
        self.parts = [
            csr_array(coo_array((inverse[:, i].ravel(), (rows, edges.ravel())), shape=shape))
            for i in range(x.shape[1])
        ]
        where = cells.ravel(), np.repeat(np.arange(k), cells.shape[1])
        self.to_nodes = csr_array(coo_array((volumes.ravel(), where), shape=(lay.pairs, k)))
        mean = np.full(len(where[0]), 1.0 / cells.shape[1])
        self._mean = csr_array(coo_array((mean, where[::-1]), shape=(k, lay.pairs)))
        positive = np.maximum(volumes, 0.0)
        positive *= (volumes.sum(axis=1) / positive.sum(axis=1))[:, None]
        self.shares = csr_array(coo_array((positive.ravel(), where), shape=(lay.pairs, k)))

    def at_cells(self, values: Array) -> Array:
        """In the cells, from a number or from values at the pairs: the mean of their corners."""
        return values if np.ndim(values) == 0 else self._mean @ values

    def density(self, flux: Array) -> list[Array]:
        """Components of a flux per area in the cells, from the flux along each edge."""
        return [part @ (flux * (1.0 / self.couples)) for part in self.parts]

    def field(self, s: Any) -> list[Array]:
        """Components of the electric field in the cells, V/cm."""
        return self.gradient(s, s.du if self.layout.every_edge else s.du[self.layout.kept])

    def gradient(self, s: Any, drop: Array) -> list[Array]:
        """Components of a gradient in the cells, V/cm, from drops along the edges in kT/q."""
        return [part @ (drop * (s.vt / self.lengths)) for part in self.parts]

    def at_nodes(self, cells: list[Array]) -> Array:
        """Root of the mean square of a field over the cells of each node, V/cm, at least 1."""
        square = sum(e**2 for e in cells)
        return np.sqrt((self.to_nodes @ square) / self.layout.volumes + FLOOR**2)


def _semiconductor_cells(device: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs and edges of the semiconductor's cells, weights of the edges, volumes of the nodes."""
    lay, mesh, regions = device.layout, device.mesh, device.regions
    if regions is not None:
        return _cells_of_regions(device)
    if not isinstance(mesh, CellMesh):
        if mesh.dimension > 1:
            raise InputError(
                "mesh: models with a field need the cells of a mesh of two dimensions; make it "
                "with rectangle, triangulation or read_mesh"
            )
        share = 0.5 * lay.carrier_ratio * lay.carrier_lengths**2
        halves = np.repeat(share[:, None], 2, axis=1)
        edges = np.arange(len(lay.carrier_lengths))[:, None]
        return lay.carrier_edges, edges, np.ones(edges.shape), halves
    number = np.full(len(mesh.edges), -1)
    number[lay.kept] = np.arange(len(lay.carrier_lengths))
    inside = (lay.local[mesh.cells] >= 0).all(axis=1)
    weights = np.abs(mesh.cell_couples[inside]) * mesh.lengths[mesh.cell_edges[inside]]
    return (
        lay.local[mesh.cells[inside]],
        *_carrying(number[mesh.cell_edges[inside]], weights),
        mesh.cell_volumes[inside],
    )


def _carrying(edges: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges that carry nothing, such as diagonals of rectangles, without a weight."""
    return np.maximum(edges, 0), np.where(edges >= 0, weights, 0.0)


def _cells_of_regions(device: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    lay, mesh, regions = device.layout, device.mesh, device.regions
    kept = np.full(len(regions.couples), -1)
    kept[regions.couples != 0] = np.arange(len(lay.carrier_lengths))
    inside = regions.inside
    edges = kept[regions.edges_of_cells]
    weights = np.abs(mesh.cell_couples[inside]) * mesh.lengths[mesh.cell_edges[inside]]
    return regions.pairs_of_cells, *_carrying(edges, weights), mesh.cell_volumes[inside]
