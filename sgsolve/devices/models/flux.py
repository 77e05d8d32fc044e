"""The Scharfetter-Gummel flux along an edge, without cancellation.

``n_b B(-w) - n_a B(w) = n_a B(w) expm1(d)``, where d is the drop of the quasi-Fermi potential along
the edge in units of kT/q. The right-hand side has no cancellation: a current of 1e-25 A/cm^2
between densities of 1e18 has all its digits. With degenerate statistics the mean Einstein ratio g
enters as diffusion enhancement, ``g n_a B(w) expm1(d / g)`` with ``w = log(n_a / n_b) + d / g``,
which is exact in equilibrium for every distribution. With ``g = 1`` in the same formula the flux is
that of the excess chemical potential, which several programs have.

The flux divided by the density at one of its ends contains no density (`relative`). The balance of
a node divided by its density consists of these terms. It has a value where the density underflows,
such as 1e-1400 in silicon at 4 K.

References: D. L. Scharfetter, H. K. Gummel, IEEE Trans. Electron Devices 16 (1969) 64; T. Koprucki,
N. Rotundo, P. Farrell, D. H. Doan, J. Fuhrmann, Opt. Quantum Electron. 47 (2015) 1327.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ... import ad
from ...ad.array import ADArray
from ...ad.functions.element_functions.bernoulli import bernoulli_of_both, slopes_of_both
from ...ad.functions.element_functions.user import from_partials
from ...ad.ufuncs.ufunc_calls import raw_value

Array = Any
Selection = slice | np.ndarray
LARGEST_DROP = 500.0  # exp overflows at 709
EMPTY = -460.0  # logarithm of 1e-200 cm^-3: a flux between lower densities underflows


class Drift:
    """Drift along the edges.

    Attributes
    ----------
    w : Array
        In units of kT/q, counted from the near end: ``log(near / far)`` of the densities plus the
        drop of the quasi-Fermi potential.
    given : pair of Array or None
        What stands in place of ``B(w)`` and ``B(-w)``.
    """

    def __init__(self, w: Array, given: tuple[Array, Array] | None = None) -> None:
        self.w, self.given = w, given

    @property
    def sources(self) -> tuple[Array, ...]:
        """The arrays that B(w) and B(-w) depend on."""
        return (self.w,) if self.given is None else self.given

    @cached_property
    def numbers(self) -> tuple[Any, Any]:
        """``B(w)`` and ``B(-w)`` without derivatives."""
        if self.given is not None:
            return raw_value(self.given[0]), raw_value(self.given[1])
        return bernoulli_of_both(raw_value(self.w))

    @cached_property
    def _slopes(self) -> tuple[Any, Any]:
        return slopes_of_both(raw_value(self.w), *self.numbers)

    @cached_property
    def ahead(self) -> Array:
        """``B(w)``."""
        return from_partials(self.numbers[0], self.partials(0, 1.0))

    @cached_property
    def back(self) -> Array:
        """``B(-w)``."""
        return from_partials(self.numbers[1], self.partials(1, 1.0))

    @cached_property
    def logarithms(self) -> tuple[Array, Array]:
        """Logarithms of ``B(w)`` and ``B(-w)``."""
        if self.given is not None:
            return np.log(self.given[0]), np.log(self.given[1])
        return _log_bernoulli(self.w, self.ahead), _log_bernoulli(-1.0 * self.w, self.back)

    def partials(self, k: int, factor: Any) -> list[tuple[Array, Any]]:
        """Return what B(w) (k is 0) or B(-w) depends on, and `factor` times the derivative."""
        if self.given is not None:
            return [(self.given[k], factor)]
        return [(self.w, factor * self._slopes[k])] if isinstance(self.w, ADArray) else []


def absolute(density: Array, near: Selection, far: Selection, drift: Drift, drop: Array) -> Array:
    """Flux per unit of diffusivity times couple over length.

    Parameters
    ----------
    density : Array
        At the nodes.
    near, far : slice or ndarray
        Select the end that the drift counts from (a for electrons, b for holes) and the other.
    drop : Array
        Quasi-Fermi potential at a minus at b, in units of kT/q.
    """
    if np.max(ad.value(drop), initial=0.0) < LARGEST_DROP:
        return density[near] * drift.ahead * np.expm1(drop)
    # Many volts along one edge: count from the end whose exponential does not overflow.
    falls = ad.value(drop) > 0
    side = ad.where(falls, -density[far] * drift.back, density[near] * drift.ahead)
    return side * np.expm1(ad.where(falls, -drop, drop))


def relative(
    weight: Array, drift: Drift, drop: Array, largest: Any = np.inf
) -> tuple[Array, Array]:
    """Flux over the density at the near end, and over the density at the far end.

    Parameters
    ----------
    weight : Array
        Diffusivity times couple over length.
    drop : Array
        As `absolute` takes it.
    largest : float
        A bound on its magnitude, where one is at hand.
    """
    if largest >= LARGEST_DROP and np.max(np.abs(ad.value(drop)), initial=0.0) >= LARGEST_DROP:
        near = _over_near(drift.w, drift.ahead, drift.back, drop)
        return weight * near, -weight * _over_near(-drift.w, drift.back, drift.ahead, -drop)
    g, d, (ahead, back) = raw_value(weight), raw_value(drop), drift.numbers
    rise, fall = np.expm1(d), np.expm1(-d)
    near, far = g * ahead * rise, -(g * back * fall)
    if not any(isinstance(part, ADArray) for part in (drop, *drift.sources, weight)):
        return near, far
    # One operation of two results: of the single factors it would be ten, and twice the terms.
    e = np.exp(d)
    of_near = [(drop, g * ahead * e), *drift.partials(0, g * rise), (weight, ahead * rise)]
    of_far = [(drop, g * back / e), *drift.partials(1, -(g * fall)), (weight, -(back * fall))]
    return from_partials(near, of_near), from_partials(far, of_far)


def flux_rows(
    flux: Array,
    kept: Array,
    log_density: Array,
    ends: tuple[Selection, Selection],
    edges: tuple[Array, Drift, Array],
    size: np.ndarray,
) -> Array:
    """Flux less the flux that is an unknown, over about what it is per drop: a number.

    Between densities that underflow both fluxes are 0 at all potentials. There the flux is divided
    by the conductance before its exponentials are taken, so the potentials are still determined.

    Parameters
    ----------
    flux, kept : Array
        The flux at the potentials, and the unknown.
    log_density : Array
        At the nodes.
    ends : pair of slice or ndarray
        Select the end that the drift counts from, and the other.
    edges : (Array, Drift, Array)
        Diffusivity times couple over length, drift and drop, as `absolute` takes them.
    size : ndarray
        Magnitude of the first.
    """
    near, far = (ad.value(log_density)[end] for end in ends)
    root = np.exp(0.5 * (np.maximum(near, EMPTY) + np.maximum(far, EMPTY)))
    row = (flux - kept) / (size * root)
    if not (np.minimum(near, far) < EMPTY).any():
        return row
    weight, drift, drop = edges
    falls = ad.value(drop) > 0.0
    log_ahead, log_back = drift.logarithms
    log = ad.where(falls, log_density[ends[1]] + log_back, log_density[ends[0]] + log_ahead)
    value = ad.value(log)
    share = np.where(falls, -1.0, 1.0) * np.expm1(ad.where(falls, -1.0 * drop, drop))
    over = np.exp(log - value) * (weight / size) * share
    empty = value < EMPTY
    return ad.where(empty, over - kept * (np.exp(-EMPTY) / size), row)


def _log_bernoulli(w: Array, bernoulli: Array) -> Array:
    """Logarithm of B(w), which underflows at w = 745."""
    large = np.abs(ad.value(w)) > LARGEST_DROP
    if not large.any():
        return np.log(bernoulli)
    far = ad.where(large, w, 1.0)
    return ad.where(
        large, np.log(np.abs(far)) - np.maximum(far, 0.0), np.log(ad.where(large, 1.0, bernoulli))
    )


def _over_near(w: Array, ahead: Array, back: Array, drop: Array) -> Array:
    """``B(w) expm1(d)``, which is ``B(-w) (1 - exp(-d))`` times the ratio far over near."""
    steep = ad.value(drop) > LARGEST_DROP
    mild = ahead * np.expm1(ad.where(steep, 0.0, drop))
    ratio = np.exp(ad.where(steep, drop - w, 0.0))
    return ad.where(steep, -ratio * back * np.expm1(ad.where(steep, -drop, 0.0)), mild)
