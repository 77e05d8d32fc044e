"""Counts and seconds of solves: what is added up, and what was spent between two moments."""

import numpy as np

from sgsolve import Problem, solvers
from sgsolve.results.history import COUNTS, History, Stats
from tests.problems import brusselator


def test_spent_since_is_the_inverse_of_add():
    counts = range(1, len(COUNTS) + 1)
    first = Stats(**dict(zip(COUNTS, counts, strict=True)), seconds={"factor": 0.5})
    more = Stats(**dict(zip(COUNTS, reversed(counts), strict=True)), backend="banded")
    more.seconds.update(factor=0.25, solve=2.0)
    more.not_compiled["an integer index"] = 3
    total = Stats()
    total.add(first)
    total.add(more)
    assert [getattr(total, name) for name in COUNTS] == [len(COUNTS) + 1] * len(COUNTS)
    assert total.since(first) == more
    assert first.seconds == {"factor": 0.5}


def test_every_integer_of_the_statistics_is_a_count():
    assert [name for name, value in vars(Stats()).items() if type(value) is int] == list(COUNTS)


def test_every_solve_counts_its_own_work():
    residual, start = brusselator(8)
    problem = Problem(residual)
    first, second = (problem.solve(start, solvers.Newton()).stats for _ in range(2))
    assert (first.n_analyze, second.n_analyze) == (1, 0)
    assert first.n_factor == first.n_solve == second.n_factor == second.n_solve == first.nit
    for stats in (first, second):
        phases = dict(stats.seconds)
        total = phases.pop("total")
        assert all(seconds >= 0.0 for seconds in phases.values())
        assert np.isclose(sum(phases.values()), total)


def test_phases_are_listed_without_factorizations_too():
    residual, start = brusselator(8)
    stats = Problem(residual).solve(start, solvers.NewtonKrylov()).stats
    assert stats.n_factor == stats.seconds["factor"] == stats.seconds["analyze"] == 0


def test_a_history_without_steps_says_so():
    assert repr(History()) == "History(empty)"
