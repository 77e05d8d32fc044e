"""Random cubic systems: every point is a solution, and no fold or branch point is passed unseen."""

import numpy as np
import pytest

from sgsolve import ConvergenceError, Problem
from tests.selection import slow

BACKENDS = ("auto", "superlu", "banded")


def random_system(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 6))
    A, C = random.standard_normal((2, n, n))
    B = 0.5 * random.standard_normal((n, n, n))
    d = random.standard_normal(n) * random.integers(0, 2)
    quadratic, cubic = ((1, 0), (0, 1), (1, 1))[random.integers(0, 3)]

    def residual(x, p=0.0):
        squares = np.stack([np.sum((B[i] @ x) * x) for i in range(n)])
        return A @ x + p * (C @ x) + p * d + quadratic * squares - cubic * x**3

    return residual, random.standard_normal(n) * random.integers(0, 2)


def orientations(problem, residual, branch):
    """Sign of det [J Fp; tangent] at each point, computed on its own."""
    signs = []
    for x, p, share in zip(branch.states, branch["p"], branch["tangent"], strict=True):
        J = problem.at(p=p).jacobian(x).toarray()
        Fp = (residual(x, p + 1e-5) - residual(x, p - 1e-5)) / 2e-5
        extended = np.column_stack([J, Fp])
        tangent = np.linalg.svd(extended)[2][-1]
        tangent = tangent * np.sign(tangent[-1] * share)
        signs.append(np.sign(np.linalg.det(np.vstack([extended, tangent]))))
    return np.array(signs)


# Without the guard against jumps, 4 and 91 change branches unseen.
@pytest.mark.parametrize("seed", [91, *slow(*range(15), *range(100, 200))])
def test_nothing_is_passed_unseen(seed):
    residual, start = random_system(seed)
    problem = Problem(residual, backend=BACKENDS[seed % 3])
    try:
        branch = problem.continuation(start, "p", (-2.0, 2.0), max_points=200)
    except ConvergenceError:  # there may be no solution to start from
        return
    assert max(np.abs(residual(x, p)).max() for p, x in branch) < 1e-7
    signs = orientations(problem, residual, branch)
    for k in range(len(branch) - 1):
        here = [s.kind for s in branch.special_points if s.index == k + 1]
        assert (signs[k] != signs[k + 1]) == (here.count("branch point") % 2 == 1)
        turned = branch["tangent"][k] * branch["tangent"][k + 1] < 0
        if "branch point" not in here:  # along the arms of a pitchfork both are one
            assert turned == (here.count("fold") % 2 == 1)
    for special in branch.special_points:
        assert np.abs(residual(special.x, special.parameter)).max() < 1e-8
        J = problem.at(p=special.parameter).jacobian(special.x).toarray()
        if special.kind == "fold":
            values = np.linalg.svd(J, compute_uv=False)
            assert values[-1] < 1e-8 * values[0]
