"""The heat that arises at the nodes of a device.

Carriers that fall along an edge, that recombine, that pass into a metal or are caught by a trap
give off their rate times the drop of the (quasi-)Fermi level. Every part is positive, but for the
pairs that light and impact ionization make. The level of traps, while they fill, is that of their
filled fraction.

Reference: G. K. Wachutka, IEEE Trans. Comput.-Aided Des. 9 (1990) 1141.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .... import ad
from ...models.trap_levels import level_heat
from ..boundaries.boundary import emission
from ..carriers import Carriers
from ..model import DeviceModel
from .ionization import ionized
from .terminal import recombination

Array = Any


def heat_made(
    device: DeviceModel, s: Carriers, flux: tuple[Array, Array], p: Mapping[str, Any]
) -> Array:
    """Heat that arises at the pairs, W, from a state and its fluxes over ``q vt``."""
    lay, unit, rate = device.layout, device.constants.q * s.vt, recombination(device, s, p)
    if device.ionization is not None:
        rate = rate - s.vt * ionized(device, s, flux, p)
    a, b = lay.carrier_a, lay.carrier_b
    per_edge = flux[0] * (s.un[a] - s.un[b]) + flux[1] * (s.up[a] - s.up[b])
    made = lay.ends @ ((0.5 * unit * s.vt) * per_edge) + unit * rate * (s.up - s.un)
    if s.filled is not None:
        made = made + unit * level_heat(device, s, s.filled, p)
    metal = emission(device, s, p)
    if metal is None:
        return made
    for name, nodes in lay.emitting.items():
        made = made + unit * _into_metal(s, metal, nodes, p["V_" + name] / s.vt, lay.pairs)
    return made


def _into_metal(
    s: Carriers, metal: tuple[Array, Array], nodes: Any, fermi: Any, pairs: int
) -> Array:
    """Heat over ``q vt`` of the carriers that leave into a metal, at the pairs."""
    here = [s.vt * part[nodes] for part in (metal[0] * s.n, metal[1] * s.p)]
    given = here[0] * (fermi - s.un[nodes]) + here[1] * (s.up[nodes] - fermi)
    return ad.sparsesum([ad.sparsevec(pairs, nodes, given)])
