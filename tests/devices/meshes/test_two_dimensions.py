"""Meshes in two dimensions and the devices on them."""

import numpy as np
import pytest

from tests.selection import slow


@pytest.fixture(scope="module")
def parameters():
    values = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    return values | {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 1e10, "p1": 1e10}


def strip(mesh, parameters):
    from sgsolve.devices import Device, Ohmic, srh

    x = mesh.nodes.reshape(mesh.n, -1)[:, 0]
    left, right = mesh.where(x == 0), mesh.where(x == x.max())
    doping = np.where(x < 0.5e-4, -1e17, 1e17)
    contacts = {"a": Ohmic(left), "c": Ohmic(right)}
    return Device(mesh, doping, contacts, parameters, recombination=[srh])


def grid():
    from sgsolve.devices import rectangle

    return rectangle(np.linspace(0, 1e-4, 81), np.linspace(0, 1e-5, 5))


def random_triangles(seed=3):
    """Delaunay triangles of random points inside, regular ones on the sides."""
    from scipy.spatial import Delaunay

    from sgsolve.devices import triangulation

    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 11)
    sides = [np.stack([t, 0 * t], 1), np.stack([t, 0 * t + 1], 1)]
    sides += [np.stack([0 * t, t], 1)[1:-1], np.stack([0 * t + 1, t], 1)[1:-1]]
    points = np.concatenate([*sides, rng.uniform(0.04, 0.96, (120, 2))])
    return triangulation(1e-4 * points, Delaunay(points).simplices)


@pytest.mark.parametrize("make", [grid, random_triangles])
def test_volumes_add_up_to_the_area(make):
    mesh = make()
    area = np.prod(np.ptp(mesh.nodes, axis=0))
    assert mesh.volumes.sum() == pytest.approx(area, rel=1e-13)
    # The divergence theorem, for a linear field: what leaves an inner volume is nothing.
    field = mesh.nodes @ np.array([2.0, -1.0])
    a, b = mesh.edges.T
    outflow = mesh.divergence() @ ((field[a] - field[b]) * mesh.couples / mesh.lengths)
    low, high = mesh.nodes.min(axis=0), mesh.nodes.max(axis=0)
    inner = ((mesh.nodes > low) & (mesh.nodes < high)).all(axis=1)
    assert np.abs(outflow[inner]).max() < 1e-12 * np.abs(field).max()


def test_quality_reports_obtuse_triangles_and_negative_couples():
    from sgsolve.devices import quality, triangulation

    flat = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.2], [1.0, -0.2]])
    mesh = triangulation(flat, np.array([[0, 1, 2], [0, 3, 1]]))
    report = quality(mesh)
    assert report.obtuse == 2
    assert [tuple(mesh.edges[i]) for i in report.negative] == [(0, 1)]
    assert "2 of 2 cells are obtuse" in str(report)
    assert mesh.volumes.sum() == pytest.approx(0.4)


def test_wrong_triangles_are_refused():
    from sgsolve.devices import triangulation
    from sgsolve.errors import InputError

    line = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    with pytest.raises(InputError, match="triangle 0 has no area"):
        triangulation(line, np.array([[0, 1, 2], [0, 1, 3]]))
    with pytest.raises(InputError, match="in no triangle"):
        triangulation(line, np.array([[0, 1, 3]]))
    with pytest.raises(InputError, match=r"triangle 2 is there twice: .* nodes of triangle 0"):
        triangulation(line, np.array([[0, 1, 3], [1, 2, 3], [3, 0, 1]]))


@pytest.mark.parametrize("voltage", [0.7, *slow(-2.0, 0.3)])
def test_a_strip_carries_what_one_dimension_does(parameters, voltage):
    from sgsolve.devices import Device, Ohmic, interval, srh

    x = np.linspace(0, 1e-4, 81)
    doping = np.where(x < 0.5e-4, -1e17, 1e17)
    contacts = {"a": Ohmic(0), "c": Ohmic(-1)}
    one = Device(interval(x), doping, contacts, parameters, recombination=[srh])
    two = strip(grid(), parameters)
    expected = one.current(one.solve(V_a=voltage).x, "a", V_a=voltage)
    current = two.current(two.solve(V_a=voltage).x, "a", V_a=voltage)
    assert current == pytest.approx(1e-5 * expected, rel=1e-12)


