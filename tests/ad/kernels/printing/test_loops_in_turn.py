"""Loops that run in turn, a stretch each: the same bits, wherever stretches and arrays end."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.kernels import machine
from sgsolve.ad.kernels.printing import loops_in_turn, stretch_windows
from sgsolve.ad.kernels.printing.stretch_windows import STRETCH
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite

RNG = np.random.default_rng(7)


@pytest.fixture
def groups(monkeypatch):
    """The groups of loops that ran in turn, of all kernels that are made."""
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")
    machine.clear()
    found, run = [], loops_in_turn.LoopsInTurn.run

    def noted(group, function):
        found.append(group)
        run(group, function)

    monkeypatch.setattr(loops_in_turn.LoopsInTurn, "run", noted)
    return found


def ratio(x):
    s = x * x
    return s / (s + 0.5 * (1.0 - x) ** 2)


def conservation(x):
    """Fluxes at faces: cells beyond the ends are numbers."""
    left, right = ad.hstack([np.ones(1), x]), ad.hstack([x, x[-1:]])
    flux = 0.5 * (ratio(left) + ratio(right)) - 0.55 * (right - left)
    return (x - 0.3) * 1.7 + (flux[1:] - flux[:-1])


def chain(x):
    """Each loop reads what lies behind its own element in the one before."""
    a = ratio(x)
    b = ratio(a[1:] - a[:-1])
    c = ratio(b[:-2] / (2.0 + b[2:]))
    return ad.hstack([ratio(c[:-1] + 0.1 * c[1:]), x[:4] * c[-4:]])


def ahead(x):
    """What is read lies before the element."""
    a = ad.hstack([np.full(5, 0.5), ratio(x)])
    b = ad.hstack([np.full(7, 0.25), ratio(a[:-5])])
    return ratio(b[: x.size] - x)


def far(x):
    """A shift of more than a stretch."""
    a = ratio(x)
    return ad.hstack([ratio(a[300:] - a[:-300]), x[:300]])


def wide(x):
    """A shift of less than a stretch, and too far for a window."""
    a = ratio(x)
    return ad.hstack([ratio(a[100:] - a[:-100]), x[:100]])


def summed(x):
    """What a loop stores is read as a whole, too."""
    a = ratio(x)
    b = ratio(a[1:] - a[:-1])
    return ad.hstack([ratio(b[1:] - b[:-1]), b[:2] + 1e-3 * b.sum()])


def chosen(x):
    """Truth values between the loops."""
    a = ratio(x)
    low = (ad.value(a)[1:] / ad.value(a)[:-1] < 1.0) & (ad.value(a)[1:] > 0.1)
    return ad.hstack([np.where(low, ratio(x[1:]), x[1:]), np.where(low[-1:], a[-1:], a[:1])])


FUNCTIONS = [conservation, chain, ahead, far, wide, summed, chosen]
SIZES = [1024, 4 * STRETCH + 300, 5 * STRETCH - 1]


def assert_bits_of_numpy(f, n):
    compiled = ad.compiled(f, at_once=True)
    for _ in range(4):
        x = RNG.uniform(0.1, 1.6, n)
        F, J = ad.value_and_jacobian(f, x)
        found, slopes = compiled.value_and_jacobian(x)
        np.testing.assert_array_equal(found, F)
        np.testing.assert_array_equal(slopes.data, J.data)
        np.testing.assert_array_equal(slopes.indices, J.indices)
        np.testing.assert_array_equal(compiled(x), F)
    assert compiled.stats.compiled >= 4, compiled.stats


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("n", SIZES)
def test_loops_in_turn_have_the_bits_of_numpy(groups, f, n):
    assert_bits_of_numpy(f, n)


@pytest.mark.parametrize("f", [conservation, chain, ahead, summed])
@pytest.mark.parametrize("n", [320, 321, 322, 323])
def test_short_stretches_have_the_bits_of_numpy(groups, monkeypatch, f, n):
    """Where an array ends in a stretch of few elements, a vector reaches into the one before."""
    for module in (loops_in_turn, stretch_windows):
        monkeypatch.setattr(module, "STRETCH", 32)
    monkeypatch.setattr(loops_in_turn, "LARGE", 64)
    assert_bits_of_numpy(f, n)
    assert groups


def test_what_others_do_not_read_is_held_for_a_stretch_alone(groups):
    """Of a conservation law nothing but F and the Jacobian is as long as x."""
    assert_bits_of_numpy(conservation, 3000)
    for group in groups:
        sizes = group.own_memories()
        buffers = {s.memory for loop in group.loops for s in loop.stores} - {"F", "data"}
        assert buffers
        assert buffers <= sizes.keys()
        assert max(size for size, _ in sizes.values()) < 2 * STRETCH


def test_what_a_sum_reads_is_kept_as_a_whole(groups):
    assert_bits_of_numpy(summed, 3000)
    assert any(len(group.windows) < len(group.loops) for group in groups)


def test_loops_of_few_elements_run_one_after_the_other(groups):
    assert_bits_of_numpy(conservation, 900)
    assert not groups
