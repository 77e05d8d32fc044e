"""Recorded computations and the programs made of them: same Jacobian, and when there is one."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import ad
from sgsolve.ad.derivatives.symbols import Symbol, UntraceableError
from sgsolve.ad.programs import computation as evaluation
from sgsolve.ad.programs import recorded, tape
from sgsolve.ad.programs.program import Program
from sgsolve.ad.programs.tape import Tape
from sgsolve.ad.programs.tracing import Tracer

N = 40
RNG = np.random.default_rng(5)
X = RNG.normal(size=N)
A = sp.random_array((N, N - 1), density=0.1, rng=RNG, format="csr")


@pytest.fixture(autouse=True)
def empty_cache():
    ad.clear_cache()


def flux(x):
    d = x[1:] - x[:-1]
    return ad.branch(
        np.abs(ad.value(d)) < 0.5,
        lambda i: 1.0 - 0.5 * d[i] + d[i] ** 2 / 12.0,
        lambda i: d[i] / np.expm1(d[i]),
    )


def residual(x, dt=0.1):
    b = flux(x)
    f = A @ (b * x[1:] * np.linspace(1.0, 2.0, N - 1)) + x / dt
    return ad.sparsesum([ad.sparsevec(N, np.arange(N), f), ad.sparsevec(N, [0, 3], np.exp(x[:2]))])


def programs(y):
    return [p for c in y._derivative.tape.graph.programs.values() for p in c.programs.values()]


def fresh(f, x):
    """The Jacobian without anything remembered."""
    ad.clear_cache()
    try:
        return f(ad.seed(x)).jacobian.toarray()
    finally:
        ad.clear_cache()


def test_the_program_gives_the_jacobian_of_every_point_on_every_branch():
    points = [X, X + 0.3, 0.01 * X, 5.0 * X, X]
    expected = [fresh(residual, x) for x in points]
    for _ in range(evaluation.COMPILE_AFTER + 3):
        y = residual(ad.seed(X))
        J = y.jacobian
    (program,) = programs(y)
    assert "expm1" not in program.source
    assert program.source.count("\n") < 40
    for x, exact in zip(points, expected, strict=True):
        y = residual(ad.seed(x))
        np.testing.assert_allclose(y.jacobian.toarray(), exact, rtol=1e-14, atol=1e-15)
        if x is not points[2] and x is not points[3]:
            assert y.jacobian.indices is J.indices


def test_a_result_belongs_to_its_own_evaluation():
    for _ in range(evaluation.COMPILE_AFTER + 3):
        residual(ad.seed(X)).jacobian
    first, second = residual(ad.seed(X)), residual(ad.seed(X + 1.0))
    after, before = second.jacobian, first.jacobian
    np.testing.assert_allclose(before.toarray(), fresh(residual, X), rtol=1e-14)
    np.testing.assert_allclose(after.toarray(), fresh(residual, X + 1.0), rtol=1e-14)
    kept = before.toarray()
    residual(ad.seed(X + 2.0)).jacobian
    np.testing.assert_array_equal(before.toarray(), kept)


def test_a_factor_that_changes_each_time_is_carried_out_at_once_and_keeps_nothing():
    made = []
    for k in range(40):
        dt = 1.0 / (k + 1.5)
        y = residual(ad.seed(X), dt)
        J = y.jacobian.toarray()
        made.append(y._derivative.tape.graph.size)
    np.testing.assert_allclose(J, fresh(lambda x: residual(x, dt), X), rtol=1e-14)
    assert made[-1] == made[20]


def test_values_that_decide_structure_are_never_baked_in():
    def f(x):
        chosen = np.flatnonzero(ad.value(x) > 0.0)
        return ad.sparsesum([ad.sparsevec(N, chosen, x[chosen[::-1]] ** 2)])

    for k in range(12):
        x = np.roll(X, k)
        np.testing.assert_array_equal(f(ad.seed(x)).jacobian.toarray(), fresh(f, x))


def test_a_full_tape_goes_on_without(monkeypatch):
    monkeypatch.setattr(tape, "TAPE_BYTES", 0)
    monkeypatch.setattr(tape, "TAPE_VECTORS", 2)
    expected = fresh(residual, X)
    for _ in range(evaluation.COMPILE_AFTER + 3):
        y = residual(ad.seed(X))
        np.testing.assert_allclose(y.jacobian.toarray(), expected, rtol=1e-14)
    assert type(y._derivative) is not recorded.Recorded


def test_chains_of_any_length(monkeypatch):
    monkeypatch.setattr(recorded, "MOST_DEPTH", 50)

    def f(x):
        for _ in range(300):
            x = x - 0.01 * np.sin(x)
        return x

    slope = np.ones(N)
    x = X
    for _ in range(300):
        slope = slope * (1.0 - 0.01 * np.cos(x))
        x = x - 0.01 * np.sin(x)
    for _ in range(evaluation.COMPILE_AFTER + 3):
        np.testing.assert_allclose(f(ad.seed(X)).jacobian.diagonal(), slope, rtol=1e-12)


def test_several_results_of_one_evaluation():
    for _ in range(evaluation.COMPILE_AFTER + 3):
        x = ad.seed(X)
        parts = [residual(x)[k : k + 10] for k in range(0, N, 10)]
        J = np.vstack([p.jacobian.toarray() for p in parts])
    np.testing.assert_allclose(J, fresh(residual, X), rtol=1e-14)


def test_another_dtype_does_not_take_the_program_of_doubles():
    for _ in range(evaluation.COMPILE_AFTER + 3):
        residual(ad.seed(X)).jacobian
    for dtype, tolerance in ((np.longdouble, 1e-17), (np.float32, 1e-4)):
        x = X.astype(dtype)
        J = np.exp(ad.seed(x) * dtype(2)).jacobian
        assert J.dtype == dtype
        np.testing.assert_allclose(J.diagonal(), 2 * np.exp(2 * x), rtol=tolerance)
        for _ in range(evaluation.COMPILE_AFTER + 3):
            J = residual(ad.seed(x)).jacobian
        np.testing.assert_allclose(J.toarray(), fresh(residual, x.astype(float)), rtol=5e-4)


@pytest.mark.parametrize("kind", [float, np.float64, np.longdouble])
def test_a_varying_number_that_happens_to_be_zero(kind):
    def f(x, p):
        y = np.sin(x) * p
        return y + np.cos(x) * p * p + (np.exp(x) * p + x) * 2.0

    for p in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 0.0, 11.0, -0.5):
        for x in (X, 0.0 * X):
            J = f(ad.seed(x), kind(p)).jacobian.diagonal()
            exact = np.cos(x) * p - np.sin(x) * p * p + 2.0 * (np.exp(x) * p + 1.0)
            np.testing.assert_allclose(np.asarray(J, dtype=float), exact, rtol=1e-13, atol=1e-14)


def test_a_computation_met_again_and_again_keeps_its_program(monkeypatch):
    monkeypatch.setattr(evaluation, "MOST_PROGRAMS", 4)
    for k in range(40):
        y = residual(ad.seed(X))
        assert y.jacobian.nnz
        assert ad.seed(X)[k:].jacobian.nnz == N - k  # another computation each time
        assert len(y._derivative.tape.graph.programs) <= 4
        assert bool(programs(y)) is (k + 1 >= evaluation.COMPILE_AFTER)


@pytest.mark.parametrize(
    "use",
    [bool, len, list, float, int, np.asarray, lambda s: s[0], lambda s: s > 1.0, lambda s: s - 1.0],
)
def test_what_needs_an_arrays_contents_cannot_be_traced(use):
    symbol = Symbol(None, None, lambda *_: None)
    with pytest.raises(UntraceableError):
        use(symbol)


def test_a_rule_that_looks_at_its_array_is_carried_out_each_time():
    """Slopes of `ad.ufunc_calls` are the user's code: Python's `if` on them is allowed."""
    f = ad.elementwise(
        np.tanh, lambda x: 1.0 - np.tanh(x) ** 2 if x.max() < 1.0 else np.cosh(x) ** -2
    )
    for scale in (0.1, 1.0, 3.0) * 4:
        x = ad.seed(X * scale)
        expected = 1.0 - np.tanh(X * scale) ** 2
        np.testing.assert_allclose(f(x).jacobian.diagonal(), expected, atol=1e-15)


@pytest.mark.parametrize("width", [np.ones(N - 2), np.linspace(1.0, 2.0, N - 2)])
@pytest.mark.parametrize("diagonal", [2.0, 0.0, -1.0])
def test_constant_entries_beside_varying_ones(width, diagonal):
    """One number, or an array, under the entries that are written each time."""

    def f(x, factor=1.0):
        u = x[1:-1]
        return (diagonal * u - x[:-2] - x[2:]) * width * factor - np.exp(u)

    for k in range(evaluation.COMPILE_AFTER + 6):
        x, factor = X + 0.1 * k, 1.0 + (k // 4) / 8
        J = f(ad.seed(x), factor).jacobian.toarray()
        expected = np.zeros((N - 2, N))
        i = np.arange(N - 2)
        expected[i, i] = expected[i, i + 2] = -width * factor
        expected[i, i + 1] = diagonal * width * factor - np.exp(x[1:-1])
        np.testing.assert_allclose(J, expected, rtol=1e-15)


def test_entries_of_a_wider_pattern_are_zero():
    """Gathered with the zero behind the source vector, on every evaluation."""
    s = ad.seed_sparsity(X)
    wide = ad.sparsity_pattern(s[:N].sum() + s)
    for k in range(evaluation.COMPILE_AFTER + 3):
        x = X + 0.1 * k
        data = ad.jacobian_values(np.exp(ad.seed(x)), wide)
        np.testing.assert_array_equal(wide.matrix(data).toarray(), np.diag(np.exp(x)))


def test_numbers_of_other_residuals_are_not_those_that_vary():
    """One graph serves all residuals of as many unknowns; their numbers differ, and do not vary."""
    rules = [np.sin, np.cos, np.exp, np.tanh, np.arctan, np.arcsinh]
    for k, f in enumerate(rules):
        for _ in range(3):
            y = (1.5 + k) * f(ad.seed(X))
            y.jacobian.toarray()
    graph = y._derivative.tape.graph
    assert not graph.varying
    for k in range(recorded.MOST_NUMBERS + 1):
        (np.sin(ad.seed(X)) * (0.1 + k)).jacobian.toarray()
    assert len(graph.varying) == 1


def test_numbers_that_vary_change_no_bits(monkeypatch):
    """Products with a number are rounded alike, whether it is known to vary or not."""

    def f(x):
        y = x * 0.7
        return np.where(y > 0.2, np.log(y), y) * 1.21

    x = np.random.default_rng(1).uniform(0.1, 1.0, 17)
    expected = ad.jacobian(f, x).data
    ad.clear_cache()
    monkeypatch.setattr(recorded, "MOST_NUMBERS", 1)  # each number varies as soon as it is met
    for _ in range(evaluation.COMPILE_AFTER + 3):
        assert np.array_equal(f(ad.seed(x)).jacobian.data, expected)


def test_the_order_of_sums_is_that_of_a_fresh_process_from_the_second_evaluation_on():
    """An index array that appears first in a later evaluation is known from then on."""

    def f(x):
        k = np.array([3, 0, 1])
        y = np.sin(x)[k] * x[np.array([3, 0, 2])] + np.exp(0.3 * x)[k]
        return np.sum(np.concatenate([y, y[::-1] / 3.0])[np.array([0, 5, 4, 3])]) * x

    x = np.array([0.728, 0.279, 0.337, -2.301])
    ad.clear_cache()
    fresh = [ad.jacobian(f, x).toarray() for _ in range(4)]
    assert all(np.array_equal(J, fresh[0]) for J in fresh)
    ad.clear_cache()
    for _ in range(3):
        ad.jacobian(np.exp, x)
    later = [ad.jacobian(f, x).toarray() for _ in range(4)]
    np.testing.assert_allclose(later[0], fresh[0], rtol=1e-14)
    assert all(np.array_equal(J, fresh[0]) for J in later[1:])


def test_one_overflow_changes_no_later_evaluation():
    """A trial point far away is evaluated in extended precision; all others keep their bits."""

    def f(x):
        return np.exp(x) * x[::-1] + x**3

    x, far = np.linspace(0.1, 2.0, 20), np.linspace(0.1, 2.0, 20)
    far[3], far[-4] = 709.5, 2.5  # exp is finite there, and its product is not
    before = [ad.jacobian(f, x).data for _ in range(8)]
    with np.errstate(all="ignore"):
        ad.jacobian(f, far)
    after = [ad.jacobian(f, x).data for _ in range(8)]
    for data in (*before, *after):
        np.testing.assert_array_equal(data, before[0])


def test_overflow_in_every_evaluation_is_met_by_extended_precision_at_once(monkeypatch):
    """The other form is tried again, but seldom."""

    def f(x):
        return (1e-5 * np.exp(x)) * x[::-1]

    folds = []
    fold = Tape.fold
    monkeypatch.setattr(Tape, "fold", lambda tape: folds.append(1) or fold(tape))
    runs = []
    run = Program.run
    monkeypatch.setattr(Program, "run", lambda p, inputs: runs.append(p.folded) or run(p, inputs))
    x = np.array([709.5, 1.0, 2.5])
    slopes = 1e-5 * np.exp(x) * x[::-1]
    slopes[1] = 2e-5 * np.e
    for _ in range(400):
        np.testing.assert_allclose(ad.jacobian(f, x).diagonal(), slopes, rtol=1e-12)
    assert len(folds) == 400
    assert runs.count(True) > 380
    assert runs.count(False) < 12
    for _ in range(100):
        ad.jacobian(f, np.full(3, 1.0))
    folds.clear()
    ad.jacobian(f, np.full(3, 1.0))
    assert not folds


@pytest.mark.parametrize(
    "term",
    [
        lambda x: x**2 / (1.0 + np.abs(ad.value(x))),
        lambda x: np.sin(x) * np.cosh(ad.value(x)),
        lambda x: np.exp(x)[np.argsort(ad.value(x))],
    ],
    ids=["divided", "multiplied", "taken"],
)
def test_a_run_that_is_repeated_meets_no_other_computation(term):
    """What depends on values is another array at each point, and the same one in the next run."""
    points = [np.roll(X, k) for k in range(12)]
    made = []
    for _ in range(3):
        for x in points:
            y = term(ad.seed(x))
            assert y.jacobian.nnz == N
        made.append((y._derivative.tape.graph.size, len(programs(y))))
    assert made[0] == made[1] == made[2]


def test_a_program_is_made_while_another_thread_records(monkeypatch):
    expected = fresh(residual, X)
    for _ in range(evaluation.COMPILE_AFTER - 1):
        residual(ad.seed(X)).jacobian
    y = residual(ad.seed(X))
    recorded_inputs = y._derivative.tape
    ordinary = Tracer.input

    def while_another_records(tracer, key, item):
        recorded_inputs.position(np.ones(3))
        return ordinary(tracer, key, item)

    monkeypatch.setattr(Tracer, "input", while_another_records)
    np.testing.assert_allclose(y.jacobian.toarray(), expected)
    assert programs(y)


def test_another_thread_folds_while_a_derivative_is_carried_out():
    x = ad.seed(X)
    before, after = np.exp(x) * X, np.sin(x) * x[::-1]
    before._derivative.terms
    shared = x._derivative.tape
    node = after._derivative.node
    ordinary = node.apply

    def while_another_folds(*arguments):
        shared.fold()
        return ordinary(*arguments)

    node.apply = while_another_folds
    exact = np.diag(np.cos(X) * X[::-1]) + np.diag(np.sin(X))[:, ::-1]
    np.testing.assert_allclose(after.jacobian.toarray(), exact, rtol=1e-13, atol=1e-15)
    node.apply = ordinary
    np.testing.assert_allclose((before + after).jacobian.toarray(), np.diag(np.exp(X) * X) + exact)
