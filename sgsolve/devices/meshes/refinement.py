"""Refinement: edges over which a potential drops by much get a node in their middle.

Intervals, triangles and tetrahedra are cut at their longest edge only, all cells around it at once:
the mesh stays conforming, and angles stay bounded. A marked edge that is not the longest of a cell
waits until that one is cut. The diagonals of triangles are then exchanged until the mesh is
Delaunay inside each region. Tetrahedra are not changed further: look at their `quality`. Tensor
grids get lines.

References: M. C. Rivara, Int. J. Numer. Methods Eng. 20 (1984) 745; C. L. Lawson, in Mathematical
Software III (1977) 161, on diagonals.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.sparse import csr_array, eye_array, kron, vstack

from ...errors import InputError, ShapeError
from .cells import CellMesh, interval
from .delaunay import with_delaunay_diagonals
from .grids import box, rectangle
from .tetrahedra import tetrahedralization
from .triangles import triangulation


@dataclass(frozen=True)
class Refinement:
    """A finer mesh, and where its nodes and cells come from.

    Attributes
    ----------
    mesh : CellMesh
        The finer mesh.
    parents : ndarray of int, shape (k,)
        The coarse cell that each cell is in; after an exchange of diagonals, one of its region.
    weights : csr_array, shape (n, n_coarse)
        Values at its nodes from values at the coarse nodes: the mean of the ends of cut edges.

    See Also
    --------
    refinement : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import interval, refinement
    >>> finer = refinement(interval([0.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0]), 0.6)
    >>> finer.mesh.nodes.tolist(), finer.parents.tolist()
    ([0.0, 1.0, 1.5, 2.0], [0, 1, 1])
    """

    mesh: CellMesh
    parents: np.ndarray
    weights: csr_array

    def nodes(self, coarse: Any) -> np.ndarray:
        """Return the nodes that lie on a part of the mesh, from its coarse nodes.

        Parameters
        ----------
        coarse : sequence of int or mask
            Nodes of the coarse mesh, such as those of a contact.

        Returns
        -------
        ndarray of int
            These nodes, and those in the middle of edges between them.
        """
        inside = np.zeros(self.weights.shape[1])
        inside[np.asarray(coarse)] = 1.0
        return np.flatnonzero(self.weights @ inside > 1.0 - 1e-12)


def refinement(
    mesh: CellMesh, potential: np.ndarray, drop: float, regions: Any = None, dual: str | None = None
) -> Refinement:
    """Return a mesh with nodes in the middle of edges over which a potential drops by much.

    Parameters
    ----------
    mesh : CellMesh
        Of `interval`, `rectangle`, `box`, `triangulation`, `tetrahedralization` or `read_mesh`.
    potential : ndarray, shape (n,) or (n, k)
        At the nodes, V: the first block of a device's state; or several columns, of which the
        largest drop counts.
    drop : float
        Edges with a larger drop are cut, V. An edge is cut once; refine again for more.
    regions : array_like, shape (k,), optional
        The region of each cell: no triangle crosses their borders. One region by default.
    dual : {"circumcentric", "barycentric"}, optional
        As for `tetrahedralization`; that of the mesh by default.

    Returns
    -------
    Refinement
        The finer mesh, which is the same where no edge drops by so much.

    Raises
    ------
    InputError
        If `drop` is not positive, or rectangles or boxes are no tensor grid.
    ShapeError
        If there is not one potential for each node, or not one region for each cell.

    See Also
    --------
    solve_refined : Refines, carries the state over and solves, until no edge drops by more.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import interval, refinement
    >>> x = np.linspace(0.0, 1.0, 5)
    >>> refinement(interval(x), np.tanh(20 * (x - 0.4)), 0.5).mesh.nodes.tolist()
    [0.0, 0.25, 0.375, 0.5, 0.75, 1.0]
    """
    if not (np.isfinite(drop) and drop > 0.0):
        raise InputError(f"drop: must be positive, in V, got {drop!r}")
    potential = np.asarray(potential, dtype=float)
    if potential.shape[:1] != (mesh.n,):
        raise ShapeError(
            f"potential: needs one value for each of the {mesh.n} nodes, got {potential.shape}"
        )
    steps = np.abs(potential[mesh.edges[:, 0]] - potential[mesh.edges[:, 1]])
    marked = steps.reshape(len(mesh.edges), -1).max(axis=1) > drop
    if mesh.dimension > 1 and mesh.cells.shape[1] > mesh.dimension + 1:
        return _with_lines(mesh, marked)
    names = np.zeros(len(mesh.cells)) if regions is None else np.asarray(regions)
    if names.shape != (len(mesh.cells),):
        raise ShapeError(
            f"regions: needs one for each of the {len(mesh.cells)} cells, got {names.shape}"
        )
    return _bisected(mesh, marked, names, dual or mesh.dual)


def _bisected(mesh: CellMesh, marked: np.ndarray, names: np.ndarray, dual: str) -> Refinement:
    """Cut simplices at their longest edges until all marked edges are cut."""
    points, cells, parents = mesh.nodes, mesh.cells, np.arange(len(mesh.cells))
    weights = csr_array(eye_array(mesh.n))
    ends = np.sort(mesh.edges[marked], axis=1)
    while len(ends):
        edges, of_cells = _edges_of_cells(cells)
        rank = _order_of_lengths(points, edges)
        longest = of_cells[np.arange(len(cells)), np.argmax(rank[of_cells], axis=1)]
        wanted = _mask_of(edges, ends, len(points))
        wanted = _with_longest(wanted, of_cells, longest)
        # Those that are the longest edge of all cells around them are cut at once.
        around = np.bincount(of_cells.ravel(), minlength=len(edges))
        last = wanted & (np.bincount(longest, minlength=len(edges)) == around)
        ends = edges[wanted & ~last]
        number = np.full(len(edges), -1)
        number[last] = np.arange(np.count_nonzero(last))
        halves = _halves(edges[last], len(points))
        points, weights = _appended(points, halves), csr_array(vstack([weights, halves @ weights]))
        cells, parents = _in_two(cells, parents, edges, longest, number, weights.shape[0])
    return _mesh_of(mesh, points, cells, parents, weights, names, dual)


def _edges_of_cells(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The edges of simplices in ascending order, and their numbers in each cell."""
    corners = list(combinations(range(cells.shape[1]), 2))
    pairs = np.sort(cells[:, corners], axis=2).reshape(-1, 2)
    edges, which = np.unique(pairs, axis=0, return_inverse=True)
    return edges, which.reshape(len(cells), -1)


