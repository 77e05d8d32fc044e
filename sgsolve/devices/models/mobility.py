"""Mobility models: dependence on the doping, and velocity saturation in a field.

A doping-dependent mobility is an array over the nodes, computed before the solve; it is a parameter
of the device. A mobility that depends on the solution is a function of the low-field mobility and
of the field along the edge.

References: G. Masetti, M. Severi, S. Solmi, IEEE Trans. Electron Devices 30 (1983) 764, table I;
D. M. Caughey, R. E. Thomas, Proc. IEEE 55 (1967) 2192; C. Canali et al., IEEE Trans. Electron
Devices 22 (1975) 1045.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InputError

Array = Any


def masetti(doping: np.ndarray, carrier: str) -> np.ndarray:
    """Return the mobility in silicon at 300 K by total doping.

    Parameters
    ----------
    doping : ndarray
        Total (not net) doping, cm^-3.
    carrier : {"n", "p"}
        "n" for arsenic-doped electrons, "p" for boron-doped holes.

    Returns
    -------
    ndarray
        cm^2/(V s).

    Raises
    ------
    InputError
        If `carrier` is neither "n" nor "p".

    See Also
    --------
    caughey_thomas : Other materials.
    velocity_saturation : In a high field.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import masetti
    >>> [round(float(masetti(np.array(1e17), c)), 1) for c in "np"]
    [727.1, 319.1]
    """
    total = np.maximum(np.abs(doping), 1.0)
    if carrier == "n":
        mu_0, mu_2, mu_max, mu_1 = 52.2, 52.2, 1417.0, 43.4
        c_r, c_s, alpha, beta, p_c = 9.68e16, 3.43e20, 0.680, 2.0, 0.0
    elif carrier == "p":
        mu_0, mu_2, mu_max, mu_1 = 44.9, 0.0, 470.5, 29.0
        c_r, c_s, alpha, beta, p_c = 2.23e17, 6.10e20, 0.719, 2.0, 9.23e16
    else:
        raise InputError(f"carrier: must be 'n' or 'p', got {carrier!r}")
    low = mu_0 * np.exp(-p_c / total)
    lattice = (mu_max - mu_2) / (1.0 + (total / c_r) ** alpha)
    found: np.ndarray = low + lattice - mu_1 / (1.0 + (c_s / total) ** beta)
    return found


def caughey_thomas(
    doping: np.ndarray, mu_min: float, mu_max: float, n_ref: float, alpha: float
) -> np.ndarray:
    """Return ``mu_min + (mu_max - mu_min) / (1 + (N / n_ref)^alpha)``.

    Parameters
    ----------
    doping : ndarray
        Total doping N, cm^-3.
    mu_min, mu_max : float
        Mobility at high and at low doping, cm^2/(V s).
    n_ref : float
        Doping halfway between, cm^-3.
    alpha : float
        Exponent.

    Returns
    -------
    ndarray
        Mobility, cm^2/(V s).

    See Also
    --------
    masetti : A fit for silicon.
    velocity_saturation : In a high field.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import caughey_thomas
    >>> float(caughey_thomas(np.array(1e17), 100.0, 1400.0, 1e17, 0.7))
    750.0
    """
    share: np.ndarray = 1.0 / (1.0 + (np.abs(doping) / n_ref) ** alpha)
    return mu_min + (mu_max - mu_min) * share


def velocity_saturation(mu: Array, field: Array, *, v_sat: Array, beta: Array) -> Array:
    """Return ``mu / (1 + (mu |E| / v_sat)^beta)^(1/beta)``, edge by edge.

    The field of an edge is the drop of the electrostatic or of the carrier's quasi-Fermi potential
    over its length, as the device's `field` selects. mu is the mobility of the edge: the mean of
    its ends where mobilities are given at nodes. Only components along edges count.

    Parameters
    ----------
    mu : ndarray or AD array
        Low-field mobility on the edges, cm^2/(V s).
    field : ndarray or AD array
        Field E along the edges, V/cm.
    v_sat : float or ndarray
        Saturation velocity, cm/s; the device's parameters ``v_sat_n`` and ``v_sat_p``.
    beta : float or ndarray
        Exponent; the device's parameters ``beta_n`` and ``beta_p``.

    Returns
    -------
    ndarray or AD array
        Mobility, cm^2/(V s).

    See Also
    --------
    masetti, caughey_thomas
    Device : Takes it as ``mobility=velocity_saturation``.

    Examples
    --------
    >>> from sgsolve.devices import velocity_saturation
    >>> float(velocity_saturation(1000.0, 1e4, v_sat=1e7, beta=1.0))
    500.0
    """
    # Never zero, where the derivative by beta would be 0 * log(0).
    ratio = np.maximum(mu * np.abs(field) / v_sat, 1e-30)
    return mu / (1.0 + ratio**beta) ** (1.0 / beta)
