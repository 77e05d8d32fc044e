"""Boundary terms: neutrality at ohmic contacts, emission at Schottky contacts, gates, surfaces.

The terms are computed for the nodes of the contact only. A sparse matrix of ones adds them to the
equations.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., sections 3.3 and 4.2.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import ad
from ...errors import InputError
from ..models.carrier_statistics import Boltzmann, log_gamma
from ..models.contacts import Gate, Ohmic, Schottky
from ..models.recombination import surface
from .carriers import Carriers, arguments, log_factors
from .model import DeviceModel

Array = Any
BANDS = ("ni", "Nc", "Nv", "Ec", "Ev", "doping")


def at_nodes(values: Any, nodes: np.ndarray) -> Any:
    """A parameter at some nodes of the semiconductor."""
    return values if np.ndim(values) == 0 else values[nodes]


def neutral(device: DeviceModel, p: Mapping[str, Any], vt: Any, nodes: np.ndarray) -> Array:
    """Potential / vt that makes nodes of the semiconductor neutral in equilibrium.

    Boltzmann: in closed form. Otherwise Newton's method on numbers, and one step more on the
    parameters as they came, which carries their derivatives if they have any.
    """
    doping = p["doping"][device.layout.doped][nodes]
    factor_n, factor_p = (at_nodes(f, nodes) for f in log_factors(p, vt))
    middle = 0.5 * (factor_p - factor_n)
    start = middle + _arcsinh(0.5 * doping, 0.5 * (factor_n + factor_p))
    if isinstance(device.statistics, Boltzmann):
        return start
    u = ad.value(start) * np.ones(len(nodes))
    plain = {name: ad.value(value) for name, value in p.items()}
    for _ in range(100):
        step = np.clip(_imbalance(device, plain, ad.value(vt), nodes, u), -20.0, 20.0)
        u = u + step
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(u).max()):
            break
    else:
        raise InputError(
            "doping: no potential makes the device neutral; with these statistics a band holds "
            "fewer carriers than the doping asks for"
        )
    return u + _charge_step(device, p, vt, nodes, u)


def _arcsinh(values: Any, logarithm: Any) -> Array:
    """``arcsinh(values / exp(logarithm))``, also where the exponential is out of range."""
    size = np.maximum(np.abs(ad.value(values)), np.finfo(float).tiny)
    large = np.log(size) - ad.value(logarithm) > 30.0
    inner = ad.where(large, 0.0, values) * np.exp(-ad.where(large, 0.0, logarithm))
    outer = np.log(2.0 * np.abs(ad.where(large, values, 1.0))) - logarithm
    return ad.where(large, np.sign(ad.value(values)) * outer, np.arcsinh(inner))


def _equilibrium(
    device: DeviceModel, p: Mapping[str, Any], vt: Any, nodes: np.ndarray, u: np.ndarray
) -> tuple[Array, Array, np.ndarray, np.ndarray]:
    """Logarithms of both densities in equilibrium, and how fast they change with u."""
    eta_n, eta_p = u - at_nodes(p["Ec"], nodes) / vt, at_nodes(p["Ev"], nodes) / vt - u
    stat = device.statistics
    log_n = np.log(at_nodes(p["Nc"], nodes)) + (eta_n + log_gamma(stat, eta_n))
    log_p = np.log(at_nodes(p["Nv"], nodes)) + (eta_p + log_gamma(stat, eta_p))
    slope_n, slope_p = (1.0 + stat.log_gamma(ad.value(e), 1) for e in (eta_n, eta_p))
    return log_n, log_p, slope_n, slope_p


def _imbalance(
    device: DeviceModel, p: Mapping[str, Any], vt: Any, nodes: np.ndarray, u: np.ndarray
) -> np.ndarray:
    """Newton's step for u; positive and negative charges are compared by their logarithms."""
    log_n, log_p, slope_n, slope_p = _equilibrium(device, p, vt, nodes, u)
    doping = p["doping"][device.layout.doped][nodes]
    with np.errstate(divide="ignore"):
        acceptors, donors = np.log(np.maximum(-doping, 0.0)), np.log(np.maximum(doping, 0.0))
    negative, positive = np.logaddexp(log_n, acceptors), np.logaddexp(log_p, donors)
    slope = slope_n * np.exp(log_n - negative) + slope_p * np.exp(log_p - positive)
    with np.errstate(over="ignore"):  # a band that is full hardly answers; steps are cut
        step: np.ndarray = (positive - negative) / slope
    return step


def _charge_step(
    device: DeviceModel, p: Mapping[str, Any], vt: Any, nodes: np.ndarray, u: np.ndarray
) -> Array:
    """Newton's step for u from the charge itself, which carries the parameters' derivatives."""
    log_n, log_p, slope_n, slope_p = _equilibrium(device, p, vt, nodes, u)
    unit = np.maximum(ad.value(log_n), ad.value(log_p))
    n, h = np.exp(log_n - unit), np.exp(log_p - unit)
    doping = p["doping"][device.layout.doped][nodes] * np.exp(-np.maximum(unit, -600.0))
    return (h - n + doping) / (ad.value(n) * slope_n + ad.value(h) * slope_p)


