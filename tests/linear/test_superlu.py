"""SuperLU through SciPy: its errors by their texts."""

import pytest

from sgsolve import linear
from sgsolve.errors import BackendError, OutOfMemoryError, SingularMatrixError
from sgsolve.linear import superlu
from sgsolve.pattern import Pattern
from tests.linear.matrices import five_point


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
