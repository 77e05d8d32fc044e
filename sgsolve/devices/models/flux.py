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

from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ad

Array = Any
Selection = slice | np.ndarray
LARGEST_DROP = 500.0  # exp overflows at 709


@dataclass(frozen=True)
class Drift:
    """Drift along the edges.

    Attributes
    ----------
    w : Array
        In units of kT/q, counted from the near end: ``log(near / far)`` of the densities plus the
        drop of the quasi-Fermi potential.
    ahead, back : Array
        ``B(w)`` and ``B(-w)``.
    """

    w: Array
    ahead: Array
    back: Array

    @classmethod
    def of(cls, w: Array) -> Drift:
        """With Bernoulli's function of both directions."""
        return cls(w, ad.bernoulli(w), ad.bernoulli(-w))


def absolute(density: Array, near: Selection, far: Selection, drift: Drift, drop: Array) -> Array:
    """Flux per unit of diffusivity times couple over length.

    Parameters
    ----------
    density : Array
        At the nodes.
    near, far : slice or ndarray
        Select the end that the drift counts from (a for electrons, b for holes) and the other.
    drift : Drift
    drop : Array
        Quasi-Fermi potential at a minus at b, in units of kT/q.
    """
    if np.max(ad.value(drop), initial=0.0) < LARGEST_DROP:
        return density[near] * drift.ahead * np.expm1(drop)
    # Many volts along one edge: count from the end whose exponential does not overflow.
    falls = ad.value(drop) > 0
    side = ad.where(falls, -density[far] * drift.back, density[near] * drift.ahead)
    return side * np.expm1(ad.where(falls, -drop, drop))


def relative(drift: Drift, drop: Array) -> tuple[Array, Array]:
    """The same flux over the density at the near end, and over the density at the far end."""
    if np.max(np.abs(ad.value(drop)), initial=0.0) < LARGEST_DROP:
        return drift.ahead * np.expm1(drop), -drift.back * np.expm1(-drop)
    near = _over_near(drift.w, drift.ahead, drift.back, drop)
    return near, -_over_near(-drift.w, drift.back, drift.ahead, -drop)


def _over_near(w: Array, ahead: Array, back: Array, drop: Array) -> Array:
    """``B(w) expm1(d)``, which is ``B(-w) (1 - exp(-d))`` times the ratio far over near."""
    steep = ad.value(drop) > LARGEST_DROP
    mild = ahead * np.expm1(ad.where(steep, 0.0, drop))
    ratio = np.exp(ad.where(steep, drop - w, 0.0))
    return ad.where(steep, -ratio * back * np.expm1(ad.where(steep, -drop, 0.0)), mild)
