"""References for cycles by another method: shooting with DOP853 and the variational equations.

`special_cycle` shoots once round; `fold_of_cycles` in several parts, for large multipliers.

Nothing of sgsolve is used. Derivatives are complex steps; integrator and solver are SciPy's.
"""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

STEP = 1e-30  # of the complex step: its error is its square


def slope(flow, x, p):
    """The derivative of the flow by x, shape (n, n)."""
    columns = [np.imag(np.array(flow(x + 1j * STEP * e, p))) / STEP for e in np.eye(len(x))]
    return np.array(columns).T


def after(flow, x, T, p):
    """The state after a time T, and its derivative by x."""
    n = len(x)

    def both(t, y):
        M = y[n:].reshape(n, n)
        here = y[:n]
        return np.concatenate([np.array(flow(here, p)), (slope(flow, here, p) @ M).ravel()])

    start = np.concatenate([x, np.eye(n).ravel()])
    run = solve_ivp(both, (0.0, T), start, method="DOP853", rtol=1e-12, atol=1e-13)
    y = run.y[:, -1]
    return y[:n], y[n:].reshape(n, n)


def special_cycle(flow, x, T, p, condition):
    """The period and the parameter of the cycle near a guess where condition(M) vanishes.

    M is the monodromy matrix; the first component of the start is fixed.
    """
    first = x[0]

    def equations(z):
        end, M = after(flow, z[:-2], z[-2], z[-1])
        return [*(end - z[:-2]), z[0] - first, condition(M)]

    found, _, _, message = fsolve(equations, [*x, T, p], xtol=1e-13, full_output=True)
    *closing, special = np.abs(equations(found))
    _, M = after(flow, found[:-2], found[-2], found[-1])
    assert max(closing) < 1e-8, message
    # The integrator's relative 1e-12 is felt as an error of the largest element of M.
    assert special < 1e-11 * max(np.abs(M).max(), 1e3), message
    return float(found[-2]), float(found[-1])


def planar_fold(M):
    """Of a planar cycle: the second multiplier is 1, as the trivial one."""
    return np.linalg.det(M) - 1.0


def doubling(M):
    """A multiplier is -1."""
    return np.linalg.det(M + np.eye(len(M)))


def fold_of_cycles(flow, states, velocities, T, p):
    """The period and the parameter of the fold of cycles near a guess, by multiple shooting.

    At a fold there are changes V of the states and tau of the period that keep the cycle closed.

    Parameters
    ----------
    states : ndarray, shape (parts, n)
        At equal times over a period.
    velocities : ndarray, shape (parts + 1, n)
        A guess of V, from the difference of two cycles; the last row is tau.
    """
    parts, n = states.shape
    start, along = states[0].copy(), np.array(flow(states[0], p))
    along /= np.linalg.norm(along)
    V, tau = velocities[:-1], velocities[-1, 0]
    size = np.linalg.norm(V)
    V, tau = V / size, tau / size
    rates = np.array([flow(x, p) for x in states])
    V = V - (along @ V[0]) / (along @ rates[0]) * rates
    normal = V.ravel() / (V.ravel() @ V.ravel())

    def shot(x, v, time, p):
        def both(t, y):
            z = np.array(flow(y[:n] + 1j * STEP * y[n:], p))
            return np.concatenate([z.real, z.imag / STEP])

        settings = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}
        end = solve_ivp(both, (0.0, time), np.append(x, v), **settings).y[:, -1]
        return end[:n], end[n:]

    def equations(z):
        X, V = z[: 2 * n * parts].reshape(2, parts, n)
        T, tau, p = z[-3:]
        gaps = []
        for k in range(parts):
            x, v = shot(X[k], V[k], T / parts, p)
            after = (k + 1) % parts
            gaps += [x - X[after], v + np.array(flow(x, p)) * tau / parts - V[after]]
        ends = [along @ (X[0] - start), along @ V[0], normal @ V.ravel() - 1.0]
        return np.concatenate([*gaps, ends])

    guess = np.concatenate([states.ravel(), V.ravel(), [T, tau, p]])
    found, _, _, message = fsolve(equations, guess, xtol=1e-12, full_output=True)
    assert np.abs(equations(found)).max() < 1e-8, message
    return float(found[-3]), float(found[-1])
