"""Triangular meshes: signed circumcentric couples.

The face between two nodes is the segment that joins the circumcentres of the triangles on both
sides of their edge. A triangle adds half the edge's length times the cotangent of the opposite
angle. Where that angle is obtuse the contribution is negative. With the sign, the volumes add up to
the area exactly. Only an edge whose sum is negative is bad: the mesh is not Delaunay there.

Reference: R. E. Bank, D. J. Rose, W. Fichtner, IEEE Trans. Electron Devices 30 (1983) 1031.
"""

from __future__ import annotations

import numpy as np

from ...errors import InputError, ShapeError
from .cells import CellMesh, from_cells
from .repeated_cells import check_distinct


def triangulation(points: np.ndarray, triangles: np.ndarray) -> CellMesh:
    """Return the mesh of triangles.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Coordinates in cm.
    triangles : ndarray of int, shape (k, 3)
        Corners, in either sense of rotation.

    Returns
    -------
    CellMesh
        The mesh.

    Raises
    ------
    ShapeError, InputError
        Wrong shapes, a triangle without area or there twice, a point that no triangle uses.

    See Also
    --------
    read_mesh : From a file.
    quality : Whether triangles are obtuse.
    interval, rectangle
    tetrahedralization : Three dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import triangulation
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> mesh = triangulation(square, np.array([[0, 1, 2], [0, 2, 3]]))
    >>> mesh.couples.tolist(), mesh.volumes.tolist()
    ([0.5, 0.0, 0.5, 0.5, 0.5], [0.25, 0.25, 0.25, 0.25])
    """
    points = np.asarray(points, dtype=float)
    triangles = np.asarray(triangles, dtype=np.int64)
    if points.ndim != 2 or points.shape[1] != 2 or triangles.shape[1:] != (3,):
        raise ShapeError(
            f"need points (n, 2) and triangles (k, 3), got {points.shape} and {triangles.shape}"
        )
    unused = np.setdiff1d(np.arange(len(points)), triangles)
    if len(unused):
        raise InputError(f"points: {len(unused)} of them, first {unused[0]}, are in no triangle")
    check_distinct(triangles, "triangle")
    corner = points[triangles]
    pairs = np.stack([triangles[:, [1, 2]], triangles[:, [2, 0]], triangles[:, [0, 1]]], axis=1)
    side = np.stack(
        [corner[:, 2] - corner[:, 1], corner[:, 0] - corner[:, 2], corner[:, 1] - corner[:, 0]], 1
    )
    twice = side[:, 0, 0] * side[:, 1, 1] - side[:, 0, 1] * side[:, 1, 0]
    lengths = np.linalg.norm(side, axis=2)
    if (np.abs(twice) <= 1e-14 * lengths.max(axis=1) ** 2).any():
        i = int(np.argmin(np.abs(twice) / lengths.max(axis=1) ** 2))
        raise InputError(f"triangle {i} has no area")
    # Cotangent of the angle opposite to each side.
    following, last = np.roll(side, -1, axis=1), np.roll(side, -2, axis=1)
    cotangent = -np.sum(following * last, axis=2) / np.abs(twice)[:, None]
    couples = 0.5 * lengths * cotangent
    shares = 0.25 * couples * lengths
    volumes = np.roll(shares, -1, axis=1) + np.roll(shares, -2, axis=1)
    return from_cells(points, triangles, pairs, couples, volumes)
