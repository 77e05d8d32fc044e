"""Mobile ions and vacancies: charged species that no contact lets out.

In the steady state no ions flow, so all of a species have one level. It is an unknown of its own,
and its equation is that their number is conserved. In time their density at each node is an
unknown, and they drift and diffuse within their region. Sites may be limited: then they fill like
levels (Blakemore's distribution with gamma = 1).

The flux along an edge is ``D (a_2 B(-w) - a_1 B(w))``, w the drop of the electrostatic energy plus
that of the logarithm of the free sites: no ions flow in equilibrium. In small signals each node has
a level and each edge a flux as unknowns. One balance of each species is replaced by the
conservation of its number, which follows from the others at every frequency but zero.

Reference: D. Abdel, P. Vagner, J. Fuhrmann, P. Farrell, Electrochim. Acta 390 (2021) 138696;
N. E. Courtier et al., J. Comput. Electron. 18 (2019) 1435.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, log_expit

from ... import ad
from ...errors import InputError
from ..meshes.mesh import divergence_of
from .contacts import Nodes, node_list
from .device_layout import placing
from .flux import Drift, absolute, flux_rows

Array = Any


@dataclass(frozen=True)
class Ion:
    """A mobile charged species in a region.

    Parameters
    ----------
    nodes : str, sequence of int, or mask
        The name of its region in a device with `Regions`. Otherwise the nodes of its region, a
        bool for every node or their numbers; edges between them are its ways. Nothing leaves.
    charge : int
        In units of q, positive or negative.
    density : float
        Mean over the region, cm^-3; it is conserved.
    mobility : float
        Mobility, cm^2/(V s); it serves in time only.
    limit : float, optional
        Density of sites, cm^-3. Unlimited by default.
    compensated : bool
        Whether immobile charge of the opposite sign makes the region neutral.

    See Also
    --------
    Device : Takes a mapping of names to them as ``ions``.

    Examples
    --------
    >>> from sgsolve.devices import Ion
    >>> vacancy = Ion([0, 1, 2], charge=1, density=1.6e19, mobility=4e-12, limit=1e21)
    """

    nodes: str | Nodes
    charge: int
    density: float
    mobility: float
    limit: float | None = None
    compensated: bool = True


class IonRegion:
    """An ion on the mesh of a device: where it is, its volumes, its edges."""

    def __init__(self, device: Any, name: str, ion: Ion) -> None:
        _check_ion(name, ion)
        lay, mesh, self.ion = device.layout, device.mesh, ion
        nodes = _ion_pairs(device, name, ion)
        number = np.full(lay.pairs, -1)
        number[nodes] = np.arange(len(nodes))
        edges = number[lay.carrier_edges]
        within = (edges >= 0).all(axis=1)
        self.nodes, self.edges, self.within = nodes, edges[within], np.flatnonzero(within)
        self.ratio = lay.carrier_ratio[within]
        share = self.ratio * lay.carrier_lengths[within] ** 2 / (2.0 * mesh.dimension)
        self.volumes = np.bincount(self.edges.ravel(), np.repeat(share, 2), len(nodes))
        if len(nodes) < 2 or not (self.volumes > 0.0).all():
            raise InputError(f"ion {name!r}: each of its nodes must be joined to another of them")
        self.divergence = divergence_of(self.edges, len(nodes))
        self.total = ion.density * float(self.volumes.sum())
        share_of_node = csr_array((self.volumes / lay.volumes[nodes])[:, None])
        self.place = csr_array(placing(nodes, lay.pairs).multiply(share_of_node.T))
        self.fixed = ion.density if ion.compensated else 0.0

    def density(self, us: Array, level: Array) -> Array:
        """In the steady state at a potential (over kT/q) and a level (likewise), cm^-3."""
        ion, eta = self.ion, self._filling(us, level)
        if ion.limit is None:
            return ion.density * np.exp(np.minimum(eta, 600.0))
        return ion.limit * ad.elementwise(expit, lambda t: expit(t) * expit(-t))(eta)

    def _filling(self, us: Array, level: Array) -> Array:
        """Logarithm of the filled sites over the free ones; without sites, over the mean."""
        ion = self.ion
        eta = ion.charge * (level - us[self.nodes])
        if ion.limit is None:
            return eta
        return eta + np.log(ion.density / (ion.limit - ion.density))

    def scale(self) -> float:
        """One over what the strongest edge carries at the mean density."""
        return 1.0 / (self.ion.density * self.ion.mobility * float(np.abs(self.ratio).max()))

    def charge(self, density: Array) -> Array:
        """Charge / q at the semiconductor's nodes, cm^-3 of their whole volumes."""
        return self.place @ (self.ion.charge * (density - self.fixed))

    def flux_rows(self, us: Array, level: Array, flux: Array) -> Array:
        """Return the flux, with all digits where levels hardly differ, less an unknown flux.

        Both are over about what the flux is per drop of the level over kT/q.
        """
        a, b = self.edges.T
        charge, density = self.ion.charge, self.density(us, level)
        w = charge * (us[self.nodes[b]] - us[self.nodes[a]])
        if self.ion.limit is not None:
            free = log_expit(-1.0 * self._filling(us, level))
            w = w + (free[a] - free[b])
        drop, drift, weight = (
            charge * (level[b] - level[a]),
            Drift(w),
            self.ion.mobility * self.ratio,
        )
        found = -weight * absolute(density, a, b, drift, drop)
        log, edges = self._log_density(us, level), (-weight, drift, drop)
        return flux_rows(found, flux, log, (a, b), edges, np.abs(weight) * abs(charge))

    def _log_density(self, us: Array, level: Array) -> Array:
        if self.ion.limit is None:
            return np.log(self.ion.density) + self._filling(us, level)
        return np.log(self.ion.limit) + _log_filled(self._filling(us, level))

    def flux(self, density: Array, us: Array) -> Array:
        """Number of ions along the edges over vt, per s."""
        a, b = self.edges.T
        w = self.ion.charge * (us[self.nodes[b]] - us[self.nodes[a]])
        if self.ion.limit is not None:
            free = np.log(np.maximum(1.0 - density / self.ion.limit, 1e-12))
            w = w + (free[a] - free[b])
        inflow = density[b] * ad.bernoulli(-w) - density[a] * ad.bernoulli(w)
        return (-self.ion.mobility * self.ratio) * inflow


