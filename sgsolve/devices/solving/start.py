"""Solves without an initial guess: neutral potential, Poisson's equation, then light, then bias.

Equilibrium is easy to solve from the neutral potential. Every other state is reached from
equilibrium by a sweep.

Reference: S. Selberherr, Analysis and Simulation of Semiconductor Devices (1984), section 7.1.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...continuation import Natural
from ...errors import ConvergenceError
from ...results import Branch, PartialBranchWarning, Result
from ...results.history import Stats
from ...results.status import Status
from ...solvers import Robust, Stage
from ...user_warnings import warn
from ..equations.argument_checks import device_checks, parameter_checks, unit_checks
from ..equations.boundaries.floating import has_floating_regions
from ..equations.boundaries.neutrality import neutral
from ..equations.carriers import carriers
from ..equations.potential_form import QUASI, Equations
from ..models.ions import conservation
from .density_newton import density_method
from .estimates.levels import blocks_nowhere, may_switch
from .kept_densities import sweep_in_series
from .kept_fluxes import form_of, needed, partial_sweep
from .methods import UNHURRIED, accurate, coupled_method, poisson_method
from .resolved import UNCONFIRMED, confirmed, warn_if_unresolved
from .settling import SWITCHED, LastState, SwitchedWarning, settling
from .voltage_predictors import Levels, Poisson

ROUNDS = 2  # of Poisson's equation and the levels of ions, before both at once
FEW = 25  # iterations for the densities
MORE = 30  # solves for each value, on the average, with steps of the densities
FEWER = 2  # the same with floating regions, where short steps help little
NEAR = 5.0  # thermal voltages: the largest step of a fine sweep
SHORT = 40  # iterations of each method in a sweep over a voltage
EFFORT = 2  # factorizations that fail in the last attempt, relative to all before it


def equilibrium(device: Equations, p: Mapping[str, Any]) -> np.ndarray:
    """Solution without voltages and in the dark: Poisson's equation from the neutral potential."""
    still = _at_rest(device, p)
    vt = device.constants.thermal_voltage(still["T"])
    psi = _first_potential(device, still, vt)
    result = device.poisson_problem.at(**still).solve(psi, poisson_method(vt))
    x = np.concatenate([result.x, np.zeros(2 * device.layout.n_s)])
    if device.ions:
        x = _with_ions(device, x, still)
    if device.heat is not None:
        x = np.concatenate([x, np.zeros(device.layout.n)])
    return form_of(device).whole(x, still) if device.keeps_fluxes else x


def _with_ions(device: Equations, x: np.ndarray, p: Mapping[str, Any]) -> np.ndarray:
    """Equilibrium with the ions at their numbers, from one with them at arbitrary levels."""
    vt, n = device.constants.thermal_voltage(p["T"]), device.layout.n
    levels = np.array([np.mean(x[device.layout.pair_nodes[r.nodes]]) for r in device.ions.values()])
    for _ in range(ROUNDS):
        now = {f"level_{name}": level for name, level in zip(device.ions, levels, strict=True)}
        problem = device.poisson_problem.at(**{**p, **now, QUASI: x[n:]})
        x = np.concatenate([problem.solve(x[:n], poisson_method(vt)).x, x[n:]])
        off = conservation(device, carriers(device, x, {**p, **now}).ions)
        charges = np.array([r.ion.charge for r in device.ions.values()])
        levels = levels - vt * off / charges
    problem = device.electrostatic_problem.at(**{**p, QUASI: x[n:]})
    found = problem.solve(np.concatenate([x[:n], levels]), coupled_method(vt)).x
    return np.concatenate([found[:n], x[n:], found[n:]])


def _first_potential(device: Equations, p: Mapping[str, Any], vt: float) -> np.ndarray:
    """Neutral in the semiconductor; on insulators the mean of what the gates ask for."""
    lay = device.layout
    psi = np.zeros(lay.n)
    gates = [c.offset for c in device.contacts.values() if c.is_gate]
    psi[:] = np.mean(gates) if gates else 0.0
    psi[lay.nodes] = vt * neutral(device, p, vt, np.arange(lay.n_s))
    return psi


