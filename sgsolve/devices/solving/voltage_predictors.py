"""Initial guesses for the next point of a voltage sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import solvers
from ...continuation import SecantPredictor
from ...errors import ConvergenceError
from ..equations.boundaries.floating import has_floating_regions
from ..equations.potential_form import QUASI, Equations
from . import decoupled
from .density_newton import density_method
from .estimates.depletion import depleted, potential_bounds, within_bounds
from .estimates.levels import blocks_inside, layers_join_regions
from .estimates.resistances import spread_step
from .methods import bounded_poisson_method, poisson_method
from .settling import LastState

LONG_STEP = 0.5  # V
FEW = 20  # iterations to a solution in between
TRIES = 3  # failures with levels at one point; a guess for 50 V may fail, and serve for 25 V
CLOSE = solvers.ResidualTolerance(1e-6, of_scale=True) & solvers.ErrorTolerance(1e-6)
ROUGHLY = solvers.ResidualTolerance(1e-2, of_scale=True) & solvers.ErrorTolerance(1e-2)


class Poisson:
    """Poisson's equation at given quasi-Fermi potentials, solved again and again."""

    def __init__(self, device: Equations) -> None:
        self._device, self._solver = device, poisson_method(device.thermal_voltage)
        self._problem, self._with_ions = device.poisson_problem, device.electrostatic_problem
        self._n, self._n_s = device.layout.n, device.layout.n_s
        self.costs: list[Any] = []

    def potential(self, p: Mapping[str, Any], quasi: np.ndarray) -> np.ndarray:
        """The potential, from that of the depletion approximation."""
        n, h = np.split(quasi, 2)
        vt = self._device.constants.thermal_voltage(p["T"])
        bounds = potential_bounds(self._device, p, n, h, vt)
        solver = bounded_poisson_method(vt, within_bounds(*bounds, vt), CLOSE)
        problem = self._problem.at(**{**p, QUASI: quasi})
        result = problem.solve(depleted(self._device, p, n, h), solver)
        self.costs.append(result.stats)
        return result.x

    def state(self, p: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        """A state with its potential, and the levels of its ions, for other parameters."""
        n, last = self._n, self._n + 2 * self._n_s
        if not self._device.ions:
            return np.concatenate([self.potential(p, x[n:last]), x[n:last]])
        problem = self._with_ions.at(**{**p, QUASI: x[n:last]})
        result = problem.solve(np.concatenate([x[:n], x[last:]]), self._solver)
        self.costs.append(result.stats)
        return np.concatenate([result.x[:n], x[n:last], result.x[n:]])

    def add_cost(self, stats: Any) -> None:
        """Add what all solutions cost to what a sweep cost."""
        for cost in self.costs:
            stats.add(cost)


class Turn:
    """Which of two predictors the next step takes: the other one after failures.

    A guess that does not serve, as in a channel that is pinched off, would fail again and again.
    That of levels has three tries from a point, the secant one.
    """

    def __init__(self) -> None:
        self._of_levels, self._here, self._failures = True, None, 0

    def is_that_of_levels(self, here: Any) -> bool:
        """Whether levels make the guess for a step from a point; a second step means a failure."""
        self._failures = self._failures + 1 if here is self._here else 0
        if self._failures == (TRIES if self._of_levels else 1):
            self._of_levels, self._failures = not self._of_levels, 0
        self._here = here
        return self._of_levels


class Levels:
    """Predictor of sweeps: the secant, or `decoupled.guess` for long steps of a voltage.

    Where the guess has led to no solution the smaller residual of the two decides: beyond
    punch-through a region is not at the level that its neighbors give it, and the last solutions
    say more.

    Parameters
    ----------
    name : str
        The parameter that is swept.
    p : dict
        The others that differ from the device's.

    Attributes
    ----------
    trusted : bool
        Take the guess whatever its residual is.
    """

    needs_tangent = False

    def __init__(self, device: Equations, name: str, p: Mapping[str, Any]) -> None:
        self.device, self.name, self.p = device, name, device.parameters | dict(p)
        self.poisson, self.trusted = Poisson(device), True
        contacts = device.contacts.values()
        self._has_gates = any(contact.is_gate for contact in contacts)
        self._has_metals = any(contact.has_barrier for contact in contacts)
        self._kept: tuple[float, np.ndarray | None] | None = None
        self._turn, self.last = Turn(), LastState()

    def restart(self, trusted: bool) -> None:
        """Begin a sweep anew, with trust in the guess if it has not failed before."""
        self.trusted, self._turn = trusted, Turn()

    def predict(self, family: Any, here: Any, before: Any, p: float) -> Any:
        """Guess at a value."""
        guess = self._after_long_step_of_gate(here.x, here.p, p)
        self.last.starts = (here.x if guess is None else guess,)
        if self._turn.is_that_of_levels(here) and guess is None:
            guess = self.after_long_step(here.x, here.p, p)
            if guess is not None and self._starts_at(here.p, p):
                self.last.starts = (guess, here.x)
        extrapolated = SecantPredictor().predict(family, here, before, p)
        if guess is None:
            return extrapolated
        if extrapolated is None or self.trusted:
            return guess
        return min(guess, extrapolated, key=lambda x: _residual_size(family, x, p))

    def _starts_at(self, first: float, last: float) -> bool:
        """Whether a device with regions without contacts settles sooner from a guess.

        It does where junctions block and hold these regions near their levels.
        """
        before, after = self.p | {self.name: first}, self.p | {self.name: last}
        if not has_floating_regions(self.device) or blocks_inside(self.device, after):
            return False
        return decoupled.blocking(self.device, before, after) == 1.0

    def _after_long_step_of_gate(
        self, x: np.ndarray, first: float, last: float
    ) -> np.ndarray | None:
        """Poisson's equation at the last levels after a long step of a gate; None after others."""
        contact = self.device.contacts.get(self.name.removeprefix("V_"))
        if contact is None or not contact.is_gate or abs(last - first) <= LONG_STEP:
            return None
        if self.device.heat is not None:
            return None
        try:
            return self.poisson.state(self.p | {self.name: last}, x)
        except ConvergenceError:
            return None

    def after_long_step(self, x: np.ndarray, first: float, last: float) -> np.ndarray | None:
        """Potentials after a step of a voltage; None after a short one, or without an answer.

        The potentials of x come first; temperatures stay as they are.
        """
        far = self.name.startswith("V_") and abs(last - first) > LONG_STEP
        if not far or self.device.ions:
            return None
        guess, n = self._potentials(x, first, last), self.device.layout.n
        if guess is None or self.device.heat is None:
            return guess
        return np.concatenate([guess, x[len(guess) : len(guess) + n]])

    def _potentials(self, x: np.ndarray, first: float, last: float) -> np.ndarray | None:
        """The three potentials, at the device's own temperature."""
        before, after = self.p | {self.name: first}, self.p | {self.name: last}
        x = x[: self.device.layout.n + 2 * self.device.layout.n_s]
        share = decoupled.blocking(self.device, before, after)
        if share <= 0.0:
            return spread_step(self.device, x, before, after) if self._has_metals else None
        if self._has_gates and layers_join_regions(self.device, x, before):
            return None
        if share == 1.0:
            return self._at_levels(last)
        voltage = first + share * (last - first)
        flooded = self._flooded(voltage)
        if flooded is None or not self._has_metals:
            return flooded
        return spread_step(self.device, flooded, self.p | {self.name: voltage}, after)

    def _at_levels(self, voltage: float) -> np.ndarray | None:
        p = self.p | {self.name: voltage}
        try:
            return decoupled.guess(self.device, p, lambda quasi: self.poisson.potential(p, quasi))
        except ConvergenceError:  # of Poisson's equation: the levels do not fit that voltage
            return None

    def _flooded(self, voltage: float) -> np.ndarray | None:
        """Return about the solution where the last barrier has just vanished, a guess for Newton.

        From there a density changes little while the voltage becomes many times larger. The
        voltage is that of the device, whatever the step, so the guess is kept.
        """
        if self._kept is None or abs(self._kept[0] - voltage) > 1e-9 * abs(voltage):
            self._kept = voltage, self._first_flooded(voltage)
        return self._kept[1]

    def _first_flooded(self, voltage: float) -> np.ndarray | None:
        guess = self._at_levels(voltage)
        if guess is None:
            return None
        p = {**self.p, self.name: voltage}
        solver = density_method(self.device, p, ROUGHLY, FEW)
        cold = np.zeros(0 if self.device.heat is None else self.device.layout.n)
        start = np.concatenate([guess, cold])
        result = self.device.problem.at(**p).solve(start, solver, raise_on_failure=False)
        self.poisson.costs.append(result.stats)
        return result.x[: len(guess)] if result.success else None


def _residual_size(family: Any, x: np.ndarray, p: float) -> float:
    """Largest residual, about a distance in units of kT/q; infinite where it is not finite."""
    residual = family.residual_or_none(x, p)
    return np.inf if residual is None else float(np.abs(residual).max())
