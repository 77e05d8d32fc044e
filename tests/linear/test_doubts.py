"""Nothing about a matrix, a right-hand side or an answer is taken on trust."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import LinearSolveError
from sgsolve.linear.equilibration import Equilibration
from sgsolve.pattern import Pattern
from tests.linear.matrices import five_point


class Off:
    """Answers with a constant error, which refinement cannot take away."""

    name = "off"
    error = 1e-7

    def analyze(self, A):
        pass

    def factorize(self, A):
        self._A = A.toarray()

    def solve(self, b, transpose):
        x = np.linalg.solve(self._A.T if transpose else self._A, b)
        return x + self.error


@pytest.mark.parametrize("transpose", [False, True])
def test_an_answer_of_seven_digits_is_no_answer(transpose):
    A = five_point(6)
    solver = linear.LinearSolver(Pattern.of(A), Off)
    solver.factorize(A)
    b = np.random.default_rng(0).normal(size=A.shape[0])
    x = solver.solve(b, transpose=transpose)
    assert np.allclose((A.T if transpose else A) @ x, b, rtol=0.0, atol=1e-12)
    assert solver.stats.n_fallback == 1
    assert solver.name != "off"


def test_index_arrays_changed_in_place_are_noticed():
    A = sp.csr_array([[2.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]])
    solver = linear.LinearSolver(Pattern.of(sp.eye_array(3)))
    b = np.array([1.0, 2.0, 4.0])
    for column in (1, 2):
        A.indices[1] = column  # the second entry of the first equation
        solver.factorize(A)
        assert np.allclose(solver.solve(b), np.linalg.solve(A.toarray(), b))
    assert solver.stats.n_grow == 2


def test_a_sum_that_overflows_is_no_infinity():
    solver = linear.LinearSolver(Pattern.of(sp.eye_array(3)))
    solver.factorize(sp.csr_array(2.0 * np.eye(3)))
    assert solver.solve(np.full(3, 1.5e308)).tolist() == [0.75e308] * 3
    with pytest.raises(LinearSolveError, match="NaN or infinity"):
        solver.solve([1.0, np.inf, 1.0])


def test_imaginary_entries_are_leveled():
    A = sp.csr_array(1j * np.outer(10.0 ** np.arange(-40.0, 40.0, 20.0), [1.0, 1e30, 1e-30, 1.0]))
    out = np.empty_like(A.data)
    Equilibration(Pattern.of(A)).apply(A.data, out)
    for axis in (0, 1):
        largest = np.abs(out.reshape(4, 4)).max(axis=axis)
        assert largest.max() <= 8.0
        assert largest.min() >= 0.125
