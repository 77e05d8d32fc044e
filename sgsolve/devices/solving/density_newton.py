"""Newton's method for the densities of the carriers, in equations for their quasi-Fermi potentials.

In a given potential both balances are linear in the densities. Newton's method for the densities
then fills or empties a region in one step, however many decades that is. For quasi-Fermi
potentials, the logarithms of the densities, it takes one step for each factor of e. The unknowns
of a device are these potentials, because a density of 1e-1400 is no floating-point number. Two
changes make Newton's method the one for the densities:

* The balance of a node is divided by its own density. For a step this divisor is kept constant, so
  its derivative is taken out of the Jacobian. It vanishes at a solution.
* Newton's change of a density becomes a change of its logarithm: ``dn / n`` becomes
  ``log(1 + dn / n)``. A density falls to a tenth at most.

The damping compares two corrections, as `solvers.NaturalMonotonicity` does. The changes of a
density are measured relative to the larger one of its values before and after the step, and to the
other charges of its node. A density far below the doping does not change the potential, and in a
given potential its balance is linear. So its change is right at the end, however large.

References: S. J. Polak et al., Int. J. Numer. Methods Eng. 24 (1987) 763, on the choice of the
unknowns; P. Deuflhard, Newton Methods for Nonlinear Problems (2011), section 3.3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from ... import solvers
from ...errors import LinearSolveError
from ...pattern import Pattern
from ...results.status import Status
from ...solvers.state.iterate import Iterate
from ..equations.carriers import carriers
from ..equations.model import DeviceModel
from ..models.carrier_statistics import has_factor
from ..models.heat import contact_parameters, local_parameters
from .methods import REUSE

Array = np.ndarray
FALL = 0.9  # of a density in one step, at most
TINY = float(np.finfo(float).tiny)  # cm^-3, for no doping
RANGE = 600.0  # largest exponent of a ratio of densities
SHORTEST = 1e-3  # damping; below it a shorter step of the voltage costs less
SETTLED = 1e-6  # relative; rounding decides which of two such corrections is smaller
BOUND = 10.0  # factor by which the damping changes from one iteration to the next


@dataclass(frozen=True)
class DensityState:
    """Densities at a point, those that the balances of the free nodes are divided by.

    Attributes
    ----------
    log : ndarray, shape (k,)
        Their logarithms, electrons first.
    slope : ndarray, shape (k,)
        Their derivatives by the electrostatic potential, 1/V; those by the quasi-Fermi potential
        are the opposite.
    charged : ndarray, shape (k,)
        Logarithms of the sum of both densities and of the doping at their nodes.
    intrinsic : ndarray, shape (k,)
        Logarithms of the intrinsic density.
    """

    log: Array
    slope: Array
    charged: Array
    intrinsic: Array

    def share(self, other: Array) -> Array:
        """The densities relative to the sum of them and others, given by their logarithms."""
        found: Array = expit(self.log - other)
        return found


class Densities:
    """The densities that belong to the potentials of a device, and their changes in a step.

    Parameters
    ----------
    p : mapping
        All parameters, of which voltages do not matter.
    """

    def __init__(self, device: DeviceModel, p: Mapping[str, Any]) -> None:
        self.device, self.p, lay = device, p, device.layout
        free = np.flatnonzero(lay.carrier_free > 0.0)
        self._pairs, self.n = {}, lay.n
        for name in "np":
            unit = device.carrier_rows[name].reference[: lay.n_s].copy()
            roots = device.carrier_rows[name].roots
            unit[roots] = roots
            self._pairs[name] = unit[free]
        self.psi = lay.pair_nodes[np.concatenate([self._pairs["n"], self._pairs["p"]])]
        self.rows = np.concatenate([lay.n + free, lay.n + lay.n_s + free])

    def at(self, x: Array) -> DensityState:
        """The densities at the unknowns."""
        p = local_parameters(self.device, x, contact_parameters(self.device, self.p))
        s = carriers(self.device, x, p)
        doping = np.log(np.maximum(np.abs(p["doping"][self.device.layout.doped]), TINY))
        charged = np.logaddexp(np.logaddexp(s.log_n, s.log_p), doping)
        intrinsic = 0.5 * (s.log_n + s.log_p - (s.up - s.un))
        slope = []
        for k, (name, sign) in enumerate((("n", 1.0), ("p", -1.0))):
            pairs = self._pairs[name]
            warmth = 1.0 if s.warmth is None else s.warmth[pairs]
            own = sign / (s.vt * warmth) * np.ones(len(pairs))
            if has_factor(self.device.statistics) and s.eta is not None:
                own = own * (1.0 + self.device.statistics.log_gamma(s.eta[2 * k][pairs], 1))
            slope.append(own)
        n, h = self._pairs["n"], self._pairs["p"]
        return DensityState(
            np.concatenate([s.log_n[n], s.log_p[h]]),
            np.concatenate(slope),
            np.concatenate([charged[n], charged[h]]),
            np.concatenate([intrinsic[n], intrinsic[h]]),
        )

    def change(self, here: DensityState, step: Array) -> Array:
        """Relative changes of the densities, to first order in a step of the unknowns."""
        changes: Array = here.slope * (step[self.psi] - step[self.rows])
        return changes

    def converted(self, here: DensityState, step: Array) -> Array:
        """The step of the unknowns that changes the densities by what a step of Newton's says."""
        converted = step.copy()
        change = self.logarithmic(self.change(here, step))
        converted[self.rows] = step[self.psi] - change / here.slope
        return converted

    def logarithmic(self, change: Array) -> Array:
        """Changes of the logarithms, from relative changes of the densities."""
        found: Array = np.log1p(np.maximum(change, -FALL))
        return found

    def without_divisors(self, it: Iterate, here: DensityState) -> Array:
        """The Jacobian's entries where the divisors of the balances are constant."""
        pattern = it.system.pattern
        psi, own = it.workspace.derived("densities", pattern, lambda: self.places(pattern))
        more = it.F[self.rows] * here.slope
        entries: Array = it.J.data.copy()
        entries[psi] += more
        entries[own] -= more
        return entries

    def in_units(self, divisors: DensityState, here: DensityState, F: Array) -> Array:
        """The residual at densities, its balances divided by others."""
        ratio = np.clip(here.log - divisors.log, -RANGE, RANGE)
        scaled = F.copy()
        scaled[self.rows] *= np.exp(ratio)
        return scaled

    def places(self, pattern: Pattern) -> tuple[Array, Array]:
        """Where the derivatives of the balances by psi and by their own unknown are stored."""
        return _entry_places(pattern, self.rows, self.psi), _entry_places(
            pattern, self.rows, self.rows
        )


