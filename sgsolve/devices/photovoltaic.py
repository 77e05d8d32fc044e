"""What is asked of a solar cell: the voltage at open circuit and the point of most power."""

from __future__ import annotations

from typing import Any

from scipy.optimize import minimize_scalar

from .device import Device
from .drive import at_current


def open_circuit(device: Device, contact: str, **p: Any) -> float:
    """Voltage at which a contact carries no current, V."""
    return at_current(device, contact, 0.0, **p)[0]


def power_point(device: Device, contact: str, v_oc: float, **p: Any) -> tuple[float, float]:
    """Largest power that a lit device gives out, W/cm^2, and its voltage, by golden section."""
    name = "V_" + contact
    x = device.solve(**p).x

    def power(voltage: float) -> float:
        state = device.solve(x, **{**p, name: voltage}).x
        return float(voltage * device.current(state, contact, **{**p, name: voltage}))

    best = minimize_scalar(power, bounds=(0.0, v_oc), method="bounded", options={"xatol": 1e-7})
    return -float(best.fun), float(best.x)
