"""Families of small systems: every member as in a solve of its own, failures included."""

import numpy as np
import pytest

import sgsolve.problem.members.solve_many as many
from sgsolve import Problem, Status, ad, linear, solvers
from sgsolve.errors import (
    DataTypeError,
    DomainError,
    ImpureFunctionWarning,
    InputError,
    NotFiniteError,
    ParameterError,
    ShapeError,
)
from sgsolve.problem.equations.compiled_functions import CompiledFunctions
from sgsolve.problem.members import family_results
from sgsolve.problem.members.short_family import ShortFamily
from sgsolve.problem.short_newton import short_solve
from tests.selection import slow

N = 12
NEWTON = solvers.Newton()
NEEDED = "llvmlite (sgsolve[compiled]) is not installed"
needs_llvmlite = pytest.mark.skipif(not ad.compiled_is_available(), reason=NEEDED)
MODES = [False, pytest.param(True, marks=needs_llvmlite)]


def chain(u, strength, left):
    """u'' + strength exp(u) = 0, with a value at the left end."""
    full = ad.hstack([np.full(1, left), u, np.zeros(1)])
    return (full[2:] - 2.0 * u + full[:-2]) * (N + 1) ** 2 + strength * np.exp(u)


def chains(compiled=False, **options):
    params = {"strength": 1.0, "left": 0.0}
    return Problem(chain, params=params, compiled=compiled, **options)


def singles(problem, x0s, params, solver=None):
    """The results of single solves."""
    found = []
    for m, x0 in enumerate(x0s):
        own = {name: values[m] for name, values in params.items()}
        found.append(problem.at(**own).solve(x0, solver, raise_on_failure=False))
    return found


def assert_same(results, single, rtol=1e-8):
    assert results.success.tolist() == [r.success for r in single]
    for result, alone in zip(results, single, strict=True):
        if alone.success:
            np.testing.assert_allclose(result.x, alone.x, rtol=rtol, atol=1e-10)
        else:
            assert result.status is alone.status


@pytest.mark.parametrize("compiled", MODES)
@pytest.mark.parametrize("solver", [None, solvers.Newton(), solvers.DampedNewton()])
def test_members_are_those_of_single_solves(compiled, solver):
    random = np.random.default_rng(1)
    params = {
        "strength": random.uniform(0.1, 2.0, 30).tolist(),
        "left": 0.2 * random.normal(size=30),
    }
    x0s = 0.1 * random.normal(size=(30, N))
    problem = chains(compiled)
    results = problem.solve_many(x0s, params, solver)
    assert_same(results, singles(problem, x0s, params, solver))
    for m, result in enumerate(results):  # by the equations themselves
        if result.success:
            own = {name: values[m] for name, values in params.items()}
            assert np.abs(chain(result.x, **own)).max() < 1e-8


@pytest.mark.parametrize("compiled", MODES)
def test_members_without_a_solution_fail_and_stop_no_other(compiled):
    strength = [1.0, 8.0, 2.0, 3.0, 3.2]  # no solution beyond the fold at 3.51
    method = solvers.DampedNewton()
    results = chains(compiled).solve_many(np.zeros((5, N)), {"strength": strength}, method)
    assert results.success.tolist() == [True, False, True, True, True]
    assert "residual" in results.message[1]
    assert "member 1" in str(results)
    single = chains().at(strength=8.0).solve(np.zeros(N), method, raise_on_failure=False)
    assert results.status[1] is single.status


@pytest.mark.parametrize(
    "f",
    [
        lambda x, a: np.exp(-a * x),
        lambda x, a: np.tanh(a * x) - 1.0,
        lambda x, a: np.exp(-a * x * x),
        lambda x, a: a / (1.0 + x * x),
        lambda x, a: (x - a) ** 3,
        lambda x, a: x**2 + a,
        lambda x, a: np.arctan(a * x),
        lambda x, a: np.maximum(x - a, 0.0),
    ],
)
@pytest.mark.parametrize("start", [3.0, *slow(0.5, 40.0)])
def test_success_is_judged_as_in_single_solves(f, start):
    a = np.array([0.5, 1.0, 2.0, 3.0, 7.0])
    problem = Problem(f, params={"a": 1.0})
    method = solvers.DampedNewton()  # the whole ladder takes seconds where there is no solution
    results = problem.solve_many([start], {"a": a}, method)
    single = singles(problem, np.full((5, 1), start), {"a": a}, method)
    assert results.success.tolist() == [r.success for r in single]


