"""Cold start and sweeps: neutral potential, then Poisson's equation, then light, then bias.

One idea: equilibrium is easy from the neutral potential, and everything else is a path from
equilibrium. Nothing here takes a guess from the user.

Reference: S. Selberherr, Analysis and Simulation of Semiconductor Devices (1984), section 7.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sgsolve import Branch, Problem, Result, ad, solvers

from . import checks, decoupled
from .boundary import neutral
from .contacts import Gate
from .kept_fluxes import KeptFluxes, needed, polished
from .resolved import warn_if_unresolved

if TYPE_CHECKING:
    from .device import Device

ACCURACY = 1e-13  # of the potentials, relative to their size or to kT/q
LONG_STEP = 0.5  # V
ROUNDING = 1.0  # ... or residuals within this many rounding errors of their terms


def method(vt: float) -> solvers.Robust:
    """Newton's method, damped only where the next correction would be larger than this one.

    That test does not depend on how the equations are scaled, and lets a depletion layer grow by
    volts in a few steps. Where it does not arrive in 60 steps (a diode pushed by 20 V at once, or
    light turned on in the dark, when densities rise by a factor of e a step), `cold_method` does.
    """
    damped = solvers.Method(
        damping=solvers.NaturalMonotonicity(), termination=_accurate(), max_iterations=60
    )
    return solvers.Robust(
        rungs=(solvers.Rung(damped), solvers.Rung(cold_method(vt), from_best=False))
    )


def poisson_method(vt: float) -> solvers.Robust:
    """Newton's method with full steps, then as `method`.

    With fixed quasi-Fermi potentials the charge falls monotonically with the potential. Full steps
    then converge from the neutral potential, however thick the depletion layer becomes.
    """
    full = solvers.Method(termination=_accurate(), max_iterations=60)
    return solvers.Robust(
        rungs=(
            solvers.Rung(full),
            *(solvers.Rung(r.solver, from_best=False) for r in method(vt).rungs),
        )
    )


def cold_method(vt: float) -> solvers.Method:
    """Newton's method with steps cut to their logarithm in units of kT/q.

    Charges are exponential in potentials: a jump of 200 kT/q becomes one of 5, small steps pass.
    """
    return solvers.Method(
        limits=(solvers.LogDamping(max(vt, 0.01)),), termination=_accurate(), max_iterations=300
    )


def _accurate() -> solvers.Test:
    """Potentials to 1e-13, or residuals within rounding.

    It is tight because a potential that is wrong by 1e-11 V changes a current by 4e-10 of itself,
    and costs little because the last step of Newton's method doubles the digits.
    """
    accurate = solvers.Error(ACCURACY) | solvers.Rounding(ROUNDING)
    return solvers.Residual(1e-10) & accurate


def equilibrium(device: Device, p: Mapping[str, Any]) -> np.ndarray:
    """Solution without voltages and in the dark: Poisson's equation from the neutral potential."""
    lay = device.layout
    still = _at_rest(device, p)
    vt = device.constants.thermal_voltage(still["T"])
    quasi = np.zeros(2 * lay.n_s)
    psi = _first_potential(device, still, vt)
    result = poisson_alone(device, quasi).solve(psi, poisson_method(vt), **still)
    return np.concatenate([result.x, quasi])


def poisson_alone(device: Device, quasi: np.ndarray) -> Problem:
    """Poisson's equation for the potential; the parameter `quasi` holds the other unknowns."""

    def residual(u: Any, quasi: Any, **p: Any) -> Any:
        return device.poisson(ad.hstack([u, quasi]), **p)

    return Problem(
        residual, params={**device.parameters, "quasi": quasi}, scale=device.thermal_voltage
    )


def _first_potential(device: Device, p: Mapping[str, Any], vt: float) -> np.ndarray:
    """Neutral in the semiconductor; on insulators the mean of what the gates ask for."""
    lay = device.layout
    psi = np.zeros(lay.n)
    gates = [c.offset for c in device.contacts.values() if isinstance(c, Gate)]
    psi[:] = np.mean(gates) if gates else 0.0
    psi[lay.nodes] = vt * neutral(device, p, vt, np.arange(lay.n_s))
    return psi


