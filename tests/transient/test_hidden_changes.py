"""Jumps and pulses of sources that no breakpoint announces."""

from math import exp, nextafter, sqrt

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.transient import Bdf, RungeKutta
from sgsolve.transient.hidden_changes import HiddenChanges
from sgsolve.transient.schedule import Schedule, before
from tests.selection import slow

METHODS = [Bdf(), RungeKutta(), RungeKutta("TR-BDF2")]
UP = sqrt(2.0)  # no sample and no step ends there


def charged(source):
    """v' = V(t) - v."""
    problem = Problem(lambda v, V=0.0: v - V, storage=lambda v: 1.0 * v)
    return problem.at(V=source)


def after_pulse(t, width):
    """The exact voltage after a pulse of height 1 from UP on."""
    return (1.0 - exp(-width)) * exp(UP + width - t)


@pytest.mark.parametrize("steps", METHODS, ids=repr)
def test_a_step_of_a_source_is_found_at_the_first_step_that_fails(steps):
    run = charged(lambda t: 1.0 * (t >= UP)).transient([0.0], (0.0, 4.0), steps=steps, rtol=1e-4)
    assert run.x[0] == pytest.approx(1.0 - exp(UP - 4.0), abs=5e-4)
    assert len(run.rejected) <= 2
    assert f"t = {UP:.9g}" in run.message
    assert before(UP) in run["t"]


@pytest.mark.parametrize("steps", METHODS, ids=repr)
@pytest.mark.parametrize("width", [0.3, 0.03])
@pytest.mark.parametrize("rtol", [1e-3, 1e-5])
def test_a_pulse_at_rest_is_not_stepped_over(steps, width, rtol):
    run = charged(lambda t: 1.0 * (UP <= t < UP + width)).transient(
        [0.0], (0.0, 4.0), steps=steps, rtol=rtol, atol=0.01 * rtol
    )
    assert run.x[0] == pytest.approx(after_pulse(4.0, width), rel=50 * rtol + 5e-4)
    assert "breakpoints" in run.message


@pytest.mark.parametrize("steps", [METHODS[0], *slow(*METHODS[1:])], ids=repr)
def test_a_smooth_pulse_at_rest_is_not_stepped_over(steps):
    width = 0.02
    run = charged(lambda t: exp(-(((t - 2.3) / width) ** 2))).transient(
        [0.0], (0.0, 4.0), steps=steps, rtol=1e-3
    )
    exact = width * sqrt(np.pi) * exp(2.3 - 4.0 + width**2 / 4)  # integral of exp(t - 4) V(t)
    assert run.x[0] == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("steps", METHODS, ids=repr)
@pytest.mark.parametrize("width", [0.3, 0.03])
def test_a_pulse_of_a_residual_with_the_time_in_it(steps, width):
    problem = Problem(
        lambda v, t: v - np.where((t >= UP) & (t < UP + width), 1.0, 0.0), storage=lambda v: 1.0 * v
    )
    run = problem.transient([0.0], (0.0, 4.0), steps=steps, rtol=1e-4, atol=1e-6)
    assert run.x[0] == pytest.approx(after_pulse(4.0, width), rel=1e-2)


def test_pulses_of_an_array_of_sources():
    ups = np.array([0.7, 1.9])
    problem = Problem(lambda v, V: v - V, params={"V": np.zeros(2)}, storage=lambda v: 1.0 * v)
    sources = problem.at(V=lambda t: 1.0 * ((t >= ups) & (t < ups + 0.3)))
    run = sources.transient(np.zeros(2), (0.0, 4.0), rtol=1e-4)
    assert run.x == pytest.approx((1 - exp(-0.3)) * np.exp(ups + 0.3 - 4.0), rel=2e-3)


def test_most_of_many_pulses_are_found():
    period, share = 4.0 / 40.0, 0.3
    run = charged(lambda t: 1.0 * ((t / period) % 1.0 < share)).transient(
        [0.0], (0.0, 4.0), rtol=1e-4
    )
    ripple = (1 - exp(-share * period)) * exp(-(1 - share) * period) / (1 - exp(-period))
    assert run.x[0] == pytest.approx(ripple * (1 - exp(-4.0)), abs=1e-3)
    assert " more, which was found" in run.message
    assert len(run.message) < 500


@pytest.mark.parametrize("steps", METHODS, ids=repr)
@pytest.mark.parametrize(
    "source", [lambda t: np.cos(t), lambda t: np.sin(20 * t), lambda t: t**2, lambda t: 1.0]
)
def test_smooth_sources_start_nothing_anew(steps, source):
    run = charged(source).transient([0.0], (0.0, 4.0), steps=steps, rtol=1e-3)
    assert "breakpoints" not in run.message


def test_rounding_of_a_source_is_no_change():
    hidden = HiddenChanges([lambda t: np.cos(70 * t) ** 2 + np.sin(70 * t) ** 2], None, 0.0, 1.0)
    assert hidden.within(0.1, 0.9, np.zeros(1), [], True) == np.inf


def test_a_hidden_change_is_located_to_rounding():
    hidden = HiddenChanges([lambda t: float(UP <= t < 1.5)], None, 0.0, 4.0)
    assert hidden.within(1.0, 2.0, np.zeros(1), [], True) == UP
    assert hidden.jump(1.0, 1.45) == UP
    assert hidden.jump(1.0, 2.0) is None
    assert hidden.within(2.0, 4.0, np.zeros(1), [], True) == np.inf


def test_short_pulses_are_looked_for_after_others():
    hidden = HiddenChanges([lambda t: float(0.5 <= t < 0.501)], None, 0.0, 1.0)
    assert hidden.within(0.4995, 0.5025, np.zeros(1), [], True) == np.inf
    assert hidden.within(0.4995, 0.5025, np.zeros(1), [0.2, 0.201], True) == 0.5


def test_stops_among_many_breakpoints():
    points = tuple(np.linspace(0.0, 1.0, 12)[1:-1].tolist())
    rows = np.array([0.0, 0.35, 0.5, 1.0])
    schedule, more = Schedule(0.0, 1.0, rows, points, exact=True), [0.123, 0.777]
    for t in [0.0, 0.1, 0.35, *points, *map(before, points), before(0.123), 0.5, 0.999]:
        ahead = [before(b) for b in (*points, *more) if before(b) > t]
        expected = min([1.0, *ahead, *(row for row in rows if row > t)])
        assert schedule.next_stop(t, more) == expected
        assert schedule.is_row(t) is (t in rows)
    assert schedule.rows_within(0.0, 0.5).tolist() == [0.35, 0.5]
    assert schedule.rows_within(0.35, nextafter(0.5, 0.0)).tolist() == []


@pytest.mark.parametrize("steps", METHODS, ids=repr)
def test_pulses_in_a_residual_are_found_while_the_unknowns_change(steps):
    """The first jump is found by a failing step; those after it were stepped over."""
    period, width, n = 1.0, 0.1, 6
    driven = Problem(lambda v, t: v - (np.mod(t, period) < width), storage=lambda v: 1.0 * v)
    run = driven.transient([0.0], (0.0, n * period), steps=steps, rtol=1e-5)
    exact = 0.0
    for _ in range(n):
        exact = (1.0 - (1.0 - exact) * exp(-width)) * exp(width - period)
    assert run.x[0] == pytest.approx(exact, abs=1e-4)