def test_a_singular_jacobian_at_one_start():
    results = Problem(lambda x, a: x**2 - a).solve_many(
        [[1.0], [0.0], [3.0], [2.0], [5.0]], {"a": [4.0, 4.0, 4.0, 9.0, 16.0]}
    )
    assert results.success.all()
    np.testing.assert_allclose(results.x[:, 0] ** 2, [4.0, 4.0, 4.0, 9.0, 16.0])


def test_starts_that_are_solutions():
    a = np.array([1.0, 4.0, 9.0, 16.0])
    results = Problem(lambda x, a: x**2 - a).solve_many(np.sqrt(a)[:, None], {"a": a})
    assert results.nit.tolist() == [0, 0, 0, 0]
    assert results.success.all()


@pytest.mark.parametrize("compiled", MODES)
def test_parameters_that_are_arrays(compiled):
    sources = np.random.default_rng(0).uniform(1.0, 2.0, (6, 3))
    problem = Problem(lambda x, source, p: x**p - source, params={"p": 3.0}, compiled=compiled)
    results = problem.solve_many(np.ones(3), {"source": sources, "p": 2.0})
    np.testing.assert_allclose(results.x, np.sqrt(sources))
    assert results.params["source"].shape == (6, 3)
    assert results[2].params["p"] == 2.0


def test_parameters_of_other_kinds():
    def f(x, kind, power):
        return x**power - (4.0 if kind == "four" else 9.0)

    given = {"kind": ["four", "nine"] * 3, "power": np.array([2, 2, 2, 2, 2, 2])}
    results = Problem(f).solve_many([1.0], given)
    np.testing.assert_allclose(results.x[:, 0], [2.0, 3.0] * 3)
    assert type(results[0].params["power"]) is int


def test_whole_numbers_of_a_real_parameter_are_real():
    problem = Problem(lambda x, a: x - a, params={"a": 1.0})
    assert type(problem.solve_many([0.0], {"a": [2, 3]})[0].params["a"]) is float


def test_fields():
    def f(u, p, a):
        return {"u": u**2 - a, "p": p - u.sum()}

    problem = Problem(f, params={"a": 1.0}, blocks={"u": (2, 2), "p": ()}, fields=True)
    results = problem.solve_many(problem.pack(u=1.5, p=0.0), {"a": [1.0, 4.0, 9.0, 2.25]})
    assert results.field("u").shape == (4, 2, 2)
    np.testing.assert_allclose(results.field("p"), [4.0, 8.0, 12.0, 6.0])
    np.testing.assert_allclose(results[1]["u"], np.full((2, 2), 2.0))


def test_a_mapping_of_fields_is_the_start_of_all_members():
    problem = Problem(
        lambda u, p, a: {"u": u**2 - a - p, "p": p - u.sum()},
        params={"a": 1.0},
        blocks={"u": (2, 2), "p": ()},
        fields=True,
    )
    start = {"u": 5.0, "p": 20.0}
    found = problem.solve_many(start, {"a": [1.0, 2.0]})
    same = problem.solve_many(problem.pack(**start), {"a": [1.0, 2.0]})
    np.testing.assert_array_equal(found.x, same.x)
    assert found.success.all()
    with pytest.raises(InputError, match="no block 'p'"):
        problem.solve_many({"u": 5.0, "q": 1.0}, {"a": [1.0, 2.0]})


def test_bounds():
    method = solvers.DampedNewton(limits=(solvers.Bounds(0.0),))
    problem = Problem(lambda x, a: x * x + 1.5 * x - a)  # a root of either sign
    x0s, a = np.full((5, 1), 30.0), {"a": [1.0, 2.0, 3.0, 4.0, 5.0]}
    results = problem.solve_many(x0s, a, method)
    assert_same(results, singles(problem, x0s, a, method))
    assert (results.x > 0.0).all()
    with pytest.raises(InputError, match="member 3"):
        problem.solve_many([[1.0], [1.0], [1.0], [-1.0], [1.0]], a, method)


