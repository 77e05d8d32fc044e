"""Warnings of numbers that are probably in other units, or of another temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....user_warnings import warn
from ..carriers import log_factors
from ..model import DeviceModel
from .part_checks import trap_outside_gap
from .unit_ranges import strange_given, strange_value

HIGHEST = 1e5  # V
PUREST = 1e8  # cm^-3
FROM_VACUUM = -2.0  # eV: bands below it do not count from the middle of a gap, nor from an edge
NO_METAL = -1.0  # V: work functions are 2 to 6 eV
COARSEST = 4.0  # depletion layers along an edge; at 2 the currents of a diode are roughly right
THINNEST = 0.3  # of the depletion layer between the highest dopings: some solar cells are all of it
PER_M3 = (1e11, 1e13)  # ratio of products of two densities, 1e12 where both are per m^3
IN_CM, PER_CM3 = "lengths are in cm (1 um is 1e-4)", "densities are per cm^3"


class UnitsWarning(UserWarning):
    """A number is so far from any device that its unit is probably another."""


class TemperatureWarning(UserWarning):
    """A parameter that depends on the temperature stays what it was at another one."""


def warn_of_values(device: DeviceModel, given: Mapping[str, Any]) -> None:
    """Warn of voltages in another unit, and of an intrinsic density of another temperature."""
    for name, value in given.items():
        if name.startswith("V_"):
            warn_of_voltage(name, float(np.max(np.abs(value))))
        elif strange := strange_given(device, name, value):
            warn(f"check the units: {strange}", UnitsWarning)
    T = device.parameters["T"]
    moved = np.abs(given.get("T", T) - T) > 1e-3 * T  # more than the step of a difference
    if "ni" in device.parameters and "ni" not in given and moved.any():
        warn(
            f"T: ni stays that of {T:g} K, and it depends on the temperature exponentially; give "
            "ni for each T, or make a device for each by materials.silicon.at(T)",
            TemperatureWarning,
        )


def warn_of_voltage(name: str, value: float) -> None:
    """Warn of a voltage that no device withstands."""
    if abs(value) > HIGHEST:
        warn(f"check the units: {name} is {value:g}; voltages are in V", UnitsWarning)


def units(device: DeviceModel) -> None:
    """Warn, once, where a length, a density or a parameter is off by about a million."""
    message = _strange_lengths(device) or strange_value(device) or _strange_densities(device)
    message = message or trap_outside_gap(device) or _gate_without_metal(device)
    message = message or _level_per_m3(device)
    if message:
        warn(f"check the units: {message}", UnitsWarning)


def _strange_lengths(device: DeviceModel) -> str:
    extent = float(np.max(np.ptp(device.mesh.nodes, axis=0)))
    if not 5e-8 <= extent <= 10.0:
        return f"the mesh extends over {extent:.3g} cm; {IN_CM}"
    mesh = device.mesh
    share = float(np.sum(mesh.couples * mesh.lengths)) / mesh.dimension
    total = float(np.sum(mesh.volumes))
    if not 0.01 < share / total < 100.0:
        return (
            f"the volumes add up to {total:.3g} cm^{mesh.dimension}, the couples times lengths to "
            f"{share:.3g}; both are in cm"
        )
    return ""


def _gate_without_metal(device: DeviceModel) -> str:
    """Say that the potential of a gate is that of no metal, or nothing."""
    highest = float(np.max(device.parameters.get("Ec", 0.0)))
    if highest > FROM_VACUUM:
        return ""
    for name, contact in device.contacts.items():
        if contact.is_gate and contact.offset > NO_METAL:
            return (
                f"the bands count from the vacuum level (Ec is {highest:.3g} eV), and the offset "
                f"of gate {name!r} is {contact.offset:g} V; it is minus the work function of the "
                "metal then, -4 to -5 V"
            )
    return ""


def _level_per_m3(device: DeviceModel) -> str:
    """Say that two densities at which a trap is half full are probably per m^3, or nothing.

    They multiply to the square of the intrinsic density. Other ratios are not judged: many give
    the densities of another material, where they change no current that counts.
    """
    p = device.parameters
    squared = sum(log_factors(p, device.constants.thermal_voltage(p["T"])))
    for first, second in (("n1", "p1"), ("n_trap", "p_trap")):
        if first not in p or np.min(p[first] * p[second]) == 0.0:
            continue
        ratio = np.log(p[first]) + np.log(p[second]) - squared
        if np.min(ratio) > np.log(PER_M3[0]) and np.max(ratio) < np.log(PER_M3[1]):
            return (
                f"{first} {second} is {np.max(p[first] * p[second]):.3g} cm^-6, and the square of "
                f"the intrinsic density {np.exp(np.max(squared)):.3g}; those of a trap are equal; "
                f"{PER_CM3}"
            )
    return ""


def _strange_densities(device: DeviceModel) -> str:
    top = float(np.abs(device.parameters["doping"]).max())
    if top > 3e21:
        return f"the doping reaches {top:.3g} cm^-3, a tenth of all atoms; {PER_CM3}"
    p, c = device.parameters, device.constants
    vt = c.thermal_voltage(p["T"])
    factor_n, factor_p = log_factors(p, vt)
    intrinsic = float(np.exp(np.max(0.5 * (factor_n + factor_p))))
    if intrinsic > 1e19:
        return f"the intrinsic density is {intrinsic:.3g} cm^-3; {PER_CM3}"
    if top == 0:
        return ""
    if top < PUREST:
        return f"the doping is at most {top:.3g} cm^-3, purer than any crystal; {PER_CM3}"
    if intrinsic > 1.001 * top:
        return (
            f"the intrinsic density is {intrinsic:.3g} cm^-3, above the highest doping, "
            f"{top:.3g}; {PER_CM3}"
        )
    debye = np.sqrt(float(np.max(p["eps_r"])) * c.eps0 * vt / (c.q * top))
    finest = float(device.mesh.lengths.min())
    extent = float(np.max(np.ptp(device.mesh.nodes, axis=0)))
    if finest > 1000 * debye or extent < 0.1 * debye:
        return (
            f"the Debye length at the highest doping is {debye:.2g} cm, the finest spacing "
            f"{finest:.2g} cm, the extent {extent:.2g} cm: no space charge can be resolved"
        )
    log_product = factor_n + factor_p
    return _hidden_junction(device, vt, log_product) or _all_depleted(device, vt, log_product)


def _hidden_junction(device: DeviceModel, vt: float, log_product: Any) -> str:
    """Say that the depletion layers of all junctions are far narrower than an edge, or nothing."""
    lay = device.layout
    net = device.parameters["doping"][lay.doped]
    a, b = lay.carrier_edges.T
    at = np.flatnonzero(net[a] * net[b] < 0.0)
    if not len(at):
        return ""
    width = _depleted_width(device, vt, log_product, net[a[at]], net[b[at]])
    i = int(np.argmin(lay.carrier_lengths[at] / width))
    if lay.carrier_lengths[at][i] <= COARSEST * width[i]:
        return ""
    return (
        f"the depletion layer of the junction is {width[i]:.2g} cm wide, and edges that cross it "
        f"are {lay.carrier_lengths[at][i]:.2g} cm or longer; {IN_CM}"
    )


def _all_depleted(device: DeviceModel, vt: float, log_product: Any) -> str:
    """Say that a device is far shorter than a depletion layer between its dopings, or nothing."""
    net = device.parameters["doping"][device.layout.doped]
    if not net.min() < 0.0 < net.max():
        return ""
    width = float(_depleted_width(device, vt, log_product, net.min(), net.max()))
    extent = float(np.max(np.ptp(device.mesh.nodes, axis=0)))
    if extent >= THINNEST * width:
        return ""
    return (
        f"the depletion layer between the highest dopings is {width:.2g} cm wide, and the mesh "
        f"extends over {extent:.2g} cm: no part of it is neutral; {IN_CM}"
    )


def _depleted_width(
    device: DeviceModel, vt: float, log_product: Any, one: Any, other: Any
) -> np.ndarray:
    """Width in cm of the depletion layer between net dopings of opposite signs, at 0 V."""
    c, eps = device.constants, float(np.max(device.parameters["eps_r"])) * device.constants.eps0
    product = np.log(np.abs(one)) + np.log(np.abs(other))
    barrier = vt * np.maximum(product - np.max(log_product), 1.0)
    width: np.ndarray = np.sqrt(
        2.0 * eps * barrier / c.q * (1.0 / np.abs(one) + 1.0 / np.abs(other))
    )
    return width
