"""The parameters of a device: which ones it needs, and checks of their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....errors import InputError, NotFiniteError, ParameterError, ShapeError
from ...models.carrier_statistics import has_factor
from ...models.model_arguments import keywords
from ...models.recombination import surface
from ..model import DeviceModel
from .device_checks import PAIRS, check_densest, sheets
from .kinds import check_real
from .unit_ranges import CRITICAL_FIELDS, FIELDS

POSITIVE: tuple[str, ...] = ("T", "eps_r", "ni", "Nc", "Nv", "mu_n", "mu_p", "tau_n", "tau_p")
POSITIVE += (*CRITICAL_FIELDS, "m_ii_n", "m_ii_p", "s_btb", "depth", "m_tunnel")
POSITIVE += ("v_sat_n", "v_sat_p", "beta_n", "beta_p")
NOT_NEGATIVE: tuple[str, ...] = ("n1", "p1", "B_rad", "C_n", "C_p", "S_n", "S_p", "A_btb")
NOT_NEGATIVE += ("N_trap", "c_n", "c_p", "G", "profile")  # light makes pairs
NOT_NEGATIVE += tuple(f"a_{k}_{c}" for k in FIELDS for c in "np")

COLDEST = 1.0  # K


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
        check_densest(np.asarray(value, dtype=float))
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
