"""Where the unknowns live, and what each equation is divided by.

One idea: the unknowns are psi at every node and the two quasi-Fermi potentials at the nodes of the
semiconductor, one block after the other, all in V. Each equation is divided by what multiplies its
own unknown (Poisson's by its couplings, a carrier's by its density and mobility), so that every
residual is, in units of kT/q, about how far its own potential is from where its neighbours want
it. Rounding then shows at 1e-15 in every row, whether the density there is 1e18 or 1e-30, and
Newton's method sees logarithms of densities. The division by the density is part of the residual
and of its derivative.

Reference: S. J. Polak et al., Int. J. Numer. Methods Eng. 24 (1987) 763, on scaling and unknowns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from sgsolve.errors import InputError, ShapeError

from .carriers import edge_values
from .contacts import Contact, Gate, Ohmic, Schottky, node_numbers
from .mesh import Mesh, divergence_of, ends_of

if TYPE_CHECKING:
    from .device import Device

Selection = slice | np.ndarray


class Layout:
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
                raise InputError(f"contact {name!r}: sits on nodes outside the semiconductor")
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
        self.place_semiconductor = _place(self.nodes, self.n)
        self.fixed = 1.0 - np.concatenate([self.psi_free, self.carrier_free, self.carrier_free])
        rows = [fixed, self.n + held, self.n + self.n_s + held]
        self.fixed_rows = np.concatenate(rows)


def scaled_divergences(
    device: Device, floating: Mapping[str, csr_array]
) -> tuple[dict[str, csr_array], dict[str, np.ndarray | csr_array]]:
    """Divergence of each equation with every row divided by its coupling, fixed rows emptied.

    Parameters
    ----------
    floating : dict of csr_array
        Under "n" and "p", where there are such regions: the sums of `floating.gathering`.

    Returns
    -------
    divergences : dict of csr_array
        Under "psi", "n" and "p".
    scales : dict of ndarray or csr_array
        What was multiplied by: a number for every row, 0 where it is fixed; or a matrix.
    """
    lay, p, c = device.layout, device.parameters, device.constants
    vt = c.thermal_voltage(p["T"])
    doping = np.zeros(lay.n)
    doping[lay.nodes] = c.q * np.abs(p["doping"][lay.nodes]) * lay.volumes
    eps = edge_values(p["eps_r"], device.mesh.edges, lay.n) * lay.ratio * (c.eps0 * vt)
    mu = {k: edge_values(p[f"mu_{k}"], lay.carrier_edges, lay.n_s) for k in "np"}
    weights = {"psi": eps, **{k: mu[k] * lay.carrier_ratio for k in "np"}}
    divergences, scales = {}, {}
    for name, weight in weights.items():
        poisson = name == "psi"
        matrix = lay.divergence if poisson else lay.carrier_divergence
        free = lay.psi_free if poisson else lay.carrier_free
        total = abs(matrix) @ np.abs(weight) + (doping if poisson else 0.0)
        scales[name] = free / np.where(total > 0, total, 1.0)
        scale = diags_array(scales[name])
        if name in floating:
            matrix = csr_array(floating[name] @ matrix)
            matrix.eliminate_zeros()  # entries are whole numbers: inner fluxes cancel exactly
            scales[name] = csr_array(scale @ floating[name])
        divergences[name] = csr_array(scale @ matrix)
    return divergences, scales


def scaled(scale: np.ndarray | csr_array, values: Any) -> Any:
    """What is lost at the nodes, in the combinations of the divergences."""
    return scale * values if isinstance(scale, np.ndarray) else scale @ values


def _place(nodes: np.ndarray, n: int) -> csr_array:
    """Matrix (n, len(nodes)) that puts values at their nodes."""
    k = len(nodes)
    return csr_array((np.ones(k), (nodes, np.arange(k))), shape=(n, k))


def _volumes(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Couples and volumes of a mesh that is semiconductor throughout."""
    if not (mesh.volumes > 0).all():
        i = int(np.argmin(mesh.volumes))
        raise InputError(
            f"volumes: node {i} has {mesh.volumes[i]:g}, and all must be positive; on triangles "
            "that are too obtuse signed volumes are not (see triangles.quality), and an insulator "
            "is told by `active`"
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
