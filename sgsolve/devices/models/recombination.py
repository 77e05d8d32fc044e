"""Recombination models: the excess product of the densities times a rate factor.

``U = (n p - n_eq p_eq) * r(n, p)``. The excess product is computed once, by `expm1` of the
difference of the quasi-Fermi potentials, so it has the right sign and all its digits. A model is
only its factor ``r`` in cm^3/s. Your own function of the same two arguments is a model too; the
names of its keyword-only arguments become parameters of the device.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 1.5.4.
"""

from __future__ import annotations

from typing import Any

TINY = 1e-100  # so that the rate of a surface without velocities, 0, has a derivative

Array = Any
"""An ndarray or an AD array."""


def srh(n: Array, p: Array, *, tau_n: Array, tau_p: Array, n1: Array, p1: Array) -> Array:
    """Return the rate factor of Shockley-Read-Hall recombination.

    ``r = 1 / (tau_p (n + n1) + tau_n (p + p1))``

    Parameters
    ----------
    n, p : ndarray or AD array
        Densities of electrons and holes, cm^-3.
    tau_n, tau_p : float or ndarray
        Lifetimes of electrons and holes, s.
    n1, p1 : float or ndarray
        Densities when the Fermi level is at the level of the traps, cm^-3.

    Returns
    -------
    ndarray or AD array
        cm^3/s; times the excess product it is the rate.

    See Also
    --------
    radiative, auger

    Examples
    --------
    >>> from sgsolve.devices import srh
    >>> f"{srh(1e16, 0.0, tau_n=1e-6, tau_p=1e-6, n1=0.0, p1=0.0):.3g}"  # 1 / (tau_p n)
    '1e-10'
    """
    return 1.0 / (tau_p * n + tau_n * p + (tau_p * n1 + tau_n * p1))


def radiative(n: Array, p: Array, *, B_rad: Array) -> Array:
    """Return the rate factor of radiative recombination, ``r = B_rad``.

    Parameters
    ----------
    n, p : ndarray or AD array
        Densities of electrons and holes, cm^-3; not used.
    B_rad : float or ndarray
        Coefficient, cm^3/s.

    Returns
    -------
    float or ndarray
        cm^3/s; times the excess product it is the rate.

    See Also
    --------
    srh, auger

    Examples
    --------
    >>> from sgsolve.devices import radiative
    >>> radiative(1e16, 1e16, B_rad=7.2e-10)  # GaAs
    7.2e-10
    """
    return B_rad


def auger(n: Array, p: Array, *, C_n: Array, C_p: Array) -> Array:
    """Return the rate factor of Auger recombination, ``r = C_n n + C_p p``.

    Parameters
    ----------
    n, p : ndarray or AD array
        Densities of electrons and holes, cm^-3.
    C_n, C_p : float or ndarray
        Coefficients, cm^6/s.

    Returns
    -------
    ndarray or AD array
        cm^3/s; times the excess product it is the rate.

    See Also
    --------
    srh, radiative

    Examples
    --------
    >>> from sgsolve.devices import auger
    >>> f"{auger(1e18, 1e18, C_n=2.8e-31, C_p=9.9e-32):.3g}"
    '3.79e-13'
    """
    return C_n * n + C_p * p


def surface(n: Array, p: Array, *, S_n: Array, S_p: Array, n1: Array, p1: Array) -> Array:
    """SRH at a surface: velocities in cm/s; ``r`` is in cm^4/s and counts per area.

    ``r = 1 / ((n + n1) / S_p + (p + p1) / S_n)``, and 0 where a velocity is 0.
    """
    return S_n * S_p / (S_n * (n + n1) + S_p * (p + p1) + TINY)
