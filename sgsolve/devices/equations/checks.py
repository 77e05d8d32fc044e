"""Checks of a device, made before any work.

An impossible number raises an error. A number that is probably in other units causes a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import DataTypeError, InputError, NotFiniteError, ParameterError, ShapeError
from ...results import Branch, Result
from ...user_warnings import warn
from ..meshes.mesh import Mesh
from ..meshes.regions import Regions
from ..models.carrier_statistics import has_factor
from ..models.contacts import check_numbers, node_list
from ..models.interfaces import SheetCharge
from ..models.model_arguments import keywords, more_arguments
from ..models.recombination import surface
from .carriers import log_factors
from .kinds import check_real
from .model import DeviceModel
from .part_checks import trap_outside_gap
from .unit_ranges import CRITICAL_FIELDS, FIELDS, strange_given, strange_value

POSITIVE: tuple[str, ...] = ("T", "eps_r", "ni", "Nc", "Nv", "mu_n", "mu_p", "tau_n", "tau_p")
POSITIVE += (*CRITICAL_FIELDS, "m_ii_n", "m_ii_p", "s_btb", "depth", "m_tunnel")
POSITIVE += ("v_sat_n", "v_sat_p", "beta_n", "beta_p")
NOT_NEGATIVE: tuple[str, ...] = ("n1", "p1", "B_rad", "C_n", "C_p", "S_n", "S_p", "A_btb")
NOT_NEGATIVE += ("N_trap", "c_n", "c_p", "G", "profile")  # light makes pairs
NOT_NEGATIVE += tuple(f"a_{k}_{c}" for k in FIELDS for c in "np")


COLDEST = 1.0  # K
DENSEST = 1e23  # cm^-3
HIGHEST = 1e5  # V
PUREST = 1e8  # cm^-3
COARSEST = 4.0  # depletion layers along an edge; at 2 the currents of a diode are roughly right
IN_CM, PER_CM3 = "lengths are in cm (1 um is 1e-4)", "densities are per cm^3"
PAIRS = "pairs of a node and a region"


class UnitsWarning(UserWarning):
    """A number is so far from any device that its unit is probably another."""


class TemperatureWarning(UserWarning):
    """A parameter that depends on the temperature stays what it was at another one."""


def doping(mesh: Mesh, regions: Regions | None, values: Any) -> np.ndarray:
    """Net doping as an array over the nodes, or the pairs of a node and a region, or an error."""
    check_real("doping", values)
    array = np.asarray(values, dtype=float)
    many, what = (mesh.n, "nodes") if regions is None else (len(regions.nodes), PAIRS)
    if array.shape != (many,):
        raise ShapeError(
            f"doping: needs one value for each of the {many} {what}, got shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise NotFiniteError("doping: has values that are not finite")
    _check_doping(array)
    return array


def _check_doping(values: np.ndarray) -> None:
    top = float(np.abs(values).max())
    if top > DENSEST:
        raise InputError(
            f"doping: reaches {top:.3g} per cm^3, and no crystal has more than {DENSEST:g} atoms; "
            "densities are per cm^3"
        )


def surfaces(device: DeviceModel) -> None:
    """Raise for surfaces on nodes that are not there."""
    lay = device.layout
    for name, where in device.surfaces.items():
        what = f"surface {name!r}"
        check_numbers(what, where)
        nodes, _ = lay.sides(what, where)
        given = np.asarray(where.nodes)
        if len(nodes) < (given.sum() if given.dtype == bool else given.size):
            raise InputError(f"{what}: names a node twice")


def sheets(device: DeviceModel) -> list[str]:
    """Names of the sheets of charge; an error if one sits on nodes that are not there."""
    found = {k: v for k, v in device.interfaces.items() if isinstance(v, SheetCharge)}
    for name, sheet in found.items():
        node_list(f"interface {name!r}", sheet.nodes, sheet.area, device.layout.n)
    return list(found)


def flux(name: str) -> str:
    """The name of a flux, or an error."""
    if name not in ("diffusion_enhanced", "excess_potential"):
        raise InputError(f"flux: must be 'diffusion_enhanced' or 'excess_potential', got {name!r}")
    return name


def cells(device: DeviceModel) -> None:
    """Make the fields in the cells now, where a model needs them: an error comes before any work.

    Impact ionization does, and recombination that takes the field.
    """
    in_field = any("field" in more_arguments(model) for model in device.recombination)
    if in_field or device.ionization is not None:
        _ = device.cell_fields


def field(name: str) -> str:
    """The name of a driving field, or an error."""
    if name not in ("potential", "quasi_fermi"):
        raise InputError(f"field: must be 'potential' or 'quasi_fermi', got {name!r}")
    return name


def parameters(device: DeviceModel, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters, defaults filled in, or an error."""
    values: dict[str, Any] = {"T": 300.0, "G": 0.0}
    values.update({f"V_{name}": 0.0 for name in device.contacts})
    values.update({f"sheet_{name}": 0.0 for name in sheets(device)})
    values.update({level.name: level.level.density for level in device.trap_levels.values()})
    values.update({f"level_{name}": 0.0 for name in device.ions})
    for name, value in given.items():
        values[name] = float(value) if np.ndim(value) == 0 else np.array(value, dtype=float)
    needed = _needed_values(device, values)
    missing = [name for name in needed if name not in values]
    if missing:
        raise ParameterError(f"parameters: {', '.join(missing)} missing; this device needs them")
    unknown = [name for name in given if name not in needed]
    if unknown:
        _raise_unknown(device, unknown, needed)
    for name, value in values.items():
        _check_value(device, name, value)
    return values


