"""The neutral potential of material with traps, whose charge depends on the potential.

Traps in the volume are dopants whose ionization is not complete, or levels that compensate them.
The charge falls monotonically with the potential, so bisection finds where it vanishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .... import ad
from ...models.model_arguments import arguments, keywords
from ..model import DeviceModel

Array = Any
HALVINGS = 70  # from thousands of kT/q to the last digit
DENSE = 60.0  # logarithm of a density that no band has, cm^-3
LARGEST = 600.0  # exponent


def has_traps(device: DeviceModel) -> bool:
    """Whether traps in the volume have charge."""
    levels = device.trap_levels.values()
    return bool(device.traps) or any(level.level.area is None for level in levels)


def trap_parameters(device: DeviceModel) -> list[str]:
    """Names of the parameters that the charge of traps depends on."""
    names = [level.name for level in device.trap_levels.values()]
    return names + [name for trap in device.traps for name in keywords(trap)]


def trap_charge(device: DeviceModel, log_n: Array, log_p: Array, p: Mapping[str, Any]) -> Array:
    """Charge / q of all traps in the volume over the pairs, in equilibrium, cm^-3."""
    total = 0.0
    for level in device.trap_levels.values():
        total = total + level.neutral_charge(log_n, p)
    if device.traps:
        n, h = (np.exp(np.minimum(log, LARGEST)) for log in (log_n, log_p))
        for trap in device.traps:
            total = total + trap(n, h, **arguments(trap, p))
    return total


def potential_without_charge(
    charge: Callable[[Array], Array], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Where a charge that falls with the potential vanishes, between two bounds."""
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        positive = np.asarray(ad.value(charge(middle))) > 0.0
        low, high = np.where(positive, middle, low), np.where(positive, high, middle)
    found: np.ndarray = 0.5 * (low + high)
    return found


def slope_of(charge: Callable[[Array], Array], u: np.ndarray) -> np.ndarray:
    """Derivative of a charge at each node by the potential there."""
    found = charge(u + np.ones(len(u)) * ad.seed(0.0))
    slope: np.ndarray = found.jacobian.toarray()[:, 0]
    return slope
