"""Compiled problems: the same bits, and no wrong solution from an impure residual."""

import pickle
import warnings

import numpy as np
import pytest

from sgsolve import Problem, ad, solvers
from sgsolve.ad.kernels.variant import Variant
from sgsolve.errors import ImpureFunctionWarning, InputError
from sgsolve.problem.equations.compiled_functions import CompiledFunctions
from sgsolve.transient import FixedSteps, RungeKutta
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite
N = 40
START = np.zeros(N)
WEIGHTS = np.linspace(0.5, 1.5, N - 2)
NEWTON = solvers.Newton(max_iterations=30)  # what never stops moving is not solved by any other


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")
    monkeypatch.setattr(CompiledFunctions, "at_once", True)


def bratu(u, lam=1.0, weights=WEIGHTS):
    inner = 2.0 * u[1:-1] - u[:-2] - u[2:] - 1e-3 * lam * weights * np.exp(u[1:-1])
    return ad.hstack([u[:1], inner, u[-1:]])


def stored(u, lam=1.0):
    return 0.1 * u * lam


def both(**settings):
    return (
        Problem(bratu, params={"lam": 1.0}, compiled=True, **settings),
        Problem(bratu, params={"lam": 1.0}, **settings),
    )


def test_a_solve_has_the_same_bits():
    results = [p.at(lam=2.0).solve(START) for p in both()]
    np.testing.assert_array_equal(results[0].x, results[1].x)
    assert results[0].stats.n_compiled > 0
    assert "compiled evaluation" in str(results[0].stats)
    assert "compiled" not in str(results[1].stats)


def test_a_sweep_has_the_same_bits():
    values = np.linspace(0.1, 1.0, 8)
    branches = [p.sweep(START, "lam", values) for p in both()]
    np.testing.assert_array_equal(branches[0].states, branches[1].states)
    assert branches[0].stats.n_compiled > 10


def test_a_continuation_has_the_same_bits():
    branches = [p.continuation(START, "lam", (0.1, 2.0)) for p in both()]
    np.testing.assert_array_equal(branches[0].states, branches[1].states)
    assert branches[0].stats.n_compiled > 10


@pytest.mark.parametrize("steps", [FixedSteps("BDF2", 0.02), RungeKutta()])
def test_a_transient_has_the_same_bits(steps):
    runs = [p.transient(START, (0.0, 1.0), steps=steps) for p in both(storage=stored)]
    np.testing.assert_array_equal(runs[0].states, runs[1].states)
    assert runs[0].stats.n_compiled > 10


def test_steps_in_machine_code_differ_by_the_order_of_sums():
    runs = [p.transient(START, (0.0, 1.0)) for p in both(storage=stored)]
    assert runs[0].states == pytest.approx(runs[1].states, rel=1e-8)
    assert runs[0].stats.n_compiled > 10


def test_the_last_iteration_of_a_step_in_time_needs_no_confirmation():
    """It evaluates the code of the user; a kernel evaluation beside it would be in vain."""
    run = both(storage=stored)[0].transient(START, (0.0, 1.0), rtol=1e-6)
    evaluations = run.stats.nfev + 2 * run.stats.njev  # of the residual, and as many of the storage
    assert run.stats.n_compiled < 2 * evaluations - len(run)


def test_sensitivities_and_small_signals_have_the_same_bits():
    compiled, plain = both(storage=stored)
    results = [p.solve(START) for p in (compiled, plain)]
    for name in ("lam", "weights"):
        found = [p.sensitivity(r, name) for p, r in zip((compiled, plain), results, strict=True)]
        np.testing.assert_array_equal(*found)
    answers = [
        p.small_signal(r, "lam", [0.0, 1.0]).states
        for p, r in zip((compiled, plain), results, strict=True)
    ]
    np.testing.assert_array_equal(*answers)


def test_arrays_among_the_parameters_are_inputs():
    compiled, plain = both()
    for k in range(6):
        weights = np.random.default_rng(k).uniform(0.5, 1.5, N - 2)
        found = [p.at(weights=weights).solve(START).x for p in (compiled, plain)]
        np.testing.assert_array_equal(*found)


def test_problems_can_be_pickled():
    problem = pickle.loads(pickle.dumps(both()[0]))
    assert problem.solve(START).stats.n_compiled > 0


def test_a_compiled_function_makes_a_compiled_problem():
    problem = Problem(ad.compiled(bratu), params={"lam": 1.0})
    assert problem.solve(START).stats.n_compiled > 0