def _entry_places(pattern: Pattern, rows: Array, columns: Array) -> Array:
    """The places of entries in the data of a pattern."""
    found, order = Pattern.from_coordinates(rows, columns, pattern.shape)
    places: Array = pattern.positions(found)[order]
    return places


@dataclass(frozen=True, eq=False)
class DensityDirection:
    """Newton's direction with the divisors of the balances kept constant."""

    densities: Densities
    forms_jacobian = True

    def __repr__(self) -> str:
        return f"DensityDirection({self.densities.device!r})"

    def compute(self, it: Iterate) -> Status | None:
        """Set ``it.dx``, the change of the potentials to first order in those of the densities."""
        densities, pattern = self.densities, it.system.pattern
        x, here = it.memory.get("densities", (None, None))
        if x is not it.x or here is None:
            here = densities.at(it.x)
            it.memory["densities"] = it.x, here
        if not it.fresh:
            return self._with_kept_factors(it, here)
        it.memory["divisors"] = here
        entries = densities.without_divisors(it, here)
        if not np.isfinite(entries).all():
            return Status.NOT_FINITE
        original, it.J = it.J, pattern.matrix(entries)
        it.factorized, it.newton = False, True
        try:
            it.dx = it.newton_direction()
        except LinearSolveError as error:
            it.memory["cause"] = error
            return Status.LINEAR_SOLVE_FAILED
        finally:
            it.J = original
        return None

    def _with_kept_factors(self, it: Iterate, here: DensityState) -> Status | None:
        """The same from an old matrix, whose balances were divided by other densities."""
        it.newton, dx = False, it.correction
        if dx is None:
            dx = it.simplified(self.densities.in_units(it.memory["divisors"], here, it.F))
        if dx is None:
            return Status.LINEAR_SOLVE_FAILED
        it.dx = dx
        return None


