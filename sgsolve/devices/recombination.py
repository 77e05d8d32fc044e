"""Recombination: every band-to-band process is the excess product times a rate.

``U = (n p - n_eq p_eq) * r(n, p)``. The excess product is computed once, by `expm1` of the
difference of the quasi-Fermi potentials, where it keeps its sign and all its digits; a process is
only its factor ``r`` in cm^3/s. A function of your own with the same two arguments serves as well:
the names of its keyword-only arguments become parameters of the device.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 1.5.4.
"""

from __future__ import annotations

from typing import Any

Array = Any
"""An ndarray or an AD array."""


def srh(n: Array, p: Array, *, tau_n: Array, tau_p: Array, n1: Array, p1: Array) -> Array:
    """Shockley-Read-Hall: lifetimes in s, trap densities n1 and p1 in cm^-3.

    ``r = 1 / (tau_p (n + n1) + tau_n (p + p1))``
    """
    return 1.0 / (tau_p * n + tau_n * p + (tau_p * n1 + tau_n * p1))


def radiative(n: Array, p: Array, *, B_rad: Array) -> Array:
    """Radiative recombination, ``r = B_rad`` in cm^3/s."""
    return B_rad


def auger(n: Array, p: Array, *, C_n: Array, C_p: Array) -> Array:
    """Auger recombination, ``r = C_n n + C_p p``, coefficients in cm^6/s."""
    return C_n * n + C_p * p


def surface(n: Array, p: Array, *, S_n: Array, S_p: Array, n1: Array, p1: Array) -> Array:
    """SRH at a surface: velocities in cm/s; ``r`` is in cm^4/s and counts per area.

    ``r = 1 / ((n + n1) / S_p + (p + p1) / S_n)``
    """
    return 1.0 / ((n + n1) / S_p + (p + p1) / S_n)