def test_a_jacobian_of_the_user_is_refused():
    with pytest.raises(InputError, match="leave out jacobian"):
        Problem(bratu, jacobian=lambda u, lam: np.eye(N), compiled=True)


def test_rates_as_parameters_are_said_not_to_be_compiled():
    def relaxing(x, rate):
        return rate + x

    run = Problem(relaxing, storage="rate", compiled=True).transient(np.ones(3), (0.0, 1.0))
    assert run.stats.n_compiled == 0
    assert "dx/dt is a parameter" in str(run.stats)


def test_two_problems_have_kernels_of_their_own():
    first = Problem(lambda u: u * u - 2.0, compiled=True)
    second = Problem(lambda u: u * u - 3.0, compiled=True)
    for _ in range(3):
        np.testing.assert_allclose(first.solve(np.ones(3)).x, np.sqrt(2.0))
        np.testing.assert_allclose(second.solve(np.ones(3)).x, np.sqrt(3.0))


def test_fields():
    def heated(T, power, mean):
        v = np.pad(T, 1)
        around = v[2:, 1:-1] + v[:-2, 1:-1] + v[1:-1, 2:] + v[1:-1, :-2]
        return {"T": 4.0 * T - around - power, "power": np.mean(T) - mean}

    blocks = {"T": (3, 3), "power": ()}
    found = []
    for compiled in (True, False):
        plate = Problem(heated, params={"mean": 1.0}, blocks=blocks, fields=True, compiled=compiled)
        found.append(plate.solve(plate.pack(T=0.0, power=1.0)))
    np.testing.assert_array_equal(found[0].x, found[1].x)
    assert found[0].stats.n_compiled > 0


def test_without_llvmlite_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "llvmlite", None)
    monkeypatch.setitem(__import__("sys").modules, "llvmlite.binding", None)
    with pytest.raises(InputError, match=r"sgsolve\[compiled\]"):
        Problem(bratu, compiled=True)


# ---- impure residuals --------------------------------------------------------------------------

LEVEL = 2.0
TABLE = {"level": 2.0}
ARRAY = np.full(5, 2.0)


class Model:
    """A residual that reads everything a residual should not read."""

    shared = 2.0

    def __init__(self, tmp_path):
        self.level = 2.0
        self.array = np.full(5, 2.0)
        self.items = [2.0]
        self.calls = 0
        self.random = np.random.default_rng(1)
        self.file = tmp_path / "level.txt"
        self.file.write_text("2.0")
        self.cache = {}

    @property
    def computed(self):
        return self.level


def _global(m):
    def change():
        globals()["LEVEL"] = 5.0

    return lambda x: x * x - LEVEL, change


def _dict(m):
    return lambda x: x * x - TABLE["level"], lambda: TABLE.update(level=5.0)


def _array(m):
    return lambda x: x * x - m.array, lambda: m.array.__setitem__(slice(None), 5.0)


def _one_element(m):
    return lambda x: x * x - m.array, lambda: m.array.__setitem__(2, 5.0)


def _view(m):
    part = m.array[:5]
    return lambda x: x * x - part, lambda: m.array.__imul__(2.0)


def _global_array(m):
    return lambda x: x * x - ARRAY, lambda: ARRAY.__setitem__(slice(None), 5.0)


def _index_array(m):
    index = np.arange(5)
    shift = np.arange(5.0)
    return lambda x: x * x - 2.0 - shift - 0.1 * x[index], lambda: index.__setitem__(0, 3)


def _attribute(m):
    return lambda x: x * x - m.level, lambda: setattr(m, "level", 5.0)


def _property(m):
    return lambda x: x * x - m.computed, lambda: setattr(m, "level", 5.0)


def _class_attribute(m):
    class Own(Model):
        shared = 2.0

    return lambda x: x * x - Own.shared, lambda: setattr(Own, "shared", 5.0)


def _list(m):
    return lambda x: x * x - m.items[0], lambda: m.items.__setitem__(0, 5.0)


def _closure(m):
    level = 2.0

    def f(x):
        return x * x - level

    def change():
        nonlocal level
        level = 5.0

    return f, change


def _default(m):
    def f(x, items=m.items):
        return x * x - items[0]

    return f, lambda: m.items.__setitem__(0, 5.0)


def _counter(m):
    def f(x):
        m.calls += 1
        return x * x - 2.0 - 1e-6 * m.calls

    return f, lambda: None


def _random(m):
    return lambda x: x * x - 2.0 - 1e-6 * m.random.random(), lambda: None


