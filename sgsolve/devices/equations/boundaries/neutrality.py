"""Charge neutrality in equilibrium: the potential of ohmic contacts, and of a first guess.

A node at an interface is in several regions. Its charge is then the sum over the parts of its
control volume, each with the densities of its region.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .... import ad
from ....errors import InputError
from ...models.carrier_statistics import has_factor, log_gamma
from ...models.device_layout import placing
from ..carriers import log_factors
from ..model import DeviceModel
from .trap_neutrality import (
    DENSE,
    LARGEST,
    has_traps,
    potential_without_charge,
    slope_of,
    trap_charge,
)

Array = Any


def at_nodes(values: Any, nodes: np.ndarray) -> Any:
    """A parameter at some nodes or pairs of the semiconductor."""
    return values if np.ndim(values) == 0 else values[nodes]


class Members:
    """The pairs of some nodes of the semiconductor, and sums over them by their volumes.

    Attributes
    ----------
    pairs : ndarray of int
        Their numbers; those of the nodes themselves where each is in one region.
    """

    def __init__(self, device: DeviceModel, nodes: np.ndarray) -> None:
        lay, self.pairs = device.layout, nodes
        self._place: np.ndarray | None = None
        if not len(lay.several(lay.nodes[nodes])):
            return
        number = np.full(lay.n_s, -1)
        number[nodes] = np.arange(len(nodes))
        place = number[lay.row]
        self.pairs = np.flatnonzero(place >= 0)
        self._place, volumes = place[self.pairs], lay.volumes[self.pairs]
        share = volumes / np.bincount(self._place, volumes, len(nodes))[self._place]
        where = (self._place, np.arange(len(self.pairs)))
        self._sum = csr_array((share, where), shape=(len(nodes), len(self.pairs)))
        self._several = len(nodes)

    def spread(self, values: Array) -> Array:
        """At the pairs, from values at the nodes."""
        return values if self._place is None else values[self._place]

    def total(self, values: Array) -> Array:
        """Mean at the nodes over the volumes of their pairs."""
        return values if self._place is None else self._sum @ values

    def log_total(self, logarithms: Any) -> Array:
        """Logarithm of that mean, from logarithms."""
        if self._place is None:
            return logarithms
        logarithms = logarithms * np.ones(len(self.pairs))
        most = np.full(self._several, -np.inf)
        np.maximum.at(most, self._place, ad.value(logarithms))
        return np.log(self._sum @ np.exp(logarithms - most[self._place])) + most


def neutral(device: DeviceModel, p: Mapping[str, Any], vt: Any, nodes: np.ndarray) -> Array:
    """Potential / vt that makes nodes of the semiconductor neutral in equilibrium.

    Boltzmann: in closed form. Otherwise Newton's method on numbers, and one step more on the
    parameters as they came, which carries their derivatives if they have any.
    """
    inside = Members(device, nodes)
    doping = inside.total(p["doping"][device.layout.doped][inside.pairs])
    factor_n, factor_p = (
        inside.log_total(at_nodes(factor, inside.pairs)) for factor in log_factors(p, vt)
    )
    if has_traps(device):
        return _neutral_with_traps(device, p, vt, inside, (factor_n, factor_p))
    middle = 0.5 * (factor_p - factor_n)
    start = middle + arcsinh_of_ratio(0.5 * doping, 0.5 * (factor_n + factor_p))
    if not has_factor(device.statistics):
        return start
    u = ad.value(start) * np.ones(len(nodes))
    plain = {name: ad.value(value) for name, value in p.items()}
    for _ in range(100):
        step = np.clip(_imbalance(device, plain, ad.value(vt), inside, u), -20.0, 20.0)
        u = u + step
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(u).max()):
            break
    else:
        raise InputError(
            "doping: no potential makes the device neutral; with these statistics a band holds "
            "fewer carriers than the doping asks for"
        )
    return u + _charge_step(device, p, vt, inside, u)


def _neutral_with_traps(
    device: DeviceModel, p: Mapping[str, Any], vt: Any, inside: Members, factors: tuple[Any, Any]
) -> Array:
    """The same with traps in the volume, by bisection, then one step that carries derivatives."""
    ones = np.ones(len(inside.total(np.ones(len(inside.pairs)))))
    factor_n, factor_p = (ad.value(factor) * ones for factor in factors)

    def charge(u: Array, p: Mapping[str, Any], vt: Any) -> Array:
        at = inside.spread(u)
        if has_factor(device.statistics):
            log_n, log_p = _equilibrium(device, p, vt, inside, u)[:2]
        else:
            log_n, log_p = (at_nodes(factor, inside.pairs) for factor in log_factors(p, vt))
            log_n, log_p = log_n + at, log_p - at
        n, h = (np.exp(np.minimum(log, LARGEST)) for log in (log_n, log_p))
        place = placing(inside.pairs, device.layout.pairs)
        traps = trap_charge(device, place @ log_n, place @ log_p, p)
        traps = traps[inside.pairs] if np.ndim(traps) else traps
        return inside.total(h - n + p["doping"][device.layout.doped][inside.pairs] + traps)

    plain = {name: ad.value(value) for name, value in p.items()}
    number = ad.value(vt)
    u = potential_without_charge(
        lambda u: charge(u, plain, number), factor_p - DENSE, DENSE - factor_n
    )
    slope = slope_of(lambda u: charge(u, plain, number), u)
    return u - charge(u, p, vt) / np.where(slope < 0.0, slope, -1.0)


def arcsinh_of_ratio(values: Any, logarithm: Any) -> Array:
    """Return ``arcsinh(values / exp(logarithm))``, also where the exponential is out of range."""
    size = np.maximum(np.abs(ad.value(values)), np.finfo(float).tiny)
    none = ad.value(values) == 0.0
    large = ~none & (np.log(size) - ad.value(logarithm) > 30.0)
    scale = ad.where(large | (none & (ad.value(logarithm) < -LARGEST)), 0.0, logarithm)
    inner = ad.where(large, 0.0, values) * np.exp(-scale)
    outer = np.log(2.0 * np.abs(ad.where(large, values, 1.0))) - logarithm
    return ad.where(large, np.sign(ad.value(values)) * outer, np.arcsinh(inner))


def _equilibrium(
    device: DeviceModel, p: Mapping[str, Any], vt: Any, inside: Members, u: np.ndarray
) -> tuple[Array, Array, np.ndarray, np.ndarray]:
    """Logarithms of both densities at the pairs in equilibrium, and how fast they change with u."""
    u, pairs, stat = inside.spread(u), inside.pairs, device.statistics
    eta_n, eta_p = u - at_nodes(p["Ec"], pairs) / vt, at_nodes(p["Ev"], pairs) / vt - u
    log_n = np.log(at_nodes(p["Nc"], pairs)) + (eta_n + log_gamma(stat, eta_n))
    log_p = np.log(at_nodes(p["Nv"], pairs)) + (eta_p + log_gamma(stat, eta_p))
    slope_n, slope_p = (1.0 + stat.log_gamma(ad.value(e), 1) for e in (eta_n, eta_p))
    return log_n, log_p, slope_n, slope_p


def _imbalance(
    device: DeviceModel, p: Mapping[str, Any], vt: Any, inside: Members, u: np.ndarray
) -> np.ndarray:
    """Newton's step for u; positive and negative charges are compared by their logarithms."""
    log_n, log_p, slope_n, slope_p = _equilibrium(device, p, vt, inside, u)
    doping = inside.total(p["doping"][device.layout.doped][inside.pairs])
    total_n, total_p = inside.log_total(log_n), inside.log_total(log_p)
    with np.errstate(divide="ignore"):
        acceptors, donors = np.log(np.maximum(-doping, 0.0)), np.log(np.maximum(doping, 0.0))
    negative, positive = np.logaddexp(total_n, acceptors), np.logaddexp(total_p, donors)
    slope = inside.total(slope_n * np.exp(log_n - inside.spread(negative)))
    slope = slope + inside.total(slope_p * np.exp(log_p - inside.spread(positive)))
    with np.errstate(over="ignore"):  # a band that is full hardly answers; steps are cut
        step: np.ndarray = (positive - negative) / slope
    return step


def _charge_step(
    device: DeviceModel, p: Mapping[str, Any], vt: Any, inside: Members, u: np.ndarray
) -> Array:
    """Newton's step for u from the charge itself, which carries the parameters' derivatives."""
    log_n, log_p, slope_n, slope_p = _equilibrium(device, p, vt, inside, u)
    unit = np.maximum(ad.value(inside.log_total(log_n)), ad.value(inside.log_total(log_p)))
    n, h = np.exp(log_n - inside.spread(unit)), np.exp(log_p - inside.spread(unit))
    doping = inside.total(p["doping"][device.layout.doped][inside.pairs])
    slope = inside.total(ad.value(n) * slope_n + ad.value(h) * slope_p)
    return (inside.total(h - n) + doping * np.exp(-np.maximum(unit, -600.0))) / slope
