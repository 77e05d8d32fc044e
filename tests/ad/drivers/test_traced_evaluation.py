"""Traced evaluations: F and its Jacobian are printed from one graph, bit for bit."""

import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.derivatives.symbols import UntraceableError
from sgsolve.ad.drivers.traced_evaluation import trace_function
from sgsolve.ad.programs.numpy_printer import numpy_function
from sgsolve.errors import DerivativeError
from tests.ad.programs.graph_interpreter import interpret
from tests.ad.random_programs import Program, tolerance

BENCHMARKS = Path(__file__).parents[3] / "benchmarks" / "jacobian"
X = np.linspace(0.1, 2.0, 8)


@pytest.fixture(autouse=True)
def _empty_cache():
    ad.clear_cache()


def guards_hold(graph, x):
    """Whether the way of the evaluation is the one that was traced."""
    before, graph.results = graph.results, [g.node for g in graph.guards]
    with np.errstate(all="ignore"):
        values = interpret(graph, {"x": x})[1]
    graph.results = before
    pairs = zip(values, graph.guards, strict=True)
    return all(np.array_equal(v, g.value, equal_nan=True) for v, g in pairs)


def printed(graph, plan, x, dtype):
    """F and the values of its Jacobian, from the graph as it is printed."""
    vector = plan.new_vector(dtype)
    ends = np.cumsum([0, *(s.length for s in plan.layout.sources)]).tolist()
    views = [vector[b:e] for b, e in itertools.pairwise(ends)]
    _, run = numpy_function(graph)
    with np.errstate(all="ignore"):
        F, *numbers = run({"x": x}, views)
        data = plan.finished(vector, *plan.constant_values(tuple(numbers), dtype), dtype)
    return F, data


def assert_same_bits(a, b):
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.signbit(a.real), np.signbit(b.real))


def workload(key, size):
    before, path = set(sys.modules), sys.path[:]
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import harness
        from peers.sgsolve_peer import Sgsolve

        peer = Sgsolve()
        peer.imports()
        return harness.make_problem(key, size), peer.ops
    finally:
        sys.path[:] = path  # the harness adds folders of its own
        for name in set(sys.modules) - before:  # other folders have a module "report" too
            if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


@pytest.mark.parametrize(
    ("key", "size"),
    [("w1", 12), ("w1dot", 12), ("w3-1d", 40), ("w3-2d", 9), ("w4", 8), ("w5", 8), ("w6", 30)],
)
def test_the_workloads_of_the_benchmarks(key, size):
    problem, ops = workload(key, size)
    first, second = problem.points()

    def f(x):
        return problem.residual(x, ops)

    graph, plan, *_ = trace_function(f, first)
    assert graph.guards or not key.startswith("w3")
    for x in (first, second):
        if not guards_hold(graph, x):
            assert key.startswith("w3")
            graph, plan, *_ = trace_function(f, x)
            assert guards_hold(graph, x)
        F, data = printed(graph, plan, x, np.dtype(float))
        y = f(ad.seed(x))
        assert_same_bits(F, f(x))
        assert_same_bits(F, y.value)
        assert_same_bits(data, y.jacobian.data)


@pytest.mark.parametrize(("key", "size"), [("w4", 8), ("w5", 8), ("w6", 600)])
def test_workloads_agree_with_code_by_hand(key, size):
    problem, ops = workload(key, size)
    problem.hand_setup()
    for x in problem.points():
        F, J = problem.hand_jacobian(x)
        for _ in range(8):
            y = problem.residual(ad.seed(x), ops)
            assert np.abs(y.value - F).max() <= 1e-13 * np.abs(F).max()
            assert np.abs((y.jacobian - J).toarray()).max() <= 1e-13 * np.abs(J.data).max()


@pytest.mark.parametrize(
    "numbers",
    [range(25), pytest.param(range(25, 1500), marks=pytest.mark.slow)],
    ids=["25", "1500"],
)
def test_random_programs(numbers):
    asked = traced = elsewhere = jacobians = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in numbers:
            program = Program(number)
            if program.moving:
                continue
            asked += 1
            try:
                graph, plan, *_ = trace_function(
                    lambda x, p=program: p.run(x)[-1], program.points[0]
                )
            except (UntraceableError, DerivativeError):
                continue
            traced += 1
            for x in program.points:
                if not guards_hold(graph, x):
                    assert x is not program.points[0]
                    continue
                elsewhere += x is program.points[1]
                jacobians += assert_printed_as_evaluated(program, graph, plan, x)
    assert traced >= 0.9 * asked
    assert elsewhere >= 0.3 * asked
    assert jacobians >= 0.8 * asked


