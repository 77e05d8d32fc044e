"""Where a sweep is asked to find a point: open circuit, a wanted current, the most power.

One idea: a condition on the terminal current is one more equation for one more unknown, the
voltage. Newton's method on it needs dI/dV, which one more solve with the Jacobian at hand gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .sensitivity import conductance

if TYPE_CHECKING:
    from .device import Device


def at_current(
    device: Device, contact: str, target: float, guess: float = 0.0, **p: Any
) -> tuple[float, Any]:
    """Voltage at which a contact carries a given current.

    Parameters
    ----------
    device : Device
    contact : str
    target : float
        Current into the device, A/cm^2.
    guess : float
        Voltage to start from, V.
    **p
        Other parameters.

    Returns
    -------
    voltage : float
    x : ndarray
        The solution there.
    """
    name, vt = "V_" + contact, device.thermal_voltage
    voltage, x = guess, device.solve(**{**p, name: guess}).x
    for _ in range(100):
        q = {**p, name: voltage}
        error = device.current(x, contact, **q) - target
        step = -error / conductance(device, x, contact, **q)
        step = max(-2 * vt, min(2 * vt, step))
        voltage += step
        x = device.solve(x, **{**p, name: voltage}).x
        if abs(step) < 1e-11:
            return voltage, x
    raise RuntimeError(f"no voltage found at which {contact!r} carries {target:g} A/cm^2")


def open_circuit(device: Device, contact: str, **p: Any) -> float:
    """Voltage at which a contact carries no current, V."""
    return at_current(device, contact, 0.0, **p)[0]


def power_point(device: Device, contact: str, v_oc: float, **p: Any) -> tuple[float, float]:
    """Largest power that a lit device gives out, W/cm^2, and its voltage, by golden section."""
    from scipy.optimize import minimize_scalar

    name = "V_" + contact
    x = device.solve(**p).x

    def power(voltage: float) -> float:
        state = device.solve(x, **{**p, name: voltage}).x
        return float(voltage * device.current(state, contact, **{**p, name: voltage}))

    best = minimize_scalar(power, bounds=(0.0, v_oc), method="bounded", options={"xatol": 1e-7})
    return -float(best.fun), float(best.x)
