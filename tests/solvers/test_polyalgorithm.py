"""`Robust` solves what one of its solvers solves alone, and ends within its patience."""

import itertools
import math
import sys

import numpy as np
import pytest

from sgsolve import InputError, Problem, Status, solvers
from sgsolve.solvers import stages as sequence
from tests.continuation.gallery import far_start
from tests.selection import slow


def steep(a, b):
    return lambda x: np.stack([np.exp(x[0] * x[1]) - a, x[0] ** 3 - x[1] ** 2 + b * x[0]])


def valley(a, b):
    return lambda x: np.stack([10 * a * (x[1] - x[0] ** 3), b - x[0] + np.sin(3 * x[1])])


def stirred_tank(a, b):
    def f(x):
        rate = a * x[0] * np.exp(20 * x[1] / (1 + x[1]))
        return np.stack([1 - x[0] - rate, -x[1] + 5 * rate - b * x[1]])

    return f


HARD = [  # the number of iterations of the part alone
    (stirred_tank(0.6, 1.1), [-1.3, -1.1], solvers.PseudoTransient()),  # 212
    (stirred_tank(2.8, 2.2), [1.0, -0.5], solvers.PseudoTransient()),  # 220
    (steep(0.9, 1.5), [-1.2, 0.6], solvers.PseudoTransient()),  # 116
    (steep(0.5, 0.9), [-4.7, 4.1], solvers.PseudoTransient()),  # 256
    (steep(2.5, 1.2), [-13.5, 5.8], solvers.PseudoTransient()),  # 254
    (steep(2.1, 2.6), [-9.8, 1.0], solvers.LevenbergMarquardt()),  # 12
    (valley(1.8, 1.6), [10.8, -11.5], solvers.LevenbergMarquardt()),  # 19
    (valley(2.4, 0.6), [-8.6, -4.9], solvers.LevenbergMarquardt()),  # 10
    (valley(0.6, 1.0), [16.9, -12.8], solvers.LineSearchNewton()),  # 24
]


@pytest.mark.parametrize("number", [*slow(0), *range(1, len(HARD))])
def test_what_a_part_solves_alone_robust_solves(number):
    f, start, part = HARD[number]
    alone = Problem(f).solve(start, part)
    assert np.abs(f(alone.x)).max() < 1e-8
    result = Problem(f).solve(start, solvers.Robust())
    assert np.abs(f(result.x)).max() < 1e-8


def test_no_stage_is_repeated():
    """Levenberg-Marquardt starts from the first point at once, where nothing was better."""
    result = Problem(lambda x: x**2 + 1.0 + 0.0 * x).solve([0.0], raise_on_failure=False)
    named = [stage.split(":")[0] for stage in result.stages]
    assert named.count("LevenbergMarquardt") == 1


@pytest.mark.parametrize("seed", [10, 20])
def test_a_stage_that_hardly_decreases_the_residual_ends_early(seed):
    """Alone, Levenberg-Marquardt takes 200 steps along the valley of a local minimum."""
    residual, x0 = far_start(seed)
    method = solvers.LevenbergMarquardt()
    alone = Problem(residual).solve(x0, method, raise_on_failure=False)
    assert alone.nit == method.max_iterations
    newton = solvers.Stage(solvers.Newton(max_iterations=0), from_best=False)
    stages = newton, solvers.Stage(method, from_best=False)
    history = {}
    for followed in (False, True):
        solver = solvers.Robust(stages=stages + followed * (newton, newton))
        result = Problem(residual).solve(x0, solver, raise_on_failure=False)
        history[followed] = result.history[1:]
    assert len(history[False]) > method.max_iterations
    assert 20 < len(history[True]) < 100
    norms = [step.residual for step in history[True]]
    assert norms[-1] > 0.5 * norms[20]


