"""Methods for time steps from outside the package: what `Problem.transient` asks of them."""

from dataclasses import dataclass

import numpy as np
import pytest

from sgsolve import Problem, transient
from sgsolve.errors import DataTypeError, InputError
from sgsolve.transient.methods.runge_kutta import RungeKuttaStepper
from sgsolve.transient.methods.tableaus import Tableau

G = 0.4358665215084590  # root of g^3 - 3 g^2 + 3/2 g - 1/6: L-stable


def kvaerno():
    """A. Kvaerno, BIT 44 (2004) 489: order 3, with two stages at the end of the step."""
    embedded = [(-4 * G**2 + 6 * G - 1) / (4 * G), (1 - 2 * G) / (4 * G), G]
    last = [(6 * G - 1) / (12 * G), -1 / ((24 * G - 12) * G), (-6 * G**2 + 6 * G - 1) / (6 * G - 3)]
    rows = [[], [G, G], embedded, [*last, G]]
    return Tableau.of("Kvaerno 3(2)", rows, [*embedded, 0.0], (3, 2))


@dataclass(frozen=True)
class Kvaerno:
    def make(self, implicit, stores, fixed=False):
        return RungeKuttaStepper(implicit, kvaerno(), stores, fixed=fixed)


@dataclass(frozen=True)
class Halves:
    """A method without variable steps: it declares their length."""

    step: float

    def make(self, implicit, stores, fixed=False):
        return transient.Bdf(1, ndf=False).make(implicit, stores, fixed=True)


def relaxation(x, t, rate):
    """x' = -rate (x - cos t)."""
    return rate * (x - np.cos(t))


def exact(t, rate):
    size = rate / (1.0 + rate**2)
    return size * (rate * np.cos(t) + np.sin(t)) - size * rate * np.exp(-rate * t)


def problem():
    return Problem(relaxation, params={"rate": 3.0}, storage=lambda x: x)


def test_a_method_of_ones_own_has_its_order():
    errors = []
    for steps in (20, 40):
        fixed = transient.FixedSteps(Kvaerno(), 1.0 / steps)
        run = problem().transient([0.0], (0.0, 1.0), steps=fixed, rtol=1e-11, atol=1e-11)
        assert len(run) == steps + 1
        errors.append(abs(run.x[0] - exact(1.0, 3.0)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(3.0, abs=0.25)


def test_it_controls_its_error_after_events_and_restarts():
    up = {"up": lambda x, t: x[0] - 0.5}
    run = problem().transient(
        [0.0], (0.0, 2.0), steps=Kvaerno(), rtol=1e-7, events=up, breakpoints=[0.7]
    )
    assert run.x[0] == pytest.approx(exact(2.0, 3.0), abs=1e-5)
    places = [event.parameter for event in run.special_points]
    assert len(places) == 2
    assert exact(np.array(places), 3.0) == pytest.approx(0.5, abs=1e-5)


def test_its_run_is_differentiated_by_a_parameter():
    found = problem().transient_sensitivity([0.0], (0.0, 1.0), "rate", steps=Kvaerno(), rtol=1e-6)
    d = 1e-6
    expected = (exact(1.0, 3.0 + d) - exact(1.0, 3.0 - d)) / (2.0 * d)
    assert found.derivative[0] == pytest.approx(expected, abs=1e-4)


def test_steps_of_one_length_are_declared():
    run = problem().transient([0.0], (0.0, 1.0), steps=Halves(0.125))
    assert run["t"].tolist() == (np.arange(9) / 8).tolist()
    x = 0.0
    for t in run["t"][1:]:  # backward Euler by hand
        x = (x + 0.125 * 3.0 * np.cos(t)) / (1.0 + 0.125 * 3.0)
    assert run.x[0] == pytest.approx(x, rel=1e-6)


def test_a_method_that_records_no_steps_is_not_differentiated():
    class Untaped:
        def __init__(self, stepper):
            self._stepper = stepper

        def __getattr__(self, name):
            if name in ("tape", "control"):
                raise AttributeError(name)
            return getattr(self._stepper, name)

    class Method:
        def make(self, implicit, stores, fixed=False):
            return Untaped(Kvaerno().make(implicit, stores, fixed))

    with pytest.raises(InputError, match="Untaped does not record its steps"):
        problem().transient_sensitivity([0.0], (0.0, 1.0), "rate", steps=Method())


@pytest.mark.parametrize(
    ("steps", "error", "text"),
    [
        (Kvaerno, InputError, r"steps is the class Kvaerno; call it: Kvaerno\(\)"),
        (object(), DataTypeError, r"steps must be Bdf\(\), RungeKutta\(\), FixedSteps\(\) or"),
    ],
)
def test_what_is_no_method(steps, error, text):
    with pytest.raises(error, match=text):
        problem().transient([0.0], (0.0, 1.0), steps=steps)


def test_fixed_steps_take_methods_and_no_classes():
    with pytest.raises(DataTypeError, match=r"method must be a name or a Bdf\(\)"):
        transient.FixedSteps(Kvaerno, 0.1)
