"""Runs of a kernel for the same arguments: only x is another one."""

import threading

import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.ad.kernels.running.repeated_run import RepeatedRun
from sgsolve.problem.equations.compiled_functions import CompiledFunctions

pytest.importorskip("llvmlite.binding")
rng = np.random.default_rng(1)


def neighbors(x):
    return np.exp(x[1:] - x[:-1]) + 1.0 / (2.0 + x[:-1] ** 2)


def by_side(x):
    return ad.branch(x > 0.5, lambda i: x[i] ** 3, lambda i: 2.0 * x[i]) - x[::-1]


def by_sign_of_the_first(x):
    return x**2 if x[0] > 0.0 else np.sin(x)


def of_two_dimensions(x):
    return x[1:] * x[:-1] - np.sqrt(1.0 + x[:, ::-1][1:] ** 2)


def linear(x):
    return 3.0 * x[1:] - x[:-1]


@pytest.fixture
def repeated(monkeypatch):
    """How many runs were repeated ones."""
    runs = []
    run = RepeatedRun.run

    def counted(self, x):
        found = run(self, x)
        runs.append(found is not None)
        return found

    monkeypatch.setattr(RepeatedRun, "run", counted)
    return runs


@pytest.mark.parametrize("f", [neighbors, by_side, of_two_dimensions, linear])
def test_repeated_runs_give_the_bits_of_the_function(f, repeated):
    shape = (6, 5) if f is of_two_dimensions else (30,)
    g = ad.compiled(f, at_once=True)
    found = []
    for x in rng.uniform(-1.0, 2.0, (12, *shape)):
        found.append((x, g(x), *g.value_and_jacobian(x)))
    assert sum(repeated) > 12
    for x, F, G, J in found:  # earlier results are not written over
        expected = ad.value_and_jacobian(f, x)
        assert np.array_equal(F, expected[0])
        assert np.array_equal(G, expected[0])
        assert np.array_equal(J.toarray(), expected[1].toarray())


def test_a_condition_with_another_value_is_seen(repeated):
    g = ad.compiled(by_sign_of_the_first, at_once=True)
    x = rng.uniform(0.1, 1.0, 20)
    for sign in (1, 1, 1, -1, 1, -1, -1, 1):
        F, J = g.value_and_jacobian(sign * x)
        expected = ad.value_and_jacobian(by_sign_of_the_first, sign * x)
        assert np.array_equal(F, expected[0])
        assert np.array_equal(J.data, expected[1].data)
    assert True in repeated
    assert False in repeated


def test_x_of_another_shape_or_not_contiguous_is_no_repetition(repeated):
    g = ad.compiled(neighbors, at_once=True)
    x = rng.uniform(0.1, 1.0, 40)
    for _ in range(3):
        g.value_and_jacobian(x)
    before = len(repeated)
    assert before
    for other in (x[:20], x[::2], x.astype(np.float32)):
        assert np.array_equal(g(other), neighbors(other))
        assert np.array_equal(g.value_and_jacobian(other)[0], neighbors(other))
    assert len(repeated) == before


def test_other_parameters_are_no_repetition(repeated, monkeypatch):
    monkeypatch.setattr(CompiledFunctions, "at_once", True)
    problem = Problem(lambda x, a, b: a * x**3 + x - b, compiled=True, params={"a": 1.0, "b": 2.0})
    for a in (1.0, 2.0, 1.0, 3.0, 2.0):
        x = problem.at(a=a).solve(np.ones(5)).x
        assert np.allclose(a * x**3 + x, 2.0, atol=1e-12)
    assert True in repeated


def test_threads_have_memories_of_their_own():
    g = ad.compiled(neighbors, at_once=True)
    points = rng.uniform(-1.0, 1.0, (4, 500))
    for _ in range(3):
        g.value_and_jacobian(points[0])
    wrong = []

    def work(x):
        expected = ad.value_and_jacobian(neighbors, x)
        for _ in range(300):
            F, J = g.value_and_jacobian(x)
            same = np.array_equal(F, expected[0]) and np.array_equal(J.data, expected[1].data)
            wrong.extend([] if same else [x])

    threads = [threading.Thread(target=work, args=(x,)) for x in points]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
