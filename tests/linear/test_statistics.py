"""Counts and seconds of a linear solver."""

import numpy as np
import pytest

from sgsolve import linear
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion


def test_statistics_count_refinement_and_seconds():
    A = drift_diffusion((2000,), 0.0)
    solver = linear.LinearSolver(Pattern.of(A), "banded")
    b = np.random.default_rng(0).normal(size=A.shape[0])
    for _ in range(3):
        solver.factorize(A)
        for _ in range(2):
            solver.solve(b)
    stats = solver.stats
    assert (stats.n_analyze, stats.n_factor, stats.n_solve) == (1, 3, 6)
    assert stats.n_refine >= 6
    assert stats.total_seconds == pytest.approx(sum(stats.seconds.values()))
