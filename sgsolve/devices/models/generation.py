"""Generation of carriers by light.

A profile is an array over the nodes. The parameter ``G`` of the device multiplies it, so one number
sets the intensity.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 13.3.
"""

from __future__ import annotations

import numpy as np

from ...errors import InputError, ShapeError


def beer_lambert(x: np.ndarray, volumes: np.ndarray, absorption: float) -> np.ndarray:
    """Return the generation per photon flux in light that enters at the first node and is absorbed.

    It is the mean over each control volume: the total is what the layer absorbs, on every mesh.
    Give it as ``profile``, and the photon flux (cm^-2 s^-1) as the parameter ``G``.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Ascending nodes, cm.
    volumes : ndarray, shape (n,)
        Control volumes, cm.
    absorption : float
        Coefficient of absorption, 1/cm.

    Returns
    -------
    profile : ndarray, shape (n,)
        1/cm.

    Raises
    ------
    ShapeError
        If x and volumes have different shapes.
    InputError
        If the absorption is not positive, or above 1e8.

    See Also
    --------
    Device : Takes it as ``profile``.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import beer_lambert
    >>> x = np.linspace(0.0, 1e-4, 11)
    >>> v = np.full(11, 1e-5); v[[0, -1]] /= 2
    >>> profile = beer_lambert(x, v, 1e4)
    >>> absorbed = float(np.sum(profile * v)), 1.0 - float(np.exp(-1.0))
    >>> bool(abs(absorbed[0] - absorbed[1]) < 1e-14)
    True
    """
    x, volumes = np.asarray(x, dtype=float), np.asarray(volumes, dtype=float)
    if x.shape != volumes.shape or x.ndim != 1:
        raise ShapeError(f"x and volumes: need one shape, got {x.shape} and {volumes.shape}")
    if not absorption > 0:
        raise InputError(f"absorption: must be positive, got {absorption}")
    if absorption > 1e8:
        raise InputError(f"absorption: is {absorption:g} per cm; semiconductors have up to 3e6")
    faces = np.concatenate([x[:1], 0.5 * (x[1:] + x[:-1]), x[-1:]])
    through = np.exp(-absorption * (faces - x[0]))
    profile: np.ndarray = (through[:-1] - through[1:]) / volumes
    return profile
