"""A device with a condition on the current of a contact; the voltage is one more unknown.

Below breakdown tens of volts change the current less than a factor of two. There the voltage is
stepped first, from the guesses that a sweep has for long steps of a voltage, and steps are doubled.
They end where the distance is short by the slope of the current, or where no step is found: beyond
breakdown, or at a fold. From there the current is swept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ... import ad, solvers
from ...continuation import Natural
from ...errors import ConvergenceError, InputError, NotFiniteError, ShapeError
from ...problem import Problem
from ..device import Device
from ..equations.argument_checks.kinds import check_real
from ..equations.argument_checks.unit_checks import warn_of_voltage
from ..equations.transport.terminal import current, cuts
from ..solving.kept_fluxes import form_of, partial_sweep
from ..solving.methods import damped_method
from ..solving.resolved import confirmed, polished
from ..solving.voltage_predictors import LONG_STEP, Levels
from .current_derivatives import slope_of_current

# Parameters of the problem; no identifiers, so no parameter of a model has their names.
LEVEL, CUTS = "level of the current", ("cut of electrons", "cut of holes")
ITERATIONS = 30  # of an attempt
SHARE = 0.1  # of the voltage: a depletion layer grows by a twentieth


class CurrentDrive:
    """A device together with the condition on the current of a contact.

    The condition is on ``arcsinh(I / unit)``. It is linear in the voltage where the current is
    exponential (the unit is the saturation current then), and has one sign of slope everywhere.

    Parameters
    ----------
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
        slope = abs(slope_of_current(device, x, contact, here)) * device.thermal_voltage
        self.unit = max(slope, abs(float(current(device, x, contact, device.parameters | here))))
        if not self.unit > 0.0:
            raise InputError(
                f"guess: the current into {contact!r} near {voltage:g} V is zero in double "
                "precision; give a voltage at which the device conducts"
            )
        params = {k: v for k, v in device.parameters.items() if k != self.name}
        self.problem = Problem(
            self._residual,
            params={**params, LEVEL: 0.0, **dict.fromkeys(CUTS, x[:0])},
            **_blocks_or_scale(device, len(x)),
            compiled=device.compiled,
            backend=device.backend,
        )

    def _residual(self, y: Any, /, **p: Any) -> Any:
        aim, cut = p.pop(LEVEL), (p.pop(CUTS[0]), p.pop(CUTS[1]))
        x, here = y[:-1], {**p, self.name: y[-1]}
        form = form_of(self.device) if self.device.keeps_fluxes else self.device
        carried = current(self.device, x, self.contact, here, cut)
        level = np.arcsinh(carried / self.unit) - aim
        return ad.hstack([form.residual(x, **here), level])

    def _method(self) -> solvers.NewtonMethod:
        """Return the solver for the form of the equations that the device is solved in."""
        if not self.device.keeps_fluxes:
            return damped_method(20)
        return replace(form_of(self.device).method(), max_iterations=40)

    def current(self) -> float:
        """At the point reached, A/cm^2 or A/cm."""
        here = {**self.device.parameters, **self.p, self.name: self.voltage}
        return float(current(self.device, self.x, self.contact, here))

    def reach(self, target: float) -> None:
        """Go to a current."""
        self._approach(target)
        p = {**self.p, self.name: self.voltage}
        cut = cuts(self.device, self.x, self.contact, self.device.parameters | p)
        levels = np.arcsinh(np.array([self.current(), target]) / self.unit)
        branch = partial_sweep(
            self.problem.at(**{**self.p, **dict(zip(CUTS, cut, strict=True))}),
            np.append(self.x, self.voltage),
            LEVEL,
            levels,
            self._method(),
            Natural(max_solves=200),
        )
        if not branch.success or len(branch) < 2:
            raise ConvergenceError(
                f"no voltage found at which {self.contact!r} carries {target:g}; the last with a "
                f"solution was {self.voltage:g} V, with a current of {self.current():g}",
                branch,
            )
        self.voltage = float(branch.x[-1])
        here = {**self.p, self.name: self.voltage}
        self.x = polished(self.device, branch.x[:-1], here)
        warn_of_voltage(self.name, self.voltage)

    def _approach(self, target: float) -> None:
        """Go to a current by steps of the voltage, as long as these are long."""
        step, limit = 0.0, np.inf  # volts from here at which no solution was found
        while True:
            distance, short = self._distance(target), max(LONG_STEP, SHARE * abs(self.voltage))
            step = min(max(step, 2.0 * short), abs(distance), 0.5 * limit)
            if step <= short:
                return
            here, missing = (self.x, self.voltage), target - self.current()
            voltage = self.voltage + float(np.copysign(step, distance))
            x = self._attempt(voltage)
            if x is None:
                limit = step
                continue
            self.x, self.voltage = x, voltage
            if missing * (target - self.current()) < 0.0:
                (self.x, self.voltage), limit = here, step
            else:
                step, limit = 2.0 * step, limit - step

    def _distance(self, target: float) -> float:
        """Volts to a current by the slope of the level; 0 where the voltage falls, after a fold."""
        here, now = {**self.p, self.name: self.voltage}, self.current()
        slope = slope_of_current(self.device, self.x, self.contact, here)
        if slope <= 0.0:
            return 0.0
        rest = np.arcsinh(target / self.unit) - np.arcsinh(now / self.unit)
        return float(rest * np.hypot(now, self.unit) / slope)

    def _attempt(self, voltage: float) -> np.ndarray | None:
        """The solution at a voltage from the guess for long steps; None if it is not found soon."""
        device, p = self.device, {**self.p, self.name: voltage}
        levels = Levels(device, self.name, self.p)
        guess = levels.after_long_step(self.x, self.voltage, voltage)
        if guess is None:
            return None
        if device.keeps_fluxes:
            form = form_of(device)
            problem, method = form.problem, replace(form.method(), max_iterations=ITERATIONS)
            guess = form.whole(guess, p)
        else:
            problem, method = device.problem, damped_method(ITERATIONS)
        result = problem.at(**p).solve(guess, method, raise_on_failure=False)
        return confirmed(device, [(result.x, p)])[0] if result.success else None


def aimed(name: str, targets: Any, dimension: int = 0, kind: str = "current") -> None:
    """Raise for currents, or voltages, that are no finite numbers, before any work."""
    check_real(name, targets)
    if np.ndim(targets) != dimension:
        wanted = f"a list of {kind}s" if dimension else f"one {kind}"
        raise ShapeError(f"{name}: must be {wanted}, got shape {np.shape(targets)}")
    if not np.isfinite(targets).all():
        raise NotFiniteError(f"{name}: is not finite, got {targets!r}")


def _blocks_or_scale(device: Device, size: int) -> dict[str, Any]:
    """Blocks and scales of the form that the device is solved in."""
    if not device.keeps_fluxes:
        return {"scale": device.thermal_voltage}
    form = form_of(device)
    return {
        "blocks": form.blocks() | {"voltage": slice(size, size + 1)},
        "scale": form.scale() | {"voltage": device.thermal_voltage},
    }
