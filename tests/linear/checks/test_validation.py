"""Matrices and right-hand sides are checked, and brought into the order of the pattern."""

import numpy as np
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.pattern import Pattern


def test_index_arrays_changed_in_place_are_noticed():
    A = sp.csr_array([[2.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]])
    solver = linear.LinearSolver(Pattern.of(sp.eye_array(3)))
    b = np.array([1.0, 2.0, 4.0])
    for column in (1, 2):
        A.indices[1] = column  # the second entry of the first equation
        solver.factorize(A)
        assert np.allclose(solver.solve(b), np.linalg.solve(A.toarray(), b))
    assert solver.stats.n_grow == 2
