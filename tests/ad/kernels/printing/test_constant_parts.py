"""Constants of a Jacobian in kernels: one number where all are the same, stretches of a number."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.kernels.running import kernel, kernel_memory
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite


@pytest.fixture
def kernels(monkeypatch):
    """All kernels of F and the Jacobian that are made."""
    found, init = [], kernel.Kernel.__init__

    def noted(self, code):
        init(self, code)
        if code.with_jacobian:
            found.append(self)

    monkeypatch.setattr(kernel.Kernel, "__init__", noted)
    return found


def assert_bits_of_numpy(f, x, numbers):
    compiled = ad.compiled(f, at_once=True)
    for number in numbers:
        for y in (x, x[::-1].copy(), x):
            F, J = ad.value_and_jacobian(f, y, number)
            found, slopes = compiled.value_and_jacobian(y, number)
            np.testing.assert_array_equal(found, F)
            np.testing.assert_array_equal(slopes.data, J.data)
            np.testing.assert_array_equal(slopes.indices, J.indices)
    assert compiled.stats.compiled >= 2, compiled.stats


def species(x, d):
    """Two species on a ring: constants of neighbors, one number for each species."""
    m = x.size // 2
    index = np.arange(m)
    u, v = x[:m], x[m:]
    right, left = (index + 1) % m, (index - 1) % m
    spread_u = d * (u[right] + u[left] - 2.0 * u)
    spread_v = 3.0 * (v[right] + v[left] - 2.0 * v)
    return ad.hstack([spread_u - u * v * v, spread_v + u * v * v - d * v])


def on_an_uneven_mesh(x, d):
    """The constants of neighbors are other ones in each row."""
    weight = 1.0 + np.arange(x.size - 1)
    flux = weight * (x[1:] - x[:-1])
    return ad.hstack([x[:1], flux[1:] - flux[:-1], x[-1:]]) + d * x**3


def twice_in_a_sum(x, d):
    """A neighbor that is met twice, in some rows alone."""
    index = np.arange(x.size)
    near = np.where(index % 3 == 0, index, (index + 1) % x.size)
    return d * x + x[near] + x * x


X = np.linspace(0.3, 1.7, 3000)


@pytest.mark.parametrize("f", [species, on_an_uneven_mesh, twice_in_a_sum])
@pytest.mark.parametrize("n", [12, 3000])
def test_constants_have_the_bits_of_numpy(f, n):
    assert_bits_of_numpy(f, X[:n].copy(), [0.16, 0.16, 0.3, -0.0])


def test_constants_of_two_species_are_two_numbers(kernels):
    """Neither an array of them is read, nor one copied."""
    assert_bits_of_numpy(species, X, [0.16, 0.25])
    for made in kernels:
        assert made.code.parts
        assert all(len(places) == 1 for places in made.code.parts.values())
        (memory,) = made.memories
        stretches = memory.template.stretches
        assert len(stretches) == 2
        assert stretches[0][0] == 0
        assert stretches[0][1] == stretches[1][0]
        assert stretches[1][1] == made.code.nnz + 1


def test_constants_that_differ_are_read(kernels):
    assert_bits_of_numpy(on_an_uneven_mesh, X, [0.16])
    (made,) = kernels
    assert any(len(places) > 1 for places in made.code.parts.values())


def test_few_values_are_copied(kernels):
    """An array of them is as fast, and a run that repeats copies it."""
    assert_bits_of_numpy(species, X[:200].copy(), [0.16])
    (made,) = kernels
    assert made.code.nnz < kernel_memory.SMALL
    assert not made.memories[0].template.stretches
