"""Meshes that cannot be are refused with what is wrong."""

import numpy as np
import pytest

from sgsolve.devices import Mesh, interval, rectangle, triangulation
from sgsolve.errors import InputError, ShapeError

NODES, EDGES = [0.0, 1e-4, 2e-4], [[0, 1], [1, 2]]
COUPLES, VOLUMES = [1.0, 1.0], [5e-5, 1e-4, 5e-5]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((NODES, [0, 1], COUPLES, VOLUMES), ShapeError, "edges: need shape"),
        ((NODES, EDGES, [1.0], VOLUMES), ShapeError, "couples: need one for each of the 2 edges"),
        ((NODES, EDGES, COUPLES, [1.0]), ShapeError, "volumes: need one for each of the 3 nodes"),
        ((NODES, EDGES, COUPLES, [1.0, np.nan, 1.0]), InputError, "volumes: has values"),
        ((NODES, EDGES, [1.0, np.inf], VOLUMES), InputError, "couples: has values"),
        (([0.0, 0.0, 1e-4], EDGES, COUPLES, VOLUMES), InputError, "nodes 0 and 1 are joined and"),
    ],
)
def test_arrays_that_are_no_mesh(arguments, error, said):
    with pytest.raises(error, match=said):
        Mesh(*arguments)


def test_intervals_need_three_nodes_in_a_row():
    for x in ([0.0, 1.0], np.zeros((3, 2))):
        with pytest.raises(ShapeError, match="at least three nodes in one dimension"):
            interval(x)


def test_triangles_need_points_of_two_dimensions():
    with pytest.raises(ShapeError):
        triangulation(np.zeros((4, 3)), np.array([[0, 1, 2]]))


def test_values_of_cells_and_places_on_the_mesh():
    mesh = rectangle(np.linspace(0.0, 1.0, 3), np.linspace(0.0, 1.0, 3))
    with pytest.raises(ShapeError, match="values"):
        mesh.on_edges(np.ones(3))
    assert mesh.on_edges(np.full(len(mesh.cells), 2.5)) == pytest.approx(2.5)
    with pytest.raises(InputError, match="no node of the mesh satisfies the condition"):
        mesh.where(mesh.nodes[:, 0] > 2.0)
