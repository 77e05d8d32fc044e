"""Refinement where the potential drops: meshes that conform, states carried over, fewer nodes."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial import Delaunay

from sgsolve.devices import (
    Device,
    Heat,
    Ion,
    Ohmic,
    Refinement,
    Regions,
    box,
    carried,
    interval,
    quality,
    rectangle,
    refinement,
    solve_refined,
    srh,
    tetrahedralization,
    triangulation,
)
from sgsolve.errors import DataTypeError, InputError, ShapeError
from tests.selection import slow

SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0}
SILICON |= {"tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10}
JUNCTION = 1e-4


def diode(found):
    """The node at the junction has the mean doping of its control volume."""
    x, h = found.mesh.nodes, np.diff(found.mesh.nodes)
    net = np.where(x < JUNCTION, -1e17, 1e16)
    k = int(np.argmin(np.abs(x - JUNCTION)))
    net[k] = (-1e17 * h[k - 1] + 1e16 * h[k]) / (h[k - 1] + h[k])
    ends = {"p": Ohmic(0), "n": Ohmic(-1)}
    return Device(found.mesh, net, ends, SILICON, recombination=[srh])


def uniform(k):
    mesh = interval(np.linspace(0.0, 4e-4, k + 1))
    device = diode(Refinement(mesh, np.arange(k), None))
    return device.current(device.solve(V_p=0.3).x, "p", V_p=0.3)


def test_a_refined_mesh_needs_a_tenth_of_the_nodes():
    """A uniform mesh converges by second order, one where the potential drops with fewer nodes."""
    values = [uniform(k) for k in (800, 1600, 3200)]
    assert (values[0] - values[1]) / (values[1] - values[2]) == pytest.approx(4.0, rel=0.05)
    exact = values[2] + (values[2] - values[1]) / 3.0
    found = solve_refined(diode, interval(np.linspace(0.0, 4e-4, 21)), 0.0125, V_p=0.3)
    error = found.device.current(found.x, "p", V_p=0.3) / exact - 1.0
    assert abs(error) < abs(uniform(400) / exact - 1.0)
    assert found.nodes[-1] < 80
    assert max(found.iterations) <= 6
    assert np.abs(np.diff(found.x[: found.device.mesh.n])).max() <= 0.0125


def triangles(k, seed=None):
    x = np.linspace(0.0, 2e-4, k + 1)
    grid = rectangle(x, x)
    points, c = grid.nodes.copy(), grid.cells
    if seed is None:
        return triangulation(points, np.concatenate([c[:, [0, 1, 2]], c[:, [0, 2, 3]]]))
    inner = ((points > 0.0) & (points < 2e-4)).all(axis=1) & (points[:, 0] != 1e-4)
    points[inner] += np.random.default_rng(seed).uniform(-0.3, 0.3, (inner.sum(), 2)) * 2e-4 / k
    return triangulation(points, Delaunay(points).simplices)


def tetrahedra(k):
    """Six in each cube, around its diagonal."""
    x = np.linspace(0.0, 2e-4, k + 1)
    cubes = box(x, x, x)
    corner = {(0, 0, 0): 0, (1, 0, 0): 1, (1, 1, 0): 2, (0, 1, 0): 3}
    corner |= {(i, j, 1): n + 4 for (i, j, _), n in corner.items()}
    found = []
    for order in permutations(range(3)):
        at, path = [0, 0, 0], [0]
        for axis in order:
            at[axis] = 1
            path.append(corner[tuple(at)])
        found.append(cubes.cells[:, path])
    return tetrahedralization(cubes.nodes, np.concatenate(found))


@pytest.mark.parametrize(
    "mesh",
    [
        triangles(6), triangles(6, 0), triangles(6, 1), tetrahedra(3),
        rectangle(np.linspace(0.0, 2e-4, 6), np.linspace(0.0, 2e-4, 7)),
        box(np.linspace(0.0, 2e-4, 4), np.linspace(0.0, 2e-4, 5), np.linspace(0.0, 2e-4, 3)),
    ],
    ids=["right", "any", "other", "tetrahedra", "rectangles", "boxes"],
)  # fmt: skip
def test_refined_meshes_conform(mesh):
    """Volumes add up, linear functions are exact, and no facet inside has one cell only."""
    whole = mesh.volumes.sum()
    sides = {axis: np.sum(mesh.boundary(mesh.nodes[:, axis] == 0.0)) for axis in (0, 1)}
    for _ in range(3):
        away = np.linalg.norm(mesh.nodes, axis=1)
        step = refinement(mesh, np.tanh((away - 1e-4) / 2e-5), 0.3)
        finer = step.mesh
        assert finer.n > mesh.n
        np.testing.assert_allclose(step.weights @ mesh.nodes, finer.nodes, rtol=1e-14, atol=1e-20)
        assert finer.volumes.sum() == pytest.approx(whole, rel=1e-12)
        for axis, size in sides.items():
            at = finer.nodes[:, axis] == 0.0
            assert finer.boundary(at).sum() == pytest.approx(size, rel=1e-12)
            coarse = mesh.nodes[:, axis] == 0.0
            np.testing.assert_array_equal(step.nodes(coarse), np.flatnonzero(at))
        shares = np.bincount(step.parents, finer.cell_volumes.sum(axis=1), len(mesh.cells))
        if mesh.cells.shape[1] != 3:  # diagonals change the parents of triangles
            np.testing.assert_allclose(shares, mesh.cell_volumes.sum(axis=1), rtol=1e-10)
        mesh = finer
    if mesh.cells.shape[1] == 3:
        assert quality(mesh).largest_angle < 135.0


def test_right_triangles_stay_right():
    mesh = triangles(6)
    for _ in range(4):
        away = np.linalg.norm(mesh.nodes, axis=1)
        mesh = refinement(mesh, np.tanh((away - 1e-4) / 2e-5), 0.2).mesh
    assert quality(mesh).largest_angle == pytest.approx(90.0)
    assert not len(quality(mesh).negative)


def test_no_triangle_crosses_the_border_of_regions():
    mesh = triangles(6, 3)
    names = np.where(mesh.centers()[:, 0] < 1e-4, "left", "right")
    step = refinement(mesh, np.sin(3e4 * mesh.nodes.sum(axis=1)), 0.1, names)
    area = step.mesh.cell_volumes.sum(axis=1)
    for name in ("left", "right"):
        expected = mesh.cell_volumes.sum(axis=1)[names == name].sum()
        assert area[names[step.parents] == name].sum() == pytest.approx(expected, rel=1e-12)


def quarter(found):
    mesh = found.mesh
    away, depth = np.linalg.norm(mesh.nodes, axis=1), mesh.nodes[:, -1]
    net = 1e16 - 5.5e16 * (1.0 - np.tanh((away - 1e-4) / 5e-6))
    top = mesh.where((depth == 0.0) & (away <= 0.6e-4))
    ends = {"p": Ohmic(top), "n": Ohmic(mesh.where(depth == 2e-4))}
    return Device(mesh, net, ends, SILICON, recombination=[srh])


@pytest.mark.parametrize("seed", [0, *slow(None)])
def test_a_junction_around_a_corner(seed):
    found = solve_refined(quarter, triangles(8, seed), 0.1, V_p=0.4)
    mesh, psi = found.device.mesh, found.x[: found.device.mesh.n]
    assert np.abs(psi[mesh.edges[:, 0]] - psi[mesh.edges[:, 1]]).max() <= 0.1
    assert max(found.iterations) <= 15
    currents = [found.device.current(found.x, name, V_p=0.4) for name in ("p", "n")]
    assert abs(sum(currents)) < 1e-12 * abs(currents[0])


def test_a_solve_keeps_the_regions_of_its_first_mesh():
    mesh = triangles(8, 0)
    left = mesh.centers()[:, 0] < 1e-4
    found = solve_refined(quarter, mesh, 0.1, regions=np.where(left, "a", "b"), V_p=0.4)
    area, parents = found.device.mesh.cell_volumes.sum(axis=1), found.refinement.parents
    expected = mesh.cell_volumes.sum(axis=1)[left].sum()
    assert area[left[parents]].sum() == pytest.approx(expected, rel=1e-12)


def test_all_of_a_state_is_carried_over():
    """Levels of ions and temperatures too; insulators have no carriers."""
    x = np.linspace(0.0, 1e-4, 21)

    def with_ions(mesh):
        ions = {"v": Ion(mesh.nodes > 5e-5, 1, 1e15, 1e-10)}
        ends = {"a": Ohmic(0), "b": Ohmic(-1)}
        return Device(mesh, np.full(mesh.n, 1e16), ends, SILICON, recombination=[srh], ions=ions)

    def heated(mesh):
        ends = {"a": Ohmic(0), "b": Ohmic(-1)}
        values = {"eps_r": 11.7, "mu_n": 1400.0, "mu_p": 450.0}
        values |= {"Nc": 2.8e19, "Nv": 3e19, "Ec": 0.0, "Ev": -1.1}
        return Device(mesh, np.full(mesh.n, 1e16), ends, values, heat=Heat(1.5))

    def layered(mesh):
        middle = mesh.centers()
        regions = Regions(mesh, np.where(middle < 2e-5, "", np.where(middle < 6e-5, "a", "b")))
        net = np.full(len(regions.nodes), 1e16)
        ends = {"a": Ohmic(np.flatnonzero(mesh.nodes == x[12])), "b": Ohmic(-1)}
        return Device(mesh, net, ends, SILICON, recombination=[srh], regions=regions)

    for make in (with_ions, heated, layered):
        coarse = make(interval(x))
        state = coarse.solve(V_b=0.2).x
        step = refinement(coarse.mesh, state[:21], 0.005)
        finer = make(step.mesh)
        assert finer.mesh.n > 21
        result = finer.solve(carried(coarse, state, finer, step), V_b=0.2)
        assert result.nit <= 4


def test_wrong_use_is_refused_in_words():
    mesh = interval(np.linspace(0.0, 4e-4, 21))
    psi = np.linspace(0.0, 1.0, 21)
    with pytest.raises(InputError, match="drop: must be positive, in V, got 0"):
        refinement(mesh, psi, 0.0)
    with pytest.raises(ShapeError, match="one value for each of the 21 nodes"):
        refinement(mesh, psi[1:], 0.1)
    with pytest.raises(ShapeError, match="one for each of the 20 cells"):
        refinement(mesh, psi, 0.1, ["a"])
    with pytest.raises(InputError, match="takes more than 30 nodes"):
        solve_refined(diode, mesh, 1e-3, most=30)
    with pytest.raises(DataTypeError, match="make: must return a Device, not NoneType"):
        solve_refined(lambda found: None, mesh, 0.1)
    fixed = diode(Refinement(mesh, np.arange(20), None))
    with pytest.raises(InputError, match="on the mesh of the refinement"):
        solve_refined(lambda found: fixed, interval(np.linspace(0.0, 4e-4, 11)), 0.1)
    step = refinement(mesh, psi, 0.04)
    with pytest.raises(InputError, match="joins meshes of 21 and 41 nodes"):
        carried(fixed, fixed.equilibrium(), fixed, step)


def test_tetrahedra_keep_their_control_volumes():
    """Cut twice at one side of a cube: no volume is negative, and 1 ohm stays 1 ohm."""
    points = np.random.default_rng(5).uniform(size=(25, 3))
    corners = np.stack(np.meshgrid(*[[0.0, 1.0]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    nodes = np.concatenate([corners, points])
    mesh = tetrahedralization(nodes, Delaunay(nodes).simplices, dual="barycentric")
    for _ in range(2):
        mesh = refinement(mesh, np.exp(-4.0 * mesh.nodes[:, 0]), 0.2).mesh
        assert mesh.dual == "barycentric"
        assert mesh.volumes.min() > 0.0
        assert mesh.volumes.sum() == pytest.approx(1.0, rel=1e-12)
        a, b = mesh.edges.T
        flow = (mesh.nodes[a, 0] - mesh.nodes[b, 0]) * mesh.couples / mesh.lengths
        left = mesh.where(mesh.nodes[:, 0] == 0.0)
        assert -(mesh.divergence() @ flow)[left].sum() == pytest.approx(1.0, rel=1e-12)
    plain = refinement(mesh, mesh.nodes[:, 0], 0.5, dual="circumcentric").mesh
    assert plain.dual == "circumcentric"
