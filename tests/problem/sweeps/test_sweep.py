"""Problem.sweep: every value hit exactly, steps adapted, partial branches handed back."""

import numpy as np
import pytest

from sgsolve import (
    Branch,
    CheckpointError,
    ConvergenceError,
    PartialBranchWarning,
    Problem,
    Status,
    ad,
)
from sgsolve.continuation import ConstantPredictor, Natural, SecantPredictor, TangentPredictor
from sgsolve.solvers import Newton
from tests.families import bratu


@pytest.mark.parametrize("predictor", [ConstantPredictor(), SecantPredictor(), TangentPredictor()])
def test_values_are_hit_exactly_with_one_analysis(predictor):
    values = [0.1, 3.0, 1.0, 3.3, 0.7]
    problem = Problem(bratu)
    branch = problem.sweep(np.zeros(60), "strength", values, steps=Natural(predictor=predictor))
    assert branch.success
    assert branch["strength"].tolist() == values
    assert branch.stats.n_analyze == 1
    for value, x in branch:
        assert np.abs(bratu(x, value)).max() < 1e-7


def test_better_predictors_need_fewer_iterations():
    values = np.linspace(0.1, 3.3, 20)
    iterations = [
        Problem(bratu)
        .sweep(
            np.zeros(60), "strength", values, solver=Newton(), steps=Natural(predictor=predictor)
        )
        .stats.nit
        for predictor in (ConstantPredictor(), SecantPredictor(), TangentPredictor())
    ]
    assert iterations[1] < iterations[0]
    assert iterations[2] < iterations[0]


def test_steps_are_halved_and_the_value_still_hit():
    # atan: undamped Newton diverges from further than 1.39
    problem = Problem(lambda x, a: np.arctan(x - a))
    branch = problem.sweep(
        [0.0],
        "a",
        [0.0, 20.0],
        solver=Newton(max_iterations=10),
        steps=Natural(predictor=ConstantPredictor()),
    )
    assert branch["a"].tolist() == [0.0, 20.0]
    assert abs(branch.x[0] - 20.0) < 1e-8
    assert len(branch.rejected) > 0


def test_fold_gives_the_partial_branch_with_a_warning():
    with pytest.warns(PartialBranchWarning, match="2 of 3 values of 'strength' solved"):
        branch = Problem(bratu).sweep(np.zeros(99), "strength", [1.0, 3.0, 4.0])
    assert branch.status is Status.STEP_TOO_SMALL
    assert branch["strength"].tolist() == [1.0, 3.0]
    assert 3.4 < branch.reached < 3.5136479040 + 1e-9


def test_fold_raises_when_asked():
    with pytest.raises(ConvergenceError) as caught:
        Problem(bratu).sweep(np.zeros(99), "strength", [1.0, 4.0], raise_on_failure=True)
    assert len(caught.value.result) == 1


def test_first_point_failure_raises():
    with pytest.raises(ConvergenceError, match="first point of the sweep over 'strength'"):
        Problem(bratu).sweep(np.zeros(99), "strength", [4.0, 1.0])


def test_interrupt_gives_the_partial_branch():
    def callback(it):
        if len(seen) == 3:
            raise KeyboardInterrupt

    seen = []
    outputs = {"top": lambda x: seen.append(1) or x.max()}
    with pytest.warns(PartialBranchWarning, match="interrupted"):
        branch = Problem(bratu).sweep(
            np.zeros(20), "strength", [0.5, 1.0, 1.5, 2.0], outputs=outputs, callback=callback
        )
    assert branch.status is Status.INTERRUPTED
    assert len(branch) == 3
    assert len(branch["top"]) == 3


RUNS_OF_PROBLEM = {
    "sweep": lambda problem: problem.sweep([0.0], "p", [0.0, 2.0, 4.0, 8.0]),
    "continuation": lambda problem: problem.continuation([0.0], "p", (0.0, 9.0)),
    "transient": lambda problem: problem.transient([1.0], (0.0, 9.0)),
}


@pytest.mark.parametrize("run", RUNS_OF_PROBLEM)
def test_an_exception_of_the_user_carries_the_points_before_it(run):
    def residual(x, p):
        if ad.value(x)[0] > 5.0:
            raise ValueError("no table beyond 5")
        return -x if run == "transient" else x - p

    problem = Problem(residual, params={"p": 0.0}, storage=lambda x: 1.0 * x)
    with pytest.raises(ValueError, match="no table beyond 5") as caught:
        RUNS_OF_PROBLEM[run](problem)
    branch = caught.value.branch
    assert branch.status is Status.EXCEPTION
    assert "no table beyond 5" in branch.message
    assert branch.states[-1, 0] <= 5.0
    points = f"{len(branch)} points"
    assert caught.value.__notes__ == [f"the attribute branch of this exception holds {points}"]


def test_a_sweep_goes_on_after_an_exception_of_the_user(tmp_path):
    def residual(x, p):
        if limited and ad.value(x)[0] > 5.0:
            raise ValueError("no table beyond 5")
        return x - p

    limited, asked = True, ([0.0], "p", [0.0, 2.0, 4.0, 8.0])
    path = tmp_path / "sweep.npz"
    with pytest.raises(ValueError, match="no table") as caught:
        Problem(residual).sweep(*asked, checkpoint=path)
    limited = False
    resumed = Problem(residual).sweep(*asked, checkpoint=path, resume=True)
    assert resumed["p"].tolist() == [0.0, 2.0, 4.0, 8.0]
    assert resumed["p"][: len(caught.value.branch)].tolist() == caught.value.branch["p"].tolist()
    assert resumed.success


