"""Drive a device by current, or by voltage up to a compliance.

A condition on the terminal current is one more equation, and the voltage is one more unknown. All
are solved together. The current is swept, so a curve with folds in the voltage (snap-back) is
followed as long as the current is monotonic along it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import ad, solvers
from ..continuation import Natural
from ..errors import ConvergenceError, InputError
from ..problem import Problem
from .current_derivatives import conductance
from .device import Device
from .kept_fluxes import form_of, polished
from .methods import damped_method
from .terminal import cuts


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


class CurrentDrive:
    """A device together with the condition on the current of a contact.

    The condition is on ``arcsinh(I / unit)``. It is linear in the voltage where the current is
    exponential (the unit is the saturation current then), and has one sign of slope everywhere.

    Parameters
    ----------
    device : Device
    contact : str
    x : ndarray
        A solution at the voltage.
    voltage : float
        V.
    p : dict
        Other parameters.

    Raises
    ------
    InputError
        If no current flows near that voltage.
    """

    def __init__(
        self, device: Device, contact: str, x: np.ndarray, voltage: float, p: Mapping[str, Any]
    ) -> None:
        self.device, self.contact, self.name = device, contact, "V_" + contact
        self.p = {k: v for k, v in p.items() if k != self.name}
        self.x, self.voltage = x, voltage
        here = {**self.p, self.name: voltage}
        slope = abs(conductance(device, x, contact, **here)) * device.thermal_voltage
        self.unit = max(slope, abs(float(device.current(x, contact, **here))))
        if not self.unit > 0.0:
            raise InputError(
                f"guess: the current into {contact!r} near {voltage:g} V is zero in double "
                "precision; give a voltage at which the device conducts"
            )
        params = {k: v for k, v in device.parameters.items() if k != self.name}
        self.problem = Problem(
            self._residual,
            params={**params, "current_level": 0.0, "cut_n": x[:0], "cut_p": x[:0]},
            **_blocks_or_scale(device, len(x)),
            compiled=device.compiled,
        )

    def _residual(self, y: Any, current_level: Any, cut_n: Any, cut_p: Any, **p: Any) -> Any:
        x, here = y[:-1], {**p, self.name: y[-1]}
        form = self.device if self.device.ionization is None else form_of(self.device)
        current = self.device.current(x, self.contact, cut=(cut_n, cut_p), **here)
        level = np.arcsinh(current / self.unit) - current_level
        return ad.hstack([form.residual(x, **here), level])

    def _method(self) -> solvers.NewtonMethod:
        """Of the form that the device is solved in; steps that take long are made shorter."""
        if self.device.ionization is None:
            return damped_method(20)
        return replace(form_of(self.device).method(), max_iterations=40)

    def current(self) -> float:
        """At the point reached, A/cm^2 or A/cm."""
        here = {**self.p, self.name: self.voltage}
        return float(self.device.current(self.x, self.contact, **here))

    def reach(self, target: float) -> None:
        """Go to a current."""
        p = {**self.p, self.name: self.voltage}
        cut = cuts(self.device, self.x, self.contact, self.device.parameters | p)
        levels = np.arcsinh(np.array([self.current(), target]) / self.unit)
        branch = self.problem.at(**{**self.p, "cut_n": cut[0], "cut_p": cut[1]}).sweep(
            np.append(self.x, self.voltage),
            "current_level",
            levels,
            solver=self._method(),
            steps=Natural(max_solves=200),
            raise_on_failure=True,
        )
        if len(branch) < 2:
            raise ConvergenceError(
                f"no voltage found at which {self.contact!r} carries {target:g}; the last was "
                f"{branch.x[-1]:g} V: {branch.message}"
            )
        self.voltage = float(branch.x[-1])
        here = {**self.p, self.name: self.voltage}
        self.x = polished(self.device, [(branch.x[:-1], here)])[0]


def _blocks_or_scale(device: Device, size: int) -> dict[str, Any]:
    """Blocks for the limit of the steps where the fluxes are unknowns, else the scale of all."""
    if device.ionization is None:
        return {"scale": device.thermal_voltage}
    return {"blocks": form_of(device).blocks() | {"voltage": slice(size, size + 1)}}


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
    x = device.solve(x, **{**p, "V_" + contact: guess}).x
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
    x = device.solve(x, **{**p, "V_" + contact: guess}).x
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