def test_short_steps_of_a_limiter_do_not_end_a_stage():
    creeping = solvers.LineSearchNewton(limits=solvers.MaxChange(4e-4), max_iterations=200)
    newton = solvers.Stage(solvers.Newton(max_iterations=0), from_best=False)
    solver = solvers.Robust(stages=(newton, solvers.Stage(creeping), newton))
    result = Problem(lambda x: x**2 - 4.0).solve([4.0], solver, raise_on_failure=False)
    assert result.stages[1] == "LineSearchNewton: MAX_ITERATIONS after 200 iterations"


def bratu(u):
    """-u'' = 10 exp(u), which has no solution."""
    n = u.shape[0]
    U = np.concatenate([[0.0], u, [0.0]])
    return (U[2:] - 2 * U[1:-1] + U[:-2]) * (n + 1) ** 2 + 10.0 * np.exp(u)


def test_patience_bounds_the_time_of_robust(clock):
    def in_a_tenth_of_a_millisecond(u):
        clock.sleep(
            1e-4
        )  # ten times the first stage, which rounding decides, is below the patience
        return bratu(u)

    for patience in (0.1, 0.2):  # all stages together would take 0.3
        started = clock()
        solver = solvers.Robust(patience=patience)
        problem = Problem(in_a_tenth_of_a_millisecond)
        result = problem.solve(np.zeros(50), solver, raise_on_failure=False)
        assert clock() - started < 2.0 * patience
        assert result.status is not Status.TIME_LIMIT
        assert any("its share of the patience" in stage for stage in result.stages)
        assert sum("Homotopy" in stage for stage in result.stages) >= 1  # each stage has its turn


def test_time_in_which_other_programs_run_takes_no_patience(monkeypatch):
    """The clock goes on by a minute at each look at it, as on a machine that is very busy."""
    busy = itertools.count(0.0, 60.0)
    for module in list(sys.modules.values()):
        if module.__name__.startswith("sgsolve") and "perf_counter" in vars(module):
            monkeypatch.setattr(module, "perf_counter", lambda: next(busy))
    result = Problem(bratu).solve(np.zeros(5), raise_on_failure=False)
    assert not any("patience" in stage for stage in result.stages)


def test_time_limit_holds_for_patient_robust(clock):
    def in_a_millisecond(u):
        clock.sleep(1e-3)  # all stages together would take 3 s
        return bratu(u)

    result = Problem(in_a_millisecond).solve(
        np.zeros(50), solvers.Robust(patience=math.inf), raise_on_failure=False, time_limit=0.3
    )
    assert result.status is Status.TIME_LIMIT


def test_patience_must_be_positive():
    with pytest.raises(InputError, match="patience must be positive"):
        solvers.Robust(patience=0.0)


def test_registered_stages_come_last(monkeypatch):
    monkeypatch.setattr(sequence, "_REGISTERED", list(sequence._REGISTERED))
    count = len(solvers.Robust().stages)
    stages = (solvers.Stage(solvers.Newton(max_iterations=7)),)
    make = lambda: stages  # noqa: E731
    solvers.register_stages(make)
    solvers.register_stages(make)  # once more changes nothing
    assert solvers.Robust().stages[count:] == stages


def test_a_sequence_within_a_sequence():
    inner = solvers.Robust(stages=(solvers.Stage(solvers.Newton(max_iterations=1)),))
    last = solvers.Stage(solvers.DampedNewton(), from_best=False)
    outer = solvers.Robust(stages=(solvers.Stage(inner), last), limits=(solvers.Positive(),))
    assert outer.stages[0].solver.stages[0].solver.limits == (solvers.Positive(),)
    result = Problem(lambda x: x**2 - 4.0).solve([9.0], outer)
    assert result.x[0] == pytest.approx(2.0)
    with pytest.raises(InputError, match="not Positive"):
        Problem(lambda x: x**2 - 4.0).solve([-9.0], outer)


def test_an_own_solver_needs_the_members_of_the_protocol():
    class Half:
        def run(self):
            return None

    for refused in (Half(), solvers.Newton, 5):
        with pytest.raises(InputError, match="solver"):
            Problem(lambda x: x**2 - 4.0).solve([9.0], refused)
    with pytest.raises(InputError, match="Stage needs a solver"):
        solvers.Stage(5)
