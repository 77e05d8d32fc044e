"""The equations of a device with the fluxes on the edges as unknowns beside the potentials.

If the fluxes are eliminated, the rounding errors of their conductances hide recombination and
storage. With the fluxes as unknowns every balance is a sum of numbers of its own size::

    j(potentials) - j           = 0     on every edge, divided by its conductance
    sum j -+ U V                = 0     at every node

This form is used for small signals (`small_signal`), for devices in which a gate makes an inversion
layer that no contact reaches, and for the last steps of devices with floating regions. The level of
such a layer depends on generation alone, often 1e-18 of the conductances inside it. The form has
about 5/3 of the unknowns in one dimension.

Reference: F. Brezzi, L. D. Marini, P. Pietra, SIAM J. Numer. Anal. 26 (1989) 1342.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ... import ad, solvers
from ...continuation import Natural, SecantPredictor
from ...errors import ConvergenceError
from ...problem import Problem
from ...results import Branch, Result
from ...solvers.acceptance.termination import error_estimate
from ..equations.boundaries.boundary import fixed_potentials
from ..equations.boundaries.floating import majority
from ..equations.carriers import Carriers, after_fluxes, carriers
from ..equations.potential_form import Equations
from ..equations.rows import kept_balances
from ..equations.transport.conduction import conduction, fluxes
from ..equations.transport.heat_sources import heat_made
from ..equations.transport.ionization import ionized
from ..equations.transport.terminal import losses
from ..models.flux import absolute, flux_rows
from ..models.heat import contact_parameters, heat_balance, local_parameters
from ..models.interfaces import row_weight
from ..models.ions import conservation
from ..models.trap_levels import level_blocks, level_captures
from .moving_ions import kept_blocks, kept_rows, kept_storage, kept_unknowns, level_of_each
from .voltage_predictors import LONG_STEP, Levels, Poisson, Turn

Array = Any
ROUNDING = 64.0  # errors: an exponent of 60 multiplies the rounding errors of the potentials in it


@dataclass(frozen=True)
class KeptTolerance(solvers.ErrorTolerance):
    """Accept errors of fluxes that rounding of the potentials at their ends makes.

    Along a highly doped path at 100 V rounding errors are currents. In two dimensions these
    circulate, and no balance contains them. The balances hold, and the potentials are settled.

    Parameters
    ----------
    relative : float
        As of `ErrorTolerance`.
    fluxes : slice
        The fluxes, whose equations are numbered alike.
    """

    fluxes: slice = field(kw_only=True)

    def passed(self, it: solvers.Iterate) -> bool:
        """Whether every error is within tolerance, or that of a flux within rounding."""
        if super().passed(it):
            return True
        estimate = error_estimate(it) if it.k else math.inf
        if not math.isfinite(estimate):
            return False
        error = np.abs(it.step) * (estimate / it.step_size)
        large, part = error > self.relative * it.weights, self.fluxes
        in_rows = error[part] * np.abs(it.J.diagonal()[part])
        large[part] &= in_rows > ROUNDING * np.finfo(float).eps * it.S[part]
        return not large.any()


class KeptFluxes:
    """A device's equations in this form.

    Parameters
    ----------
    moving : bool
        Whether ions have a level at each node and a flux on each edge, for small signals. In the
        steady state each species has one level.

    Attributes
    ----------
    balances : dict of str to KeptBalances
        Those of electrons ("n") and of holes ("p").
    problem : Problem
        For psi, phin, phip, then the electron and the hole fluxes over ``q vt``; the levels of the
        ions, and their fluxes if they move; filled fractions of the trap levels.
    """

    def __init__(self, device: Equations, moving: bool = False) -> None:
        self.device, lay = device, device.layout
        self.n, self.m, self.edges = lay.n, lay.n_s, len(lay.carrier_ratio)
        self.first = max(part.stop for part in self._potentials().values())
        self.balances = {name: kept_balances(device, name) for name in "np"}
        self.moving, blocks = moving, kept_blocks if moving else level_of_each
        self._ions = blocks(device, self.first + 2 * self.edges)
        ended = max(
            (part.stop for part in self._ions.values()), default=self.first + 2 * self.edges
        )
        self._filled = level_blocks(device, ended)
        self.size = max((part.stop for part in self._filled.values()), default=ended)
        self.problem = Problem(
            self.residual,
            params=device.parameters,
            blocks=self.blocks(),
            scale=self.scale(),
            storage=self.stored if device.heat is None else None,
            compiled=device.compiled,
            backend=device.backend,
        )

    def blocks(self) -> dict[str, slice]:
        """Where the potentials and both fluxes are."""
        middle = self.first + self.edges
        fluxes = {"jn": slice(self.first, middle), "jp": slice(middle, middle + self.edges)}
        return self._potentials() | fluxes | self._ions | self._filled

    def scale(self) -> dict[str, float]:
        """The thermal voltage, for all potentials and levels."""
        levels = [f"level_{name}" for name in self.device.ions]
        return dict.fromkeys([*self._potentials(), *levels], self.device.thermal_voltage)

    def _potentials(self) -> dict[str, slice]:
        blocks = self.device.blocks()
        return {name: blocks[name] for name in ("psi", "phin", "phip", "heat") if name in blocks}

    def whole(self, x: np.ndarray, p: Mapping[str, Any]) -> np.ndarray:
        """Potentials with the fluxes that belong to them."""
        if len(x) == self.size:
            return x
        p = local_parameters(self.device, x, self.device.parameters | dict(p))
        s, rest = carriers(self.device, x, p), x[after_fluxes(self.device, x) :]
        filled = [level.steady(s, p) for level in self.device.trap_levels.values()]
        levels = rest[: len(self.device.ions)]
        ions = kept_unknowns(self.device, levels) if self.moving else [levels]
        more = [*fluxes(self.device, s, p), *ions, *filled]
        return np.concatenate([self.potentials(x), *more])

    def potentials(self, y: Array) -> Array:
        """The part of the unknowns that a device has otherwise."""
        return y[: self.first]

    def state(self, y: np.ndarray) -> np.ndarray:
        """Return the state of the device: the potentials, and the fluxes if they are needed."""
        if self.device.keeps_fluxes:
            return y
        levels = [y[self._ions[f"level_{name}"]][:1] for name in self.device.ions]
        return np.concatenate([self.potentials(y), *levels])

    def fluxes(self, y: Array) -> tuple[Array, Array]:
        """Return the fluxes of electrons and of holes."""
        middle = self.first + self.edges
        return y[self.first : middle], y[middle : middle + self.edges]

    def carriers(self, y: Array, p: Mapping[str, Any]) -> Carriers:
        """The state at these unknowns, with the ions and the filled fractions of trap levels."""
        s = carriers(self.device, self.potentials(y), self.device.parameters | dict(p))
        for i, (name, region) in enumerate(self.device.ions.items()):
            s.ions[i] = region.density(s.us, y[self._ions[f"level_{name}"]] / s.vt)
        if not self.device.trap_levels:
            return s
        return replace(s, filled=[y[part] for part in self._filled.values()])

    def residual(self, y: Array, /, **p: Any) -> Array:
        """Poisson's equation, both balances of the fluxes, heat, and what the fluxes are."""
        device, lay, n, m = self.device, self.device.layout, self.n, self.m
        given = contact_parameters(device, p)
        p = dict(local_parameters(device, y, given))
        s = self.carriers(y, p)
        demanded, free = fixed_potentials(device, given, s.vt), lay.carrier_free
        of_n, of_p = self.balances["n"], self.balances["p"]
        jn, jp = self.fluxes(y)
        lost_n, lost_p = losses(device, s, p)
        if device.ionization is not None:
            made = ionized(device, s, (jn, jp), p)
            lost_n, lost_p = lost_n - made, lost_p - made
        held_n = (1.0 - free) * (lay.first(s.un) - demanded[n : n + m])
        held_p = (1.0 - free) * (lay.first(s.up) - demanded[n + m :])
        parts = [
            device.charge_row(s, p),
            free * (of_n.divergence @ jn - of_n.of_nodes(lay.at_rows(lost_n))) + held_n,
            free * (of_p.divergence @ jp + of_p.of_nodes(lay.at_rows(lost_p))) + held_p,
        ]
        if device.heat is not None:
            parts.append(heat_balance(device, s, heat_made(device, s, (jn, jp), p), p))
        parts += self._flux_rows(s, (jn, jp), p)
        if self.moving:
            parts += kept_rows(device, s.us, y, self._ions, s.vt)
        elif device.ions:
            parts += [conservation(device, s.ions)]
        if s.filled is not None:
            parts += [-1.0 * part / s.vt for part in level_captures(device, s, s.filled, p)[2]]
        return ad.hstack(parts)

    def stored(self, y: Array, /, **p: Any) -> Array:
        """Carriers, in the balances; nothing in the other equations."""
        lay = self.device.layout
        s = self.carriers(y, p)
        weight = lay.volumes * lay.pair_free / s.vt
        nothing = np.zeros(self.n), np.zeros(2 * self.edges)
        held = [
            self.balances[name].of_nodes(lay.at_rows(part))
            for name, part in (("n", -weight * s.n), ("p", weight * s.p))
        ]
        traps = [
            (level.amount(p) / s.vt) * part
            for level, part in zip(self.device.trap_levels.values(), s.filled or [], strict=True)
        ]
        ions = [np.zeros(len(s.ions))]
        if self.moving:
            ions = kept_storage(self.device, s.ions, s.vt)
        return ad.hstack([nothing[0], *held, nothing[1], *ions, *traps])

    def solve(self, x: np.ndarray, p: Mapping[str, Any]) -> Result:
        """Solution near x."""
        result = self.problem.at(**p).solve(self.whole(x, p), self.method())
        return replace(result, x=self.state(result.x))

    def polished(self, x: np.ndarray, p: Mapping[str, Any]) -> np.ndarray | None:
        """Return the solution near x, or None where the steps do not settle."""
        found = self.problem.at(**p).solve(self.whole(x, p), self.method(), raise_on_failure=False)
        return self.state(found.x) if found.success else None

    def sweep(self, x: np.ndarray, name: str, values: Any, p: Mapping[str, Any]) -> Branch:
        """Sweep from x, the solution near the first value."""
        y = self.whole(x, {**p, name: values[0]})
        levels = self.device.keeps_fluxes
        predictor = LevelsWithFluxes(self, name, p) if levels else HeldLevels(self, name, p)
        steps = Natural(predictor=predictor)
        branch = partial_sweep(self.problem.at(**p), y, name, values, self.method(), steps)
        predictor.poisson.add_cost(branch.stats)
        return replace(branch, states=np.array([self.state(y) for y in branch.states]))

    def method(self) -> solvers.NewtonMethod:
        """Newton's method, steps of the potentials cut to their logarithm in units of kT/q.

        The equations are divided by numbers that change with the state, so a damping that compares
        them at two points would not serve.
        """
        # Potentials count as kT/q at least: that of a contact may be 0 but for rounding.
        rounded = solvers.RoundingLevel(ROUNDING, of_scale=True)
        settled = KeptTolerance(1e-10, fluxes=slice(self.first, self.first + 2 * self.edges))
        return solvers.NewtonMethod(
            limits=(solvers.LogDamping(self.scale()),),
            termination=solvers.ResidualTolerance(1e-11, of_scale=True) & (settled | rounded),
            max_iterations=100,
        )

    def _flux_rows(
        self, s: Carriers, kept: tuple[Array, Array], p: Mapping[str, Any]
    ) -> list[Array]:
        """Return the fluxes less those that are unknowns, over about the flux per drop."""
        device, lay, found = self.device, self.device.layout, []
        conducted, a, b = conduction(device, s, p), lay.carrier_a, lay.carrier_b
        of_electrons = "n", kept[0], s.n, s.log_n, (a, b), conducted[0]
        of_holes = "p", kept[1], s.p, s.log_p, (b, a), conducted[1]
        for name, j, density, log, ends, edges in (of_electrons, of_holes):
            size = np.abs(ad.value(row_weight(device, name, p)))
            flux = edges[0] * absolute(density, *ends, *edges[1:])
            found.append(flux_rows(flux, j, log, ends, edges, size))
        return found


