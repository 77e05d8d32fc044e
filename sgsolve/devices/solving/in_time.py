"""Transients of a device: waveforms at its contacts and of its parameters, currents over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from ...errors import DataTypeError, InputError
from ...results import Branch
from ...results.blocks import Blocks
from ...transient import TimeEvent
from ..equations.argument_checks import parameter_checks
from ..equations.potential_form import Equations
from ..equations.time_form import TimeForm
from ..models.ions import ion_blocks
from ..models.trap_levels import level_blocks
from .kept_fluxes import form_of
from .start import solve_device

Waveform = float | Callable[[float], float]


def device_transient(
    device: Equations,
    waveforms: Mapping[str, Waveform],
    interval: Any,
    x0: np.ndarray | None,
    rtol: float,
    outputs: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> Branch:
    """Integrate a device in time; see `Device.transient`."""
    given = _by_parameter(device, waveforms)
    begin = _begin(interval)
    now = {name: wave(begin) if callable(wave) else wave for name, wave in given.items()}
    parameter_checks.overrides(device, now)
    if x0 is None:
        x0 = solve_device(device, None, now).x
    form = TimeForm(device, np.asarray(x0, dtype=float), device.parameters | now)
    currents = {f"I_{name}": form.current(name) for name in device.contacts}
    clash = sorted(set(currents) & set(outputs or {}))
    if clash:
        raise InputError(f"outputs: {clash[0]!r} is the current of a contact; take another name")
    shown = {name: _in_unknowns(f, device, form) for name, f in (outputs or {}).items()}
    events = options.get("events")
    if isinstance(events, Mapping):
        events = {name: _in_unknowns(one, device, form) for name, one in events.items()}
    run = form.problem.at(**given).transient(
        form.unknowns(x0, device.parameters | now),
        interval,
        rtol=rtol,
        outputs={**currents, **shown},
        **{**options, "atol": _tolerances(form, rtol, options.get("atol")), "events": events},
    )
    return _of_potentials(device, form, run, given)


def _in_unknowns(function: Any, device: Equations, form: TimeForm) -> Any:
    """A function of the state (psi, phin, phip) as one of the unknowns in time."""
    if isinstance(function, TimeEvent):
        return replace(function, function=_in_unknowns(function.function, device, form))
    if isinstance(function, tuple):
        return tuple(_in_unknowns(one, device, form) for one in function)
    if not callable(function):
        return function

    @wraps(function)
    def seen(y: Any, /, *args: Any, **p: Any) -> Any:
        return function(form.state(y, device.parameters | p), *args, **p)

    return seen


def _of_potentials(
    device: Equations, form: TimeForm, run: Branch, given: Mapping[str, Waveform]
) -> Branch:
    """The branch with its states as psi, phin and phip."""
    states = []
    for t, y in run:
        now = {name: wave(t) if callable(wave) else wave for name, wave in given.items()}
        states.append(form.state(y, device.parameters | now))
    rows = np.array(states).reshape(len(states), -1)
    blocks = Blocks(rows.shape[1], _state_blocks(device)) if states else None
    return replace(run, states=rows, blocks=blocks)


def _state_blocks(device: Equations) -> dict[str, slice]:
    """Return the blocks of a state in time: the potentials, then the densities of the ions."""
    found = dict(list(device.blocks().items())[:3])
    if device.keeps_fluxes:
        found |= {name: form_of(device).blocks()[name] for name in ("jn", "jp")}
    if device.heat is not None:
        found["heat"] = device.blocks()["heat"]
    found |= ion_blocks(device, max(part.stop for part in found.values()))
    return found | level_blocks(device, max(part.stop for part in found.values()))


def _tolerances(form: TimeForm, rtol: float, given: Any) -> Any:
    """Absolute tolerances; those that are given, by block, take the place of the device's own."""
    if given is not None and not isinstance(given, Mapping):
        return given
    return form.tolerances(rtol) | dict(given or {})


def _by_parameter(device: Equations, waveforms: Mapping[str, Waveform]) -> dict[str, Waveform]:
    """Waveforms by the names of parameters; a contact stands for its voltage."""
    if not isinstance(waveforms, Mapping):
        raise DataTypeError(
            f"waveforms must map contacts or parameters to numbers or functions of time, "
            f"not {waveforms!r}"
        )
    found = {}
    for name, wave in waveforms.items():
        full = f"V_{name}" if name in device.contacts else name
        if full not in device.parameters:
            parameter_checks.contact(device, name)
        if callable(wave) and np.ndim(device.parameters[full]) > 0:
            raise InputError(f"{name!r} is an array; only numbers can be functions of time")
        found[full] = wave
    return found


def _begin(interval: Any) -> float:
    try:
        return float(interval[0])
    except (TypeError, ValueError, IndexError) as error:
        raise DataTypeError(f"interval must be two times, not {interval!r}") from error