def _at_rest(device: Device, p: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with all voltages and the generation at zero."""
    checks.overrides(device, p)
    still = device.parameters | dict(p)
    return still | {f"V_{name}": 0.0 for name in device.contacts} | {"G": 0.0}


def solve(device: Device, x0: np.ndarray | None, p: Mapping[str, Any]) -> Result:
    """Solve at given parameters; from a cold start the light and the voltages are turned on."""
    checks.overrides(device, p)
    wanted = device.parameters | dict(p)
    if needed(device, wanted["G"]):
        x = solve(device, None, {**p, "G": 0.0}).x if x0 is None else x0
        return KeptFluxes(device).solve(x, p)
    if x0 is not None:
        result = device.problem.solve(x0, method(device.thermal_voltage), **p)
        result.x = polished(device, [(result.x, p)])[0]
        warn_if_unresolved(device, [(result.x, p)])
        return result
    x, reached = equilibrium(device, p), _at_rest(device, p)
    light = wanted["G"]
    if np.ndim(light) > 0:  # a field is turned on by a number
        reached["profile"], light = light * wanted["profile"], 1.0
    path = {"G": light} | {f"V_{name}": wanted[f"V_{name}"] for name in device.contacts}
    for name, value in path.items():
        if value != 0.0:
            x = _turned_on(device, x, name, value, reached)
            reached[name] = value
    result = device.problem.solve(x, method(device.thermal_voltage), **wanted)
    result.x = polished(device, [(result.x, p)])[0]
    warn_if_unresolved(device, [(result.x, p)])
    return result


def _turned_on(
    device: Device, x: np.ndarray, name: str, value: float, reached: Mapping[str, Any]
) -> np.ndarray:
    """Solution with one parameter changed from 0, in one step or in as many as it takes."""
    others = {k: v for k, v in reached.items() if k != name}
    solver = method(device.thermal_voltage)
    branch = device.problem.sweep(
        x, name, [0.0, value], solver=solver, raise_on_failure=True, **others
    )
    return branch.x


class Levels:
    """Predictor of sweeps: `decoupled.guess` for long steps of a voltage, else the secant.

    Parameters
    ----------
    device : Device
    name : str
        The parameter that is swept.
    p : dict
        The others that differ from the device's.
    """

    needs_slope = False

    def __init__(self, device: Device, name: str, p: Mapping[str, Any]) -> None:
        self.device, self.name, self.p = device, name, device.parameters | dict(p)
        self.costs: list[Any] = []
        self._secant = solvers.Secant()
        self._poisson = poisson_alone(device, np.zeros(2 * device.layout.n_s))

    def predict(self, family: Any, here: Any, before: Any, value: float) -> Any:
        """Guess at a value."""
        guess, p = None, self.p | {self.name: value}
        if self.name.startswith("V_") and abs(value - here.value) > LONG_STEP:
            guess = decoupled.guess(self.device, p, lambda *start: self._potential(p, *start))
        if guess is None or family.residual(value, guess) is None:
            return self._secant.predict(family, here, before, value)
        return guess

    def _potential(self, p: Mapping[str, Any], psi: np.ndarray, quasi: np.ndarray) -> np.ndarray:
        result = self._poisson.solve(
            psi, poisson_method(self.device.thermal_voltage), quasi=quasi, **p
        )
        self.costs.append(result.stats)
        return result.x

    def add_cost(self, stats: Any) -> None:
        """Add what the guesses cost to what a sweep cost."""
        for cost in self.costs:
            stats.add(cost)


def sweep(
    device: Device, name: str, values: Sequence[float], x0: np.ndarray | None, p: Mapping[str, Any]
) -> Branch:
    """Sweep a voltage or any other parameter through values."""
    name = checks.values(device, name, values)
    checks.overrides(device, p)
    if x0 is None:
        x0 = solve(device, None, {**p, name: values[0]}).x
    if needed(device, values if name == "G" else (device.parameters | dict(p))["G"]):
        return KeptFluxes(device).sweep(x0, name, values, p)
    predictor = Levels(device, name, p)
    branch = device.problem.sweep(
        x0, name, values, solver=method(device.thermal_voltage), predictor=predictor, **p
    )
    predictor.add_cost(branch.stats)
    branch.states = np.array(polished(device, [branch.at(i) for i in range(len(branch))]))
    warn_if_unresolved(device, (branch.at(i) for i in range(len(branch))))
    return branch
