"""Check whether double precision resolves the level of a layer without a contact.

The sum of a carrier's balances over all nodes does not contain the fluxes between them, whose
rounding errors can be larger than the balance of one node. This sum, divided by its derivative by a
shift of the carrier's level, estimates the error of the level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ... import ad
from ...user_warnings import warn
from ..equations.carriers import carriers
from ..equations.conduction import fluxes
from ..equations.model import DeviceModel
from ..equations.terminal import losses
from ..models.contacts import Gate

TOLERATED = 1e-3  # of kT/q


class UnresolvedWarning(UserWarning):
    """The level of a layer that no contact reaches does not meet its balance."""


def warn_if_unresolved(device: DeviceModel, points: Iterable[tuple[np.ndarray, Any]]) -> None:
    """Warn of the first level that is off by more than a thousandth of kT/q.

    Parameters
    ----------
    device : DeviceModel
        Asked only if it has gates: nothing else makes such layers.
    points : iterable of (x, dict)
        Solutions and their parameters.
    """
    if not any(isinstance(contact, Gate) for contact in device.contacts.values()):
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
    lay, p = device.layout, device.parameters | dict(p)
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
