"""CPU time per Newton iteration of a device simulator and of sgsolve, same meshes, one run.

A silicon pn diode of 1 um with Shockley-Read-Hall recombination, in one dimension, as a square in
two and as a cube of tetrahedra in three, swept from 0.3 to 0.6 V by both programs. Times are CPU
seconds of one thread over the number of Newton iterations; sgsolve's include everything of a sweep
(predictor, step control). A first sweep before it finds patterns and, where asked for, compiles;
DEVSIM has solved before, too.

    pip install devsim mkl 'sgsolve[pardiso]'
    python benchmarks/devices.py             # 100 1000 10000 100x100 12x12x12, a minute
    python benchmarks/devices.py --large     # 100000, 316x316 and 20x20x20 too, ten minutes
    python benchmarks/devices.py 5000 50x200 20x10x10   # sizes of your own

DEVSIM is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from importlib.util import find_spec
from itertools import permutations
from time import process_time
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy reads them

import numpy as np

from sgsolve.ad import compiled_is_available

LENGTH, DOPING = 1e-4, 1e17  # cm, cm^-3
SIZES, LARGE = ["100", "1000", "10000", "100x100", "12x12x12"], ["100000", "316x316", "20x20x20"]
# Sweeps after which kernels and loops are made, up to a number of nodes.
WARM = {1000: 65, 20_000: 15}
BIASES = [0.3, 0.4, 0.5, 0.6]
VALUES = {"eps_r": 11.1, "ni": 1e10, "mu_n": 400.0, "mu_p": 200.0}
VALUES |= {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 1e10, "p1": 1e10}


def tetrahedra(sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of a cube, and its tetrahedra: six in each box, around its diagonal."""
    axes = [np.linspace(0.0, LENGTH, k) for k in sizes]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    low = np.stack(np.meshgrid(*[np.arange(k - 1) for k in sizes], indexing="ij"), axis=-1)
    found = []
    for order in permutations(range(3)):
        corner, path = low.reshape(-1, 3).copy(), []
        for axis in (*order, None):
            path.append(np.ravel_multi_index(tuple(corner.T), sizes))
            if axis is not None:
                corner[:, axis] += 1
        found.append(np.stack(path, axis=1))
    return nodes, np.concatenate(found)


def _mesh(sizes: list[int]) -> Any:
    from sgsolve.devices import interval, rectangle, tetrahedralization

    if len(sizes) == 3:
        return tetrahedralization(*tetrahedra(sizes))
    axes = [np.linspace(0.0, LENGTH, k) for k in sizes]
    return interval(*axes) if len(sizes) == 1 else rectangle(*axes)


def with_sgsolve(sizes: list[int], compiled: bool = False) -> tuple[float, int, float]:
    """CPU seconds, Newton iterations and the last current, of a second sweep."""
    from sgsolve.devices import Constants, Device, Ohmic, srh

    mesh = _mesh(sizes)
    at = mesh.nodes if len(sizes) == 1 else mesh.nodes[:, 0]
    device = Device(
        mesh,
        np.where(at < LENGTH / 2, -DOPING, DOPING),
        {"top": Ohmic(mesh.where(at == 0)), "bot": Ohmic(mesh.where(at == at.max()))},
        VALUES,
        recombination=[srh],
        constants=Constants(q=1.6e-19, k=1.3806503e-23, eps0=8.85e-14),
        compiled=compiled,
    )
    start = device.solve(V_top=BIASES[0]).x
    warm = next((count for most, count in WARM.items() if compiled and mesh.n <= most), 1)
    for _ in range(warm):
        device.sweep("top", BIASES, x0=start)
    before = process_time()
    sweep = device.sweep("top", BIASES, x0=start)
    seconds = process_time() - before
    return seconds, sweep.stats.nit, float(device.currents(sweep, "top")[-1])


def with_devsim(sizes: list[int]) -> tuple[float, int, float]:
    """The same by DEVSIM."""
    import devsim
    from devsim.python_packages import simple_physics

    name = "diode" + "x".join(map(str, sizes))
    _devsim_device(devsim, name, sizes)
    for bias in np.linspace(0.1, BIASES[0], 3):
        devsim.set_parameter(device=name, name="top_bias", value=float(bias))
        _devsim_solve(devsim, 1e10)
    before, iterations = process_time(), 0
    for bias in BIASES[1:]:
        devsim.set_parameter(device=name, name="top_bias", value=bias)
        iterations += _devsim_solve(devsim, 1e10)
    seconds = process_time() - before
    current = sum(
        devsim.get_contact_current(device=name, contact="top", equation=equation)
        for equation in (simple_physics.ece_name, simple_physics.hce_name)
    )
    devsim.delete_device(device=name)
    return seconds, iterations, float(current)


