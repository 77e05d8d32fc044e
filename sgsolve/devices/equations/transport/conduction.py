"""Currents of carriers along the edges of the mesh.

Fluxes are divided by ``q kT/q`` and are positive from the first to the second node of an edge;
`terminal` multiplies by the factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...meshes.mesh import edge_values
from ...models.carrier_statistics import einstein
from ...models.flux import Drift, absolute, relative
from ...models.interfaces import emitted
from ...models.model_arguments import keywords
from ..carriers import Carriers
from ..model import DeviceModel

Array = Any


def fluxes(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> tuple[Array, Array]:
    """Electron and hole currents along the semiconductor's edges, divided by ``q vt``."""
    if s.kept is not None:
        return s.kept
    lay = device.layout
    a, b = lay.carrier_a, lay.carrier_b
    (weight_n, drift_n, drop_n), (weight_p, drift_p, drop_p) = conduction(device, s, p)
    jn = weight_n * absolute(s.n, a, b, drift_n, drop_n)
    jp = weight_p * absolute(s.p, b, a, drift_p, drop_p)
    return jn, jp


def relative_fluxes(
    device: DeviceModel, s: Carriers, p: Mapping[str, Any]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Electron currents over the densities at both ends of the edges; hole currents alike."""
    (weight_n, drift_n, drop_n), (weight_p, drift_p, drop_p) = conduction(device, s, p)
    # With a field of temperatures, drops are divided by factors that may be less than 1.
    largest = s.span if s.warmth is None else np.inf
    n_a, n_b = relative(weight_n, drift_n, drop_n, largest)
    p_b, p_a = relative(weight_p, drift_p, drop_p, largest)
    return (n_a, n_b), (p_a, p_b)


def conduction(
    device: DeviceModel,
    s: Carriers,
    p: Mapping[str, Any],
    drives: tuple[Array, Array] | None = None,
) -> tuple[tuple[Array, Drift, Array], tuple[Array, Drift, Array]]:
    """Conductance over density, drift and drop of both carriers on the edges.

    Holes drift from b to a. Mobilities depend on `drives`, by default those of the device's field.
    """
    lay = device.layout
    a, b = lay.carrier_a, lay.carrier_b
    du = s.du if lay.every_edge else s.du[lay.kept]
    drop_n, drop_p = s.un[a] - s.un[b], s.up[a] - s.up[b]
    if drives is None:
        drives = (du, du) if device.field == "potential" else (drop_n, drop_p)
    mu_n, mu_p = _mobilities(device, s, p, drives)
    weight_n, weight_p = mu_n * lay.carrier_ratio, mu_p * lay.carrier_ratio
    if s.warmth is not None:
        return _warm_conduction(device, s, p, (weight_n, drop_n), (weight_p, drop_p))
    if s.eta is None:
        factor_n, factor_p = s.factors
        if np.ndim(factor_n) == np.ndim(factor_p) == 0 and device.emission is None:
            drift = Drift(du)
            return (weight_n, drift, drop_n), (weight_p, drift, drop_p)
        drift_n = Drift(du + difference(factor_n, a, b))
        drift_p = Drift(du - difference(factor_p, a, b))
        return emitted(device, s.vt, p, (weight_n, drift_n, drop_n), (weight_p, drift_p, drop_p))
    eta_n, gamma_n, eta_p, gamma_p = s.eta
    g_n = g_p = 1.0
    if device.flux == "diffusion_enhanced":
        g_n = einstein(device.statistics, eta_n[a], eta_n[b], gamma_n[a] - gamma_n[b])
        g_p = einstein(device.statistics, eta_p[a], eta_p[b], gamma_p[a] - gamma_p[b])
    # Logarithms of the densities without their common part.
    log_n = difference(eta_n, a, b) + difference(gamma_n, a, b) + difference(np.log(p["Nc"]), a, b)
    log_p = difference(eta_p, a, b) + difference(gamma_p, a, b) + difference(np.log(p["Nv"]), a, b)
    drop_n, drop_p = drop_n / g_n, drop_p / g_p
    drift_n, drift_p = Drift(log_n + drop_n), Drift(drop_p - log_p)
    conducted = (weight_n * g_n, drift_n, drop_n), (weight_p * g_p, drift_p, drop_p)
    return emitted(device, s.vt, p, *conducted)


def _warm_conduction(
    device: DeviceModel,
    s: Carriers,
    p: Mapping[str, Any],
    electrons: tuple[Array, Array],
    holes: tuple[Array, Array],
) -> tuple[tuple[Array, Drift, Array], tuple[Array, Drift, Array]]:
    """Return `conduction` at the mean temperature of the ends, by logarithms of the densities."""
    a, b, found = device.layout.carrier_a, device.layout.carrier_b, []
    assert s.warmth is not None
    mean = 0.5 * (s.warmth[a] + s.warmth[b])
    for k, ((weight, drop), log, sign) in enumerate(
        ((electrons, s.log_n, 1.0), (holes, s.log_p, -1.0))
    ):
        g = mean
        if s.eta is not None and device.flux == "diffusion_enhanced":
            eta, gamma = s.eta[2 * k], s.eta[2 * k + 1]
            g = mean * einstein(device.statistics, eta[a], eta[b], gamma[a] - gamma[b])
        found.append((weight * g, Drift(sign * (log[a] - log[b]) + drop / g), drop / g))
    return emitted(device, s.vt, p, found[0], found[1], mean)


def difference(values: Any, a: Any, b: Any) -> Any:
    """Return values at the first end of the edges minus those at the second; 0 for a number."""
    return 0.0 if np.ndim(values) == 0 else values[a] - values[b]


def _mobilities(
    device: DeviceModel, s: Carriers, p: Mapping[str, Any], drives: tuple[Array, Array]
) -> tuple[Any, Any]:
    """Mobilities of electrons and holes, from the drop over each edge that drives them."""
    lay = device.layout
    low = [edge_values(p[name], lay.carrier_edges, lay.pairs) for name in ("mu_n", "mu_p")]
    if device.mobility is None:
        return low[0], low[1]
    model, per_length = device.mobility, s.vt / lay.carrier_lengths
    of = {c: {k: p[f"{k}_{c}"] for k in keywords(model)} for c in "np"}
    fields = [drive * per_length for drive in drives]
    return model(low[0], fields[0], **of["n"]), model(low[1], fields[1], **of["p"])
