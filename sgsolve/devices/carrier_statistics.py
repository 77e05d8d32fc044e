"""Carrier statistics, each defined by the logarithm of its degeneracy factor.

Every distribution is Boltzmann's times a factor, ``F(eta) = exp(eta + log_gamma(eta))``. The
logarithm of the factor is smooth and of moderate size where F covers a hundred decades. A
statistics object has ``log_gamma(eta, order)``, the logarithm (order 0) and its first two
derivatives. Densities, Einstein ratios, contacts and fluxes follow from it. Boltzmann statistics
have no factor, and their terms are skipped. Fermi-Dirac and Gauss-Fermi integrals are computed once
and stored as a spline of order seven.

References: J. S. Blakemore, Solid-State Electron. 25 (1982) 1067; P. Farrell et al.,
Drift-diffusion models, WIAS Preprint 2263 (2016), section 2; M. Bessemoulin-Chatard, Numer. Math.
121 (2012) 637.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.interpolate import make_interp_spline

from .. import ad
from ..errors import DomainError, InputError

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

    def log_gamma(self, eta: np.ndarray, order: int = 0) -> np.ndarray:
        """Zero."""
        return np.zeros_like(eta)


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


class Tabulated:
    """A distribution known by ``log_gamma`` at equidistant points, joined by a spline.

    Below the table the factor's logarithm decays like ``exp(eta)``, as it does for every
    distribution; above it a `DomainError` says that the argument is outside the model.
    """

    def __init__(self, eta: np.ndarray, log_gamma: np.ndarray) -> None:
        self.low, self.high = float(eta[0]), float(eta[-1])
        spline = make_interp_spline(eta, log_gamma, k=7)
        self._parts = (spline, spline.derivative(1), spline.derivative(2))
        self._tail = float(log_gamma[0])

    def log_gamma(self, eta: np.ndarray, order: int = 0) -> np.ndarray:
        """From the spline, or its decaying tail."""
        if np.max(eta) > self.high:
            raise DomainError(
                f"eta = {np.max(eta):g} is above {self.high:g}, the end of the tabulated values"
            )
        inside = np.clip(eta, self.low, self.high)
        tail = self._tail * np.exp(np.minimum(eta - self.low, 0.0))
        return np.where(eta < self.low, tail, self._parts[order](inside))


class _FermiDiracHalf(Tabulated):
    """Above the table Sommerfeld's expansion, exact to 1e-15 from eta = 100 on.

    ``F = 4 / (3 sqrt(pi)) eta^(3/2) (1 + a_1 / eta^2 + a_2 / eta^4 + ...)``
    """

    EXPANSION = tuple(
        coefficient * np.pi ** (2 * k)
        for k, coefficient in enumerate((1.0, 1 / 8, 7 / 640, 31 / 3072, 4191 / 163840))
    )

    def __init__(self, eta: np.ndarray, log_gamma: np.ndarray) -> None:
        super().__init__(eta, log_gamma)
        self.top, self.high = self.high, np.inf

    def log_gamma(self, eta: np.ndarray, order: int = 0) -> np.ndarray:
        """From the spline, its decaying tail, or the expansion."""
        inside = super().log_gamma(np.minimum(eta, self.top), order)
        if np.max(eta, initial=0.0) <= self.top:
            return inside
        return np.where(eta > self.top, self._expanded(np.maximum(eta, self.top), order), inside)

    def _expanded(self, x: np.ndarray, order: int) -> np.ndarray:
        powers = -2.0 * np.arange(len(self.EXPANSION))
        terms = [a * x**k for a, k in zip(self.EXPANSION, powers, strict=True)]
        total: np.ndarray = np.sum(terms, axis=0)
        if order == 0:
            value: np.ndarray = np.log(4.0 / (3.0 * np.sqrt(np.pi)) * total) + 1.5 * np.log(x) - x
            return value
        first: np.ndarray = np.tensordot(powers, terms, axes=1) / (x * total)
        if order == 1:
            return np.asarray(1.5 / x + first - 1.0)
        second: np.ndarray = np.tensordot(powers * (powers - 1.0), terms, axes=1) / (x**2 * total)
        return np.asarray(second - first**2 - 1.5 / x**2)


def fermi_dirac_half() -> Tabulated:
    """Return the carrier statistics of a parabolic band: the Fermi-Dirac integral of order 1/2.

    Returns
    -------
    CarrierStatistics
        For ``Device(..., statistics=...)``.

    See Also
    --------
    Boltzmann, Blakemore, gauss_fermi
    ad.fermi_dirac : The integral for residuals of your own.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import fermi_dirac_half
    >>> value = fermi_dirac_half().log_gamma(np.array([0.0]))  # F(0) = 0.765147024625408
    >>> bool(abs(np.exp(value[0]) - 0.765147024625408) < 1e-13)
    True
    """
    eta = np.arange(-34.0, 100.0 + 0.0625, 0.125)
    return _FermiDiracHalf(eta, _fermi_dirac_half(eta))


def gauss_fermi(sigma: float) -> Tabulated:
    """Return the carrier statistics of an organic semiconductor: the Gauss-Fermi integral.

    Parameters
    ----------
    sigma : float
        Width of the Gaussian density of states in units of kT, 1 to 8 in practice. eta counts from
        the center of the Gaussian. F tends to 1 when it is full.

    Returns
    -------
    CarrierStatistics
        For ``Device(..., statistics=...)``.

    Raises
    ------
    InputError
        If `sigma` is not in (0, 12].

    See Also
    --------
    Boltzmann, Blakemore, fermi_dirac_half

    Notes
    -----
    At low density F is ``exp(eta + sigma^2/2)``: the constant is part of ``log_gamma``.

    Examples
    --------
    At low density F is ``exp(eta + sigma^2/2)``:

    >>> import numpy as np
    >>> from sgsolve.devices import gauss_fermi
    >>> gauss_fermi(4.0).log_gamma(np.array([-50.0])).round(6).tolist()
    [8.0]
    """
    if not 0 < sigma <= 12:
        raise InputError(f"sigma: must be in (0, 12] kT, got {sigma}")
    low = -34.0 - 1.5 * sigma**2
    return _GaussFermi(sigma, low)


class _GaussFermi(Tabulated):
    """The factor tends to ``exp(sigma^2/2)`` at low density; only the rest of it is tabulated."""

    def __init__(self, sigma: float, low: float) -> None:
        self.shift = 0.5 * sigma**2
        eta = np.arange(low, 60.0, 0.125)
        energy = np.linspace(-12.0, 12.0, 4001) * sigma - sigma**2
        values = np.empty_like(eta)
        for i, e in enumerate(eta):
            # Shifted Gaussian times exp(energy - eta) / (1 + exp(energy - eta)): no cancellation.
            weight = np.exp(-0.5 * ((energy + sigma**2) / sigma) ** 2)
            values[i] = np.log(np.sum(weight / (1.0 + np.exp(e - energy))) / np.sum(weight))
        super().__init__(eta, values)

    def log_gamma(self, eta: np.ndarray, order: int = 0) -> np.ndarray:
        rest = super().log_gamma(eta, order)
        return rest + self.shift if order == 0 else rest


def _fermi_dirac_half(eta: np.ndarray) -> np.ndarray:
    """``log(F_1/2(eta)) - eta`` by Gauss-Legendre in the square root of the energy.

    With ``energy = t^2`` the integrand is smooth; it is cut where it is below 1e-17.
    """
    nodes, weights = np.polynomial.legendre.leggauss(40)
    result = np.empty_like(eta)
    for i, e in enumerate(eta):
        # Panels that are narrow where the step of the Fermi function is.
        top = np.sqrt(max(e, 0.0) + 42.0)
        step = np.sqrt(max(e, 0.0))
        cuts = np.unique(
            np.clip(np.concatenate([[0.0], step + np.linspace(-6, 6, 25), [top]]), 0, top)
        )
        half = 0.5 * np.diff(cuts)
        t = (cuts[:-1] + half)[:, None] + half[:, None] * nodes
        shifted = 2.0 * t**2 / (np.exp(t**2) + np.exp(e))
        result[i] = np.log(2.0 / np.sqrt(np.pi) * np.sum(half[:, None] * weights * shifted))
    return result


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
