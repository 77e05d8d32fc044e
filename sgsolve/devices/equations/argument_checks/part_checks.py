"""Checks of the parts of a device against its mesh and its bands.

A part that cannot do anything, or whose energy is far outside the gap, raises an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ....errors import InputError
from ...models.contacts import Contact
from ..model import DeviceModel

BEYOND = 1.0  # eV: no metal bends the bands that far beyond the gap
WIDEST = 100.0  # areas of a part, relative to those of the box around the mesh
TRAP_BEYOND = 0.1  # eV: a level of a trap may lie a little inside a band


def check_parts(device: DeviceModel) -> None:
    """Raise for a gap that is none, for barriers far outside it, and for parts without effect."""
    _check_gap(device)
    for name, contact in device.contacts.items():
        if contact.has_barrier:
            _check_barrier(device, name, contact)
    for what, nodes, area in _at_boundaries(device):
        _check_effect(device, what, nodes)
        _check_area(device, what, np.ones(len(nodes)) * area)


def trap_outside_gap(device: DeviceModel) -> str:
    """Say which level of traps lies inside a band, or nothing."""
    p = device.parameters
    if "Nc" not in p:
        return ""
    vt = device.constants.thermal_voltage(p["T"])
    for name, level in device.trap_levels.items():
        n_trap = level.level.n_trap
        below = vt * np.log(p["Nc"] / n_trap)  # the conduction band
        above = p["Ec"] - p["Ev"] - below  # the valence band
        for distance, band in ((below, "above the conduction"), (above, "below the valence")):
            least = float(np.max(distance))
            if least < -TRAP_BEYOND:
                return (
                    f"trap level {name!r}: n_trap is {n_trap:.3g}, so it lies {-least:.3g} eV "
                    f"{band} band; n_trap is Nc exp((E_t - E_c)/kT), per cm^3"
                )
    return ""


def _check_gap(device: DeviceModel) -> None:
    p = device.parameters
    if "Ec" in p and not np.min(p["Ec"] - p["Ev"]) > 0.0:
        raise InputError(
            f"Ec: is not above Ev everywhere; their least difference is "
            f"{np.min(p['Ec'] - p['Ev']):g} eV. Energies are those of electrons: Ec = -affinity, "
            "Ev = Ec - gap"
        )


def _check_barrier(device: DeviceModel, name: str, contact: Contact) -> None:
    p, lay = device.parameters, device.layout
    gap = float(np.max(((p["Ec"] - p["Ev"]) * np.ones(lay.pairs))[lay.emitting[name]]))
    if not -BEYOND <= contact.barrier <= gap + BEYOND:
        raise InputError(
            f"contact {name!r}: barrier is {contact.barrier:g} eV, and the gap there is {gap:.3g} "
            "eV. It counts from the metal's Fermi level to the conduction band: the work function "
            f"less the electron affinity. Give {-BEYOND:g} to {gap + BEYOND:.3g} eV"
        )


def _at_boundaries(device: DeviceModel) -> Iterator[tuple[str, np.ndarray, Any]]:
    """Parts with an area: in words, their nodes among those of the mesh, their areas."""
    lay = device.layout
    for name, contact in device.contacts.items():
        if contact.has_barrier or name in lay.coupled_gates:
            yield f"contact {name!r}", lay.contacts[name], contact.area
    for name, where in device.surfaces.items():
        rows = lay.sides(f"surface {name!r}", where)[0]
        yield f"surface {name!r}", lay.pair_nodes[rows], where.area
    for name, level in device.trap_levels.items():
        if level.level.area is not None:
            yield f"trap level {name!r}", lay.pair_nodes[level.nodes], level.level.area


def _check_effect(device: DeviceModel, what: str, nodes: np.ndarray) -> None:
    """Raise for a part at nodes whose potentials are all fixed by ohmic contacts."""
    for name, contact in device.contacts.items():
        if contact.fixes_carriers and np.isin(nodes, device.layout.contacts[name]).all():
            raise InputError(
                f"{what}: is without effect, because contact {name!r} fixes the potentials at all "
                "its nodes; give it nodes of its own"
            )


def _check_area(device: DeviceModel, what: str, area: np.ndarray) -> None:
    """Raise for areas far beyond those of the mesh: 1 is for one dimension only."""
    mesh = device.mesh
    extent = np.ptp(mesh.nodes, axis=0)
    if mesh.dimension == 1:
        return
    box = np.sum(extent) if mesh.dimension == 2 else np.sum(extent * np.roll(extent, 1))
    total = float(np.sum(area))
    if total > WIDEST * box:
        unit = "cm" if mesh.dimension == 2 else "cm^2"
        raise InputError(
            f"{what}: its areas add up to {total:.3g} {unit}, and the box around the mesh has "
            f"{2.0 * float(box):.3g} {unit}; give area=mesh.boundary(nodes)"
        )
