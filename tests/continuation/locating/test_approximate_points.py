"""Special points that are certainly there: located if at all possible, else told, never dropped."""

import numpy as np
import pytest

from sgsolve import Branch, DomainError, InputError, Problem, ad
from sgsolve.continuation import UnlocatedWarning
from sgsolve.continuation.locating.bracket import LostError, bracketed_root
from sgsolve.results.special_points import ApproximateSpecialPoint
from tests.continuation.gallery import brusselator, s_curve

CURVE = {"step": 0.05, "max_step": 0.2}


def without(low, high):
    """The S-curve, where x may not be between two numbers."""

    def residual(x, lam=0.0):
        if np.any((ad.value(x) > low) & (ad.value(x) < high)):
            raise DomainError(f"x is between {low} and {high}")
        return s_curve(x, lam)

    return Problem(residual)


def test_a_fold_that_cannot_be_stood_on_is_told():
    with pytest.warns(UnlocatedWarning, match=r"fold at 0.83\d* ±"):
        branch = without(-1.05, -0.95).continuation([-2.1], "lam", (0.0, 1.0), **CURVE)
    assert branch.success
    first, second = branch.folds
    assert isinstance(first, ApproximateSpecialPoint)
    assert abs(first.parameter - 5 / 6) < first.uncertainty < 5e-3
    assert abs(s_curve(first.x, first.parameter)[0]) < 1e-9  # a solution near it
    assert not isinstance(second, ApproximateSpecialPoint)
    assert abs(second.parameter - 1 / 6) < 1e-10
    assert str(first) in str(branch)
    assert str(first) in branch.message


def test_one_that_a_piece_beside_it_hides_is_located_all_the_same():
    """The first guess of the fold lies where nothing can be computed; the fold does not."""
    for low, high in ((-1.05, -1.002), (-0.998, -0.95)):
        branch = without(low, high).continuation([-2.1], "lam", (0.0, 1.0), **CURVE)
        found = [fold.parameter for fold in branch.folds]
        assert np.allclose(found, [5 / 6, 1 / 6], atol=1e-10)


def test_it_ends_there_if_asked_and_survives_files(tmp_path):
    path, problem = tmp_path / "run.npz", without(-1.05, -0.95)
    with pytest.warns(UnlocatedWarning):
        branch = problem.continuation([-2.1], "lam", (0.0, 1.0), stop="fold", **CURVE)
    assert branch["lam"][-1] == branch.special_points[0].parameter
    branch.save(path)
    loaded = Branch.load(path)
    assert "not located exactly: fold at 0.83" in loaded.message
    assert isinstance(loaded.special_points[0], ApproximateSpecialPoint)
    assert str(loaded.special_points[0]) == str(branch.special_points[0])
    assert loaded.special_points[0].uncertainty == branch.special_points[0].uncertainty > 0.0
    how = {**CURVE, "checkpoint": tmp_path / "resumed.npz"}
    with pytest.warns(UnlocatedWarning):
        problem.continuation([-2.1], "lam", (0.0, 1.0), max_points=10, **how)
    with pytest.warns(UnlocatedWarning, match=r"fold at 0.83\d* ±"):
        again = problem.continuation([-2.1], "lam", (0.0, 1.0), resume=True, **how)
    assert [isinstance(fold, ApproximateSpecialPoint) for fold in again.folds] == [True, False]


def test_what_is_known_roughly_is_no_start_for_other_curves():
    residual = without(-1.05, -0.95)
    with pytest.warns(UnlocatedWarning):
        branch = residual.continuation([-2.1], "lam", (0.0, 1.0), **CURVE)
    with pytest.raises(InputError, match="did not converge: take a special point"):
        residual.fold_curve(branch, "lam")


