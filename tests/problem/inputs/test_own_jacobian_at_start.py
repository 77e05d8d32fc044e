"""A user's Jacobian with entries that vanish at the start: values, no structure."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, root

CASES = {
    "row": (
        lambda x: np.array([x[0] ** 2 - 1.0, x[1] - x[0]]),
        lambda x: np.array([[2.0 * x[0], 0.0], [-1.0, 1.0]]),
        [0.0, 0.5],
    ),
    "column": (
        lambda x: np.array([x[0] - 1.0 + x[1] ** 2, 2.0 * x[0] - 1.5 + x[1] ** 3]),
        lambda x: np.array([[1.0, 2.0 * x[1]], [2.0, 3.0 * x[1] ** 2]]),
        [1.0, 0.0],
    ),
    "everything": (
        lambda x: np.array([x[0] ** 2 + x[1] ** 2 - 1.0, x[0] * x[1] - 0.3]),
        lambda x: np.array([[2.0 * x[0], 2.0 * x[1]], [x[1], x[0]]]),
        [0.0, 0.0],
    ),
    "diagonal": (
        lambda x: np.array([x[0] ** 3 + x[1] - 2.0, x[1] ** 3 + x[2] - 2.0, x[2] ** 3 + x[0] - 2]),
        lambda x: np.diag(3.0 * x**2) + np.array([[0, 1.0, 0], [0, 0, 1.0], [1.0, 0, 0]]),
        [0.0, 0.0, 0.0],
    ),
    "switched off": (
        lambda x: np.array([x[0] + max(x[1] - 1.0, 0.0) - 3.0, x[1] + max(x[0], 0.0) ** 2 - 6.0]),
        lambda x: np.array([[1.0, float(x[1] > 1.0)], [2.0 * max(x[0], 0.0), 1.0]]),
        [-1.0, 0.0],
    ),
}
KINDS = {
    "dense": np.asarray,
    "csr": sp.csr_array,
    "csc": sp.csc_array,
    "coo": sp.coo_array,
    "lil": sp.lil_array,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_entries_that_vanish_at_the_start_are_no_structure(name, kind):
    f, J, start = CASES[name]
    problem = Problem(f, jacobian=lambda x: KINDS[kind](J(x)))
    result = problem.solve(start)
    assert np.abs(f(result.x)).max() < 1e-9
    found = root(f, start, jac=lambda x: KINDS[kind](J(x)))
    assert found.success
    assert np.abs(f(found.x)).max() < 1e-7
