"""Checkpoints: killed at any moment, resumed to the same answer; foreign files refused."""

import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sgsolve import (
    Branch,
    Checkpoint,
    CheckpointError,
    CheckpointWarning,
    InputError,
    PartialBranchWarning,
    Problem,
    Status,
)
from sgsolve.continuation import Arclength, Natural, SecantPredictor, TangentPredictor
from sgsolve.solvers import Newton, ResidualTolerance
from tests.continuation.gallery import bratu, elastica, s_curve
from tests.continuation.runs.run_to_be_killed import run
from tests.killed_runs import killed_after_a_checkpoint
from tests.selection import slow

PROGRAM = Path(__file__).with_name("run_to_be_killed.py")


def same(branch, reference):
    assert branch.success
    assert list(branch.columns) == list(reference.columns)
    assert len(branch) == len(reference)
    for name in ("lam", "top"):
        assert np.allclose(branch[name], reference[name], rtol=1e-8, atol=1e-10)
    assert np.allclose(branch.states, reference.states, rtol=1e-8, atol=1e-10)
    assert [s.kind for s in branch.special_points] == [s.kind for s in reference.special_points]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sweep", "curve"])
def test_fifty_kills(kind, tmp_path):
    reference, kills, random = run(kind, None), 0, np.random.default_rng(0)
    for attempt in range(100):
        path = tmp_path / f"{kind}{attempt}.npz"
        while killed_after_a_checkpoint(PROGRAM, (kind,), path, random.uniform(0.0, 0.5)):
            kills += 1
        same(run(kind, path), reference)
        if kills >= 25:
            break
    assert kills >= 25
    assert not list(tmp_path.glob(".*part")) or kills  # a kill may leave a part file, never a half


def test_one_kill(tmp_path):
    path = tmp_path / "run.npz"
    process = subprocess.Popen([sys.executable, str(PROGRAM), "curve", str(path)])
    while not path.exists():
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(Branch.load(path))
    resumed, reference = run("curve", path), run("curve", None)
    assert 0 < before < len(reference)
    same(resumed, reference)


@pytest.mark.parametrize("kind", ["sweep", "curve"])
def test_interrupted_and_resumed_takes_over_what_is_there(kind, tmp_path):
    path, calls = tmp_path / "run.npz", []

    def counted(u):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return u.max()

    problem = Problem(bratu)
    arguments = {
        "sweep": (problem.sweep, "lam", np.linspace(0.1, 3.4, 15)),
        "curve": (problem.continuation, "lam", (0.05, 4.0)),
    }[kind]
    options = {"outputs": {"top": counted}, "checkpoint": path, "resume": True}
    with pytest.warns(PartialBranchWarning, match="interrupted"):
        partial = arguments[0](np.zeros(30), *arguments[1:], **options)
    assert len(partial) == 7
    whole = arguments[0](np.zeros(30), *arguments[1:], **options)
    assert whole.success
    assert len(calls) == 8 + len(whole) - 7  # nothing was computed twice
    again = arguments[0](np.zeros(30), *arguments[1:], **options)
    assert len(calls) == 8 + len(whole) - 7
    assert np.array_equal(again["lam"], whole["lam"])


@pytest.mark.parametrize("predictor", [SecantPredictor(), TangentPredictor()])
def test_a_resumed_sweep_solves_no_point_twice(predictor, tmp_path):
    options = {"steps": Natural(predictor=predictor)}
    values, x0, problem = np.linspace(0.5, 3.0, 6), np.zeros(30), Problem(bratu)
    whole = problem.sweep(x0, "lam", values, **options)
    options["checkpoint"] = tmp_path / "run.npz"
    problem.sweep(x0, "lam", values, max_points=3, **options)
    resumed = problem.sweep(x0, "lam", values, resume=True, **options)
    assert np.array_equal(resumed.states, whole.states)
    assert resumed.stats.n_factor == whole.stats.n_factor
    again = problem.sweep(x0, "lam", values, resume=True, **options)
    assert again.stats.n_factor == whole.stats.n_factor


def test_a_sweep_with_loose_tolerances_is_resumed(tmp_path):
    """Its points solve the equations to 1e-2 only, which is no reason to refuse them."""
    solver = Newton(termination=ResidualTolerance(1e-2))
    options = {"solver": solver, "checkpoint": tmp_path / "run.npz"}
    problem = Problem(bratu)
    values = [0.5, 3.0, 3.2]
    problem.sweep(np.zeros(9), "lam", values, max_points=2, **options)
    assert len(problem.sweep(np.zeros(9), "lam", values, resume=True, **options)) == 3