def test_a_residual_with_a_domain():
    def f(x, a):
        if (ad.value(x) <= 0.0).any():
            raise DomainError("x must be positive")
        return np.log(x) - a

    a = {"a": np.linspace(-3.0, 3.0, 7)}
    results = Problem(f).solve_many([5.0], a)
    np.testing.assert_allclose(results.x[:, 0], np.exp(a["a"]))


def test_a_member_whose_start_is_outside_of_the_model():
    problem = Problem(lambda x, a: np.sqrt(x - a) - 1.0)
    results = problem.solve_many([2.0], {"a": [50.0, 0.0, 0.5, 1.0, 60.0]})
    assert results.success.tolist() == [False, True, True, True, False]
    assert results.status[0] is Status.NOT_FINITE
    assert "not finite" in results.message[0]


def test_entries_that_appear_on_the_way():
    def f(x, a):
        coupled = x[::-1] if ad.value(x)[0] > 2.0 else np.zeros(3)
        return x**2 - a + 0.1 * coupled

    params = {"a": np.array([1.0, 9.0, 16.0, 2.0, 25.0])}
    results = Problem(f).solve_many(np.full((5, 3), 1.5), params)
    assert_same(results, singles(Problem(f), np.full((5, 3), 1.5), params))


@pytest.mark.parametrize("options", [
    {"jacobian": lambda x, a: np.diag(2.0 * x)},
    {"scale": 3.0},
    {"backend": "banded"},
    {"backend": linear.Banded()},
    {"backend": linear.Dense},
    {"backend": "superlu"},
    {"backend": linear.SuperLU()},
    {"blocks": {"u": slice(0, 1), "v": slice(1, 2)}},
])  # fmt: skip
def test_options_of_the_problem(options):
    problem = Problem(lambda x, a: x**2 - a * np.array([1.0, 1e8]), **options)
    results = problem.solve_many([1.0, 1e4], {"a": [1.0, 4.0, 9.0, 16.0, 25.0]})
    np.testing.assert_allclose(results.x, np.outer([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 1e4]))


@pytest.mark.parametrize("solver", [
    solvers.LineSearchNewton(), solvers.TrustRegion(), solvers.NewtonKrylov(),
    solvers.Robust(termination=solvers.ResidualTolerance(1e-6)),
    solvers.Newton(termination=solvers.ResidualTolerance(absolute=1e-6)),
    solvers.DampedNewton(termination=solvers.ResidualReduction(1e-6)),
])  # fmt: skip
def test_other_solvers_and_criteria(solver):
    results = chains().solve_many(np.zeros(N), {"strength": np.linspace(1.0, 3.0, 5)}, solver)
    assert results.success.all()
    for m, strength in enumerate(np.linspace(1.0, 3.0, 5)):
        assert np.abs(chain(results.x[m], strength, 0.0)).max() < 1e-2


def test_a_dense_system_of_two_blocks():
    A = np.random.default_rng(0).normal(size=(120, 120)) + 60.0 * np.eye(120)
    problem = Problem(lambda x, a: A @ x - a, blocks={"u": 60, "v": 60})
    results = problem.solve_many(np.zeros(120), {"a": [1.0, 2.0]})
    np.testing.assert_allclose(results.x[1], np.linalg.solve(A, np.full(120, 2.0)))


@pytest.fixture
def at_once(monkeypatch):
    """Make loops and kernels for any number of members."""
    monkeypatch.setattr(short_solve, "LOADED", 0)
    monkeypatch.setattr(short_solve, "COMPILED", 0)
    monkeypatch.setattr(CompiledFunctions, "at_once", True)


STRENGTHS = np.array([0.5, 3.0, 1.0, 2.0, 3.4, 80.0])  # there is no solution beyond 3.51


