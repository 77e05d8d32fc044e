"""Where runs start: within the limits of their solvers, and with parameters told from options."""

import numpy as np
import pytest

from sgsolve import InputError, ParameterError, Problem
from sgsolve.continuation import Arclength
from sgsolve.solvers import Bounds, Newton, Positive, Robust

ROOT = Problem(lambda x, a=1.0: np.log(x) - np.log(a))
RUNS = {
    "sweep": lambda x, **options: ROOT.sweep(x, "a", [1.0, 2.0], **options),
    "continuation": lambda x, **options: ROOT.continuation(x, "a", (0.5, 2.0), **options),
    "solutions": lambda x, **options: ROOT.solutions([[2.0], x], **options),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_start_outside_the_limits_of_the_solver_is_refused(run):
    positive = Newton(limits=Positive())
    for solver in (positive, Robust(limits=(Positive(),))):
        with pytest.raises(InputError, match=r"the start is not Positive: x\[0\] = -1"):
            run([-1.0], solver=solver)
    with pytest.raises(InputError, match="the start lies outside the Bounds"):
        run([9.0], solver=Newton(limits=Bounds(0.0, 3.0)))
    assert run([1.5], solver=positive)


def stepped(x, a=1.0, step=1.0, keep=1.0, detect=1.0):
    return x**2 - a * step * keep * detect


WAYS = {
    "sweep": lambda problem, **given: problem.sweep([1.0], "a", [1.0, 2.0], **given),
    "continuation": lambda problem, **given: problem.continuation([1.0], "a", (0.5, 2.0), **given),
}


@pytest.mark.parametrize(
    ("way", "given", "round_it"),
    [
        ("sweep", {"keep": 4.0}, "another parameter name"),
        ("continuation", {"keep": 4.0}, "another parameter name"),
        ("continuation", {"step": 4.0}, r"method=Arclength\(step=...\)"),
        ("continuation", {"detect": 4.0}, "another parameter name"),
    ],
)
def test_a_keyword_that_is_option_and_parameter_is_refused(way, given, round_it):
    ((name, _),) = given.items()
    for problem in (Problem(stepped), Problem(stepped, params={name: 2.0})):
        with pytest.raises(ParameterError, match=rf"'{name}' is a parameter .* and an option") as e:
            WAYS[way](problem, **given)
    assert e.match(rf"params={{'{name}': value}}\); for the option, {round_it}")


def test_the_ways_round_lead_there():
    problem = Problem(stepped, params={"step": 4.0, "keep": 1.0, "detect": 1.0})
    branch = problem.continuation([2.0], "a", (0.5, 2.0), method=Arclength(step=0.1))
    assert np.allclose(branch.states[:, 0] ** 2, 4.0 * branch["a"])
    assert abs(branch["a"][1] - 1.1) < 0.01
    assert np.allclose(problem.sweep([2.0], "a", [1.0, 2.0], step=9.0).x, np.sqrt(18.0))
    moved = problem.continuation([2.0], "step", (2.0, 5.0), method=Arclength(step=-0.1))
    assert np.allclose(moved.states[:, 0] ** 2, moved["step"])
    with pytest.raises(ParameterError, match="'deflation' is a parameter"):
        Problem(lambda x, deflation: x - deflation).solutions([1.0], deflation=2.0)


def test_options_that_only_a_fold_curve_sets_are_no_keywords():
    def cusp(x, p=-1.0, q=1.0, detect=1.0):
        return p + q * x - detect * x**3 / 3

    problem = Problem(cusp)
    branch = problem.continuation([-2.0], "p", (-1.0, 1.0))
    folds = problem.fold_curve(branch, "q", (-1.0, 1.0), method=Arclength(step=-0.1))
    assert abs(folds.special[0].parameter) < 1e-8