def test_limit_on_solves():
    with pytest.warns(PartialBranchWarning, match="limit on the number of solves"):
        branch = Problem(bratu).sweep(
            np.zeros(20), "strength", [0.5, 1.0, 1.5, 2.0], steps=Natural(max_solves=2)
        )
    assert branch.status is Status.MAX_POINTS
    assert len(branch) == 2


def test_outputs_take_the_parameters_they_name():
    outputs = {"scaled": lambda x, strength: x[0] * strength, "plain": np.max}
    branch = Problem(bratu).sweep(np.zeros(20), "strength", [1.0, 2.0], outputs=outputs)
    assert np.allclose(branch["scaled"], branch.states[:, 0] * [1.0, 2.0])
    assert np.allclose(branch["plain"], branch.states.max(axis=1))


def test_go_on_from_a_point():
    problem = Problem(bratu)
    branch = problem.sweep(np.zeros(20), "strength", [1.0, 2.0])
    x, params = branch.at(1)
    assert params == {"strength": 2.0}
    assert problem.at(**params).solve(x).nit <= 1


def test_save_and_load(tmp_path):
    branch = Problem(bratu).sweep(np.zeros(20), "strength", [1.0, 2.0], outputs={"top": np.max})
    branch.save(tmp_path / "branch.npz")
    again = Branch.load(tmp_path / "branch.npz")
    assert again.name == "strength"
    assert again.status is branch.status
    assert np.array_equal(again.states, branch.states)
    assert {k: v.tolist() for k, v in again.columns.items()} == {
        k: v.tolist() for k, v in branch.columns.items()
    }


def test_damaged_file_is_refused(tmp_path):
    path = tmp_path / "branch.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(CheckpointError, match="no file that sgsolve wrote"):
        Branch.load(path)


def test_progress_bar_on_demand(capsys):
    Problem(bratu).sweep(np.zeros(20), "strength", [1.0, 2.0], progress=True)
    assert "sweep strength" in capsys.readouterr().err
    Problem(bratu).sweep(np.zeros(20), "strength", [1.0, 2.0])
    assert capsys.readouterr().err == ""


def test_print_is_a_table():
    text = str(Problem(bratu).sweep(np.zeros(20), "strength", np.linspace(1.0, 2.0, 40)))
    assert "10 more" in text
    assert len(text.splitlines()) < 40


def rod(u, load):
    """A pinned rod under an axial load; the straight one buckles at the first eigenvalue."""
    full = np.concatenate([[0.0], u, [0.0]])
    return (full[2:] - 2.0 * u + full[:-2]) * (len(u) + 1) ** 2 + load * np.sin(u)


BUCKLING = 4.0 * 21**2 * np.sin(np.pi / 42.0) ** 2  # for 20 unknowns
LOADS = [5.0, 8.0, 9.0, 11.0, 14.0]


def test_sweep_locates_a_branch_point():
    branch = Problem(rod).sweep(np.zeros(20), "load", LOADS, detect=("branch point",))
    (point,) = branch.branch_points
    assert abs(point.parameter - BUCKLING) < 1e-8
    assert branch["load"].tolist() == LOADS
    assert Problem(rod).sweep(np.zeros(20), "load", LOADS).special_points == []


def test_sweep_counts_unstable_eigenvalues():
    branch = Problem(rod).sweep(np.zeros(20), "load", LOADS, stability=True)
    assert branch["load"].tolist() == LOADS
    assert branch["unstable"].tolist() == [0, 0, 0, 1, 1]


RUNS = {
    "sweep": lambda x, **options: Problem(bratu).sweep(x, "strength", [1.0, 1.5, 2.0], **options),
    "continuation": lambda x, **options: (
        Problem(bratu).at(strength=1.0).continuation(x, "strength", (0.5, 2.0), **options)
    ),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_callback_sees_each_point_and_may_end_the_run(run):
    seen = []
    whole = run(np.zeros(20), callback=lambda point: seen.append((point.p, point.x[9])))
    assert [p for p, _ in seen] == whole["strength"].tolist()
    assert [x for _, x in seen] == whole.states[:, 9].tolist()
    part = run(np.zeros(20), callback=lambda point: point.p > 1.2, raise_on_failure=False)
    assert len(part) == int(np.argmax(whole["strength"] > 1.2)) + 1
    assert part.status is Status.STOP_CONDITION
    assert part.success
    assert "the callback returned True" in part.message


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_verbose_prints_a_line_for_each_point(run, capsys):
    branch = run(np.zeros(20), verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(branch)
    assert all("strength = " in line and "iteration" in line for line in lines)


def test_a_changed_start_is_remarked():
    problem = Problem(lambda x, a=1.0: np.log(x) - np.log(a))
    for run in (problem.sweep([0.0], "a", [1.0, 2.0]), problem.continuation([0.0], "a", (0.5, 2))):
        assert "the residual is not finite at the start given, which was" in run.message


def test_sets_of_contact_change_in_few_iterations():
    obstacle = 0.05

    def membrane(u, load):
        w = np.pad(u.reshape(16, 16), 1)
        near = w[2:, 1:-1] + w[:-2, 1:-1] + w[1:-1, 2:] + w[1:-1, :-2]
        return np.minimum((near - 4 * w[1:-1, 1:-1]).ravel() * 17**2 + load, obstacle - u)

    branch = Problem(membrane).sweep(np.zeros(256), "load", np.linspace(0.0, 8.0, 9))
    assert branch.success
    assert branch["nit"].sum() < 500  # damped steps alone take 2200
    u = branch.states[-1]
    free = u < obstacle - 1e-9
    assert 20 < np.count_nonzero(free) < 236
    forces = membrane(u, 8.0)
    assert abs(forces[free]).max() < 1e-8
