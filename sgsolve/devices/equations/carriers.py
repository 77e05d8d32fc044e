"""Carrier densities, fluxes and rates, from which the balance equations are made.

They are computed from the three potentials in units of kT/q. Fluxes are divided by ``q kT/q`` and
are positive from the first to the second node of an edge; `terminal` multiplies by the factor.

Densities are stored as logarithms. ``n_i^2`` of silicon at 4 K is 1e-1371 cm^-6: a product of
exponentials would underflow, while the sum of the exponents does not. A density below the range of
floating-point numbers is 0.

Reference: S. Selberherr, Analysis and Simulation of Semiconductor Devices (1984), chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import signature
from typing import Any

import numpy as np

from ... import ad
from ..meshes.mesh import edge_values
from ..models.carrier_statistics import Boltzmann, einstein, log_gamma
from ..models.flux import LARGEST_DROP, Drift, absolute, relative
from ..models.interfaces import emitted
from ..models.ions import ion_densities
from ..models.trap_levels import level_charge
from .model import DeviceModel

Array = Any

LOWEST = -230.0  # logarithm of 1e-100 cm^-3, the lowest density that models are given


@dataclass
class Carriers:
    """The state of a device at given potentials.

    Attributes
    ----------
    vt : scalar
        Thermal voltage, V.
    y : Array, shape (n + 2 n_s,)
        All unknowns / vt, those of the potentials first.
    potentials : int
        How many these are.
    u : Array, shape (n,)
        Electrostatic potential / vt at all nodes.
    du : Array, shape (m,)
        Its drop along all edges.
    us, un, up : Array, shape (pairs,)
        The three potentials / vt at the semiconductor's nodes, or pairs of a node and a region.
    log_n, log_p : Array, shape (pairs,)
        Logarithms of the densities in cm^-3.
    n, p : Array, shape (pairs,)
        Densities, cm^-3.
    eta : tuple of Array or None
        Reduced chemical potentials and log_gamma of electrons and holes; None with Boltzmann.
    ions : list of Array
        Densities of the ions at their nodes, cm^-3.
    kept : tuple of Array or None
        The fluxes, where the state has them.
    filled : list of Array or None
        Filled fractions of the trap levels; None in the steady state.
    warmth : Array or None
        Local temperature over the device's at the pairs; None if there is one temperature.
    factors : pair
        Logarithms of both densities where all potentials are 0, if both are numbers.
    """

    vt: Any
    y: Array
    potentials: int
    u: Array
    du: Array
    us: Array
    un: Array
    up: Array
    log_n: Array
    log_p: Array
    n: Array
    p: Array
    eta: tuple[Array, Array, Array, Array] | None
    ions: list[Array]
    kept: tuple[Array, Array] | None = None
    filled: list[Array] | None = None
    warmth: Array | None = None
    factors: tuple[Any, Any] = (None, None)

    def densities(self) -> tuple[Array, Array]:
        """Both densities as models are given them, at least 1e-100 cm^-3.

        Rates are reciprocals of densities, their derivatives reciprocals of squares, and both
        have to be finite. A density that low changes nothing that can be measured.
        """
        if not self.low:
            return self.n, self.p
        return np.exp(np.maximum(self.log_n, LOWEST)), np.exp(np.maximum(self.log_p, LOWEST))

    @cached_property
    def span(self) -> Any:
        """The largest potential less the smallest one, over vt: a bound on every drop."""
        potentials = ad.value(self.y)[: self.potentials]
        return np.max(potentials) - np.min(potentials)

    @cached_property
    def low(self) -> bool:
        """Whether a density is below those that models are given."""
        at_zero = self.factors
        if isinstance(at_zero[0], float) and isinstance(at_zero[1], float):
            lowest = min(at_zero) - self.span
            if lowest > LOWEST:
                return False
        return bool(min(np.min(ad.value(part)) for part in (self.log_n, self.log_p)) <= LOWEST)

    def splitting(self) -> Array:
        """Of the quasi-Fermi levels, in units of the local kT/q."""
        apart = self.up - self.un
        return apart if self.warmth is None else apart / self.warmth

    def across(self, pairs_n: np.ndarray, pairs_p: np.ndarray) -> Any:
        """Product of electrons of some pairs and holes of others at their nodes, over their own."""
        if np.array_equal(pairs_n, pairs_p):
            return 1.0
        return np.exp(self.log_p[pairs_p] - self.log_p[pairs_n])

    def excess(self) -> Array:
        """``n p`` minus its equilibrium value, cm^-6."""
        return self._excess(self.log_n + self.log_p)

    def losses(self, factor: Array) -> tuple[Array, Array]:
        """`factor` times the excess over vt, over the electron and over the hole density, 1/s."""
        if not self.low and self.warmth is None and self.span < LARGEST_DROP:
            rate = np.expm1(self.un - self.up) * (-1.0 / self.vt) * factor
            return rate * self.p, rate * self.n
        factor = factor / self.vt
        return factor * self._excess(self.log_p), factor * self._excess(self.log_n)

    def _excess(self, log_product: Array) -> Array:
        """``exp(log_product) (1 - exp(-d))``, where d is the splitting of the levels."""
        splitting = self.splitting()
        if np.max(ad.value(splitting), initial=0.0) < LARGEST_DROP:
            return np.exp(log_product - splitting) * np.expm1(splitting)
        ahead = ad.value(splitting) > 0
        exponent = log_product - ad.where(ahead, 0.0, splitting)
        part = np.expm1(ad.where(ahead, -splitting, splitting))
        return np.exp(exponent) * ad.where(ahead, -part, part)


def carriers(device: DeviceModel, x: Array, p: Mapping[str, Any]) -> Carriers:
    """Compute the densities from the unknowns and the parameters."""
    lay = device.layout
    vt = device.constants.k / device.constants.q * p["T"]
    y = x / vt
    n, m = lay.n, lay.n_s
    u, un, up = y[:n], y[n : n + m], y[n + m : n + 2 * m]
    us = u if lay.everywhere else u[lay.inside]
    un, up = lay.at_pairs(un), lay.at_pairs(up)
    eta_n, eta_p, local, warmth = us - un, up - us, vt, None
    factors: tuple[Any, Any] = (None, None)
    if device.heat is not None and np.shape(x)[0] > n + 2 * m:
        warmth = (1.0 + y[n + 2 * m :])[lay.inside]
        eta_n, eta_p, local = eta_n / warmth, eta_p / warmth, vt * warmth
    if isinstance(device.statistics, Boltzmann):
        factors = log_factors(p, local)
        log_n, log_p, eta = eta_n + factors[0], eta_p + factors[1], None
    else:
        eta_n, eta_p = eta_n - p["Ec"] / local, eta_p + p["Ev"] / local
        gamma_n, gamma_p = (log_gamma(device.statistics, e) for e in (eta_n, eta_p))
        log_n = np.log(p["Nc"]) + (eta_n + gamma_n)
        log_p = np.log(p["Nv"]) + (eta_p + gamma_p)
        eta = (eta_n, gamma_n, eta_p, gamma_p)
    du, n_h = u[lay.a] - u[lay.b], (np.exp(log_n), np.exp(log_p))
    ions = ion_densities(device, us, x[n + 2 * m :], p, vt) if device.ions else []
    rest, kept = n + 2 * m, None
    if device.keeps_fluxes and np.shape(x)[0] > rest:
        middle = rest + len(lay.carrier_ratio)
        kept = x[rest:middle], x[middle : middle + len(lay.carrier_ratio)]
    found = (vt, y, n + 2 * m, u, du, us, un, up, log_n, log_p, *n_h, eta, ions, kept, None)
    return Carriers(*found, warmth, factors)


def log_factors(p: Mapping[str, Any], vt: Any) -> tuple[Any, Any]:
    """Logarithms of ``Nc exp(-Ec/vt)`` and ``Nv exp(Ev/vt)``, the densities at zero potential."""
    if "ni" in p:
        intrinsic = np.log(p["ni"])
        return intrinsic, intrinsic
    return np.log(p["Nc"]) - p["Ec"] / vt, np.log(p["Nv"]) + p["Ev"] / vt


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
        return _warm_conduction(device, s, (weight_n, drop_n), (weight_p, drop_p))
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
    device: DeviceModel, s: Carriers, electrons: tuple[Array, Array], holes: tuple[Array, Array]
) -> tuple[tuple[Array, Drift, Array], tuple[Array, Drift, Array]]:
    """The same at the mean temperature of the ends, from the logarithms of the densities."""
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
    return found[0], found[1]


def difference(values: Any, a: Any, b: Any) -> Any:
    """Of values at nodes, the first end of the edges minus the second; 0 for a number."""
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


def recombination_factor(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array:
    """What the excess product is multiplied by to give recombination in the volume, cm^3/s."""
    n, h = s.densities()
    rates = [
        model(n, h, *_in_field(device, s, model), **arguments(model, p))
        for model in device.recombination
    ]
    return sum(rates[1:], rates[0]) if rates else 0.0


def _in_field(device: DeviceModel, s: Carriers, model: Callable[..., Any]) -> list[Array]:
    """What a model takes after the densities: ``field`` (V/cm), ``intrinsic`` (cm^-3)."""
    found = []
    for name in more_arguments(model):
        if name == "field":
            found.append(device.cell_fields.at_nodes(s))
        else:
            found.append(np.exp(0.5 * (s.log_n + s.log_p - s.splitting())))
    return found


def generation(p: Mapping[str, Any]) -> Array | None:
    """Generation by light, cm^-3 s^-1; None in the dark."""
    light = p["G"] * p["profile"]
    return None if isinstance(light, float) and light == 0.0 else light


def space_charge(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> Array:
    """Charge density / q, cm^-3, at the semiconductor's nodes."""
    charge = s.p - s.n + p["doping"][device.layout.doped]
    for region, density in zip(device.ions.values(), s.ions, strict=True):
        charge = charge + region.charge(density)
    if device.trap_levels:
        charge = charge + level_charge(device, s, p)
    if device.traps:
        n, h = s.densities()
        for trap in device.traps:
            charge = charge + trap(n, h, **arguments(trap, p))
    return charge


def arguments(model: Callable[..., Any], p: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a model asks for by its keyword-only arguments."""
    return {name: p[name] for name in keywords(model)}


@cache
def more_arguments(model: Callable[..., Any]) -> tuple[str, ...]:
    """Those of ``field`` and ``intrinsic`` that a model takes after the densities, in order."""
    kinds = signature(model).parameters.items()
    plain = [name for name, kind in kinds if kind.kind is kind.POSITIONAL_OR_KEYWORD]
    return tuple(name for name in plain[2:] if name in ("field", "intrinsic"))


@cache
def keywords(model: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the keyword-only arguments of a model."""
    kinds = signature(model).parameters.items()
    return tuple(name for name, kind in kinds if kind.kind is kind.KEYWORD_ONLY)
