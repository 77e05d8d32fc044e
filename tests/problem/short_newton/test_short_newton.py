"""Short solves in machine code: the same results as Newton's method, and nothing else."""

import pickle
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import (
    DomainError,
    PartialBranchWarning,
    Pattern,
    Problem,
    SolveInterrupted,
    Status,
    ad,
    solvers,
)
from sgsolve.ad.kernels import machine
from sgsolve.linear import Banded, LinearSolver
from sgsolve.problem.equations.compiled_functions import CompiledFunctions
from sgsolve.problem.short_newton import (
    band_loops,
    damping_loops,
    short_newton,
    short_solve,
    start_loops,
    step_loops,
)
from sgsolve.problem.sweeps import path_family
from tests.ad.kernels.compiled_help import needs_llvmlite
from tests.problems import CASES
from tests.selection import slow

pytestmark = needs_llvmlite
NEWTON = solvers.Newton(max_iterations=30)
DAMPED = solvers.DampedNewton(max_iterations=30)
METHODS = {"full steps": NEWTON, "damped": DAMPED, "default": None}
LOOPS = (
    start_loops.started,
    damping_loops.stepped,
    damping_loops.accepted,
    step_loops.arrived,
    step_loops.continued,
    step_loops.answered,
    step_loops.fixed,
    step_loops.vanished,
    band_loops.factorized_band,
    band_loops.solved_band,
)
FULL = np.array([[4, 1, 0, 1], [1, 5, 2, 0], [0, 2, 6, 1], [1, 0, 1, 3]], dtype=float)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(CompiledFunctions, "at_once", True)


class Counted:
    """Counts short solves, and can do without them."""

    def __init__(self, monkeypatch):
        self.served, self.asked, self.off = 0, 0, False
        original = short_solve.short_result

        def short_result(*arguments):
            self.asked += 1
            found = None if self.off else original(*arguments)
            self.served += found is not None
            return found

        monkeypatch.setattr("sgsolve.problem.solves.solve.short_result", short_result)

    def compared(self, problem, x, solver=NEWTON):
        """Solve with and without, and compare the results field by field."""
        self.off = True
        problem.solve(x, solver, raise_on_failure=False)  # finds the pattern, makes the kernels
        long = problem.solve(x, solver, raise_on_failure=False)
        self.off, before = False, self.served
        short = problem.solve(x, solver, raise_on_failure=False)
        if self.served > before:
            assert_same_results(short, long)
        # otherwise the factors of equilibration may be others than before
        assert short.success == long.success
        return short, self.served > before


@pytest.fixture
def counted(monkeypatch):
    return Counted(monkeypatch)


def assert_same_arrays(short, long):
    """Compare bits; where the loops factorize a band, which LAPACK does too, up to rounding."""
    for name in ("x", "residual", "scaled_residual", "sizes"):
        found, expected = getattr(short, name), getattr(long, name)
        if short.stats.backend == "banded":
            atol = 1e-12 * np.abs(long.x if name == "x" else long.sizes).max()
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=name)


def assert_same_results(short, long):
    rounded = short.stats.backend == "banded"
    assert (short.status, short.solver, short.message) == (long.status, long.solver, long.message)
    assert short.stages == long.stages
    assert_same_arrays(short, long)
    for name in ("nit", "njev", "n_analyze", "n_factor", "n_solve", "backend"):
        assert getattr(short.stats, name) == getattr(long.stats, name), name
    for name in ("nfev", "n_compiled"):
        # rounding decides whether one residual more is computed to examine the solution
        assert abs(getattr(short.stats, name) - getattr(long.stats, name)) <= 1, name
    assert list(short.stats.seconds) == list(long.stats.seconds)
    assert len(short.history) == len(long.history)
    for a, b in zip(short.history, long.history, strict=True):
        for name in ("iteration", "damping", "trials", "fresh", "note"):
            np.testing.assert_equal(getattr(a, name), getattr(b, name), err_msg=name)
        if rounded:
            np.testing.assert_allclose(a.scaled, b.scaled, rtol=1e-6, atol=1e-12)
            continue
        for name in ("residual", "scaled", "step", "order"):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-12)
        np.testing.assert_allclose(a.backward_error, b.backward_error, rtol=1e-3, atol=1e-15)
        assert a.residuals == b.residuals
        assert a.steps == b.steps


def network(x, q):
    return FULL @ x + x * x * x - q


def chain(n):
    h2 = 1.0 / (n + 1) ** 2
    laplacian = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n)).tocsr()
    return lambda u, q: laplacian @ u + h2 * (np.exp(u) - q)


def scalars(x, q):
    a, b, c, d = x
    return ad.stack([a + 0.1 * b * d - q, b + 0.2 * a * c - 1.0, c + 0.1 * d - 1.0, d * d + b - q])


def two_fields(n):
    """Two fields on a chain, one behind the other, with boundary rows: a band when reordered."""

    def residual(x, q):
        u, v = x[:n], x[n:]
        inner = u[2:] - 2.0 * u[1:-1] + u[:-2] - 1e-3 * np.exp(v[1:-1])
        other = v[2:] - 2.0 * v[1:-1] + v[:-2] - 1e-3 * u[1:-1] * v[1:-1]
        f = ad.hstack([u[:1] - q, inner, u[-1:] - 1.0])
        g = ad.hstack([v[:1] - 1.0, other, v[-1:] - q])
        return ad.hstack([f, g])

    return residual