def assert_printed_as_evaluated(program, graph, plan, x):
    """Compare F to the bit and J to rounding; return whether J could be compared."""
    y = program.run(ad.seed(x))[-1]
    F, data = printed(graph, plan, x, y._jacobian_dtype())
    assert_same_bits(F, y.value)
    J = y.jacobian
    scale = np.abs(J.data).max(initial=1.0)  # below, terms may cancel
    if not np.isfinite(scale):
        return False
    # Entries that are zero may be part of one pattern and not of the other.
    error = np.abs((plan.layout.pattern.matrix(data) - J).toarray()).max(initial=0.0)
    assert error <= 10 * tolerance(program.run(x), program.constants) * scale
    return True


def test_a_number_that_a_rule_returns_is_not_frozen():
    """The rule of a power returns its exponent as a number, which may depend on x."""

    def f(x):
        return (1.0 + x[:3] ** 2) ** x[3]

    graph, plan, *_ = trace_function(f, X)
    for x in (X, X[::-1].copy(), 3.0 * X):
        F, data = printed(graph, plan, x, np.dtype(float))
        y = f(ad.seed(x))
        assert_same_bits(F, y.value)
        np.testing.assert_allclose(data, y.jacobian.data, rtol=1e-14)


def test_what_python_asks_of_a_value_is_a_guard():
    def f(x):
        if x[0].value > 1.0:
            return x * x
        return x[np.abs(x.value) > 0.5] * 2.0

    graph, plan, *_ = trace_function(f, X)
    assert len(graph.guards) == 2
    assert guards_hold(graph, X)
    assert guards_hold(graph, 0.99 * X) == bool(((np.abs(0.99 * X) > 0.5) == (X > 0.5)).all())
    assert not guards_hold(graph, X + 1.0)
    F, data = printed(graph, plan, X, np.dtype(float))
    assert_same_bits(F, f(ad.seed(X)).value)
    assert_same_bits(data, f(ad.seed(X)).jacobian.data)
    (guard,) = trace_function(f, X + 1.0)[0].guards
    assert guard.value


def test_a_selection_by_value_is_no_guard():
    graph, plan, *_ = trace_function(lambda x: np.where(x > 1.0, np.log(x), x * x), X)
    assert not graph.guards
    for x in (X, 2.0 - X, X[::-1].copy()):
        with np.errstate(all="ignore"):
            F, data = printed(graph, plan, x, np.dtype(float))
            assert_same_bits(F, np.where(x > 1.0, np.log(x), x * x))
            assert_same_bits(data, np.where(x > 1.0, 1.0 / x, 2.0 * x))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * np.asarray(x.value),
        lambda x: x + np.array([x.value, x.value])[0],
        lambda x: np.ones(8),
        lambda x: np.add(x.value, 1.0, out=np.empty(8)) * x,
    ],
    ids=["asarray", "array of a list", "no derivative", "out"],
)
def test_what_would_hide_operations_cannot_be_traced(f):
    with pytest.raises(UntraceableError):
        trace_function(f, X)


def test_writing_into_values_cannot_be_traced():
    def f(x):
        v = x.value
        v[0] = 3.0
        return x * v

    with pytest.raises(UntraceableError):
        trace_function(f, X)


def test_values_and_coefficients_share_the_nodes_of_one_graph():
    graph = trace_function(lambda x: np.exp(x) * 2.0 + np.sin(x), X).graph
    computed = [o.function for o in graph.operations if o.function in (np.exp, np.sin)]
    assert computed == [np.exp, np.sin]
    exponential = next(o for o in graph.operations if o.function is np.exp)
    users = [o for o in graph.operations if exponential in o.nodes()]
    assert len(users) >= 2  # exp(x) is a value of f and the slope of exp
    assert all(o.shape == (8,) and o.dtype == float for o in graph.operations)
