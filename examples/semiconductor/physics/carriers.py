"""Densities, fluxes and rates: what the balance equations are made of.

One idea: everything is computed from the three potentials in units of kT/q, with as few operations
on arrays as there are quantities. Fluxes are divided by ``q kT/q`` and count positive from the
first to the second node of an edge; `terminal` puts the factor back.

Reference: S. Selberherr, Analysis and Simulation of Semiconductor Devices (1984), chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from sgsolve import ad

from .flux import diffusion_enhanced, scharfetter_gummel
from .statistics import Boltzmann, einstein, log_gamma

if TYPE_CHECKING:
    from .device import Device

Array = Any


@dataclass
class Carriers:
    """The state of a device at given potentials.

    Attributes
    ----------
    vt : scalar
        Thermal voltage, V.
    y : Array, shape (n + 2 n_s,)
        All unknowns / vt.
    u : Array, shape (n,)
        Electrostatic potential / vt at all nodes.
    du : Array, shape (m,)
        Its drop along all edges.
    us, un, up : Array, shape (n_s,)
        The three potentials / vt at the semiconductor's nodes.
    n, p : Array, shape (n_s,)
        Densities, cm^-3.
    excess : Array, shape (n_s,)
        ``n p`` minus its equilibrium value, cm^-6.
    eta : tuple of Array or None
        Reduced chemical potentials and log_gamma of electrons and holes; None with Boltzmann.
    """

    vt: Any
    y: Array
    u: Array
    du: Array
    us: Array
    un: Array
    up: Array
    n: Array
    p: Array
    excess: Array
    eta: tuple[Array, Array, Array, Array] | None


def carriers(device: Device, x: Array, p: Mapping[str, Any]) -> Carriers:
    """Compute the densities from the unknowns and the parameters."""
    lay = device.layout
    vt = device.constants.k / device.constants.q * p["T"]
    y = x / vt
    n, m = lay.n, lay.n_s
    u, un, up = y[:n], y[n : n + m], y[n + m :]
    us = u if n == m else u[lay.inside]
    factor_n, factor_p = band_factors(p, vt)
    eta_n, eta_p = us - un, up - us
    product = factor_n * factor_p * np.expm1(up - un)
    if isinstance(device.statistics, Boltzmann):
        electrons, holes, eta = factor_n * np.exp(eta_n), factor_p * np.exp(eta_p), None
    else:
        eta_n, eta_p = eta_n - p["Ec"] / vt, eta_p + p["Ev"] / vt
        gamma_n, gamma_p = (log_gamma(device.statistics, e) for e in (eta_n, eta_p))
        electrons = p["Nc"] * np.exp(eta_n + gamma_n)
        holes = p["Nv"] * np.exp(eta_p + gamma_p)
        product = product * np.exp(gamma_n + gamma_p)
        eta = (eta_n, gamma_n, eta_p, gamma_p)
    du = u[lay.a] - u[lay.b]
    return Carriers(vt, y, u, du, us, un, up, electrons, holes, product, eta)


def band_factors(p: Mapping[str, Any], vt: Any) -> tuple[Any, Any]:
    """``Nc exp(-Ec/vt)`` and ``Nv exp(Ev/vt)``: densities where all potentials are zero."""
    if "ni" in p:
        return p["ni"], p["ni"]
    return p["Nc"] * np.exp(-p["Ec"] / vt), p["Nv"] * np.exp(p["Ev"] / vt)


def fluxes(device: Device, s: Carriers, p: Mapping[str, Any]) -> tuple[Array, Array]:
    """Electron and hole currents along the semiconductor's edges, divided by ``q vt``."""
    lay = device.layout
    a, b = lay.carrier_a, lay.carrier_b
    du = s.du if lay.every_edge else s.du[lay.kept]
    drop_n, drop_p = s.un[a] - s.un[b], s.up[a] - s.up[b]
    drives = (du, du) if device.field == "potential" else (drop_n, drop_p)
    mu_n, mu_p = _mobilities(device, s, p, drives)
    weight_n, weight_p = mu_n * lay.carrier_ratio, mu_p * lay.carrier_ratio
    if s.eta is None:
        factor_n, factor_p = band_factors(p, s.vt)
        w_n = w_p = du
        if np.ndim(factor_n) or np.ndim(factor_p):
            w_n, w_p = du + _log_drop(factor_n, a, b), du - _log_drop(factor_p, a, b)
        drift_n = ad.bernoulli(w_n)
        drift_p = drift_n if w_p is w_n else ad.bernoulli(w_p)
        jn = weight_n * scharfetter_gummel(s.n, a, b, w_n, drift_n, drop_n)
        jp = weight_p * scharfetter_gummel(s.p, b, a, w_p, drift_p, drop_p)
        return jn, jp
    eta_n, gamma_n, eta_p, gamma_p = s.eta
    dg_n, dg_p = gamma_n[a] - gamma_n[b], gamma_p[a] - gamma_p[b]
    stat = device.statistics
    g_n = einstein(stat, eta_n[a], eta_n[b], dg_n)
    g_p = einstein(stat, eta_p[a], eta_p[b], dg_p)
    log_n = eta_n[a] - eta_n[b] + dg_n + _log_drop(p["Nc"], a, b)
    log_p = eta_p[a] - eta_p[b] + dg_p + _log_drop(p["Nv"], a, b)
    jn = weight_n * diffusion_enhanced(s.n, a, b, log_n, drop_n, g_n)
    jp = weight_p * diffusion_enhanced(s.p, b, a, -log_p, drop_p, g_p)
    return jn, jp


