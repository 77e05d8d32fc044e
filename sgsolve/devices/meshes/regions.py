"""Regions of a device: pairs of a node and a region, where parameters jump at interfaces.

A node at an interface belongs to the cells of several materials. It has one potential and one level
of each carrier, but each region has its own density of states and band edges there. The charge and
the rates of the node are sums over the parts of its control volume, each with the parameters of its
region. If an interface node had the parameters of one region only, half of a control volume would
be in the wrong material: an error of first order in the mesh.

Reference: D. Abdel, P. Farrell, J. Fuhrmann, Opt. Quantum Electron. 53 (2021) 163.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from ...errors import DataTypeError, InputError
from .cells import CellMesh


class Regions:
    """Pairs of a node and a region of a mesh; a device then takes parameters over the pairs.

    Parameters
    ----------
    mesh : CellMesh
        Such as `interval`, `rectangle` and `triangulation` return.
    cells : array_like of str, shape (k,)
        The region of each cell. The empty string stands for an insulator, which has no carriers.

    Attributes
    ----------
    nodes : ndarray of int, shape (pairs,)
        The node of each pair. The first pairs are one for each node, in ascending order; the
        others, at the interfaces, follow.
    names : ndarray of str, shape (pairs,)
        The region of each pair, for `layered`.
    volumes : ndarray, shape (pairs,)
        The part of the node's control volume inside the region, cm**dim.
    edges : ndarray of int, shape (m, 2)
        The two pairs of each edge inside a region.
    numbers : ndarray of int, shape (m,)
        The edge of the mesh of each of them.
    couples : ndarray, shape (m,)
        The part of the edge's couple inside the region, cm**(dim - 1).

    Raises
    ------
    DataTypeError
        If the mesh has no cells.
    ShapeError
        If there is not one region for each cell.
    InputError
        If no cell is in a region, or a part of a control volume is not positive.

    See Also
    --------
    Device : Takes it as ``regions``.
    layered : Parameters of several materials.

    Examples
    --------
    Two layers: the node between them is in both.

    >>> from sgsolve.devices import Regions, interval
    >>> regions = Regions(interval([0.0, 1e-5, 3e-5]), ["wide", "narrow"])
    >>> list(zip(regions.nodes.tolist(), regions.names.tolist()))
    [(0, 'wide'), (1, 'wide'), (2, 'narrow'), (1, 'narrow')]
    >>> (1e6 * regions.volumes).round(6).tolist()
    [5.0, 5.0, 10.0, 10.0]
    """

    def __init__(self, mesh: CellMesh, cells: Any) -> None:
        if not isinstance(mesh, CellMesh):
            raise DataTypeError(f"mesh: regions need a mesh with cells, not {type(mesh).__name__}")
        of_cell = mesh._of_cells(np.asarray(cells, dtype=str), "cells")
        inside = of_cell != ""
        if not inside.any():
            raise InputError("cells: none is in a region; all are named ''")
        self.mesh, first = mesh, np.sort(np.unique(of_cell[inside], return_index=True)[1])
        self.all_names = of_cell[inside][first]
        number = np.argmax(of_cell[inside][:, None] == self.all_names, axis=1)
        self.inside = inside
        self._pairs(mesh.cells[inside], number, mesh.cell_volumes[inside])
        self._edges(mesh.cell_edges[inside], number, mesh.cell_couples[inside])

    def _pairs(self, cells: np.ndarray, number: np.ndarray, volumes: np.ndarray) -> None:
        """Nodes, regions and volumes, the first pair of each node before all second ones."""
        count = len(self.all_names)
        keys, which = np.unique(cells * count + number[:, None], return_inverse=True)
        again = np.append(False, keys[1:] // count == keys[:-1] // count)
        order = np.argsort(again, kind="stable")
        place = np.empty(len(keys), dtype=int)
        place[order] = np.arange(len(keys))
        self.nodes, of_pair = keys[order] // count, keys[order] % count
        self.names, self._keys, self._place = self.all_names[of_pair], keys, place
        self.pairs_of_cells = place[which.reshape(cells.shape)]
        self.volumes = np.bincount(self.pairs_of_cells.ravel(), volumes.ravel(), len(keys))
        if not (self.volumes > 0.0).all():
            i = int(np.argmin(self.volumes))
            raise InputError(
                f"cells: the volume of node {self.nodes[i]} in {str(self.names[i])!r} is "
                f"{self.volumes[i]:g}, and all must be positive; refine the mesh at this interface"
            )

    def _edges(self, edges: np.ndarray, number: np.ndarray, couples: np.ndarray) -> None:
        count = len(self.all_names)
        keys, which = np.unique(edges * count + number[:, None], return_inverse=True)
        self.numbers, of_edge = keys // count, keys % count
        self.edges_of_cells = which.reshape(edges.shape)
        self.couples = np.bincount(which.ravel(), couples.ravel(), len(keys))
        ends = self.mesh.edges[self.numbers] * count + of_edge[:, None]
        self.edges = self._place[np.searchsorted(self._keys, ends)]

    def of_cells(self, values: np.ndarray) -> np.ndarray:
        """Return a property of the cells as its mean at each pair, weighted by volumes.

        Parameters
        ----------
        values : ndarray, shape (k,)
            One per cell of the mesh, such as a rate of generation.

        Returns
        -------
        ndarray, shape (pairs,)
        """
        values = self.mesh._of_cells(values, "values")[self.inside]
        amounts = values[:, None] * self.mesh.cell_volumes[self.inside]
        total = np.bincount(self.pairs_of_cells.ravel(), amounts.ravel(), len(self.nodes))
        return np.asarray(total / self.volumes)

    def over_edges(self) -> csr_array:
        """Return the matrix that gives a property on the mesh's edges, from values at the pairs.

        It is the mean over the regions of the edge, weighted by their couples.
        """
        total = self.mesh.couples[self.numbers]
        plain = 1.0 / np.bincount(self.numbers, minlength=len(self.mesh.edges))[self.numbers]
        tiny = np.abs(total) <= 1e-12 * np.abs(self.mesh.couples).max()
        share = np.where(tiny, plain, self.couples / np.where(tiny, 1.0, total))
        entries = np.concatenate([0.5 * share, 0.5 * share])
        rows, columns = np.tile(self.numbers, 2), self.edges.T.ravel()
        shape = (len(self.mesh.edges), len(self.nodes))
        return csr_array(coo_array((entries, (rows, columns)), shape=shape))

    def of(self, name: str) -> np.ndarray:
        """Return the pairs of a region, as a mask.

        Raises
        ------
        InputError
            If there is no such region.
        """
        if name not in self.all_names:
            raise InputError(
                f"there is no region {name!r}; there are {', '.join(self.all_names.tolist())}"
            )
        found: np.ndarray = self.names == name
        return found
