"""Drive a device by current, or by voltage up to a compliance.

One idea: a condition on the terminal current is one more equation for one more unknown, the
voltage. Newton's method on it needs dI/dV, which one solve with the Jacobian at hand gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sgsolve.errors import ConvergenceError

from .sensitivity import conductance

if TYPE_CHECKING:
    from .device import Device


@dataclass(frozen=True)
class Driven:
    """Points of a device driven by current or to a compliance.

    Attributes
    ----------
    voltage : ndarray, shape (k,)
        V.
    current : ndarray, shape (k,)
        Into the device at the driven contact, A/cm^2 or A/cm.
    states : ndarray, shape (k, n)
        Solutions.
    """

    voltage: np.ndarray
    current: np.ndarray
    states: np.ndarray


def at_current(
    device: Device,
    contact: str,
    target: float,
    guess: float = 0.0,
    x: np.ndarray | None = None,
    **p: Any,
) -> tuple[float, np.ndarray]:
    """Voltage at which a contact carries a given current, and the solution there.

    Parameters
    ----------
    device : Device
    contact : str
    target : float
        Current into the device, A/cm^2 or A/cm.
    guess : float
        Voltage to start from, V.
    x : ndarray, optional
        The solution at the guess; computed from a cold start by default.
    **p
        Other parameters.

    Raises
    ------
    ConvergenceError
        If there is no such voltage within reach.
    """
    name, vt = "V_" + contact, device.thermal_voltage
    voltage = guess
    x = device.solve(x, **{**p, name: guess}).x
    for k in range(200):
        q = {**p, name: voltage}
        step = (target - device.current(x, contact, **q)) / conductance(device, x, contact, **q)
        # A diode wants short steps, a resistor long ones: the bound grows while it is met.
        bound = 4 * vt * (1 + k)
        step = max(-bound, min(bound, step))
        voltage += step
        x = device.solve(x, **{**p, name: voltage}).x
        if abs(step) < 1e-12 * max(1.0, abs(voltage)):
            return voltage, x
    raise ConvergenceError(
        f"no voltage found at which {contact!r} carries {target:g}; the last was {voltage:g} V"
    )


def drive_current(device: Device, contact: str, targets: Sequence[float], **p: Any) -> Driven:
    """Sweep the current of a contact, each point from the one before.

    Parameters
    ----------
    targets : sequence of float
        Currents into the device, A/cm^2 or A/cm.
    """
    voltage, x, found = 0.0, None, []
    for target in targets:
        voltage, x = at_current(device, contact, target, voltage, x, **p)
        found.append((voltage, device.current(x, contact, **{**p, "V_" + contact: voltage}), x))
    return _driven(found)


def to_compliance(
    device: Device, contact: str, values: Sequence[float], compliance: float, **p: Any
) -> Driven:
    """Sweep a voltage until the current reaches a compliance, and end there exactly.

    Parameters
    ----------
    values : sequence of float
        Voltages, V.
    compliance : float
        Magnitude of the current at which to stop, A/cm^2 or A/cm.
    """
    name, found = "V_" + contact, []
    x, last = device.solve(**{**p, name: values[0]}).x, values[0]
    for value in values:
        step = device.sweep(name, [last, value], x0=x, **p)
        if not step.success:
            raise ConvergenceError(step.message, step)
        x = step.x
        current = device.current(x, contact, **{**p, name: value})
        if abs(current) >= compliance:
            target = float(np.copysign(compliance, current))
            voltage, x = at_current(device, contact, target, value, x, **p)
            current = device.current(x, contact, **{**p, name: voltage})
            found.append((voltage, current, x))
            break
        found.append((value, current, x))
        last = value
    return _driven(found)


def _driven(found: list[tuple[float, float, np.ndarray]]) -> Driven:
    voltage, current, states = zip(*found, strict=True)
    return Driven(np.array(voltage), np.array(current), np.array(states))
