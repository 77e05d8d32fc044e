"""Band edges and densities of a solution, for pictures.

A solution is three potentials; energies are minus potentials, in eV.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..device import Device
from ..equations.argument_checks.device_checks import state as check_state
from ..equations.carriers import carriers
from ..models.heat import local_parameters


def band_edges(device: Device, x: np.ndarray, **p: Any) -> dict[str, np.ndarray]:
    """Return energies in eV at the semiconductor's nodes, or at the pairs of its `Regions`.

    Parameters
    ----------
    device : Device
        The device.
    x : ndarray
        A solution.
    **p
        The parameters of the solution that differ from the device's.

    Returns
    -------
    dict
        ``Ec``, ``Ev``, and the quasi-Fermi levels ``Fn``, ``Fp``. If the device has its intrinsic
        density only, ``Ec`` and ``Ev`` are both the intrinsic level.

    See Also
    --------
    draw_bands : A picture of them.
    densities : Electrons and holes.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, band_edges, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> edges = band_edges(bar, bar.equilibrium())
    >>> round(float(edges["Fn"][0] - edges["Ec"][0]), 4)  # kT log(N/ni)
    0.2976
    """
    check_state(device, "x", x)
    p = dict(local_parameters(device, x, device.parameters | p))
    s = carriers(device, x, p)
    psi, phin, phip = (s.vt * u for u in (s.us, s.un, s.up))
    return {"Ec": p.get("Ec", 0.0) - psi, "Ev": p.get("Ev", 0.0) - psi, "Fn": -phin, "Fp": -phip}


def densities(device: Device, x: np.ndarray, **p: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return both densities at the semiconductor's nodes, or at the pairs of its `Regions`.

    Parameters
    ----------
    device : Device
        The device.
    x : ndarray
        A solution.
    **p
        The parameters of the solution that differ from the device's.

    Returns
    -------
    n, p : ndarray
        cm^-3.

    See Also
    --------
    band_edges : The energies.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, densities, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> n, p = densities(bar, bar.equilibrium())
    >>> f"{n[5]:.3g} {p[5]:.3g}"
    '1e+15 1e+05'
    """
    check_state(device, "x", x)
    s = carriers(device, x, local_parameters(device, x, device.parameters | p))
    return s.n, s.p


def draw_bands(axes: Any, device: Device, x: np.ndarray, title: str, **p: Any) -> None:
    """Draw the bands of a one-dimensional device.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    device : Device
        One-dimensional.
    x : ndarray
        A solution.
    title : str
        Of the axes.
    **p
        The parameters of the solution that differ from the device's.

    See Also
    --------
    band_edges : The numbers.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, draw_bands, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> figure, axes = plt.subplots()
    >>> draw_bands(axes, bar, bar.equilibrium(), "equilibrium")
    >>> axes.get_ylabel()
    'energy (eV)'
    >>> plt.close(figure)
    """
    order = _order_along_line(device)
    position = 1e4 * device.mesh.nodes[device.layout.pair_nodes[order]]
    edges = {
        name: np.broadcast_to(values, order.shape)[order]
        for name, values in band_edges(device, x, **p).items()
    }
    if "ni" in device.parameters:
        axes.plot(position, edges["Ec"], "k", label="$E_i$")
    else:
        axes.plot(position, edges["Ec"], "k", label="$E_c$, $E_v$")
        axes.plot(position, edges["Ev"], "k")
    axes.plot(position, edges["Fn"], "b--", label="$F_n$")
    axes.plot(position, edges["Fp"], "r:", label="$F_p$")
    axes.set(xlabel="x (um)", ylabel="energy (eV)", title=title)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.2 * (high - low))  # room for the legend above the curves
    axes.legend(fontsize=8, ncols=3, loc="upper center")


def _order_along_line(device: Device) -> np.ndarray:
    """Order of the pairs along a line; at an interface that of the region before it comes first."""
    lay, x = device.layout, device.mesh.nodes
    before = np.full(lay.pairs, np.inf)  # the pair's leftmost neighbor
    for one, other in (lay.carrier_edges.T, lay.carrier_edges[:, ::-1].T):
        np.minimum.at(before, one, x[lay.pair_nodes[other]])
    return np.lexsort((before, x[lay.pair_nodes]))
