"""Boundary terms: neutrality at ohmic contacts, emission at Schottky contacts, gates, surfaces.

One idea: the boundary knows few nodes. What a contact demands is computed for its own nodes only
and put in place by a sparse matrix of ones.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., sections 3.3 and 4.2.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sgsolve import ad
from sgsolve.errors import InputError

from .carriers import Carriers, arguments, band_factors
from .contacts import Gate, Ohmic, Schottky
from .recombination import surface
from .statistics import Boltzmann, log_gamma

if TYPE_CHECKING:
    from .device import Device

Array = Any
BANDS = ("ni", "Nc", "Nv", "Ec", "Ev", "doping")


@dataclass(frozen=True)
class Surface:
    """A surface where carriers recombine, see `recombination.surface`.

    Parameters
    ----------
    nodes : sequence of int
        Nodes of the surface, or a mask, a bool for every node.
    area : float or ndarray
        Measure of the surface that belongs to each node, cm**(dim - 1).
    """

    nodes: Sequence[int] | np.ndarray
    area: float | np.ndarray = 1.0


def at(values: Any, nodes: np.ndarray) -> Any:
    """A parameter at some nodes of the semiconductor."""
    return values if np.ndim(values) == 0 else values[nodes]


def neutral(device: Device, p: Mapping[str, Any], vt: Any, nodes: np.ndarray) -> Array:
    """Potential / vt that makes nodes of the semiconductor neutral in equilibrium.

    Boltzmann: in closed form. Otherwise Newton's method on numbers, and one step more on the
    parameters as they came, which carries their derivatives if they have any.
    """
    doping = p["doping"][device.layout.nodes[nodes]]
    factor_n, factor_p = (at(f, nodes) for f in band_factors(p, vt))
    middle = 0.5 * np.log(factor_p / factor_n)
    start = middle + np.arcsinh(0.5 * doping / np.sqrt(factor_n * factor_p))
    if isinstance(device.statistics, Boltzmann):
        return start
    u = ad.value(start) * np.ones(len(nodes))
    plain = {name: ad.value(value) for name, value in p.items()}
    for _ in range(100):
        charge, slope = _charge(device, plain, ad.value(vt), nodes, u)
        step = np.clip(charge / slope, -1.0, 1.0)
        u = u + step
        if np.abs(step).max() < 1e-12:
            break
    else:
        raise InputError(
            "doping: no potential makes the device neutral; with these statistics a band holds "
            "fewer carriers than the doping asks for"
        )
    charge, _ = _charge(device, p, vt, nodes, u)
    return u + charge / slope


def _charge(
    device: Device, p: Mapping[str, Any], vt: Any, nodes: np.ndarray, u: np.ndarray
) -> tuple[Array, np.ndarray]:
    """Charge in equilibrium, and minus its derivative by u."""
    eta_n, eta_p = u - at(p["Ec"], nodes) / vt, at(p["Ev"], nodes) / vt - u
    stat = device.statistics
    n = at(p["Nc"], nodes) * np.exp(eta_n + log_gamma(stat, eta_n))
    h = at(p["Nv"], nodes) * np.exp(eta_p + log_gamma(stat, eta_p))
    slope_n, slope_p = (1.0 + stat.log_gamma(ad.value(e), 1) for e in (eta_n, eta_p))
    slope = ad.value(n) * slope_n + ad.value(h) * slope_p
    return h - n + p["doping"][device.layout.nodes[nodes]], slope


def fixed_potentials(device: Device, p: Mapping[str, Any], vt: Any) -> Array:
    """What contacts demand of their nodes, potentials / vt, zero in all other rows."""
    lay = device.layout
    if not lay.psi_fixed:
        return np.zeros(len(lay.fixed))
    psi = [
        _offset(device, name, p, vt, nodes) + p["V_" + name] / vt
        for name, nodes in lay.psi_fixed.items()
    ]
    quasi = [np.ones(len(k)) * (p["V_" + name] / vt) for name, k in lay.carrier_fixed.items()]
    demanded = ad.hstack([*psi, *quasi, *quasi])
    if isinstance(demanded, ad.ADArray):
        return ad.sparsesum([ad.sparsevec(len(lay.fixed), lay.fixed_rows, demanded)])
    everywhere = np.zeros(len(lay.fixed))
    everywhere[lay.fixed_rows] = demanded
    return everywhere


def _offset(device: Device, name: str, p: Mapping[str, Any], vt: Any, nodes: np.ndarray) -> Array:
    contact, local = device.contacts[name], device.layout.local[nodes]
    if isinstance(contact, Ohmic):
        return _built_in(device, name, p, vt, local)
    if isinstance(contact, Schottky):
        return np.ones(len(nodes)) * ((at(p["Ec"], local) - contact.barrier) / vt)
    return np.ones(len(nodes)) * (contact.offset / vt)


def _built_in(device: Device, name: str, p: Mapping[str, Any], vt: Any, nodes: np.ndarray) -> Array:
    """The neutral potential, computed again only if a parameter that it depends on is another."""
    needed = [vt if isinstance(vt, float) else None, *(p.get(k) for k in BANDS)]
    known = device.built_in.get(name)
    if known and needed[0] == known[0][0] and all(map(operator.is_, needed[1:], known[0][1:])):
        return known[1]
    value = neutral(device, p, vt, nodes)
    if needed[0] is not None and isinstance(value, np.ndarray):
        device.built_in[name] = (needed, value)
    return value


def emission(device: Device, s: Carriers, p: Mapping[str, Any]) -> tuple[Array, Array] | None:
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
        out_n = out_n + ad.sparsesum([ad.sparsevec(lay.n_s, nodes, off_n)])
        out_p = out_p + ad.sparsesum([ad.sparsevec(lay.n_s, nodes, off_p)])
    return out_n, out_p


def gate_flux(device: Device, s: Carriers, p: Mapping[str, Any]) -> Array | None:
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


def surface_rate(device: Device, s: Carriers, p: Mapping[str, Any]) -> Array | None:
    """Recombination at surfaces, 1/s, at the semiconductor's nodes."""
    lay, total = device.layout, None
    for where in device.surfaces.values():
        nodes = lay.local[np.asarray(where.nodes)]
        rate = surface(s.n[nodes], s.p[nodes], **arguments(surface, p))
        loss = where.area * rate * s.excess[nodes]
        placed = ad.sparsesum([ad.sparsevec(lay.n_s, nodes, loss)])
        total = placed if total is None else total + placed
    return total
