"""Slopes beside a choice: zero times an infinite slope is zero where the choice is constant."""

import numpy as np
import pytest

from sgsolve import Problem, ad
from tests.ad.choice_spellings import CONSTANT_BELOW, EVERY, X
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite


def differences(f, x, h=1e-6):
    """The Jacobian by central differences of the plain function."""
    steps = h * np.eye(len(x))
    with np.errstate(all="ignore"):
        rises = [np.subtract(f(x + e), f(x - e)) for e in steps]
    return np.stack(rises, axis=1) / (2.0 * h)


@pytest.mark.parametrize("name", EVERY)
def test_a_constant_side_has_slope_zero(name):
    """As computed at once, as remembered, and by a program (from the sixth evaluation on)."""
    f = EVERY[name]
    for k in range(8):
        x = X * (1.0 + 0.01 * k)
        with np.errstate(all="ignore"):
            J = ad.jacobian(f, x).toarray()
        np.testing.assert_allclose(J, differences(f, x), rtol=1e-5, atol=1e-7)


@needs_llvmlite
@pytest.mark.parametrize("name", EVERY)
def test_kernels_give_the_same_bits(name):
    assert_same_bits(EVERY[name], [X, -X, 0.5 * X[::-1]], kernels=False)


@pytest.mark.parametrize("name", ["a maximum", "where", "a mask", "times another function"])
def test_a_single_unknown_and_extended_precision(name):
    f = {
        **CONSTANT_BELOW, "times another function": lambda h: np.sqrt(np.maximum(h, 0) * np.exp(h))
    }[name]  # fmt: skip
    for value, slope in ((-1.0, 0.0), (4.0, None)):
        for kind in (float, np.longdouble):
            x = np.array([value], dtype=kind)
            with np.errstate(all="ignore"):
                got = ad.jacobian(f, x).toarray()
            exact = differences(f, x) if slope is None else [[slope]]
            np.testing.assert_allclose(got.astype(float), exact, rtol=1e-6)


def test_products_beyond_double_precision_keep_the_zeros():
    """The coefficients beside the number 1e-250 overflow, which the slopes do not."""

    def f(h):
        return 1e-250 * np.sqrt(np.maximum(h, 0)) * np.exp(170.0 * h) * (1e170 * np.exp(0.1 * h))

    J = ad.jacobian(f, np.array([-1.0, 2.0])).toarray()
    exact = 1e-80 * np.exp(340.2) * (0.5 / np.sqrt(2.0) + 170.1 * np.sqrt(2.0))
    np.testing.assert_allclose(J, [[0.0, 0.0], [0.0, exact]], rtol=1e-12)


WITHOUT_SLOPE = {
    "the size": lambda x: np.sqrt(np.abs(x)),
    "a square": lambda x: np.sqrt(x * x),
    "a sign": lambda x: np.sqrt(np.sign(x) * x),
    "a size times the sign": lambda x: np.sign(x) * np.sqrt(np.abs(x)),
    "the chosen side": lambda x: np.sqrt(np.where(x >= 0, x, 0.0)),
    "a tie": lambda x: np.sqrt(np.maximum(x, 0.0)),
}


@pytest.mark.parametrize("name", WITHOUT_SLOPE)
def test_zeros_that_are_values_stay_without_a_slope(name):
    with np.errstate(all="ignore"):
        J = ad.jacobian(WITHOUT_SLOPE[name], np.array([0.0, 4.0])).toarray()
    assert not np.isfinite(J[0, 0])
    assert J[1, 1] in (0.25, 1.0)
    assert J[0, 1] == J[1, 0] == 0.0


def test_the_pattern_holds_the_entries_of_both_sides():
    for x in (X, -X):
        with np.errstate(all="ignore"):
            assert ad.jacobian(EVERY["a product with neighbors"], x).nnz == 10


def test_a_mask_that_changes_later_does_not_change_the_derivative():
    x = ad.seed(np.array([-1.0, 4.0]))
    wet = np.array([False, True])
    y = np.sqrt(x * wet)
    wet[:] = [True, False]
    assert y.jacobian.toarray().tolist() == [[0.0, 0.0], [0.0, 0.25]]


def test_models_with_dry_parts_are_solved():
    """A tank that runs dry, a check valve, and a pool beside a dry cell."""

    def tanks(h):  # the first one runs dry, and fills the second one, which leaks
        out = np.sqrt(np.maximum(h, 0.0)) * [0.1, 0.05]
        return np.stack([out[0], out[1] - out[0]])

    run = Problem(tanks, storage=lambda h: h).transient([1.0, -0.0], (0.0, 30.0), rtol=1e-6)
    assert run.success
    assert abs(run.x[0]) < 1e-4

    def flow(high, low):
        return np.sqrt(np.maximum(high - low, 0.0))

    def valve(p):  # from 3 through a node to 1; nothing flows back from 5
        return flow(3.0, p) - flow(p, 1.0) + flow(p, 5.0) - 1e-3 * (p - 2.0)

    result = Problem(valve).solve([1.5])
    np.testing.assert_allclose(result.x, [2.0])