def _devsim_device(devsim: Any, name: str, sizes: list[int]) -> None:
    """Make the device in equilibrium, with the models that come with DEVSIM."""
    from devsim.python_packages import model_create, simple_physics

    if len(sizes) == 3:
        _devsim_tetrahedra(devsim, name, sizes)
    else:
        _devsim_mesh(devsim, name, sizes[0], sizes[1] if len(sizes) == 2 else 1)
    where = {"device": name, "region": "bulk"}
    simple_physics.SetSiliconParameters(name, "bulk", 300)
    for parameter, value in (("taun", 1e-8), ("taup", 1e-8)):
        devsim.set_parameter(**where, name=parameter, value=value)
    step = f"{DOPING}*(step(x-{LENGTH / 2})-step({LENGTH / 2}-x))"
    model_create.CreateNodeModel(name, "bulk", "NetDoping", step)
    model_create.CreateSolution(name, "bulk", "Potential")
    simple_physics.CreateSiliconPotentialOnly(name, "bulk")
    for contact in ("top", "bot"):
        devsim.set_parameter(device=name, name=f"{contact}_bias", value=0.0)
        simple_physics.CreateSiliconPotentialOnlyContact(name, "bulk", contact)
    _devsim_solve(devsim, 1.0)
    for carrier in ("Electrons", "Holes"):
        model_create.CreateSolution(name, "bulk", carrier)
        devsim.set_node_values(**where, name=carrier, init_from=f"Intrinsic{carrier}")
    simple_physics.CreateSiliconDriftDiffusion(name, "bulk")
    for contact in ("top", "bot"):
        simple_physics.CreateSiliconDriftDiffusionAtContact(name, "bulk", contact)
    _devsim_solve(devsim, 1e10)


def _devsim_mesh(devsim: object, name: str, nx: int, ny: int) -> None:
    spacing = LENGTH / (nx - 1)
    if ny == 1:
        devsim.create_1d_mesh(mesh=name)
        devsim.add_1d_mesh_line(mesh=name, pos=0.0, ps=spacing, tag="top")
        devsim.add_1d_mesh_line(mesh=name, pos=LENGTH, ps=spacing, tag="bot")
        for contact in ("top", "bot"):
            devsim.add_1d_contact(mesh=name, name=contact, tag=contact, material="metal")
        devsim.add_1d_region(mesh=name, material="Si", region="bulk", tag1="top", tag2="bot")
    else:
        devsim.create_2d_mesh(mesh=name)
        for direction, number in (("x", nx), ("y", ny)):
            for position in (0.0, LENGTH):
                ps = LENGTH / (number - 1)
                devsim.add_2d_mesh_line(mesh=name, dir=direction, pos=position, ps=ps)
        for position, outer in ((-spacing, 0.0), (LENGTH + spacing, LENGTH)):
            devsim.add_2d_mesh_line(mesh=name, dir="x", pos=position, ps=spacing)
            low, high = sorted((position, outer))
            devsim.add_2d_region(
                mesh=name, material="gas", region=f"air{position > 0}", xl=low, xh=high
            )
        devsim.add_2d_region(mesh=name, material="Si", region="bulk", xl=0.0, xh=LENGTH)
        for contact, position in (("top", 0.0), ("bot", LENGTH)):
            devsim.add_2d_contact(
                mesh=name, name=contact, material="metal", region="bulk",
                xl=position, xh=position, bloat=1e-10,
            )  # fmt: skip
    devsim.finalize_mesh(mesh=name)
    devsim.create_device(mesh=name, device=name)


def _devsim_tetrahedra(devsim: Any, name: str, sizes: list[int]) -> None:
    """The same nodes and tetrahedra, with triangles at both contacts."""
    nodes, cells = tetrahedra(sizes)
    elements = [np.insert(cells, 0, [[3], [2]], axis=1).ravel()]
    faces = np.concatenate([cells[:, k] for k in ([0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3])])
    for k, position in enumerate((0.0, LENGTH)):
        on = faces[(nodes[faces, 0] == position).all(axis=1)]
        elements.append(np.insert(on, 0, [[2], [k]], axis=1).ravel())
    devsim.create_gmsh_mesh(
        mesh=name,
        coordinates=nodes.ravel().tolist(),
        elements=np.concatenate(elements).tolist(),
        physical_names=["top", "bot", "bulk"],
    )
    devsim.add_gmsh_region(mesh=name, gmsh_name="bulk", region="bulk", material="Si")
    for contact in ("top", "bot"):
        devsim.add_gmsh_contact(
            mesh=name, gmsh_name=contact, name=contact, region="bulk", material="metal"
        )
    devsim.finalize_mesh(mesh=name)
    devsim.create_device(mesh=name, device=name)


def _devsim_solve(devsim: object, absolute: float) -> int:
    report = devsim.solve(
        type="dc", absolute_error=absolute, relative_error=1e-10, maximum_iterations=40, info=True
    )
    return len(report["iterations"])


def main(sizes: list[str]) -> list[tuple[str, str, float, int, float]]:
    """Print the table of all sizes and return its rows."""
    programs: dict[str, Any] = {"sgsolve": with_sgsolve}
    if compiled_is_available():
        programs["compiled"] = partial(with_sgsolve, compiled=True)
    if find_spec("devsim"):
        programs["devsim"] = with_devsim
    else:
        print("devsim is not installed")
    rows = []
    for size in sizes:
        for program, run in programs.items():
            seconds, iterations, current = run([int(k) for k in size.split("x")])
            rows.append((size, program, 1e3 * seconds / iterations, iterations, current))
    titles = ("nodes", "program", "ms/iteration", "iterations", "I(0.6 V)")
    print("{:>10s} {:>10s} {:>14s} {:>11s} {:>14s}".format(*titles))
    for row in rows:
        print("{:>10s} {:>10s} {:>14.2f} {:>11d} {:>14.6g}".format(*row))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="larger devices too")
    parser.add_argument("sizes", nargs="*", default=SIZES, help="such as 5000, 50x200, 20x10x10")
    asked = parser.parse_args()
    if not all(part.isdigit() for size in asked.sizes for part in size.split("x")):
        parser.error(f"sizes are integers joined by x, not {asked.sizes}")
    main(asked.sizes + (LARGE if asked.large else []))
