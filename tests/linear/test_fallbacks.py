"""Which back end is tried next, and what a band remembers of another pattern."""

import numpy as np
import pytest

from sgsolve.linear import fallbacks as order
from sgsolve.linear.accuracy import Answer, Fault, LinearSystem, refined, relaxed_error
from sgsolve.linear.banded import Banded
from sgsolve.linear.ordering import narrow_order
from sgsolve.linear.pardiso import Pardiso, available
from sgsolve.linear.superlu import SuperLU
from sgsolve.pattern import Pattern


class Own:
    """A back end that does not say whether its analysis reads values."""


def tried(backend, fault=Fault.BROKEN, n=10, fresh=True):
    return [type(make()) for make in order.fallbacks(backend, fault, n, fresh)]


OTHERS = [Pardiso, SuperLU] if available() else [SuperLU]


def test_an_analysis_of_other_values_comes_first():
    assert tried(Own(), fresh=False) == [Own, *OTHERS]
    assert tried(Own()) == OTHERS
    assert tried(Banded(), fresh=False) == [SuperLU]
    assert tried(SuperLU()) == []


def test_a_large_system_is_not_factorized_only_to_confirm():
    many = order.CONFIRM_UP_TO + 1
    assert SuperLU not in tried(Own(), Fault.NO_DIGITS, many)
    assert SuperLU in tried(Own(), Fault.NO_DIGITS, many - 1)
    assert SuperLU in tried(Own(), Fault.INACCURATE, many)


def test_a_given_order_serves_one_pattern():
    first = np.eye(6) + np.eye(6, k=1)
    second = 2.0 * np.eye(6) + np.eye(6, k=-2) + np.eye(6, k=3)
    backend = Banded(narrow_order(Pattern.of(first)))
    for dense in (first, second):
        pattern = Pattern.of(dense)
        A = pattern.matrix(dense[pattern.rows, pattern.indices])
        backend.analyze(A)
        backend.factorize(A)
        b = np.arange(1.0, 7.0)
        np.testing.assert_allclose(dense @ backend.solve(b.copy(), False), b, rtol=1e-13)


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
