"""One problem, or one function, asked by many threads, which switch after each operation."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sgsolve import Problem, ad
from tests.ad.kernels.compiled_help import needs_llvmlite

THREADS = 8
U0 = np.zeros(9)


@pytest.fixture(autouse=True)
def switching_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def bratu(u, s, q=0.0):
    full = np.concatenate([[0.0], u, [0.0]])
    return full[2:] - 2.0 * u + full[:-2] + 1e-2 * s * np.exp(u) + q


def shared(compiled):
    """Return what the threads ask of one problem, each something else.

    Answers that were mixed up differ by a tenth. Kernels come into use at any moment, and their
    Jacobians are rounded in another way, which steps in time may follow.
    """
    problem = Problem(
        bratu, params={"s": 1.0, "q": 0.0}, storage=lambda u: u + 0.1 * np.sin(u), compiled=compiled
    )
    return [
        lambda: problem.solve(U0).x,
        lambda: problem.at(s=3.1).solve(U0).x,
        lambda: problem.sweep(U0, "s", [1.0, 2.0, 3.0, 3.4]).x,
        lambda: problem.continuation(U0, "s", (0.5, 4.0)).folds[0].x,
        lambda: problem.at(q=0.02).continuation(U0, "s", (0.5, 1.5)).x,
        lambda: problem.transient(U0, (0.0, 1.0)).x,
        lambda: problem.sensitivity(problem.solve(U0), "s"),
        lambda: problem.solve_many(np.zeros((3, 9)), params={"s": [1.0, 2.0, 3.0]})[2].x,
    ]


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_llvmlite)])
def test_one_problem_serves_threads(compiled):
    alone = [ask() for ask in shared(compiled)]
    for _ in range(3):
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(lambda ask: ask(), shared(compiled)))
        for x, expected in zip(found, alone, strict=True):
            np.testing.assert_allclose(x, expected, rtol=5e-3)


def test_one_seed_serves_threads():
    """Each records another program on it, some for the first time and some again."""
    X, A = np.linspace(0.1, 2.0, 20), np.random.default_rng(0).normal(size=(3, 20))

    def program(x, k):
        y = np.exp(x * (k + 1.5)) * x[::-1] + np.sin(x) * X
        if k % 2:
            y = np.where(x > 1.0, y, x**k)
        y = np.concatenate([y[3:], A @ y])
        if k % 3 == 0:
            y = y / (1.0 + x**2) + np.cumsum(y)
        return ad.sparsesum([(20, np.arange(20)[::-1], y)]) + x if k > 4 else y

    for first in range(12):
        programs = [(first + k) % 11 for k in range(THREADS)]
        expected = [ad.jacobian(program, X, k).toarray() for k in programs]
        if first % 3 == 0:
            ad.clear_cache()
        x = ad.seed(X)
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(lambda k, x=x: program(x, k).jacobian.toarray(), programs))
        for J, exact in zip(found, expected, strict=True):
            np.testing.assert_allclose(J, exact, rtol=1e-12)
