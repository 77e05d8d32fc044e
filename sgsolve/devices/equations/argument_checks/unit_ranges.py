"""Plausible ranges of the parameters of a device, to find numbers in other units.

The ranges are wider than what is known of any material, at any temperature. A number in m, um, nm,
mV or per m^3 is usually outside. Some quantities vary by more than a million among materials.
Of these, pairs are judged that no known material combines: see `_unusual_pair`. Lifetimes and
capture coefficients of a wrong unit may stay inside.

Sources: the materials of the Ioffe Institute's archive; S. M. Sze, K. K. Ng, Physics of
Semiconductor Devices, 3rd ed., appendices G and H.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..model import DeviceModel

FIELDS = ("ii", "low", "high", "lin")  # of the laws of impact ionization
CRITICAL_FIELDS = ["E_btb", *(f"b_{k}_{c}" for k in FIELDS for c in "np")]
COLD = 77.0  # K
MOLECULAR, POLAR = 6.0, 60.0  # relative permittivities
HOPPING = 1.0  # cm^2/(V s): mean free paths are shorter than the lattice constant
FREE_STATES = 2.5094e19  # cm^-3 at 300 K, of the electron's own mass
AT_CRITICAL_FIELD = 1e6  # V/cm, at which A_btb E^s_btb is judged


class Range(NamedTuple):
    """Least and largest magnitude, and in words what is usual; 0 stands for none of it."""

    least: float
    largest: float
    usual: str


PER_VOLUME = Range(1e-300, 1e23, "densities are per cm^3, at most 1e22 in solids")
MOBILITY = Range(1e-12, 1e6, "mobilities are in cm^2/(V s), 1 to 1e4 in most materials")
LIFETIME = Range(1e-14, 0.5, "lifetimes are in s, 1e-12 to 1e-3; 1e20 or more stands for none")
AUGER = Range(1e-36, 5e-26, "Auger coefficients are in cm^6/s, 1e-32 to 1e-26")
VELOCITY = Range(1e3, 1e10, "saturation velocities are in cm/s, about 1e7")
ENERGY = Range(1e-3, 30.0, "energies are in eV")
STATES = Range(5e13, 3e21, "effective densities of states are per cm^3, 1e17 to 1e21 at 300 K")
CRITICAL = Range(1e4, 1e9, "critical fields are in V/cm, 1e5 to 1e8")
RATE = Range(1e2, 1e11, "coefficients of ionization are in 1/cm, 1e5 to 1e9")
CAPTURE = Range(1e-20, 1e-3, "capture coefficients are in cm^3/s, 1e-13 to 1e-5")
EXPONENT = Range(0.1, 10.0, "it is an exponent, 0.5 to 4")
# Surfaces and metals that take carriers at once are often given a very high velocity.
SURFACE = Range(1e-5, np.inf, "recombination velocities are in cm/s, at most 1e7")
EMISSION = Range(1e2, np.inf, "recombination velocities of metals are in cm/s, about 1e6")
RICHARDSON = Range(1e-1, 1e4, "Richardson's constants are in A/(cm^2 K^2), about 100")
OXIDE = Range(1e-12, 1e-3, "capacitances are in F/cm^2, 1e-10 to 1e-5")
SHEET = Range(1.0, 1e16, "densities of an interface are per cm^2, 1e9 to 1e14")
LIGHT = Range(1e-300, 1e26, "rates of generation are per cm^3 and s; the sun makes 1e21")
TRAPS = Range(1e-300, 5e20, "densities of traps are per cm^3, 1e10 to 1e20")

RANGES: dict[str, Range] = {
    "T": Range(1.0, 2000.0, "temperatures are in K"),
    "eps_r": Range(1.0, 1e6, "relative permittivities are 1 to 1e5"),
    "B_rad": Range(1e-18, 1e-6, "radiative coefficients are in cm^3/s, 1e-15 to 1e-9"),
    "s_btb": EXPONENT,
    "depth": Range(1e-3, 30.0, "depths of traps are in eV"),
    "m_tunnel": Range(1e-4, 1e2, "masses are in units of the electron's own"),
    "N_trap": TRAPS,
    **dict.fromkeys(("c_n", "c_p"), CAPTURE),
    **dict.fromkeys(("Nc", "Nv"), STATES),
    **dict.fromkeys(("n1", "p1"), PER_VOLUME),
    **dict.fromkeys(("mu_n", "mu_p"), MOBILITY),
    **dict.fromkeys(("tau_n", "tau_p"), LIFETIME),
    **dict.fromkeys(("C_n", "C_p"), AUGER),
    **dict.fromkeys(("S_n", "S_p"), SURFACE),
    **dict.fromkeys(("v_sat_n", "v_sat_p"), VELOCITY),
    **dict.fromkeys(("beta_n", "beta_p", "m_ii_n", "m_ii_p"), EXPONENT),
    **dict.fromkeys(CRITICAL_FIELDS, CRITICAL),
    **dict.fromkeys([f"a_{k}_{c}" for k in ("ii", "low", "high") for c in "np"], RATE),
    **dict.fromkeys(("a_lin_n", "a_lin_p"), Range(1e-4, 1e4, "it is in 1/V, about 1")),
}
OF_PARTS: dict[str, Range] = {
    "barrier": ENERGY,
    "offset": Range(1e-6, 30.0, "offsets are in V, some V"),
    "v_n": EMISSION,
    "v_p": EMISSION,
    "capacitance": OXIDE,
    "richardson_n": RICHARDSON,
    "richardson_p": RICHARDSON,
    "mass": RANGES["m_tunnel"],
    "c_n": CAPTURE,
    "c_p": CAPTURE,
    "n_trap": PER_VOLUME,
    "mobility": Range(1e-30, 1.0, "mobilities of ions are in cm^2/(V s), at most 1e-2"),
    "limit": PER_VOLUME,
}


def strange_value(device: DeviceModel) -> str:
    """Say what is outside its range, or nothing."""
    for name, value, one in _values_with_ranges(device):
        if found := _outside(name, value, one):
            return found
    return _unusual_pair(device)


def strange_given(device: DeviceModel, name: str, value: Any) -> str:
    """Say that a value for one solve is outside its range, or nothing."""
    if name == "G":
        name, value, one = _light(device, value)
    elif name in RANGES:
        one = _at_temperature(RANGES[name], device.parameters["T"])
    else:
        return ""
    return _outside(name, value, one)


def _outside(name: str, value: Any, one: Range) -> str:
    """Say that a value is outside its range, or nothing."""
    size = np.abs(np.asarray(value, dtype=float))
    low = (size > 0.0) & (size < one.least)
    high = size > one.largest
    if one is LIFETIME:
        high &= size < 1e20
    if not (low | high).any():
        return ""
    off = np.asarray(value, dtype=float)[high if high.any() else low].flat[0]
    return f"{name} is {off:.3g}; {one.usual}"


def _light(device: DeviceModel, G: Any) -> tuple[str, Any, Range]:
    return "the rate of generation G", G * np.max(np.abs(device.parameters["profile"])), LIGHT


def _values_with_ranges(device: DeviceModel) -> Iterator[tuple[str, Any, Range]]:
    """Names, values and usual ranges of all parameters that have one."""
    p = device.parameters
    for name, one in RANGES.items():
        if name in p:
            yield name, p[name], _at_temperature(one, p["T"])
    if "Ec" in p:
        yield "the gap, Ec - Ev,", p["Ec"] - p["Ev"], ENERGY
        yield "Ec", p["Ec"], ENERGY._replace(least=0.0)
    if "A_btb" in p:
        rate = Range(1e26, 1e35, "A E^s is 1e28 to 1e34 per cm^3 and s at 1e6 V/cm")
        size = p["A_btb"] * AT_CRITICAL_FIELD ** p["s_btb"]
        yield "A_btb E^s_btb at 1e6 V/cm", size, rate
    yield _light(device, p["G"])
    for name in device.contacts:
        yield f"V_{name}", p[f"V_{name}"], Range(0.0, 1e5, "voltages are in V")
    yield from _of_parts(device)


def _at_temperature(one: Range, T: float) -> Range:
    """A range at another temperature than 300 K; the mobility is highest where it is cold."""
    if one is MOBILITY and T < COLD:
        return one._replace(largest=1e8)
    if one is STATES:
        return one._replace(largest=one.largest * max((T / 300.0) ** 1.5, 1.0))
    return one


def _unusual_pair(device: DeviceModel) -> str:
    """Say which two numbers no known material combines, or nothing.

    Solids that conduct by hopping are molecular or polymers, with permittivities below 6. What has
    a permittivity above 60 and a gap has carriers of high mass, as oxides and perovskites. Gaps
    below 0.5 eV come with permittivities above 13.
    """
    p, vt = device.parameters, device.constants.thermal_voltage(device.parameters["T"])
    eps = float(np.max(p["eps_r"]))
    best = [float(np.max(p[name])) for name in ("mu_n", "mu_p")]
    mobilities = f"mu_n is {best[0]:.3g} and mu_p {best[1]:.3g} at eps_r = {eps:.3g}"
    if eps > MOLECULAR and max(best) < HOPPING:
        return f"{mobilities}; {MOBILITY.usual}"
    if eps > MOLECULAR and 1e3 < max(best) / min(best) < 1e6:  # a smaller one stands for none
        return f"{mobilities}, more than a thousand times apart; {MOBILITY.usual}"
    if "ni" in p:
        gap = 2.0 * vt * np.log(FREE_STATES * (p["T"] / 300.0) ** 1.5 / np.max(p["ni"]))
        if eps < 13.0 and gap < 0.5:
            return (
                f"ni is {np.max(p['ni']):.3g} at T = {p['T']:g}, as with a gap of {gap:.2g} eV, "
                f"and eps_r is {eps:.3g}; ni is per cm^3 and belongs to that temperature in K"
            )
    else:
        gap = float(np.min(p["Ec"] - p["Ev"]))
    if eps > POLAR and max(best) > 100.0 and gap > 0.5:
        return f"eps_r is {eps:.3g} at mobilities up to {max(best):.3g}; {RANGES['eps_r'].usual}"
    return ""


def _of_parts(device: DeviceModel) -> Iterator[tuple[str, Any, Range]]:
    """The numbers of contacts, interfaces, levels of traps, and ions."""
    p = device.parameters
    for name, level in device.trap_levels.items():
        interface = level.level.area is not None
        yield f"N_{name}", p[f"N_{name}"], SHEET if interface else TRAPS
    for name in device.interfaces:
        if f"sheet_{name}" in p:
            yield f"sheet_{name}", p[f"sheet_{name}"], SHEET
    parts: dict[str, Any] = {f"contact {k!r}": v for k, v in device.contacts.items()}
    parts |= {f"interface {k!r}": v for k, v in device.interfaces.items()}
    parts |= {f"trap level {k!r}": v.level for k, v in device.trap_levels.items()}
    parts |= {f"ion {k!r}": v.ion for k, v in device.ions.items()}
    for what, part in parts.items():
        for name, one in OF_PARTS.items():
            value = getattr(part, name, None)
            if value is not None:
                yield f"{what}: {name}", value, one