def _order_of_lengths(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Place of each edge in the order of their lengths; equal to rounding, by their numbers."""
    apart = (points[edges[:, 1]] - points[edges[:, 0]]).reshape(len(edges), -1)
    lengths = np.linalg.norm(apart, axis=1)
    classes = np.round(np.log(lengths), 9)
    rank = np.empty(len(edges), dtype=int)
    rank[np.lexsort((np.arange(len(edges)), classes))] = np.arange(len(edges))
    return rank


def _mask_of(edges: np.ndarray, ends: np.ndarray, n: int) -> np.ndarray:
    """Mask of edges by their ends; all of these are edges."""
    found = np.zeros(len(edges), dtype=bool)
    found[np.searchsorted(edges[:, 0] * n + edges[:, 1], ends[:, 0] * n + ends[:, 1])] = True
    return found


def _with_longest(wanted: np.ndarray, of_cells: np.ndarray, longest: np.ndarray) -> np.ndarray:
    """Marks with the longest edge of every cell that has one, until there are no more."""
    while True:
        more = longest[wanted[of_cells].any(axis=1)]
        if wanted[more].all():
            return wanted
        wanted[more] = True


def _halves(edges: np.ndarray, n: int) -> csr_array:
    """Matrix that takes the mean of the two ends of edges."""
    k = len(edges)
    entries = np.full(2 * k, 0.5), edges.ravel(), 2 * np.arange(k + 1)
    return csr_array(entries, shape=(k, n))


def _appended(points: np.ndarray, halves: csr_array) -> np.ndarray:
    return np.concatenate([points, halves @ points])


def _in_two(
    cells: np.ndarray,
    parents: np.ndarray,
    edges: np.ndarray,
    longest: np.ndarray,
    number: np.ndarray,
    n: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Cells whose longest edge has a number, cut at its middle, one of the last of n nodes."""
    cut = number[longest] >= 0
    near, far = edges[longest[cut]].T
    middle = (n - number.max() - 1 + number[longest[cut]])[:, None]
    old = cells[cut]
    first, second = (np.where(old == end[:, None], middle, old) for end in (far, near))
    return (
        np.concatenate([cells[~cut], first, second]),
        np.concatenate([parents[~cut], parents[cut], parents[cut]]),
    )


def _mesh_of(
    mesh: CellMesh,
    points: np.ndarray,
    cells: np.ndarray,
    parents: np.ndarray,
    weights: csr_array,
    names: np.ndarray,
    dual: str,
) -> Refinement:
    """The mesh of these cells, its nodes in ascending order in one dimension."""
    if mesh.dimension == 1:
        order = np.argsort(points)
        place = np.argsort(order)
        finer = interval(points[order])
        by_cell = np.argsort(place[cells].min(axis=1))
        return Refinement(finer, parents[by_cell], csr_array(weights[order]))
    if mesh.dimension == 2:
        cells, parents = with_delaunay_diagonals(points, cells, parents, names)
        return Refinement(triangulation(points, cells), parents, weights)
    return Refinement(tetrahedralization(points, cells, dual), parents, weights)


def _with_lines(mesh: CellMesh, marked: np.ndarray) -> Refinement:
    """A tensor grid with a line through the middle of every layer with a marked edge."""
    axes = [np.unique(mesh.nodes[:, i]) for i in range(mesh.dimension)]
    coarse = rectangle(*axes) if mesh.dimension == 2 else box(*axes)
    if coarse.n != mesh.n or not np.array_equal(coarse.nodes, mesh.nodes):
        raise InputError("mesh: rectangles and boxes are refined as tensor grids, and this is none")
    ends = mesh.nodes[mesh.edges[marked]]
    finer, weights, layers = [], csr_array(np.ones((1, 1))), []
    for i, axis in enumerate(axes):
        low = ends[:, :, i].min(axis=1)
        low = low[ends[:, 0, i] != ends[:, 1, i]]
        layer = np.unique(np.searchsorted(axis, low))
        line, one, parent = _with_middles(axis, layer)
        finer.append(line)
        layers.append(parent)
        weights = csr_array(kron(weights, one))
    counts = [len(axis) - 1 for axis in axes]
    parents = np.ravel_multi_index(np.meshgrid(*layers, indexing="ij"), counts).ravel()
    made = rectangle(*finer) if mesh.dimension == 2 else box(*finer)
    return Refinement(made, parents, weights)


def _with_middles(axis: np.ndarray, layer: np.ndarray) -> tuple[np.ndarray, csr_array, np.ndarray]:
    """Coordinates with the middles of some layers, their weights, and the parent of each layer."""
    n = len(axis)
    halves = _halves(np.stack([layer, layer + 1], axis=1), n)
    weights = csr_array(vstack([eye_array(n), halves]))
    points = weights @ axis
    order = np.argsort(points)
    parents = np.searchsorted(axis, points[order][:-1], side="right") - 1
    return points[order], csr_array(weights[order]), parents