def _needed_values(device: DeviceModel, values: Mapping[str, Any]) -> list[str]:
    bands = ["ni"] if "ni" in values else ["Nc", "Nv", "Ec", "Ev"]
    if "ni" in values and has_factor(device.statistics):
        raise InputError("ni: serves Boltzmann statistics only; give Nc, Nv, Ec and Ev instead")
    if "ni" in values and any(contact.has_barrier for contact in device.contacts.values()):
        raise InputError("ni: a Schottky barrier needs Nc, Nv, Ec and Ev instead")
    names = ["T", "G", "eps_r", "mu_n", "mu_p", *bands]
    names += [f"V_{name}" for name in device.contacts]
    names += [f"sheet_{name}" for name in sheets(device)]
    names += [level.name for level in device.trap_levels.values()]
    names += [f"level_{name}" for name in device.ions]
    for model in (*device.recombination, *device.traps):
        names += keywords(model)
    if device.mobility is not None:
        names += [f"{k}_{c}" for k in keywords(device.mobility) for c in "np"]
    if device.ionization is not None:
        names += [f"{k}_{c}" for k in keywords(device.ionization) for c in "np"]
    if device.surfaces:
        names += keywords(surface)
    return names


def _raise_unknown(device: DeviceModel, unknown: list[str], needed: list[str]) -> None:
    contacts = [name for name in unknown if name.startswith("V_")]
    if contacts:
        contact(device, contacts[0][2:])
    raise ParameterError(
        f"parameters: {', '.join(unknown)}: no model of this device uses that; "
        f"it uses {', '.join(dict.fromkeys(needed))}"
    )


def contact(device: DeviceModel, name: str) -> None:
    """Raise for the name of a contact that is not there."""
    if name not in device.contacts:
        raise ParameterError(
            f"there is no contact {name!r}; there are {', '.join(device.contacts)}"
        )


def overrides(device: DeviceModel, given: Mapping[str, Any]) -> None:
    """Raise, before a solve, for parameters that the device lacks or that cannot be right."""
    for name, value in given.items():
        if name not in device.parameters:
            _raise_unknown(device, [name], list(device.parameters))
        check_real(name, value)
        _check_value(device, name, value)


def held_carriers(device: DeviceModel) -> None:
    """Refuse contacts that leave the number of carriers open; between ions they do not matter."""
    if not (device.layout.reached or device.ions):
        raise InputError(
            "contacts: gates alone leave the number of carriers open; give the semiconductor "
            "an Ohmic or a Schottky contact"
        )


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


def values(device: DeviceModel, name: str, given: Any) -> str:
    """Name of the parameter that a sweep is over, its values checked."""
    if name in device.contacts:
        name = "V_" + name
    if name not in device.parameters:
        contact(device, name.removeprefix("V_"))
    check_real(name, given)
    table = np.asarray(given, dtype=float)
    if table.ndim != 1 or not table.size:
        raise ShapeError(f"values: need a list of numbers for {name!r}, got shape {table.shape}")
    if np.ndim(device.parameters[name]) > 0:
        raise InputError(f"{name!r} is an array; a sweep is over a parameter that is a number")
    for value in table:
        _check_value(device, name, value)
    return name