_log_filled = ad.elementwise(log_expit, lambda t: expit(-t))


def _ion_pairs(device: Any, name: str, ion: Ion) -> np.ndarray:
    """Numbers of an ion's nodes among the semiconductor's, or of its pairs."""
    lay = device.layout
    if isinstance(ion.nodes, str):
        if device.regions is None:
            raise InputError(f"ion {name!r}: is in {ion.nodes!r}, and the device has no regions")
        return np.flatnonzero(device.regions.of(ion.nodes))
    if device.regions is not None:
        raise InputError(f"ion {name!r}: nodes must be the name of a region in this device")
    nodes: np.ndarray = lay.local[node_list(f"ion {name!r}", ion.nodes, 1.0, lay.n)]
    if (nodes < 0).any():
        raise InputError(f"ion {name!r}: has nodes outside the semiconductor")
    return nodes


def _check_ion(name: str, ion: Ion) -> None:
    if ion.charge == 0 or int(ion.charge) != ion.charge:
        raise InputError(f"ion {name!r}: charge must be a whole number and not 0, got {ion.charge}")
    if not (np.isfinite(ion.density) and ion.density > 0.0):
        raise InputError(f"ion {name!r}: density must be positive, got {ion.density!r}")
    if not (np.isfinite(ion.mobility) and ion.mobility > 0.0):
        raise InputError(f"ion {name!r}: mobility must be positive, got {ion.mobility!r}")
    if ion.density > 1e23:
        raise InputError(
            f"ion {name!r}: density is {ion.density:.3g} per cm^3, and no solid has more than 1e23 "
            "atoms; densities are per cm^3"
        )
    if ion.limit is not None and not ion.limit > ion.density:
        raise InputError(
            f"ion {name!r}: limit must be above the mean density {ion.density:g}, got {ion.limit!r}"
        )


def ion_densities(
    device: Any, us: Array, rest: Array, p: Mapping[str, Any], vt: Any
) -> list[Array]:
    """Densities of all ions, from what follows the potentials in a state.

    Parameters
    ----------
    us : Array, shape (pairs,)
        Electrostatic potential over kT/q.
    rest : Array
        The levels (V), one for each ion; or in time their densities at all their nodes. Filled
        fractions of trap levels may follow. Nothing: then the parameters ``level_<name>`` serve.
    """
    regions, size = device.ions, int(np.shape(rest)[0])
    if size == 0:
        return [r.density(us, p[f"level_{name}"] / vt) for name, r in regions.items()]
    traps = sum(len(level.nodes) for level in device.trap_levels.values())
    if size == traps + sum(len(r.nodes) for r in regions.values()):
        return split_densities(device, rest)
    return [r.density(us, rest[i] / vt) for i, r in enumerate(regions.values())]


def split_densities(device: Any, values: Array) -> list[Array]:
    """Return the densities of each ion, from an array of all of them."""
    found, begin = [], 0
    for region in device.ions.values():
        found.append(values[begin : begin + len(region.nodes)])
        begin += len(region.nodes)
    return found


def conservation(device: Any, densities: list[Array]) -> Array:
    """Logarithms of the numbers of ions over what they should be, one for each ion."""
    pairs = zip(device.ions.values(), densities, strict=True)
    return ad.hstack([np.log(ad.sum(r.volumes * a) / r.total) for r, a in pairs])


def ion_blocks(device: Any, begin: int) -> dict[str, slice]:
    """Where the densities of the ions are in a state in time, from a first unknown on."""
    found = {}
    for name, region in device.ions.items():
        found[name] = slice(begin, begin + len(region.nodes))
        begin = found[name].stop
    return found


def ion_balances(device: Any, s: Any) -> list[Array]:
    """Return the flux of each ion out of each node, over that of its edges at the mean density."""
    pairs = zip(device.ions.values(), s.ions, strict=True)
    return [r.scale() * (r.divergence @ r.flux(density, s.us)) for r, density in pairs]


def ion_weights(device: Any, vt: Any) -> Any:
    """Return the stored quantity of these balances over the densities of all ions."""
    return (
        np.concatenate([np.zeros(0), *[r.scale() * r.volumes for r in device.ions.values()]]) / vt
    )


def ion_current(device: Any, s: Any, carried: np.ndarray) -> Any:
    """Current of the ions across the semiconductor's edges, over ``q vt``."""
    total = 0.0
    for region, density in zip(device.ions.values(), s.ions, strict=True):
        flux = region.flux(density, s.us)
        total = total + region.ion.charge * ad.sum(carried[region.within] * flux)
    return total
