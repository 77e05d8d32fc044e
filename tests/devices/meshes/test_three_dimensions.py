"""Meshes and devices in three dimensions, against one dimension and closed forms."""

import numpy as np
import pytest

from sgsolve.devices import (
    Device,
    Gate,
    Ohmic,
    box,
    densities,
    interval,
    quality,
    read_mesh,
    rectangle,
    srh,
    tetrahedralization,
    write_mesh,
)
from sgsolve.devices.meshes.tetrahedra import circumcenters
from sgsolve.errors import InputError, ShapeError
from tests.selection import slow

KUHN = np.array(  # six tetrahedra in a box, by its corners in the order of VTK
    [[0, 1, 2, 6], [0, 2, 3, 6], [0, 3, 7, 6], [0, 7, 4, 6], [0, 4, 5, 6], [0, 5, 1, 6]]
)


@pytest.fixture
def parameters():
    values = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    return values | {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 1e10, "p1": 1e10}


def random_points(seed=0, n=6):
    """A grid in the unit cube with its inner points moved."""
    t = np.linspace(0.0, 1.0, n)
    points = np.stack(np.meshgrid(t, t, t, indexing="ij"), -1).reshape(-1, 3)
    moved = np.random.default_rng(seed).uniform(-0.3, 0.3, points.shape) / (n - 1)
    return np.where((points > 0) & (points < 1), points + moved, points)


def random_tetrahedra(seed=0, dual="circumcentric"):
    from scipy.spatial import Delaunay

    points = random_points(seed)
    found = Delaunay(points).simplices
    corners = points[found]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    return tetrahedralization(points, found[volume > 1e-9], dual)  # without those on a plane


def outflow(mesh, field):
    a, b = mesh.edges.T
    return mesh.divergence() @ ((field[a] - field[b]) * mesh.couples / mesh.lengths)


@pytest.mark.parametrize("dual", ["circumcentric", "barycentric"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_volumes_and_fluxes_of_linear_fields_are_exact(seed, dual):
    mesh = random_tetrahedra(seed, dual)
    assert mesh.volumes.sum() == pytest.approx(1.0, rel=1e-13)
    field = mesh.nodes @ np.array([2.0, -1.0, 0.5])
    inner = ((mesh.nodes > 0) & (mesh.nodes < 1)).all(axis=1)
    assert np.abs(outflow(mesh, field)[inner]).max() < 1e-14
    left = mesh.where(mesh.nodes[:, 0] == 0.0)
    resistor = outflow(mesh, mesh.nodes[:, 0])  # 1 V across a cube of 1 ohm
    assert -resistor[left].sum() == pytest.approx(1.0, rel=1e-13)
    assert mesh.boundary(left).sum() == pytest.approx(1.0, rel=1e-13)


def test_circumcentric_couples_of_a_delaunay_mesh_are_positive():
    report = quality(random_tetrahedra())
    assert len(report.negative) == len(report.negative_volumes) == 0
    elements = quality(random_tetrahedra(dual="barycentric"))
    assert len(elements.negative) > 100
    assert len(elements.negative_volumes) == 0


def test_circumcenters_have_one_distance_to_all_corners():
    corners = np.random.default_rng(3).uniform(size=(20, 4, 3))
    for simplex in (corners, corners[:, :3]):
        center = circumcenters(simplex)[:, None]
        distance = np.linalg.norm(simplex - center, axis=2)
        assert np.ptp(distance, axis=1) == pytest.approx(0.0, abs=1e-9 * distance.max())


def test_quality_of_known_tetrahedra():
    corner = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert quality(tetrahedralization(corner, [[0, 1, 2, 3]])).largest_angle == pytest.approx(90.0)
    regular = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    found = quality(tetrahedralization(regular, [[0, 1, 2, 3]]))
    assert found.largest_angle == pytest.approx(np.degrees(np.arccos(1.0 / 3.0)))
    assert found.obtuse == 0
    sliver = np.array([[0.0, 0, 0.05], [1, 1, 0.05], [1, 0, -0.05], [0, 1, -0.05]])
    found = quality(tetrahedralization(sliver, [[0, 1, 2, 3]]))
    assert found.obtuse == 1
    assert found.largest_angle > 160.0
    assert "1 of 1 cells are obtuse" in str(found)
    with pytest.raises(InputError, match="of triangles or of tetrahedra"):
        quality(rectangle(np.arange(3.0), np.arange(3.0)))


def test_wrong_tetrahedra_are_refused():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]])
    with pytest.raises(InputError, match="tetrahedron 0 has no volume"):
        tetrahedralization(points, [[0, 1, 2, 3], [0, 1, 2, 4]])
    with pytest.raises(InputError, match="tetrahedron 1 is there twice"):
        tetrahedralization(points[[0, 1, 2, 4]], [[0, 1, 2, 3], [3, 2, 1, 0]])
    with pytest.raises(InputError, match="1 of them, first 3, are in no tetrahedron"):
        tetrahedralization(points, [[0, 1, 2, 4]])
    with pytest.raises(InputError, match="dual must be one of"):
        tetrahedralization(points, [[0, 1, 2, 4]], dual="voronoi")
    with pytest.raises(ShapeError, match=r"need points \(n, 3\) and tetrahedra \(k, 4\)"):
        tetrahedralization(points[:, :2], [[0, 1, 2, 4]])