@needs_llvmlite
@pytest.mark.parametrize("compiled", MODES)
@pytest.mark.parametrize("solver", [None, *slow(solvers.Newton(max_iterations=30))])
def test_members_of_one_block_are_solved_in_machine_code(at_once, monkeypatch, solver, compiled):
    original, served = many.short_result, []

    def short_result(*arguments):
        result = original(*arguments)
        served.append(result is not None)
        return result

    monkeypatch.setattr(many, "short_result", short_result)
    problem, starts = chains(compiled), np.zeros((len(STRENGTHS), N))
    for _ in range(2):
        results = problem.solve_many(starts, {"strength": STRENGTHS}, solver)
        assert results.success.tolist() == (STRENGTHS < 4.0).tolist()
    assert sum(served) >= 8  # of 10 that have a solution
    alone = singles(chains(), starts, {"strength": STRENGTHS}, solver)
    for result, single in zip(results, alone, strict=True):
        assert result.status is single.status
        if single.success:
            assert result.nit == single.nit
            np.testing.assert_allclose(result.x, single.x, rtol=1e-10)
    assert results.stats.nit == sum(result.nit for result in results)
    assert results.stats.n_factor >= results.stats.nit


@needs_llvmlite
def test_a_start_that_is_singular_leaves_the_members_to_the_solver(at_once):
    problem = Problem(lambda x, a: ad.stack([x[0] ** 2 - a, x[1] ** 2 - a]), params={"a": 1.0})
    results = problem.solve_many([[0.0, 1.0], [1.0, 2.0], [1.0, 1.5]], {"a": [1.0, 4.0, 9.0]})
    np.testing.assert_allclose(results.x[1:] ** 2, [[4.0, 4.0], [9.0, 9.0]])
    assert results.success.all()


@needs_llvmlite
def test_an_interrupt_between_members_in_machine_code(at_once, monkeypatch):
    original, calls = many.short_result, []

    def short_result(*arguments):
        calls.append(arguments)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(many, "short_result", short_result)
    problem = chains()
    problem.solve_many(np.zeros((2, N)), {"strength": [1.0, 2.0]})
    calls.clear()
    with pytest.warns(UserWarning, match="interrupted"):
        results = problem.solve_many(np.zeros((6, N)), {"strength": np.linspace(0.5, 1.0, 6)})
    assert results.success.tolist() == [True] * 4 + [False] * 2
    assert results.status[4:] == (Status.INTERRUPTED,) * 2


@needs_llvmlite
def test_no_time_for_members_in_machine_code(at_once):
    results = chains().solve_many(np.zeros((6, N)), {"strength": STRENGTHS}, time_limit=1e-9)
    assert set(results.status) == {Status.TIME_LIMIT}


def test_subclasses_of_parts_are_called_for_each_member():
    """A subclass may do something else, which loops in machine code do not repeat."""
    called = []

    class OwnDamping(solvers.FullStep):
        def advance(self, it):
            called.append("damping")
            return super().advance(it)

    class OwnDirection(solvers.NewtonDirection):
        def compute(self, it):
            called.append("direction")
            return super().compute(it)

    class OwnLoop(solvers.Newton):
        def run(self, system, workspace, x, F, monitor):
            called.append("loop")
            return super().run(system, workspace, x, F, monitor)

    damping, direction = OwnDamping(), OwnDirection()
    parts = solvers.NewtonMethod(damping=damping), solvers.NewtonMethod(direction=direction)
    for solver in (*parts, OwnLoop()):
        results = chains().solve_many(np.zeros(N), {"strength": np.linspace(0.5, 1.0, 6)}, solver)
        assert results.success.all()
    assert {name: called.count(name) >= 6 for name in ("damping", "direction", "loop")} == {
        "damping": True, "direction": True, "loop": True
    }  # fmt: skip


def test_a_declared_null_space():
    def f(x, a):
        return np.roll(x, 1) + np.roll(x, -1) - 2.0 * x + a * np.array([1.0, 0.0, -1.0, 0.0])

    problem = Problem(f, null_space=np.ones(4))
    results = problem.solve_many(np.zeros(4), {"a": [1.0, 2.0]})
    assert results.success.all()
    np.testing.assert_allclose(results.x.sum(axis=1), 0.0, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2])
