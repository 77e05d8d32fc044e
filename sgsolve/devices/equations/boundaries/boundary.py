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

from .... import ad
from ...models.carrier_statistics import has_factor, log_gamma
from ...models.model_arguments import keywords
from ...models.recombination import surface
from ..carriers import Carriers, log_factors
from ..model import DeviceModel
from .neutrality import at_nodes, neutral
from .trap_neutrality import trap_parameters

Array = Any
BANDS = ("ni", "Nc", "Nv", "Ec", "Ev", "doping")


def fixed_potentials(device: DeviceModel, p: Mapping[str, Any], vt: Any) -> Array:
    """Return the potentials / vt that contacts fix at their nodes, zero in all other rows.

    Computed again only if a parameter that it depends on is another, and not to be changed.
    """
    numbers = [vt, *(p["V_" + name] for name in device.layout.reached_potentials)]
    if not all(isinstance(number, float) for number in numbers):
        return _demanded(device, p, vt)
    bands, known = [p.get(k) for k in _neutral_parameters(device)], device.demanded
    if known and numbers == known[0] and all(map(operator.is_, bands, known[1])):
        return known[2]
    value = _demanded(device, p, vt)
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
        device.demanded = (numbers, bands, value)
    return value


def _neutral_parameters(device: DeviceModel) -> list[str]:
    """Names of the parameters that the neutral potential depends on."""
    return [*BANDS, *trap_parameters(device)]


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


def fixed_densities(
    device: DeviceModel, demanded: Array, p: Mapping[str, Any], vt: Any
) -> tuple[np.ndarray, Array, Array]:
    """Return the nodes of contacts that fix both carriers, and the logarithms of their densities.

    They follow from the potentials that are demanded (`fixed_potentials`).
    """
    lay = device.layout
    nodes = np.concatenate([np.zeros(0, dtype=int), *lay.carrier_fixed.values()])
    psi, n, m = demanded[lay.nodes[nodes]], lay.n, lay.n_s
    eta_n, eta_p = psi - demanded[n + nodes], demanded[n + m + nodes] - psi
    if not has_factor(device.statistics):
        factor_n, factor_p = (at_nodes(factor, nodes) for factor in log_factors(p, vt))
        return nodes, eta_n + factor_n, eta_p + factor_p
    Nc, Nv, Ec, Ev = (at_nodes(p[name], nodes) for name in ("Nc", "Nv", "Ec", "Ev"))
    eta_n, eta_p = eta_n - Ec / vt, eta_p + Ev / vt
    log_n = np.log(Nc) + eta_n + log_gamma(device.statistics, eta_n)
    return nodes, log_n, np.log(Nv) + eta_p + log_gamma(device.statistics, eta_p)


def _offset(
    device: DeviceModel, name: str, p: Mapping[str, Any], vt: Any, nodes: np.ndarray
) -> Array:
    contact, local = device.contacts[name], device.layout.local[nodes]
    offset = contact.potential(
        lambda: _built_in(device, name, p, vt, local), lambda: at_nodes(p["Ec"], local), vt
    )
    return np.ones(len(nodes)) * offset


def _built_in(
    device: DeviceModel, name: str, p: Mapping[str, Any], vt: Any, nodes: np.ndarray
) -> Array:
    """The neutral potential, computed again only if a parameter that it depends on is another."""
    needed = [
        vt if isinstance(vt, float) else None,
        *(p.get(k) for k in _neutral_parameters(device)),
    ]
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
        v_n, v_p = contact.velocities()
        area = np.ones(len(nodes)) * contact.area
        off_n = (-v_n / s.vt) * area * np.expm1(s.un[nodes] - fermi)
        off_p = (-v_p / s.vt) * area * np.expm1(fermi - s.up[nodes])
        out_n = out_n + ad.sparsesum([ad.sparsevec(lay.pairs, nodes, off_n)])
        out_p = out_p + ad.sparsesum([ad.sparsevec(lay.pairs, nodes, off_p)])
    return out_n, out_p


def gate_flux(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array | None:
    """Dielectric flux that leaves to gates behind insulators that are not meshed, C."""
    lay, total = device.layout, None
    for name, gate in lay.coupled_gates.items():
        flux = -1.0 * gate.charge(p["V_" + name], s.vt * s.u[gate.nodes])
        placed = ad.sparsesum([ad.sparsevec(lay.n, gate.nodes, flux)])
        total = placed if total is None else total + placed
    return total


def surface_factor(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array | None:
    """Return recombination at surfaces over the excess product, at the pairs."""
    lay, total, (n, h) = device.layout, None, s.densities()
    for name, where in device.surfaces.items():
        pairs_n, pairs_p = lay.sides(f"surface {name!r}", where)
        of = {k: pairs_n if k.endswith(("_n", "n1")) else pairs_p for k in keywords(surface)}
        values = {k: at_nodes(p[k], pairs) for k, pairs in of.items()}
        rate = where.area * surface(n[pairs_n], h[pairs_p], **values)
        rate = rate * s.across(pairs_n, pairs_p)
        placed = ad.sparsesum([ad.sparsevec(lay.pairs, pairs_n, rate)])
        total = placed if total is None else total + placed
    return total
