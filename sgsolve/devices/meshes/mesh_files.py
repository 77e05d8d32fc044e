"""Files of meshes: gmsh, VTK and others, by meshio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from .cells import CellMesh
from .repeated_cells import distinct
from .tetrahedra import tetrahedralization
from .triangles import triangulation

# Cells and the facets that bound them, by dimension; and the kinds of cells that are written.
SIMPLICES = {3: ("tetra", "triangle"), 2: ("triangle", "line")}
KINDS = {(2, 3): "triangle", (2, 4): "quad", (3, 4): "tetra", (3, 8): "hexahedron"}


def read_mesh(
    path: str | Path, unit: float = 1.0, dual: str = "circumcentric"
) -> tuple[CellMesh, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Read triangles or tetrahedra from a file of gmsh, or any that meshio reads.

    A file with tetrahedra is read as a mesh in three dimensions, one with triangles alone in two.
    It needs meshio, ``pip install meshio``.

    Parameters
    ----------
    path : str or Path
        The file.
    unit : float
        What one unit of length in the file is, cm (1e-4 for um).
    dual : {"circumcentric", "barycentric"}
        As for `tetrahedralization`; triangles have circumcentric control volumes.

    Returns
    -------
    mesh : CellMesh
        The triangles or tetrahedra.
    regions : dict of str to ndarray of bool, shape (k,)
        For every named (physical) surface or volume, which cells it has.
    contacts : dict of str to ndarray of int
        For every named (physical) line or surface of the boundary, its nodes.

    Raises
    ------
    InputError
        If the file has neither triangles nor tetrahedra, or elements in no physical group in
        format 4.1 of gmsh.

    See Also
    --------
    write_mesh, triangulation, tetrahedralization

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
    ...     mesh, regions, contacts = read_mesh(file, unit=1e-4)  # the file is in um
    >>> mesh.n, len(mesh.cells)
    (4, 2)
    """
    content = _content(path)
    dimension = next((d for d, (kind, _) in SIMPLICES.items() if kind in content.cells_dict), None)
    if dimension is None:
        raise InputError(
            f"{path}: has no triangles and no tetrahedra, only {', '.join(content.cells_dict)}"
        )
    kind, facet = SIMPLICES[dimension]
    # Format 2.2 repeats a cell for each of its groups.
    first, place = distinct(content.cells_dict[kind])
    cells = content.cells_dict[kind][first]
    used, local = np.unique(cells, return_inverse=True)
    points = unit * content.points[used][:, :dimension]
    local = local.reshape(cells.shape)
    if dimension == 3:
        mesh = tetrahedralization(points, local, dual)
    else:
        mesh = triangulation(points, local)
    number = np.full(len(content.points), -1)
    number[used] = np.arange(len(used))
    regions, contacts = {}, {}
    for name, (_, its_dimension) in content.field_data.items():
        if its_dimension == dimension:
            regions[name] = np.zeros(len(cells), dtype=bool)
            regions[name][place[_in_group(content, name, kind)]] = True
        elif its_dimension == dimension - 1 and facet in content.cells_dict:
            nodes = number[content.cells_dict[facet][_in_group(content, name, facet)]]
            contacts[name] = np.unique(nodes[nodes >= 0])
    return mesh, regions, contacts


def _content(path: str | Path) -> Any:
    """What meshio reads of a file."""
    import meshio

    try:
        return meshio.read(path)
    except ValueError as error:
        if "gmsh:physical" not in str(error):
            raise
        raise InputError(
            f"{path}: some of its elements are in no physical group, which meshio does not read "
            "in format 4.1; in gmsh put them in one, or set Mesh.SaveAll = 0, or "
            "Mesh.MshFileVersion = 2.2"
        ) from error


def _in_group(content: Any, name: str, kind: str) -> np.ndarray:
    """Which of the cells of one kind a named group has; a cell may be in several groups."""
    if name in content.cell_sets:
        blocks = zip(content.cells, content.cell_sets[name], strict=True)
        found = [
            np.full(len(block.data), len(ours) > 0) for block, ours in blocks if block.type == kind
        ]
        return np.concatenate(found)
    tags = content.cell_data_dict.get("gmsh:physical", {}).get(kind)
    if tags is None:
        return np.zeros(len(content.cells_dict[kind]), dtype=bool)
    return np.asarray(tags == content.field_data[name][0])


def write_mesh(path: str | Path, mesh: CellMesh, **fields: Any) -> None:
    """Write a mesh and fields over its nodes for ParaView and others, by meshio.

    Parameters
    ----------
    path : str or Path
        The ending says the format: ``.vtu``, ``.vtk``, ``.xdmf``.
    mesh : CellMesh
        In two or three dimensions.
    **fields
        Arrays over the nodes.

    Raises
    ------
    InputError
        If the mesh has one dimension.

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

    if mesh.dimension == 1:
        raise InputError("write_mesh needs two or three dimensions; write a table of x instead")
    points = np.zeros((mesh.n, 3))
    points[:, : mesh.dimension] = mesh.nodes
    kind = KINDS[mesh.dimension, mesh.cells.shape[1]]
    meshio.write_points_cells(path, points, [(kind, mesh.cells)], point_data=fields)