@dataclass(frozen=True, eq=False)
class DensityMonotonicity:
    """Error-oriented damping of a step of the densities."""

    densities: Densities
    needs_direction = True
    needs_factorization = True

    def __repr__(self) -> str:
        return f"DensityMonotonicity({self.densities.device!r})"

    def advance(self, it: Iterate) -> Status | None:
        """Shorten the step until the simplified correction is smaller than it."""
        densities, (_, here) = self.densities, it.memory["densities"]
        size = DensityMeasure(densities, here, it.x, it.dx, here.share(here.charged))
        full, finite, first = size.of_step, False, True
        damping = _predicted(it, size, full)
        while damping >= SHORTEST:
            x = it.x + densities.converted(here, damping * it.dx)
            F = it.evaluate(x)
            correction = None
            if F is not None:
                there = densities.at(x)
                scaled = densities.in_units(it.memory["divisors"], there, F)
                correction = it.simplified(scaled)
            if F is None or correction is None:
                damping, first = 0.5 * damping, False
                continue
            finite = True
            worse = full > SETTLED and not size(correction) < full
            best = 1.0
            if worse or damping < 1.0:
                gap = size(correction - (1.0 - damping) * it.dx)
                best = min(1.0, 0.5 * full * damping**2 / gap) if gap > 0.0 else 1.0
            if worse:
                damping, first = min(max(best, 0.1 * damping), 0.5 * damping), False
                continue
            if first and best >= 4.0 * damping and damping < 1.0:
                damping, first = min(best, BOUND * damping), False
                continue
            it.memory["density step"] = it.dx, correction, damping
            it.limited = bool(np.abs(size.change).max(initial=0.0) > 0.1)
            it.accept(x, F, damping)
            it.memory["densities"] = x, there
            if damping == 1.0 and not it.limited:
                it.correction = correction
            return None
        return Status.DAMPING_FAILED if finite else Status.NOT_FINITE


class DensityMeasure:
    """Size of a change of psi, in units of its own, and of densities, before and after a step.

    Parameters
    ----------
    weights : ndarray, shape (k,)
        What the relative changes of the densities count.

    Attributes
    ----------
    change : ndarray, shape (k,)
        The changes of the densities in the step.
    of_step : float
        The size of the step.
    """

    def __init__(
        self, densities: Densities, here: DensityState, x: Array, step: Array, weights: Array
    ) -> None:
        self._densities, self._here, n = densities, here, densities.n
        vt = densities.device.constants.thermal_voltage(densities.p["T"])
        self._psi = 1.0 / np.maximum(np.abs(x[:n]), vt)
        self.change = densities.change(here, step)
        self._density = weights / np.maximum(1.0 + self.change, 1.0)
        self.of_step = self._of(step, self.change)

    def __call__(self, step: Array) -> float:
        """The size of another step from the same point."""
        return self._of(step, self._densities.change(self._here, step))

    def _of(self, step: Array, change: Array) -> float:
        psi, density = step[: self._densities.n] * self._psi, change * self._density
        return float(np.sqrt((psi @ psi + density @ density) / (len(psi) + len(density))))


def _predicted(it: Iterate, size: DensityMeasure, full: float) -> float:
    """A priori damping, from the last correction."""
    memory = it.memory.get("density step")
    if memory is None:
        return 1.0
    before, correction, damping = memory
    gap = size(correction - it.dx)
    if gap * full == 0.0:
        return 1.0
    predicted = size(before) * size(correction) / (gap * full) * damping
    return float(min(1.0, max(predicted, damping / BOUND), BOUND * damping))


def density_method(
    device: DeviceModel,
    p: Mapping[str, Any],
    termination: solvers.TerminationTest,
    max_iterations: int,
) -> solvers.NewtonMethod:
    """Newton's method for the densities of a device, at given parameters but for the voltages."""
    densities = Densities(device, p)
    return solvers.NewtonMethod(
        direction=DensityDirection(densities),
        damping=DensityMonotonicity(densities),
        termination=termination,
        reuse=REUSE,
        max_iterations=max_iterations,
    )