def _log_drop(values: Any, a: Any, b: Any) -> Any:
    if np.ndim(values) == 0:
        return 0.0
    logarithm = np.log(values)
    return logarithm[a] - logarithm[b]


def _mobilities(
    device: Device, s: Carriers, p: Mapping[str, Any], drives: tuple[Array, Array]
) -> tuple[Any, Any]:
    """Mobilities of electrons and holes, from the drop over each edge that drives them."""
    lay = device.layout
    low = [edge_values(p[name], lay.carrier_edges, lay.n_s) for name in ("mu_n", "mu_p")]
    if device.mobility is None:
        return low[0], low[1]
    model, per_length = device.mobility, s.vt / lay.carrier_lengths
    of = {c: {k: p[f"{k}_{c}"] for k in keywords(model)} for c in "np"}
    fields = [drive * per_length for drive in drives]
    return model(low[0], fields[0], **of["n"]), model(low[1], fields[1], **of["p"])


def edge_values(values: Any, edges: np.ndarray, n: int) -> Any:
    """A parameter on edges: as it is, or the mean of the two ends if it is given at nodes."""
    if np.ndim(values) == 0 or len(values) != n:
        return values
    return 0.5 * (values[edges[:, 0]] + values[edges[:, 1]])


def recombination_rate(device: Device, s: Carriers, p: Mapping[str, Any]) -> Array:
    """Net recombination, cm^-3 s^-1, generation subtracted."""
    rates = [model(s.n, s.p, **arguments(model, p)) for model in device.recombination]
    generation = p["G"] * p["profile"]
    if not rates:
        return -generation
    total = rates[0]
    for rate in rates[1:]:
        total = total + rate
    net = s.excess * total
    if np.ndim(generation) == 0 and isinstance(generation, float) and generation == 0.0:
        return net
    return net - generation


def space_charge(device: Device, s: Carriers, p: Mapping[str, Any]) -> Array:
    """Charge density / q, cm^-3, at the semiconductor's nodes."""
    charge = s.p - s.n + p["doping"][device.layout.inside]
    for trap in device.traps:
        charge = charge + trap(s.n, s.p, **arguments(trap, p))
    return charge


def arguments(model: Callable[..., Any], p: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a model asks for by its keyword-only arguments."""
    return {name: p[name] for name in keywords(model)}


@cache
def keywords(model: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the keyword-only arguments of a model."""
    kinds = signature(model).parameters.items()
    return tuple(name for name, kind in kinds if kind.kind is kind.KEYWORD_ONLY)
