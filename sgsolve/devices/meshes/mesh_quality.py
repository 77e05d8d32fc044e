"""The quality of triangles and tetrahedra: angles, negative couples, negative volumes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...errors import InputError
from .cells import CellMesh

NEGATIVE = -1e-12  # of the largest couple or volume: below it is negative, not rounded


@dataclass(frozen=True)
class Quality:
    """What `quality` found: print it.

    Attributes
    ----------
    cells : int
        Triangles or tetrahedra.
    obtuse : int
        Those with an angle above 90 degrees: between sides of a triangle, between faces of a
        tetrahedron.
    largest_angle : float
        Degrees.
    negative : ndarray of int
        Edges whose couple is negative: there the mesh is not Delaunay, and fluxes run uphill.
    negative_volumes : ndarray of int
        Nodes whose volume is negative: the densities there have no meaning.
    """

    cells: int
    obtuse: int
    largest_angle: float
    negative: np.ndarray
    negative_volumes: np.ndarray

    def __str__(self) -> str:
        text = (
            f"{self.obtuse} of {self.cells} cells are obtuse (largest angle "
            f"{self.largest_angle:.1f} degrees); {len(self.negative)} edges have a negative couple"
        )
        nodes = self.negative_volumes
        if len(nodes):
            text += f"; {len(nodes)} nodes have a negative volume, first {nodes[0]}"
        return text


def quality(mesh: CellMesh) -> Quality:
    """Report obtuse cells, negative couples and negative volumes of a mesh.

    Parameters
    ----------
    mesh : CellMesh
        Of triangles or tetrahedra.

    Returns
    -------
    Quality
        Counts and the largest angle; print it.

    Raises
    ------
    InputError
        If the cells are rectangles, boxes or intervals: their angles are right.

    See Also
    --------
    triangulation, tetrahedralization, read_mesh

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import quality, triangulation
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> report = quality(triangulation(square, np.array([[0, 1, 2], [0, 2, 3]])))
    >>> report.obtuse, round(report.largest_angle, 6)
    (0, 90.0)
    """
    corners = mesh.nodes[mesh.cells]
    if mesh.dimension == 1 or corners.shape[1] != mesh.dimension + 1:
        raise InputError("quality needs a mesh of triangles or of tetrahedra")
    largest = np.max(_angles(corners), axis=0)
    negative = np.flatnonzero(mesh.couples < NEGATIVE * np.abs(mesh.couples).max())
    volumes = np.flatnonzero(mesh.volumes < NEGATIVE * np.abs(mesh.volumes).max())
    obtuse = int(np.sum(largest > 90 + 1e-9))
    return Quality(len(mesh.cells), obtuse, float(largest.max()), negative, volumes)


def _angles(corners: np.ndarray) -> list[np.ndarray]:
    """Angles between the facets of simplices, from the gradients of their linear elements."""
    inverse = np.linalg.inv(corners[:, 1:] - corners[:, :1])  # columns: gradients
    gradients = np.concatenate([-inverse.sum(axis=2, keepdims=True), inverse], axis=2)
    normals = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    angles = []
    for i, j in combinations(range(corners.shape[1]), 2):
        u, v = normals[:, :, i], normals[:, :, j]
        # of unit vectors, accurate near 0 and 180 degrees too
        half = np.arctan2(np.linalg.norm(u - v, axis=1), np.linalg.norm(u + v, axis=1))
        angles.append(180.0 - np.degrees(2.0 * half))
    return angles
