"""Turing modes that a symmetry lets cross together, in a Jacobian that is not symmetric.

The places and how often each is met follow from the dispersion relation of the discrete problem.
"""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem
from tests.selection import slow


def line(m, length, closed=False):
    """Second differences with zero flux at the ends, or on a ring."""
    beside = np.ones(m - 1)
    L = sp.lil_array(sp.diags_array([beside, np.full(m, -2.0), beside], offsets=[-1, 0, 1]))
    if closed:
        L[0, -1] = L[-1, 0] = 1.0
    else:
        L[0, 0] = L[-1, -1] = -1.0
    return sp.csr_array(L) * (m / length) ** 2


def cells(L, dimensions):
    total = L
    for _ in range(dimensions - 1):
        total = sp.kron(total, sp.eye_array(L.shape[0])) + sp.kron(sp.eye_array(total.shape[0]), L)
    return sp.csr_array(total)


KINETICS = {  # rates, uniform state, derivatives of the rates there
    "Schnakenberg": (
        lambda u, v: (0.2 - u + u * u * v, 1.3 - u * u * v),
        (1.5, 1.3 / 2.25),
        ((1.1 / 1.5, 2.25), (-2.6 / 1.5, -2.25)),
    ),
    "Brusselator": (
        lambda u, v: (2.0 - 5.0 * u + u * u * v, 4.0 * u - u * u * v),
        (2.0, 2.0),
        ((3.0, 4.0), (-4.0, -4.0)),
    ),
    "Gierer-Meinhardt": (
        lambda u, v: (u * u / v - u, u * u - v),
        (1.0, 1.0),
        ((1.0, -1.0), (2.0, -1.0)),
    ),
}


@pytest.mark.parametrize(
    ("name", "laplacian", "bounds", "step", "times"),
    [
        ("Gierer-Meinhardt", cells(line(6, 9.0), 2), (2.0, 30.0), 0.3, [2, 2, 1, 2, 3]),
        *slow(
            ("Schnakenberg", cells(line(8, 12.0), 2), (15.0, 30.0), 0.5, [2, 2]),
            ("Schnakenberg", line(20, 25.0, closed=True), (10.0, 60.0), 0.5, [2, 2, 2]),
            ("Brusselator", line(12, 14.0, closed=True), (4.0, 10.0), 0.5, [2, 2, 2, 2]),
            ("Gierer-Meinhardt", cells(line(4, 6.0), 3), (2.0, 30.0), 0.3, [3, 3, 1, 3]),
            ("Gierer-Meinhardt", cells(line(6, 9.0, closed=True), 2), (2.0, 30.0), 0.3, [4, 4]),
            # two pairs cross within a step, and more than the followed values at one point
            ("Brusselator", cells(line(8, 10.0), 2), (2.0, 4.13), 0.5, [2, 2, 2]),
            ("Brusselator", cells(line(5, 9.0, closed=True), 2), (2.0, 9.0), 0.3, [4, 4, 8, 4, 4]),
        ),
    ],
)
def test_modes_that_cross_together_are_found(name, laplacian, bounds, step, times):
    rates, state, ((fu, fv), (gu, gv)) = KINETICS[name]
    n = laplacian.shape[0]

    def residual(w, D):
        du, dv = rates(w[:n], w[n:])
        return np.concatenate([laplacian @ w[:n] + du, D * (laplacian @ w[n:]) + dv])

    k = np.linalg.eigvalsh(-laplacian.toarray())
    k = k[k > 1e-9]
    places = (gv - fv * gu / (fu - k)) / k
    places = places[(places > bounds[0]) & (places < bounds[1])]
    places, met = np.unique(places.round(8), return_counts=True)
    assert met.tolist() == times
    branch = (
        Problem(residual)
        .at(D=bounds[0])
        .continuation(np.repeat(state, n), "D", bounds, step=step, max_step=3.0)
    )
    found = [point.parameter for point in branch.branch_points]
    assert found == pytest.approx(places, abs=1e-6)
