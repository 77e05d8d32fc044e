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

import numpy as np
from scipy.sparse import csr_array

from ..errors import InputError, ShapeError
from .contacts import Contact, Gate, Ohmic, Schottky, node_numbers
from .mesh import Mesh, divergence_of, ends_of

Selection = slice | np.ndarray


class DeviceLayout:
    """Selections, couplings and fixed nodes of a device; nothing here depends on the solution.

    Attributes
    ----------
    nodes : ndarray of int, shape (n_s,)
        Nodes of the semiconductor; the carriers' arrays run over them.
    inside : slice or ndarray
        Selects them from an array over all nodes.
    ratio : ndarray, shape (m,)
        Couple over length of all edges (Poisson); `carrier_ratio` those of the semiconductor.
    contacts : dict
        Node numbers (over all nodes) of each contact.
    """

    def __init__(
        self,
        mesh: Mesh,
        contacts: Mapping[str, Contact],
        active: tuple[np.ndarray, np.ndarray] | None,
    ) -> None:
        self.n = mesh.n
        if not contacts:
            raise InputError("contacts: none given; a potential must be fixed somewhere")
        couples, volumes = _volumes(mesh) if active is None else _active(mesh, active)
        self.nodes = np.flatnonzero(volumes > 0)
        self.n_s = len(self.nodes)
        self.inside: Selection = slice(0, self.n) if self.n_s == self.n else self.nodes
        self.volumes = volumes[self.nodes]
        self.contacts = {name: node_numbers(name, c, mesh.n) for name, c in contacts.items()}
        self.ratio = mesh.couples / mesh.lengths
        self.a, self.b = mesh.ends()
        self._carrier_edges(mesh, couples)
        self._fixed(contacts)
        self.divergence = mesh.divergence()

    def _carrier_edges(self, mesh: Mesh, couples: np.ndarray) -> None:
        local = np.full(self.n, -1)
        local[self.nodes] = np.arange(self.n_s)
        edges = local[mesh.edges]
        kept = (edges >= 0).all(axis=1) & (couples != 0)
        self.carrier_edges = edges[kept]
        self.every_edge = bool(kept.all())
        self.kept: Selection = slice(None) if kept.all() else np.flatnonzero(kept)
        self.carrier_ratio = couples[kept] / mesh.lengths[kept]
        self.carrier_lengths = mesh.lengths[kept]
        self.carrier_a, self.carrier_b = ends_of(self.carrier_edges, self.n_s)
        self.carrier_divergence = divergence_of(self.carrier_edges, self.n_s)
        self.local = local

    def _fixed(self, contacts: Mapping[str, Contact]) -> None:
        """Lists of the fixed nodes, contact by contact, in the order of `contacts`."""
        self.psi_fixed: dict[str, np.ndarray] = {}
        self.carrier_fixed: dict[str, np.ndarray] = {}
        self.emitting: dict[str, np.ndarray] = {}
        for name, contact in contacts.items():
            nodes = self.contacts[name]
            meshed_gate = isinstance(contact, Gate) and contact.capacitance is None
            if not meshed_gate and (self.local[nodes] < 0).any():
                raise InputError(f"contact {name!r}: has nodes outside the semiconductor")
            if isinstance(contact, Ohmic):
                self.carrier_fixed[name] = self.local[nodes]
            if isinstance(contact, Schottky):
                self.emitting[name] = self.local[nodes]
            if not isinstance(contact, Gate) or meshed_gate:
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
        self.place_semiconductor = placing(self.nodes, self.n)
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
