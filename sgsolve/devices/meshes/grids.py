"""Graded nodes in one dimension, and tensor products of two or three of them.

The distances of the nodes grow geometrically from an interface, as a depletion layer needs.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...errors import InputError
from .cells import CellMesh, ascending, from_cells


def graded(
    edges: list[float],
    spacing_ends: float,
    spacing_junction: float,
    ratio: float = 1.2,
    largest: float = np.inf,
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
    largest : float, default inf
        Largest spacing, cm. Steady currents need none; carriers that cross a layer in time spread
        as by a diffusion coefficient of velocity times spacing over 2.

    Returns
    -------
    ndarray
        Ascending coordinates, cm.

    Raises
    ------
    InputError
        If a layer has no thickness, a spacing is not positive or above the largest one, or the
        growth is below 1.

    See Also
    --------
    interval : A mesh on these nodes.
    rectangle : In two dimensions.
    box : In three.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import graded
    >>> x = graded([0.0, 1e-4, 2e-4], 1e-6, 1e-7, 1.2)
    >>> bool(np.all(np.diff(x) > 0)), float(x[-1])
    (True, 0.0002)
    """
    _check_layers(edges, spacing_ends, spacing_junction, ratio)
    nodes = [np.array([edges[0]])]
    if not largest >= max(spacing_ends, spacing_junction):
        raise InputError(
            f"largest: must be at least the spacings at ends and interfaces, got {largest!r}"
        )
    last = len(edges) - 2
    for i, (left, right) in enumerate(pairwise(edges)):
        first = spacing_ends if i == 0 else spacing_junction
        final = spacing_ends if i == last else spacing_junction
        steps = _spacings(right - left, first, final, ratio, largest)
        inner = left + np.cumsum(steps)
        inner[-1] = right
        nodes.append(inner)
    return np.concatenate(nodes)


def _check_layers(edges: list[float], ends: float, junction: float, ratio: float) -> None:
    """Raise for layers without thickness, and for spacings that never fill one."""
    for name, value in (("spacing_ends", ends), ("spacing_junction", junction)):
        if not 0.0 < value < np.inf:
            raise InputError(f"{name}: must be positive, in cm, got {value!r}")
    if not 1.0 <= ratio < np.inf:
        raise InputError(f"ratio: must be at least 1, got {ratio!r}")
    if len(edges) < 2:
        raise InputError(f"edges: need both ends of a layer, got {edges!r}")
    for i, (left, right) in enumerate(pairwise(edges)):
        if not left < right:
            raise InputError(
                f"edges: must ascend; layer {i + 1} from {left:g} to {right:g} cm has no thickness"
            )


def _spacings(
    length: float, first: float, final: float, ratio: float, largest: float
) -> np.ndarray:
    """Spacings that grow from both ends and add up to the length."""
    left, right = [first], [final]
    while sum(left) + sum(right) < length:
        side = left if left[-1] <= right[-1] else right
        side.append(min(side[-1] * ratio, largest))
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
    box : Three dimensions.
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


def box(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> CellMesh:
    """Return the tensor-product mesh of three ascending sets of coordinates.

    Node (i, j, k) has the number ``(i * len(y) + j) * len(z) + k``; the cells are hexahedra in the
    same order.

    Parameters
    ----------
    x, y, z : ndarray
        Coordinates in cm.

    Returns
    -------
    CellMesh
        The mesh.

    See Also
    --------
    graded : Nodes along one axis.
    rectangle : Two dimensions.
    tetrahedralization : Other shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import box
    >>> mesh = box(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 2.0]), np.linspace(0.0, 1.0, 3))
    >>> mesh.n, mesh.dimension, float(mesh.volumes.sum())
    (27, 3, 6.0)
    """
    axes = ascending("x", x), ascending("y", y), ascending("z", z)
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    number = np.arange(len(nodes)).reshape([len(axis) for axis in axes])
    # Corners around the bottom, then around the top, as VTK orders them.
    around = [(0, 0), (1, 0), (1, 1), (0, 1)]
    places = [(i, j, k) for k in (0, 1) for i, j in around]
    cells = np.stack([_corner(number, place).ravel() for place in places], axis=1)
    sizes = np.meshgrid(*[np.diff(axis) for axis in axes], indexing="ij")
    hx, hy, hz = (h.ravel() for h in sizes)
    along_x, along_y = [(0, 1), (3, 2), (4, 5), (7, 6)], [(0, 3), (1, 2), (4, 7), (5, 6)]
    along_z = [(0, 4), (1, 5), (2, 6), (3, 7)]
    pairs = cells[:, [*along_x, *along_y, *along_z]]
    couples = 0.25 * np.stack(4 * [hy * hz] + 4 * [hx * hz] + 4 * [hx * hy], axis=1)
    volumes = np.repeat(0.125 * (hx * hy * hz)[:, None], 8, axis=1)
    return from_cells(nodes, cells, pairs, couples, volumes)


def _corner(number: np.ndarray, place: tuple[int, int, int]) -> np.ndarray:
    """Numbers of the nodes at one corner of all cells."""
    return number[tuple(slice(1, None) if side else slice(None, -1) for side in place)]
