"""Steps in machine code are the steps of Python, for all kinds of equations and runs."""

import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.errors import ImpureFunctionWarning
from sgsolve.problem.equations.compiled_functions import CompiledFunctions
from sgsolve.problem.native_steps import held_loops
from sgsolve.problem.native_steps.corrector_loops import several_steps
from sgsolve.problem.native_steps.held_loops import LONG
from sgsolve.problem.native_steps.native_steps import NativeSteps
from sgsolve.transient import FixedSteps, IndexWarning, Stored
from tests.problem.native_steps.equations_of_steps import (
    KINDS,
    OPTIONS,
    assert_same,
    chain,
    circuit,
    few,
    itself,
    porous,
    waves,
)

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(CompiledFunctions, "at_once", True)


def run(kind, native=True, **options):
    """Return a run, and how many of its steps were made in machine code."""
    residual, charge, x0, end = kind()
    count = []
    with pytest.MonkeyPatch.context() as patch:
        told = NativeSteps._told
        patch.setattr(NativeSteps, "_told", lambda s, it, k: count.append(k) or told(s, it, k))
        if not native:
            patch.setattr(NativeSteps, "serves", staticmethod(lambda stepper: False))
        problem = Problem(residual, storage=charge, compiled=True)
        branch = problem.transient(x0, (0.0, end), **{"rtol": 1e-5, **options})
    return branch, sum(count)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_those_of_python(kind):
    (found, made), (expected, none) = run(kind), run(kind, native=False)
    assert not none
    assert made > 0.9 * len(found)
    assert_same(found, expected)
    counts = ("nit", "nfev", "njev", "n_factor")
    assert [getattr(found.stats, k) for k in counts] == [getattr(expected.stats, k) for k in counts]


def in_python(stepper_class, patch):
    """Run the loops as functions of Python."""
    bound = held_loops.LOOPS.bound

    def functions(it, holding=False):
        bound(it, holding)
        return [lambda: several_steps(it)]

    patch.setattr(held_loops.LOOPS, "bound", functions)


@pytest.mark.parametrize("kind", [chain, itself, circuit])
def test_machine_code_gives_the_bits_of_its_source(kind, monkeypatch):
    found, made = run(kind)
    in_python(NativeSteps, monkeypatch)
    expected, _ = run(kind)
    assert made
    assert np.array_equal(found.states, expected.states)


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_a_run_hold(name):
    (found, made), expected = run(few, **OPTIONS[name]), run(few, native=False, **OPTIONS[name])[0]
    assert made > 5
    assert_same(found, expected)
    assert found.status is expected.status
    assert [s.parameter for s in found.special_points] == pytest.approx(
        [s.parameter for s in expected.special_points], rel=1e-6
    )


def test_kernels_get_the_time_and_parameters_that_depend_on_it():
    def residual(u, t, voltage):
        return ad.hstack([u[:1] - voltage, 5.0 * (u[1:] - u[:-1] * np.cos(t))])

    count, told = [], NativeSteps._told
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NativeSteps, "_told", lambda s, it, k: count.append(k) or told(s, it, k))
        runs = [
            Problem(
                residual,
                storage=lambda u: u * np.array([0.0, 1.0, 1.0]),
                params={"voltage": lambda t: 1.0 + np.sin(3.0 * t)},
                compiled=compiled,
            ).transient([1.0, 0.0, 0.0], (0.0, 4.0), rtol=1e-5, times=np.linspace(0.0, 4.0, 9))
            for compiled in (True, False)
        ]
    assert sum(count) > 20
    assert runs[0].states == pytest.approx(runs[1].states, abs=1e-6)


def rough(n=24):
    """Factors without exchanged rows grow by seven in each row: their answers have no digit."""
    W = np.eye(n) - 6.0 * np.tril(np.ones((n, n)), -1)
    W[:, -1] = 1.0
    A = np.eye(n + 1)
    A[1:, 1:], A[1:, 0], A[0, 1:] = W, -1.0, 0.01
    stored = np.eye(n + 1)[0]
    start = np.concatenate([[1.0], np.linalg.solve(W, np.ones(n))])
    return lambda u: A @ u, lambda u: stored * u, start, 2.0


def test_rough_factors_are_made_again_with_exchanged_rows(monkeypatch):
    exchanged, told = set(), NativeSteps._told
    monkeypatch.setattr(
        NativeSteps, "_told", lambda s, it, k: exchanged.add(it.exchanged) or told(s, it, k)
    )
    (found, made), (expected, _) = run(rough), run(rough, native=False)
    assert exchanged == {1.0}
    assert made > 0.9 * len(found)
    assert_same(found, expected)


def test_dense_output_is_that_of_python():
    found, expected = (run(few, native, dense_output=True)[0] for native in (True, False))
    t = np.linspace(0.0, 3.0, 50)
    assert found.interpolant(t) == pytest.approx(expected.interpolant(t), rel=1e-6)


