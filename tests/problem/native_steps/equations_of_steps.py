"""Equations and options of runs whose steps machine code makes, and when two runs are the same."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.transient import Bdf


def _laplacian(u, h):
    flux = np.concatenate([np.zeros(1), (u[1:] - u[:-1]) / h, np.zeros(1)])
    return (flux[1:] - flux[:-1]) / h


def chain():
    """A linear chain of decays, stiff, of few unknowns."""
    k = np.array([1e4, 30.0, 1.0])

    def residual(u):
        return np.stack([k[0] * u[0], k[1] * u[1] - k[0] * u[0], k[2] * u[2] - k[1] * u[1]])

    return residual, lambda u: 1.0 * u, [1.0, 0.0, 0.0], 0.1


def waves(n=30):
    """Two species that react and diffuse: a band of five diagonals."""
    s = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 10

    def residual(w):
        u, v = w[:n], w[n:]
        rate = u * v * v
        return -np.concatenate(
            [
                1e-3 * _laplacian(u, 1 / n) - rate + 0.024 * (1 - u),
                1e-5 * _laplacian(v, 1 / n) + rate - 0.084 * v,
            ]
        )

    return residual, lambda w: 1.0 * w, np.concatenate([1 - 0.5 * s, 0.25 * s]), 200.0


def circuit():
    """Algebraic equations beside two with a storage, some of them without a diagonal entry."""

    def residual(u):
        through = 2.0 * (u[0] - u[1])
        return ad.hstack([through + u[4], u[3] - through, u[3], u[1] - u[2], u[0] - 1.0])

    def charge(u):
        return ad.hstack([0.0 * u[0], 0.0 * u[1], u[2], u[3], 0.0 * u[4]])

    return residual, charge, [1.0, 1.0, 0.0, 0.0, 0.0], 5.0


def porous(n=40):
    """A charge that is not linear."""
    x = -10 + 20 / n * (np.arange(n) + 0.5)
    w0 = (np.maximum(1.0 - x**2 / 12.0, 0.0) + 0.1) ** 2
    return lambda w: -_laplacian(w, 20 / n), np.sqrt, w0, 7.0


def exchanged(n=50):
    """The largest entries of the matrix stand beside its diagonal: rows are exchanged."""
    swap = np.arange(n).reshape(-1, 2)[:, ::-1].ravel()

    def residual(u):
        return (u - 0.1 * np.concatenate([u[1:], u[:1] * 0.0]))[swap] + 1e-3 * u

    return residual, lambda u: u[swap] + 0.0, np.linspace(1.0, 2.0, n), 3.0


def itself():
    """The storage returns what it is given."""
    return lambda u: u - 0.5 * u * u, lambda u: u, [0.2, 0.4, 0.9], 4.0


KINDS = [chain, waves, circuit, porous, exchanged, itself]


OPTIONS = {
    "rows": {"times": np.linspace(0.0, 3.0, 8)},
    "exact rows": {"times": np.linspace(0.0, 3.0, 8), "interpolate": False},
    "breakpoints": {"breakpoints": [0.7, 1.9]},
    "longest step": {"max_step": 0.05},
    "event": {"events": {"half": lambda u: u.sum() - 2.0}, "stop": ("half",)},
    "changed state": {
        "events": {"half": lambda u: u.sum() - 2.0},
        "on_event": {"half": lambda u: u + 0.3},
    },
    "callback": {"callback": lambda point: point.p > 2.0},
    "tolerances": {"atol": 1e-8},
    "formula": {"steps": Bdf(2, ndf=False)},
    "outputs": {"outputs": {"sum": lambda u: u.sum()}},
}


def few():
    """Three unknowns that grow to a limit."""
    return lambda u: -u * (1.2 - u), lambda u: 1.0 * u, [0.2, 0.4, 0.9], 3.0


def assert_same(found, expected):
    """The same rows; sums in another order move the states by a small part of the tolerance, 1e-5.

    They are rounding where Newton's iteration decides alike, and at most what it leaves elsewhere.
    """
    assert len(found) == len(expected)
    for name in ("t", "step", "order"):
        assert found[name] == pytest.approx(expected[name], rel=1e-3)
    scale = np.abs(expected.states).max()
    assert np.abs(found.states - expected.states).max() < 1e-7 * scale
    assert found.message.split(";")[:2] == expected.message.split(";")[:2]