def test_one_member_or_two(k):
    results = chains().solve_many(np.zeros((k, N)), {"strength": [1.0] * k})
    assert results.x.shape == (k, N)
    np.testing.assert_allclose(results.x[0], chains().solve(np.zeros(N)).x)


def test_members_by_starts_alone():
    results = Problem(lambda x: x**2 - 4.0).solve_many([[1.0], [-1.0], [5.0], [-8.0]])
    assert results.x[:, 0].tolist() == pytest.approx([2.0, -2.0, 2.0, -2.0])


@pytest.mark.parametrize(("x0s", "params", "error", "words"), [
    (np.zeros((0, N)), {}, InputError, "no members"),
    (np.zeros(N), {"strength": []}, InputError, "no members"),
    (np.zeros(N), {"strength": 1.0}, ShapeError, "Problem.solve for one"),
    (np.zeros((2, N, 1)), {}, ShapeError, "shape"),
    ([[1.0], [2.0, 3.0]], {}, ShapeError, "regular"),
    (np.zeros((3, N)), {"strength": [1.0, 2.0]}, ShapeError, "2 values for 3 members"),
    (np.zeros((2, N)), {"strenght": [1.0, 2.0]}, ParameterError, "strenght"),
    (np.zeros((2, N)), {"strength": [1.0, np.nan]}, NotFiniteError, "member 1"),
    (np.where(np.arange(2 * N).reshape(2, N) == 15, np.inf, 0.0), {}, NotFiniteError, r"\[1, 3\]"),
    (np.zeros((2, N)), {"strength": [[1.0], 2.0]}, ShapeError, "regular"),
    (np.zeros((2, N)), {"strength": np.ma.masked_invalid([1.0, np.nan])}, DataTypeError, "masked"),
    (np.zeros((2, N)), [1.0, 2.0], DataTypeError, "map names"),
    (np.zeros((2, N), dtype=complex), {}, DataTypeError, "complex"),
])  # fmt: skip
def test_what_is_refused(x0s, params, error, words):
    with pytest.raises(error, match=words):
        chains().solve_many(x0s, params)


def test_a_time_limit():
    def slow(x, a):
        sum(range(200_000))
        return x**2 - a

    results = Problem(slow).solve_many([1.0], {"a": np.arange(1.0, 400.0)}, time_limit=0.1)
    assert not results.success.all()
    assert results.status[-1] is Status.TIME_LIMIT


def test_the_same_members_twice_are_the_same_to_the_bit():
    given = np.zeros(N), {"strength": np.linspace(0.1, 3.0, 9)}
    assert np.array_equal(chains().solve_many(*given).x, chains().solve_many(*given).x)


@needs_llvmlite
class TestCompiled:
    def test_kernels_serve_and_change_no_bit(self):
        given = np.zeros(N), {"strength": np.linspace(0.1, 3.0, 300)}
        results = chains(True).solve_many(*given)
        assert results.stats.n_compiled > 1000
        assert sum(results.stats.not_compiled.values()) < 100
        assert np.array_equal(results.x, chains().solve_many(*given).x)

    def test_what_cannot_be_compiled_is_said(self):
        problem = Problem(lambda x, a: x * np.asarray(ad.value(x)) - a, compiled=True)
        results = problem.solve_many([1.0], {"a": np.arange(1.0, 9.0)})
        np.testing.assert_allclose(results.x[:, 0], np.sqrt(np.arange(1.0, 9.0)), rtol=1e-6)
        assert results.stats.n_compiled == 0
        assert sum(results.stats.not_compiled.values()) > 0

    def test_an_impure_function_is_noticed(self):
        level = np.zeros(N)
        problem = Problem(lambda u, strength: chain(u, strength, 0.0) - level, compiled=True)
        strength = np.linspace(0.1, 3.0, 200)
        problem.solve_many(np.zeros(N), {"strength": strength})
        level[3] = 0.7
        with pytest.warns(ImpureFunctionWarning):
            results = problem.solve_many(np.zeros(N), {"strength": strength})
        assert results.success.all()
        for m in (0, 100, 199):
            left = chain(results.x[m], strength[m], 0.0) - level
            assert np.abs(left).max() < 1e-7

    def test_members_that_converged_with_the_first_impure_one_are_compared_too(self, monkeypatch):
        monkeypatch.setattr(CompiledFunctions, "at_once", True)
        level = np.full(5, 2.0)
        problem = Problem(lambda x, p: x * x * p + 0.1 * np.sin(x) - level, compiled=True)
        given = np.full(5, 1.7), {"p": np.linspace(1.0, 2.0, 8)}
        problem.solve_many(*given)
        level[2] = 5.0
        with pytest.warns(ImpureFunctionWarning):
            results = problem.solve_many(*given)
        assert results.success.all()
        left = results.x**2 * given[1]["p"][:, None] + 0.1 * np.sin(results.x) - level
        assert np.abs(left).max() < 1e-7

    def test_branches_of_the_code_differ_between_members(self):
        def f(x, a):
            if a > 5.0:
                return x**3 - a
            return np.where(x > 1.5, x**2, 2.25 + 3.0 * (x - 1.5)) - a

        a = np.linspace(1.0, 9.0, 200)
        results = Problem(f, compiled=True).solve_many([2.0], {"a": a})
        np.testing.assert_allclose(results.x, Problem(f).solve_many([2.0], {"a": a}).x)
        assert results.success.all()


