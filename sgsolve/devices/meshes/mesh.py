"""Vertex-centered finite volumes: nodes, edges, couples and volumes.

The equations of a device need the length and the *couple* of every edge, and the volume of every
node. The couple is the measure of the face that two control volumes share: 1 in one dimension, a
length in cm in two. A mesh can be given, or made by `cells.interval`, `grids.rectangle` or
`triangles.triangulation`.

Reference: R. E. Bank, D. J. Rose, W. Fichtner, IEEE Trans. Electron Devices 30 (1983) 1031.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ...errors import InputError, ShapeError


@dataclass(frozen=True)
class Mesh:
    """Nodes, and the edges that join them.

    Parameters
    ----------
    nodes : ndarray, shape (n,) or (n, dim)
        Coordinates in cm.
    edges : ndarray of int, shape (m, 2)
        The two nodes ``(a, b)`` of every edge; fluxes count positive from a to b.
    couples : ndarray, shape (m,)
        Measure of the face between the two control volumes, cm**(dim - 1). May be negative where
        triangles are obtuse: signed couples keep the sum of the volumes right.
    volumes : ndarray, shape (n,)
        Control volumes, cm**dim.
    cells : ndarray of int, shape (k, dim + 1) or (k, 4), optional
        The cells, for pictures and files only.

    Raises
    ------
    ShapeError, InputError
        Arrays that do not fit, an edge of length zero, a node outside the mesh.

    See Also
    --------
    interval, rectangle, triangulation

    Examples
    --------
    Two intervals of 1 um:

    >>> from sgsolve.devices import Mesh
    >>> mesh = Mesh([0.0, 1e-4, 2e-4], [[0, 1], [1, 2]], couples=[1.0, 1.0],
    ...             volumes=[5e-5, 1e-4, 5e-5])
    >>> mesh.n, mesh.dimension
    (3, 1)
    """

    nodes: np.ndarray
    edges: np.ndarray
    couples: np.ndarray
    volumes: np.ndarray
    cells: np.ndarray | None = None
    lengths: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        nodes = np.asarray(self.nodes, dtype=float)
        edges = np.asarray(self.edges, dtype=np.int64)
        couples = np.asarray(self.couples, dtype=float)
        volumes = np.asarray(self.volumes, dtype=float)
        n, m = len(nodes), len(edges)
        if edges.shape != (m, 2):
            raise ShapeError(
                f"edges: need shape (m, 2), two nodes for each edge; got {edges.shape}"
            )
        if couples.shape != (m,):
            raise ShapeError(f"couples: need one for each of the {m} edges, got {couples.shape}")
        if volumes.shape != (n,):
            raise ShapeError(f"volumes: need one for each of the {n} nodes, got {volumes.shape}")
        for name, values in (("nodes", nodes), ("couples", couples), ("volumes", volumes)):
            if not np.isfinite(values).all():
                raise InputError(f"{name}: has values that are not finite")
        if m and (edges.min() < 0 or edges.max() >= n):
            raise InputError(f"edges: name nodes outside 0 ... {n - 1}")
        difference = nodes[edges[:, 1]] - nodes[edges[:, 0]]
        lengths = np.abs(difference) if nodes.ndim == 1 else np.linalg.norm(difference, axis=1)
        if (lengths == 0).any():
            i = int(np.argmin(lengths))
            raise InputError(f"nodes {edges[i, 0]} and {edges[i, 1]} are joined and coincide")
        if nodes.ndim == 1 and lengths.sum() > (1 + 1e-9) * np.ptp(nodes):
            raise InputError("nodes: the mesh is not sorted: edges overlap; sort the nodes")
        for name, value in (
            ("nodes", nodes),
            ("edges", edges),
            ("couples", couples),
            ("volumes", volumes),
            ("lengths", lengths),
        ):
            object.__setattr__(self, name, value)

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    @property
    def dimension(self) -> int:
        """1, 2 or 3."""
        return 1 if self.nodes.ndim == 1 else int(self.nodes.shape[1])

    def ends(self) -> tuple[slice | np.ndarray, slice | np.ndarray]:
        """Return selections of the first and the second node of all edges.

        They are slices where the edges are a chain, because slicing costs nothing, and index
        arrays otherwise.
        """
        return ends_of(self.edges, self.n)

    def divergence(self) -> csr_array:
        """Return the matrix (n, m) that sums for every node the fluxes that leave it."""
        return divergence_of(self.edges, self.n)


def ends_of(edges: np.ndarray, n: int) -> tuple[slice | np.ndarray, slice | np.ndarray]:
    """Select the first and the second node of all edges, by slices if they form a chain."""
    a, b = np.ascontiguousarray(edges[:, 0]), np.ascontiguousarray(edges[:, 1])
    chain = np.arange(n - 1)
    if len(a) == n - 1 and np.array_equal(a, chain) and np.array_equal(b, chain + 1):
        return slice(0, n - 1), slice(1, n)
    return a, b


def divergence_of(edges: np.ndarray, n: int) -> csr_array:
    """Matrix (n, m): +1 where an edge starts, -1 where it ends."""
    start, end = incidence(edges, n)
    return csr_array(start + end)


def incidence(edges: np.ndarray, n: int) -> tuple[csr_array, csr_array]:
    """Its two parts: +1 where an edge starts, and -1 where it ends."""
    m = len(edges)
    columns = np.arange(m)
    start = csr_array((np.ones(m), (edges[:, 0], columns)), shape=(n, m))
    return start, csr_array((-np.ones(m), (edges[:, 1], columns)), shape=(n, m))


def edge_values(values: Any, edges: np.ndarray, n: int) -> Any:
    """A parameter on edges: as it is, or the mean of the two ends if it is given at nodes."""
    if np.ndim(values) == 0 or len(values) != n:
        return values
    return 0.5 * (values[edges[:, 0]] + values[edges[:, 1]])
