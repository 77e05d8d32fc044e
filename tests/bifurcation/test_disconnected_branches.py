"""Isolas and other branches that the first one does not meet, from deflation at several values."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from sgsolve import Problem
from tests.continuation.gallery import bratu_2d


def stirred_tank(x, tau, k):
    """A + 2 B -> 3 B and the decay of B: P. Gray, S. K. Scott, Chem. Eng. Sci. 38 (1983) 29."""
    a, b = x
    made = tau * a * b**2
    return [1.0 - a - made, made - (1.0 + k * tau) * b]


@pytest.mark.slow
def test_the_isola_of_a_stirred_tank():
    """a (1 - a) = (1 + k tau)^2 / tau on it, so that its folds solve (1 + k tau)^2 = tau / 4."""
    k = 0.04
    problem = Problem(stirred_tank, params={"tau": 1.0, "k": k})
    starts = [[1.0, 0.0], [0.5, 0.4]]
    sets = problem.deflated_continuation(starts, "tau", [2.0, 20.0, 150.0])
    assert sets.counts.tolist() == [1, 3, 1]
    diagram = problem.bifurcation_diagram(sets, "tau", (1.0, 200.0))
    assert len(diagram) == 2
    assert "closed" in diagram[1].message
    folds = sorted(point.parameter for point in diagram.special_points_of("fold"))
    assert folds == pytest.approx(sorted(np.roots([k**2, 2.0 * k - 0.25, 1.0])), rel=1e-12)
    (hopf,) = diagram.special_points_of("hopf")  # the trace of the Jacobian is zero
    a, b = hopf.x
    assert abs(-1.0 - k * hopf.parameter - 1.0 + hopf.parameter * (2.0 * a * b - b**2)) < 1e-9


@pytest.mark.parametrize("size", [0.01, pytest.param(-0.01, marks=pytest.mark.slow)])
def test_an_imperfect_pitchfork(size):
    problem = Problem(lambda x, p: p * x - x**3 + size, params={"p": -1.0})
    sets = problem.deflated_continuation([[0.0], [-1.0], [1.0]], "p", [-1.0, 1.0])
    diagram = problem.bifurcation_diagram(sets, "p", (-1.0, 1.0))
    (point,) = diagram.special_points
    assert point.kind == "fold"
    assert point.parameter == pytest.approx(3.0 * (0.5 * abs(size)) ** (2.0 / 3.0), abs=1e-12)
    ends = np.concatenate([branch.states[branch["p"] == 1.0, 0] for branch in diagram])
    assert np.sort(ends) == pytest.approx(np.sort(np.roots([-1.0, 0.0, 1.0, size]).real), abs=1e-12)


@pytest.mark.slow
def test_a_rod_that_is_bent_a_little():
    """Two arms of each buckled shape are one branch with a fold, which deflation finds."""
    s = np.linspace(0.0, 1.0, 21)[1:-1]
    bend = 0.02 * (np.sin(np.pi * s) + np.sin(2.0 * np.pi * s))

    def rod(u, load):
        full = np.concatenate([[0.0], u, [0.0]])
        return (full[2:] - 2.0 * u + full[:-2]) * 20**2 + load * np.sin(u + bend)

    problem = Problem(rod, params={"load": 5.0})
    starts = [side * np.sin(k * np.pi * s) for k in (1, 2) for side in (-1.5, 0.0, 1.5)]
    sets = problem.deflated_continuation(starts, "load", np.linspace(5.0, 60.0, 6))
    assert sets.counts.tolist() == [1, 3, 3, 3, 5, 5]
    diagram = problem.bifurcation_diagram(sets, "load", (5.0, 60.0))
    assert [point.kind for point in diagram.special_points] == ["fold", "fold"]
    at_end = [branch.x for branch in diagram if branch["load"][-1] == 60.0]
    assert len(at_end) == 5
    for point in diagram.special_points:
        J = problem.at(load=point.parameter).jacobian(point.x).toarray()
        assert np.abs(np.linalg.eigvalsh(J)).min() < 1e-6


def test_subcritical_rolls_with_hysteresis():
    """Swift-Hohenberg with a quadratic term, no flux: folds and pitchforks are told apart.

    At a fold the left null vector is not orthogonal to the derivative by r, which is u; at a
    pitchfork it is.
    """
    n, h = 24, 2.0 * np.pi / 24

    def lap(u):
        around = np.concatenate([u[1:2], u, u[-2:-1]])
        return (around[2:] - 2.0 * u + around[:-2]) / h**2

    def rolls(u, r):
        v = u + lap(u)
        return r * u - (v + lap(v)) + 2.0 * u**2 - u**3

    problem = Problem(rolls, params={"r": -0.6})
    diagram = problem.bifurcation_diagram(np.zeros(n + 1), "r", (-0.6, 0.2))
    assert diagram.success
    assert len(diagram) == 4
    kinds = [point.kind for point in diagram.special_points]
    assert (kinds.count("fold"), kinds.count("branch point")) == (6, 3)
    for point in diagram.special_points:
        J = problem.at(r=point.parameter).jacobian(point.x).toarray()
        left, values, _ = np.linalg.svd(J)
        assert values[-1] < 1e-5 * values[-2]
        share = abs(left[:, -1] @ point.x)
        assert (share > 1e-2) == (point.kind == "fold")


def fold_of_bratu_by_polynomials(n):
    """The largest lambda of a square, by Chebyshev polynomials of degree 2 n - 1 even in x and y.

    On the nodes of a quarter; lambda for each height u(0, 0) by Newton's method, then its maximum.
    """
    angle = np.arange(2 * n) * np.pi / (2 * n - 1)
    x, sign = np.cos(angle), np.where(np.arange(2 * n) % 2, -1.0, 1.0)
    sign[[0, -1]] *= 2.0
    D = np.outer(sign, 1.0 / sign) / (x[:, None] - x + np.eye(2 * n))
    D = D - np.diag(D.sum(axis=1))
    second = (D @ D)[1:n, 1:-1]
    half = 4.0 * (second[:, : n - 1] + second[:, n - 1 :][:, ::-1])  # on (0, 1)
    eye = np.eye(n - 1)
    lap = np.kron(half, eye) + np.kron(eye, half)
    top = len(lap) - 1  # the node nearest to the center

    def at(height, u, lam):
        for _ in range(8):
            e = np.exp(u)
            K = np.block([[lap + np.diag(lam * e), e[:, None]], [np.eye(1, top + 1, top), 0.0]])
            step = np.linalg.solve(K, np.append(lap @ u + lam * e, u[top] - height))
            u, lam = u - step[:-1], lam - step[-1]
        return u, lam

    u, lam = np.zeros(top + 1), 0.0
    for height in (0.5, 0.9, 1.3):
        u, lam = at(height, u, lam)
    near = minimize_scalar(lambda h: -at(h, u, lam)[1], bounds=(1.2, 1.5), options={"xatol": 1e-6})
    return -near.fun


@pytest.mark.slow
def test_the_fold_of_bratu_on_a_square():
    """Of two meshes, extrapolated, against Chebyshev polynomials."""
    exact = fold_of_bratu_by_polynomials(12)
    assert exact == pytest.approx(fold_of_bratu_by_polynomials(11), abs=1e-9)
    assert exact == pytest.approx(6.808124423, abs=1e-9)
    found = []
    for n in (15, 31):
        laplacian = bratu_2d(n)
        problem = Problem(lambda u, lam, lap=laplacian: lap(u, lam))
        branch = problem.at(lam=0.0).continuation(
            np.zeros(n * n), "lam", (0.0, 8.0), max_points=14, detect=("fold",), stability=True
        )
        found.append(branch.folds[0].parameter)
        assert [branch["unstable"][0], branch["unstable"][-1]] == [0, 1]
    assert found[1] + (found[1] - found[0]) / 3.0 == pytest.approx(exact, abs=2e-4)