def test_events_of_curves_and_sweeps():
    def beyond(x):
        return x[0] + 1.01

    problem, events = without(-1.05, -0.95), {"event": beyond}
    with pytest.warns(UnlocatedWarning, match="event at .* ±"):
        branch = problem.continuation([-2.1], "lam", (0.0, 1.0), events=events, **CURVE)
    (event,) = branch.special_points_of("event")
    exact = ((-1.01) ** 3 + 3.0 * 1.01 + 3.0) / 6.0
    assert abs(event.parameter - exact) < event.uncertainty
    # a sweep of the part between the folds, over a gap of the model
    gap = without(0.08, 0.12)
    with pytest.warns(UnlocatedWarning, match="event at .* ±"):
        swept = gap.sweep([0.3], "lam", [0.35, 0.6], events={"event": lambda x: x[0] - 0.1})
    (event,) = swept.special_points_of("event")
    assert abs(event.parameter - (0.1**3 - 0.3 + 3.0) / 6.0) < event.uncertainty < 0.05
    assert "event at 0.4402 ±" in swept.message


def test_a_hopf_point_that_cannot_be_stood_on_is_told():
    def residual(u, b=2.0):
        if 4.98 < float(ad.value(b)) < 5.02:
            raise DomainError("b is near 5")
        return brusselator(u, b)

    with pytest.warns(UnlocatedWarning, match="hopf at .* ±"):
        branch = Problem(residual).continuation(
            [2.0, 1.0], "b", (2.0, 8.0), stability=True, step=0.3
        )
    (hopf,) = branch.hopf_points
    assert abs(hopf.parameter - 5.0) < hopf.uncertainty < 0.2


def test_two_hopf_points_within_one_step():
    def residual(u, b=2.0):
        return np.concatenate([brusselator(u[:2], b), brusselator(u[2:], b, a=2.005)])

    start = [2.0, 1.0, 2.005, 2.0 / 2.005]
    branch = Problem(residual).continuation(start, "b", (2.0, 8.0), stability=True)
    found = [hopf.parameter for hopf in branch.hopf_points]
    assert np.allclose(found, [5.0, 1.0 + 2.005**2], atol=1e-9)
    assert set(branch["unstable"]) == {0, 4}  # no point in between


def test_a_pair_that_becomes_real_is_no_hopf_point():
    """Eigenvalues 1 +- sqrt(p): a complex pair on the right becomes two real numbers at p = 0."""

    def residual(u, p=-1.0):
        x, y = u[:1], u[1:]
        return np.concatenate([x + p * y - x**3, x + y])

    branch = Problem(residual).continuation([0.0, 0.0], "p", (-1.0, 0.5), stability=True)
    assert branch.hopf_points == []


def test_a_change_of_orientation_at_a_jump_of_the_residual():
    """The determinant changes its sign and is never zero: no branch point can be located."""
    problem = Problem(lambda x, p=-1.0: ad.where(p < 0.1, -1.0, 2.0) * x)
    with pytest.warns(UnlocatedWarning, match=r"branch point at 0\.1.* ±"):
        branch = problem.continuation([0.0], "p", (-1.0, 1.0))
    assert branch.success
    (point,) = branch.special_points
    assert abs(point.parameter - 0.1) < point.uncertainty < 1e-5
    with pytest.raises(InputError, match=r"branch point at 0\.1.* ± .* did not converge"):
        problem.switch_branch(branch)


def test_a_bracket_closes_round_what_cannot_be_tried():
    tried = []

    def test(t):
        tried.append(t)
        if 0.3 < t < 0.31:
            raise LostError
        return t - 0.305

    low, high = sorted(bracketed_root(test, {0.0: -0.305, 1.0: 0.695}, 1e-12))
    assert 0.29 < low <= 0.3
    assert 0.31 <= high < 0.32
    assert len(tried) == len(set(tried)) < 100
    tried.clear()  # within this limit a hole of a hundredth of the bracket ends no search
    ends = {0.0: -0.305, 1.0: 0.695}
    assert sorted(bracketed_root(test, ends, 1e-12, max_lost=3)) == [low, high]


def test_a_search_ends_where_trials_fail_in_a_wide_bracket():
    tried = []

    def test(t):
        tried.append(t)
        if 0.2 < t < 0.8:
            raise LostError
        return t - 0.5

    low, high = sorted(bracketed_root(test, {0.0: -0.5, 1.0: 0.5}, 1e-12, max_lost=3))
    assert low <= 0.2 < 0.8 <= high
    assert len(tried) < 10
