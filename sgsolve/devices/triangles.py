"""Triangular meshes: signed circumcentric couples, mesh quality, files of gmsh and VTK.

The face between two nodes is the segment that joins the circumcentres of the triangles on both
sides of their edge. A triangle adds half the edge's length times the cotangent of the opposite
angle. Where that angle is obtuse the contribution is negative. With the sign, the volumes add up to
the area exactly. Only an edge whose sum is negative is bad: the mesh is not Delaunay there.

Reference: R. E. Bank, D. J. Rose, W. Fichtner, IEEE Trans. Electron Devices 30 (1983) 1031.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, ShapeError
from .cells import CellMesh, from_cells


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
        Wrong shapes, a triangle without area, a point that no triangle uses.

    See Also
    --------
    read_mesh : From a file.
    quality : Whether triangles are obtuse.
    interval, rectangle

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


@dataclass(frozen=True)
class Quality:
    """What `quality` found: print it.

    Attributes
    ----------
    obtuse : int
        Triangles with an angle above 90 degrees.
    largest_angle : float
        Degrees.
    negative : ndarray of int
        Edges whose couple is negative: there the mesh is not Delaunay, and fluxes run uphill.
    """

    triangles: int
    obtuse: int
    largest_angle: float
    negative: np.ndarray

    def __str__(self) -> str:
        return (
            f"{self.obtuse} of {self.triangles} triangles are obtuse (largest angle "
            f"{self.largest_angle:.1f} degrees); {len(self.negative)} edges have a negative couple"
        )


def quality(mesh: CellMesh) -> Quality:
    """Report obtuse triangles and negative couples of a mesh.

    Parameters
    ----------
    mesh : CellMesh
        Of triangles.

    Returns
    -------
    Quality
        Counts and the largest angle; print it.

    See Also
    --------
    triangulation, read_mesh

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import quality, triangulation
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> report = quality(triangulation(square, np.array([[0, 1, 2], [0, 2, 3]])))
    >>> report.obtuse, round(report.largest_angle, 6)
    (0, 90.0)
    """
    corner = mesh.nodes[mesh.cells]
    angles = []
    for i in range(3):
        u, v = corner[:, (i + 1) % 3] - corner[:, i], corner[:, (i + 2) % 3] - corner[:, i]
        cross = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
        angles.append(np.degrees(np.arctan2(cross, np.sum(u * v, axis=1))))
    largest = np.max(angles, axis=0)
    negative = np.flatnonzero(mesh.couples < -1e-12 * np.abs(mesh.couples).max())
    obtuse = int(np.sum(largest > 90 + 1e-9))
    return Quality(len(mesh.cells), obtuse, float(largest.max()), negative)


def read_mesh(
    path: str | Path, unit: float = 1.0
) -> tuple[CellMesh, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Read triangles from a file of gmsh, or any that meshio reads (``pip install meshio``).

    Parameters
    ----------
    path : str or Path
        The file.
    unit : float
        What one unit of length in the file is, cm (1e-4 for um).

    Returns
    -------
    mesh : CellMesh
        The triangles.
    regions : dict of str to ndarray of bool, shape (k,)
        For every named (physical) surface, which triangles it has.
    lines : dict of str to ndarray of int
        For every named (physical) line, its nodes: give them to contacts.

    Raises
    ------
    InputError
        If the file has no triangles.

    See Also
    --------
    write_mesh, triangulation

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from sgsolve.devices import read_mesh, triangulation, write_mesh
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "square.vtu")
    ...     write_mesh(file, triangulation(square, np.array([[0, 1, 2], [0, 2, 3]])))
    ...     mesh, regions, lines = read_mesh(file, unit=1e-4)  # the file is in um
    >>> mesh.n, len(mesh.cells)
    (4, 2)
    """
    import meshio

    content = meshio.read(path)
    if "triangle" not in content.cells_dict:
        raise InputError(f"{path}: has no triangles, only {', '.join(content.cells_dict)}")
    triangles = content.cells_dict["triangle"]
    used, local = np.unique(triangles, return_inverse=True)
    mesh = triangulation(unit * content.points[used][:, :2], local.reshape(-1, 3))
    number = np.full(len(content.points), -1)
    number[used] = np.arange(len(used))
    tags = content.cell_data_dict.get("gmsh:physical", {})
    regions, lines = {}, {}
    for name, (tag, dimension) in content.field_data.items():
        if dimension == 2 and "triangle" in tags:
            regions[name] = tags["triangle"] == tag
        elif dimension == 1 and "line" in tags:
            nodes = number[content.cells_dict["line"][tags["line"] == tag]]
            lines[name] = np.unique(nodes[nodes >= 0])
    return mesh, regions, lines


def write_mesh(path: str | Path, mesh: CellMesh, **fields: Any) -> None:
    """Write a mesh and fields over its nodes for ParaView and others, by meshio.

    Parameters
    ----------
    path : str or Path
        The ending says the format: ``.vtu``, ``.vtk``, ``.xdmf``.
    mesh : CellMesh
        Of triangles or rectangles.
    **fields
        Arrays over the nodes.

    See Also
    --------
    read_mesh : Read a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from sgsolve.devices import rectangle, write_mesh
    >>> mesh = rectangle(np.linspace(0.0, 1.0, 3), np.linspace(0.0, 1.0, 3))
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "field.vtu")
    ...     write_mesh(file, mesh, psi=mesh.nodes[:, 0])
    ...     file.exists()
    True
    """
    import meshio

    points = np.column_stack([mesh.nodes, np.zeros(mesh.n)])
    kind = {3: "triangle", 4: "quad"}[mesh.cells.shape[1]]
    meshio.write_points_cells(path, points, [(kind, mesh.cells)], point_data=fields)
