"""Systems that scale, and small hard ones, each with what is known of its solution.

Sources: Kelley's SIAMFANLEquations.jl (beam, boundary value problem, convection-diffusion,
H-equation), PETSc SNES ex19 (driven cavity), SciPy's test_nonlin, More-Garbow-Hillstrom 21, 22.
"""

import numpy as np
import scipy.sparse as sp

from sgsolve import ad


def extended_rosenbrock(x):
    """MGH 21; start (-1.2, 1, ...), solution 1."""
    odd, even = x[0::2], x[1::2]
    return np.stack([10.0 * (even - odd**2), 1.0 - odd], axis=1).reshape(-1)


def extended_powell(x):
    """MGH 22; start (3, -1, 0, 1, ...), solution 0, singular Jacobian."""
    a, b, c, d = x[0::4], x[1::4], x[2::4], x[3::4]
    rows = [a + 10.0 * b, np.sqrt(5.0) * (c - d), (b - 2.0 * c) ** 2, np.sqrt(10.0) * (a - d) ** 2]
    return np.stack(rows, axis=1).reshape(-1)


def bratu(u, strength=1.0):
    """u'' + strength exp(u) = 0 on (0, 1); fold at strength 3.5138."""
    h = 1.0 / (u.shape[0] + 1)
    full = np.concatenate([[0.0], u, [0.0]])
    return (full[2:] - 2.0 * u + full[:-2]) / h**2 + strength * np.exp(u)


def h_equation(n):
    """Chandrasekhar's H-equation by the midpoint rule."""
    mu = (np.arange(n) + 0.5) / n
    kernel = mu[:, None] / (mu[:, None] + mu[None, :])

    def residual(x, c=0.5):
        return x - 1.0 / (1.0 - c / (2.0 * n) * (kernel @ x))

    return residual


def beam(n, load=20.0):
    """-u'' - load sin(u) = 0: a buckled beam, three solutions."""
    h = 1.0 / (n + 1)

    def residual(u):
        full = np.concatenate([[0.0], u, [0.0]])
        return (2.0 * u - full[2:] - full[:-2]) / h**2 - load * np.sin(u)

    x = h * np.arange(1, n + 1)
    return residual, x * (1.0 - x) * (2.0 - x) * np.exp(-10.0 * x)


def two_point(n):
    """Kelley's boundary value problem v'' + 4 v' / t + (t v - 1) v = 0 on [0, 20], interleaved."""
    t, h = np.linspace(0.0, 20.0, n), 20.0 / (n - 1)
    inverse = np.concatenate([[0.0], 1.0 / t[1:]])

    def residual(u):
        v, dv = u[0::2], u[1::2]
        force = 4.0 * inverse * dv + (t * v - 1.0) * v
        first = v[1:] - v[:-1] - 0.5 * h * (dv[1:] + dv[:-1])
        second = dv[1:] - dv[:-1] + 0.5 * h * (force[1:] + force[:-1])
        middle = np.stack([second, first], axis=1).reshape(-1)
        return np.concatenate([dv[:1], middle, v[-1:]])

    start = np.zeros(2 * n)
    start[0::2], start[1::2] = np.exp(-0.1 * t**2), -0.2 * t * np.exp(-0.1 * t**2)
    return residual, start


def convection_diffusion(n):
    """-Laplace(u) + 20 u (u_x + u_y) = f on the unit square; returns the continuous solution."""
    h = 1.0 / (n + 1)
    x = h * np.arange(1, n + 1)
    one, second = (
        sp.eye_array(n),
        sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n)),
    )
    slope = sp.diags_array([-1.0, 1.0], offsets=[-1, 1], shape=(n, n)) / (2.0 * h)
    laplacian = sp.csr_array(sp.kron(second, one) + sp.kron(one, second)) / h**2
    gradient = sp.csr_array(sp.kron(slope, one) + sp.kron(one, slope))
    e = np.exp(x**4.5)
    w, v = 10.0 * x * (1.0 - x) * e, x * (1.0 - x)
    wx = 4.5 * x**3.5 * w + 10.0 * e * (1.0 - 2.0 * x)
    wxx = 15.75 * x**2.5 * w + 4.5 * x**3.5 * wx + 45.0 * x**3.5 * e * (1.0 - 2.0 * x) - 20.0 * e
    exact = np.outer(w, v).ravel()
    source = -np.outer(w, -2.0 * np.ones(n)) - np.outer(wxx, v)
    source = source.ravel() + 20.0 * exact * (np.outer(wx, v) + np.outer(w, 1.0 - 2.0 * x)).ravel()

    def residual(u):
        return laplacian @ u + 20.0 * u * (gradient @ u) - source

    return residual, exact


