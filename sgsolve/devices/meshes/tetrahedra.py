"""Tetrahedral meshes: signed couples from circumcenters, or those of linear elements.

The face between two nodes is bounded by the circumcenters of the tetrahedra around their edge and
of the triangles between these. Each tetrahedron adds two triangles to the face of an edge, one for
each side of it, with a sign: negative where a circumcenter lies outside. With the signs the
volumes add up to that of the tetrahedra, and on a Delaunay mesh the sum for each edge is positive.

References: S. Selberherr, Analysis and Simulation of Semiconductor Devices (1984), chapter 6; R. E.
Bank, D. J. Rose, W. Fichtner, IEEE Trans. Electron Devices 30 (1983) 1031; M. Putti, C. Cordes,
SIAM J. Sci. Comput. 19 (1998) 1154 (linear elements on Delaunay meshes in three dimensions).
"""

from __future__ import annotations

import numpy as np

from ...errors import InputError, ShapeError
from .cells import CellMesh, from_cells
from .repeated_cells import check_distinct

# The edges of a tetrahedron: its two nodes, and the two others.
EDGES = np.array(
    [[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2], [1, 2, 0, 3], [1, 3, 0, 2], [2, 3, 0, 1]]
)
FLAT = 1e-12  # of the cube of the longest edge: the volume of a tetrahedron without any
DUALS = ("circumcentric", "barycentric")


def tetrahedralization(
    points: np.ndarray, tetrahedra: np.ndarray, dual: str = "circumcentric"
) -> CellMesh:
    """Return the mesh of tetrahedra.

    Parameters
    ----------
    points : ndarray, shape (n, 3)
        Coordinates in cm.
    tetrahedra : ndarray of int, shape (k, 4)
        Corners, in any order.
    dual : {"circumcentric", "barycentric"}
        Control volumes between circumcenters: all couples of a Delaunay mesh are positive, which
        keeps densities positive. Where the mesh is not Delaunay, couples or volumes may be
        negative; `quality` counts them. Then "barycentric" gives every node a quarter of its
        tetrahedra, so that no volume is negative, and the couples of linear elements.

    Returns
    -------
    CellMesh
        The mesh.

    Raises
    ------
    ShapeError, InputError
        Wrong shapes, a tetrahedron without volume or there twice, a point that no tetrahedron uses,
        an unknown `dual`.

    See Also
    --------
    box : A tensor-product mesh.
    quality : Whether couples are negative.
    read_mesh : From a file.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import tetrahedralization
    >>> points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> mesh = tetrahedralization(points, np.array([[0, 1, 2, 3]]), dual="barycentric")
    >>> mesh.volumes.round(6).tolist()
    [0.041667, 0.041667, 0.041667, 0.041667]
    """
    points = np.asarray(points, dtype=float)
    tetrahedra = np.asarray(tetrahedra, dtype=np.int64)
    if points.ndim != 2 or points.shape[1] != 3 or tetrahedra.shape[1:] != (4,):
        raise ShapeError(
            f"need points (n, 3) and tetrahedra (k, 4), got {points.shape} and {tetrahedra.shape}"
        )
    if dual not in DUALS:
        raise InputError(f"dual must be one of {', '.join(map(repr, DUALS))}, not {dual!r}")
    unused = np.setdiff1d(np.arange(len(points)), tetrahedra)
    if len(unused):
        raise InputError(f"points: {len(unused)} of them, first {unused[0]}, are in no tetrahedron")
    check_distinct(tetrahedra, "tetrahedron")
    corners = points[tetrahedra]
    lengths = _lengths(corners)
    contents = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
    flat = contents <= FLAT * lengths.max(axis=1) ** 3
    if flat.any():
        raise InputError(f"tetrahedron {int(np.argmax(flat))} has no volume")
    if dual == "barycentric":
        couples = _couples_of_elements(corners, contents) * lengths
        volumes = np.repeat(0.25 * contents[:, None], 4, axis=1)
    else:
        couples = _faces_between_circumcenters(corners)
        volumes = np.zeros((len(tetrahedra), 4))
        shares = couples * lengths / 6.0  # a pyramid over the face for each of the two nodes
        for e, (i, j, _, _) in enumerate(EDGES):
            volumes[:, i] += shares[:, e]
            volumes[:, j] += shares[:, e]
    return from_cells(points, tetrahedra, tetrahedra[:, EDGES[:, :2]], couples, volumes, dual)


def circumcenters(corners: np.ndarray) -> np.ndarray:
    """Return the points at the same distance from all corners of each simplex.

    Parameters
    ----------
    corners : ndarray, shape (k, v, dim)
        Of triangles (v = 3) or tetrahedra (v = 4) in space.
    """
    sides = corners[:, 1:] - corners[:, :1]
    gram = sides @ sides.transpose(0, 2, 1)
    half = 0.5 * np.einsum("kii->ki", gram)
    weights = np.linalg.solve(gram, half[..., None])[..., 0]
    found: np.ndarray = corners[:, 0] + np.einsum("ki,kid->kd", weights, sides)
    return found


def _lengths(corners: np.ndarray) -> np.ndarray:
    """Lengths of the six edges, shape (k, 6)."""
    found: np.ndarray = np.linalg.norm(corners[:, EDGES[:, 1]] - corners[:, EDGES[:, 0]], axis=2)
    return found


def _faces_between_circumcenters(corners: np.ndarray) -> np.ndarray:
    """Return what each tetrahedron adds to the faces of its edges, signed, shape (k, 6)."""
    center = circumcenters(corners)
    couples = np.zeros((len(corners), len(EDGES)))
    for e, (i, j, k, m) in enumerate(EDGES):
        middle = 0.5 * (corners[:, i] + corners[:, j])
        for third, fourth in ((k, m), (m, k)):
            on_face = circumcenters(corners[:, [i, j, third]])
            across = _towards(corners[:, third] - middle, corners[:, j] - corners[:, i])
            normal = _normal_towards(corners, (i, j, third), corners[:, fourth])
            width = np.sum((on_face - middle) * across, axis=1)
            height = np.sum((center - on_face) * normal, axis=1)
            couples[:, e] += 0.5 * width * height
    return couples


def _towards(direction: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Return unit vectors perpendicular to an edge, on the side of a direction."""
    along = edge / np.linalg.norm(edge, axis=1, keepdims=True)
    across = direction - np.sum(direction * along, axis=1, keepdims=True) * along
    found: np.ndarray = across / np.linalg.norm(across, axis=1, keepdims=True)
    return found


def _normal_towards(
    corners: np.ndarray, face: tuple[int, int, int], point: np.ndarray
) -> np.ndarray:
    """Return unit normals of a face on the side of a point."""
    a, b, c = (corners[:, v] for v in face)
    normal = np.cross(b - a, c - a)
    normal *= np.sign(np.sum(normal * (point - a), axis=1, keepdims=True))
    found: np.ndarray = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return found


def _couples_of_elements(corners: np.ndarray, contents: np.ndarray) -> np.ndarray:
    """Return minus the entries of the stiffness matrix of linear elements, shape (k, 6)."""
    inverse = np.linalg.inv(corners[:, 1:] - corners[:, :1])  # columns: gradients of nodes 1 to 3
    gradients = np.concatenate([-inverse.sum(axis=2, keepdims=True), inverse], axis=2)
    products = np.einsum("kdi,kdj->kij", gradients, gradients)
    found: np.ndarray = -contents[:, None] * products[:, EDGES[:, 0], EDGES[:, 1]]
    return found
