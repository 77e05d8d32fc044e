"""The order of the unknowns of a device, and the scaling of its equations.

The unknowns are psi at every node and the two quasi-Fermi potentials at the nodes of the
semiconductor, one block after the other, all in V. Each equation is divided by the coefficient of
its own unknown: Poisson's equation by its couplings, a carrier balance by its density and mobility.
A residual in units of kT/q is then about the error of its own potential. Rounding errors are 1e-15
in every row, for densities of 1e18 and of 1e-30 alike. The division by the density is part of the
residual and of its derivative.

Reference: S. J. Polak et al., Int. J. Numer. Methods Eng. 24 (1987) 763, on scaling and unknowns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ...errors import InputError, ShapeError
from ..meshes.mesh import Mesh, divergence_of, edge_values, ends_of
from ..meshes.regions import Regions
from .contacts import Contact, CoupledGate, node_list, node_numbers

Selection = slice | np.ndarray


class DeviceLayout:
    """Selections, couplings and fixed nodes of a device; nothing here depends on the solution.

    Attributes
    ----------
    nodes : ndarray of int, shape (n_s,)
        Nodes of the semiconductor; the carriers' unknowns and equations run over them.
    pair_nodes : ndarray of int, shape (pairs,)
        Nodes of the pairs of a node and a region, over which densities, parameters and rates run.
        The first n_s are `nodes`; there are no others in a device without `Regions`.
    inside : slice or ndarray
        Selects the pairs from an array over all nodes.
    doped : slice or ndarray
        Selects the pairs from the doping.
    row : ndarray of int, shape (pairs,)
        Selects the pairs from an array over the semiconductor's nodes.
    carrier_edges, row_edges : ndarray of int, shape (m_s, 2)
        Ends of the semiconductor's edges, as pairs and as nodes of the semiconductor.
    ratio : ndarray, shape (m,)
        Couple over length of all edges (Poisson); `carrier_ratio` those of the semiconductor.
    contacts : dict
        Node numbers (over all nodes) of each contact.
    coupled_gates : dict
        Those behind insulators that are not meshed, by name.
    """

    def __init__(
        self,
        mesh: Mesh,
        contacts: Mapping[str, Contact],
        active: tuple[np.ndarray, np.ndarray] | None,
        regions: Regions | None = None,
    ) -> None:
        self.n, self.regions = mesh.n, regions
        if not contacts:
            raise InputError("contacts: none given; a potential must be fixed somewhere")
        if regions is None:
            couples, volumes = _volumes(mesh) if active is None else _active(mesh, active)
            self.nodes = np.flatnonzero(volumes > 0)
            self.pair_nodes, self.volumes = self.nodes, volumes[self.nodes]
        else:
            _check_regions(mesh, active, regions)
            self.nodes, self.pair_nodes = np.unique(regions.nodes), regions.nodes
            self.volumes = regions.volumes
        self.n_s, self.pairs = len(self.nodes), len(self.pair_nodes)
        self.everywhere = self.pairs == self.n_s == self.n
        self.inside: Selection = slice(0, self.n) if self.everywhere else self.pair_nodes
        self.doped: Selection = self.inside if regions is None else slice(None)
        self.local = np.full(self.n, -1)
        self.local[self.nodes] = np.arange(self.n_s)
        self.row: np.ndarray = self.local[self.pair_nodes]
        if self.pairs > self.n_s:
            self.gather = csr_array(placing(self.row, self.n_s))
        self.contacts = {name: node_numbers(name, c, mesh.n) for name, c in contacts.items()}
        self.ratio, self.edges = mesh.couples / mesh.lengths, mesh.edges
        self.over_edges = None if regions is None else regions.over_edges()
        self.a, self.b = mesh.ends()
        if regions is None:
            self._carrier_edges(mesh, couples)
        else:
            self._region_edges(mesh, regions)
        self._fixed(contacts)
        self.pair_free = self.at_pairs(self.carrier_free)
        self.divergence = mesh.divergence()

    def _carrier_edges(self, mesh: Mesh, couples: np.ndarray) -> None:
        edges = self.local[mesh.edges]
        kept = (edges >= 0).all(axis=1) & (couples != 0)
        self.carrier_edges = self.row_edges = edges[kept]
        self.every_edge = bool(kept.all())
        self.kept: Selection = slice(None) if kept.all() else np.flatnonzero(kept)
        self.carrier_ratio = couples[kept] / mesh.lengths[kept]
        self.carrier_lengths = mesh.lengths[kept]
        self.carrier_a, self.carrier_b = ends_of(self.carrier_edges, self.n_s)
        self.carrier_divergence = divergence_of(self.carrier_edges, self.n_s)

    def _region_edges(self, mesh: Mesh, regions: Regions) -> None:
        kept = regions.couples != 0
        numbers, self.carrier_edges = regions.numbers[kept], regions.edges[kept]
        self.kept = numbers
        self.row_edges = self.local[self.pair_nodes[self.carrier_edges]]
        self.every_edge = np.array_equal(numbers, np.arange(len(mesh.edges)))
        self.carrier_lengths = mesh.lengths[numbers]
        self.carrier_ratio = regions.couples[kept] / self.carrier_lengths
        self.carrier_a, self.carrier_b = ends_of(self.carrier_edges, self.pairs)
        self.carrier_divergence = divergence_of(self.row_edges, self.n_s)

    @cached_property
    def ends(self) -> csr_array:
        """Matrix (pairs, m_s) that sums over the semiconductor's edges of each pair."""
        return abs(divergence_of(self.carrier_edges, self.pairs))

    @cached_property
    def all_ends(self) -> csr_array:
        """Matrix (n, m) that sums over the edges of each node."""
        return abs(self.divergence)

    @cached_property
    def heat_free(self) -> np.ndarray:
        """1 at the nodes whose temperature is free, 0 at metals but gates; shape (n,)."""
        free = np.ones(self.n)
        for nodes in self.reached.values():
            free[self.nodes[nodes]] = 0.0
        return free

    def at_rows(self, values: Any) -> Any:
        """Sum over the pairs of each node of the semiconductor."""
        return values if self.pairs == self.n_s else self.gather @ values

    def at_pairs(self, values: Any) -> Any:
        """At the pairs, from values at the semiconductor's nodes."""
        return values if self.pairs == self.n_s else values[self.row]

    def first(self, values: Any) -> Any:
        """At the first pair of each node, from a number or from values at the pairs."""
        return values if np.ndim(values) == 0 or self.pairs == self.n_s else values[: self.n_s]

    def several(self, nodes: np.ndarray) -> np.ndarray:
        """Return those of some nodes of the mesh that are in more than one region."""
        return np.intersect1d(nodes, self.pair_nodes[self.n_s :])

    def permittivity(self, values: Any) -> Any:
        """Relative permittivity on the mesh's edges, from values there, at nodes or at pairs."""
        if self.over_edges is None or np.ndim(values) == 0 or len(values) != self.pairs:
            return edge_values(values, self.edges, self.n)
        return self.over_edges @ values

    def sides(self, what: str, where: Any) -> tuple[np.ndarray, np.ndarray]:
        """Pairs from which nodes take electrons and holes, in the region or regions of `where`.

        Parameters
        ----------
        what : str
            For messages.
        where : Surface or TrapLevel
            With ``nodes``, ``area`` and ``region``.
        """
        area = 1.0 if where.area is None else where.area
        nodes = node_list(what, where.nodes, area, self.n)
        if (self.local[nodes] < 0).any():
            raise InputError(f"{what}: has nodes outside the semiconductor")
        if where.region is None:
            several = self.several(nodes)
            if len(several):
                raise InputError(
                    f"{what}: node {several[0]} is in several regions; say whose carriers it takes "
                    "by region='name', or by region=('of the electrons', 'of the holes')"
                )
            return self.local[nodes], self.local[nodes]
        names = [where.region] * 2 if isinstance(where.region, str) else list(where.region)
        if self.regions is None:
            raise InputError(f"{what}: is in {names[0]!r}, and the device has no regions")
        if len(names) != 2:
            raise InputError(f"{what}: region must be one name or two, got {where.region!r}")
        return self._pairs_in(what, nodes, names[0]), self._pairs_in(what, nodes, names[1])

    def _pairs_in(self, what: str, nodes: np.ndarray, region: str) -> np.ndarray:
        """The pair of each node in a region."""
        assert self.regions is not None
        pair = np.full(self.n, -1)
        inside = np.flatnonzero(self.regions.of(region))
        pair[self.pair_nodes[inside]] = inside
        if (pair[nodes] < 0).any():
            raise InputError(f"{what}: node {nodes[pair[nodes] < 0][0]} is not in {region!r}")
        found: np.ndarray = pair[nodes]
        return found

    def _fixed(self, contacts: Mapping[str, Contact]) -> None:
        """Lists of the fixed nodes, contact by contact, in the order of `contacts`."""
        self.psi_fixed: dict[str, np.ndarray] = {}
        self.carrier_fixed: dict[str, np.ndarray] = {}
        self.emitting: dict[str, np.ndarray] = {}
        self.coupled_gates: dict[str, CoupledGate] = {}
        for name, contact in contacts.items():
            nodes = self.contacts[name]
            coupled = contact.coupled(nodes)
            if coupled is not None:
                self.coupled_gates[name] = coupled
            meshed_gate = contact.is_gate and coupled is None
            if not meshed_gate and (self.local[nodes] < 0).any():
                raise InputError(f"contact {name!r}: has nodes outside the semiconductor")
            if contact.has_barrier and len(self.several(nodes)):
                raise InputError(
                    f"contact {name!r}: node {self.several(nodes)[0]} is in several regions, and "
                    "its barrier counts from the conduction band of one; end the contact before it"
                )
            if contact.fixes_carriers:
                self.carrier_fixed[name] = self.local[nodes]
            if contact.has_barrier:
                self.emitting[name] = self.local[nodes]
            if coupled is None:
                self.psi_fixed[name] = nodes
        fixed = np.concatenate([[], *self.psi_fixed.values()]).astype(int)
        if len(np.unique(fixed)) < len(fixed):
            raise InputError("contacts: two of them share a node; give every node to one contact")
        self.psi_free = np.ones(self.n)
        self.psi_free[fixed] = 0.0
        held = np.concatenate([[], *self.carrier_fixed.values()]).astype(int)
        self.carrier_free = np.ones(self.n_s)
        self.carrier_free[held] = 0.0
        self.reached = self.carrier_fixed | self.emitting
        self.reached_potentials = tuple(self.psi_fixed | self.carrier_fixed)
        self.place_semiconductor = placing(self.pair_nodes, self.n)
        self.fixed = 1.0 - np.concatenate([self.psi_free, self.carrier_free, self.carrier_free])
        rows = [fixed, self.n + held, self.n + self.n_s + held]
        self.fixed_rows = np.concatenate(rows)


