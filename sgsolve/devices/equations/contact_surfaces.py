"""Surfaces around the contacts of a device, and the currents that cross them in time.

The total current, of both carriers and of displacement, has no sources. So the current of a contact
is what crosses any surface around it. Each node of the mesh belongs to one contact, and the
currents cross the edges between the parts. Every edge counts once for each of two contacts, with
opposite signs: the currents add up to zero for any state and any step.

Reference: S. E. Laux, IEEE Trans. Electron Devices 32 (1985) 2028, on terminal currents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import ad
from ..meshes.watershed import flooded
from ..models.heat import local_parameters
from ..models.ions import ion_current
from .argument_checks.parameter_checks import contact as check_contact
from .carriers import Carriers, carriers
from .potential_form import Equations

Array = Any
Pair = tuple[Callable[..., Array], Callable[..., Array]]
Crossing = tuple[Carriers, tuple[Array, Array]]  # of a state, with both currents over ``q vt``


class ContactSurfaces:
    """The part of the mesh that belongs to each contact, and what crosses its surface.

    Parameters
    ----------
    device : Equations
    x : ndarray
        A state (psi, phin, phip) from which the surfaces are found: across edges that conduct
        little, where rounding takes the fewest digits of a current.
    p : mapping
        All parameters of that state.
    """

    def __init__(self, device: Equations, x: np.ndarray, p: Mapping[str, Any]) -> None:
        self.device, self._sides = device, _sides(device, x, p)

    def current(self, name: str, crossing: Callable[[Array, Mapping[str, Any]], Crossing]) -> Pair:
        """Return the current into the device at a contact as a pair (g, h), meaning g + dh/dt.

        Parameters
        ----------
        name : str
            The contact.
        crossing : callable
            ``crossing(y, p)`` returns the carriers and both currents for unknowns that begin with
            psi at all nodes.

        Returns
        -------
        conducted, displaced : callable
            Functions of the unknowns and of all parameters: a current in A, and the dielectric
            flux across the same surface in C (times cm^(dim - 3)).
        """
        check_contact(self.device, name)
        device, lay = self.device, self.device.layout
        side = self._sides.get(name, np.zeros(lay.n))
        step, inside = side[lay.a] - side[lay.b], side[lay.pair_nodes]
        carried = inside[lay.carrier_a] - inside[lay.carrier_b]

        def conducted(y: Array, /, **p: Any) -> Array:
            s, (jn, jp) = crossing(y, p)
            found = ad.sum(carried * (jn + jp)) + ion_current(device, s, carried)
            if device.tunneling is not None:  # from the p end to the n end
                taken_n, taken_p = device.tunneling.taken(s, p)
                found = found + ad.sum(inside * (taken_p - taken_n)) / s.vt
            return (device.constants.q * s.vt) * found

        def displaced(y: Array, /, **p: Any) -> Array:
            psi = y[: lay.n]
            eps = lay.permittivity(p["eps_r"]) * lay.ratio
            flux = ad.sum((step * eps * device.constants.eps0) * (psi[lay.a] - psi[lay.b]))
            for other, gate in lay.coupled_gates.items():
                own = 1.0 if other == name else 0.0
                charge = gate.charge(p["V_" + other], psi[gate.nodes])
                flux = flux + ad.sum((own - side[gate.nodes]) * charge)
            return flux

        return conducted, displaced


def _sides(device: Equations, x: np.ndarray, p: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """For each contact on the mesh, 1 at the nodes that belong to it; insulators are split last."""
    lay, s = device.layout, carriers(device, x, local_parameters(device, x, p))
    highest = np.maximum(s.log_n, s.log_p)
    a, b = lay.carrier_edges.T
    level = np.full(len(lay.ratio), -np.inf)
    level[lay.kept] = 0.5 * (highest[a] + highest[b]) + np.log(np.abs(lay.carrier_ratio))
    seeds = {name: nodes for name, nodes in lay.contacts.items() if name not in lay.coupled_gates}
    reached = flooded(device.mesh.edges, lay.n, level, list(seeds.values()))
    return {name: part.astype(float) for name, part in zip(seeds, reached, strict=True)}