def bars():
    """The same bar of three kinds of cells, and the area of its cross-section."""
    x = np.linspace(0.0, 1e-4, 41)
    y, z = np.array([0.0, 1e-6, 3e-6]), np.array([0.0, 2e-6, 3e-6])
    boxes = box(x, y, z)
    tetrahedra = boxes.cells[:, KUHN].reshape(-1, 4)
    return {
        "boxes": boxes,
        "tetrahedra": tetrahedralization(boxes.nodes, tetrahedra),
        "linear elements": tetrahedralization(boxes.nodes, tetrahedra, "barycentric"),
    }, interval(x)


@pytest.mark.parametrize("kind", ["boxes", "tetrahedra"])
@pytest.mark.parametrize("voltage", [0.5, *slow(-2.0)])
def test_a_bar_carries_what_one_dimension_does(parameters, kind, voltage):
    meshes, line = bars()
    currents = []
    for mesh in (meshes[kind], line):
        at = mesh.nodes if mesh.dimension == 1 else mesh.nodes[:, 0]
        contacts = {"a": Ohmic(at == 0), "c": Ohmic(at == at.max())}
        doping = np.where(at < 5e-5, -1e17, 1e17)
        device = Device(mesh, doping, contacts, parameters, recombination=[srh])
        currents.append(device.current(device.solve(V_a=voltage).x, "a", V_a=voltage))
    assert currents[0] == pytest.approx(9e-12 * currents[1], rel=1e-11)


def test_linear_elements_on_a_bar(parameters):
    """Volumes of a quarter change the solution at the order of the discretization only."""
    meshes, line = bars()
    currents = []
    for mesh in (meshes["linear elements"], line):
        at = mesh.nodes if mesh.dimension == 1 else mesh.nodes[:, 0]
        contacts = {"a": Ohmic(at == 0), "c": Ohmic(at == at.max())}
        doping = np.where(at < 5e-5, -1e17, 1e17)
        device = Device(mesh, doping, contacts, parameters, recombination=[srh])
        currents.append(device.current(device.solve(V_a=0.5).x, "a", V_a=0.5))
    assert currents[0] == pytest.approx(9e-12 * currents[1], rel=0.02)


def test_boxes_have_the_measures_of_their_sides():
    mesh = box(np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 3.0]), np.array([0.0, 1.0, 5.0]))
    for axis, area in ((0, 15.0), (1, 15.0), (2, 9.0)):
        side = mesh.where(mesh.nodes[:, axis] == 0.0)
        assert mesh.boundary(side).sum() == pytest.approx(area)
    every = mesh.nodes[:, 0] == 0.0
    measure = mesh.boundary(np.flatnonzero(every))
    assert np.array_equal(mesh.boundary(every), measure)  # a mask, and numbers from the end
    assert np.array_equal(mesh.boundary(np.flatnonzero(every) - mesh.n), measure)
    corner = np.flatnonzero((mesh.nodes == 0.0).all(axis=1))
    side = mesh.where(mesh.nodes[:, 0] == 0.0)
    assert mesh.boundary(side)[side == corner] == pytest.approx(0.25 * 2.0 * 1.0)