class HeldLevels:
    """Predictor for `kept_fluxes`: the secant, or Poisson's equation for long steps of a voltage.

    A layer that no contact reaches keeps its level while the voltage of a gate changes.
    Parameters: the form, the name of the voltage, and the parameters that differ.
    """

    needs_tangent = False

    def __init__(self, form: KeptFluxes, name: str, p: Mapping[str, Any]) -> None:
        self.form, self.name, self.p = form, name, form.device.parameters | dict(p)
        self.poisson = Poisson(form.device)

    def predict(self, family: Any, here: Any, before: Any, p: float) -> Any:
        """Guess at a value."""
        x, params = self.form.state(here.x), self.p | {self.name: p}
        if self.name.startswith("V_") and (before is None or abs(p - here.p) > LONG_STEP):
            with contextlib.suppress(ConvergenceError):
                return self.form.whole(self.poisson.state(params, x), params)
        return SecantPredictor().predict(family, here, before, p)


class LevelsWithFluxes:
    """Predictor for devices with ionization: that of `Levels`, with the fluxes of its potentials.

    Parameters: the form, the name of the voltage, and the parameters that differ.
    """

    needs_tangent = False

    def __init__(self, form: KeptFluxes, name: str, p: Mapping[str, Any]) -> None:
        self.form, self.name, self.p = form, name, form.device.parameters | dict(p)
        self.levels = Levels(form.device, name, p)
        self.poisson, self._turn = self.levels.poisson, Turn()

    def predict(self, family: Any, here: Any, before: Any, p: float) -> Any:
        """Guess at a value."""
        extrapolated = SecantPredictor().predict(family, here, before, p)
        guess = None
        if self._turn.is_that_of_levels(here):
            guess = self.levels.after_long_step(here.x, here.p, p)
        return extrapolated if guess is None else self.form.whole(guess, self.p | {self.name: p})


def partial_sweep(
    problem: Problem, x: np.ndarray, name: str, values: Any, solver: Any, steps: Natural
) -> Branch:
    """Sweep a problem as far as it goes, without a warning."""
    try:
        return problem.sweep(x, name, values, solver=solver, steps=steps, raise_on_failure=True)
    except ConvergenceError as error:
        if not isinstance(error.result, Branch):
            raise
        return error.result


def form_of(device: Equations) -> KeptFluxes:
    """The form with the fluxes kept of a device, made once."""
    if "kept_fluxes" not in device.forms:
        device.forms["kept_fluxes"] = KeptFluxes(device)
    form: KeptFluxes = device.forms["kept_fluxes"]
    return form


def needed(device: Equations) -> bool:
    """Whether a device is solved in this form.

    With impact ionization or a tunnel junction, and where a layer may form that no contact
    reaches: all of one type, with a gate.
    """
    if device.keeps_fluxes:
        return True
    gated = any(contact.is_gate for contact in device.contacts.values())
    return gated and not all(where.any() for where in majority(device).values())
