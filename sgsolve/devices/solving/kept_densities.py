"""Long steps of a voltage that junctions in series share, with the fluxes as unknowns.

Where generation alone decides the level of regions without a contact, the eliminated balances have
no digits for it: their matrices are singular to rounding. With the fluxes kept each balance is a
sum of numbers of its own size. Newton's method for the densities, and steps in time, are then those
of `density_newton` and of `settling`. They start at the levels that `series_junctions` estimates.

That guess is off by volts where the mesh is coarse, because a junction generates by whole nodes.
Where Newton's method does not lead on from there, the device settles in time.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from ... import solvers
from ...continuation import Natural, SecantPredictor
from ...results import Branch
from ...solvers.state.iterate import Iterate
from ..equations.carriers import carriers
from ..equations.potential_form import Equations
from ..models.flux import EMPTY
from .density_newton import RANGE, Densities, DensityDirection, DensityMonotonicity, DensityState
from .estimates.series_junctions import shares_voltage
from .kept_fluxes import KeptFluxes, form_of, partial_sweep
from .settling import EFFORT, EulerSteps, Settled
from .step_length import StepLength
from .stored_carriers import CarrierStorage
from .voltage_predictors import LONG_STEP, Levels

Array = np.ndarray
FEW = 30  # iterations of Newton's method before the steps in time
FIRST = 1e-6  # s, the first step in time: the levels of the guess are about right
GROW = 100.0  # factor from one step in time to the next, at most: leakage may take 1e18 s
EACH = 2  # solves for each value, on the average


@dataclass(frozen=True)
class KeptState(DensityState):
    """Densities at a point, with those that the equations of the fluxes are divided by.

    Attributes
    ----------
    of_fluxes : ndarray, shape (2 edges,)
        Logarithms of the geometric means at the ends of the edges, for electrons first.
    """

    of_fluxes: Array


class KeptDensities(Densities):
    """The densities of a device whose fluxes are unknowns; its balances are not divided by them.

    The equations of the fluxes are divided by densities, those of the point that the Jacobian
    belongs to.
    """

    def __init__(self, form: KeptFluxes, p: Mapping[str, Any]) -> None:
        super().__init__(form.device, p)
        self._form, self._fluxes = form, slice(form.first, form.first + 2 * form.edges)
        self._a, self._b = form.device.layout.carrier_edges.T
        self.balances = form.balances

    def at(self, x: Array) -> KeptState:
        """The densities at the unknowns."""
        potentials = self._form.potentials(x)
        found, s = super().at(potentials), carriers(self.device, potentials, self.p)
        logs = [np.maximum(log, EMPTY) for log in (s.log_n, s.log_p)]
        means = [0.5 * (log[self._a] + log[self._b]) for log in logs]
        return KeptState(**vars(found), of_fluxes=np.concatenate(means))

    def without_divisors(self, it: Iterate, here: DensityState) -> Array:
        """The Jacobian's entries, whose divisors are constant."""
        entries: Array = it.J.data.copy()
        return entries

    def in_units(self, divisors: Any, here: Any, F: Array) -> Array:
        """The residual at densities, its equations of the fluxes divided by others."""
        scaled = F.copy()
        scaled[self._fluxes] *= np.exp(np.clip(here.of_fluxes - divisors.of_fluxes, -RANGE, RANGE))
        return scaled


class KeptStorage(CarrierStorage):
    """What the carriers store, in balances that are not divided by their densities."""

    def __init__(self, densities: KeptDensities) -> None:
        device, lay = densities.device, densities.device.layout
        free = np.flatnonzero(lay.carrier_free > 0.0)
        volumes = lay.at_rows(lay.volumes) / device.constants.thermal_voltage(densities.p["T"])
        blocks = [
            sign * csr_array(balances.of_nodes(csr_array(diags_array(volumes))))[free][:, free]
            for sign, balances in zip((-1.0, 1.0), densities.balances.values(), strict=True)
        ]
        self._take(densities, blocks)

    def weights(self, here: DensityState) -> Array:
        """What each density adds to each balance."""
        found: Array = self._weight * np.exp(here.log[self.of])
        return found


class SeriesPredictor:
    """Predictor: where Newton's method for the densities, or settling, leads from a guess.

    Parameters
    ----------
    name : str
        The voltage that is swept.
    p : dict
        The others that differ from the device's.
    """

    needs_tangent = False

    def __init__(self, form: KeptFluxes, name: str, p: Mapping[str, Any]) -> None:
        self._form, self._name, self._p = form, name, form.device.parameters | dict(p)
        self._levels = Levels(form.device, name, p)
        self.poisson = self._levels.poisson

    def predict(self, family: Any, here: Any, before: Any, p: float) -> Any:
        """Guess at a value."""
        guess = self._levels.after_long_step(self._form.state(here.x), here.p, p)
        if guess is None:
            return SecantPredictor().predict(family, here, before, p)
        at = self._p | {self._name: p}
        problem, y = self._form.problem.at(**at), self._form.whole(guess, at)
        for method in self._methods(at):
            result = problem.solve(y, method, raise_on_failure=False)
            self.poisson.costs.append(result.stats)
            if result.success:
                break
        return result.x

    def _methods(self, p: Mapping[str, Any]) -> tuple[solvers.NewtonMethod, solvers.NewtonMethod]:
        densities = KeptDensities(self._form, p)
        newton = replace(
            self._form.method(),
            limits=(),
            direction=DensityDirection(densities),
            damping=DensityMonotonicity(densities),
            max_iterations=FEW,
        )
        steps = EulerSteps(densities, KeptStorage, lambda: StepLength(FIRST, GROW))
        in_time = solvers.NewtonMethod(damping=steps, termination=Settled(), max_iterations=EFFORT)
        return newton, in_time


def sweep_in_series(
    device: Equations, x: np.ndarray, name: str, values: Sequence[float], p: Mapping[str, Any]
) -> Branch | None:
    """Sweep a voltage that junctions in series share; None for any other sweep."""
    if device.ions or device.heat is not None or not name.startswith("V_"):
        return None
    far = [b for a, b in itertools.pairwise(values) if abs(b - a) > LONG_STEP]
    whole = device.parameters | dict(p)
    if not far or not all(shares_voltage(device, whole | {name: value}) for value in far):
        return None
    form = form_of(device)
    predictor = SeriesPredictor(form, name, p)
    steps = Natural(predictor=predictor, max_solves=EACH * len(values))
    y = form.whole(x, {**p, name: values[0]})
    branch = partial_sweep(form.problem.at(**p), y, name, values, form.method(), steps)
    predictor.poisson.add_cost(branch.stats)
    return replace(branch, states=np.array([form.state(y) for y in branch.states]))
