"""Where runs start: within the limits of their solvers, and with parameters told from options."""

import numpy as np
import pytest

from sgsolve import InputError, Problem
from sgsolve.continuation import Arclength
from sgsolve.solvers import Bounds, Newton, Positive, Robust

ROOT = Problem(lambda x, a=1.0: np.log(x) - np.log(a))
RUNS = {
    "sweep": lambda x, **options: ROOT.sweep(x, "a", [1.0, 2.0], **options),
    "continuation": lambda x, **options: ROOT.continuation(x, "a", (0.5, 2.0), **options),
    "solutions": lambda x, **options: ROOT.find_solutions([[2.0], x], **options),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_start_outside_the_limits_of_the_solver_is_refused(run):
    positive = Newton(limits=Positive())
    for solver in (positive, Robust(limits=(Positive(),))):
        with pytest.raises(InputError, match=r"the start is not Positive: x\[0\] = -1"):
            run([-1.0], solver=solver)
    with pytest.raises(InputError, match="the start lies outside the Bounds"):
        run([9.0], solver=Newton(limits=Bounds(0.0, 3.0)))
    found = run([1.5], solver=positive)
    assert all(one.success for one in (found if isinstance(found, list) else [found]))


def stepped(x, a=1.0, step=1.0, keep=1.0, solver=1.0, x0=1.0):
    return x**2 - a * step * keep * solver * x0


@pytest.mark.parametrize("name", ["step", "keep", "solver", "x0"])
def test_a_parameter_may_have_the_name_of_an_option(name):
    problem = Problem(stepped).at(**{name: 4.0})
    assert np.allclose(problem.solve([1.0]).x, 2.0)
    branch = problem.continuation([2.0], "a", (0.5, 2.0), step=0.1)
    assert np.allclose(branch.states[:, 0] ** 2, 4.0 * branch["a"])
    assert abs(branch["a"][1] - 1.1) < 0.01
    assert np.allclose(problem.sweep([2.0], "a", [1.0, 2.0]).x, np.sqrt(8.0))
    moved = problem.continuation([2.0], name, (2.0, 5.0), step=-0.1)
    assert np.allclose(moved.states[:, 0] ** 2, moved[name])
    assert np.allclose(Problem(stepped).sweep([2.0], name, [1.0, 9.0]).x, 3.0)
    assert np.allclose(problem.sensitivity(problem.solve([1.0]), name), 0.25)


def test_parameters_called_self_and_x():
    problem = Problem(lambda u, x, self: u**2 - x * self, params={"x": 1.0, "self": 1.0})
    at = problem.at(x=2.0, self=8.0)
    assert np.allclose(at.solve([1.0]).x, 4.0)
    assert np.allclose(at.sweep([4.0], "x", [2.0, 4.5]).x, 6.0)
    assert np.allclose(at.sensitivity([4.0], "self"), 0.25)
    branch = at.continuation([4.0], "self", (2.0, 8.0), step=-1.0)
    assert np.allclose(branch.x, 2.0)


@pytest.mark.parametrize("name", ["x", "f", "self"])
def test_a_charge_may_have_a_parameter_of_any_name(name):
    """The charge p u of the balance u + dQ/dt = 0 gives exp(-t / p)."""
    charge = eval(f"lambda u, {name}: {name} * u")
    residual = eval(f"lambda u, {name}: u + 0.0 * {name}")
    problem = Problem(residual, storage=charge, params={name: 2.0})
    run = problem.transient([1.0], (0.0, 1.0), rtol=1e-6)
    assert np.allclose(run.x, np.exp(-0.5), rtol=1e-4)
    found = problem.transient_sensitivity([1.0], (0.0, 1.0), name, rtol=1e-6)
    assert np.allclose(found.derivative, 0.25 * np.exp(-0.5), rtol=1e-3)


@pytest.mark.parametrize(
    "method", ["solve", "sweep", "continuation", "find_solutions", "sensitivity"]
)
def test_a_parameter_among_the_options_is_a_type_error(method):
    more = () if method in ("solve", "find_solutions") else ("a", [1.0, 2.0])
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_step_size'"):
        getattr(Problem(stepped), method)([1.0], *more, max_step_size=4.0)


def test_options_that_only_a_fold_curve_sets_are_no_keywords():
    def cusp(x, p=-1.0, q=1.0, detect=1.0):
        return p + q * x - detect * x**3 / 3

    problem = Problem(cusp)
    branch = problem.continuation([-2.0], "p", (-1.0, 1.0))
    folds = problem.fold_curve(branch, "q", (-1.0, 1.0), steps=Arclength(step=-0.1))
    assert abs(folds.special_points[0].parameter) < 1e-8
