"""Meshes made of cells, with the contributions of each cell to couples and volumes.

The contributions are stored. A sum over some of the cells gives everything that depends on a
material: the couples and volumes of the semiconductor, the permittivity of each edge, the measure
of a boundary.

Reference: R. E. Bank, D. J. Rose, W. Fichtner, IEEE Trans. Electron Devices 30 (1983) 1031.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...errors import InputError, ShapeError
from .mesh import Mesh

# Nodes of the facets of a cell, by dimension and number of its nodes, in order around each.
FACETS = {
    (2, 3): np.array([[0, 1], [1, 2], [2, 0]]),
    (2, 4): np.array([[0, 1], [1, 2], [2, 3], [3, 0]]),
    (3, 4): np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]),
    (3, 8): np.array(
        [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
    ),
}


@dataclass(frozen=True)
class CellMesh(Mesh):
    """A mesh with the contribution of each cell to couples and volumes.

    Parameters
    ----------
    nodes, edges, couples, volumes : ndarray
        As in `Mesh`.
    cells : ndarray of int, shape (k, v)
        Nodes of every cell.
    cell_edges : ndarray of int, shape (k, e)
        Edges of every cell.
    cell_couples : ndarray, shape (k, e)
        What the cell adds to their couples.
    cell_volumes : ndarray, shape (k, v)
        What it adds to the volumes of its nodes, in the order of `cells`.
    dual : {"circumcentric", "barycentric"}
        How couples and volumes were made, see `tetrahedralization`.

    See Also
    --------
    interval, rectangle, box, triangulation, tetrahedralization, read_mesh

    Examples
    --------
    The mesh functions return it. This selects the nodes of a contact on one side:

    >>> import numpy as np
    >>> from sgsolve.devices import rectangle
    >>> mesh = rectangle(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    >>> mesh.where(mesh.nodes[:, 1] == 0.0).tolist()
    [0, 3, 6]
    """

    cells: np.ndarray = field(kw_only=True)
    cell_edges: np.ndarray = field(kw_only=True)
    cell_couples: np.ndarray = field(kw_only=True)
    cell_volumes: np.ndarray = field(kw_only=True)
    dual: str = field(kw_only=True, default="circumcentric")

    def part(self, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return couples and volumes of some cells alone; give them to a device as ``active``.

        Parameters
        ----------
        inside : ndarray of bool, shape (k,)
            True for the cells of the semiconductor.

        Returns
        -------
        couples : ndarray, shape (m,)
            Of the edges.
        volumes : ndarray, shape (n,)
            Of the nodes.
        """
        inside = self._of_cells(inside, "inside").astype(bool)
        couples, volumes = np.zeros(len(self.edges)), np.zeros(self.n)
        np.add.at(couples, self.cell_edges[inside], self.cell_couples[inside])
        np.add.at(volumes, self.cells[inside], self.cell_volumes[inside])
        return couples, volumes

    def on_edges(self, values: np.ndarray) -> np.ndarray:
        """Return a property of the cells as its mean at each edge, weighted by couples.

        Parameters
        ----------
        values : ndarray, shape (k,)
            One per cell, such as the relative permittivity.

        Returns
        -------
        ndarray, shape (m,)
            One value for each edge.
        """
        values = self._of_cells(values, "values")
        shares = np.zeros((2, len(self.edges)))
        np.add.at(shares[0], self.cell_edges, values[:, None] * self.cell_couples)
        plain = np.zeros((2, len(self.edges)))
        np.add.at(
            plain[0], self.cell_edges, np.broadcast_to(values[:, None], self.cell_edges.shape)
        )
        np.add.at(plain[1], self.cell_edges, 1.0)
        # Where the couples of two cells cancel, their plain mean serves: it is multiplied by zero.
        tiny = np.abs(self.couples) <= 1e-12 * np.abs(self.couples).max()
        mean: np.ndarray = shares[0] / np.where(tiny, 1.0, self.couples)
        return np.where(tiny, plain[0] / plain[1], mean)

    def centers(self) -> np.ndarray:
        """Return the mean of the nodes of every cell, cm: to say which cells are which material."""
        middle: np.ndarray = self.nodes[self.cells].mean(axis=1)
        return middle

    def where(self, condition: np.ndarray) -> np.ndarray:
        """Return the numbers of the nodes where a condition holds.

        Raises
        ------
        InputError
            If it holds nowhere: a contact without nodes is a mistake.
        """
        nodes = np.flatnonzero(condition)
        if not len(nodes):
            raise InputError("where: no node of the mesh satisfies the condition")
        return nodes

    def boundary(self, nodes: np.ndarray) -> np.ndarray:
        """Return the measure of the outside that belongs to each of some nodes, cm**(dim - 1).

        A facet counts if all its nodes are among those asked for, with equal shares.

        Parameters
        ----------
        nodes : sequence of int or ndarray of bool, shape (n,)
            As for contacts: numbers, of which negative ones count from the end, or a mask.

        Returns
        -------
        ndarray
            One value for each of these nodes.
        """
        nodes = np.atleast_1d(np.arange(self.n)[np.asarray(nodes)])
        if self.dimension == 1:
            return np.ones(len(nodes))
        measure = np.zeros(self.n)
        local = FACETS[self.dimension, self.cells.shape[1]]
        facets = self.cells[:, local].reshape(-1, local.shape[1])
        ordered, first, counts = np.unique(
            np.sort(facets, axis=1), axis=0, return_index=True, return_counts=True
        )
        outside = facets[first[(counts == 1) & np.isin(ordered, nodes).all(axis=1)]]
        share = _measures(self.nodes[outside]) / outside.shape[1]
        np.add.at(measure, outside, share[:, None])
        found: np.ndarray = measure[nodes]
        return found

    def _of_cells(self, values: np.ndarray, name: str) -> np.ndarray:
        values = np.asarray(values)
        if values.shape != (len(self.cells),):
            raise ShapeError(
                f"{name}: needs one value for each of the {len(self.cells)} cells, "
                f"got shape {values.shape}"
            )
        return values


def _measures(corners: np.ndarray) -> np.ndarray:
    """Return the lengths of line segments, or the areas of triangles and flat quadrilaterals."""
    if corners.shape[1] == 2:
        lengths: np.ndarray = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
        return lengths
    diagonal = corners[:, 2] - corners[:, 0]
    other = corners[:, 1] - corners[:, -1 if corners.shape[1] == 4 else 0]
    areas: np.ndarray = 0.5 * np.linalg.norm(np.cross(diagonal, other), axis=1)
    return areas


def from_cells(
    nodes: np.ndarray,
    cells: np.ndarray,
    pairs: np.ndarray,
    couples: np.ndarray,
    volumes: np.ndarray,
    dual: str = "circumcentric",
) -> CellMesh:
    """Add up the contributions of cells.

    Parameters
    ----------
    nodes : ndarray, shape (n,) or (n, dim)
    cells : ndarray of int, shape (k, v)
    pairs : ndarray of int, shape (k, e, 2)
        The two nodes of every edge of every cell.
    couples : ndarray, shape (k, e)
    volumes : ndarray, shape (k, v)
    """
    k, e, _ = pairs.shape
    ordered = np.sort(pairs.reshape(k * e, 2), axis=1)
    edges, which = np.unique(ordered, axis=0, return_inverse=True)
    cell_edges = which.reshape(k, e)
    total, node_volumes = np.zeros(len(edges)), np.zeros(len(nodes))
    np.add.at(total, cell_edges, couples)
    np.add.at(node_volumes, cells, volumes)
    return CellMesh(
        nodes, edges, total, node_volumes, cells=cells,
        cell_edges=cell_edges, cell_couples=couples, cell_volumes=volumes, dual=dual,
    )  # fmt: skip


def interval(x: np.ndarray) -> CellMesh:
    """Return a one-dimensional mesh on ascending nodes; the couples are 1 (currents are per cm^2).

    Parameters
    ----------
    x : ndarray, shape (n,)
        Coordinates in cm, strictly ascending, at least three.

    Returns
    -------
    CellMesh
        The mesh.

    See Also
    --------
    graded : Nodes.
    rectangle, triangulation

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import interval
    >>> interval(np.array([0.0, 2.0, 3.0])).volumes.tolist()
    [1.0, 1.5, 0.5]
    """
    x = ascending("x", x)
    cells = np.stack([np.arange(len(x) - 1), np.arange(1, len(x))], axis=1)
    halves = np.repeat(0.5 * np.diff(x)[:, None], 2, axis=1)
    return from_cells(x, cells, cells[:, None, :], np.ones((len(cells), 1)), halves)


def ascending(name: str, x: np.ndarray) -> np.ndarray:
    """Coordinates as an array; raise unless they strictly ascend."""
    x = np.asarray(x, dtype=float)
    if x.ndim != 1 or len(x) < 3:
        raise ShapeError(f"{name}: need at least three nodes in one dimension, got shape {x.shape}")
    h = np.diff(x)
    if not (h > 0).all():
        i = int(np.argmin(h > 0))
        raise InputError(
            f"{name}: the mesh is not sorted: {name}[{i}] = {x[i]:g} and "
            f"{name}[{i + 1}] = {x[i + 1]:g}; sort the nodes and drop duplicates"
        )
    return x
