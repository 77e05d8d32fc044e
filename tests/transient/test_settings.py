"""Settings of time integrators, times and tolerances: what cannot be right is refused."""

import re

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.errors import (
    ConvergenceError,
    DataTypeError,
    InputError,
    NotFiniteError,
    ParameterError,
)
from sgsolve.results.blocks import Blocks
from sgsolve.transient import Bdf, FixedSteps, RungeKutta, TimeEvent
from sgsolve.transient.error_weights import ErrorWeights

DECAY = Problem(lambda v: v, storage=lambda v: 1.0 * v)
DRIVEN = Problem(lambda v, V: v - V, params={"V": 0.0}, storage=lambda v: 1.0 * v)


def run(**options):
    return DECAY.transient([1.0], (0.0, 1.0), **options)


CASES = {
    "order": (lambda: Bdf(max_order=6), InputError, "max_order must be 1 to 5, not 6"),
    "order of text": (lambda: Bdf(max_order="2"), InputError, "max_order must be 1 to 5"),
    "method": (lambda: RungeKutta("RK4"), InputError, "'RK4'"),
    "fixed method": (lambda: FixedSteps("Euler", 0.1), InputError, "no method 'Euler'"),
    "fixed method 5": (lambda: FixedSteps(5, 0.1), DataTypeError, "a name or a Bdf"),
    "fixed step": (lambda: FixedSteps("BDF2", 0.0), InputError, "step must be a positive number"),
    "a class": (lambda: run(steps=Bdf), InputError, r"call it: Bdf\(\)"),
    "steps": (lambda: run(steps=5), DataTypeError, "steps must be Bdf"),
    "start": (lambda: run(start="cold"), InputError, "start must be one of"),
    "rtol": (lambda: run(rtol="1"), DataTypeError, "rtol must be a number"),
    "rtol of 2": (lambda: run(rtol=2.0), InputError, "rtol must be at least 1e-13 and below 1"),
    "times of text": (lambda: run(times=["a"]), DataTypeError, "times must be times"),
    "times, two axes": (lambda: run(times=[[0.1]]), InputError, r"not of shape \(1, 1\)"),
    "times, NaN": (lambda: run(times=[np.nan]), NotFiniteError, "not finite"),
    "times outside": (lambda: run(times=[2.0]), InputError, "must lie within the run from 0 to 1"),
    "times falling": (lambda: run(times=[0.5, 0.2]), InputError, "must increase"),
    "first_step": (lambda: run(first_step=0.0), InputError, "first_step must be positive"),
    "max_step": (lambda: run(max_step="a"), DataTypeError, "max_step must be a number"),
    "max_steps": (lambda: run(max_steps=0), InputError, "max_steps must be a whole number"),
    "max_steps of text": (lambda: run(max_steps="9"), DataTypeError, "max_steps must be a number"),
    "a source of x": (
        lambda: DRIVEN.at(V=lambda x: 1.0),
        ParameterError,
        "parameter 'V' must be a number.*; a function of time has one argument, t",
    ),
    "event": (lambda: TimeEvent(3), DataTypeError, "an event must be a function of x, not 3"),
    "direction": (lambda: TimeEvent(np.max, "up"), InputError, "direction must be a number"),
    "direction NaN": (lambda: TimeEvent(np.max, np.nan), InputError, "direction"),
    "events": (lambda: run(events=[np.max]), DataTypeError, "events must map names"),
    "on_event": (
        lambda: run(on_event={"e": lambda x: x}),
        InputError,
        "on_event names 'e', which is no event",
    ),
    "event of truth": (
        lambda: run(events={"e": lambda v: v[0] > 0.5}),
        DataTypeError,
        r"event 'e' returned .*True.*x\[0\] - 0.5 instead of x\[0\] > 0.5",
    ),
    "event of an array of truth": (
        lambda: run(events={"e": lambda v: v > 0.5}),
        DataTypeError,
        r"event 'e' returned array.*x\[0\] - 0.5 instead of x\[0\] > 0.5",
    ),
    "event of NaN": (
        lambda: run(events={"e": lambda v: float("nan")}),
        DataTypeError,
        "event 'e' is not a number at t = 0",
    ),
    "interpolate": (
        lambda: run(interpolate="no"),
        DataTypeError,
        "interpolate must be True or False, not 'no'",
    ),
    "dense_output": (
        lambda: run(dense_output=1),
        DataTypeError,
        "dense_output must be True or False, not 1",
    ),
    "source of nothing": (
        lambda: DRIVEN.at(V=lambda t: None).transient([1.0], (0.0, 1.0)),
        DataTypeError,
        "parameter 'V' is a function of time that returned None at t = 0; it must return a real",
    ),
    "complex storage": (
        lambda: Problem(lambda v: v, storage=lambda v: 1j * v).transient([1.0], (0.0, 1.0)),
        DataTypeError,
        "storage returned dtype complex128; it must return real numbers",
    ),
    "storage": (
        lambda: Problem(lambda v: v, storage=5),
        DataTypeError,
        "storage must be a function or a name, not 5",
    ),
    "no storage": (
        lambda: Problem(lambda v: v).transient([1.0], (0.0, 1.0)),
        InputError,
        "transient needs Q",
    ),
    "weights": (
        lambda: ErrorWeights(Blocks(1), 0.0, None, None),
        InputError,
        "rtol must be positive, not 0.0",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_right_is_refused_before_the_run(name):
    call, error, said = CASES[name]
    with pytest.raises(error, match=said):
        call()


def test_the_absolute_tolerance_follows_the_scale_of_the_problem():
    weights = ErrorWeights(Blocks(2), 1e-3, None, np.array([1.0, 1e6]))
    assert weights.weights(np.zeros(2)).tolist() == pytest.approx([1e3, 1e-3])
    problem = Problem(lambda v: v, storage=lambda v: 1.0 * v, scale=[1e-3])
    found = problem.transient([1e-3], (0.0, 1.0), rtol=1e-6).x[0]
    assert found == pytest.approx(1e-3 * np.exp(-1.0), rel=1e-4)


@pytest.mark.parametrize(
    ("scale", "atol", "said"),
    [(1e12, None, True), (None, 10.0, True), (1e2, None, False), (None, 1e-3, False)],
)
def test_a_tolerance_above_all_unknowns_is_remarked(scale, atol, said):
    problem = Problem(lambda v: v**2 - 2.0, storage=lambda v: 1.0 * v, scale=scale)
    found = problem.transient([1.0], (0.0, 1.0), atol=atol)
    assert found.success
    assert ("no error was controlled" in found.message) == said
    exact = np.sqrt(2.0) * np.tanh(np.sqrt(2.0) + np.arctanh(np.sqrt(0.5)))
    assert said or found.x[-1] == pytest.approx(exact, rel=1e-2)


def test_a_source_that_is_not_finite_ends_the_run_by_name():
    driven = DRIVEN.at(V=lambda t: float("nan") if t > 0.5 else 1.0)
    with pytest.raises(ConvergenceError, match=r"t = 0.5.*parameter 'V' is nan"):
        driven.transient([1.0], (0.0, 1.0), raise_on_failure=True)


def test_a_run_says_that_a_large_unknown_hides_the_errors_of_a_small_one():
    def residual(y, unit=1.0):  # Van der Pol: |y[0]| <= 2, and y[1] passes 1e6 / unit
        rate = unit * y[1]
        return -np.stack([rate, 1e6 * ((1.0 - y[0] ** 2) * rate - y[0]) / unit])

    problem, times = Problem(residual, storage=lambda y: 1.0 * y), (0.0, 1.2)
    run = problem.transient([2.0, 0.0], times, rtol=1e-4)
    assert "never larger" not in run.message  # each of few unknowns has its own size
    assert run.x[0] == pytest.approx(-1.8, abs=0.5)
    tiny = problem.at(unit=1e-6)
    run = tiny.transient([2.0, 0.0], times, rtol=1e-4)
    assert re.search(r"x\[0\] was never larger than 2,.* 1 of 2 unknowns .* give atol", run.message)
    run = tiny.transient([2.0, 0.0], times, rtol=1e-4, atol=[1e-4, 1e2])
    assert "never larger" not in run.message
    assert run.x[0] == pytest.approx(-1.8, abs=0.5)
    named = Problem(residual, storage=lambda y: 1.0 * y, blocks={"y": slice(0, 1), "v": [1]})
    run = named.at(unit=1e-6).transient([2.0, 0.0], times, rtol=1e-4)
    assert "never larger" not in run.message


def test_a_voltage_without_storage_is_controlled_beside_large_concentrations():
    """One tolerance for both let the voltage run to -34 and ended the run."""
    n, dr = 40, 0.25

    def residual(z, current):
        c, overvoltage, voltage = z[:n], z[n], z[n + 1]
        flux = np.r_[0.0, -(c[1:] - c[:-1]) / dr, 1e-3 * current]
        surface = c[-1] / 3e4
        return np.r_[
            flux[1:] - flux[:-1],
            2.0 * np.sqrt(surface * (1.0 - surface)) * np.sinh(20.0 * overvoltage) - 0.1 * current,
            voltage - 4.0 + surface + overvoltage,
        ]

    problem = Problem(
        residual, storage=lambda z: np.r_[dr * z[:n], 0.0, 0.0], params={"current": 1.0}
    )
    x0 = np.r_[np.full(n, 2.4e4), 0.0, 4.0]
    run = problem.transient(x0, (0.0, 1e4))
    assert run.success
    assert "not well controlled" not in run.message
    surface = run.states[:, n - 1] / 3e4
    exact = np.arcsinh(0.05 / np.sqrt(surface * (1.0 - surface))) / 20.0
    assert run.states[:, n] == pytest.approx(exact, rel=2e-3)
    assert run.states[:, n + 1] == pytest.approx(4.0 - surface - exact, rel=2e-3)


def test_a_pulse_in_space_has_unknowns_of_all_magnitudes_and_no_remark():
    x = np.linspace(-1.0, 1.0, 201)
    start = np.exp(-200.0 * x**2)

    def residual(u):
        v = np.concatenate([u[:1], u, u[-1:]])
        return -(v[2:] - 2.0 * v[1:-1] + v[:-2])

    run = Problem(residual, storage=lambda u: 1.0 * u).transient(start, (0.0, 1.0))
    assert run.success
    assert "never larger" not in run.message
