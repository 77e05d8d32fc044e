"""Carrier densities at the nodes, from the three potentials in units of kT/q.

Densities are stored as logarithms. ``n_i^2`` of silicon at 4 K is 1e-1371 cm^-6: a product of
exponentials would underflow, while the sum of the exponents does not. A density below the range of
floating-point numbers is 0.

Reference: S. Selberherr, Analysis and Simulation of Semiconductor Devices (1984), chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ... import ad
from ..models.carrier_statistics import has_factor, log_gamma
from ..models.flux import LARGEST_DROP
from ..models.ions import ion_densities
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
        """Return the splitting of the quasi-Fermi levels, in units of the local kT/q."""
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


def after_potentials(device: DeviceModel, x: Array) -> int:
    """Where what follows the potentials, and the temperatures if there are any, begins."""
    n, begin = device.layout.n, device.layout.n + 2 * device.layout.n_s
    return begin + n if device.heat is not None and np.shape(x)[0] >= begin + n else begin


def after_fluxes(device: DeviceModel, x: Array) -> int:
    """Where what follows these, and the fluxes if they are kept, begins in a state."""
    begin, both = after_potentials(device, x), 2 * len(device.layout.carrier_ratio)
    return begin + both if device.keeps_fluxes and np.shape(x)[0] >= begin + both else begin


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
    first = after_potentials(device, x)
    if first > n + 2 * m:
        warmth = (1.0 + y[n + 2 * m : first])[lay.inside]
        eta_n, eta_p, local = eta_n / warmth, eta_p / warmth, vt * warmth
    if not has_factor(device.statistics):
        factors = log_factors(p, local)
        log_n, log_p, eta = eta_n + factors[0], eta_p + factors[1], None
    else:
        eta_n, eta_p = eta_n - p["Ec"] / local, eta_p + p["Ev"] / local
        gamma_n, gamma_p = (log_gamma(device.statistics, e) for e in (eta_n, eta_p))
        log_n = np.log(p["Nc"]) + (eta_n + gamma_n)
        log_p = np.log(p["Nv"]) + (eta_p + gamma_p)
        eta = (eta_n, gamma_n, eta_p, gamma_p)
    du, n_h = u[lay.a] - u[lay.b], (np.exp(log_n), np.exp(log_p))
    begin, kept = after_fluxes(device, x), None
    if begin > first:
        middle = (first + begin) // 2
        kept = x[first:middle], x[middle:begin]
    ions = ion_densities(device, us, x[begin:], p, vt) if device.ions else []
    found = (vt, y, n + 2 * m, u, du, us, un, up, log_n, log_p, *n_h, eta, ions, kept, None)
    return Carriers(*found, warmth, factors)


def log_factors(p: Mapping[str, Any], vt: Any) -> tuple[Any, Any]:
    """Logarithms of ``Nc exp(-Ec/vt)`` and ``Nv exp(Ev/vt)``, the densities at zero potential."""
    if "ni" in p:
        intrinsic = np.log(p["ni"])
        return intrinsic, intrinsic
    return np.log(p["Nc"]) - p["Ec"] / vt, np.log(p["Nv"]) + p["Ev"] / vt
