"""Carrier statistics, each defined by the logarithm of its degeneracy factor.

Every distribution is Boltzmann's times a factor, ``F(eta) = exp(eta + log_gamma(eta))``. The
logarithm of the factor is smooth and of moderate size where F covers a hundred decades. A
statistics object has ``log_gamma(eta, order)``, the logarithm (order 0) and its first two
derivatives. Densities, Einstein ratios, contacts and fluxes follow from it. Boltzmann statistics
have no factor, and their terms are skipped.

References: J. S. Blakemore, Solid-State Electron. 25 (1982) 1067; P. Farrell et al.,
Drift-diffusion models, WIAS Preprint 2263 (2016), section 2; M. Bessemoulin-Chatard, Numer. Math.
121 (2012) 637.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ... import ad
from ...errors import DomainError, InputError

Array = Any


class CarrierStatistics(Protocol):
    """Interface of the carrier statistics of a device.

    See Also
    --------
    Boltzmann, Blakemore, fermi_dirac_half, gauss_fermi
    """

    def log_gamma(self, eta: np.ndarray, order: int = 0) -> np.ndarray:
        """``log(F(eta)) - eta`` or its derivative of the given order, 0, 1 or 2."""


class Boltzmann:
    """``F(eta) = exp(eta)``.

    See Also
    --------
    Blakemore, fermi_dirac_half, gauss_fermi

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Boltzmann
    >>> Boltzmann().log_gamma(np.array([-3.0, 2.0])).tolist()
    [0.0, 0.0]
    """

    has_factor = False

    def log_gamma(self, eta: np.ndarray, order: int = 0) -> np.ndarray:
        """Zero."""
        return np.zeros(np.shape(eta))


class Blakemore:
    """``F(eta) = 1 / (exp(-eta) + gamma)``; 0.27 is within 3 % of Fermi-Dirac 1/2 up to eta = 1.3.

    With ``gamma=1`` it is the Fermi-Dirac integral of order -1, for sharp levels.

    Parameters
    ----------
    gamma : float
        Positive; 0.27 by default.

    Raises
    ------
    InputError
        If `gamma` is not positive.

    See Also
    --------
    Boltzmann, fermi_dirac_half, gauss_fermi

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Blakemore
    >>> float(Blakemore(1.0).log_gamma(np.array(0.0)))  # log(1/2)
    -0.6931471805599453
    """

    def __init__(self, gamma: float = 0.27) -> None:
        if not gamma > 0:
            raise InputError(f"gamma: must be positive, got {gamma}")
        self.gamma = gamma

    def log_gamma(self, eta: np.ndarray, order: int = 0) -> np.ndarray:
        """``-log(1 + gamma exp(eta))`` and its derivatives."""
        t = eta + np.log(self.gamma)
        occupied: np.ndarray = 0.5 * (1.0 + np.tanh(0.5 * t))
        slopes = (-np.logaddexp(0.0, t), -occupied, -occupied * (1.0 - occupied))
        return slopes[order]


def has_factor(statistics: CarrierStatistics) -> bool:
    """Whether statistics have a factor: so they do, unless they declare ``has_factor = False``."""
    return bool(getattr(statistics, "has_factor", True))


def log_gamma(statistics: CarrierStatistics, eta: Array) -> Array:
    """Logarithm of the degeneracy factor, with its derivative."""
    return ad.elementwise(
        lambda t: statistics.log_gamma(t, 0), lambda t: statistics.log_gamma(t, 1)
    )(eta)


def einstein(statistics: CarrierStatistics, eta_a: Array, eta_b: Array, difference: Array) -> Array:
    """Mean of the Einstein ratio ``d eta / d log F`` along an edge.

    It is the quotient of the differences, which makes the flux consistent with equilibrium; where
    eta hardly differs, Simpson's rule for the mean of ``d log F / d eta``, exact to 1e-12 there.

    Parameters
    ----------
    eta_a, eta_b : Array
        Reduced chemical potentials at the two ends.
    difference : Array
        ``log_gamma`` at a minus ``log_gamma`` at b.
    """
    delta = eta_a - eta_b
    small = np.abs(ad.value(delta)) < 1e-2
    safe = ad.where(small, 1.0, delta)

    def slope(eta: Array) -> Array:
        return ad.elementwise(
            lambda t: statistics.log_gamma(t, 1), lambda t: statistics.log_gamma(t, 2)
        )(eta)

    simpson = (slope(eta_a) + 4.0 * slope(0.5 * (eta_a + eta_b)) + slope(eta_b)) / 6.0
    return 1.0 / (1.0 + ad.where(small, simpson, difference / safe))


def chemical_potential(statistics: CarrierStatistics, log_density: Array) -> Array:
    """Reduced chemical potential at which ``log F(eta)`` has a value, with its derivative.

    Newton's method from Boltzmann's value. The logarithm of F is concave, so it rises from the left
    after the first step.

    Raises
    ------
    DomainError
        If a band cannot hold so many carriers.
    """

    def inverse(target: np.ndarray) -> np.ndarray:
        eta = np.array(target, dtype=float)
        for _ in range(100):
            off = target - eta - statistics.log_gamma(eta, 0)
            step = np.clip(off / (1.0 + statistics.log_gamma(eta, 1)), -20.0, 20.0)
            eta += step
            if np.abs(step).max(initial=0.0) <= 1e-14 * (1.0 + np.abs(eta).max(initial=0.0)):
                return eta
        raise DomainError("a density is above what a band holds with these statistics")

    def slope(target: np.ndarray) -> np.ndarray:
        return np.asarray(1.0 / (1.0 + statistics.log_gamma(inverse(target), 1)))

    return ad.elementwise(inverse, slope)(log_density)
