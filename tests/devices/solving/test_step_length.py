"""The length of steps in time where one mode of a device grows at a rate."""

import pytest

from sgsolve.devices.solving.step_length import MOST, WANTED, StepLength

RATE, SCALE = 3e8, 5e7  # 1/s


def contraction(dt, rate):
    """That of a mode: the change in a step is proportional to 1 / (1/dt - rate)."""
    return (SCALE / (1.0 / dt - rate)) ** 2


def test_without_growth_one_attempt_tells_the_length_that_is_wanted():
    length = StepLength(3.0 / SCALE)
    length.shorten(contraction(length.dt, 0.0))
    assert contraction(length.dt, 0.0) == pytest.approx(WANTED, rel=1e-9)


def test_what_decays_lets_the_length_grow():
    length = StepLength(1.0 / RATE)
    first = contraction(length.dt, -RATE)
    assert length.serves(first)
    length.lengthen(first)
    assert 1.0 < length.dt * RATE <= 10.0


def test_the_length_stays_below_the_inverse_rate_after_a_failure():
    """A length that grew with 1 / contraction would leave a step of 1/rate behind."""
    length = StepLength(0.95 / RATE)
    attempts = 0
    while not length.serves(contraction(length.dt, RATE)):
        length.shorten(contraction(length.dt, RATE))
        attempts += 1
    assert 1 <= attempts <= 4
    length.lengthen(contraction(length.dt, RATE))
    assert contraction(length.dt, RATE) == pytest.approx(WANTED, rel=1e-9)
    assert length.dt < 1.0 / RATE


def test_steps_without_a_known_contraction():
    length = StepLength(1e-9)
    length.lengthen(None)
    assert length.dt == pytest.approx(1e-8)
    length.shorten(None)
    assert length.dt == pytest.approx(1e-10)
    assert MOST > WANTED
