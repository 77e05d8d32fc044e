"""Fermi-Dirac and Gauss-Fermi statistics: integrals that are computed once, and kept as a spline.

References: J. S. Blakemore, Solid-State Electron. 25 (1982) 1067; P. Farrell et al.,
Drift-diffusion models, WIAS Preprint 2263 (2016), section 2.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import make_interp_spline

from ...errors import DomainError, InputError


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