@pytest.mark.parametrize("scale", [1e5, 1e12, 1e30])
def test_a_scale_far_too_large_makes_no_success(scale):
    problem = Problem(
        lambda x, a: np.stack([x[0] - 1e10, x[1] ** 2 - a]), params={"a": 2.0}, scale=scale
    )
    values = np.array([2.0, 3.0, 5.0, -1.0])
    found = problem.solve_many(np.array([1e10, 1.0]), {"a": values})
    assert found.success.tolist() == [True, True, True, False]
    assert found.x[:3, 1] == pytest.approx(np.sqrt(values[:3]), rel=1e-9)


def test_unknowns_that_are_flat_at_the_start_are_no_success():
    problem = Problem(
        lambda x, a: np.stack([1.0 - np.tanh(x[0]), x[1] ** 2 - a, x[2] - a]), params={"a": 2.0}
    )
    found = problem.solve_many(np.array([30.0, 1.0, 0.5]), {"a": np.array([2.0, 3.0, 5.0])})
    assert not found.success.any()


def logistic(d):
    """It tends to zero; its derivative stays visible where rounding hides it."""
    return 1.0 - 1.0 / (1.0 + np.exp(-d))


FLAT = {
    "alone": (lambda x, a: [logistic(x[0]), x[1] ** 2 + x[1] - a], [40.0, 3.0]),
    "tied": (lambda x, a: [x[0] - x[1], logistic(x[0]), x[2] ** 2 - a], [60.0, 40.0, 3.0]),
    "moved": (
        lambda x, a: [x[0] + x[1] - 5.0 * a, logistic(x[0] - x[1]), x[2] ** 2 - a],
        [100.0, 40.0, 3.0],
    ),
    "small difference": (
        lambda x, a: [x[0] + x[1] - 1960.0, logistic(x[0] - x[1]), x[2] ** 2 - a],
        [1100.0, 1060.0, 3.0],
    ),
}


@pytest.mark.parametrize("solver", [solvers.Newton(), solvers.DampedNewton()])
@pytest.mark.parametrize("name", FLAT)
def test_equations_that_are_flat_from_the_start_are_no_success(name, solver):
    residual, start = FLAT[name]
    problem = Problem(lambda x, a: ad.stack(residual(x, a)), params={"a": 2.0})
    found = problem.solve_many(np.array(start), {"a": np.array([2.0, 3.0, 5.0])}, solver)
    assert not found.success.any()


def test_equations_between_two_unknowns_that_hold_from_the_start_are_not_flat():
    def residual(x, a):
        return ad.stack([x[0] + np.exp(-x[1]) - 1.0, x[1] - x[2], x[2] ** 3 - a])

    problem = Problem(residual, params={"a": 64000.0})
    values = np.array([59319.0, 64000.0, 68921.0])
    found = problem.solve_many(np.array([0.9, 39.9, 39.9]), {"a": values}, solvers.Newton())
    assert found.success.all()
    np.testing.assert_allclose(found.x[:, 1], [39.0, 40.0, 41.0], rtol=1e-12)


