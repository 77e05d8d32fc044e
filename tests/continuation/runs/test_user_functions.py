"""Outputs, events and conditions: what a user's functions may do, and what they may not."""

import numpy as np
import pytest

from sgsolve import (
    ConvergenceError,
    DataTypeError,
    InputError,
    ParameterError,
    PartialBranchWarning,
    Problem,
    Status,
)
from sgsolve.continuation.runs.user_functions import call_with_parameters
from sgsolve.problem.equations.definition import ProblemDefinition

ROOT = Problem(lambda x, a=1.0: x**2 - a)
RUNS = {
    "sweep": lambda **options: ROOT.sweep([1.0, 3.0], "a", [1.0, 2.0, 4.0], **options),
    "continuation": lambda **options: ROOT.continuation([1.0, 1.0], "a", (1.0, 4.0), **options),
}
both = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def spoil(x):
    x[:] = 0.0
    return 1.0


@both
def test_a_function_that_changes_x_spoils_nothing(run):
    functions = {"outputs": {"spoilt": spoil, "first": lambda x: x[0]}, "events": {"e": spoil}}
    branch, clean = run(**functions), run()
    assert np.array_equal(branch.states, clean.states)
    assert np.array_equal(branch["first"], clean.states[:, 0])
    assert np.allclose(branch.x**2, 4.0)


def test_a_condition_that_changes_x_spoils_nothing():
    branch = RUNS["continuation"](until=lambda x: spoil(x) < 0.0)
    assert np.array_equal(branch.states, RUNS["continuation"]().states)


@both
def test_an_output_may_hand_out_part_of_x(run):
    branch = run(outputs={"part": lambda x: x[:1]})
    assert np.array_equal(branch["part"], branch.states[:, :1])


@both
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"outputs": [np.max]}, "outputs must map names to functions"),
        ({"outputs": np.max}, "outputs must map names to functions"),
        ({"outputs": {"y": 3}}, "outputs: 'y' must be a function"),
        ({"outputs": {3: np.max}}, "outputs: the name of a function must be a text, not 3"),
        ({"events": {"e": 3}}, "events: 'e' must be a function of x, not 3"),
        ({"events": [np.max]}, "events must map names to functions"),
    ],
)
def test_what_is_no_function_is_refused_before_any_work(run, wrong, said, monkeypatch):
    def work(*_):
        raise AssertionError("it began")

    monkeypatch.setattr(ProblemDefinition, "system", work)
    with pytest.raises(DataTypeError, match=said):
        run(**wrong)


def test_a_condition_that_is_no_function_is_refused():
    with pytest.raises(DataTypeError, match="until must be a function of x, not 3"):
        RUNS["continuation"](until=3)


@both
@pytest.mark.parametrize("value", [None, "text", [[1.0], [1.0, 2.0]], {"a": 1}])
def test_what_is_no_number_is_refused_at_the_first_point(run, value):
    with pytest.raises(DataTypeError, match="output 'y' at a = 1 must return a number"):
        run(outputs={"y": lambda x: value})


@both
@pytest.mark.parametrize("value", [None, "text", np.zeros(2), 1j])
def test_events_must_be_one_number(run, value):
    with pytest.raises(DataTypeError, match="event 'e' at a = 1 must return"):
        run(events={"e": lambda x: value})


@both
def test_numbers_of_any_kind_are_kept(run):
    kinds = {"int": int, "flag": bool, "complex": complex, "list": lambda v: [v, v]}
    outputs = {name: lambda x, kind=kind: kind(x[0]) for name, kind in kinds.items()}
    branch = run(outputs=outputs, events={"one": lambda x: x[:1] - 1.5})
    assert [branch[name].dtype.kind for name in kinds] == ["i", "b", "c", "f"]
    assert branch["list"].shape == (len(branch), 2)
    assert abs(branch.special_points_of("one")[0].parameter - 2.25) < 1e-9


@both
@pytest.mark.parametrize("name", ["a", "nit"])
def test_a_name_of_another_column_is_refused_before_any_work(run, name, monkeypatch):
    monkeypatch.setattr(ProblemDefinition, "system", None)
    with pytest.raises(InputError, match=f"outputs: '{name}' is a column that the branch has"):
        run(outputs={name: np.max})


def test_columns_that_only_curves_have_are_free_elsewhere():
    names = ("s", "tangent", "unstable")
    for name in names:
        with pytest.raises(InputError, match=f"outputs: '{name}' is a column"):
            RUNS["continuation"](outputs={name: np.max}, stability=True)
    branch = RUNS["sweep"](outputs=dict.fromkeys(names, np.max))
    for name in names:
        assert np.array_equal(branch[name], branch.states.max(axis=1))