@dataclass(frozen=True)
class CarrierRows:
    """How the balances of one carrier are put together.

    Attributes
    ----------
    start, end : csr_array, shape (n_s, m)
        Take the fluxes over the density at the first and at the second end of the edges. Every row
        is divided by its coupling; those of fixed nodes and of roots are empty.
    reference : ndarray of int, shape (pairs,)
        The pair whose density the balance of each pair's node is divided by.
    scale : ndarray, shape (n_s,)
        What the rows were multiplied by.
    roots : ndarray of int, shape (k,)
        Nodes whose balance is that of a whole floating region, see `floating.gathering`.
    border, region : csr_array, shape (k, m) and (k, n_s)
        Sum the fluxes over the border of each region, and what is lost inside.
    place : csr_array, shape (n_s, k)
        Puts values at the roots.
    """

    start: csr_array
    end: csr_array
    scale: np.ndarray
    roots: np.ndarray
    border: csr_array
    region: csr_array
    place: csr_array
    reference: np.ndarray


def placing(nodes: np.ndarray, n: int) -> csr_array:
    """Matrix (n, len(nodes)) that puts values at their nodes."""
    k = len(nodes)
    return csr_array((np.ones(k), (nodes, np.arange(k))), shape=(n, k))


def _volumes(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Couples and volumes of a mesh that is semiconductor throughout."""
    if not (mesh.volumes > 0).all():
        i = int(np.argmin(mesh.volumes))
        raise InputError(
            f"volumes: that of node {i} is {mesh.volumes[i]:g}, and all must be positive. Obtuse "
            "triangles can make it negative: check the mesh with devices.quality. Where the mesh "
            "has an insulator, pass active="
        )
    return mesh.couples, mesh.volumes


def _active(mesh: Mesh, active: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    couples, volumes = (np.asarray(v, dtype=float) for v in active)
    if couples.shape != mesh.couples.shape or volumes.shape != mesh.volumes.shape:
        raise ShapeError(
            "active: needs the semiconductor's couples (one per edge of the mesh) and volumes "
            f"(one per node), got shapes {couples.shape} and {volumes.shape}"
        )
    if not (volumes > 0).any():
        raise InputError("active: no node has a volume of semiconductor")
    if (volumes < 0).any():
        raise InputError(f"active: node {int(np.argmin(volumes))} has a negative volume")
    return couples, volumes


def _check_regions(
    mesh: Mesh, active: tuple[np.ndarray, np.ndarray] | None, regions: Regions
) -> None:
    if regions.mesh is not mesh:
        raise InputError("regions: were made for another mesh; make them for that of the device")
    if active is not None:
        raise InputError("active: the regions say where the semiconductor is; leave `active` away")
