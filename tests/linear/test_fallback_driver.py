"""When a back end is analyzed again, and which one is kept, seen by a back end that counts."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import LinearSolveError, SingularMatrixError
from sgsolve.linear import fallback_driver
from sgsolve.linear.checks.accuracy import Fault, Singularity
from sgsolve.pattern import Pattern

N = 40
B = np.ones(N)


class Own:
    """Dense LU that counts its analyses, and can be told to be sloppy or wrong."""

    name = "own"
    reads_values = True
    doubtful = False
    perturbed = 0
    mute = False
    sloppy = 0.0
    wrong = 0.0

    def __init__(self):
        self.analyses = 0

    def analyze(self, A):
        self.analyses += 1

    def factorize(self, A):
        self._A = A.toarray()
        if not np.linalg.svd(self._A, compute_uv=False)[-1] > 0.0:
            raise SingularMatrixError("own met a zero pivot")

    def solve(self, b, transpose):
        if transpose and self.mute:
            return np.zeros_like(b)
        x = np.linalg.solve(self._A.T if transpose else self._A, b)
        return x * (1.0 + self.sloppy * np.cos(np.arange(N))) + self.wrong


def tridiagonal(diagonal):
    ones = np.ones(N - 1)
    return sp.csr_array(sp.diags_array([ones, np.full(N, diagonal), ones], offsets=[-1, 0, 1]))


GOOD = tridiagonal(-2.5)
NEARLY = tridiagonal(-2.0 * np.cos(np.pi / (N + 1)))  # an eigenvalue is zero to rounding


def made(**settings):
    backend = Own()
    vars(backend).update(settings)
    solver = linear.LinearSolver(Pattern.of(GOOD), backend)
    serves(solver)
    return solver, backend


def solved(solver, A):
    solver.factorize(A)
    return solver.solve(B)


def refused(solver, A):
    with pytest.raises(LinearSolveError) as caught:
        solved(solver, A)
    return caught.value


def at(distance):
    every = np.ones(N, dtype=bool)
    return Singularity(distance, every, every)


def serves(solver):
    assert np.allclose(GOOD @ solved(solver, GOOD), B)


def test_a_matrix_to_blame_says_nothing_against_an_analysis():
    solver, backend = made()
    refused(solver, NEARLY)
    serves(solver)
    assert backend.analyses == 1


def test_nothing_is_solved_after_a_refusal():
    solver, _ = made()
    refused(solver, NEARLY)
    assert not solver.factorized
    with pytest.raises(LinearSolveError, match="call factorize"):
        solver.solve(B)


@pytest.mark.parametrize(("reads_values", "analyses"), [(True, 2), (False, 1)])
def test_after_an_answer_that_none_could_give_an_analysis_is_in_doubt(
    monkeypatch, reads_values, analyses
):
    solver, backend = made(reads_values=reads_values)
    monkeypatch.setattr(fallback_driver, "fallbacks", lambda *rest: iter(()))  # no others
    backend.wrong = 1e-3
    assert "backward error" in str(refused(solver, GOOD))
    backend.wrong = 0.0
    serves(solver)
    assert backend.analyses == analyses


def test_a_second_opinion_that_blames_the_matrix_clears_the_first(monkeypatch):
    solver, backend = made()
    monkeypatch.setattr(fallback_driver, "fallbacks", lambda *rest: iter([Own]))
    backend.wrong = 1e30  # more than the null vector
    assert Fault.SINGULAR.value in str(refused(solver, NEARLY))
    backend.wrong = 0.0
    serves(solver)
    assert backend.analyses == 1


def test_a_doubt_that_proves_wrong_keeps_the_back_end():
    solver, backend = made()
    backend.doubtful, backend.perturbed, backend.mute = True, 1, True
    serves(solver)
    assert solver.name != "own"
    backend.doubtful = False
    serves(solver)
    assert solver.name == "own"


def test_the_distance_is_estimated_once_for_each_factorization(monkeypatch):
    solver, backend = made()
    calls = []
    monkeypatch.setattr(
        fallback_driver, "distance_to_singularity", lambda *rest: calls.append(1) or at(1.0)
    )
    backend.doubtful = True
    for count in (1, 2):
        solver.factorize(GOOD)
        for _ in range(3):
            solver.solve(B)
        assert len(calls) == count


def test_digits_lost_to_the_factors_are_won_back_or_another_back_end_is_asked(monkeypatch):
    solver, backend = made()
    backend.doubtful, backend.sloppy = True, 1e-13
    monkeypatch.setattr(fallback_driver, "distance_to_singularity", lambda *rest: at(1e-12))
    serves(solver)
    assert solver.name == "own"
    assert solver.backward_error <= 1e-14
    backend.wrong = 1e-13  # which no refinement takes away
    serves(solver)
    assert solver.name != "own"


def test_two_strained_solves_in_a_row_make_an_old_analysis_stale():
    solver, backend = made()

    def solves(*sloppy):
        for backend.sloppy in sloppy:
            solver.solve(B)
        backend.sloppy = 0.0
        solver.factorize((1.0 + 0.1 * np.random.default_rng(0).random()) * GOOD)
        return backend.analyses

    assert solves(1e-3, 1e-3, 0.0) == 1  # just analyzed: it would come out the same
    assert solves(1e-3, 0.0, 1e-3, 0.0) == 1
    assert solves(1e-3, 1e-3) == 2


class Costly(Own):
    name = "costly"
    operations = 100.0


def test_the_first_choice_is_tried_again_after_a_costly_one(monkeypatch):
    """At once, and after 2, 4, ... factorizations where it fails again."""
    monkeypatch.setattr(fallback_driver, "TRIED_AGAIN_FROM", N)
    solver, backend = made(operations=1.0, alternatives=lambda inaccurate: iter([Costly]))
    backend.wrong = 1e-3
    tried = []
    for _ in range(12):
        before = backend.analyses
        serves(solver)
        assert solver.name == "costly"
        tried.append(backend.analyses > before)
    assert [k for k, again in enumerate(tried) if again] == [0, 1, 3, 7]
    backend.wrong = 0.0
    for _ in range(8):
        serves(solver)
    assert solver.name == "own"


def test_what_costs_no_more_than_the_first_choice_stays(monkeypatch):
    monkeypatch.setattr(fallback_driver, "TRIED_AGAIN_FROM", N)
    solver, backend = made(operations=50.0, alternatives=lambda inaccurate: iter([Costly]))
    backend.wrong = 1e-3
    serves(solver)
    backend.wrong = 0.0
    serves(solver)
    assert solver.name == "costly"