def test_the_parameter_of_the_fold_is_a_column_of_its_curve():
    problem = Problem(lambda x, p, q: p + q * x - x**3 / 3, params={"p": -1.0, "q": 1.0})
    branch = problem.continuation([-2.0], "p", (-1.0, 1.0))
    with pytest.raises(InputError, match="outputs: 'p' is a column"):
        problem.fold_curve(branch, "q", (-1.0, 1.0), step=-0.1, outputs={"p": np.max})


@both
@pytest.mark.parametrize("done", [0, 1, 2])
def test_interrupted_in_an_output_it_counts_the_points_that_there_are(run, done, tmp_path):
    calls = []

    def output(x):
        calls.append(1)
        if len(calls) == done + 1:
            raise KeyboardInterrupt
        return x[0]

    how = {"outputs": {"y": output}, "checkpoint": tmp_path / "run.npz"}
    with pytest.warns(PartialBranchWarning, match=f"^{done} .*interrupted"):
        branch = run(**how)
    assert (len(branch), len(branch.states), len(branch["y"])) == (done, done, done)
    assert branch.message.count("the last") == (done > 0)
    if done:
        assert np.array_equal(run(**how, resume=True)["nit"], run()["nit"])


KINDS = {
    "shape": (lambda x: x[: 1 + (x[0] > 1.5)], r"output 'y' at a = \S+ returned numbers of shape"),
    "none": (lambda x: None if x[0] > 1.5 else 1.0, r"output 'y' at a = \S+ must return a number"),
}


@both
@pytest.mark.parametrize(("output", "said"), KINDS.values(), ids=KINDS)
def test_an_output_that_changes_its_kind_costs_no_points(run, output, said, tmp_path):
    outputs, path = {"good": lambda x: x[0], "y": output}, tmp_path / "run.npz"
    with pytest.warns(PartialBranchWarning, match=said):
        branch = run(outputs=outputs, checkpoint=path)
    assert branch.status is Status.OUTPUT_FAILED
    assert not branch.success
    assert 0 < len(branch) == len(branch.states) == len(branch["good"]) == len(branch["y"])
    assert branch["good"].max() <= 1.5
    assert branch.message.startswith(f"{len(branch)} ")
    with pytest.raises(ConvergenceError, match=said) as caught:
        run(outputs=outputs, raise_on_failure=True)
    assert np.array_equal(caught.value.result["good"], branch["good"])
    mended = {"good": lambda x: x[0], "y": lambda x: output(np.minimum(x, 1.5))}
    whole, again = run(outputs=mended), run(outputs=mended, checkpoint=path, resume=True)
    assert again.success
    assert np.array_equal(again["good"], whole["good"])
    assert np.array_equal(again["nit"], whole["nit"])


@both
def test_an_event_that_changes_its_kind_costs_no_points(run):
    def event(x):
        return x[0] - 3.0 if x[0] < 1.5 else None

    with pytest.warns(PartialBranchWarning, match=r"event 'e' at a = \S+ must return"):
        branch = run(events={"e": event})
    assert 0 < len(branch) == len(branch.states)
    assert branch.status is Status.OUTPUT_FAILED


def test_where_several_parameters_move_the_row_is_told():
    problem = Problem(lambda x, a, b: x - a * b)
    output = {"y": lambda x: x[0] if x[0] < 3.0 else None}
    with pytest.warns(PartialBranchWarning, match=r"'y' at row 2 \(a = 2, b = 2\) must return"):
        branch = problem.sweep([1.0], ("a", "b"), [(1, 1), (2, 1), (2, 2)], outputs=output)
    assert len(branch) == 2


def test_a_function_gets_the_parameters_that_it_names_now():
    """What was found at an earlier call does not outlive a change of the function."""
    params = {"a": 10, "b": 20}

    def output(x, a=1, *, b=2):
        return x, a, b

    assert [call_with_parameters(output, 0, params) for _ in range(2)] == [(0, 10, 20)] * 2
    output.__kwdefaults__ = None
    with pytest.raises(ParameterError, match="'b'"):
        call_with_parameters(output, 0, {"a": 10})
    output.__code__ = (lambda x, b: (x, b)).__code__
    assert call_with_parameters(output, 0, params) == (0, 20)
    output.__wrapped__ = lambda x, a: x  # of a decorator: its parameters count
    output.__code__ = (lambda x, **named: named).__code__
    assert call_with_parameters(output, 0, params) == {"a": 10}