def _time(m):
    import time

    return lambda x: x * x - 2.0 - 1e-9 * time.perf_counter_ns() % 1.0, lambda: None


def _file(m):
    return lambda x: x * x - float(m.file.read_text()), lambda: m.file.write_text("5.0")


def _environment(m):
    import os

    os.environ["SGSOLVE_TEST_LEVEL"] = "2.0"
    return (
        lambda x: x * x - float(os.environ["SGSOLVE_TEST_LEVEL"]),
        lambda: os.environ.__setitem__("SGSOLVE_TEST_LEVEL", "5.0"),
    )


def _cached(m):
    def f(x):
        level = m.cache.setdefault("level", m.level)
        return x * x - level

    def change():
        m.level = 5.0
        m.cache.clear()

    return f, change


def _rebound(m):
    m.function = lambda: 2.0
    return lambda x: x * x - m.function(), lambda: setattr(m, "function", lambda: 5.0)


def _matrix(m):
    import scipy.sparse as sp

    A = sp.csr_array(np.diag(np.full(5, 2.0)))
    return lambda x: A @ (x * x) - 4.0, lambda: A.data.__imul__(2.5)


def _generator(m):
    numbers = iter(np.linspace(2.0, 3.0, 10_000))
    return lambda x: x * x - next(numbers), lambda: None


IMPURE = [
    _global, _dict, _array, _one_element, _view, _global_array, _index_array, _attribute,
    _property, _class_attribute, _list, _closure, _default, _counter, _random, _time, _file,
    _environment, _cached, _rebound, _matrix, _generator,
]  # fmt: skip


@pytest.mark.parametrize("kind", IMPURE, ids=lambda kind: kind.__name__[1:])
def test_an_impure_residual_gives_no_wrong_solution(kind, tmp_path, monkeypatch):
    globals().update(LEVEL=2.0)
    TABLE["level"], ARRAY[:] = 2.0, 2.0
    f, change = kind(Model(tmp_path))
    problem = Problem(f, compiled=True)
    start = np.full(5, 1.7)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            problem.solve(start, NEWTON, raise_on_failure=False)
        change()
        result = problem.solve(start, NEWTON, raise_on_failure=False)
    warning = next(w for w in caught if w.category is ImpureFunctionWarning)
    assert "equation" in str(warning.message) or "element" in str(warning.message)
    assert "make what changes a" in str(warning.message)
    assert "not pure" in str(result.stats.not_compiled)
    with warnings.catch_warnings():  # two calls may differ so much that the start warns too
        warnings.simplefilter("ignore", ImpureFunctionWarning)
        expected = Problem(f).solve(start, NEWTON, raise_on_failure=False)
    if result.success:
        np.testing.assert_allclose(result.x, expected.x, rtol=1e-4)


@pytest.mark.parametrize("of_jacobian", ["never", "later"])
@pytest.mark.parametrize("during", [False, True])
@pytest.mark.parametrize("solver", [None, solvers.Newton(), solvers.DampedNewton()])
def test_a_kernel_of_the_residual_alone_that_is_out_of_date_fails_no_solve(
    solver, during, of_jacobian, monkeypatch
):
    """NumPy gives the Jacobian, or a kernel that is compared when the level has changed."""
    blocked = [True]
    made = Variant.make

    def make(self, with_jacobian, pays, stats):
        return None if with_jacobian and blocked else made(self, with_jacobian, pays, stats)

    def change(it):
        level[3] = 0.02

    monkeypatch.setattr(Variant, "make", make)
    level = np.zeros(N)
    problem = Problem(lambda u, lam: bratu(u, lam) - level, params={"lam": 1.0}, compiled=True)
    # With a callback the solver itself runs, which asks for residuals alone.
    problem.solve(START, solver, callback=lambda it: None)
    if of_jacobian == "later":
        blocked.clear()
    if not during:
        change(None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ImpureFunctionWarning)
        result = problem.solve(START, solver, callback=change)
    assert result.success
    assert np.abs(bratu(result.x) - level).max() < 1e-9
    assert len(caught) == 1 or (during and not caught)


def test_what_was_computed_before_kernels_were_dropped_is_compared():
    """As another member, or another thread, may have dropped them."""
    functions = CompiledFunctions(lambda x: x * x - 2.0)
    x, plain = np.full(5, 1.5), lambda: np.full(5, 0.25)
    functions.residual().stats.compiled = 1
    assert functions.confirm(plain(), plain, None)
    with pytest.warns(ImpureFunctionWarning):
        assert not functions.confirm(x, plain, None)
    assert not functions.confirm(x, plain, None)
    assert functions.confirm(plain(), plain, None)
    random = np.random.default_rng(0)
    assert functions.confirm(x, lambda: random.random(5), None)  # nothing to compare with


