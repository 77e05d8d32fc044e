"""Test problems of initial values: chemistry, electronics, stars and fields.

Sources: the test set for IVP solvers of Bari (HIRES, Pleiades, ring modulator, transistor
amplifier); E. Hairer and G. Wanner, Solving Ordinary Differential Equations II (1996), IV.10 (the
others of chemistry, CUSP, VDPOL); J. D. Murray, Mathematical Biology (Fisher's wave, Gray-Scott).
"""

from __future__ import annotations

import numpy as np
from transient_integrators import Case

from sgsolve import ad


def hires():
    def f(y):
        back = 280.0 * y[5] * y[7]
        return ad.hstack(
            [
                -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
                1.71 * y[0] - 8.75 * y[1],
                -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
                8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
                -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
                -back + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
                back - 1.81 * y[6],
                -back + 1.81 * y[6],
            ]
        )

    return Case(
        "HIRES", f, np.array([1.0, 0, 0, 0, 0, 0, 0, 0.0057]), 321.8122, atol=1e-4, apart=True
    )


def van_der_pol():
    def f(y):
        return ad.hstack([y[1], 1e3 * (1.0 - y[0] ** 2) * y[1] - y[0]])

    return Case("VDPOL", f, np.array([2.0, 0.0]), 2000.0, atol=1e-4, apart=True)


def robertson():
    def f(y):
        slow, fast = 0.04 * y[0] - 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
        return ad.hstack([-slow, slow - fast, fast])

    return Case("Robertson", f, np.array([1.0, 0.0, 0.0]), 40.0, atol=1e-7, apart=True)


def oregonator():
    def f(y):
        return ad.hstack(
            [
                77.27 * (y[1] + y[0] * (1.0 - 8.375e-6 * y[0] - y[1])),
                (y[2] - (1.0 + y[0]) * y[1]) / 77.27,
                0.161 * (y[0] - y[2]),
            ]
        )

    return Case("OREGO", f, np.array([1.0, 2.0, 3.0]), 360.0, apart=True)


def e5(end=1e5):
    A, B, K, N = 7.89e-10, 1.1e7, 1.13e3, 1e6

    def f(y):
        third = y[1] - y[2]
        made, used = A * y[0], B * y[0] * third
        return ad.hstack([-made - used, made - N * K * y[1] * third, used - K * y[2]])

    y0 = np.array([1.76e-3, 0.0, 0.0])
    return Case(f"E5 to {end:.0e}", f, y0, end, atol=1e-22, apart=True)


def cusp():
    n = 32
    angle = 2.0 * np.pi * np.arange(1, n + 1) / n

    def diffusion(y):
        return n**2 / 144.0 * (np.roll(y, 1) - 2.0 * y + np.roll(y, -1))

    def f(w):
        y, a, b = w[:n], w[n : 2 * n], w[2 * n :]
        u = (y - 0.7) * (y - 1.3)
        v = 0.07 * u / (u + 0.1)
        return np.concatenate(
            [
                -1e4 * (y**3 + a * y + b) + diffusion(y),
                b + v + diffusion(a),
                (1.0 - a * a) * b - a - 0.4 * y + 0.5 * v + diffusion(b),
            ]
        )

    y0 = np.concatenate([0.0 * angle, -2.0 * np.cos(angle), 2.0 * np.sin(angle)])
    return Case("CUSP", f, y0, 1.1)


def pleiades():
    x0, y0 = [3, 3, -1, -3, 2, -2, 2], [3, -3, 2, 0, 0, -4, 4]
    u0, v0 = [0, 0, 0, 0, 0, 1.75, -1.5], [0, 0, 0, -1.25, 1, 0, 0]
    masses, itself = np.arange(1.0, 8.0), np.eye(7)

    def f(w):
        x, y = w[:7], w[7:14]
        dx, dy = x[None, :] - x[:, None], y[None, :] - y[:, None]
        pull = (dx * dx + dy * dy + itself) ** -1.5 * masses
        return np.concatenate([w[14:], np.sum(pull * dx, axis=1), np.sum(pull * dy, axis=1)])

    return Case("Pleiades", f, np.concatenate([x0, y0, u0, v0]).astype(float), 3.0)


def oscillator():
    """A coil and a capacitor without losses, over 100 periods."""

    def f(y):
        return ad.hstack([y[1], -y[0]])

    start = np.array([1.0, 0.0])
    return Case("oscillator, 100 periods", f, start, 200.0 * np.pi, exact=start)


