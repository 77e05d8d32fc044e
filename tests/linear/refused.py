"""The error with which a singular matrix is refused."""

import numpy as np
import pytest

from sgsolve import linear
from sgsolve.errors import SingularMatrixError
from sgsolve.pattern import Pattern


def failure(A, name="auto"):
    """Factorize and solve; either of the two may refuse."""
    solver = linear.LinearSolver(Pattern.of(A), name)
    with pytest.raises(SingularMatrixError) as caught:
        _solve(solver, A)
    return caught.value


def _solve(solver, A):
    solver.factorize(A)
    solver.solve(np.random.default_rng(0).normal(size=A.shape[0]))
