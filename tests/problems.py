"""The gallery of reference problems: residual, standard start, known solution.

The 23 problems are those of Burkardt's test_nonlin (after MINPACK and ACM 566) in the variants of
NonlinearProblemLibrary.jl, whose published tables say which solver manages which; written anew
here, in vector form. The families below scale to any n.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Case:
    """A system with its standard start and, where known, its solutions."""

    number: int
    name: str
    residual: Any
    start: np.ndarray
    solutions: tuple = ()


def rosenbrock(x):
    return np.concatenate([1.0 - x[:1], 10.0 * (x[1:] - x[:-1] ** 2)])


def powell_singular(x):
    return np.stack(
        [
            x[0] + 10.0 * x[1],
            np.sqrt(5.0) * (x[2] - x[3]),
            (x[1] - 2.0 * x[2]) ** 2,
            np.sqrt(10.0) * (x[0] - x[3]) ** 2,
        ]
    )


def powell_badly_scaled(x):
    return np.stack([1e4 * x[0] * x[1] - 1.0, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])


WOOD_SADDLE = np.array(
    [-0.9679740249351904, 0.9471391408131077, -0.9695163103340851, 0.9512476657970664]
)


def wood(x):
    first, second = x[1] - x[0] ** 2, x[3] - x[2] ** 2
    return np.stack(
        [
            -200.0 * x[0] * first - (1.0 - x[0]),
            200.0 * first + 20.2 * (x[1] - 1.0) + 19.8 * (x[3] - 1.0),
            -180.0 * x[2] * second - (1.0 - x[2]),
            180.0 * second + 20.2 * (x[3] - 1.0) + 19.8 * (x[1] - 1.0),
        ]
    )


def helical_valley(x):
    turn = np.arctan(x[1] / np.where(x[0] == 0.0, 1e-300, x[0])) / (2.0 * np.pi)
    theta = np.where(x[0] > 0.0, turn, turn + 0.5)
    theta = np.where(x[0] == 0.0, 0.25 * np.sign(x[1]), theta)
    radius = np.sqrt(x[0] ** 2 + x[1] ** 2)
    return np.stack([10.0 * (x[2] - 10.0 * theta), 10.0 * (radius - 1.0), x[2]])


def watson(x):
    # the coefficients are the library's own (j instead of j - 1, 2 x0^2 and so on)
    n, t = x.shape[0], np.arange(1, 30) / 29.0
    j = np.arange(1, n + 1)
    powers = t[:, None] ** (j - 1)
    slopes = np.where(j > 1, j * t[:, None] ** (j - 2.0), 0.0)
    value = powers @ x
    gap = slopes @ x - value * value - 1.0
    weights = powers / t[:, None]
    first = (weights * j).T @ gap - 2.0 * ((weights * t[:, None]).T @ (value * gap))
    more = [3.0 * x[0] - 2.0 * x[0] ** 2 + 2.0 * x[0] ** 3, x[1] - x[1] ** 2 - 1.0]
    return (
        first + np.concatenate([np.stack(more), np.zeros(n - 2)])
        if n > 2
        else first + np.stack(more)
    )


def chebyquad(x):
    n = x.shape[0]
    before, now, rows = np.ones(n), x, []
    for i in range(1, n + 1):
        mean = np.sum(now) / n
        rows.append(mean + (1.0 / (i * i - 1.0) if i % 2 == 0 else 0.0))
        before, now = now, 2.0 * x * now - before
    return np.stack(rows)


def brown_almost_linear(x):
    n = x.shape[0]
    product = x[0]
    for i in range(1, n):
        product = product * x[i]
    return np.concatenate([x[:-1] + np.sum(x) - (n + 1.0), np.stack([product - 1.0])])


def discrete_boundary_value(x):
    n = x.shape[0]
    h = 1.0 / (n + 1)
    t = h * np.arange(1, n + 1)
    full = np.concatenate([[0.0], x, [0.0]])
    return 2.0 * x - full[:-2] - full[2:] + 0.5 * h**2 * (x + t + 1.0) ** 3


def discrete_integral(x):
    n = x.shape[0]
    h = 1.0 / (n + 1)
    t = h * np.arange(1, n + 1)
    kernel = np.where(t[None, :] <= t[:, None], (1.0 - t[:, None]) * t, 0.0)
    kernel = kernel + np.where(t[None, :] >= t[:, None], t[:, None] * (1.0 - t), 0.0)
    return x + 0.5 * h * (kernel @ (x + t + 1.0) ** 3)


def trigonometric(x):
    n = x.shape[0]
    return n - np.sum(np.cos(x)) + np.arange(1, n + 1) * (1.0 - np.cos(x)) - np.sin(x)


def variably_dimensioned(x):
    k = np.arange(1.0, x.shape[0] + 1)
    moment = np.sum(k * (x - 1.0))
    return x - 1.0 + k * (moment * (1.0 + 2.0 * moment * moment))


def broyden_tridiagonal(x):
    full = np.concatenate([[0.0], x, [0.0]])
    return (3.0 - 2.0 * x) * x + 1.0 - full[:-2] - 2.0 * full[2:]


def broyden_banded(x, below=5, above=1):
    y = x * (1.0 + x)
    full = np.concatenate([np.zeros(below), y, np.zeros(above)])
    n = x.shape[0]
    total = x * (2.0 + 5.0 * x * x) + 1.0
    for shift in range(below + above + 1):
        if shift != below:
            total = total - full[shift : shift + n]
    return total


def hammarling(x):
    """The square root of a matrix with 1e-4 on the diagonal and a one beside it."""
    n = int(np.sqrt(x.shape[0]))
    target = 1e-4 * np.eye(n)
    target[0, 1] = 1.0
    rows = []
    for i in range(n):
        for j in range(n):
            total = x[n * i] * x[j]
            for k in range(1, n):
                total = total + x[n * i + k] * x[n * k + j]
            rows.append(total - target[i, j])
    return np.stack(rows)


def dennis_schnabel(x):
    return np.stack([x[0] + x[1] - 3.0, x[0] ** 2 + x[1] ** 2 - 9.0])


def sample_18(x):
    safe = np.where(x == 0.0, 1.0, x)
    ratio = np.where(x == 0.0, 0.0 * x, -np.expm1(-safe * safe) / safe)
    return np.stack([x[1] ** 2 * ratio[0], x[0] * ratio[1]])


def sample_19(x):
    return x * (x[0] ** 2 + x[1] ** 2)


def scalar(x):
    return x * (x - 5.0) ** 2


def freudenstein_roth(x):
    return np.stack(
        [
            x[0] - x[1] ** 3 + 5.0 * x[1] ** 2 - 2.0 * x[1] - 13.0,
            x[0] + x[1] ** 3 + x[1] ** 2 - 14.0 * x[1] - 29.0,
        ]
    )


def boggs(x):
    return np.stack([x[0] ** 2 - x[1] + 1.0, x[0] - np.cos(0.5 * np.pi * x[1])])


def chandrasekhar(x, c=0.9):
    n = x.shape[0]
    mu = np.arange(1.0, n + 1) / n
    kernel = mu[:, None] / (mu[:, None] + mu[None, :])
    return x - 1.0 / (1.0 - c / (2.0 * n) * (kernel @ x))


def _parabola(n):
    i = np.arange(1, n + 1)
    return i * (i - n - 1.0) / (n + 1.0) ** 2


_ROOT3 = 1.0 / np.sqrt(3.0)

CASES = (
    Case(1, "Rosenbrock", rosenbrock, np.r_[-1.2, np.ones(9)], (np.ones(10),)),
    Case(2, "Powell singular", powell_singular, np.array([3.0, -1, 0, 1]), (np.zeros(4),)),
    Case(3, "Powell badly scaled", powell_badly_scaled, np.array([0.0, 1.0])),
    # the minimum of Wood's function, and its saddle point: both are roots of the gradient
    Case(4, "Wood", wood, np.array([-3.0, -1, -3, -1]), (np.ones(4), WOOD_SADDLE)),
    Case(5, "Helical valley", helical_valley, np.array([-1.0, 0, 0]), (np.array([1.0, 0, 0]),)),
    Case(6, "Watson", watson, np.zeros(2)),
    Case(7, "Chebyquad", chebyquad, np.array([0.0, 2.0 / 3.0]), (np.array([-_ROOT3, _ROOT3]),)),
    Case(8, "Brown almost linear", brown_almost_linear, np.full(10, 0.5)),
    Case(9, "Discrete boundary value", discrete_boundary_value, _parabola(10)),
    Case(10, "Discrete integral equation", discrete_integral, _parabola(10)),
    Case(11, "Trigonometric", trigonometric, np.full(10, 0.1)),
    Case(
        12, "Variably dimensioned", variably_dimensioned, 1 - np.arange(1, 11) / 10, (np.ones(10),)
    ),
    Case(13, "Broyden tridiagonal", broyden_tridiagonal, -np.ones(10)),
    Case(14, "Broyden banded", broyden_banded, -np.ones(10)),
    Case(15, "Hammarling 2 by 2", hammarling, np.eye(2).ravel()),
    Case(16, "Hammarling 3 by 3", hammarling, np.eye(3).ravel()),
    Case(17, "Dennis and Schnabel", dennis_schnabel, np.array([1.0, 5.0])),
    Case(18, "Sample 18", sample_18, np.array([2.0, 2.0])),
    Case(19, "Sample 19", sample_19, np.array([3.0, 3.0]), (np.zeros(2),)),
    Case(20, "Scalar x(x-5)^2", scalar, np.array([1.0])),
    Case(21, "Freudenstein-Roth", freudenstein_roth, np.array([0.5, -2.0])),
    Case(22, "Boggs", boggs, np.array([1.0, 0.0])),
    Case(23, "Chandrasekhar", chandrasekhar, np.ones(10)),
)


def petsc_ex99(x):
    """PETSc SNES ex99, start 2.5: backtracking ends in a local minimum of |F|."""
    return 8.0 * np.exp(-4.0 * (x - 2.0) ** 2) * (x - 2.0) + 2.0 * x


def brusselator(n):
    """Return (residual, start) of the steady 2-D Brusselator on an n by n periodic grid."""
    line = np.linspace(0.0, 1.0, n)
    x, y = np.meshgrid(line, line, indexing="ij")
    alpha = 10.0 * (n - 1.0) ** 2
    ring = sp.diags_array(
        [1.0, 1.0, -2.0, 1.0, 1.0], offsets=[-(n - 1), -1, 0, 1, n - 1], shape=(n, n)
    )
    laplacian = alpha * sp.csr_array(
        sp.kron(sp.eye_array(n), ring) + sp.kron(ring, sp.eye_array(n))
    )
    source = 5.0 * (((x - 0.3) ** 2 + (y - 0.6) ** 2) <= 0.01).ravel()

    def residual(z):
        u, v = z[: n * n], z[n * n :]
        uuv = u * u * v
        return np.concatenate(
            [laplacian @ u + 1.0 + uuv - 4.4 * u + source, laplacian @ v + 3.4 * u - uuv]
        )

    start = [22.0 * (y * (1.0 - y)) ** 1.5, 27.0 * (x * (1.0 - x)) ** 1.5]
    return residual, np.concatenate([s.ravel() for s in start])
