"""Inverses and determinants of small matrices."""

import numpy as np
import pytest

from sgsolve import ad

OF_MATRICES = {
    "inv": lambda A: np.linalg.inv(A) @ A,
    "det": lambda A: np.linalg.det(A)[:, None] * A[:, 0],
    "slogdet": lambda A: np.linalg.slogdet(A)[1][:, None] * A[:, 0],
    "solve": lambda A: np.linalg.solve(A, A * A) * A,
    "matrix_power": lambda A: np.linalg.matrix_power(A, -2) * A,
}


@pytest.mark.parametrize("name", OF_MATRICES)
def test_functions_of_small_matrices_have_the_same_slopes_in_each_evaluation(name):
    """Their inverses depend on x: met again at the same x, they are no constants."""

    def f(x):
        return OF_MATRICES[name](np.eye(3) + 0.1 * x.reshape(-1, 3, 3)).ravel()

    ad.clear_cache()
    x = np.random.default_rng(1).normal(size=54)
    for k in range(3):
        f(ad.seed(x + 0.01 * (k + 1)))  # what the first evaluations meet may be a constant
    first = f(ad.seed(x)).jacobian.data
    for _ in range(3):
        np.testing.assert_array_equal(f(ad.seed(x)).jacobian.data, first)
