"""Problem.solve: from a residual to a result or an account of the failure."""

import inspect
import pickle
import threading

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import (
    ConvergenceError,
    DerivativeError,
    NotFiniteError,
    ParameterError,
    Problem,
    Status,
    solvers,
)
from tests.families import bratu


def bratu_jacobian(u, strength=1.0):
    n, h2 = len(u), (len(u) + 1.0) ** 2
    side = np.full(n - 1, h2)
    return sp.diags_array([side, strength * np.exp(u) - 2.0 * h2, side], offsets=[-1, 0, 1])


def test_solution_counts_and_phases():
    result = Problem(bratu).solve(np.zeros(200), solvers.Newton())
    assert result.success
    assert result.status is Status.CONVERGED
    # u(1/2) = 2 log(cosh(t) / cosh(0)) with the closed form's t; here against the fine grid
    assert abs(result.x.max() - 0.140539) < 2e-5
    assert np.abs(bratu(result.x)).max() < 1e-9
    stats = result.stats
    assert stats.nit == len(result.history) - 1 == stats.njev == stats.n_factor
    assert stats.n_analyze == 1
    assert set(stats.seconds) == {
        "residual",
        "jacobian",
        "analyze",
        "factor",
        "solve",
        "other",
        "total",
    }
    assert stats.backend == "banded"


def test_own_jacobian_gives_the_same():
    by_ad = Problem(bratu).solve(np.zeros(100))
    by_hand = Problem(bratu, jacobian=bratu_jacobian).solve(np.zeros(100))
    assert np.allclose(by_ad.x, by_hand.x, rtol=0, atol=1e-12)


def test_jacobian_of_result_is_at_x():
    result = Problem(bratu).solve(np.zeros(50))
    assert np.allclose(result.jacobian.toarray(), bratu_jacobian(result.x).toarray())


def test_print_is_short_and_says_the_status():
    text = str(Problem(bratu).solve(np.zeros(50)))
    assert "CONVERGED" in text
    assert len(text.splitlines()) < 12


def test_failure_carries_result_and_names_the_worst_equation():
    problem = Problem(
        lambda x: np.concatenate([x[:1] ** 2 + 1.0, x[1:] - 2.0]),
        blocks={"bad": slice(0, 1), "fine": slice(1, 2)},
    )
    with pytest.raises(ConvergenceError, match=r"worst equations: bad\[0\]") as caught:
        problem.solve([1.0, 1.0])
    result = caught.value.result
    assert not result.success
    assert not result
    assert result.worst(1)[0][0] == "bad[0]"
    assert "What to try" in result.explain()
    assert "Largest residual and last change in each block" in result.explain()
    assert len(result.stages) > 1


def test_failure_can_be_returned():
    result = Problem(lambda x: x**2 + 1.0).solve([1.0], raise_on_failure=False)
    assert not result.success
    assert np.abs(result.residual).max() >= 1.0


def test_start_at_the_solution():
    result = Problem(lambda x: x**2 - 4.0).solve([2.0])
    assert result.nit == 0
    assert result.success


def test_callback_stops():
    seen = []

    def callback(it):
        seen.append(it.k)
        return it.k == 2

    result = Problem(bratu).solve(
        np.full(20, 3.0), solvers.Newton(), callback=callback, raise_on_failure=False
    )
    assert result.status is Status.STOPPED
    assert seen == [0, 1, 2]


def test_verbose_prints_a_line_per_iteration(capsys):
    result = Problem(bratu).solve(np.zeros(20), solvers.Newton(), verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(result.history)


def test_analysis_is_kept_between_solves():
    problem = Problem(bratu)
    first = problem.solve(np.zeros(100))
    second = problem.at(strength=2.0).solve(np.zeros(100))
    assert (first.stats.n_analyze, second.stats.n_analyze) == (1, 0)


def test_pattern_grows_when_an_evaluation_leaves_it():
    def residual(x, coupled=0.0):
        y = x**2 - 4.0
        if coupled:
            y = y + coupled * x[::-1]
        return y

    problem = Problem(residual)
    assert problem.solve([1.0, 3.0]).stats.n_analyze == 1
    result = problem.at(coupled=0.5).solve([1.0, 3.0])
    assert np.abs(residual(result.x, 0.5)).max() < 1e-9
    assert problem.sparsity([1.0, 3.0]).nnz == 4


def test_eight_threads_same_answers():
    problem = Problem(bratu)
    strengths = np.linspace(0.5, 3.4, 24)
    expected = [Problem(bratu).at(strength=s).solve(np.zeros(150)).x for s in strengths]
    found, failures = {}, []

    def work(part):
        try:
            for i in range(part, len(strengths), 8):
                found[i] = problem.at(strength=strengths[i]).solve(np.zeros(150)).x
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for i, x in enumerate(expected):
        assert np.allclose(found[i], x, rtol=0, atol=1e-8)


def test_pickle_result_and_problem():
    problem = Problem(bratu)
    result = problem.solve(np.zeros(20))
    copy = pickle.loads(pickle.dumps(result))
    assert np.array_equal(copy.x, result.x)
    assert copy.status is result.status
    again = pickle.loads(pickle.dumps(problem))
    assert np.allclose(again.solve(np.zeros(20)).x, result.x)


def test_buffer_reused_by_the_residual_is_harmless():
    buffer = np.empty(1)

    def residual(x):
        if type(x) is np.ndarray:
            buffer[:] = np.arctan(x)
            return buffer
        return np.arctan(x)

    assert abs(Problem(residual).solve([3.0]).x[0]) < 1e-8


def test_warnings_of_the_residual_are_no_errors():
    result = Problem(lambda x: np.exp(x) - 1.0).solve([-20.0])
    assert abs(result.x[0]) < 1e-9


def test_linearize_residual_jacobian_agree():
    problem = Problem(bratu)
    x = np.linspace(0.0, 1.0, 10)
    F, J = problem.linearize(x)
    assert np.array_equal(F, problem.residual(x))
    assert np.array_equal(J.toarray(), problem.jacobian(x).toarray())
    assert np.allclose(J.toarray(), bratu_jacobian(x).toarray())


def test_singular_matrix_names_the_unknowns():
    problem = Problem(lambda x: np.stack([x[0] + x[1] - 2.0, 2.0 * x[0] + 2.0 * x[1] - 5.0]))
    result = problem.solve(
        [0.0, 0.0],
        solvers.Newton(direction=solvers.NewtonDirection(regularize=0.0)),
        raise_on_failure=False,
    )
    assert result.status is Status.SINGULAR_JACOBIAN
    assert "x[0]" in result.message


def test_limit_that_blocks_is_named():
    bounds = solvers.Bounds(0.0, 1.0)
    result = Problem(lambda x: x - 2.0).solve(
        [1.0], solvers.LineSearchNewton(limits=(bounds,)), raise_on_failure=False
    )
    assert not result.success
    assert "limited by Bounds" in result.message + str(result.history)


def test_system_without_solution_reports_the_local_minimum():
    result = Problem(bratu).at(strength=4.0).solve(np.zeros(99), raise_on_failure=False)
    assert result.status is Status.LOCAL_MINIMUM


def test_a_list_of_equations_is_a_residual():
    result = Problem(
        lambda x: [x[0] ** 2 + x[1] ** 2 - 2.0, np.exp(x[0] - 1.0) + x[1] ** 2 - 2.0]
    ).solve([2.0, 0.5])
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-12)


