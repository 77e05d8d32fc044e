"""Graded nodes in one dimension, and tensor products of two of them.

The distances of the nodes grow geometrically from an interface, as a depletion layer needs.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .cells import CellMesh, ascending, from_cells


def graded(
    edges: list[float], spacing_ends: float, spacing_junction: float, ratio: float = 1.2
) -> np.ndarray:
    """Return nodes of layers, fine at every interface and coarsening geometrically away from it.

    Parameters
    ----------
    edges : list of float
        Ascending positions of the two ends and of the interfaces between them, cm.
    spacing_ends, spacing_junction : float
        First spacing at the two ends, and at the inner interfaces, cm.
    ratio : float, default 1.2
        Growth from one cell to the next, at least 1. At 1.2 the currents of the diode in
        `sgsolve.devices` differ from those of a fine mesh by 0.2 % forward and 5 % in reverse. At
        1.1 they differ by 0.1 % and 1.2 %.

    Returns
    -------
    ndarray
        Ascending coordinates, cm.

    See Also
    --------
    interval : A mesh on these nodes.
    rectangle : In two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import graded
    >>> x = graded([0.0, 1e-4, 2e-4], 1e-6, 1e-7, 1.2)
    >>> bool(np.all(np.diff(x) > 0)), float(x[-1])
    (True, 0.0002)
    """
    nodes = [np.array([edges[0]])]
    last = len(edges) - 2
    for i, (left, right) in enumerate(pairwise(edges)):
        first = spacing_ends if i == 0 else spacing_junction
        final = spacing_ends if i == last else spacing_junction
        steps = _spacings(right - left, first, final, ratio)
        inner = left + np.cumsum(steps)
        inner[-1] = right
        nodes.append(inner)
    return np.concatenate(nodes)


def _spacings(length: float, first: float, final: float, ratio: float) -> np.ndarray:
    """Spacings that grow from both ends and add up to the length."""
    left, right = [first], [final]
    while sum(left) + sum(right) < length:
        side = left if left[-1] <= right[-1] else right
        side.append(side[-1] * ratio)
    steps = np.array(left + right[::-1])
    scaled: np.ndarray = steps * (length / steps.sum())
    return scaled


def rectangle(x: np.ndarray, y: np.ndarray) -> CellMesh:
    """Return the tensor-product mesh of two ascending sets of coordinates.

    Node (i, j) has the number ``i * len(y) + j``; the cells are rectangles in the same order.

    Parameters
    ----------
    x, y : ndarray
        Coordinates in cm.

    Returns
    -------
    CellMesh
        The mesh.

    See Also
    --------
    graded : Nodes along one axis.
    interval, triangulation

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import rectangle
    >>> mesh = rectangle(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    >>> mesh.n, len(mesh.edges), float(mesh.volumes.sum())
    (9, 12, 6.0)
    """
    x, y = ascending("x", x), ascending("y", y)
    nodes = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(len(x) * len(y)).reshape(len(x), len(y))
    corners = [number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]]
    cells = np.stack([c.ravel() for c in corners], axis=1)
    hx, hy = (h.ravel() for h in np.meshgrid(np.diff(x), np.diff(y), indexing="ij"))
    pairs = np.stack([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [3, 2]], cells[:, [0, 3]]], 1)
    couples = 0.5 * np.stack([hy, hx, hy, hx], axis=1)
    volumes = np.repeat(0.25 * (hx * hy)[:, None], 4, axis=1)
    return from_cells(nodes, cells, pairs, couples, volumes)
