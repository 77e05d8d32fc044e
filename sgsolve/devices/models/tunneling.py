"""Tunneling in the field at a node: band to band, and through traps.

Models are rate factors, as in `recombination`: the excess product times the factor is the rate,
which is negative in reverse bias. So no current flows at zero bias. They take ``field`` and
``intrinsic`` after the densities: the root of the mean square of the field over the cells of a node
(V/cm, at least 1), and the intrinsic density (cm^-3).

A model whose first arguments are called ``n_end, p_end`` gets the densities at the ends of the path
of an electron through the gap, and their excess product takes the place of that at the node. The
carriers that drift through a Zener diode so do not count as recombining in it. The peak of a
forward biased tunnel diode is not in it.

References: E. O. Kane, J. Appl. Phys. 32 (1961) 83; G. A. M. Hurkx, D. B. M. Klaassen, M. P. G.
Knuvers, IEEE Trans. Electron Devices 39 (1992) 331; A. Schenk, Solid-State Electron. 36 (1993) 19,
on the densities at the ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..constants import CODATA2018
from .recombination import srh

Array = Any
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
HBAR, ELECTRON = 6.62607015e-34 / (2.0 * np.pi), 9.1093837015e-31  # J s, kg


def band_to_band(
    n_end: Array,
    p_end: Array,
    field: Array,
    intrinsic: Array,
    *,
    A_btb: Array,
    E_btb: Array,
    s_btb: Array,
) -> Array:
    """Return the rate factor of tunneling from band to band, after Hurkx.

    ``r = A E^s exp(-E0 / E) / ((n + n_i) (p + n_i))``. Where both ends are empty, pairs are
    generated at Kane's rate ``A E^s exp(-E0 / E)``.

    Parameters
    ----------
    n_end, p_end : ndarray or AD array
        Densities of electrons and holes at the ends of the path through the gap, cm^-3: those of
        the node times ``(n_i / N)^r``. N is ``Nc`` or ``Nv``, or that of a free electron in a
        device with ``ni``; r is the gradient of the carrier's level over the field.
    field, intrinsic : ndarray or AD array
        Field in V/cm and intrinsic density in cm^-3; the device gives both.
    A_btb : float or ndarray
        In silicon 4e14 cm^-1/2 V^-5/2 s^-1 (material files of Genius-TCAD-Open).
    E_btb : float or ndarray
        In silicon 1.9e7 V/cm; it grows as the gap to the power of 1.5.
    s_btb : float
        2.5 in silicon (phonons take part), 2 for direct gaps.

    Returns
    -------
    ndarray or AD array
        cm^3/s.

    See Also
    --------
    trap_assisted : Through traps, in lower fields.
    van_overstraeten : Impact ionization.

    Examples
    --------
    In a depleted region of 1e6 V/cm, pairs per cm^3 and s:

    >>> from sgsolve.devices import band_to_band
    >>> values = {"A_btb": 4e14, "E_btb": 1.9e7, "s_btb": 2.5}
    >>> f"{1e20 * band_to_band(0.0, 0.0, 1e6, 1e10, **values):.5e}"
    '2.24112e+21'
    """
    kane = A_btb * field**s_btb * np.exp(-E_btb / field)
    return kane / ((n_end + intrinsic) * (p_end + intrinsic))


def trap_assisted(
    n: Array,
    p: Array,
    field: Array,
    *,
    tau_n: Array,
    tau_p: Array,
    n1: Array,
    p1: Array,
    T: Array,
    depth: Array,
    m_tunnel: Array,
) -> Array:
    """Return the rate factor of SRH recombination with lifetimes shortened by tunneling.

    Both lifetimes are divided by ``1 + Gamma`` with Hurkx' field-effect function
    ``Gamma = d int_0^1 exp(d u - K u^1.5) du``, where ``d = depth / kT`` and
    ``K = 4/3 sqrt(2 m depth^3) / (q hbar E)``. It takes the place of `srh`.

    Parameters
    ----------
    n, p : ndarray or AD array
        Densities of electrons and holes, cm^-3.
    field : ndarray or AD array
        V/cm; the device gives it.
    tau_n, tau_p : float or ndarray
        Lifetimes without field, s.
    n1, p1 : float or ndarray
        Densities when the Fermi level is at the level of the traps, cm^-3.
    T : float
        K.
    depth : float or ndarray
        Distance of the traps from the band, eV; about half of the gap.
    m_tunnel : float or ndarray
        Effective mass in units of the electron's own, 0.25 in silicon.

    Returns
    -------
    ndarray or AD array
        cm^3/s.

    See Also
    --------
    band_to_band : In higher fields.
    srh : Without a field.

    Examples
    --------
    >>> from sgsolve.devices import trap_assisted
    >>> values = {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
    >>> values |= {"T": 300.0, "depth": 0.56, "m_tunnel": 0.25}
    >>> ratio = trap_assisted(0.0, 0.0, 1e5, **values) / trap_assisted(0.0, 0.0, 1.0, **values)
    >>> round(float(ratio), 4)
    2.3541
    """
    shorter = 1.0 + field_effect(field, T, depth, m_tunnel)
    return shorter * srh(n, p, tau_n=tau_n, tau_p=tau_p, n1=n1, p1=p1)


def field_effect(field: Array, T: Array, depth: Array, m_tunnel: Array) -> Array:
    """Gamma of `trap_assisted`: 40 points of Gauss on each side of the largest value."""
    d = depth / (CODATA2018.k / CODATA2018.q * T)
    mass = 2.0 * m_tunnel * ELECTRON * CODATA2018.q
    K = (4.0 / 3.0) * np.sqrt(mass) * depth**1.5 / (HBAR * 1e2) / field
    # The exponent is largest at u = (2 d / 3 K)^2: two integrals, up to where it is below -40.
    top = np.minimum((2.0 * d / (3.0 * K)) ** 2, 1.0)
    end = np.minimum((2.0 * d / K) ** 2 + (80.0 / K) ** (2.0 / 3.0), 1.0)
    total = 0.0
    for x, weight in zip(0.5 * (1.0 + NODES), 0.5 * WEIGHTS, strict=True):
        below, above = top * x, top + (end - top) * x
        total = total + weight * top * np.exp(d * below - K * below**1.5)
        total = total + weight * (end - top) * np.exp(d * above - K * above**1.5)
    return d * total
