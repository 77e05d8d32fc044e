"""The potential in the depletion approximation, a start for Poisson's equation after a long step.

The carriers confine the potential to an interval. Above its upper end there would be more electrons
than dopants, below its lower end more holes. Inside the interval the charge is that of the doping.
This is a linear problem with two obstacles. The obstacles give way first, and less and less. With
that Newton's method takes 5 to 25 linear solves for hundreds of volts, however fine the mesh is.

Reference: M. Hintermueller, K. Kunisch, SIAM J. Optim. 17 (2006) 159.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import splu

from ...equations.boundaries.boundary import fixed_potentials
from ...equations.boundaries.neutrality import arcsinh_of_ratio
from ...equations.carriers import log_factors
from ...equations.model import DeviceModel
from ...models.interfaces import sheet_charge

Array = np.ndarray
ROUNDS = 50  # for each width, a bound: none of the known devices takes more than 15
NARROWER = 100.0  # factor from one width to the next
LAST = 1.0  # kT/q: the last width
FEWEST = 1e-3  # of the highest doping: carriers fewer than that bound nothing


def depleted(
    device: DeviceModel, p: Mapping[str, Any], n: Array, h: Array, bounded: bool = True
) -> Array:
    """Potential in V at all nodes, for levels of electrons and holes at the semiconductor's nodes.

    Parameters
    ----------
    p : dict
        All parameters.
    n, h : ndarray, shape (n_s,)
        Levels of electrons and of holes, V.
    bounded : bool
        Whether it stays within the bounds; else it passes them by about kT/q, and is flat nowhere.
    """
    lay, vt = device.layout, device.constants.thermal_voltage(p["T"])
    matrix, charge = _linear_part(device, p)
    free = lay.psi_free > 0.0
    psi: Array = np.where(free, 0.0, vt * fixed_potentials(device, p, vt)[: lay.n])
    if free.any():
        carriers = np.zeros(lay.n)
        carriers[lay.nodes] = device.constants.q * lay.volumes * _doping(device, p)
        low, high = (bound[free] for bound in potential_bounds(device, p, n, h, vt))
        inner, source = csc_array(matrix[:, free][free]), (charge - matrix @ psi)[free]
        found = _between_bounds(inner, source, low, high, carriers[free], vt * LAST)
        psi[free] = np.clip(found, low, high) if bounded else found
    return psi


def _between_bounds(
    matrix: csc_array, charge: Array, low: Array, high: Array, carriers: Array, last: float
) -> Array:
    """Potential between bounds that give way, less and less.

    Beyond a bound by the width w, the carriers are as many as the dopants, and in proportion.
    With hard bounds the set of nodes inside grows by one node in each round.
    """
    psi: Array = splu(matrix).solve(charge)
    width = float(np.max(np.maximum(psi - high, low - psi)))
    while width > last:
        width = max(width / NARROWER, last)
        before: Array = np.full(len(psi), np.nan)
        for _ in range(ROUNDS):
            nearest = np.clip(psi, low, high)
            outside = np.sign(psi - nearest)
            if np.array_equal(before, outside):
                break
            before = outside
            slope = np.where(outside != 0.0, carriers / width, 0.0)
            held = np.where(outside != 0.0, slope * nearest, 0.0)
            psi = splu(csc_array(matrix + diags_array(slope))).solve(charge + held)
    return psi


def potential_bounds(
    device: DeviceModel, p: Mapping[str, Any], n: Array, h: Array, vt: float
) -> tuple[Array, Array]:
    """Potentials at which holes and electrons are as many as the doping; infinite in insulators.

    Where both are more than the doping at any potential, both bounds are the neutral potential.
    """
    lay = device.layout
    many = np.log(_doping(device, p))
    factor_n, factor_p = log_factors(p, vt)
    low, high = np.full(lay.n, -np.inf), np.full(lay.n, np.inf)
    first, second = h + vt * (factor_p - many), n + vt * (many - factor_n)
    middle = 0.5 * (n + h) + 0.5 * vt * (factor_p - factor_n)
    product = 0.5 * (factor_n + factor_p + (h - n) / vt)
    neutral = middle + vt * arcsinh_of_ratio(0.5 * p["doping"][lay.doped], product)
    flooded = first > second
    low[lay.nodes] = np.where(flooded, neutral, first)
    high[lay.nodes] = np.where(flooded, neutral, second)
    return low, high


def _doping(device: DeviceModel, p: Mapping[str, Any]) -> Array:
    """Size of the net doping, at least a small share of the highest, cm^-3."""
    net = np.abs(p["doping"][device.layout.doped])
    found: Array = np.maximum(net, max(FEWEST * float(net.max()), 1.0))
    return found


def within_bounds(low: Array, high: Array, vt: float) -> Callable[[Array, Array], Array]:
    """Limit of the steps of Poisson's equation: beyond the bounds as far as the logarithm.

    Inside, the charge is that of the doping, and steps may be long. Outside, it is exponential.
    """

    def limited(psi: Array, step: Array) -> Array:
        above, below = psi + step - np.maximum(high, psi), np.minimum(low, psi) - psi - step
        excess = np.where(above > vt, above, np.where(below > vt, below, vt))
        shorter = excess - vt * (1.0 + np.log(excess / vt))
        return step - np.where(above > vt, shorter, 0.0) + np.where(below > vt, shorter, 0.0)

    return limited


def _linear_part(device: DeviceModel, p: Mapping[str, Any]) -> tuple[csc_array, Array]:
    """Matrix of the dielectric fluxes and the charge of the doping and of the gates, C."""
    lay, c = device.layout, device.constants
    divergence = device.mesh.divergence()
    weight = lay.permittivity(p["eps_r"]) * lay.ratio * c.eps0
    matrix = divergence @ diags_array(weight * np.ones(len(lay.ratio))) @ divergence.T
    charge, coupled = np.zeros(lay.n), np.zeros(lay.n)
    charge[lay.nodes] = c.q * lay.volumes * p["doping"][lay.doped]
    sheets = sheet_charge(device, p)
    if sheets is not None:
        charge += c.q * sheets
    for name, gate in lay.coupled_gates.items():
        coupled[gate.nodes] += gate.coupling
        charge[gate.nodes] += gate.charge(p["V_" + name], 0.0)
    return csc_array(matrix + diags_array(coupled)), charge