def banded(u, q, c):
    """A band of three diagonals; there is no solution for large c."""
    full = ad.hstack([np.zeros(1), u, np.zeros(1)])
    n = len(u) + 1
    return (full[2:] - 2.0 * u + full[:-2]) * n**2 + c * np.exp(u) - q * u**3


FAMILY = {"q": np.linspace(0.0, 2.0, 21), "c": np.tile([0.5, 3.0, 1e-9, 2.0, 1.5, 1.0, 3.2], 3)}
FAMILY["c"][18] = 5.0


@pytest.fixture
def rounds(at_once, monkeypatch):
    """Return the members that were solved in rounds."""
    found, solutions = [], ShortFamily.solutions

    def noted(*args):
        for m, solution in solutions(*args):
            found.append(m)
            yield m, solution

    monkeypatch.setattr(ShortFamily, "solutions", noted)
    monkeypatch.setattr(family_results, "FEWEST_IN_ROUNDS", 2)
    monkeypatch.setattr(family_results, "COMPILED", 0)
    return found


@needs_llvmlite
@pytest.mark.parametrize("solver", [solvers.Newton(), None, *slow(solvers.DampedNewton())])
def test_members_in_rounds_are_those_of_solves_alone(rounds, solver):
    """The equilibration factors are those of an earlier matrix: rounding may differ."""
    problem = Problem(banded, params={"q": 0.0, "c": 1.0}, compiled=True)
    start = np.full(150, 0.2)
    with np.errstate(all="ignore"):  # where there is no solution
        results = problem.solve_many(start, FAMILY, solver)
        alone = singles(problem, [start] * 21, FAMILY, solver)
    assert_same(results, alone)
    assert len(rounds) > 12
    for m in rounds:
        np.testing.assert_allclose(results.x[m], alone[m].x, rtol=1e-11, atol=1e-14)
        assert results[m].nit == alone[m].nit
        assert len(results[m].history) == len(alone[m].history)
        assert results[m].stats.n_factor == results[m].nit <= results[m].stats.n_solve
        assert results[m].stats.n_compiled in (results[m].nit, results[m].nit + 1)
        assert results[m].message == alone[m].message


@needs_llvmlite
def test_what_changes_between_members_in_rounds_is_noticed(rounds):
    """A function that is not pure gives no wrong solution, and a warning."""
    table = {"level": 0.0}
    problem = Problem(
        lambda u, q, c: banded(u, q, c) + table["level"], params={"q": 0.0, "c": 1.0}, compiled=True
    )
    with np.errstate(all="ignore"):
        problem.solve_many(np.zeros(150), FAMILY)
    table["level"] = -3.0
    given = {name: values[:3] for name, values in FAMILY.items()}
    with pytest.warns(ImpureFunctionWarning):
        results = problem.solve_many(np.zeros(150), given)
    assert results.success.all()
    for m, x in enumerate(results.x):
        F = banded(x, FAMILY["q"][m], FAMILY["c"][m]) - 3.0
        assert np.abs(F).max() < 1e-9


@needs_llvmlite
def test_kernels_that_call_numpy_for_each_member_take_no_rounds(rounds):
    def called(u, q, c):
        return banded(u, q, c) + 1e-3 * np.nan_to_num(u)

    for f, expected in ((banded, 8), (called, 0)):
        del rounds[:]
        problem = Problem(f, params={"q": 0.0, "c": 1.0}, compiled=True)
        results = problem.solve_many(np.zeros(150), {"c": np.linspace(0.5, 1.5, 8)}, NEWTON)
        assert results.success.all()
        assert len(rounds) == expected


@needs_llvmlite
def test_rounds_end_by_the_deadline(rounds, monkeypatch):
    problem = Problem(banded, params={"q": 0.0, "c": 1.0}, compiled=True)
    with np.errstate(all="ignore"):
        problem.solve_many(np.zeros(150), FAMILY)
    del rounds[:]
    results = problem.solve_many(np.zeros(150), FAMILY, time_limit=1e-9)
    assert not rounds
    assert all(result.status is Status.TIME_LIMIT for result in results)
