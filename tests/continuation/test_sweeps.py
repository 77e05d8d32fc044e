"""What a sweep can do besides: predictors, several parameters, events, folds, guards, memory."""

import numpy as np
import pytest

from sgsolve import InputError, PartialBranchWarning, Problem, ShapeError
from sgsolve.continuation import ConstantPredictor, Natural, TangentPredictor
from sgsolve.solvers import Newton
from tests.continuation.gallery import bratu, coupled_cubic, s_curve, tilted_pitchfork

TANGENT = Natural(predictor=TangentPredictor())


def test_coupled_cubic_within_the_published_number_of_evaluations():
    for start in (1.0, 10.0):
        branch = Problem(coupled_cubic).sweep(
            np.full(50, start), "lam", np.linspace(0.0, 1.0, 11), steps=TANGENT
        )
        assert branch.success
        assert np.abs(branch.x - 1.0).max() < 1e-9
        assert branch.stats.nfev + branch.stats.njev <= 828


def test_tangent_predictor_keeps_the_factorization():
    values = np.linspace(0.1, 3.3, 30)
    stats = {}
    for predictor in (ConstantPredictor(), TangentPredictor()):
        problem = Problem(bratu)
        stats[predictor] = problem.sweep(
            np.zeros(400), "lam", values, steps=Natural(predictor=predictor), solver=Newton()
        ).stats
    constant, tangent = stats.values()
    assert tangent.n_analyze == 1
    assert tangent.n_factor <= tangent.nit + 1  # none for the tangents
    assert tangent.njev >= tangent.nit + len(values)
    assert tangent.n_factor < 3 * len(values)
    assert tangent.nit < constant.nit


def test_several_parameters_move_along_a_line():
    def residual(x, a, b):
        return x**3 + a * x - b

    rows = [(1.0, 2.0), (4.0, 40.0), (0.5, 3.0)]
    branch = Problem(residual).sweep([1.0], ("a", "b"), rows, steps=TANGENT)
    assert np.array_equal(np.column_stack([branch["a"], branch["b"]]), rows)
    for (a, b), x in zip(rows, branch.states, strict=True):
        assert abs(residual(x[0], a, b)) < 1e-9
    assert branch.at(1)[1] == {"a": 4.0, "b": 40.0}
    with pytest.raises(ShapeError, match="rows of 2 numbers"):
        Problem(residual).sweep([1.0], ("a", "b"), [1.0, 2.0])


def test_events_are_located_to_rounding():
    branch = Problem(lambda x, a: x**3 + x - a).sweep(
        [0.0], "a", np.linspace(-3.0, 5.0, 9), events={"two": lambda x: x[0] - 1.1}
    )
    (event,) = branch.special_points
    assert event.kind == "two"
    assert abs(event.parameter - (1.1**3 + 1.1)) < 1e-12
    assert branch["a"][event.index - 1] < event.parameter < branch["a"][event.index]
    assert len(branch) == 9


def test_an_event_can_end_the_sweep():
    def product(x, a):
        return x[0] * a - 6.0

    branch = Problem(lambda x, a: x - a).sweep(
        [0.0], "a", np.arange(10.0), events={"six": product}, stop="six"
    )
    assert branch.success
    assert abs(branch["a"][-1] - np.sqrt(6.0)) < 1e-12
    assert len(branch) == 4
    with pytest.raises(InputError, match="neither an event nor detected"):
        Problem(lambda x, a: x - a).sweep([0.0], "a", [1.0], stop="six")


def test_at_a_fold_it_says_where():
    with pytest.warns(PartialBranchWarning, match=r"turns back at a fold at 3\.51364790"):
        branch = Problem(bratu).sweep(np.zeros(99), "lam", [1.0, 3.0, 4.0])
    (fold,) = branch.folds
    assert abs(fold.parameter - 3.5136479040) < 1e-9


def test_round_the_folds_by_arclength():
    values = np.linspace(0.0, 1.0, 5)
    branch = Problem(s_curve).sweep([-2.1038034], "lam", values, at_fold="arclength")
    assert branch.success
    assert branch["lam"].tolist() == values.tolist()
    assert abs(branch.x[0] - 2.1038034027) < 1e-9
    folds = [fold.parameter for fold in branch.folds]
    assert np.allclose(folds, [5 / 6, 1 / 6], atol=1e-10)
    with pytest.raises(InputError, match="at_fold"):
        Problem(s_curve).sweep([-2.1], "lam", values, at_fold="jump")


def test_the_time_of_the_way_round_a_fold_is_told(clock):
    def in_a_second(x, lam):
        clock.sleep(1.0)
        return s_curve(x, lam)

    problem = Problem(in_a_second)
    problem.sweep([-2.1], "lam", [0.0])
    started = clock()
    branch = problem.sweep([-2.1], "lam", [0.0, 0.5, 1.0], at_fold="arclength")
    assert 0.9 * (clock() - started) < branch.stats.seconds["total"] <= clock() - started


def test_jumps_are_refused_and_explained():
    problem = Problem(tilted_pitchfork)
    with pytest.warns(PartialBranchWarning, match="fold at 0.66666"):
        branch = problem.sweep([-2.0], "mu", [-1.0, 0.5, 1.0], steps=TANGENT, solver=Newton())
    assert branch.states.max() < -0.9  # still on the lower branch
    assert any("jumped" in reason for _, reason in branch.rejected)


def moved_pitchfork(x, mu, shift):
    return mu + shift + x - x**3 / 3.0


def test_jumps_are_refused_when_several_parameters_move():
    """The way has a corner, where the tangent ahead is not that of the step that led there."""
    rows = [(-1.0, 0.0), (-1.0, 0.5), (0.3, 0.5), (0.3, 1.0)]
    with pytest.warns(PartialBranchWarning, match=r"fold at row 1.897\d* \(mu = 0.16666"):
        branch = Problem(moved_pitchfork).sweep(
            [-2.0], ("mu", "shift"), rows, steps=TANGENT, solver=Newton()
        )
    assert len(branch) == 2
    assert branch.states.max() < -0.9
    assert any("jumped" in reason for _, reason in branch.rejected)


def test_corners_of_the_way_are_no_jumps():
    rows = [(-1.0, 0.0), (-1.5, 0.0), (-1.5, 0.9), (-1.5, 0.9), (-0.9, -1.0), (-2.0, 0.0)]
    branch = Problem(moved_pitchfork).sweep(
        [-2.0], ("mu", "shift"), rows, steps=TANGENT, solver=Newton()
    )
    assert branch.success
    assert branch.rejected == []


@pytest.mark.parametrize(("keep", "rows"), [("none", [8]), (4, [0, 4, 8]), (3, [0, 3, 6, 8])])
def test_states_are_kept_as_asked(keep, rows):
    values = np.linspace(0.1, 3.0, 9)
    whole = Problem(bratu).sweep(np.zeros(20), "lam", values)
    branch = Problem(bratu).sweep(np.zeros(20), "lam", values, keep_states=keep)
    assert branch.kept.tolist() == rows
    assert np.allclose(branch.states, whole.states[rows])
    assert len(branch) == 9
    x, params = branch.at(8)
    assert params == {"lam": 3.0}
    assert np.allclose(x, whole.x)
    with pytest.raises(InputError, match="not kept"):
        branch.at(7)


def test_keep_is_checked():
    with pytest.raises(InputError, match="keep"):
        Problem(bratu).sweep(np.zeros(20), "lam", [0.1], keep_states="some")