def test_a_gate_on_three_sides_takes_their_area():
    """In strong accumulation the bar's charge is nearly that of the oxide over its area."""
    x, t = np.linspace(0.0, 1e-5, 5), np.linspace(0.0, 1e-6, 4)
    mesh = box(x, t, t)
    _, y, z = mesh.nodes.T
    sides = mesh.where((y == 0) | (y == y.max()) | (z == z.max()))
    area = mesh.boundary(sides)
    assert area.sum() == pytest.approx(3 * 1e-5 * 1e-6)
    contacts = {
        "a": Ohmic(mesh.where(mesh.nodes[:, 0] == 0)),
        "gate": Gate(sides, capacitance=1e-6, area=area),
    }
    silicon = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    device = Device(mesh, np.full(mesh.n, -1e17), contacts, silicon)
    charges = []
    for volt in (-10.0, -11.0):
        electrons, holes = densities(device, device.solve(V_gate=volt).x)
        charges.append(1.602176634e-19 * np.sum(mesh.volumes * (holes - electrons - 1e17)))
    inner = np.setdiff1d(sides, contacts["a"].nodes)
    wanted = 1e-6 * area[np.isin(sides, inner)].sum()
    assert charges[1] - charges[0] == pytest.approx(wanted, rel=0.02)


def test_files_of_tetrahedra(tmp_path):
    meshio = pytest.importorskip("meshio")
    mesh = random_tetrahedra()
    path = tmp_path / "cube.vtu"
    write_mesh(path, mesh, height=mesh.nodes[:, 2])
    again, regions, contacts = read_mesh(path, unit=2.0)
    assert regions == contacts == {}
    assert again.volumes.sum() == pytest.approx(8.0)
    assert meshio.read(path).point_data["height"].shape == (mesh.n,)
    with pytest.raises(InputError, match="needs two or three dimensions"):
        write_mesh(tmp_path / "line.vtu", interval(np.arange(3.0)))
    write_mesh(tmp_path / "box.vtu", box(np.arange(3.0), np.arange(3.0), np.arange(3.0)))


def test_named_volumes_and_surfaces_of_gmsh(tmp_path):
    meshio = pytest.importorskip("meshio")
    corners = np.array([[i, j, k] for k in (0.0, 1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))])
    cells = [("tetra", KUHN), ("triangle", np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]]))]
    tags = [np.array([1, 1, 1, 2, 2, 2]), np.array([3, 3, 4, 4])]
    named = {"left": (1, 3), "right": (2, 3), "bottom": (3, 2), "top": (4, 2)}
    content = meshio.Mesh(
        corners,
        cells,
        cell_data={"gmsh:physical": tags, "gmsh:geometrical": tags},
        field_data={name: np.array(value) for name, value in named.items()},
    )
    path = tmp_path / "cube.msh"
    meshio.gmsh.write(path, content, fmt_version="2.2", binary=False)
    mesh, regions, contacts = read_mesh(path, unit=1e-4, dual="barycentric")
    assert mesh.volumes.sum() == pytest.approx(1e-12)
    assert [int(regions[name].sum()) for name in ("left", "right")] == [3, 3]
    assert contacts["bottom"].tolist() == [0, 1, 2, 3]
    assert contacts["top"].tolist() == [4, 5, 6, 7]


@pytest.mark.slow
def test_a_gate_on_three_sides_controls_a_fin_better(tmp_path):
    from fin import main

    data = main([0.0, 0.1, 0.3], (0.05,), picture=str(tmp_path / "fin.png"))
    around, top = data.current["three sides", 0.05], data.current["top", 0.05]
    assert around == pytest.approx([9.01805e-10, 2.70561e-08, 2.75061e-06], rel=1e-5)
    assert around[-1] / around[0] > 10 * top[-1] / top[0]
    assert 60.0 < data.swing["three sides"] < 75.0  # kT/q ln 10 is the limit
    assert (tmp_path / "fin.png").stat().st_size > 5000
