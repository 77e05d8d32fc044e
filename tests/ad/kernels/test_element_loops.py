"""Kernels of loops over elements: the bits of the slopes that NumPy computes row by row."""

import warnings

import numpy as np
import pytest

from sgsolve import ad
from tests.ad import compiled_programs
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite
from tests.ad.programs.element_loops.test_number_rows import LOOPS, array_of_elements
from tests.ad.programs.element_loops.test_number_rows import X as MANY
from tests.ad.random_programs import Program

pytestmark = needs_llvmlite

N = 18
X = np.linspace(0.2, 0.9, N)
POINTS = [X, 1.3 * X, X[::-1].copy()]


def stencil(x):
    r = np.empty_like(x)
    for i in range(N):
        left, right = (x[i - 1] if i else 0.0), (x[i + 1] if i < N - 1 else 1.0)
        r[i] = 2 * x[i] - left - right + 0.1 * np.exp(x[i]) * x[i] - 0.3 * (x[i] * x[i]) * left
    return r


def currents(x):
    r = 0 * x
    for i in range(N - 1):
        q = 3.0 * (x[i + 1] ** 2 - x[i] ** 2) * np.exp(x[i]) / (1 + x[i + 1] ** 2)
        r[i] += q
        r[i + 1] -= q
    return r


def stacked(x):
    return np.stack([np.sin(x[i]) * x[i - 1] / (2.0 + x[i] * x[i - 2]) for i in range(N)])


def computed_arrays(x):
    """Rows of arrays that are no unknowns, one of them a choice."""
    y, z = np.exp(x[::-1] * 0.3) * x, np.maximum(x, 0.6) * x
    return np.stack([y[i] * z[i - 1] - z[i] / y[i - 2] for i in range(N)])


def on_a_mesh(x):
    u = x[: N // 2 * 2].reshape(2, -1)
    r = np.zeros_like(u)
    for i in range(2):
        for j in range(u.shape[1]):
            r[i, j] = u[i, j] ** 3 - 0.2 * u[1 - i, j] * u[i, j - 1]
        r[i, 1:3] = r[i, 1:3] * u[i, 0]
    return r.ravel()


def from_its_own_elements(x):
    y = np.ones_like(x)
    y[0] = x[-1]
    for i in range(1, N):
        y[i] = 0.5 * y[i - 1] + 0.1 * 1.5 ** x[i] * y[i - 1]
    return y * np.stack([y[k] for k in range(N)])


def with_complex_numbers(x):
    return np.stack([np.abs(x[i] + 1j * x[i - 1]) * x[i] for i in range(N)])


def through_lists(x):
    total, out = 0.0, []
    for v in x:
        total = total + np.sqrt(v) * v
        out.append(total / (1.0 + v))
    return out


OWN = [stencil, currents, stacked, computed_arrays, on_a_mesh, from_its_own_elements]


@pytest.mark.parametrize("f", [*OWN, with_complex_numbers, through_lists])
def test_loops_of_many_elements(f):
    assert_same_bits(f, POINTS, evaluations=3)


@pytest.mark.slow
@pytest.mark.parametrize("f", [f for f in LOOPS if f is not array_of_elements])
def test_loops_of_the_tests_of_elements(f):
    def joined(x):
        return np.hstack(f(x))

    for _ in range(2):  # the first evaluation of all reads some elements in another way
        ad.value_and_jacobian(joined, MANY)
    assert_same_bits(joined, [MANY, 1.3 * MANY], evaluations=2, kernels=False)


def test_a_trace_before_any_evaluation_takes_the_way_of_later_ones():
    """The first evaluation of all reads some elements before it knows that the loop is long."""
    for f in (stencil, currents):
        ad.clear_cache()
        compiled = ad.compiled(f, at_once=True)
        found = [compiled.value_and_jacobian(X)[1].data for _ in range(3)]
        ad.value_and_jacobian(f, X)
        expected = ad.value_and_jacobian(f, X)[1].data
        assert compiled.stats.compiled
        np.testing.assert_array_equal(found[-1], expected, strict=True)


def test_parameters_are_arguments_of_the_kernel():
    def f(x, k, a):
        return np.stack([k * x[i] * x[i - 1] + x[i] / (k + a[i]) - k / x[i] for i in range(N)])

    for k in (0.7, -1.9, 3.0):
        stats = assert_same_bits(f, POINTS, k, np.linspace(2.0, 3.0, N), evaluations=2)
        assert stats.kernels <= 2


def test_a_denominator_that_becomes_zero_is_left_to_numpy():
    def f(x):
        return np.stack([x[i] / (x[i - 1] * x[i - 1]) for i in range(N)])

    zero = X.copy()
    zero[3] = 0.0
    assert_same_bits(f, [X, zero, 0.5 * X], evaluations=3)


def test_a_choice_of_a_number_that_changes():
    def f(x):
        return np.stack([np.maximum(x[i], 0.5) * x[i - 1] for i in range(N)])

    assert_same_bits(f, [X, X - 0.4, X + 0.4], evaluations=3)


@pytest.mark.parametrize("number", [4001299, 4001296])
def test_random_programs_with_loops(number):
    """Terms with numbers that vary are added in NumPy's order; a row may be the whole result."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        stats = compiled_programs.ask(Program(number))
    assert stats.kernels
    assert not any("on traced arrays" in reason for reason in stats.reasons)