def driven_cavity(m, grashof=1.0, prandtl=1.0):
    """PETSc SNES ex19 on m by m nodes, unknowns u, v, vorticity, temperature one after another."""
    d, h, lid = m - 1.0, 1.0 / (m - 1), 1.0 / (m * m)
    c, w, e = (slice(1, -1),) * 2, (slice(1, -1), slice(0, -2)), (slice(1, -1), slice(2, None))
    s, n = (slice(0, -2), slice(1, -1)), (slice(2, None), slice(1, -1))

    def residual(x):
        u, v, o, t = (x[k * m * m : (k + 1) * m * m].reshape(m, m) for k in range(4))

        def diffusion(y):
            return 4.0 * y[c] - y[w] - y[e] - y[s] - y[n]

        def convection(y):
            right, left = np.maximum(u[c], 0.0), np.minimum(u[c], 0.0)
            up, down = np.maximum(v[c], 0.0), np.minimum(v[c], 0.0)
            across = right * (y[c] - y[w]) + left * (y[e] - y[c])
            return h * (across + up * (y[c] - y[s]) + down * (y[n] - y[c]))

        hot = 1.0 if grashof > 0.0 else 0.0
        fields = (
            (diffusion(u) - 0.5 * h * (o[n] - o[s]), u[0], u[-1] - lid, u[:, 0], u[:, -1]),
            (diffusion(v) + 0.5 * h * (o[e] - o[w]), v[0], v[-1], v[:, 0], v[:, -1]),
            (
                diffusion(o) + convection(o) - 0.5 * h * grashof * (t[e] - t[w]),
                o[0] + (u[1] - u[0]) * d,
                o[-1] + (u[-1] - u[-2]) * d,
                o[:, 0] - (v[:, 1] - v[:, 0]) * d,
                o[:, -1] - (v[:, -1] - v[:, -2]) * d,
            ),
            (
                diffusion(t) + prandtl * convection(t),
                t[0] - t[1],
                t[-1] - t[-2],
                t[:, 0],
                t[:, -1] - hot,
            ),
        )
        parts = []
        for inner, bottom, top, left, right in fields:
            parts += [inner.reshape(-1), bottom[1:-1], top[1:-1], left, right]
        return ad.hstack(parts)

    start = np.zeros(4 * m * m)
    start[3 * m * m :] = np.tile(np.arange(m) * h, m)
    return residual, start


def scipy_f(x):
    """SciPy's F: a linear map plus a cubic; start (1, 0, 0, 0, 0) in effect."""
    d = np.array([3.0, 2.0, 1.5, 1.0, 0.5])
    return -d * x - 0.01 * np.sum(x * x) * x + 1.0


def powell_f4(x):
    """SciPy's F4_powell from (-1, -2)."""
    return np.stack([1e4 * x[0] * x[1] - 1.0, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])


def pressure_network(flow, total=4.0, k=0.5):
    """SciPy's pressure network (F5): equal coefficients, so equal flows total / 4."""
    coefficients = np.full(4, k)
    pressure = coefficients * flow**2
    return np.concatenate([pressure[1:] - pressure[:-1], np.stack([np.sum(flow) - total])])


def scipy_f6(x):
    """SciPy's F6 from (-0.5, 1.4); root (1.4142, 1.4142)... found by both rows."""
    return np.stack([x[0] ** 2 - x[1] + 1.0, x[0] - np.cos(0.5 * np.pi * x[1])])


def diode_circuit(x, source=5.0, resistance=1e3, current=1e-14, vt=0.02585):
    """A diode behind a resistor: exp(200) on the way from a start at the source voltage."""
    return np.stack([(source - x[0]) / resistance - current * np.expm1(x[0] / vt)])


def equilibrium_chemistry(x):
    """2 H2 + O2 = 2 H2O with K = 1e10: concentrations over many decades (h, o, w)."""
    h, o, w = x[0], x[1], x[2]
    return np.stack([w**2 - 1e10 * h**2 * o, h + w - 2.0, 2.0 * o + w - 2.1])


def lorenz_84(x, F, T):
    """E. N. Lorenz, Tellus A 36 (1984) 98, with another unknown."""
    X, Y, Z, U = x
    return [
        -(-(Y**2) - Z**2 - 0.25 * X + 0.25 * F - 0.987 * U**2),
        -(X * Y - X * Z - Y + 0.25),
        -(X * Y + X * Z - Z),
        -(-1.04 * U + 0.987 * U * X + T),
    ]


def reactor_of_two_steps(x, D):
    """A -> B -> C in a stirred tank: demonstration `abc` of AUTO-07p, with its parameters."""
    u, v, T = x
    rate = D * np.exp(T)
    heat = 8.0 * rate * (1.0 - u + 0.04 * v)
    return [u - rate * (1.0 - u), v - rate * (1.0 - u - 0.04 * v), 2.55 * T - heat]
