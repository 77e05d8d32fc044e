"""Equilibration and the measures of accuracy, on cases with known answers."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.linear.accuracy import Answer, LinearSystem, refined, relaxed_error
from sgsolve.linear.equilibration import Equilibration
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, five_point


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("decades", [1, 30, 120])
def test_factors_are_powers_of_two_and_level_every_row_and_column(dtype, decades):
    random = np.random.default_rng(0)
    A = five_point(15, dtype)
    n = A.shape[0]
    rows = np.repeat(np.arange(n), np.diff(A.indptr))
    A.data *= 10.0 ** random.uniform(-decades, decades, n)[rows]
    A.data *= 10.0 ** random.uniform(-decades, decades, n)[A.indices]
    scaling = Equilibration(Pattern.of(A))
    out = np.empty_like(A.data)
    scaling.apply(A.data, out)
    for factor in (scaling.row, scaling.column):
        assert np.all(np.frexp(factor)[0] == 0.5)
    scaled = sp.csr_array((out, A.indices, A.indptr), shape=A.shape)
    for axis in (0, 1):
        largest = abs(scaled).max(axis=axis).toarray()
        assert largest.min() >= 0.125
        assert largest.max() <= 8
    restored = out / scaling.row[rows]
    np.testing.assert_array_equal(restored / scaling.column[A.indices], A.data)
    np.testing.assert_array_equal(scaling.magnitude, np.abs(out))


def test_factors_are_kept_until_an_entry_drifts():
    A = five_point(10)
    scaling = Equilibration(Pattern.of(A))
    out = np.empty_like(A.data)
    for change, updates in ((1.0, 1), (1.5, 1), (0.7, 1), (100.0, 2), (100.0, 2), (1.0, 3)):
        scaling.apply(change * A.data, out)
        assert scaling.n_update == updates


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


def test_refinement_keeps_the_best_iterate():
    A = np.eye(3)
    gain = iter([1.5, -9.0])
    system = LinearSystem(A, A, lambda b: next(gain) * b)
    answer = refined(system, np.ones(3), np.ones(3))
    np.testing.assert_array_equal(answer.x, np.full(3, 1.5))
    assert answer.error == pytest.approx(0.5 / 2.5)
    assert answer.steps == 1


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
