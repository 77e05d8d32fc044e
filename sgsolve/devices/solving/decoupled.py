"""An initial guess after a long voltage step: the three equations one after the other.

A step of hundreds of volts is thousands of kT/q, for which extrapolation fails. The guess uses
these facts. The majority carriers of each region have the level of its contact. With these levels
Poisson's equation gives the depletion layers. In that potential, with the recombination factor of
the last solution, the balance of each carrier is linear in its density. This is one round of
Gummel's iteration from a start that does not depend on the last solution.

Reference: H. K. Gummel, IEEE Trans. Electron Devices 11 (1964) 455.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import splu

from ..equations.boundaries.boundary import fixed_potentials
from ..equations.boundaries.floating import majority
from ..equations.boundaries.neutrality import neutral
from ..equations.carriers import Carriers, carriers
from ..equations.model import DeviceModel
from ..equations.transport.conduction import conduction
from ..equations.transport.source_terms import generation, tunneled_at_most
from ..equations.transport.terminal import capture
from ..meshes.mesh import incidence
from ..models.device_layout import DeviceLayout
from .estimates.levels import levels
from .estimates.series_junctions import series_levels

Array = np.ndarray
VANISHING = 1e-280
ROUNDS = 4
FLAT = 10.0  # kT/q: a barrier that is that much below zero is flooded with carriers


def blocking(device: DeviceModel, before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    """Share of a step of the voltages up to which the levels of the regions tell the densities.

    It ends where a barrier of a junction or of a metal falls below zero: carriers flood its
    neighborhood, and the layers' resistances decide. Zero in a device without barriers: the last
    solutions extrapolate better than any level.
    """
    first, last = _barriers(device, before), _barriers(device, after)
    if first is None or last is None:
        return 1.0
    if not last.size:
        return 0.0
    least = -FLAT * device.constants.thermal_voltage(after["T"])
    falls: Array = last < least
    if not falls.any():
        return 1.0
    return float(np.min((first - least)[falls] / (first - last)[falls], initial=1.0))


def _barriers(device: DeviceModel, p: Mapping[str, Any]) -> Array | None:
    """For electrons, from the n side to the p side of all edges that join the two; of metals."""
    found = levels(device, p)
    if found is None:
        return None
    n, h = found
    vt, inside = device.constants.thermal_voltage(p["T"]), majority(device)
    own = np.where(inside["n"], n, np.where(inside["p"], h, 0.5 * (n + h)))
    potential = own + vt * neutral(device, p, vt, np.arange(device.layout.n_s))
    kind = inside["n"].astype(int) - inside["p"].astype(int)
    a, b = device.layout.carrier_edges.T
    step = kind[a] - kind[b]
    barriers: Array = ((potential[a] - potential[b]) * np.sign(step))[step != 0]
    return np.concatenate([barriers, _barriers_of_metals(device, p, potential, kind)])


def _barriers_of_metals(
    device: DeviceModel, p: Mapping[str, Any], potential: Array, kind: Array
) -> Array:
    """Bending of the bands at metals; what is no barrier without voltages never is one here."""
    lay, vt, found = device.layout, device.constants.thermal_voltage(p["T"]), [np.empty(0)]
    fixed = vt * fixed_potentials(device, p, vt)
    rest = vt * neutral(device, p, vt, np.arange(lay.n_s))
    for name, contact in device.contacts.items():
        if contact.has_barrier:
            at = lay.contacts[name]
            inner = lay.local[at]
            beside = _beside(device, inner, potential, kind)
            at_rest = kind[inner] * (rest[inner] - (fixed[at] - p["V_" + name]))
            bending = kind[inner] * (beside - fixed[at])
            found.append((bending - FLAT * vt)[at_rest > FLAT * vt])
    return np.concatenate(found)


def _beside(device: DeviceModel, nodes: Array, potential: Array, kind: Array) -> Array:
    """Potential at nodes of their kind inside of those of a contact; their own without any."""
    lay = device.layout
    at = np.zeros(lay.n_s, dtype=bool)
    at[nodes] = True
    edges = np.concatenate([lay.carrier_edges, lay.carrier_edges[:, ::-1]])
    a, b = edges[at[edges[:, 0]] & ~at[edges[:, 1]] & (kind[edges[:, 0]] == kind[edges[:, 1]])].T
    other = np.arange(lay.n_s)
    other[a] = b
    beside: Array = potential[other[nodes]]
    return beside


def guess(
    device: DeviceModel, p: Mapping[str, Any], poisson: Callable[[Array], Array]
) -> Array | None:
    """All unknowns at the parameters p; None where `series_levels` has no answer.

    Parameters
    ----------
    p : dict
        All parameters.
    poisson : callable
        Solves Poisson's equation for psi at given quasi-Fermi potentials.
    """
    found = series_levels(device, p)
    if found is None:
        return None
    lay, vt = device.layout, device.constants.thermal_voltage(p["T"])
    quasi = np.concatenate(found)
    x = np.concatenate([poisson(quasi), quasi])
    s = carriers(device, x, p)
    electrons, holes = _densities(device, s, p)
    x[lay.n :] += vt * np.concatenate([s.log_n - electrons, holes - s.log_p])
    return x


def _densities(device: DeviceModel, s: Carriers, p: Mapping[str, Any]) -> tuple[Array, Array]:
    """Logarithms of the densities that satisfy both balances in the potential of s.

    The recombination factor is that of the densities of the round before. Where it is inverse to
    them their logarithms would alternate, so the mean of two rounds is taken.
    """
    log_product = s.log_n + s.log_p - (s.up - s.un)  # n_i^2
    least = 0.5 * log_product
    few_n, few_p = (np.minimum(log_product - log, least) for log in (s.log_p, s.log_n))
    log_n, log_p = np.maximum(s.log_n, least), np.maximum(s.log_p, least)
    edges_n, edges_p = conduction(device, s, p, _drives(device, s))
    held_n, held_p = _reservoirs(device, s, p)
    made = tunneled_at_most(device, s, p) + (0.0 if (light := generation(p)) is None else light)
    for _ in range(ROUNDS):
        n, h = np.exp(log_n), np.exp(log_p)
        # With the quasi-Fermi potentials of these densities: their splitting gives n_i.
        un, up = s.un + s.log_n - log_n, s.up - s.log_p + log_p
        here = replace(s, log_n=log_n, log_p=log_p, n=n, p=h, un=un, up=up)
        rate = capture(device, here, p) / s.vt
        sources = [_logarithm(rate) + log_product]
        if np.any(made > 0.0):
            sources.append(_logarithm(made * device.layout.volumes / s.vt * np.ones(len(n))))
        new_n = _solved_density(device, edges_n, 1, rate * h, sources, held_n)
        new_p = _solved_density(device, edges_p, -1, rate * n, sources, held_p)
        new_n = np.where(np.isneginf(new_n), np.maximum(s.log_n, few_n), new_n)
        new_p = np.where(np.isneginf(new_p), np.maximum(s.log_p, few_p), new_p)
        change = max(
            float(np.abs(new - old).max()) for new, old in ((new_n, log_n), (new_p, log_p))
        )
        if change < 0.1:
            break
        log_n, log_p = 0.5 * (log_n + new_n), 0.5 * (log_p + new_p)
    return new_n, new_p


def _drives(device: DeviceModel, s: Carriers) -> tuple[Array, Array] | None:
    """Return what drives the mobilities: the potential, or levels of majorities in resistors.

    The levels of s are guesses: flat in regions with one contact, and with jumps at junctions.
    """
    if device.field == "potential":
        return None
    inside = majority(device)
    a, b = device.layout.carrier_edges.T
    du, dn, dp = (u[a] - u[b] for u in (s.us, s.un, s.up))
    in_n, in_p = (inside[c][a] & inside[c][b] for c in "np")
    return np.where(in_n & (dn != 0.0), dn, du), np.where(in_p & (dp != 0.0), dp, du)


class _Reservoir(NamedTuple):
    """Carriers at the level of a contact.

    Attributes
    ----------
    nodes : ndarray, shape (k,)
        Nodes of the semiconductor.
    equilibrium : ndarray, shape (n_s,)
        Logarithm of the density in equilibrium with the contact, at all nodes.
    emission : ndarray, shape (k,), or None
        Rate at which a metal takes them, in units of the balance; None where the density is held.
    """

    nodes: Array
    equilibrium: Array
    emission: Array | None = None


def _reservoirs(
    device: DeviceModel, s: Carriers, p: Mapping[str, Any]
) -> tuple[list[_Reservoir], list[_Reservoir]]:
    """Return reservoirs of electrons and of holes: contacts, one node of each floating region."""
    found: tuple[list[_Reservoir], list[_Reservoir]] = ([], [])
    for k, (name, u, log, sign) in enumerate(
        (("n", s.un, s.log_n, 1.0), ("p", s.up, s.log_p, -1.0))
    ):
        for contact, nodes in device.layout.reached.items():
            metal, emission = device.contacts[contact], None
            if metal.has_barrier:
                emission = metal.velocities()[k] / s.vt * metal.area * np.ones(len(nodes))
            level = p["V_" + contact] / s.vt
            found[k].append(_Reservoir(nodes, log + sign * (u - level), emission))
        region = device.carrier_rows[name].region
        for nodes in filter(len, np.split(region.indices, region.indptr[1:-1])):
            root = nodes[np.argmax(log[nodes])]  # depletion may have reached any other one
            found[k].append(_Reservoir(np.array([root]), log + sign * (u - u[root])))
    return found


def _balance_matrix(
    lay: DeviceLayout, edges: tuple[Any, Any, Any], sign: int, lost: Array
) -> csc_array:
    """Return the matrix of the balance of a carrier: its fluxes, and its losses by density."""
    weight, drift, _ = edges
    start, end = incidence(lay.carrier_edges, lay.n_s)
    near, far = (start.T, -end.T) if sign > 0 else (-end.T, start.T)
    flux = diags_array(weight * drift.ahead) @ near - diags_array(weight * drift.back) @ far
    return csc_array(sign * ((start + end) @ flux) + diags_array(lost))


def _scaled_factors(matrix: csc_array) -> tuple[Array, Any]:
    """Return the factors of the rows, and the factors of the matrix with rows scaled by them."""
    scale = 1.0 / matrix.diagonal()
    scaled = csc_array(diags_array(scale) @ matrix)
    return scale, splu(scaled, diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def _solved_density(
    device: DeviceModel,
    edges: tuple[Any, Any, Any],
    sign: int,
    lost: Array,
    sources: list[Array],
    reservoirs: list[_Reservoir],
) -> Array:
    """Logarithm of a density from its balance, with the carriers that come from contacts.

    The balance is linear, and each source and each contact contributes in its own unit. What comes
    from a contact is its density in equilibrium times the probability that a carrier leaves to this
    contact before it recombines. The matrix of the probabilities is the transpose, and they are of
    ordinary size where carriers climb a barrier of thousands of decades. Where they fall from one,
    the densities are, and the probabilities underflow. What underflows is too small, so the larger
    one of both is right.
    """
    lay = device.layout
    for reservoir in reservoirs:
        if reservoir.emission is not None:
            lost = lost + _placed(lay.n_s, reservoir.nodes, reservoir.emission)
    matrix = _balance_matrix(lay, edges, sign, lost)
    held = [r.nodes for r in reservoirs if r.emission is None]
    free = np.setdiff1d(np.arange(lay.n_s), np.concatenate([np.empty(0, dtype=int), *held]))
    scale, factors = _scaled_factors(matrix[:, free][free])
    total = np.full(lay.n_s, -np.inf)
    for source in sources:
        unit = source[free].max()
        if unit > -np.inf:
            part = factors.solve(scale * np.exp(source[free] - unit))
            total[free] = np.logaddexp(total[free], unit + _logarithm(part))
    for nodes, equilibrium, emission in reservoirs:
        unit = equilibrium[nodes].max()
        at_contact = np.exp(equilibrium[nodes] - unit)
        if emission is None:
            leaving = -matrix[nodes][:, free].sum(axis=0)
            entering = -(matrix[free][:, nodes] @ at_contact)
            total[nodes] = equilibrium[nodes]
        else:
            leaving = _placed(lay.n_s, nodes, emission)[free]
            entering = _placed(lay.n_s, nodes, emission * at_contact)[free]
        climbed = equilibrium[free] + _logarithm(scale * factors.solve(leaving, "T"))
        fallen = unit + _logarithm(factors.solve(scale * entering))
        total[free] = np.logaddexp(total[free], np.maximum(climbed, fallen))
    return total


def _placed(size: int, nodes: Array, values: Array) -> Array:
    """Values at nodes, zero elsewhere."""
    placed = np.zeros(size)
    placed[nodes] = values
    return placed


def _logarithm(values: Array) -> Array:
    """Logarithm, minus infinity where the values vanish."""
    known = values > VANISHING
    return np.where(known, np.log(np.where(known, values, 1.0)), -np.inf)
