"""Oscillators with known orbits: dx/dt = f becomes the residual -f, with x as the storage."""

import numpy as np

from sgsolve import Problem


def one(x):
    return 1.0 * x


def vdp(x, mu):
    return [-x[1], x[0] - mu * (1.0 - x[0] ** 2) * x[1]]


def van_der_pol(mu=2.0, storage=one):
    return Problem(vdp, params={"mu": mu}, storage=storage)


VDP_PERIOD = 7.62987447967
VDP_LOG = -18.178637479


def circle(period=None, n=40, radius=1.0):
    """States on a circle in the first two unknowns of three."""
    t = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    return np.column_stack([radius * np.cos(t), radius * np.sin(t), 0.0 * t])


def bent(f):
    """dx/dt = f(x, y) seen through u = x + 0.3 y^2, v = y, so that circles are no circles."""

    def residual(z, **parameters):
        u, v = z[0], z[1]
        x, y = u - 0.3 * v**2, v
        fx, fy = f(x, y, **parameters)
        return [-(fx + 0.6 * y * fy), -fy]

    return residual


def two_cycles(x, y, lam):
    """r' = r (lam - r^2 + r^4): circles with r^2 = (1 -+ sqrt(1 - 4 lam)) / 2."""
    r2 = x**2 + y**2
    growth = lam - r2 + r2**2
    return growth * x - y, growth * y + x


def tube(x, lam):
    """A circle of radius 1 that loses its stability in a torus at lam = 0."""
    X, Y, z = x
    r2 = X**2 + Y**2
    return [-(X * z - 2.0 * Y), -(Y * z + 2.0 * X), -(1.0 + lam * z - r2 - z**3)]


def feedback(x, a):
    return [-x[1], -x[2], a * x[2] + x[1] + x[0] - x[0] ** 2]


def fitzhugh(x, I):
    return [-(x[0] - x[0] ** 3 / 3.0 - x[1] + I), -0.08 * (x[0] + 0.7 - 0.8 * x[1])]
