"""Ranks that differ stop with a message; threads stand for the ranks of MPI."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sgsolve import InputError, Problem, parallel_sweep, ranks, solvers
from sgsolve.continuation.runs.progress_bar import progress_bar
from sgsolve.errors import RanksDisagreeError
from sgsolve.results import branch_file
from sgsolve.solvers.state import deadline


class AbortedError(Exception):
    """The program was ended on all ranks."""


class Request:
    def __init__(self, comm, mine, whole):
        self.comm, self.mine, self.whole = comm, mine.copy(), whole
        self.done = False

    def Wait(self):
        self.whole[:] = self.comm.allgather(self.mine)

    def Test(self):
        if not self.comm.alone:
            self.Wait()
        return not self.comm.alone


class Comm:
    """One rank of a communicator of threads."""

    def __init__(self, number, shared, alone=False):
        self.number, self.shared, self.alone = number, shared, alone

    def Get_rank(self):
        return self.number

    def Get_size(self):
        return len(self.shared["values"])

    def allgather(self, value):
        self.shared["values"][self.number] = value
        self.shared["barrier"].wait(10.0)
        result = list(self.shared["values"])
        self.shared["barrier"].wait(10.0)
        return result

    def Iallgather(self, mine, whole):
        return Request(self, mine, whole)

    def Abort(self, status):
        raise AbortedError(status)


def on_all(size, program):
    """Return what a program returns on each rank, or its error."""
    shared = {"values": [None] * size, "barrier": threading.Barrier(size)}

    def one(number):
        try:
            return program(ranks.Ranks(Comm(number, shared)))
        except (RanksDisagreeError, AbortedError) as error:
            return error

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(one, range(size)))


def test_ranks_that_do_the_same_go_on():
    x = np.arange(6.0).reshape(2, 3).T

    def program(one):
        one.agree("solves", x, np.arange(3))
        one.agree("writes")
        one.end()
        return one.number

    assert on_all(3, program) == [0, 1, 2]


def test_one_bit_is_enough_to_stop_all():
    def program(one):
        one.agree("solves", np.array([1.0, np.nextafter(2.0, 2.0 + (one.number == 2))]))

    found = on_all(3, program)
    assert all(isinstance(error, RanksDisagreeError) for error in found)
    assert {str(error).partition(". ")[0] for error in found} == {
        "the ranks hold different numbers: rank 2 solves, with other values than rank 0"
    }


def test_different_calls_are_named():
    found = on_all(2, lambda one: one.agree("solves" if one.number else "factorizes"))
    assert {str(error) for error in found} == {
        "the ranks do not do the same: rank 0 factorizes, and rank 1 solves"
    }


def test_the_first_rank_decides_what_clocks_decide():
    def program(one):
        return one.of_first("compares times", one.number != 1), one.of_first(
            "again", one.number > 0
        )

    assert on_all(3, program) == [(True, False)] * 3


def test_a_decision_beside_another_call_is_named():
    found = on_all(
        2, lambda one: one.agree("solves") if one.number else one.of_first("waits", True)
    )
    assert {str(error) for error in found} == {
        "the ranks do not do the same: rank 0 waits, and rank 1 solves"
    }


@pytest.mark.parametrize("first", [True, False])
def test_kept_jacobians_and_limits_of_time_are_those_of_the_first_rank(monkeypatch, first):
    class First:
        asked = 0

        def of_first(self, doing, decision):
            self.asked += 1
            return first

        def agree(self, doing, *arrays):
            pass

    monkeypatch.setattr(ranks, "_ranks", First())
    assert deadline.passed(-1.0) is deadline.passed(1e12) is first
    assert not deadline.passed(float("inf"))
    problem = Problem(lambda x: x + 0.01 * x**3 - 1.0, backend="superlu")
    result = problem.solve(np.full(2000, 0.5), solvers.DampedNewton(reuse=solvers.CostBasedReuse()))
    assert result.success
    assert ranks._ranks.asked > 2
    # The same choice each time: the first Jacobian only, or one for each iteration.
    assert (result.stats.n_factor < result.stats.nit) is first


def test_a_rank_that_ends_before_the_others_stops_all(capsys, monkeypatch):
    monkeypatch.setattr(ranks, "PATIENCE", 0.0)

    def program(one):
        return one.end() if one.number else one.agree("solves")

    first, second = on_all(2, program)
    assert isinstance(first, RanksDisagreeError)
    assert isinstance(second, AbortedError)
    assert "rank 0 solves, and rank 1 ends the program" in capsys.readouterr().err


@pytest.mark.parametrize("same", [True, False])
def test_an_error_is_reported_once_if_it_is_that_of_all(same):
    reports = []

    def program(one):
        text = "ValueError: x" if same or one.number else "ValueError: y"
        one.fail(lambda: reports.append(one.number), text)
        one.end()  # the error has ended the program

    found = on_all(2, program)
    assert sorted(reports) == ([0] if same else [0, 1])
    assert [type(one) for one in found] == ([type(None)] * 2 if same else [AbortedError] * 2)


def test_an_error_of_one_rank_does_not_wait_for_the_others(monkeypatch):
    monkeypatch.setattr(ranks, "PATIENCE", 0.05)
    one = ranks.Ranks(Comm(1, {"values": [None, None]}, alone=True))
    reports = []
    with pytest.raises(AbortedError):
        one.fail(lambda: reports.append(1), "ValueError: x")
    assert reports == [1]


def test_an_error_after_a_difference_is_reported_and_stops_all(monkeypatch):
    monkeypatch.setattr(ranks, "PATIENCE", 0.0)

    def program(one):
        with pytest.raises(RanksDisagreeError):
            one.agree("solves", np.array([one.number]))
        one.fail(lambda: None, "RanksDisagreeError: ...")

    assert all(isinstance(error, AbortedError) for error in on_all(2, program))


@pytest.fixture
def _second_of_two(monkeypatch):
    one = ranks.Ranks(Comm(1, {"values": [None, None]}))
    monkeypatch.setattr(one, "agree", lambda doing, *arrays: None)
    monkeypatch.setattr(ranks, "_ranks", one)


@pytest.mark.usefixtures("_second_of_two")
def test_rank_0_alone_writes(tmp_path):
    assert (ranks.rank(), ranks.size()) == (1, 2)
    branch_file.write({"format": branch_file.FORMAT}, tmp_path / "branch.npz")
    assert list(tmp_path.iterdir()) == []
    assert progress_bar(True, 3, "sweep") is None


@pytest.mark.usefixtures("_second_of_two")
def test_clocks_and_processes_do_not_serve_on_several_ranks():
    problem = Problem(lambda x, a: x**2 - a, params={"a": 4.0})
    with pytest.raises(InputError, match="time_limit cannot serve on several ranks"):
        problem.solve([1.0], time_limit=1.0)
    with pytest.raises(InputError, match="runs on 2 ranks, each of which would start processes"):
        parallel_sweep(problem, [1.0], "a", [1.0], [{}])


def test_a_program_that_runs_once_is_rank_0():
    ranks.join(Comm(0, {"values": [None]}))
    assert (ranks.rank(), ranks.size()) == (0, 1)
    ranks.agree("solves", np.ones(3))