def state(device: DeviceModel, name: str, x: Any) -> None:
    """Raise for what cannot be a state of the device."""
    if isinstance(x, Result | Branch):
        kind = type(x).__name__
        raise DataTypeError(f"{name}: must be an array, not a {kind}; give its {kind.lower()}.x")
    least = device.layout.n + 2 * device.layout.n_s
    if np.ndim(x) != 1 or np.shape(x)[0] < least:
        raise ShapeError(
            f"{name}: a state of this device has psi, phin and phip in one array, {least} values "
            f"or more; got shape {np.shape(x)}"
        )


def _check_value(device: DeviceModel, name: str, value: Any) -> None:
    if not np.isfinite(value).all():
        raise NotFiniteError(f"{name}: is not finite")
    least = np.min(value)
    if name in POSITIVE and not least > 0:
        raise InputError(f"{name}: must be positive, got {least:g}")
    levels = [level.name for level in device.trap_levels.values()]
    if (name in NOT_NEGATIVE or name in levels) and least < 0:
        raise InputError(f"{name}: must not be negative, got {least:g}")
    if name == "doping":
        _check_doping(np.asarray(value, dtype=float))
    if name == "T" and least < COLDEST:
        raise InputError(f"T: must be at least {COLDEST:g} K, got {least:g}")
    if np.ndim(value) == 0:
        return
    if name == "T":
        raise InputError(
            "T: must be one temperature, that of the contacts; a field of temperatures is "
            "computed by the heat equation, with heat=Heat(...)"
        )
    if name.startswith("V_"):
        raise InputError(f"{name}: must be one voltage for the whole contact")
    lay = device.layout
    allowed = {"nodes of the semiconductor": lay.n_s}
    if device.regions is not None:
        allowed = {PAIRS: lay.pairs}
    if name == "doping" and device.regions is None:
        allowed = {"nodes": lay.n}
    elif name == "eps_r":
        first = {"nodes": lay.n} if device.regions is None else {PAIRS: lay.pairs}
        allowed = first | {"edges": len(lay.ratio)}
    elif name in ("mu_n", "mu_p"):
        allowed["edges of the semiconductor"] = len(lay.carrier_ratio)
    if np.shape(value) not in [(k,) for k in allowed.values()]:
        wanted = " or ".join(f"{k} {what}" for what, k in allowed.items())
        raise ShapeError(
            f"{name}: needs one value, or one for each of {wanted}; got {np.shape(value)}"
        )


def units(device: DeviceModel) -> None:
    """Warn, once, where a length, a density or a parameter is off by about a million."""
    message = _strange_lengths(device) or strange_value(device) or _strange_densities(device)
    message = message or trap_outside_gap(device)
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
    return _hidden_junction(device, vt, factor_n + factor_p)


def _hidden_junction(device: DeviceModel, vt: float, log_product: Any) -> str:
    """Say that the depletion layers of all junctions are far narrower than an edge, or nothing."""
    p, lay, c = device.parameters, device.layout, device.constants
    net = p["doping"][lay.doped]
    a, b = lay.carrier_edges.T
    at = np.flatnonzero(net[a] * net[b] < 0.0)
    if not len(at):
        return ""
    product = np.log(np.abs(net[a[at]])) + np.log(np.abs(net[b[at]]))
    barrier = vt * (product - np.max(log_product))
    doped = 1.0 / np.abs(net[a[at]]) + 1.0 / np.abs(net[b[at]])
    eps = float(np.max(p["eps_r"])) * c.eps0
    width = np.sqrt(2.0 * eps * np.maximum(barrier, vt) * doped / c.q)
    i = int(np.argmin(lay.carrier_lengths[at] / width))
    if lay.carrier_lengths[at][i] <= COARSEST * width[i]:
        return ""
    return (
        f"the depletion layer of the junction is {width[i]:.2g} cm wide, and edges that cross it "
        f"are {lay.carrier_lengths[at][i]:.2g} cm or longer; {IN_CM}"
    )
