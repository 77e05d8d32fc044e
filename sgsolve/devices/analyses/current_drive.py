"""A device with a condition on the current of a contact; the voltage is one more unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ... import ad, solvers
from ...continuation import Natural
from ...errors import ConvergenceError, InputError
from ...problem import Problem
from ..device import Device
from ..equations.terminal import cuts
from ..solving.kept_fluxes import form_of, polished
from ..solving.methods import damped_method
from .current_derivatives import conductance


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
