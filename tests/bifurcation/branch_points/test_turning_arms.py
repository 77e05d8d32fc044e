"""The arm of a pitchfork turns at its branch point; a fold near a branch point is its own point."""

import numpy as np
import pytest

from sgsolve import Problem
from tests.selection import slow


def special_points(arm, n=3):
    """The special points along p = arm(x), which x = 0 crosses, in n mixed unknowns: kind, p, x."""
    Q = np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0]

    def residual(y, p):
        x = Q.T @ y
        rest = [x[i] - 0.1 * x[0] * x[i - 1] * (1.0 + x[i]) for i in range(1, n)]
        return Q @ np.stack([x[0] * (p - arm(x[0])), *rest])

    problem = Problem(residual, params={"p": arm(0.8)})
    start = problem.solve(0.8 * Q[:, 0]).x
    branch = problem.continuation(start, "p", (-0.5, 1.0), step=-0.05)
    return [(one.kind, one.parameter, Q[:, 0] @ one.x) for one in branch.special_points]


@pytest.mark.parametrize("power", [2, *slow(6)])
@pytest.mark.parametrize("cubic", [0.0, 0.1])
def test_a_pitchfork_is_no_fold(power, cubic):
    found = special_points(lambda x: x**power + cubic * x ** (power + 1))
    assert [kind for kind, _, _ in found] == ["branch point"]
    assert abs(found[0][1]) < 1e-12


@pytest.mark.parametrize("slope", [0.1, -1e-4, *slow(-1e-3, 1e-5)])
def test_a_fold_near_a_branch_point_stays(slope):
    """The fold of x^2 + slope x is at -slope / 2; the nearest are 5e-6 apart, 2.5e-11 in p."""
    found = special_points(lambda x: x**2 + slope * x)
    assert sorted(kind for kind, _, _ in found) == ["branch point", "fold"]
    (p, x), *_ = [(p, x) for kind, p, x in found if kind == "fold"]
    assert p == pytest.approx(-(slope**2) / 4.0, rel=1e-5)
    assert x == pytest.approx(-slope / 2.0, rel=1e-3)
