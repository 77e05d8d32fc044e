"""The Scharfetter-Gummel flux along an edge, in the form that keeps its digits.

One idea: ``n_b B(-w) - n_a B(w) = n_a B(w) expm1(d)``, where d is the drop of the quasi-Fermi
potential along the edge in units of kT/q. The right hand side has no cancellation: a current of
1e-25 A/cm^2 between densities of 1e18 keeps all its digits. With degenerate statistics the mean
Einstein ratio g enters as diffusion enhancement, ``g n_a B(w) expm1(d / g)`` with
``w = log(n_a / n_b) + d / g``, which is exact in equilibrium for every distribution.

References: D. L. Scharfetter, H. K. Gummel, IEEE Trans. Electron Devices 16 (1969) 64; T. Koprucki,
N. Rotundo, P. Farrell, D. H. Doan, J. Fuhrmann, Opt. Quantum Electron. 47 (2015) 1327.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sgsolve import ad

Array = Any
Selection = slice | np.ndarray
LARGEST_DROP = 500.0  # exp overflows at 709


def scharfetter_gummel(
    density: Array, near: Selection, far: Selection, w: Array, drift: Array, drop: Array
) -> Array:
    """Flux per unit of diffusivity times couple over length.

    Parameters
    ----------
    density : Array
        At the nodes.
    near, far : slice or ndarray
        Select the end that w counts from (a for electrons, b for holes) and the other.
    w : Array
        Drift along the edge in units of kT/q: ``log(near / far) + drop``.
    drift : Array
        ``B(w)``.
    drop : Array
        Quasi-Fermi potential at a minus at b, in units of kT/q.
    """
    if np.max(ad.value(drop), initial=0.0) < LARGEST_DROP:
        return density[near] * drift * np.expm1(drop)
    # Many volts along one edge: count from the end whose exponential does not overflow.
    falls = ad.value(drop) > 0
    side = ad.where(falls, -density[far] * (drift + w), density[near] * drift)
    return side * np.expm1(ad.where(falls, -drop, drop))


def diffusion_enhanced(
    density: Array, near: Selection, far: Selection, log_ratio: Array, drop: Array, g: Array
) -> Array:
    """The same for any statistics, with the mean Einstein ratio g of the edge.

    Parameters
    ----------
    log_ratio : Array
        Logarithm of the density at the near end over that at the far end.
    """
    reduced = drop / g
    w = log_ratio + reduced
    return g * scharfetter_gummel(density, near, far, w, ad.bernoulli(w), reduced)
