"""Solves on meshes that are refined where the potential drops, with the states carried over.

The potentials and the quasi-Fermi potentials are interpolated, so densities stay positive. A state
of the coarse mesh is then a good guess on the finer one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, eye_array

from ...errors import DataTypeError, InputError
from ..device import Device
from ..equations.carriers import after_fluxes
from ..meshes.cells import CellMesh
from ..meshes.refinement import Refinement, refinement
from ..solving.start import solve_device

MOST = 1_000_000  # nodes


@dataclass(frozen=True)
class Refined:
    """What `solve_refined` found.

    Attributes
    ----------
    device : Device
        On the last mesh.
    x : ndarray
        Its solution.
    refinement : Refinement
        From the first mesh to the last.
    nodes, iterations : list of int
        Of every mesh: its nodes, and the Newton iterations from the state of the mesh before.

    See Also
    --------
    solve_refined

    Examples
    --------
    >>> from sgsolve.devices import Refined
    >>> [name for name in Refined.__dataclass_fields__]
    ['device', 'x', 'refinement', 'nodes', 'iterations']
    """

    device: Device
    x: np.ndarray
    refinement: Refinement
    nodes: list[int]
    iterations: list[int]


def solve_refined(
    make: Callable[[Refinement], Device],
    mesh: CellMesh,
    drop: float,
    regions: Any = None,
    dual: str | None = None,
    most: int = MOST,
    **p: Any,
) -> Refined:
    """Solve a device, refining its mesh until the potential drops little along every edge.

    Parameters
    ----------
    make : function
        ``make(refinement)`` gives the device on ``refinement.mesh``. The doping and the contacts
        follow from its nodes, or from those of the first mesh by ``refinement.nodes``; regions
        from its cells, or from ``refinement.parents``.
    mesh : CellMesh
        The first mesh.
    drop : float
        The largest drop along an edge, V. A tenth of the built-in potential or less.
    regions : array_like, shape (k,), optional
        The region of each cell of the first mesh, whose borders triangles do not cross.
    dual : {"circumcentric", "barycentric"}, optional
        As for `tetrahedralization`; that of the first mesh by default.
    most : int
        Nodes at which to stop.
    **p
        Voltages and other parameters that differ from the device's.

    Returns
    -------
    Refined
        The device on the last mesh, and its solution.

    Raises
    ------
    InputError
        If `drop` is not positive, or takes more than `most` nodes.
    ConvergenceError
        If a solution is not found.

    See Also
    --------
    refinement : One step, for a loop of your own.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, interval, solve_refined
    >>> silicon = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0}
    >>> def make(found):
    ...     x = found.mesh.nodes
    ...     doping = np.where(x < 1e-4, -1e17, 1e16)
    ...     contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    ...     return Device(found.mesh, doping, contacts, silicon)
    >>> first = interval(np.linspace(0, 3e-4, 31))
    >>> found = solve_refined(make, first, drop=0.05, V_p=0.5)
    >>> found.nodes
    [31, 33, 35, 37]
    """
    whole = Refinement(mesh, np.arange(len(mesh.cells)), csr_array(eye_array(mesh.n)))
    names = None if regions is None else np.asarray(regions)
    device = _device(make, whole)
    result = solve_device(device, None, p)
    nodes, iterations = [mesh.n], [result.nit]
    while True:
        named = None if names is None else names[whole.parents]
        step = refinement(whole.mesh, result.x[: whole.mesh.n], drop, named, dual)
        if step.mesh.n == whole.mesh.n:
            return Refined(device, result.x, whole, nodes, iterations)
        if step.mesh.n > most:
            raise InputError(
                f"drop: {drop:g} V takes more than {most} nodes; choose a larger one, or raise "
                f"`most` (so far: {nodes})"
            )
        weights = csr_array(step.weights @ whole.weights)
        whole = Refinement(step.mesh, whole.parents[step.parents], weights)
        finer = _device(make, whole)
        result = solve_device(finer, carried(device, result.x, finer, step), p)
        device = finer
        nodes.append(whole.mesh.n)
        iterations.append(result.nit)


def carried(device: Device, x: np.ndarray, finer: Device, step: Refinement) -> np.ndarray:
    """Return a state of a device on a finer mesh, by interpolation.

    Parameters
    ----------
    device : Device
        On the coarse mesh.
    x : ndarray
        Its state.
    finer : Device
        The same on ``step.mesh``.
    step : Refinement
        From one mesh to the other.

    Returns
    -------
    ndarray
        A guess for ``finer.solve``: potentials, quasi-Fermi potentials, levels of ions, and
        temperatures. Fluxes are computed anew.

    Raises
    ------
    InputError
        If the devices are not on these meshes.

    See Also
    --------
    solve_refined : Does it all.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, carried, interval, refinement
    >>> def bar(mesh):
    ...     return Device(mesh, np.full(mesh.n, 1e15), {"a": Ohmic(0), "b": Ohmic(-1)},
    ...                   {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> coarse = bar(interval(np.linspace(0, 1e-3, 11)))
    >>> x = coarse.solve(V_a=1.0).x
    >>> step = refinement(coarse.mesh, x[:11], 0.05)
    >>> finer = bar(step.mesh)
    >>> finer.solve(carried(coarse, x, finer, step), V_a=1.0).nit <= 2
    True
    """
    lay, new = device.layout, finer.layout
    if step.weights.shape != (new.n, lay.n):
        raise InputError(
            f"step: joins meshes of {step.weights.shape[1]} and {step.weights.shape[0]} nodes, and "
            f"the devices have {lay.n} and {new.n}"
        )
    n, m = lay.n, lay.n_s
    inside = csr_array(step.weights[new.nodes][:, lay.nodes])
    share = inside.sum(axis=1)
    if not (share > 0.0).all():
        raise InputError("finer: its semiconductor is not where that of the coarse device is")
    parts = [step.weights @ x[:n], (inside @ x[n : n + m]) / share]
    parts.append((inside @ x[n + m : n + 2 * m]) / share)
    if device.heat is not None:
        parts.append(step.weights @ x[n + 2 * m : 2 * n + 2 * m])
    elif device.ions:
        parts.append(x[after_fluxes(device, x) :][: len(device.ions)])
    return np.concatenate(parts)


def _device(make: Callable[[Refinement], Device], found: Refinement) -> Device:
    device = make(found)
    if not isinstance(device, Device):
        raise DataTypeError(f"make: must return a Device, not {type(device).__name__}")
    if device.mesh is not found.mesh:
        raise InputError("make: must return a device on the mesh of the refinement it is given")
    return device
