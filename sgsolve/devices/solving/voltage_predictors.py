"""Initial guesses for the next point of a voltage sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...continuation import SecantPredictor
from ...errors import ConvergenceError
from ..equations.potential_form import Equations
from . import decoupled
from .methods import poisson_method

LONG_STEP = 0.5  # V


class Poisson:
    """Poisson's equation at given quasi-Fermi potentials, solved again and again.

    Parameters
    ----------
    device : Equations
    """

    def __init__(self, device: Equations) -> None:
        self._solver = poisson_method(device.thermal_voltage)
        self._problem, self._with_ions = device.poisson_problem, device.electrostatic_problem
        self._n, self._n_s = device.layout.n, device.layout.n_s
        self._costs: list[Any] = []

    def potential(self, p: Mapping[str, Any], psi: np.ndarray, quasi: np.ndarray) -> np.ndarray:
        """The potential, from a start."""
        result = self._problem.at(**{**p, "quasi": quasi}).solve(psi, self._solver)
        self._costs.append(result.stats)
        return result.x

    def state(self, p: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
        """A state with its potential, and the levels of its ions, for other parameters."""
        n, last = self._n, self._n + 2 * self._n_s
        problem = self._with_ions.at(**{**p, "quasi": x[n:last]})
        result = problem.solve(np.concatenate([x[:n], x[last:]]), self._solver)
        self._costs.append(result.stats)
        return np.concatenate([result.x[:n], x[n:last], result.x[n:]])

    def add_cost(self, stats: Any) -> None:
        """Add what all solutions cost to what a sweep cost."""
        for cost in self._costs:
            stats.add(cost)


class Levels:
    """Predictor of sweeps: the secant, or `decoupled.guess` for long steps of a voltage.

    The smaller residual decides: beyond punch-through or the flat band a region is not at the level
    of its contact any more, and the last solutions say more.

    Parameters
    ----------
    device : Equations
    name : str
        The parameter that is swept.
    p : dict
        The others that differ from the device's.
    """

    needs_tangent = False

    def __init__(self, device: Equations, name: str, p: Mapping[str, Any]) -> None:
        self.device, self.name, self.p = device, name, device.parameters | dict(p)
        self.poisson = Poisson(device)

    def predict(self, family: Any, here: Any, before: Any, p: float) -> Any:
        """Guess at a value."""
        guess = self.after_long_step(here.p, p)
        extrapolated = SecantPredictor().predict(family, here, before, p)
        if guess is None:
            return extrapolated
        return min(guess, extrapolated, key=lambda x: _residual_size(family, x, p))

    def after_long_step(self, first: float, last: float) -> np.ndarray | None:
        """Potentials after a step of a voltage; None after a short one, or without an answer."""
        far = self.name.startswith("V_") and abs(last - first) > LONG_STEP
        if not far or self.device.ions or self.device.heat is not None:
            return None
        share = decoupled.blocking(
            self.device, self.p | {self.name: first}, self.p | {self.name: last}
        )
        if share <= 0.0:
            return None
        p = self.p | {self.name: first + share * (last - first)}
        try:
            return decoupled.guess(
                self.device, p, lambda psi, quasi: self.poisson.potential(p, psi, quasi)
            )
        except ConvergenceError:  # of Poisson's equation: the levels do not fit that voltage
            return None


def _residual_size(family: Any, x: np.ndarray, p: float) -> float:
    """Largest residual, about a distance in units of kT/q; infinite where it is not finite."""
    residual = family.residual_or_none(x, p)
    return np.inf if residual is None else float(np.abs(residual).max())