def fixed_potentials(device: DeviceModel, p: Mapping[str, Any], vt: Any) -> Array:
    """What contacts demand of their nodes, potentials / vt, zero in all other rows.

    Computed again only if a parameter that it depends on is another, and not to be changed.
    """
    numbers = [vt, *(p["V_" + name] for name in device.layout.reached_potentials)]
    if not all(isinstance(number, float) for number in numbers):
        return _demanded(device, p, vt)
    bands, known = [p.get(k) for k in BANDS], device.demanded
    if known and numbers == known[0] and all(map(operator.is_, bands, known[1])):
        return known[2]
    value = _demanded(device, p, vt)
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
        device.demanded = (numbers, bands, value)
    return value


def _demanded(device: DeviceModel, p: Mapping[str, Any], vt: Any) -> Array:
    lay = device.layout
    if not lay.psi_fixed:
        return np.zeros(len(lay.fixed))
    psi = [
        _offset(device, name, p, vt, nodes) + p["V_" + name] / vt
        for name, nodes in lay.psi_fixed.items()
    ]
    quasi = [np.ones(len(k)) * (p["V_" + name] / vt) for name, k in lay.carrier_fixed.items()]
    demanded = ad.hstack([*psi, *quasi, *quasi])
    if not isinstance(demanded, np.ndarray):
        return ad.sparsesum([ad.sparsevec(len(lay.fixed), lay.fixed_rows, demanded)])
    everywhere = np.zeros(len(lay.fixed))
    everywhere[lay.fixed_rows] = demanded
    return everywhere


def _offset(
    device: DeviceModel, name: str, p: Mapping[str, Any], vt: Any, nodes: np.ndarray
) -> Array:
    contact, local = device.contacts[name], device.layout.local[nodes]
    if isinstance(contact, Ohmic):
        return _built_in(device, name, p, vt, local)
    if isinstance(contact, Schottky):
        return np.ones(len(nodes)) * ((at_nodes(p["Ec"], local) - contact.barrier) / vt)
    return np.ones(len(nodes)) * (contact.offset / vt)


def _built_in(
    device: DeviceModel, name: str, p: Mapping[str, Any], vt: Any, nodes: np.ndarray
) -> Array:
    """The neutral potential, computed again only if a parameter that it depends on is another."""
    needed = [vt if isinstance(vt, float) else None, *(p.get(k) for k in BANDS)]
    known = device.built_in.get(name)
    if known and needed[0] == known[0][0] and all(map(operator.is_, needed[1:], known[0][1:])):
        return known[1]
    value = neutral(device, p, vt, nodes)
    if needed[0] is not None and isinstance(value, np.ndarray):
        device.built_in[name] = (needed, value)
    return value


def emission(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> tuple[Array, Array] | None:
    """Carriers that leave to Schottky metals, per density and vt, at the semiconductor's nodes."""
    lay = device.layout
    if not lay.emitting:
        return None
    out_n, out_p = 0.0, 0.0
    for name, nodes in lay.emitting.items():
        contact, fermi = device.contacts[name], p["V_" + name] / s.vt
        assert isinstance(contact, Schottky)
        area = np.ones(len(nodes)) * contact.area
        off_n = (-contact.v_n / s.vt) * area * np.expm1(s.un[nodes] - fermi)
        off_p = (-contact.v_p / s.vt) * area * np.expm1(fermi - s.up[nodes])
        out_n = out_n + ad.sparsesum([ad.sparsevec(lay.pairs, nodes, off_n)])
        out_p = out_p + ad.sparsesum([ad.sparsevec(lay.pairs, nodes, off_p)])
    return out_n, out_p


def gate_flux(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array | None:
    """Dielectric flux that leaves to gates behind insulators that are not meshed, C."""
    lay, total = device.layout, None
    for name, contact in device.contacts.items():
        if isinstance(contact, Gate) and contact.capacitance is not None:
            nodes = lay.contacts[name]
            coupling = np.ones(len(nodes)) * contact.area * contact.capacitance
            flux = coupling * (s.vt * s.u[nodes] - (p["V_" + name] + contact.offset))
            placed = ad.sparsesum([ad.sparsevec(lay.n, nodes, flux)])
            total = placed if total is None else total + placed
    return total


def surface_factor(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array | None:
    """What the excess product is multiplied by to give recombination at surfaces, over nodes."""
    lay, total, (n, h) = device.layout, None, s.densities()
    for where in device.surfaces.values():
        nodes = lay.local[np.asarray(where.nodes)]
        rate = where.area * surface(n[nodes], h[nodes], **arguments(surface, p))
        placed = ad.sparsesum([ad.sparsevec(lay.pairs, nodes, rate)])
        total = placed if total is None else total + placed
    return total