def test_three_dimensions_given_by_hand_carry_what_one_does(parameters):
    from sgsolve.devices import Device, Mesh, Ohmic, interval, srh

    x, y, z = np.linspace(0, 1e-4, 41), np.array([0.0, 1e-6, 3e-6]), np.array([0.0, 2e-6, 3e-6])
    lines = [interval(v) for v in (x, y, z)]
    number = np.arange(41 * 9).reshape(41, 3, 3)
    nodes = np.stack(np.meshgrid(x, y, z, indexing="ij"), -1).reshape(-1, 3)
    shares = [line.volumes for line in lines]
    edges, couples = [], []
    for axis in range(3):
        ends = [np.take(number, range(k, number.shape[axis] - 1 + k), axis) for k in (0, 1)]
        face = [np.ones(number.shape[k] - 1) if k == axis else shares[k] for k in range(3)]
        edges.append(np.stack([end.ravel() for end in ends], axis=1))
        couples.append(np.einsum("i,j,k->ijk", *face).ravel())
    volumes = np.einsum("i,j,k->ijk", *shares).ravel()
    mesh = Mesh(nodes, np.concatenate(edges), np.concatenate(couples), volumes)
    currents = []
    for m in (mesh, lines[0]):
        at = m.nodes if m.dimension == 1 else m.nodes[:, 0]
        contacts = {"a": Ohmic(at == 0), "c": Ohmic(at == 1e-4)}
        doping = np.where(at < 5e-5, -1e17, 1e17)
        device = Device(m, doping, contacts, parameters, recombination=[srh])
        currents.append(device.current(device.solve(V_a=0.5).x, "a", V_a=0.5))
    assert mesh.dimension == 3
    assert currents[0] == pytest.approx(9e-12 * currents[1], rel=1e-11)


def test_triangles_and_rectangles_agree(parameters):
    from sgsolve.devices import rectangle, triangulation

    mesh = rectangle(np.linspace(0, 1e-4, 81), np.linspace(0, 1e-5, 5))
    halves = np.concatenate([mesh.cells[:, [0, 1, 2]], mesh.cells[:, [0, 2, 3]]])
    currents = [
        device.current(device.solve(V_a=0.5).x, "a", V_a=0.5)
        for device in (strip(m, parameters) for m in (mesh, triangulation(mesh.nodes, halves)))
    ]
    assert currents[0] == pytest.approx(currents[1], rel=1e-12)


@pytest.mark.slow
def test_mosfet():
    from mosfet import main

    data = main(gate=[-0.2, 0.4, 1.0, 1.6], drain=[0.0, 0.8, 1.6])
    linear, saturated = data.transfer[0.05], data.transfer[1.2]
    assert saturated[-1] == pytest.approx(7.103, rel=1e-3)
    assert saturated[0] / linear[0] > 2
    assert saturated[-1] / saturated[0] > 1e8
    output = data.output[1.6]
    assert abs(output[0]) < 1e-20
    assert 1 < output[2] / output[1] < 1.1
    # What the contacts exchange adds up to nothing.
    device = data.device
    bias = {"V_gate": 1.6, "V_drain": 1.6}
    x = device.solve(**bias).x
    currents = [device.current(x, name, **bias) for name in device.contacts]
    assert abs(sum(currents)) < 1e-12 * max(np.abs(currents))


def test_a_mesfet_follows_the_gradual_channel():
    """The law leaves out what is beside the gate: 2 % at low drain voltages."""
    from mesfet import main

    data = main(gate=[-1.0, -2.5], drain=[0.0, 0.1, 1.0])
    current, law = data.current[-1.0], data.law[-1.0]
    np.testing.assert_allclose(current[1:], law[1:], rtol=0.05)
    assert current[1] == pytest.approx(0.06338, rel=1e-3)
    assert abs(data.current[-2.5]).max() < 1e-8 * current[2]  # below the threshold of -2.04 V


def test_contact_resistance_follows_berger():
    """The layer is a twentieth of the transfer length thick: 0.1 % from the law."""
    from contact_resistance import main

    data = main([1e-4, 4e-4])
    ohmic, contact = data.law
    assert data.sheet == pytest.approx(ohmic, rel=1e-3)
    assert data.contact == pytest.approx(contact, rel=3e-3)
    assert contact == pytest.approx(0.7098, rel=1e-3)


def test_potentials_that_are_zero_but_for_rounding_are_not_examined():
    from mosfet import transistor

    stats = transistor().sweep("gate", [0.0, 0.4]).stats
    assert stats.nfev < 3 * stats.nit


@pytest.mark.slow
def test_bipolar_transistor():
    from bipolar import main

    data = main([0.4, 0.5, 0.6, 0.7])
    assert data.gain[-1] == pytest.approx(455.3, rel=1e-3)
    vt = data.device.thermal_voltage
    ideality = 0.1 / vt / np.log(data.collector[1:] / data.collector[:-1])
    assert np.abs(ideality - 1.03).max() < 0.03
    assert np.all(np.diff(data.gain) > 0)