def ring_modulator():
    C, Cs, Cp, Lh, Ls1, Ls2 = 1.6e-8, 2e-12, 1e-8, 4.45, 2e-3, 5e-4
    R, Rp, Rg1, Rg2, Ri, Rc = 25e3, 50.0, 36.3, 17.3, 50.0, 600.0

    def f(y, t):
        a, b, c, d, e, g, h, i1, i2, j1, j2, j3, j4, k1, k2 = y
        signal, carrier = 0.5 * np.sin(2e3 * np.pi * t), 2.0 * np.sin(2e4 * np.pi * t)
        volts = ad.hstack(
            [c - e - h - carrier, g - d - h - carrier, d + e + h + carrier, h + carrier - c - g]
        )
        q = 40.67286402e-9 * (np.exp(17.7493332 * volts) - 1.0)
        return ad.hstack(
            [
                (i1 - 0.5 * j1 + 0.5 * j2 + k1 - a / R) / C,
                (i2 - 0.5 * j3 + 0.5 * j4 + k2 - b / R) / C,
                (j1 - q[0] + q[3]) / Cs,
                (-j2 + q[1] - q[2]) / Cs,
                (j3 + q[0] - q[2]) / Cs,
                (-j4 - q[1] + q[3]) / Cs,
                (-h / Rp + q[0] + q[1] - q[2] - q[3]) / Cp,
                -a / Lh,
                -b / Lh,
                (0.5 * a - c - Rg2 * j1) / Ls2,
                (-0.5 * a + d - Rg2 * j2) / Ls2,
                (0.5 * b - e - Rg2 * j3) / Ls2,
                (-0.5 * b + g - Rg2 * j4) / Ls2,
                (-a + signal - (Ri + Rg1) * k1) / Ls1,
                (-b - (Rc + Rg1) * k2) / Ls1,
            ]
        )

    # Amperes are a thousandth of volts.
    atol = 0.01 * np.array([1.0] * 7 + [1e-3] * 8)
    return Case("ring modulator", f, np.zeros(15), 1e-3, atol=atol, apart=True)


def transistor_amplifier():
    supply, R = 6.0, 9e3
    C = 1e-6 * np.arange(1.0, 6.0)

    def f(y, t):
        first = 1e-6 * (np.exp((y[1] - y[2]) / 0.026) - 1.0)
        second = 1e-6 * (np.exp((y[4] - y[5]) / 0.026) - 1.0)
        return ad.hstack(
            [
                (y[0] - 0.1 * np.sin(200.0 * np.pi * t)) / 1e3,
                (2.0 * y[1] - supply) / R + 0.01 * first,
                y[2] / R - first,
                (y[3] - supply) / R + 0.99 * first,
                (2.0 * y[4] - supply) / R + 0.01 * second,
                y[5] / R - second,
                (y[6] - supply) / R + 0.99 * second,
                y[7] / R,
            ]
        )

    def charge(y):
        over = [C[0] * (y[1] - y[0]), C[2] * (y[4] - y[3]), C[4] * (y[7] - y[6])]
        ground = [-C[1] * y[2], -C[3] * y[5]]
        first, last = [over[0], -over[0], ground[0]], [over[1], -over[1], ground[1]]
        return ad.hstack([*first, *last, over[2], -over[2]])

    half = 0.5 * supply
    y0 = np.array([0.0, half, half, supply, half, half, supply, 0.0])
    return Case("transistors", f, y0, 0.2, charge)


def linear(end=10.0):
    def f(u, t):
        x, fast, z = u
        return ad.hstack([-x + fast + z, -1e3 * fast + z, z + x - 2.0 * fast - np.cos(t)])

    stores = np.array([1.0, 1.0, 0.0])
    return Case("linear, index 1", f, np.array([1.0, 0.0, 0.0]), end, lambda u: stores * u)


def resonant_circuit():
    def f(u):
        e1, e2, e3, i, source = u
        through = 2.0 * (e1 - e2)
        return ad.hstack([through + source, i - through, i, e2 - e3, e1 - 1.0])

    def charge(u):
        return ad.hstack([0.0 * u[0], 0.0 * u[1], u[2], u[3], 0.0 * u[4]])

    return Case("RLC", f, np.array([1.0, 1.0, 0.0, 0.0, 0.0]), 5.0, charge)


def burgers(n=401):
    x = np.linspace(0.0, 1.0, n)
    h = x[1] - x[0]
    inside = np.ones(n)
    inside[[0, -1]] = 0.0

    def wave(x, t):
        return 1.0 / (1.0 + np.exp((x - 0.25 - 0.5 * t) / 0.02))

    def f(u, t):
        flux = (u[:-1] ** 2 + u[1:] ** 2) / 4.0 - 0.01 * (u[1:] - u[:-1]) / h
        ends = u[:1] - wave(x[0], t), u[-1:] - wave(x[-1], t)
        return np.concatenate([ends[0], (flux[:-1] - flux[1:]) / h, ends[1]])

    return Case("Burgers", f, wave(x, 0.0), 0.8, lambda u: inside * u)


def heat(n=99):
    def f(u):
        padded = np.concatenate([np.zeros(1), u, np.zeros(1)])
        return (padded[2:] - 2.0 * u + padded[:-2]) * (n + 1.0) ** 2

    return Case("heat, start 1", f, np.ones(n), 0.05)


def porous_charge(n=200):
    """Barenblatt's problem with the unknown w = u^2, in which the charge is nonlinear."""
    h = 20.0 / n
    x = -10.0 + h * (np.arange(n) + 0.5)

    def f(w):
        flux = np.concatenate([np.zeros(1), (w[1:] - w[:-1]) / h, np.zeros(1)])
        return (flux[1:] - flux[:-1]) / h

    w0 = (np.maximum(1.0 - x**2 / 12.0, 0.0) + 0.1) ** 2
    return Case("porous, charge", f, w0, 7.0, np.sqrt)


PROBLEMS = {
    "hires": hires,
    "van_der_pol": van_der_pol,
    "robertson": robertson,
    "oregonator": oregonator,
    "e5": e5,
    "pleiades": pleiades,
    "oscillator": oscillator,
    "ring_modulator": ring_modulator,
    "transistor_amplifier": transistor_amplifier,
    "linear": linear,
    "resonant_circuit": resonant_circuit,
    "cusp": cusp,
    "heat": heat,
    "burgers": burgers,
    "porous_charge": porous_charge,
}