def test_blocks_and_scales_weigh_errors_as_in_python():
    residual, charge, x0, end = few()
    for settings in ({"blocks": {"a": 2, "b": 1}}, {"scale": np.array([1.0, 10.0, 0.1])}):
        problem = Problem(residual, storage=charge, compiled=True, **settings)
        found = problem.transient(x0, (0.0, end), rtol=1e-6)
        expected = Problem(residual, storage=charge, **settings).transient(
            x0, (0.0, end), rtol=1e-6
        )
        assert_same(found, expected)


def test_limits_of_rows_are_met():
    found = [run(waves, max_steps=k)[0] for k in (1, 7, 40)]
    assert [len(branch) for branch in found] == [1, 7, 40]


def test_a_nonlinear_charge_keeps_its_sum(monkeypatch):
    sums, told = [], NativeSteps._told

    def noted(steps, it, made):
        found = told(steps, it, made)
        sums.append(found[-1].charge.sum())
        return found

    monkeypatch.setattr(NativeSteps, "_told", noted)
    run(porous, rtol=1e-3, max_step=0.2)
    start = np.sqrt(porous()[2]).sum()
    assert len(sums) > 1
    assert np.abs(np.array(sums) - start).max() < 1e-12 * start


def test_rejected_steps_say_why():
    (found, made), (expected, _) = (run(few, native, first_step=1.0) for native in (True, False))
    assert made
    assert found.rejected
    assert [reason for _, reason in found.rejected] == [reason for _, reason in expected.rejected]


@pytest.mark.parametrize("length", [3, 11])
def test_a_resumed_run_is_the_uninterrupted_one(length, tmp_path):
    whole, path = run(waves)[0], tmp_path / "run.npz"
    limit = length
    part, made = run(waves, checkpoint=path, max_steps=limit)
    while not part.success:
        limit += length * 5
        part, more = run(waves, checkpoint=path, resume=True, max_steps=limit)
        made += more
    assert made > 0.9 * len(whole)
    assert np.array_equal(part.states, whole.states)
    for name in whole.columns:
        assert np.array_equal(part[name], whole[name]), name


def test_what_the_residual_reads_may_not_change():
    factor = [1.0]

    def output(u):
        factor[0] = 2.0 if u[0] < 0.9 else 1.0
        return u.sum()

    problem = Problem(lambda u: factor[0] * u, storage=lambda u: 1.0 * u, compiled=True)
    with pytest.warns(ImpureFunctionWarning):
        found = problem.transient([1.0, 2.0], (0.0, 1.0), outputs={"sum": output}, rtol=1e-9)
    assert found.success
    assert len(found) > 64
    factor[0] = 2.0
    late = problem.transient([1.0, 2.0], (0.0, 1.0))
    assert late.x == pytest.approx(np.exp(-2.0) * np.array([1.0, 2.0]), rel=1e-2)


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"backend": "superlu"}, {}),
        ({}, {"outputs": {"stored": Stored(lambda u: u[0])}}),
        ({}, {"steps": FixedSteps("BDF2", 0.1)}),
    ],
)
def test_python_makes_the_steps_of_other_runs(settings, options, monkeypatch):
    monkeypatch.setattr(NativeSteps, "_load", None)
    residual, charge, x0, end = few()
    problem = Problem(residual, storage=charge, compiled=True, **settings)
    assert problem.transient(x0, (0.0, end), **options).success


def test_python_makes_the_steps_of_an_index_of_two(monkeypatch):
    """The current of a capacitor across a source is in no norm, which the start finds."""
    monkeypatch.setattr(NativeSteps, "_load", None)
    problem = Problem(
        lambda u, t: np.stack([u[0] - np.sin(t), u[1]]),
        storage=lambda u: np.stack([0.0 * u[0], u[0]]),
        blocks={"v": [0], "i": [1]},
        compiled=True,
    )
    with pytest.warns(IndexWarning, match="index 2"):
        found = problem.transient([0.0, -1.0], (0.0, 2.0), rtol=1e-6)
    assert found.x == pytest.approx([np.sin(2.0), -np.cos(2.0)], abs=1e-4)
    assert len(found) < 60


@pytest.mark.parametrize("kind", KINDS)
def test_later_runs_of_a_problem_use_the_same_memory(kind, monkeypatch):
    residual, charge, x0, end = kind()
    problem = Problem(residual, storage=charge, compiled=True)
    first = problem.transient(x0, (0.0, end), rtol=1e-5)
    other = problem.transient(x0, (0.0, end), rtol=1e-4, max_step=end / 50.0)
    monkeypatch.setattr(held_loops, "step_loop_of", None)
    found = problem.transient(x0, (0.0, end), rtol=1e-5)
    assert np.array_equal(found.states, first.states)
    assert other["step"].max() <= end / 50.0 * (1.0 + 1e-12)
    assert found.stats.n_compiled >= found.stats.nfev - 3


def test_loops_are_made_behind_many_steps_of_python(monkeypatch):
    monkeypatch.setattr(CompiledFunctions, "at_once", False)
    monkeypatch.setattr(held_loops, "LONG", 30)
    found, made = run(waves)
    assert 0 < made <= len(found) - 30
    assert LONG == 200
