"""Interfaces: thermionic emission over a step of the bands, and sheets of fixed charge.

Where a band steps up, carriers pass if their energy is above the step. The current is that of both
sides' emission at the higher edge::

    j = A* T^2 exp(-E / vt) (exp(phi_1 / vt) - exp(phi_2 / vt))

with the Richardson constant A*. Both directions have the same prefactor, so no current flows in
equilibrium. In the mesh a step is an edge whose two nodes are in the two materials. The edge is as
thick as an atom or thinner, and its drift and diffusion are replaced by emission.

Reference: S. M. Sze, K. K. Ng, Physics of Semiconductor Devices, 3rd ed., section 3.3.2;
K. Yang, J. R. East, G. I. Haddad, Solid-State Electron. 36 (1993) 321.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ad
from ...errors import InputError
from ..meshes.mesh import edge_values
from .contacts import Nodes, node_list
from .flux import Drift
from .tunnel_junction import TunnelJunction

Array = Any
Conduction = tuple[Array, Drift, Array]  # conductance over density, drift, drop
RICHARDSON = 120.173  # A/(cm^2 K^2), of the electron's own mass
THICKEST = 1e-7  # cm


@dataclass(frozen=True)
class Thermionic:
    """Emission over a step of the bands, at edges between two materials.

    Parameters
    ----------
    edges : int or sequence of int
        Numbers of the mesh's edges across the step, or a mask, a bool for every edge. The edge is
        not longer than 1e-7 cm; 1e-10 cm is thin enough that no potential drops there.
    richardson_n, richardson_p : float
        A* of electrons and of holes, A/(cm^2 K^2): 120.173 times the effective mass over the
        electron's own.

    See Also
    --------
    Schottky : Emission into a metal.
    SheetCharge : Charge at an interface.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, Thermionic, interval
    >>> x = np.concatenate([np.linspace(0, 1e-5, 21), np.linspace(1e-5 + 1e-10, 2e-5, 21)])
    >>> bands = {"Ec": np.repeat([0.0, 0.2], 21), "Ev": -1.5, "Nc": 1e19, "Nv": 1e19}
    >>> step = Device(interval(x), np.full(42, 1e17), {"left": Ohmic(0), "right": Ohmic(-1)},
    ...               bands | {"eps_r": 12.0, "mu_n": 1000.0, "mu_p": 100.0},
    ...               interfaces={"step": Thermionic(20)})
    >>> bool(step.current(step.solve(V_left=0.1).x, "left", V_left=0.1) > 0)
    True
    """

    edges: int | Sequence[int] | np.ndarray
    richardson_n: float = RICHARDSON
    richardson_p: float = RICHARDSON


@dataclass(frozen=True)
class SheetCharge:
    """Fixed charge at an interface, such as that of polarization.

    Its density is the device's parameter ``sheet_<name>`` (per cm^2, in units of q, 0 at first),
    which can be swept.

    Parameters
    ----------
    nodes : int or sequence of int
        Node numbers, or a mask, a bool for every node.
    area : float or ndarray, default 1
        Measure of the interface that belongs to each node, cm**(dim - 1); 1 in one dimension.

    See Also
    --------
    Thermionic : Emission across an interface.

    Examples
    --------
    >>> from sgsolve.devices import SheetCharge
    >>> SheetCharge(12)
    SheetCharge(nodes=12, area=1.0)
    """

    nodes: Nodes
    area: float | np.ndarray = 1.0


Interface = Thermionic | SheetCharge | TunnelJunction


def sheet_charge(device: Any, p: Mapping[str, Any]) -> Array | None:
    """Charge of all sheets over q at the nodes of the mesh; None if there is no sheet."""
    total = None
    for name, sheet in device.interfaces.items():
        if isinstance(sheet, SheetCharge):
            nodes = node_list(f"interface {name!r}", sheet.nodes, sheet.area, device.layout.n)
            place = np.zeros(device.layout.n)
            place[nodes] = sheet.area
            charge = place * p[f"sheet_{name}"]
            total = charge if total is None else total + charge
    return total


@dataclass(frozen=True)
class EmissionEdges:
    """Edges of the semiconductor with emission, and Richardson constants there, 0 elsewhere."""

    where: np.ndarray
    constants: dict[str, np.ndarray]

    def applied(
        self,
        device: Any,
        p: Mapping[str, Any],
        vt: Any,
        carrier: str,
        weight: Any,
        drift: Drift,
        warmth: Any,
    ) -> tuple[Any, Drift]:
        """Conductance over density and drift of a carrier, those of emission at these edges."""
        lay, on = device.layout, self.where
        near, far = (lay.carrier_a, lay.carrier_b)[:: 1 if carrier == "n" else -1]
        states = np.log(p["N" + ("c" if carrier == "n" else "v")] * np.ones(lay.pairs))
        step = drift.w - (states[near] - states[far])  # of the band edge, in units of kT/q
        lower, upper = (ad.where(on, part, 0.0) for part in _signed_parts(step))
        ahead = ad.where(on, np.exp(-upper), drift.ahead)
        back = ad.where(on, np.exp(lower + (states[near] - states[far])), drift.back)
        rate = self.emission(device, p, vt, carrier) * warmth**2 * np.exp(-states[near])
        return ad.where(on, rate, weight), Drift(drift.w, (ahead, back))

    def emission(self, device: Any, p: Mapping[str, Any], vt: Any, carrier: str) -> Any:
        """``A* T^2 / (q vt)`` times the couple of the edges."""
        couples = device.layout.carrier_ratio * device.layout.carrier_lengths
        return self.constants[carrier] * couples * p["T"] ** 2 / (device.constants.q * vt)


def emitted(
    device: Any,
    vt: Any,
    p: Mapping[str, Any],
    electrons: Conduction,
    holes: Conduction,
    warmth: Any = 1.0,
) -> tuple[Conduction, Conduction]:
    """Conduction of both carriers with emission at the steps of the bands.

    `warmth` is the temperature of the edges over the device's.
    """
    if device.emission is None:
        return electrons, holes
    found = [
        (*device.emission.applied(device, p, vt, carrier, weight, drift, warmth), drop)
        for carrier, (weight, drift, drop) in (("n", electrons), ("p", holes))
    ]
    return found[0], found[1]


def _signed_parts(step: Array) -> tuple[Array, Array]:
    """Return the negative and the positive part of steps."""
    return np.minimum(step, 0.0), np.maximum(step, 0.0)


def emission_edges(device: Any) -> EmissionEdges | None:
    """Return the edges of all interfaces with emission, checked; None if there are none."""
    mesh, lay = device.mesh, device.layout
    constants = {c: np.zeros(len(mesh.edges)) for c in "np"}
    for name, one in device.interfaces.items():
        if isinstance(one, Thermionic):
            _check_no_regions(device)
            edges = _edge_numbers(name, one, mesh)
            for c, value in (("n", one.richardson_n), ("p", one.richardson_p)):
                if not (np.isfinite(value) and value > 0.0):
                    raise InputError(
                        f"interface {name!r}: richardson_{c} must be positive, got {value!r}"
                    )
                constants[c][edges] = value
    kept = {c: values[lay.kept] for c, values in constants.items()}
    if not constants["n"].any():
        return None
    if "ni" in device.parameters:
        raise InputError("ni: emission over a step needs Nc, Nv, Ec and Ev instead")
    if np.count_nonzero(kept["n"]) < np.count_nonzero(constants["n"]):
        raise InputError("interfaces: emission at an edge that leaves the semiconductor")
    return EmissionEdges(kept["n"] > 0.0, kept)


def _check_no_regions(device: Any) -> None:
    if device.regions is not None:
        raise InputError(
            "interfaces: emission over a step has two levels at it, and the nodes of regions have "
            "one; leave `regions` away and put two nodes at the step"
        )


def _edge_numbers(name: str, one: Thermionic, mesh: Any) -> np.ndarray:
    edges = np.atleast_1d(np.asarray(one.edges))
    if edges.dtype == bool and edges.shape == (len(mesh.edges),):
        edges = np.flatnonzero(edges)
    if edges.dtype.kind not in "iu" or edges.ndim != 1 or not len(edges):
        raise InputError(f"interface {name!r}: edges must be numbers of edges, got {one.edges!r}")
    if edges.min() < 0 or edges.max() >= len(mesh.edges):
        raise InputError(f"interface {name!r}: has edges outside the mesh of {len(mesh.edges)}")
    longest = float(mesh.lengths[edges].max())
    if longest > THICKEST:
        raise InputError(
            f"interface {name!r}: an edge is {longest:.2g} cm long; a step needs two nodes next to "
            f"each other, not more than {THICKEST:g} cm apart"
        )
    return edges


def row_weight(device: Any, carrier: str, p: Mapping[str, Any] | None = None) -> Any:
    """What couples the nodes along the edges at one density: mobility, or emission at steps."""
    lay, p = device.layout, device.parameters if p is None else p
    mobility = edge_values(p[f"mu_{carrier}"], lay.carrier_edges, lay.pairs)
    weight = mobility * lay.carrier_ratio
    if device.emission is None:
        return weight
    vt = device.constants.k / device.constants.q * p["T"]
    states = p["Nc" if carrier == "n" else "Nv"] * np.ones(lay.pairs)
    rate = device.emission.emission(device, p, vt, carrier) / states[lay.carrier_edges[:, 0]]
    return ad.where(device.emission.where, rate, weight)