def test_a_run_that_ended_as_asked_is_complete_when_resumed(tmp_path):
    options = {"until": lambda u: u.max() > 0.2, "checkpoint": tmp_path / "run.npz"}
    problem = Problem(bratu)
    first = problem.sweep(np.zeros(9), "lam", np.linspace(0.5, 3.0, 6), **options)
    again = problem.sweep(np.zeros(9), "lam", np.linspace(0.5, 3.0, 6), resume=True, **options)
    assert first.status is again.status is Status.STOP_CONDITION
    assert np.array_equal(first.states, again.states)
    assert len(first) < 6


@pytest.mark.parametrize("points", [52, *slow(51, 53, 54)])
def test_resumed_where_the_unit_of_x_changes(points, tmp_path):
    """A coarser metric is part of what is written: the resumed run gives the same answer."""
    problem, count = Problem(elastica), 0

    def until(u):
        nonlocal count
        count += 1
        if count == points:
            raise KeyboardInterrupt
        return False

    def follow(**options):
        return problem.at(lam=2.0, mu=1e-3).continuation(
            np.zeros(19), "lam", (2.0, 4.0), step=0.2, **options
        )

    whole = follow()
    with pytest.warns(PartialBranchWarning, match="interrupted"):
        follow(until=until, checkpoint=tmp_path / "rod.npz")
    resumed = follow(until=until, checkpoint=tmp_path / "rod.npz", resume=True)
    np.testing.assert_allclose(resumed.states, whole.states, atol=1e-13)
    np.testing.assert_allclose(resumed["s"], whole["s"], rtol=1e-13)


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "run.npz"
    problem = Problem(bratu)
    problem.sweep(np.zeros(9), "lam", [0.5, 1.0], checkpoint=path)
    good = path.read_bytes()
    for cut in (10, len(good) // 2, len(good) - 5):
        path.write_bytes(good[:cut])
        with pytest.raises(CheckpointError):
            problem.sweep(np.zeros(9), "lam", [0.5, 1.0], checkpoint=path, resume=True)
    flipped = bytearray(good)
    for place in range(200, len(good), 397):
        flipped[place] ^= 0xFF
    path.write_bytes(bytes(flipped))
    with pytest.raises(CheckpointError):
        problem.sweep(np.zeros(9), "lam", [0.5, 1.0], checkpoint=path, resume=True)


def test_files_of_other_runs_are_refused(tmp_path):
    path = tmp_path / "run.npz"
    problem = Problem(bratu)
    problem.sweep(np.zeros(9), "lam", [0.5, 1.0], checkpoint=path)
    with pytest.raises(CheckpointError, match="values differ"):
        problem.sweep(np.zeros(9), "lam", [0.5, 2.0], checkpoint=path, resume=True)
    with pytest.raises(CheckpointError, match="unknowns"):
        problem.sweep(np.zeros(8), "lam", [0.5, 1.0], checkpoint=path, resume=True)
    with pytest.raises(CheckpointError, match="no solution here"):
        Problem(s_curve).sweep(np.zeros(9), "lam", [0.5, 1.0], checkpoint=path, resume=True)
    with pytest.raises(CheckpointError, match="kind"):
        problem.continuation(np.zeros(9), "lam", (0.0, 1.0), checkpoint=path, resume=True)
    plain = tmp_path / "branch.npz"
    problem.sweep(np.zeros(9), "lam", [0.5, 1.0]).save(plain)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        problem.sweep(np.zeros(9), "lam", [0.5, 1.0], checkpoint=plain, resume=True)


def test_a_continuation_of_another_problem_is_not_resumed(tmp_path):
    path = tmp_path / "run.npz"
    problem, other = (
        Problem(lambda x, p, s=s: x**3 - x - s * p, params={"p": -1.0}) for s in (1.0, 1.1)
    )
    problem.continuation([-1.3], "p", (-1.0, 1.0), max_points=5, checkpoint=path)
    with pytest.raises(CheckpointError, match="its last point is no solution here"):
        other.continuation([-1.3], "p", (-1.0, 1.0), checkpoint=path, resume=True)


def test_secants_lead_along_a_branch_as_well_as_tangents():
    """p = x - x^3 / 3 has its folds at x = -1 and 1."""
    problem = Problem(lambda x, p: p + x - x**3 / 3, params={"p": -1.0})
    branch = problem.continuation(
        [-2.0], "p", (-1.0, 1.0), steps=Arclength(predictor=SecantPredictor())
    )
    assert [fold.x[0] for fold in branch.folds] == pytest.approx([-1.0, 1.0])


def test_resume_needs_a_path():
    with pytest.raises(InputError, match="checkpoint=path"):
        Problem(bratu).sweep(np.zeros(9), "lam", [0.5], resume=True)


@pytest.mark.parametrize("name", ["", "no/such/folder/night.npz"])
def test_a_path_that_cannot_be_written_is_refused_before_any_work(name, tmp_path):
    def residual(u, lam):
        raise AssertionError("work was done")

    with pytest.raises(InputError, match="cannot be a file"):
        Problem(residual).at(lam=0.0).continuation([0.0], "lam", checkpoint=tmp_path / name)


def test_a_branch_survives_the_disk(tmp_path):
    path = tmp_path / "branch.npz"
    steps = Arclength(step=0.4, max_step=20.0, max_angle=10.0)
    problem = Problem(bratu).at(lam=3.0)
    branch = problem.continuation(np.zeros(19), "lam", (0.05, 4.0), keep_states=5, steps=steps)
    assert branch.rejected
    branch.save(path)
    again = Branch.load(path)
    assert again.message == branch.message
    assert again.rejected == branch.rejected
    assert again.stats.n_factor == branch.stats.n_factor
    assert np.array_equal(again.kept, branch.kept)
    assert np.array_equal(again.special_points[0].vector, branch.special_points[0].vector)
    assert again.special_points[0].parameter == branch.special_points[0].parameter
    assert all(np.array_equal(again[k], branch[k]) for k in branch.columns)


def run_of(kind, residual, path):
    """Return a run of either kind with a write after every other point."""
    problem, where = Problem(residual), Checkpoint(path, points=2)
    if kind == "sweep":
        return problem.sweep([1.0], "a", np.linspace(1.0, 2.0, 13), checkpoint=where)
    return problem.at(a=1.0).continuation([1.0], "a", (1.0, 2.0), checkpoint=where, resume=True)


@pytest.mark.parametrize("kind", ["sweep", "curve"])
def test_a_full_disk_costs_no_point(kind, tmp_path):
    """A limit on the size of files makes the system refuse writes, until it is lifted."""
    path, old = tmp_path / "night.npz", resource.getrlimit(resource.RLIMIT_FSIZE)

    def residual(x, a):
        value = getattr(a, "value", a)
        limit = 100 if 1.2 < float(value) < 1.7 else old[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
        return x**2 - a

    try:
        with pytest.warns(CheckpointWarning, match=r"night.npz.*writes again after 2 points"):
            branch = run_of(kind, residual, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert branch.success
    assert np.allclose(branch.states[:, 0] ** 2, branch["a"])
    assert np.array_equal(Branch.load(path)["a"], branch["a"])  # written again when it could be
    assert [file.name for file in tmp_path.iterdir()] == ["night.npz"]


@pytest.mark.parametrize("kind", ["sweep", "curve"])
def test_a_folder_that_goes_costs_no_point(kind, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()

    def residual(x, a):
        if float(getattr(a, "value", a)) > 1.5:
            shutil.rmtree(folder, ignore_errors=True)
        return x**2 - a

    with pytest.warns(CheckpointWarning, match=r"gone.*Free space on the disk"):
        branch = run_of(kind, residual, folder / "night.npz")
    assert branch.success
    assert branch["a"][-1] == 2.0


def test_a_folder_that_may_not_be_written_to_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)  # the superuser may write everywhere
    with pytest.raises(InputError, match="may not be written to"):
        Checkpoint(tmp_path / "night.npz")


@pytest.mark.parametrize("high", [0.0, 1.0])
def test_a_run_that_ends_at_a_branch_point_is_kept(tmp_path, high):
    """The matrix is singular there: no singular vectors are kept, and none are made anew."""
    problem = Problem(lambda x, p: p * x - x**3, params={"p": -1.0})

    def follow():
        return problem.continuation(
            [0.0],
            "p",
            (-1.0, high),
            stop="branch point",
            checkpoint=tmp_path / "trivial.npz",
            resume=True,
        )

    whole, again = follow(), follow()
    assert whole["p"][-1] == pytest.approx(0.0, abs=1e-12)
    assert again.message == whole.message
    assert [str(point) for point in again.special_points] == [
        str(point) for point in whole.special_points
    ]
    np.testing.assert_array_equal(again["p"], whole["p"])
