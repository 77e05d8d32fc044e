"""Loops that compute several elements at a time: the same bits, at any number of elements."""

import re

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.kernels import machine
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite

pytestmark = needs_llvmlite

VECTOR = re.compile(r"f(add|sub|mul|div|neg|cmp \w+) <4 x double>")
RNG = np.random.default_rng(3)


@pytest.fixture
def texts(monkeypatch):
    """The texts of all kernels that are made."""
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")
    machine.clear()
    found, new_code = [], machine._new_code

    def noted(mark, names, text):
        found.append(text())
        return new_code(mark, names, lambda: found[-1])

    monkeypatch.setattr(machine, "_new_code", noted)
    return found


def division(x):
    s = x * x
    return s / (s + 0.5 * (1.0 - x) ** 2)


def neighbors(x):
    left, right = ad.hstack([np.ones(1), x]), ad.hstack([x, x[-1:]])
    flux = 0.5 * (division(left) + division(right)) - 0.55 * (right - left)
    return (x - 0.3) * 1.7 + (flux[1:] - flux[:-1])


def chosen(x):
    low, high = abs(ad.value(x)) < 0.4, ad.value(x) > 1.1
    middle = ~low & ~high
    return np.where(middle | (ad.value(x) == 0.7), np.sqrt(x) / x, -x * low - high / x)


def with_numbers(x):
    return (x / x[0] - x[-1]) / (1.0 + x * x.sum()) - np.where(ad.value(x) > 0.5, 1.0, x)


def every_other(x):
    y = ad.hstack([x / (1.0 + x), x])
    return y[::2][: x.size // 2] * 2.0 / y[1 : x.size // 2 + 1]


FUNCTIONS = [division, neighbors, chosen, with_numbers, every_other]


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("n", [4, 5, 7, 8, 11, 130])
def test_vectors_have_the_bits_of_single_elements(texts, f, n):
    compiled = ad.compiled(f, at_once=True)
    for _ in range(3):
        x = RNG.uniform(0.1, 1.6, n)
        x[RNG.integers(0, n)] = 0.7
        F, J = ad.value_and_jacobian(f, x)
        found, slopes = compiled.value_and_jacobian(x)
        np.testing.assert_array_equal(found, F)
        np.testing.assert_array_equal(slopes.data, J.data)
        np.testing.assert_array_equal(slopes.indices, J.indices)
    assert compiled.stats.compiled == 2
    assert VECTOR.search(texts[-1])


def test_numbers_that_overflow_in_the_last_elements_are_noticed(texts):
    """What the last vector computes once more sets the same flags, and no others."""
    compiled = ad.compiled(lambda x: 1.0 / (x * x - 1.0), at_once=True)
    for n in (4, 6, 9):
        x = np.linspace(2.0, 3.0, n)
        for _ in range(3):
            with np.errstate(all="raise"):
                compiled(x)
        before = compiled.stats.compiled
        assert before
        for place in (0, n - 1):
            x[place], kept = 1.0, x[place]
            with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
                compiled(x)
            with np.errstate(divide="ignore"):
                assert np.isinf(compiled(x)[place])
            x[place] = kept


@pytest.mark.parametrize("n", [2, 3])
def test_fewer_elements_than_a_vector_holds_are_computed_one_by_one(texts, n):
    assert_same_bits(division, (np.linspace(0.2, 0.9, n), np.linspace(0.3, 0.8, n)))
    assert not VECTOR.search(texts[-1])


def test_loops_that_gather_elements_have_no_vectors(texts):
    """They take longer: a vector is gathered element by element."""
    index = RNG.permutation(60)
    x = RNG.uniform(0.5, 1.5, 60)
    assert_same_bits(lambda x: x[index] / (1.0 + x), (x, x[::-1].copy()))
    assert not VECTOR.search(texts[-1])