def test_a_residual_that_loses_x_on_the_way_is_named():
    problem = Problem(lambda x: x - 1.0 if x[0] > 0.5 else np.ones(2))
    problem.jacobian([2.0, 2.0])
    with pytest.raises(DerivativeError, match="does not depend on x at the point"):
        problem.jacobian([0.0, 0.0])


def test_linearize_evaluates_once_when_the_pattern_is_known():
    calls = []

    def residual(x):
        calls.append(type(x).__name__)
        return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), np.nan)

    problem = Problem(residual)
    problem.linearize([1.0, 2.0])
    calls.clear()
    F, J = problem.linearize([2.0, 4.0])
    assert calls == ["ADArray"]
    np.testing.assert_allclose(J.diagonal(), [0.5, 0.25])
    np.testing.assert_allclose(F, np.log([2.0, 4.0]))
    with pytest.raises(NotFiniteError, match=r"1 of 2 equations, first x\[1\]"):
        problem.linearize([2.0, -1.0])


def test_problems_at_other_values_share_analyses_and_patterns():
    problem = Problem(bratu, params={"strength": 1.0})
    first = problem.solve(np.zeros(50))
    pattern = problem.sparsity(first.x)
    for strength in np.linspace(0.0, 3.0, 100):
        at = problem.at(strength=strength)
        result = at.solve(first.x, solvers.Newton())
        assert result.stats.n_analyze == 0
        assert at.sparsity(result.x) is pattern
    assert problem.params == {"strength": 1.0}
    assert at.at(strength=1.0).solve(first.x).stats.n_analyze == 0


def test_a_pattern_found_at_other_values_serves_the_first_problem():
    problem = Problem(bratu, params={"strength": 1.0})
    for strength in range(100):
        problem.at(strength=0.01 * strength).solve(np.zeros(50))
    assert problem.solve(np.zeros(50)).stats.n_analyze == 0


def test_at_checks_what_it_is_given():
    problem = Problem(bratu)
    with pytest.raises(ParameterError, match="no parameter 'strengh'; it has 'strength'"):
        problem.at(strengh=1.0)
    with pytest.raises(NotFiniteError, match="'strength' is nan"):
        problem.at(strength=np.nan)


def test_a_branch_or_result_at_other_values_is_refused():
    problem = Problem(lambda x, p, q: p * x - x**3 + q, params={"p": -1.0, "q": 0.0})
    branch = problem.continuation([0.0], "p", (-1.0, 1.0))
    assert len(problem.at(p=0.3, q=0.0).switch_branch(branch, step=0.1, max_points=3)) == 3
    with pytest.raises(ParameterError, match=r"the branch has q = 0.0, but .* at q = 0.5"):
        problem.at(q=0.5).switch_branch(branch)
    cubic = Problem(lambda x, p, q: p + q * x - x**3, params={"p": -3.0, "q": 1.0})
    folded = cubic.continuation([-1.7], "p", (-3.0, 3.0))
    with pytest.raises(ParameterError, match=r"the branch has q = 1.0, but .* at q = 0.5"):
        cubic.at(q=0.5).fold_curve(folded, "q")
    result = problem.at(q=0.5).solve([0.1])
    with pytest.raises(ParameterError, match=r"the result has q = 0.5, but .* at q = 0.25"):
        problem.at(q=0.25).sensitivity(result, "q")
    for at in (problem, problem.at(q=0.5), problem.at(p=-1.0)):
        x = result.x[0]
        assert at.sensitivity(result, "q") == pytest.approx(1.0 / (1.0 + 3.0 * x**2))


def test_every_option_stands_in_the_signature_of_its_method():
    """Keywords that are not written out are names of parameters or of blocks."""
    methods = {name: f for name, f in vars(Problem).items() if inspect.isfunction(f)}
    several = {
        name
        for name, f in methods.items()
        if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(f).parameters.values())
    }
    assert len(methods) >= 25
    assert several == {"at", "pack"}
