"""Charge of traps in the volume, in the steady state.

Both densities determine the occupation of a level, with its density ``N_trap`` (cm^-3), capture
coefficients ``c_n`` and ``c_p`` (cm^3/s), and ``n_trap``, ``p_trap``, the densities when the Fermi
level is at the trap's level (cm^-3). Its recombination is that of `srh` with the lifetimes
``1 / (c_n N_trap)`` and ``1 / (c_p N_trap)``.

Reference: C. T. Sah, R. N. Noyce, W. Shockley, Proc. IRE 45 (1957) 1228.
"""

from __future__ import annotations

from typing import Any

Array = Any


def occupation(
    n: Array, p: Array, *, c_n: Array, c_p: Array, n_trap: Array, p_trap: Array
) -> Array:
    """Fraction of the traps that hold an electron."""
    return (c_n * n + c_p * p_trap) / (c_n * (n + n_trap) + c_p * (p + p_trap))


def acceptor_traps(
    n: Array, p: Array, *, N_trap: Array, c_n: Array, c_p: Array, n_trap: Array, p_trap: Array
) -> Array:
    """Return the charge / q of traps that are negative when they hold an electron, cm^-3.

    Parameters
    ----------
    n, p : ndarray or AD array
        Densities of electrons and holes, cm^-3.
    N_trap : float or ndarray
        Density of the traps, cm^-3.
    c_n, c_p : float or ndarray
        Capture coefficients, cm^3/s.
    n_trap, p_trap : float or ndarray
        Densities when the Fermi level is at the level of the traps, cm^-3.

    Returns
    -------
    ndarray or AD array
        Between ``-N_trap`` and 0.

    See Also
    --------
    donor_traps
    Device : Takes it in ``traps=[acceptor_traps]``.

    Examples
    --------
    A level with as many electrons as holes to capture is half full:

    >>> from sgsolve.devices import acceptor_traps
    >>> acceptor_traps(1e10, 1e10, N_trap=1e14, c_n=1e-8, c_p=1e-8, n_trap=1e10, p_trap=1e10)
    -50000000000000.0
    """
    return -N_trap * occupation(n, p, c_n=c_n, c_p=c_p, n_trap=n_trap, p_trap=p_trap)


def donor_traps(
    n: Array, p: Array, *, N_trap: Array, c_n: Array, c_p: Array, n_trap: Array, p_trap: Array
) -> Array:
    """Return the charge / q of traps that are positive when they hold no electron, cm^-3.

    Parameters
    ----------
    n, p : ndarray or AD array
        Densities of electrons and holes, cm^-3.
    N_trap : float or ndarray
        Density of the traps, cm^-3.
    c_n, c_p : float or ndarray
        Capture coefficients, cm^3/s.
    n_trap, p_trap : float or ndarray
        Densities when the Fermi level is at the level of the traps, cm^-3.

    Returns
    -------
    ndarray or AD array
        Between 0 and ``N_trap``.

    See Also
    --------
    acceptor_traps
    Device : Takes it in ``traps=[donor_traps]``.

    Examples
    --------
    >>> from sgsolve.devices import donor_traps
    >>> donor_traps(1e10, 1e10, N_trap=1e14, c_n=1e-8, c_p=1e-8, n_trap=1e10, p_trap=1e10)
    50000000000000.0
    """
    # The share of empty traps is that of full ones with electrons and holes exchanged: 1 less the
    # occupation would lose its digits where nearly all traps are full, as of dopants in the cold.
    return N_trap * occupation(p, n, c_n=c_p, c_p=c_n, n_trap=p_trap, p_trap=n_trap)