def moving(level):
    """A residual that reads an array, and a callback that changes it at the third point."""
    points = []

    def f(u, lam=1.0):
        return bratu(u, lam) - level

    def callback(point):
        points.append(point)
        if len(points) == 3:
            level[:] = 1e-8

    return f, callback


@pytest.mark.parametrize("method", ["continuation", "sweep"])
def test_an_impure_residual_is_noticed_on_a_branch(method):
    level = np.zeros(N)
    f, callback = moving(level)
    problem = Problem(f, compiled=True)
    values = (0.1, 1.0) if method == "continuation" else np.linspace(0.1, 1.0, 9)
    with pytest.warns(ImpureFunctionWarning, match="equation"):
        branch = getattr(problem, method)(START, "lam", values, callback=callback)
    lam, x = branch["lam"][-1], branch.states[-1]
    np.testing.assert_allclose(f(x, lam), 0.0, atol=1e-10)


def test_an_impure_residual_is_noticed_in_time():
    level = np.zeros(N)
    f, callback = moving(level)
    problem = Problem(f, params={"lam": 1.0}, storage=stored, compiled=True)
    with pytest.warns(ImpureFunctionWarning, match="equation"):
        problem.transient(START, (0.0, 0.5), callback=callback)


def test_the_default_solver_and_newton_agree_on_compiled_problems():
    problem = both()[0]
    a, b = problem.solve(START), problem.solve(START, solvers.Newton())
    np.testing.assert_allclose(a.x, b.x, rtol=1e-9)


def test_kernels_follow_a_pattern_that_grows_with_a_parameter():
    """More unknowns couple at each value; kernels for smaller patterns make room for the next."""
    n = 24
    at = np.linspace(0.0, 1.0, n)

    def residual(u, p):
        coupled = u[at < 0.1 + p]
        return u**3 + u - p + 0.1 * np.mean(coupled) * np.cos(at)

    values = np.linspace(0.0, 0.8, 17)
    plain = Problem(residual, params={"p": 0.0}).sweep(np.zeros(n), "p", values)
    sweep = Problem(residual, params={"p": 0.0}, compiled=True).sweep(np.zeros(n), "p", values)
    for (p, x), (q, y) in zip(sweep, plain, strict=True):
        assert p == q
        np.testing.assert_array_equal(x, y)
    assert not [why for why in sweep.stats.not_compiled if "more than" in why]
    assert sweep.stats.n_compiled > 17, sweep.stats


def decay(x, p, a):
    """Two slopes by numbers and arrays of the parameters, which NumPy may add up in two orders."""
    return x * p + np.sin(x) * a + p * a * x


def jacobians_by_turns(problem, values, x):
    """Return J and what it has to be, for one value after the other."""
    a = problem.params["a"]
    pairs = [(problem.at(p=p).jacobian(x).diagonal(), p + np.cos(x) * a + p * a) for p in values]
    return [np.array(each) for each in zip(*pairs, strict=True)]


def test_kernels_serve_where_numpy_adds_up_slopes_in_another_order():
    """Arrays of two values in turn are constants for NumPy, and no part of a kernel."""
    ad.clear_cache()
    x, a = np.linspace(0.3, 2.7, 60), np.random.default_rng(1).standard_normal(60)
    problem = Problem(decay, params={"p": 1.5, "a": a}, compiled=True)
    evaluation = problem._definition.kernels.residual()
    evaluation.account.at_once = False
    jacobians_by_turns(problem, [1.5, 1.7] * 10, x)
    evaluation.account.at_once = True
    found, expected = jacobians_by_turns(problem, [1.5, 1.7] * 40, x)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert any("rounded in another way" in reason for reason in evaluation.stats.reasons)
    assert evaluation.stats.compiled >= 40


@pytest.mark.parametrize("f", [lambda u: np.sqrt(u) + 1.0, lambda u: u**1.5 + np.sqrt(u[::-1])])
def test_a_failure_outside_of_the_model_is_no_sign_of_an_impure_function(f):
    """A warning is an error here; the solver knows no residual at such points."""
    problem = Problem(lambda u: f(u) + 1.0, compiled=True)
    problem.solve(np.array([0.0, 1.0]), raise_on_failure=False)
    result = problem.solve(np.array([0.0, 1.0]), NEWTON, raise_on_failure=False)
    assert not result.success
    assert not problem._definition.kernels.stopped
