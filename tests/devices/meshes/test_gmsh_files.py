"""Files of gmsh, written by hand in both formats that it saves: the mesh and the named groups."""

import numpy as np
import pytest

pytest.importorskip("meshio")

NAMES = """$PhysicalNames
5
1 7 "left"
1 8 "right"
1 9 "ends"
2 5 "bar"
2 6 "cap"
$EndPhysicalNames
"""
# Two triangles of the bar and two of the cap, 2 um by 1 um; node tags with a gap. Both ends are in
# two groups: format 2.2 repeats their elements.
MSH_2 = f"""$MeshFormat
2.2 0 8
$EndMeshFormat
{NAMES}$Nodes
6
1 0 0 0
2 1 0 0
3 2 0 0
14 0 1 0
15 1 1 0
16 2 1 0
$EndNodes
$Elements
8
1 1 2 7 4 1 14
2 1 2 8 2 3 16
3 1 2 9 4 1 14
8 1 2 9 2 3 16
4 2 2 5 1 1 2 15
5 2 2 5 1 1 15 14
6 2 2 6 2 2 3 16
7 2 2 6 2 2 16 15
$EndElements
"""
MSH_4 = f"""$MeshFormat
4.1 0 8
$EndMeshFormat
{NAMES}$Entities
0 2 2 0
2 2 0 0 2 1 0 2 8 9 0
4 0 0 0 0 1 0 2 7 9 0
1 0 0 0 1 1 0 1 5 0
2 1 0 0 2 1 0 1 6 0
$EndEntities
$Nodes
2 6 1 16
2 1 0 4
1
2
14
15
0 0 0
1 0 0
0 1 0
1 1 0
2 2 0 2
3
16
2 0 0
2 1 0
$EndNodes
$Elements
4 6 1 7
1 4 1 1
1 1 14
1 2 1 1
2 3 16
2 1 2 2
4 1 2 15
5 1 15 14
2 2 2 2
6 2 3 16
7 2 16 15
$EndElements
"""


@pytest.mark.parametrize("text", [MSH_2, MSH_4], ids=["2.2", "4.1"])
def test_a_file_of_gmsh_gives_the_mesh_its_regions_and_its_contacts(tmp_path, text):
    from sgsolve.devices import Device, Ohmic, read_mesh

    path = tmp_path / "bar.msh"
    path.write_text(text)
    mesh, regions, contacts = read_mesh(path, unit=1e-4)
    assert set(regions) == {"bar", "cap"}
    assert set(contacts) == {"left", "right", "ends"}
    assert contacts["ends"].tolist() == sorted([*contacts["left"], *contacts["right"]])
    areas = {name: 0.5 * np.abs(_cross(mesh, cells)).sum() for name, cells in regions.items()}
    assert areas == pytest.approx({"bar": 1e-8, "cap": 1e-8})
    for name, x in (("left", 0.0), ("right", 2e-4)):
        np.testing.assert_allclose(mesh.nodes[contacts[name], 0], x, atol=1e-18)
        assert len(contacts[name]) == 2
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    ends = {name: Ohmic(contacts[name]) for name in ("left", "right")}
    bar = Device(mesh, np.full(mesh.n, 1e17), ends, values)
    current = bar.currents(bar.sweep("right", [0.0, 0.01]), "right")[-1]
    expected = bar.constants.q * 1e17 * 1000.0 * 0.01 / 2e-4 * 1e-4  # q n mu V / length, width
    assert current == pytest.approx(expected, rel=1e-6)


def test_triangles_in_two_groups_are_one_triangle(tmp_path):
    """Format 2.2 repeats them, one of them with its corners in another order."""
    from sgsolve.devices import read_mesh

    text = MSH_2.replace("5\n1 7", "6\n1 7").replace('2 6 "cap"', '2 6 "cap"\n2 4 "all"')
    text = text.replace("\n8\n1 1 2", "\n11\n1 1 2").replace(
        "4 2 2 5 1 1 2 15",
        "11 2 2 4 2 3 16 2\n12 2 2 4 1 1 2 15\n13 2 2 4 1 1 15 14\n4 2 2 5 1 1 2 15",
    )
    path = tmp_path / "bar.msh"
    path.write_text(text)
    mesh, regions, _ = read_mesh(path, unit=1e-4)
    assert len(mesh.cells) == 4
    assert mesh.volumes.sum() == pytest.approx(2e-8, rel=1e-12)
    numbers = {name: set(np.flatnonzero(inside)) for name, inside in regions.items()}
    assert {name: len(found) for name, found in numbers.items()} == {"bar": 2, "cap": 2, "all": 3}
    assert numbers["bar"] < numbers["all"]
    assert len(numbers["cap"] & numbers["all"]) == 1


def test_elements_in_no_group_are_named(tmp_path):
    from sgsolve.devices import read_mesh
    from sgsolve.errors import InputError

    path = tmp_path / "bar.msh"
    path.write_text(MSH_4.replace("2 2 0 0 2 1 0 2 8 9 0", "2 2 0 0 2 1 0 0 0"))
    with pytest.raises(InputError, match=r"in no physical group.*Mesh\.SaveAll = 0"):
        read_mesh(path)


def _cross(mesh, cells):
    a, b, c = mesh.nodes[mesh.cells[cells]].transpose(1, 2, 0)
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
