"""Values of constant terms whose numbers change: those of all sums from the beginning."""

import sys
import threading

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.assembly.constant_part import ConstantPart
from sgsolve.ad.assembly.layout import ConstantPlaces, Layout
from sgsolve.pattern import Pattern

SIZE = 50
DOUBLE = np.dtype(float)


def layout(generator):
    """A layout with terms that share places, with weights, and with a place twice."""
    made = Layout([], SIZE, SIZE, Pattern.of(np.eye(SIZE)))
    for k in range(5):
        place = generator.integers(0, SIZE, 30).astype(np.int32)
        weight = generator.normal(size=30) if k % 2 else None
        made.constant.append(ConstantPlaces(k, place, weight))
    return made


def every_sum(made, numbers):
    total = np.zeros(SIZE)
    for number, (_, place, weight) in zip(numbers, made.constant, strict=True):
        for k, at in enumerate(place):
            total[at] += number * (1.0 if weight is None else weight[k])
    return total


@pytest.mark.parametrize("held", [0, 1, 3])
def test_sums_of_changed_numbers_have_the_bits_of_all_sums(held):
    """Whoever holds the last values keeps them as they were."""
    generator = np.random.default_rng(held)
    made = layout(generator)
    part, numbers, results = ConstantPart(made), generator.normal(size=5), []
    for k in range(60):
        # At first one number changes, then others, some back to what they were.
        changed = generator.integers(0, 1 + min(k // 10, 4), 2)
        numbers[changed] = generator.choice([0.5, -0.0, 1e300, np.inf, generator.normal()], 2)
        given = tuple(numbers.tolist())
        values = part.values(given, DOUBLE)
        with np.errstate(all="ignore"):
            results = [*results, (values, every_sum(made, given))][-held - 1 :]
        del values
        for got, expected in results:
            np.testing.assert_array_equal(got, expected)
        results = results[1:] if not held else results


@pytest.mark.parametrize("number", [2.0 + 1.0j, np.longdouble(0.1)])
def test_other_numbers_between_them(number):
    made = layout(np.random.default_rng(5))
    part = ConstantPart(made)
    for numbers in [(1.0, 2.0, 3.0, 4.0, 5.0), (1.5, 2.0, 3.0, 4.0, 5.0)] * 2:
        np.testing.assert_array_equal(part.values(numbers, DOUBLE), every_sum(made, numbers))
        kind = np.result_type(number)
        others = part.values((number,) * 5, kind)
        assert others.dtype == kind
        expected = number * every_sum(made, (1.0,) * 5)
        np.testing.assert_allclose(others, expected, rtol=1e-14)


def test_threads_with_numbers_of_their_own():
    made = layout(np.random.default_rng(7))
    part, wrong = ConstantPart(made), []

    def run(seed):
        generator = np.random.default_rng(seed)
        for _ in range(300):
            numbers = tuple(generator.choice([1.0, 2.0, 0.1], 5).tolist())
            values = part.values(numbers, DOUBLE)
            if not np.array_equal(values, every_sum(made, numbers)):
                wrong.append(numbers)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong


STEPS = {
    # Mixed stencils, with a step that another term shares its places with, and without one.
    "product": lambda x, rate: rate * x - np.roll(x, 1) * x + 3.0 * (np.roll(x, -1) - x),
    "set": lambda x, rate: rate * x + np.exp(x) - np.roll(x, 1) * 0.5,
    "template": lambda x, rate: rate * (x * np.arange(1.0, 41.0)) + 2.0 * x - np.roll(x, 3),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_changes_at_every_evaluation(name, monkeypatch):
    """The Jacobian is that of a plan that never met another number, bit for bit."""
    f, x = STEPS[name], np.linspace(0.5, 2.0, 40)
    rates = [1.0, 1.0, 2.0, 0.3, 0.3, 7.0, 0.1, 0.7, 1.0, *(0.1 * k for k in range(12))]
    changing = [ad.jacobian(f, x, rate).data for rate in rates]
    monkeypatch.setattr(ConstantPart, "values", ConstantPart._all)
    ad.clear_cache()
    for rate, data in zip(rates, changing, strict=True):
        np.testing.assert_array_equal(ad.jacobian(f, x, rate).data, data)


def test_only_values_that_changed_are_computed_again(monkeypatch):
    f, x, calls = STEPS["product"], np.linspace(0.5, 2.0, 40), []
    every = ConstantPart._all
    monkeypatch.setattr(ConstantPart, "_all", lambda *a: calls.append(1) or every(*a))
    ad.clear_cache()
    for k in range(20):
        ad.jacobian(f, x, 1.0 + k)
    assert 0 < len(calls) <= 5