def _at_rest(device: Equations, p: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with all voltages and the generation at zero."""
    parameter_checks.overrides(device, p)
    still = device.parameters | dict(p)
    return still | {f"V_{name}": 0.0 for name in device.contacts} | {"G": 0.0}


def solve_device(device: Equations, x0: np.ndarray | None, p: Mapping[str, Any]) -> Result:
    """Solve at given parameters; from a cold start the light and the voltages are turned on."""
    if x0 is not None:
        device_checks.state(device, "x0", x0)
    parameter_checks.overrides(device, p)
    unit_checks.warn_of_values(device, p)
    return _started(device, p, x0)


def _started(device: Equations, p: Mapping[str, Any], x0: np.ndarray | None = None) -> Result:
    """Solve from x0, or from a cold start."""
    if x0 is None:
        x0 = _turned_on(device, p)
    if needed(device):
        return form_of(device).solve(x0, p)
    result = device.problem.at(**p).solve(x0, coupled_method(device.thermal_voltage))
    found = confirmed(device, [(result.x, p)])[0]
    if found is None:
        result.status = Status.LOCAL_MINIMUM
        result.message = f"{result.status.text}: the state that was found {UNCONFIRMED}"
        raise ConvergenceError(result.message, result)
    result.x = found
    warn_if_unresolved(device, [(result.x, p)])
    return result


def _turned_on(device: Equations, p: Mapping[str, Any]) -> np.ndarray:
    """From equilibrium, each in one step or in as many as it takes: the light, the voltages."""
    x, reached, wanted = equilibrium(device, p), _at_rest(device, p), device.parameters | dict(p)
    light = wanted["G"]
    if np.ndim(light) > 0:  # a field is turned on by a number
        reached["profile"], light = light * wanted["profile"], 1.0
    path = {"G": light} | {f"V_{name}": wanted[f"V_{name}"] for name in device.contacts}
    for name, value in path.items():
        if np.any(value != 0.0):
            others = {k: v for k, v in reached.items() if k != name}
            x = _swept(device, x, name, [0.0, value], others, True).x
            reached[name] = value
    return x


def _constant_mobilities(device: Equations) -> bool:
    """Whether mobilities do not depend on the quasi-Fermi potentials.

    The balances are then linear in the densities at given potentials, those of floating regions
    too.
    """
    return device.mobility is None or device.field == "potential"


def _swept(
    device: Equations,
    x: np.ndarray,
    name: str,
    values: Sequence[float],
    p: Mapping[str, Any],
    raise_on_failure: bool = False,
) -> Branch:
    """Sweep in the form that the device needs; with a warning where a value is not reached."""
    if needed(device):
        branch = form_of(device).sweep(x, name, values, p)
    else:
        branch = _swept_potentials(device, x, name, values, p)
    if branch.success or branch.status is Status.INTERRUPTED:
        return branch
    if branch.folds and name.startswith("V_"):
        found, _, _ = branch.message.partition(" What to try:")
        branch.message = (
            f"{found} What to try: beyond it the current tells the states apart, not the voltage: "
            f"drive_current(device, {name.removeprefix('V_')!r}, currents)"
        )
    if raise_on_failure or not len(branch):
        raise ConvergenceError(branch.message, branch)
    warn(branch.message, PartialBranchWarning)
    return branch


def _swept_potentials(
    device: Equations, x: np.ndarray, name: str, values: Sequence[float], p: Mapping[str, Any]
) -> Branch:
    """Sweep the potentials, by one solver after the other."""
    in_series = sweep_in_series(device, x, name, values, p)
    if in_series is not None and (in_series.success or in_series.status is Status.INTERRUPTED):
        _warn_if_turned_over(device, in_series)
        return in_series
    predictor, branches = Levels(device, name, p), list[Branch]()
    problem, solvers = device.problem.at(**p), _attempts(device, name, values, p, predictor.last)
    for solver in solvers:
        predictor.restart(trusted=not branches)
        steps = Natural(predictor=predictor)
        if not branches and _constant_mobilities(device) and name.startswith("V_"):
            each = FEWER if has_floating_regions(device) else MORE
            steps = replace(steps, max_solves=each * len(values))
        elif solver is solvers[-1] and any(len(branch) for branch in branches):
            before = sum(branch.stats.n_factor for branch in branches)
            steps = replace(steps, max_failed=EFFORT * before)
        branches.append(partial_sweep(problem, x, name, values, solver, steps))
        if predictor.last.settled:
            _warn_if_turned_over(device, branches[-1])
        if branches[-1].success or branches[-1].folds:
            break  # no solver passes a fold
        if branches[-1].status is Status.INTERRUPTED:
            break
    found = _furthest(branches, predictor.poisson)
    if in_series is not None:
        found.stats.add(in_series.stats)
    return found


def _warn_if_turned_over(device: Equations, branch: Branch) -> None:
    """Warn where the end of a sweep may be the state of a device of four layers that is on."""
    if not branch.success or not may_switch(device):
        return
    x, p = branch.at(-1)
    if blocks_nowhere(device, x, device.parameters | p):
        warn(SWITCHED.format(branch.name, branch.name.removeprefix("V_")), SwitchedWarning)


def _furthest(branches: Sequence[Branch], poisson: Poisson) -> Branch:
    """Return the branch that went furthest, of equal ones the last, with the costs of all."""
    best = branches[-1]
    if best.status is not Status.INTERRUPTED:
        best = max(reversed(branches), key=lambda branch: (len(branch), bool(branch.folds)))
    total = Stats()
    for branch in branches:
        total.add(branch.stats)
    poisson.add_cost(total)
    best.stats = total
    return best


def _attempts(
    device: Equations, name: str, values: Sequence[float], p: Mapping[str, Any], last: LastState
) -> list[Robust]:
    """Solvers of a sweep, each for what those before it do not reach.

    A step of a voltage that takes long is better made shorter, so all but the last take few
    iterations. Newton's method for the densities reaches far; steps of a few thermal voltages take
    more of its iterations than of those for the potentials.
    """
    vt = device.thermal_voltage
    if not name.startswith("V_"):
        return [coupled_method(vt)]
    whole = device.parameters | dict(p)
    attempts = [coupled_method(vt, SHORT, SHORT // 2), coupled_method(vt)]
    damped, cold = attempts[0].stages
    # Heat is not stored: of two hot states time would tell another one than theirs.
    slow = () if device.heat else (Stage(settling(device, whole, last), from_best=False),)
    if not _constant_mobilities(device):
        stages = (damped, *(slow or (cold,)))
        return [Robust(stages=stages, patience=UNHURRIED), attempts[1]]
    first = Stage(density_method(device, whole, accurate(), FEW))
    short = len(values) > 1 and _longest_step(values) <= NEAR * vt
    stages = (first, *(slow or (damped,)))
    attempts.insert(1 if short else 0, Robust(stages=stages, patience=UNHURRIED))
    return attempts


def _longest_step(values: Sequence[float]) -> float:
    """Return the longest step of a sweep."""
    return float(np.max(np.abs(np.diff(values)), initial=0.0))


def sweep_device(
    device: Equations,
    name: str,
    values: Sequence[float],
    x0: np.ndarray | None,
    p: Mapping[str, Any],
) -> Branch:
    """Sweep a voltage or any other parameter through values."""
    if x0 is not None:
        device_checks.state(device, "x0", x0)
    name = parameter_checks.values(device, name, values)
    parameter_checks.overrides(device, p)
    unit_checks.warn_of_values(device, {**p, name: np.asarray(values)})
    if x0 is None:
        x0 = _started(device, {**p, name: values[0]}).x
    branch = _swept(device, x0, name, values, p)
    if needed(device):
        return branch
    branch = _confirmed_part(device, branch)
    warn_if_unresolved(device, (branch.at(i) for i in range(len(branch))))
    return branch


def _confirmed_part(device: Equations, branch: Branch) -> Branch:
    """The branch up to the first point that is not confirmed, with a warning if there is one."""
    found = confirmed(device, [branch.at(i) for i in range(len(branch))])
    states = list(itertools.takewhile(lambda x: x is not None, found))
    many = len(states)
    if many == len(branch):
        return replace(branch, states=np.array(states))
    status = Status.LOCAL_MINIMUM
    message = (
        f"{many} of {len(branch)} values of {branch.name!r} solved, the next one not: "
        f"{status.text}; the state at {branch.parameter[many]:.10g} {UNCONFIRMED}"
    )
    if not many:
        raise ConvergenceError(message, branch)
    warn(message, PartialBranchWarning)
    return replace(
        branch,
        columns={name: values[:many] for name, values in branch.columns.items()},
        states=np.array(states),
        status=status,
        message=message,
        reached=float(branch.parameter[many - 1]),
        special_points=[one for one in branch.special_points if one.index < many],
    )