EXAMPLES = {
    "network": (network, np.full(4, 0.5)),
    "scalars": (scalars, np.full(4, 0.5)),
    "chain 40": (chain(40), np.full(40, 0.5)),
    "chain from zero": (chain(60), np.zeros(60)),
    "chain 400": (chain(400), np.full(400, 0.5)),
    "two fields": (two_fields(30), np.full(60, 0.7)),
    "linear": (lambda x, q: FULL @ x - q, np.full(4, 0.5)),
    "floors": (lambda x, q: ad.hstack([x[:1] - 1e8 * q, x[1:] ** 3 + x[1:] - 8.0]), np.ones(3)),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_results_are_those_of_the_solver(counted, name, method):
    residual, start = EXAMPLES[name]
    problem, solver = Problem(residual, params={"q": 1.5}, compiled=True), METHODS[method]
    served = [counted.compared(problem.at(q=q), start, solver)[1] for q in (1.5, 2.0, 1.7, 3.1)]
    assert any(served) or name == "linear"  # one step is long: the solver looks at it


DECLARED = {
    "blocks": (lambda n: {"blocks": {"a": slice(0, n // 2), "b": slice(n // 2, n)}}, 3),
    "mixed blocks": (lambda n: {"blocks": {"odd": np.arange(1, n, 2)}}, 3),
    "a scale that fits": (lambda n: {"scale": 1.0}, 3),
    "a large scale": (lambda n: {"scale": 30.0}, 1),
    "small scales": (lambda n: {"scale": np.geomspace(1e-8, 1e-3, n)}, 3),
    "both": (
        lambda n: {"blocks": {"a": n // 2, "b": n - n // 2}, "scale": {"a": 2.0, "b": 0.1}},
        3,
    ),
}
OF_SCALE = solvers.ResidualTolerance(1e-10, of_scale=True) & (
    solvers.ErrorTolerance(1e-13) | solvers.RoundingLevel(4.0, of_scale=True)
)
ACCURATE = {
    "full steps": NEWTON,
    "damped": DAMPED,
    "full steps, of scale": solvers.Newton(termination=OF_SCALE),
    "damped, of scale": solvers.DampedNewton(termination=OF_SCALE),
}


@pytest.mark.parametrize("method", ACCURATE)
@pytest.mark.parametrize("declared", ["both", *slow(*list(DECLARED)[:-1])])
def test_blocks_scales_and_criteria_give_the_results_of_the_solver(counted, declared, method):
    """Sizes differ between blocks, and the scale decides what is small."""
    declare, least = DECLARED[declared]
    served = []
    for name in ("network", "two fields"):
        residual, start = EXAMPLES[name]
        for factor in (1.0, 1e-9):  # also where most unknowns are far below their scale

            def scaled(x, q, f=residual, k=factor):
                return f(x / k, q)

            problem = Problem(scaled, params={"q": 1.5}, compiled=True, **declare(len(start)))
            for q in (1.5, 2.0):
                found = counted.compared(problem.at(q=q), factor * start, ACCURATE[method])
                served.append(found[1])
    assert sum(served) >= least


@pytest.mark.parametrize("declared", ["both", *slow(*list(DECLARED)[:-1])])
@pytest.mark.parametrize("name", ["a chain", "one of two", "beside a large one"])
def test_unknowns_of_blocks_and_scales_converge_to_zero(counted, name, declared):
    residual, start = VANISHING[name]
    declare, _ = DECLARED[declared]
    problem = Problem(residual, compiled=True, **declare(len(start)))
    for method in ACCURATE.values():
        for _ in range(2):
            counted.compared(problem, np.array(start), method)


def test_the_points_of_a_sweep_are_those_of_the_solver(monkeypatch):
    """With kernels, blocks, a scale and tangents; and once more where a watcher looks on."""
    residual, start = EXAMPLES["two fields"]
    declared = {"blocks": {"u": 30, "v": 30}, "scale": 1.0}
    problem = Problem(residual, params={"q": 1.5}, compiled=True, **declared)
    values, served, original = np.linspace(1.0, 2.0, 9), [], path_family.short_result

    def short_result(*arguments):
        found = original(*arguments)
        served.append(found is not None)
        return found

    monkeypatch.setattr(path_family, "short_result", lambda *arguments: None)
    for _ in range(2):  # makes the kernels, then with them
        expected = problem.sweep(start, "q", values, solver=DAMPED)
    monkeypatch.setattr(path_family, "short_result", short_result)
    found = problem.sweep(start, "q", values, solver=DAMPED)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-12)
    for name in ("nit", "njev", "n_factor", "n_solve"):
        assert getattr(found.stats, name) == getattr(expected.stats, name), name
    assert sum(served) >= 7
    assert found.stats.seconds["factor"] > 0.0
    served.clear()
    watched = problem.sweep(start, "q", values, solver=DAMPED, time_limit=60.0)
    np.testing.assert_array_equal(watched.x, expected.x)
    assert not served


@pytest.mark.parametrize(("solver", "share"), [(NEWTON, 0.4), *slow((DAMPED, 0.2))])
def test_all_reference_problems_from_many_starts(counted, solver, share):
    served = converged = 0
    for case in CASES:
        problem, random = Problem(case.residual, compiled=True), np.random.default_rng(case.number)
        for factor in (1.0, 0.5, 1.5):
            start = case.start * factor * random.uniform(0.8, 1.2, len(case.start))
            result, short = counted.compared(problem, start, solver)
            served, converged = served + short, converged + (result.status is Status.CONVERGED)
    assert served >= share * converged


def grounded(x, q):
    """One unknown stays at zero, one equation holds from the start, one closes in a step."""
    return ad.stack([x[0] - 0.0, x[1] - 1.0, x[2] - q, x[3] ** 3 + x[3] - x[2] - x[1] + x[0]])


GROUNDED = ([0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 2.0, 0.9], [0.0, 3.0, 2.0, 0.9], [0.0, 0.0, 0.0, 0.0])


def test_equations_that_hold_at_the_start_or_close_in_a_step(counted):
    problem = Problem(grounded, params={"q": 2.0}, compiled=True)
    served = [counted.compared(problem, np.array(start))[1] for start in GROUNDED]
    assert any(served)


def test_what_is_flat_from_the_start_is_examined_as_by_the_solver(counted):
    """The exponential is zero to rounding where it starts; another equation converges."""
    problem = Problem(lambda x: ad.stack([np.exp(-(x[0] ** 2)), x[1] ** 3 - 8.0]), compiled=True)
    result, served = counted.compared(problem, np.array([40.0, 1.7]))
    assert not result.success
    assert not served


def test_an_unknown_without_terms_is_examined_as_by_the_solver(counted):
    """The first unknown is a rounding error of zero; a limit at infinity could look the same."""
    (case,) = (case for case in CASES if case.name == "Dennis and Schnabel")
    problem = Problem(case.residual, compiled=True)
    result, short = counted.compared(problem, np.array([0.51154891, 2.36807994]))
    assert short
    np.testing.assert_allclose(result.x, [0.0, 3.0], atol=1e-12)
    result, short = counted.compared(problem, np.array([0.3, 2.9]))
    np.testing.assert_allclose(result.x, [0.0, 3.0], atol=1e-12)


def test_steps_to_a_triple_root_are_left_to_the_solver(counted):
    problem = Problem(lambda x: (x - np.array([1.0, 2.0])) ** 3, compiled=True)
    result, short = counted.compared(problem, np.array([3.0, 5.0]))
    assert not short
    assert "extrapolated to a multiple root" in str(result.history)
    np.testing.assert_allclose(result.x, [1.0, 2.0], atol=1e-4)


def test_what_another_equation_moves_along_a_flat_one_is_examined_as_by_the_solver(counted):
    """The logistic function hides to rounding at the start and at the end, its slope does not."""

    def residual(x):
        hidden = 1.0 - 1.0 / (1.0 + np.exp(x[1] - x[0]))
        return ad.stack([x[0] + x[1] + 0.01 * x[0] * x[1] - 5.0, hidden])

    problem = Problem(residual, compiled=True)
    for start in ([100.0, 40.0], [60.0, 2.0], [1e3, 5.0]):
        result, served = counted.compared(problem, np.array(start))
        assert not result.success
        assert not served


VANISHING = {
    "a chain": (lambda u: chain(60)(u, 1.0), np.full(60, 0.5)),
    "a full matrix": (lambda x: FULL @ x + x**3, np.array([0.1, -0.2, 0.3, 0.1])),
    "one of two": (lambda x: ad.stack([x[0] + x[0] ** 2 * x[1], x[1] ** 3 - 8.0]), [0.1, 1.9]),
    "by a product": (lambda x: ad.stack([np.sinh(x[0]) * x[1], x[1] - 1.0]), [0.2, 1.1]),
    "beside a large one": (lambda x: ad.stack([np.expm1(x[0]), x[1] ** 2 - 1e12]), [0.1, 9.9e5]),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", VANISHING)
def test_unknowns_that_converge_to_zero_are_set_to_zero(counted, name, method):
    residual, start = VANISHING[name]
    problem = Problem(residual, compiled=True)
    results = [counted.compared(problem, np.array(start), METHODS[method]) for _ in range(2)]
    assert results[-1][0].x[0] == 0.0
    assert any(served for _, served in results)


NOT_VANISHING = {
    "linear convergence": (lambda x: x**2 * (1.0 + x), [0.5]),
    "a residual that is not zero there": (lambda x: x + x**3 - 1e-30, [0.5]),
    "a tail that is zero at zero": (lambda x: x * np.exp(-1.0 / x**2) if x.all() else x, [0.4]),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NOT_VANISHING)
def test_what_tends_to_zero_in_another_way_is_decided_as_by_the_solver(counted, name, method):
    residual, start = NOT_VANISHING[name]
    counted.compared(Problem(residual, compiled=True), np.array(start), METHODS[method])


def test_an_unknown_that_is_only_tied_to_another_one_is_solved_shortly(counted):
    def residual(x):
        return ad.stack([x[0] + np.exp(-x[1]) - 1.0, x[1] - x[2], x[2] ** 3 - 64000.0])

    problem = Problem(residual, compiled=True)
    for start in ([0.9, 30.0, 30.0], [0.9, 39.9, 39.9], [1.5, 45.0, 45.0]):
        result, served = counted.compared(problem, np.array(start))
        assert result.success
        assert served


NO_ROOTS = {
    "tanh": (lambda x: np.tanh(x) - 1.0, [0.5, 3.0, 12.0]),
    "gauss": (lambda x: np.exp(-(x**2)), [0.3, 1.0, 5.0]),
    "no root": (lambda x: x * x + 1.0, [0.5, 3.0]),
    "exponential": (lambda x: np.exp(-x), [0.0, 1.0, 30.0]),
    "rational": (lambda x: 1.0 / (1.0 + x * x), [0.5, 100.0]),
    "rounding": (lambda x: (x + 1e17) - 1e17 + 1.0, [0.5]),
}


@pytest.mark.parametrize("name", NO_ROOTS)
def test_nothing_without_a_root_is_a_success(counted, name):
    residual, starts = NO_ROOTS[name]
    problem = Problem(lambda x: ad.hstack([residual(x[:1]), x[1:] ** 2 - 4.0]), compiled=True)
    for start in starts:
        expected = Problem(residual).solve([start], NEWTON, raise_on_failure=False)
        result, _ = counted.compared(problem, np.array([start, 1.7]))
        assert result.success == expected.success


def test_a_random_network_of_exponentials(counted):
    """Steep equations, starts far away: whatever happens, it is what the solver does."""
    random = np.random.default_rng(3)
    for _ in range(40):
        n = int(random.integers(2, 8))
        A = random.standard_normal((n, n)) + np.diag(np.full(n, 1.0))
        c = random.standard_normal(n)
        problem = Problem(lambda x, A=A, c=c: A @ x + 0.1 * np.exp(2.0 * x) - c, compiled=True)
        counted.compared(problem, random.uniform(-3.0, 3.0, n))
    assert counted.served > 5


def overflowing(x):
    return ad.stack([np.exp(x[0]) - 1e300, x[1] - 1.0])


ENDINGS = [
    *((f, [start]) for f, start in VANISHING.values()),
    *((f, [start]) for f, start in NOT_VANISHING.values()),
    *(
        (lambda x, f=f: ad.hstack([f(x[:1]), x[1:] ** 2 - 4.0]), [[k, 1.7] for k in starts])
        for f, starts in NO_ROOTS.values()
    ),
    *(
        (lambda x, f=f: f(x, 1.5), [start, start + 0.1, 0.0 * start])
        for f, start in EXAMPLES.values()
        if len(start) < 10
    ),
    (lambda x: grounded(x, 2.0), GROUNDED),
    (lambda x: (x - np.array([1.0, 2.0])) ** 3, [[3.0, 5.0], [1.0, 3.0]]),
    (overflowing, [[1.0, 1.0], [700.0, 0.0], [690.0, 0.0]]),
]


def loops_in_python(monkeypatch):
    class Interpreted:
        def __init__(self, *functions):
            self.functions = functions

        def bound(self, struct):
            taking = [
                f for f in self.functions if type(struct).__name__ in f.__annotations__.values()
            ]
            return [lambda f=f: f(struct) for f in taking]

    monkeypatch.setattr(short_newton, "LOOPS", Interpreted(*LOOPS))


@pytest.mark.parametrize("solver", [NEWTON, DAMPED])
@pytest.mark.parametrize("name", ["network", "scalars", "chain 40", "two fields", "floors"])
def test_the_loops_do_the_same_in_python(counted, monkeypatch, name, solver):
    residual, start = EXAMPLES[name]
    values = (1.6, 2.0, 2.9)
    problem = Problem(residual, params={"q": 2.0}, compiled=True)
    compiled = [counted.compared(problem.at(q=q), start, solver) for q in values]
    loops_in_python(monkeypatch)
    problem = Problem(residual, params={"q": 2.0}, compiled=True)
    for q, (expected, served) in zip(values, compiled, strict=True):
        interpreted, served_too = counted.compared(problem.at(q=q), start, solver)
        if served and served_too:
            assert_same_results(interpreted, expected)
    assert counted.served >= 2


def test_what_is_watched_or_limited_goes_the_long_way(counted):
    problem = Problem(scalars, params={"q": 1.5}, compiled=True)
    start = np.full(4, 0.5)
    assert any(counted.compared(problem.at(q=q), start)[1] for q in (1.5, 1.7, 2.0, 2.3))
    served, points = counted.served, []
    problem.solve(start, NEWTON, callback=lambda it: points.append(it.x))
    problem.solve(start, NEWTON, time_limit=60.0)
    problem.solve(start, solvers.Newton(limits=solvers.MaxChange(10.0)))
    problem.solve(start, solvers.Newton(termination=solvers.ResidualTolerance(1e-3)))
    absolute = solvers.ResidualTolerance(absolute=1e-9)
    either = solvers.ErrorTolerance() | solvers.RoundingLevel()
    problem.solve(start, solvers.Newton(termination=absolute & either))
    problem.solve(start, solvers.Newton(reuse=solvers.Shamanskii(2)))
    problem.solve(start, solvers.DampedNewton(damping=solvers.NaturalMonotonicity(first=0.5)))
    problem.solve(start, solvers.DampedNewton(reuse=solvers.CostBasedReuse(smallest=2)))
    problem.solve(start, solvers.LineSearchNewton())
    problem.solve(start, solvers.Robust(limits=(solvers.MaxChange(10.0),)))
    assert counted.served == served
    assert len(points) > 3


class OwnDamping(solvers.FullStep):
    """A subclass that only notes what it is asked to do."""

    def advance(self, it):
        it.notes.append("own part")
        return super().advance(it)


class OwnDirection(solvers.NewtonDirection):
    def compute(self, it):
        it.notes.append("own part")
        return super().compute(it)


class OwnReuse(solvers.NoReuse):
    def keep(self, it):
        it.notes.append("own part")
        return super().keep(it)


class OwnLoop(solvers.Newton):
    def run(self, system, workspace, x, F, monitor):
        outcome = super().run(system, workspace, x, F, monitor)
        outcome.name = "own part"
        return outcome


@pytest.mark.parametrize(
    "own",
    [
        solvers.NewtonMethod(damping=OwnDamping()),
        solvers.NewtonMethod(direction=OwnDirection()),
        solvers.NewtonMethod(reuse=OwnReuse()),
        OwnLoop(),
    ],
    ids=["damping", "direction", "reuse", "loop"],
)
def test_subclasses_of_parts_are_called(counted, own):
    problem = Problem(scalars, params={"q": 1.5}, compiled=True)
    start = np.full(4, 0.5)
    for solver in (own, solvers.Robust(stages=(solvers.Stage(own),))):
        results = [problem.at(q=q).solve(start, solver) for q in (1.5, 1.7, 2.0, 2.3)]
        assert all("own part" in f"{r.solver} {r.history}" for r in results)
    assert counted.asked == 8
    assert counted.served == 0


class DeclaredReuse:
    """A part of its own kind that declares what short solves need."""

    def keep(self, it):
        return False

    def renews(self, n, cost):
        return n < 100


def test_a_part_is_served_by_what_it_declares(counted):
    problem = Problem(scalars, params={"q": 1.5}, compiled=True)
    own = solvers.NewtonMethod(reuse=DeclaredReuse())
    found = [counted.compared(problem.at(q=q), np.full(4, 0.5), own) for q in (1.5, 1.7, 2.0)]
    assert any(served for _, served in found)
    assert own.full_step_test(99) is solvers.steps.damping.FullStepTest.FINITE
    assert own.full_step_test(100) is None


def test_the_limit_of_iterations_holds(counted):
    problem = Problem(scalars, params={"q": 1.5}, compiled=True)
    start = np.full(4, 0.5)
    needed = counted.compared(problem, start)[0].nit
    enough, _ = counted.compared(problem, start, solvers.Newton(max_iterations=needed))
    few, served = counted.compared(problem, start, solvers.Newton(max_iterations=needed - 1))
    assert enough.success
    assert few.status is Status.MAX_ITERATIONS
    assert not served


def test_few_and_many_unknowns_in_turn(counted):
    """The matrix is full for few unknowns, and a band for many; both use the same loops."""
    problems = [Problem(chain(n), params={"q": 1.5}, compiled=True) for n in (8, 400)]
    for _ in range(5):
        for problem, n in zip(problems, (8, 400), strict=True):
            counted.compared(problem, np.full(n, 0.5))
    assert counted.served >= 8


def test_loops_follow_the_memory_of_the_back_end(counted):
    """Another analysis of the pattern gives the matrix other memory."""
    problem = Problem(chain(8), params={"q": 1.5}, compiled=True)
    start = np.full(8, 0.5)
    for _ in range(3):
        counted.compared(problem, start)
        (workspace,) = problem._definition.workspaces._idle
        parts = workspace.solver(problem.sparsity(start)).direct_parts(problem.sparsity(start))
        parts.backend.analyze(parts.prepared.A)
        parts.backend.factorize(parts.prepared.A)
    before = counted.served
    assert problem.solve(start, NEWTON).success
    assert counted.served == before + 1


BANDS = {
    "a device": (3, [-4, -3, -1, 0, 1, 2, 4]),
    "three diagonals": (2, [-1, 0, 1]),
    "one side": (0, [-2, -1, 0]),
    "wide": (1, [*range(-9, 8)]),
    "few": (0, [-1, 0, 3]),
}


@pytest.mark.parametrize("name", BANDS)
def test_factors_of_a_band_with_exchanged_rows(name):
    """Against a full matrix; LAPACK solves with the same factors afterwards."""
    seed, offsets = BANDS[name]
    random, n = np.random.default_rng(seed), 50
    A = sp.diags_array(
        [random.standard_normal(n) for _ in offsets], offsets=offsets, shape=(n, n)
    ).tocsr()
    A.setdiag(0.1 * random.standard_normal(n))
    order = random.permutation(n)
    A, b = sp.csr_array(A[order][:, order]), random.standard_normal(n)
    A.sort_indices()
    solver = LinearSolver(Pattern.of(A), Banded())
    solver.factorize(A)
    prepared, backend = solver.direct_parts(solver.pattern)
    it = SimpleNamespace(n=n, nnz=A.nnz, A=prepared.values, b=b, y=0.0 * b)
    system = short_newton.band_system(it, short_newton.narrow_band(backend))
    loops = short_newton.CompiledLoops(band_loops.factorized_band, band_loops.solved_band)
    bound = loops.bound(system)
    assert [run() for run in bound] == [short_newton.STEP] * 2
    expected = np.linalg.solve(prepared.A.toarray(), b)
    np.testing.assert_allclose(system.y, expected, rtol=1e-9)
    backend.take_factors(system.exchanges)
    assert (backend._band.swaps > 0) == (name != "one side")  # that is a triangle
    np.testing.assert_allclose(backend.solve(b.copy(), False), expected, rtol=1e-9)
    transposed = np.linalg.solve(prepared.A.toarray().T, b)
    np.testing.assert_allclose(backend.solve(b.copy(), True), transposed, rtol=1e-9)
    sign, log = np.linalg.slogdet(prepared.A.toarray())
    np.testing.assert_allclose(backend.slogdet(), (sign, log), rtol=1e-9)
    prepared.values[...] *= A.indices != order.argmin()  # a column of zeros
    assert bound[0]() == short_newton.LEAVE


def test_vain_attempts_become_rare(counted, monkeypatch):
    """Solves that always take more are tried seldom, and others are served again after them."""
    tried = []
    solve = short_newton.ShortNewton.solve
    monkeypatch.setattr(
        short_newton.ShortNewton, "solve", lambda *args: tried.append(1) or solve(*args)
    )
    problem = Problem(lambda x, q: x * x - q, params={"q": 0.0}, compiled=True)
    for _ in range(40):
        problem.solve([1.0, 2.0], NEWTON, raise_on_failure=False)
    assert counted.served == 0
    assert 3 <= len(tried) <= 6
    roots = [problem.at(q=4.0).solve([1.0, 3.0], NEWTON).x for _ in range(80)]
    assert counted.served > 10
    np.testing.assert_allclose(roots, 2.0, rtol=1e-12)


@pytest.mark.parametrize("stored", [False, True])
def test_the_loops_are_made_when_that_pays(counted, monkeypatch, stored):
    monkeypatch.setattr(short_solve, "LOOPS", short_newton.CompiledLoops(*LOOPS))
    monkeypatch.setattr(short_solve, "LOADED", 3)
    monkeypatch.setattr(short_solve, "COMPILED", 5)
    monkeypatch.setattr(machine, "is_known", lambda text: stored)
    problem = Problem(chain(40), params={"q": 1.5}, compiled=True)
    problem.solve(np.full(40, 0.5), NEWTON)  # makes the kernels at once
    monkeypatch.setattr(CompiledFunctions, "at_once", False)
    served = []
    for _ in range(9):
        before = counted.served
        problem.solve(np.full(40, 0.5), NEWTON)
        served.append(counted.served > before)
    first = 2 if stored else 4
    assert served[:first] == [False] * first
    assert served[first + 2 :] == [True] * (7 - first)


@pytest.mark.parametrize("solver", [NEWTON, None])
def test_equations_that_hold_exactly_are_asked_once(counted, solver):
    """One evaluation next to the solution shows them regular; linear ones are not asked again."""
    problem = Problem(grounded, params={"q": 2.0}, compiled=True)
    start = np.array([0.0, 3.0, 0.5, 0.9])
    for q in (2.0, 2.5, 2.0, 2.5):
        problem.at(q=q).solve(start, solver)
    found = [problem.at(q=q).solve(start, solver) for q in (2.125, 2.25, 2.375, 2.5)]
    assert counted.served >= 4
    assert any(r.stats.nfev == r.nit for r in found)  # no evaluation but those of its steps


def test_a_tail_that_rounding_hides_is_no_solution(counted):
    """An equation holds exactly because its unknown ran away: it does not answer."""
    residuals = (lambda z: np.exp(-z), lambda z: 1.0 - np.tanh(z), lambda z: 1.0 / (1.0 + z**2))
    for residual in residuals:
        problem = Problem(
            lambda x, r=residual: ad.hstack([r(x[:1]) * 1e-9, x[1:] ** 2 - 4.0]), compiled=True
        )
        for solver in (NEWTON, DAMPED):
            for first in (0.5, 19.1, 300.0, 800.0):
                result, _ = counted.compared(problem, np.array([first, 2.5]), solver)
                assert not result.success


def test_a_changed_global_is_noticed(counted):
    table = {"level": 2.0}
    problem = Problem(lambda x: x * x * x + np.sin(x) - table["level"], compiled=True)
    start = np.array([0.9, 1.1, 1.3])
    assert counted.compared(problem, start)[1]
    table["level"] = 3.0
    with pytest.warns(UserWarning, match="not a pure function"):
        result = problem.solve(start, NEWTON)
    np.testing.assert_allclose(result.x**3 + np.sin(result.x), 3.0)


def test_a_result_is_independent_of_later_solves(counted):
    problem = Problem(scalars, params={"q": 1.5}, compiled=True)
    start = np.full(4, 0.5)
    pairs = [counted.compared(problem.at(q=q), start) for q in (1.5, 1.7, 2.0, 2.3)]
    first = next(result for result, served in pairs if served)
    x, F, S = first.x.copy(), first.residual.copy(), first.sizes.copy()
    problem.at(q=2.5).solve(start, NEWTON)
    assert np.array_equal(first.x, x)
    assert np.array_equal(first.residual, F)
    assert np.array_equal(first.sizes, S)
    copy = pickle.loads(pickle.dumps(first))
    assert str(copy.history) == str(first.history)
    assert first.jacobian.shape == (4, 4)
    assert len(first.history) == first.nit + 1


def test_threads_share_no_arrays(counted):
    problem = Problem(chain(40), params={"q": 1.0}, compiled=True)
    start, expected, found = np.full(40, 0.5), {}, {}
    for q in np.linspace(1.5, 3.0, 12):
        expected[q] = counted.compared(problem.at(q=q), start)[0].x

    def work(values):
        for q in values:
            found[q] = problem.at(q=q).solve(start, NEWTON).x

    values = list(expected)
    threads = [threading.Thread(target=work, args=(values[k::3],)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for q, x in expected.items():
        np.testing.assert_array_equal(found[q], x)


class TestByNumpy:
    """Short solves without kernels: NumPy evaluates F and J, the loops do everything else."""

    @pytest.fixture(autouse=True)
    def _from_the_first_solve(self, monkeypatch):
        monkeypatch.setattr(short_solve, "LOADED", 0)
        monkeypatch.setattr(short_solve, "COMPILED", 0)

    @pytest.fixture
    def served(self, monkeypatch):
        """Turn short solves off and on; a list with one item for each that served."""
        served, original = [], short_solve.short_result

        def short_result(*arguments):
            found = original(*arguments) if served is not None and not self.off else None
            served.extend([found] if found is not None else [])
            return found

        monkeypatch.setattr("sgsolve.problem.solves.solve.short_result", short_result)
        return served

    def pair(self, problem, x, solver=NEWTON):
        """Solve with the solver itself, and with a short solve where that serves."""
        results = []
        for self.off in (True, True, False):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                results.append(problem.solve(x, solver, raise_on_failure=False))
        return results[1:]

    def assert_same(self, long, short):
        assert (short.status, short.solver, short.message) == (
            long.status,
            long.solver,
            long.message,
        )
        assert_same_arrays(short, long)
        for name in ("nit", "n_analyze", "n_factor", "n_solve", "backend", "n_compiled"):
            assert getattr(short.stats, name) == getattr(long.stats, name), name
        assert str(short.history).splitlines()[0] == str(long.history).splitlines()[0]
        residuals = [[s.residual for s in result.history] for result in (short, long)]
        atol = 1e-12 * long.sizes.max() if short.stats.backend == "banded" else 0.0
        np.testing.assert_allclose(*residuals, rtol=0.0 if atol == 0.0 else 1e-6, atol=atol)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("name", EXAMPLES)
    def test_the_results_are_those_of_the_solver(self, served, name, method):
        residual, start = EXAMPLES[name]
        problem = Problem(residual, params={"q": 1.5})
        for q in (1.5, 2.0, 1.7, 3.1):
            before = len(served)
            long, short = self.pair(problem.at(q=q), start, METHODS[method])
            assert long.success == short.success
            if len(served) > before:
                self.assert_same(long, short)
                assert short.stats.nfev + short.stats.njev <= long.stats.nfev + long.stats.njev
        assert served or name == "linear"

    @pytest.mark.parametrize("method", METHODS)
    def test_a_compiled_problem_has_short_solves_before_its_kernels(
        self, served, monkeypatch, method
    ):
        """It would take several times as long as without `compiled` until then."""
        monkeypatch.setattr(CompiledFunctions, "at_once", False)
        plain, problem = (Problem(network, params={"q": 1.5}, compiled=c) for c in (False, True))
        evaluation = problem._definition.kernels.residual()
        for known in (False, True):
            evaluation.account.at_once = known
            before = len(served)
            for q in (1.5, 2.0, 1.7, 3.1):
                _, short = self.pair(problem.at(q=q), np.full(4, 0.5), METHODS[method])
                assert_same_arrays(
                    short, self.pair(plain.at(q=q), np.full(4, 0.5), METHODS[method])[1]
                )
                assert (short.stats.n_compiled > 0) == known or q == 1.5
                assert known or set(short.stats.not_compiled) == {"no kernel yet"}
            assert len(served) >= before + 7  # of both problems

    @pytest.mark.parametrize("method", ["full steps", "damped"])
    def test_the_loops_decide_the_same_in_python(self, served, monkeypatch, method):
        """Every way to end, by the functions as they are written."""
        loops_in_python(monkeypatch)
        for residual, starts in ENDINGS:
            problem = Problem(residual)
            for start in starts:
                before = len(served)
                long, short = self.pair(problem, np.array(start, dtype=float), METHODS[method])
                assert (long.status, long.nit) == (short.status, short.nit)
                if len(served) > before:
                    self.assert_same(long, short)
        assert len(served) > 10

    def test_the_last_evaluation_is_the_residual_alone(self, served):
        """No step follows a short one, so that no Jacobian is needed after it."""
        problem = Problem(scalars, params={"q": 1.5})
        for solver in METHODS.values():
            found = [self.pair(problem.at(q=q), np.full(4, 0.5), solver)[1] for q in (1.5, 2.3)]
            assert any(r.stats.njev == r.nit and r.stats.nfev >= 1 for r in found)

    @pytest.mark.parametrize("method", METHODS)
    def test_points_outside_of_the_model_are_left_to_the_solver(self, served, method):
        """The step from this start leads out of the model, whatever solved before."""

        def residual(x):
            if ad.value(x).max() > 5.0:
                raise DomainError("too large")
            return x**3 + 0.01 * x - 8.0

        problem = Problem(residual)
        for _ in range(3):
            self.off = False
            assert problem.solve([1.9, 2.3], METHODS[method]).success
        assert served
        found = problem.solve([0.2, 0.3], METHODS[method])
        np.testing.assert_allclose(found.x**3 + 0.01 * found.x, 8.0)
        assert found.history[1].damping < 1.0

    @pytest.mark.slow
    def test_all_reference_problems_from_many_starts(self, served):
        for case in CASES:
            problem, random = Problem(case.residual), np.random.default_rng(case.number)
            for k in range(3):
                start = (
                    case.start if k == 0 else case.start + random.standard_normal(len(case.start))
                )
                long, short = self.pair(problem, start)
                assert long.success == short.success, (case.name, k)
                if long.success:
                    np.testing.assert_allclose(short.x, long.x, rtol=1e-7, atol=1e-9)
        assert len(served) > 10

    def test_what_a_short_solve_does_not_take(self, served):
        """The user's own Jacobian, callbacks, and other solvers."""
        start = np.full(4, 0.5)
        own = Problem(
            lambda x: FULL @ x + x**3 - 1.0, jacobian=lambda x: FULL + np.diag(3.0 * x * x)
        )
        plain = Problem(lambda x: FULL @ x + x**3 - 1.0)
        self.off = False
        for _ in range(3):
            own.solve(start, NEWTON)
            plain.solve(start, solvers.LineSearchNewton())
            plain.solve(start, NEWTON, callback=lambda it: None)
            plain.solve(start, NEWTON, time_limit=60.0)
        assert not served

    @pytest.mark.parametrize("n", [6, 60])
    def test_an_interrupted_solve_keeps_what_was_found_and_leaves_no_factors(self, served, n):
        """Ctrl-C comes while the matrix of the loops is overwritten, and so does an error."""
        errors = []  # of the next evaluations at one value

        def residual(u, q):
            if q == 1.5 and errors and (error := errors.pop()) is not None:
                raise error
            return two_fields(n // 2)(u, q)

        problem = Problem(residual, params={"q": 1.0})
        start, values = np.full(n, 0.7), np.linspace(1.0, 2.0, 5)
        for _ in range(3):
            expected = problem.sweep(start, "q", values, solver=NEWTON)
        self.off, errors[:] = False, [KeyboardInterrupt, None, None]
        with pytest.warns(PartialBranchWarning):
            branch = problem.sweep(start, "q", values, solver=NEWTON)
        assert branch.status is Status.INTERRUPTED
        assert len(branch) == 2
        errors[:] = [KeyboardInterrupt, None, None]
        with pytest.raises(SolveInterrupted):
            problem.at(q=1.5).solve(start, NEWTON)
        errors[:] = [LookupError("of the user"), None, None]
        with pytest.raises(LookupError):
            problem.at(q=1.5).solve(start, NEWTON)
        again = problem.sweep(start, "q", values, solver=NEWTON)
        np.testing.assert_allclose(again.x, expected.x, rtol=1e-9)

    def test_a_pattern_that_grows_is_seen(self, served):
        """Another way through the code has entries outside of the pattern that is known."""

        def residual(x, far):
            coupled = x[::-1] if far else x
            return x**3 + x + 0.3 * coupled - 1.0

        problem = Problem(residual, params={"far": False})
        start = np.linspace(0.4, 0.9, 6)
        self.pair(problem, start)
        expected = Problem(residual, params={"far": True}).solve(start).x
        for _ in range(3):
            self.off = False
            found = problem.at(far=True).solve(start, NEWTON)
            np.testing.assert_allclose(found.x, expected, rtol=1e-12)
        assert len(served) >= 2

    def test_errors_of_the_residual_are_those_of_the_user(self, served):
        def residual(x, fails):
            if fails and ad.value(x)[0] > 1.0:
                raise LookupError("of the user")
            return x**2 - 4.0

        problem = Problem(residual, params={"fails": False})
        self.pair(problem, [1.0, 3.0])
        self.off = False
        with pytest.raises(LookupError, match="of the user"):
            problem.at(fails=True).solve([0.9, 3.0], NEWTON)
        np.testing.assert_allclose(problem.solve([1.0, 3.0], NEWTON).x, 2.0)

    def test_llvmlite_is_looked_for_once(self, served, monkeypatch):
        """A search in vain takes as long as an evaluation."""
        searches = []
        available = short_solve.machine.is_available
        monkeypatch.setattr(
            short_solve.machine, "is_available", lambda: searches.append(1) or available()
        )
        short_solve._can_compile.cache_clear()
        problem = Problem(scalars, params={"q": 1.5})
        self.off = False
        for _ in range(5):
            problem.solve(np.full(4, 0.5), NEWTON)
        assert len(searches) == 1


@pytest.mark.parametrize("solver", [NEWTON, DAMPED])
@pytest.mark.parametrize("n", [10, 60])
def test_values_on_the_boundary(counted, n, solver):
    """They are equations of one unknown, which hold exactly at all points but the start."""

    def residual(x, a):
        inner = (x[2:] - 2.0 * x[1:-1] + x[:-2]) * n**2 + a * np.exp(x[1:-1])
        return ad.hstack([x[:1], inner, x[-1:] - 0.1])

    problem = Problem(residual, params={"a": 1.0}, compiled=True)
    found = [counted.compared(problem.at(a=a), np.zeros(n), solver) for a in (1.0, 1.1, 1.2)]
    for short, served in found:
        assert served
        assert (short.x[0], short.x[-1]) == (0.0, 0.1)
    last = found[-1][0]
    assert last.stats.nfev == last.nit  # no equation is asked again
