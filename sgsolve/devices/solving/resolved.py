"""Check and improve the levels of regions without a contact, as far as double precision goes.

The sum of a carrier's balances over all nodes does not contain the fluxes between them, whose
rounding errors can be larger than the balance of one node. This sum, divided by its derivative by a
shift of the carrier's level, estimates the error of the level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ... import ad
from ...user_warnings import warn
from ..equations.boundaries.floating import has_floating_regions
from ..equations.carriers import carriers
from ..equations.model import DeviceModel
from ..equations.potential_form import Equations
from ..equations.transport.conduction import fluxes
from ..equations.transport.terminal import losses
from ..models.heat import local_parameters
from .kept_fluxes import form_of

TOLERATED = 1e-3  # of kT/q
UNCONFIRMED = (
    "is not confirmed with the fluxes as unknowns. Either there is none, as beyond a fold of the "
    "current, or rounding hides the levels of regions that no contact reaches. What to try: drive "
    "the current, drive_current(device, contact, currents), or give the regions a contact"
)


class UnresolvedWarning(UserWarning):
    """The level of a layer that no contact reaches does not meet its balance.

    The solution may be inaccurate.
    """


def warn_if_unresolved(device: DeviceModel, points: Iterable[tuple[np.ndarray, Any]]) -> None:
    """Warn of the first level that is off by more than a thousandth of kT/q.

    Parameters
    ----------
    device : DeviceModel
        Asked only if it has gates: nothing else makes such layers.
    points : iterable of (x, dict)
        Solutions and their parameters.
    """
    if not any(contact.is_gate for contact in device.contacts.values()):
        return
    for x, p in points:
        for name, off in errors_of_level(device, x, p).items():
            if not off < TOLERATED:
                warn(
                    f"{name}: the balance of the whole device is off, as if their level were "
                    f"wrong by {off:.1e} kT/q: an inversion layer that no contact reaches is far "
                    "from equilibrium, and its level is not resolved; give it a contact",
                    UnresolvedWarning,
                )
                return


def errors_of_level(device: DeviceModel, x: np.ndarray, p: Mapping[str, Any]) -> dict[str, float]:
    """By how much the levels of electrons and of holes are wrong, if as a whole, in kT/q."""
    lay, p = device.layout, local_parameters(device, x, device.parameters | dict(p))
    found = {}
    for k, name in enumerate(("electrons", "holes")):
        shifted = np.zeros(len(x))
        first = lay.n + k * lay.n_s
        shifted[first : first + lay.n_s] = lay.carrier_free
        s = carriers(device, x + shifted * ad.seed(0.0), p)
        leaving = lay.carrier_divergence.T @ lay.carrier_free  # 0 on edges between free nodes
        lost = ad.sum(lay.pair_free * losses(device, s, p)[k])
        total = ad.sum(leaving * fluxes(device, s, p)[k]) + (lost if k else -1.0 * lost)
        slope = float(abs(total.jacobian.toarray()[0, 0]))
        off = abs(float(ad.value(total)))
        found[name] = off / (slope * float(ad.value(s.vt))) if slope else (np.inf if off else 0.0)
    return found


def confirmed(
    device: Equations, points: Sequence[tuple[np.ndarray, Mapping[str, Any]]]
) -> list[np.ndarray | None]:
    """Solutions of a device with floating regions, their levels to the last digits, or None.

    Eliminated, a level is as good as the linear solver's pivots: all digits, or four. A few steps
    with the fluxes kept mend that. Where no steps settle there is no solution: beyond a fold of
    such levels, the eliminated balances hold to rounding still.
    """
    if device.ions or device.heat is not None or not has_floating_regions(device):
        return [x for x, _ in points]
    form = form_of(device)
    return [form.polished(x, p) for x, p in points]


def polished(device: Equations, x: np.ndarray, p: Mapping[str, Any]) -> np.ndarray:
    """Return the confirmed solution, or x itself with a warning."""
    found = confirmed(device, [(x, p)])[0]
    if found is None:
        warn(f"a solution {UNCONFIRMED}", UnresolvedWarning)
        return x
    return found
