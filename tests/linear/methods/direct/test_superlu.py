"""SuperLU through SciPy: its errors by their texts."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import BackendError, OutOfMemoryError, SingularMatrixError
from sgsolve.linear.methods.direct import superlu
from sgsolve.pattern import Pattern
from tests.linear.matrices import five_point, grid


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Factor is exactly singular", SingularMatrixError),
        ("SUPERLU_MALLOC fails for buf in intCalloc()", OutOfMemoryError),
        ("Not enough memory to perform factorization.", OutOfMemoryError),
        ("something else", BackendError),
    ],
)
def test_errors_of_superlu_are_told_apart(text, error, monkeypatch):
    def fails(*arguments, **options):
        raise RuntimeError(text)

    monkeypatch.setattr(superlu, "splu", fails)
    A = five_point(6)
    solver = linear.LinearSolver(Pattern.of(A), "superlu")
    with pytest.raises(error):
        solver.factorize(A)


@pytest.mark.parametrize("pivoting", ["partial", "diagonal", "auto"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_entries_of_the_factors_are_predicted(pivoting, shuffled):
    A = sp.csr_array(-grid(60, -4.0))
    if shuffled:  # equations in another order than the unknowns
        A = A[np.random.default_rng(0).permutation(3600)]
    backend = linear.SuperLU(pivoting)
    if shuffled and pivoting == "diagonal":
        with pytest.raises(BackendError, match="diagonal with 3593 zeros of 3600"):
            backend.analyze(A)
        return
    backend.analyze(A)
    backend.factorize(A)
    entries, true = backend.counts.entries, backend._lu.nnz
    assert entries == pytest.approx(true, rel=0.2)
    assert backend.predicted_bytes == 20.0 * entries
    assert backend.operations > entries