def test_files_of_meshio(tmp_path):
    meshio = pytest.importorskip("meshio")
    from sgsolve.devices import read_mesh, write_mesh

    mesh = random_triangles()
    path = tmp_path / "mesh.vtu"
    write_mesh(path, mesh, height=mesh.nodes[:, 0])
    assert meshio.read(path).point_data["height"].shape == (mesh.n,)
    again, regions, lines = read_mesh(path)
    assert again.n == mesh.n
    assert again.volumes.sum() == pytest.approx(mesh.volumes.sum())
    assert regions == lines == {}


def test_a_gmsh_file_names_materials_and_contacts(tmp_path, parameters):
    meshio = pytest.importorskip("meshio")
    from sgsolve.devices import Device, Gate, Ohmic, read_mesh, srh

    grid = np.stack(np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 6), indexing="ij"), -1)
    points = np.column_stack([grid.reshape(-1, 2), np.zeros(30)])
    number = np.arange(30).reshape(5, 6)
    corners = (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:])
    a, b, c, d = (corner.ravel() for corner in corners)
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    oxide = points[triangles].mean(axis=1)[:, 1] > 0.8
    lines = np.concatenate([number[:2, 0][None], number[3:, 0][None], number[:2, 5][None]])
    meshio.Mesh(
        points,
        [("line", lines), ("triangle", triangles)],
        cell_data={
            "gmsh:physical": [np.array([3, 4, 5]), np.where(oxide, 2, 1)],
            "gmsh:geometrical": [np.ones(3, dtype=int), np.ones(len(triangles), dtype=int)],
        },
        field_data={
            "silicon": np.array([1, 2]),
            "oxide": np.array([2, 2]),
            "source": np.array([3, 1]),
            "drain": np.array([4, 1]),
            "gate": np.array([5, 1]),
        },
    ).write(tmp_path / "device.msh", file_format="gmsh22")
    mesh, regions, contacts = read_mesh(tmp_path / "device.msh", unit=1e-4)
    assert mesh.volumes.sum() == pytest.approx(1e-8)
    assert regions["oxide"].tolist() == oxide.tolist()
    assert (regions["oxide"] ^ regions["silicon"]).all()
    assert {name: nodes.tolist() for name, nodes in contacts.items()} == {
        "source": [0, 6],
        "drain": [18, 24],
        "gate": [5, 11],
    }
    device = Device(
        mesh,
        np.full(mesh.n, 1e15),
        {k: (Gate if k == "gate" else Ohmic)(nodes) for k, nodes in contacts.items()},
        parameters,
        recombination=[srh],
        active=mesh.part(regions["silicon"]),
    )
    x = device.solve(V_drain=0.1).x
    into, out = (device.current(x, name, V_drain=0.1) for name in ("drain", "source"))
    assert into > 0
    assert into + out == pytest.approx(0, abs=1e-12 * into)


def test_a_file_without_triangles_is_refused(tmp_path):
    meshio = pytest.importorskip("meshio")
    from sgsolve.devices import read_mesh
    from sgsolve.errors import InputError

    path = tmp_path / "line.vtu"
    meshio.Mesh(np.eye(3), [("line", np.array([[0, 1], [1, 2]]))]).write(path)
    with pytest.raises(InputError, match="has no triangles and no tetrahedra, only line"):
        read_mesh(path)


@pytest.mark.parametrize("lines", [3, 5, 8])
def test_an_undoped_layer_in_two_dimensions(lines):
    """Its potential hardly has a charge to depend on: residuals are rounding errors only."""
    from sgsolve.devices import Device, Ohmic, graded, rectangle, srh

    x = graded([0.0, 5e-6, 1e-5, 1.5e-5], 5e-7, 1e-7, 1.2)
    mesh = rectangle(x, np.linspace(0.0, 1e-4, lines))
    at = mesh.nodes[:, 0]
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 800.0, "mu_p": 300.0}
    values |= {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
    contacts = {"p": Ohmic(mesh.where(at == 0.0)), "n": Ohmic(mesh.where(at == at.max()))}
    net = np.select([at < 5e-6, at > 1e-5], [-1e19, 1e19], 0.0)
    device = Device(mesh, net, contacts, values, recombination=[srh])
    result = device.solve(V_n=1.0)
    currents = [device.current(result.x, name, V_n=1.0) for name in "pn"]
    assert currents[0] == pytest.approx(-currents[1], rel=1e-10)


def test_factors_are_kept_where_they_cost_more_than_the_rest_of_a_step(parameters):
    from sgsolve.devices import interval, rectangle

    x, voltages = np.linspace(0, 1e-4, 41), [0.3, 0.4, 0.5]
    square = strip(rectangle(x, x), parameters).sweep("a", voltages).stats
    assert square.n_factor < 0.7 * square.nit
    line = strip(interval(np.linspace(0, 1e-4, 801)), parameters).sweep("a", voltages).stats
    assert line.n_factor >= line.nit > 0
