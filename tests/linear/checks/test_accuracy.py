"""Backward errors and refinement, on cases with known answers."""

import numpy as np
import pytest

from sgsolve import linear
from sgsolve.linear.checks.accuracy import (
    Answer,
    LinearSystem,
    largest_ratio,
    refined,
    relaxed_error,
)
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, five_point


def test_backward_error_is_that_of_the_unscaled_system():
    A = drift_diffusion((100,), 5.0)
    b = A @ np.random.default_rng(0).uniform(1, 2, A.shape[0])
    solver = linear.LinearSolver(Pattern.of(A))
    solver.factorize(A)
    x = solver.solve(b)
    error = np.max(np.abs(b - A @ x) / (abs(A) @ np.abs(x) + np.abs(b)))
    assert solver.backward_error <= 1e-12
    # Rounding of the products differs by an ulp or two between the two scalings.
    assert abs(error - solver.backward_error) < 4e-16 + 0.1 * solver.backward_error


def test_rows_of_pure_rounding_are_judged_against_the_largest_unknown():
    A = np.array([[1.0, 1.0], [0.5, 1.0]])
    system = LinearSystem(A, np.abs(A), lambda b: np.linalg.solve(A, b))
    for x, error in (([1.0, 0.0], 0.5), ([1.0, 1e-3], 1.0)):
        # A second row of nothing but noise: b is exact to rounding of the first unknown.
        x = np.array(x)
        r = np.array([0.0, 1e-17])
        answer = Answer(x, error, r, np.array([2.0, 1e-17]), 0)
        assert relaxed_error(system, answer) < 1e-16
    # A row with terms of its own is judged by them.
    answer = Answer(x, 1e-3, np.array([0.0, 1e-12]), np.array([2.0, 1e-9]), 0)
    assert relaxed_error(system, answer) == pytest.approx(1e-3)


def test_one_step_of_refinement_brings_the_noise_of_tiny_unknowns_down():
    # An elimination leaves noise of 1e-17 of the largest unknown in all the others. The strict
    # measure of such a row is 1 before and 1e-4 after a step that gains 17 digits.
    A = np.eye(2)
    system = LinearSystem(A, A, lambda b: b + np.array([0.0, 1e-17 * np.abs(b).max()]))
    b = np.array([1.0, 1e-30])
    answer = refined(system, b, np.abs(b))
    assert answer.steps == 1
    assert answer.error < 1e-12
    np.testing.assert_allclose(answer.x, b, rtol=1e-3)


def test_rows_near_underflow_are_judged_by_what_numbers_can_hold():
    """A solution that decays to 1e-310 is rounded there to multiples of 5e-324."""
    scale = np.array([1.0, 1e-310])
    assert largest_ratio(np.array([0.0, 1e-320]), scale) < 1e-20
    assert largest_ratio(np.array([1e-9, 0.0]), scale) == pytest.approx(1e-9)
    # A system of small numbers only is judged by them; so is each column by its own.
    assert largest_ratio(np.array([1e-300]), np.array([1e-290])) == pytest.approx(1e-10)
    columns = np.array([[1.0, 1e-290], [1e-310, 1e-290]])
    r = np.array([[0.0, 1e-300], [1e-320, 0.0]])
    assert largest_ratio(r, columns) == pytest.approx(1e-10)


def test_refinement_keeps_the_best_iterate():
    A = np.eye(3)
    gain = iter([1.5, -9.0])
    system = LinearSystem(A, A, lambda b: next(gain) * b)
    answer = refined(system, np.ones(3), np.ones(3))
    np.testing.assert_array_equal(answer.x, np.full(3, 1.5))
    assert answer.error == pytest.approx(0.5 / 2.5)
    assert answer.steps == 1


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


def test_each_right_hand_side_is_judged_by_its_own_unknowns():
    A = np.eye(2)
    system = LinearSystem(A, A, lambda b: b)
    x = np.array([[1e20, 1.0], [0.0, 1.0]])
    residual, scale = np.array([[0.0, 0.0], [0.0, 1e-6]]), np.array([[2e20, 2.0], [1.0, 1e-4]])
    answer = Answer(x, 1.0, residual, scale, 0)
    assert relaxed_error(system, answer) == pytest.approx(1e-2)


def test_refinement_that_does_not_halve_the_error_ends():
    solves = []

    def solve(b):
        solves.append(1)
        return 0.3 * b  # each step leaves 0.7 of the error

    A = np.eye(2)
    answer = refined(LinearSystem(A, A, solve), np.ones(2), np.ones(2))
    assert len(solves) == 2
    assert answer.steps == 1


def test_refinement_goes_on_while_residuals_fall_and_an_answer_is_not_accurate():
    """The second unknown is zero, so that its equation has an error of one until the very end."""
    A, near = np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([[2.0, 1.0], [1e-3, 1.0]])
    system = LinearSystem(A, np.abs(A), lambda b: np.linalg.solve(near, b))
    b = np.array([2.0, 0.0])
    answer = refined(system, b, np.abs(b))
    assert answer.error < 1e-12
    np.testing.assert_allclose(answer.x, [1.0, 0.0], atol=1e-12)
    assert 3 <= answer.steps <= 6
