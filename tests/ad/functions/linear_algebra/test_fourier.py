"""Fourier transforms of many points: full matrices where they fit, and none along a direction."""

import numpy as np
import pytest

from sgsolve import Problem, ad, solvers
from sgsolve.errors import OutOfMemoryError

POINTS = 20_000  # their matrix would take 6 GB


def smoothed(u):
    """Return (1 - d2/dx2)^-1 of the cube of a function of period 2 pi."""
    k = np.fft.rfftfreq(u.size, 1 / u.size)
    return np.fft.irfft(np.fft.rfft(u**3) / (1 + k * k), u.size)


def test_a_direction_needs_no_matrix():
    x = 2 * np.pi * np.arange(POINTS) / POINTS
    u, v = 1 + 0.5 * np.sin(x), np.cos(x)
    value, derivative = ad.jvp(smoothed, u, v)
    np.testing.assert_array_equal(value, smoothed(u))
    # 3 u^2 v, in waves by hand
    waves = {1: 3 * (1 + 1 / 16), 3: -3 / 16}
    exact = sum(a * np.cos(k * x) / (1 + k * k) for k, a in waves.items())
    exact += 1.5 * np.sin(2 * x) / 5
    np.testing.assert_allclose(derivative, exact, atol=1e-12)


def test_newton_krylov_solves_with_as_many_points():
    x = 2 * np.pi * np.arange(POINTS) / POINTS

    def residual(u):
        return u + 0.1 * smoothed(u) - np.sin(x)

    found = Problem(residual).solve(np.zeros(POINTS), solver=solvers.NewtonKrylov())
    assert np.abs(residual(found.x)).max() < 1e-9


@pytest.mark.parametrize("transform", [np.fft.fft, np.fft.rfft2, np.fft.hfft])
def test_a_matrix_that_does_not_fit_is_told(transform, monkeypatch):
    def without_memory(n):
        raise MemoryError(f"Unable to allocate an array of shape ({n}, {n})")

    u = ad.seed(np.ones((2, 2000)))
    monkeypatch.setattr(np, "eye", without_memory)
    with pytest.raises(OutOfMemoryError, match=r"np\.fft\..*2000 points.*NewtonKrylov"):
        transform(u)
