"""Band edges and densities of a solution, for pictures.

A solution is three potentials; energies are minus potentials, in eV.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .carriers import carriers
from .device import Device


def band_edges(device: Device, x: np.ndarray, **p: Any) -> dict[str, np.ndarray]:
    """Energies in eV at the semiconductor's nodes.

    Returns
    -------
    dict
        ``Ec``, ``Ev``, and the quasi-Fermi levels ``Fn``, ``Fp``. For a device known by its
        intrinsic density only, ``Ec`` and ``Ev`` are both the intrinsic level.
    """
    p = device.parameters | p
    s = carriers(device, x, p)
    psi, phin, phip = (s.vt * u for u in (s.us, s.un, s.up))
    return {"Ec": p.get("Ec", 0.0) - psi, "Ev": p.get("Ev", 0.0) - psi, "Fn": -phin, "Fp": -phip}


def densities(device: Device, x: np.ndarray, **p: Any) -> tuple[np.ndarray, np.ndarray]:
    """Electron and hole densities, cm^-3, at the semiconductor's nodes."""
    s = carriers(device, x, device.parameters | p)
    return s.n, s.p


def draw_bands(axes: Any, device: Device, x: np.ndarray, title: str, **p: Any) -> None:
    """Draw the bands of a one-dimensional device."""
    position = 1e4 * device.mesh.nodes[device.layout.nodes]
    edges = band_edges(device, x, **p)
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
