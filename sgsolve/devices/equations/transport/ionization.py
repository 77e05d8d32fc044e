"""Impact ionization: coefficients over the field, and generation by the fluxes.

A carrier in a high field makes pairs. The rate is ``alpha_n |J_n| / q + alpha_p |J_p| / q`` with
one coefficient for each carrier, a function of the field along its current, ``E . J / |J|``. Both
vectors are those of a cell: the ones whose components along the cell's edges fit best. Every cell
gives its rate to its nodes by their volumes. In one dimension the cells are the edges.

A carrier that diffuses against the field gains no energy from it: where ``E . J`` is negative
the coefficient is that of no field. A heavily doped junction in forward bias makes no pairs.

In this rate a flux multiplies a large number. A device with it therefore has the fluxes as unknowns
(`kept_fluxes`): a flux that is computed from potentials has rounding errors of the conductance.

Parameters have the suffix ``_n`` for electrons and ``_p`` for holes; `ionization_values` has
published sets.

References: A. G. Chynoweth, Phys. Rev. 109 (1958) 1537; R. van Overstraeten, H. de Man, Solid-State
Electron. 13 (1970) 583; Y. Okuto, C. R. Crowell, Solid-State Electron. 18 (1975) 161.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .... import ad
from ....errors import InputError
from ...meshes.cell_fields import FLOOR
from ...models.model_arguments import keywords
from ..carriers import Carriers
from ..model import DeviceModel

Array = Any
SMALLEST = 1e-300  # of a square: 0 has a root with a derivative
PHONON = 0.063  # eV, the optical phonons of silicon, of which van Overstraeten's set depends

SETS: dict[str, dict[str, float]] = {
    "Si van Overstraeten": {
        "a_low_n": 7.03e5, "b_low_n": 1.231e6, "a_high_n": 7.03e5, "b_high_n": 1.231e6,
        "a_low_p": 1.582e6, "b_low_p": 2.036e6, "a_high_p": 6.71e5, "b_high_p": 1.693e6,
    },
    "Si Okuto-Crowell": {
        "a_lin_n": 0.426, "b_lin_n": 4.81e5, "a_lin_p": 0.243, "b_lin_p": 6.53e5,
    },
    "GaAs": {
        "a_ii_n": 2.994e5, "b_ii_n": 6.848e5, "m_ii_n": 1.6,
        "a_ii_p": 2.215e5, "b_ii_p": 6.570e5, "m_ii_p": 1.75,
    },
    "4H-SiC Kyuregyan": {
        "a_ii_n": 3.86e7, "b_ii_n": 2.56e7, "m_ii_n": 1.0,
        "a_ii_p": 5.31e6, "b_ii_p": 1.31e7, "m_ii_p": 1.0,
    },
}  # fmt: skip


def chynoweth(field: Array, *, a_ii: Array, b_ii: Array, m_ii: Array) -> Array:
    """Return the ionization coefficient ``a exp(-(b / E)^m)``.

    Parameters
    ----------
    field : ndarray or AD array
        Field E along the current, positive, V/cm.
    a_ii : float
        Coefficient in a very high field, 1/cm; the device's ``a_ii_n`` and ``a_ii_p``.
    b_ii : float
        Critical field, V/cm; ``b_ii_n`` and ``b_ii_p``.
    m_ii : float
        Exponent, 1 in Chynoweth's law; ``m_ii_n`` and ``m_ii_p``.

    Returns
    -------
    ndarray or AD array
        1/cm.

    See Also
    --------
    van_overstraeten, okuto_crowell
    Device : Takes it as ``ionization=chynoweth``.

    Examples
    --------
    >>> from sgsolve.devices import chynoweth
    >>> round(float(chynoweth(4e5, a_ii=7.03e5, b_ii=1.231e6, m_ii=1.0)))
    32390
    """
    return a_ii * np.exp(-((b_ii / field) ** m_ii))


def van_overstraeten(
    field: Array, *, a_low: Array, b_low: Array, a_high: Array, b_high: Array
) -> Array:
    """Return the ionization coefficient with two ranges of the field, ``a exp(-b / E)`` in each.

    The smaller of the two is taken. The ranges then meet without a jump: for holes in silicon at
    3.999e5 V/cm, where the paper has 4e5 V/cm.

    Parameters
    ----------
    field : ndarray or AD array
        Field E along the current, positive, V/cm.
    a_low, b_low : float
        Coefficient (1/cm) and critical field (V/cm) of the lower range; the device's ``a_low_n``,
        ``a_low_p`` and so on.
    a_high, b_high : float
        Those of the upper range.

    Returns
    -------
    ndarray or AD array
        1/cm.

    See Also
    --------
    chynoweth, okuto_crowell
    ionization_values : The numbers for silicon.

    Examples
    --------
    >>> from sgsolve.devices import ionization_values, van_overstraeten
    >>> silicon = ionization_values("Si van Overstraeten")
    >>> holes = {name[:-2]: value for name, value in silicon.items() if name.endswith("p")}
    >>> round(float(van_overstraeten(2e5, **holes)), 2)
    59.99
    """
    return np.minimum(a_low * np.exp(-b_low / field), a_high * np.exp(-b_high / field))


def okuto_crowell(field: Array, *, a_lin: Array, b_lin: Array) -> Array:
    """Return the ionization coefficient ``a E exp(-(b / E)^2)``.

    Parameters
    ----------
    field : ndarray or AD array
        Field E along the current, positive, V/cm.
    a_lin : float
        1/V; the device's ``a_lin_n`` and ``a_lin_p``.
    b_lin : float
        Critical field, V/cm; ``b_lin_n`` and ``b_lin_p``.

    Returns
    -------
    ndarray or AD array
        1/cm.

    See Also
    --------
    chynoweth, van_overstraeten

    Examples
    --------
    >>> from sgsolve.devices import okuto_crowell
    >>> round(float(okuto_crowell(4e5, a_lin=0.426, b_lin=4.81e5)))
    40131
    """
    return a_lin * field * np.exp(-((b_lin / field) ** 2))


def ionization_values(name: str, T: Any = 300.0) -> dict[str, Any]:
    """Return a published set of ionization coefficients, as parameters of a device.

    Parameters
    ----------
    name : {"Si van Overstraeten", "Si Okuto-Crowell", "GaAs", "4H-SiC Kyuregyan"}
        The material and the source. The second is for `okuto_crowell`, the last two are for
        `chynoweth`. That of GaAs is from the material files of Genius-TCAD-Open, that of 4H-SiC
        from A. S. Kyuregyan, arXiv:1506.00980; published sets of 4H-SiC differ tenfold.
    T : float, ndarray or AD array
        K; a field of temperatures with `Heat`. Van Overstraeten's set is multiplied by
        ``tanh(h w / 2 k 300 K) / tanh(h w / 2 k T)`` with phonons of 0.063 eV, Okuto's by linear
        factors. The other two are for 300 K only.

    Returns
    -------
    dict of str to float
        In 1/cm, V/cm and 1/V; arrays where T is one.

    Raises
    ------
    InputError
        If there is no such set, or none for that temperature.

    See Also
    --------
    Device : Takes them with the other parameters.

    Examples
    --------
    >>> from sgsolve.devices import ionization_values
    >>> ionization_values("Si Okuto-Crowell")["b_lin_n"]
    481000.0
    """
    if name not in SETS:
        raise InputError(f"name: there is no set {name!r}; there are {', '.join(SETS)}")
    values = dict(SETS[name])
    low, high = np.min(ad.value(T)), np.max(ad.value(T))
    if np.ndim(T) == 0 and low == 300.0:
        return values
    if not 1.0 <= low <= high <= 1500.0:
        off = high if high > 1500.0 else low
        raise InputError(f"T: must be between 1 and 1500 K, got {off:g}")
    if name == "Si van Overstraeten":
        half = PHONON / (2.0 * 8.617333262e-5)
        gamma = np.tanh(half / 300.0) / np.tanh(half / T)
        return {key: gamma * value for key, value in values.items()}
    if name == "Si Okuto-Crowell":
        slopes = {"a_lin_n": 3.05e-4, "b_lin_n": 6.86e-4, "a_lin_p": 5.35e-4, "b_lin_p": 5.67e-4}
        return {key: value * (1.0 + slopes[key] * (T - 300.0)) for key, value in values.items()}
    raise InputError(f"T: the set {name!r} is for 300 K, got {high:g}")


def ionized(
    device: DeviceModel, s: Carriers, flux: tuple[Array, Array], p: Mapping[str, Any]
) -> Array:
    """Pairs made by both fluxes at the semiconductor's nodes, 1/s over vt."""
    cells, model = device.cell_fields, device.ionization
    total: Any = 0.0
    assert model is not None
    field = cells.field(s)
    for carrier, j in zip("np", flux, strict=True):
        names = {k: cells.at_cells(p[f"{k}_{carrier}"]) for k in keywords(model)}
        size, direction = _polar(cells.density(j))
        along = sum(e * way for e, way in zip(field, direction, strict=True))
        along = np.sqrt(np.maximum(along, 0.0) ** 2 + FLOOR**2)
        total = total + model(along, **names) * size
    return cells.shares @ total


def _polar(vector: list[Array]) -> tuple[Array, list[Array]]:
    """Length and direction of vectors by components; no direction where all components are 0.

    Components of 1e-200 have a length, too: they are scaled by the largest before they are squared.
    """
    if len(vector) == 1:
        return np.abs(vector[0]), [np.sign(ad.value(vector[0]))]
    largest = np.max([np.abs(ad.value(part)) for part in vector], axis=0)
    scale = np.where(largest > 0.0, largest, 1.0)
    scaled = [part / scale for part in vector]
    length = np.sqrt(sum(part**2 for part in scaled) + SMALLEST)
    return length * scale, [part / length for part in scaled]
