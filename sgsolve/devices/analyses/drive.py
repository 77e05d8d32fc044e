"""Drive a device by current, or by voltage up to a compliance.

A condition on the terminal current is one more equation, and the voltage is one more unknown. All
are solved together. The current is swept, so a curve with folds in the voltage (snap-back) is
followed as long as the current is monotonic along it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ConvergenceError, ParameterError
from ...problem.inputs.starting_point import starting_point
from ..device import Device
from ..equations.argument_checks.device_checks import state
from ..equations.transport.terminal import current as terminal_current
from ..solving.start import solve_device, sweep_device
from .current_drive import CurrentDrive, aimed


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

    See Also
    --------
    drive_current, to_compliance

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, drive_current, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> points = drive_current(bar, "a", [1.0, 2.0])
    >>> points.current.round(6).tolist(), points.states.shape
    ([1.0, 2.0], (2, 33))
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
    """Return the voltage at which a contact carries a given current, and the solution there.

    Parameters
    ----------
    device : Device
        The device.
    contact : str
        The contact.
    target : float
        Current into the device, A/cm^2 or A/cm.
    guess : float
        Voltage to start from, V.
    x : ndarray, optional
        The solution at the guess; computed without an initial guess by default.
    **p
        Other parameters.

    Returns
    -------
    voltage : float
        V.
    x : ndarray
        The solution.

    Raises
    ------
    ConvergenceError
        If there is no such voltage within reach.
    InputError
        If no current flows near the guess.
    ParameterError
        If the voltage of the contact is among the parameters.

    See Also
    --------
    drive_current : Many currents.
    to_compliance : A sweep of the voltage that ends at a current.

    Examples
    --------
    A bar with 160.2 S/cm^2:

    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, at_current, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> voltage, x = at_current(bar, "a", 16.02)  # A/cm^2
    >>> round(voltage, 3)
    0.1
    """
    return reached(device, contact, target, guess, x, p)


def reached(
    device: Device,
    contact: str,
    target: float,
    guess: float,
    x: np.ndarray | None,
    p: Mapping[str, Any],
) -> tuple[float, np.ndarray]:
    """Return the voltage and the state at a current; see `at_current`."""
    aimed("target", target)
    x = _at_guess(device, contact, guess, x, p)
    drive = CurrentDrive(device, contact, x, guess, p)
    drive.reach(target)
    return drive.voltage, drive.x


def drive_current(
    device: Device,
    contact: str,
    targets: Sequence[float],
    guess: float = 0.0,
    x: np.ndarray | None = None,
    **p: Any,
) -> Driven:
    """Sweep the current of a contact, each point from the one before.

    Parameters
    ----------
    device : Device
        The device.
    contact : str
        The contact.
    targets : sequence of float
        Currents into the device, A/cm^2 or A/cm. The voltage may turn back between them.
    guess : float
        Voltage to start from, V: near breakdown, if the currents are those of breakdown.
    x : ndarray, optional
        The solution at the guess; computed without an initial guess by default.
    **p
        Other parameters.

    Returns
    -------
    Driven
        Voltages, currents and states.

    Raises
    ------
    ConvergenceError
        If there is no voltage for one of the currents within reach.
    InputError
        If no current flows near the guess.
    ParameterError
        If the voltage of the contact is among the parameters.

    See Also
    --------
    at_current : One current.
    to_compliance : A sweep of the voltage that ends at a current.

    Examples
    --------
    A bar with 160.2 S/cm^2:

    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, drive_current, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> drive_current(bar, "a", [1.602, 16.02]).voltage.round(3).tolist()
    [0.01, 0.1]
    """
    aimed("targets", targets, 1)
    x = _at_guess(device, contact, guess, x, p)
    drive, found = CurrentDrive(device, contact, x, guess, p), []
    for target in targets:
        drive.reach(target)
        found.append((drive.voltage, drive.current(), drive.x))
    return _driven(found)


def to_compliance(
    device: Device, contact: str, values: Sequence[float], compliance: float, **p: Any
) -> Driven:
    """Sweep a voltage until the current reaches a compliance, and end there exactly.

    Parameters
    ----------
    device : Device
        The device.
    contact : str
        The contact.
    values : sequence of float
        Voltages, V.
    compliance : float
        Magnitude of the current at which to stop, A/cm^2 or A/cm.
    **p
        Other parameters.

    Returns
    -------
    Driven
        Voltages, currents and states; the last current is the compliance.

    Raises
    ------
    ConvergenceError
        If a voltage cannot be reached.
    ParameterError
        If the voltage of the contact is among the parameters.

    See Also
    --------
    drive_current : Sweep the current.
    at_current : One current.

    Examples
    --------
    A bar with 160.2 S/cm^2:

    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, interval, to_compliance
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> to_compliance(bar, "a", [0.05, 0.1, 0.2], 24.03).voltage.round(3).tolist()
    [0.05, 0.1, 0.15]
    """
    aimed("compliance", compliance)
    name, found = "V_" + contact, []
    if name in p:
        raise ParameterError(f"{name}: is swept, so it cannot be given; begin `values` with it")
    x, last = solve_device(device, None, {**p, name: values[0]}).x, values[0]
    for value in values:
        step = sweep_device(device, name, [last, value], x, p)
        if not step.success:
            raise ConvergenceError(step.message, step)
        x = step.x
        current = _carried(device, x, contact, {**p, name: value})
        if abs(current) >= compliance:
            target = float(np.copysign(compliance, current))
            voltage, x = reached(device, contact, target, value, x, p)
            current = _carried(device, x, contact, {**p, name: voltage})
            found.append((voltage, current, x))
            break
        found.append((value, current, x))
        last = value
    return _driven(found)


def _at_guess(
    device: Device, contact: str, guess: float, x: np.ndarray | None, p: Mapping[str, Any]
) -> np.ndarray:
    """Return the solution at the guess, whose errors name the arguments that callers gave."""
    name = "V_" + contact
    if name in p:
        raise ParameterError(
            f"{name}: the current decides it, so it cannot be given; guess={p[name]!r} starts there"
        )
    aimed("guess", guess, kind="voltage")
    if x is not None:
        state(device, "x", x)
        x = starting_point(x, "x")
    return solve_device(device, x, {**p, name: guess}).x


def _carried(device: Device, x: np.ndarray, contact: str, p: Mapping[str, Any]) -> float:
    return float(terminal_current(device, x, contact, {**device.parameters, **p}))


def _driven(found: list[tuple[float, float, np.ndarray]]) -> Driven:
    voltage, current, states = zip(*found, strict=True)
    return Driven(np.array(voltage), np.array(current), np.array(states))
