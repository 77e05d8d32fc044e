"""Compiled functions give the bits of the function itself, and say what they do not compile."""

import pickle
import threading

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import special

from sgsolve import ad
from sgsolve.ad.kernels import account
from sgsolve.ad.kernels.compiled_evaluation import FEW_UNKNOWNS
from sgsolve.ad.kernels.printing import code_writer
from sgsolve.errors import DerivativeError, DomainError, InputError
from tests.ad.differences import numeric_jacobian
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite

pytestmark = needs_llvmlite

N = 300  # more than a block, and no multiple of it
RNG = np.random.default_rng(7)
X = RNG.uniform(0.2, 2.0, N)
POINTS = (X, X[::-1].copy(), 0.5 * X)
INDEX = RNG.integers(0, N, N)
FACTOR = RNG.uniform(0.5, 1.5, N)
LAPLACIAN = sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(N, N)).tocsr()


@pytest.fixture(autouse=True)
def _no_cache_on_disk(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")


FUNCTIONS = {
    "arithmetic": lambda x: (x * x + 2.0 * x - 1.0) / (x + FACTOR),
    "powers": lambda x: x**2 + x**3 - x**-1.5 + 2.0**x,
    "calls in stages": lambda x: np.exp(np.sin(x) * FACTOR) + np.tanh(x) * np.log(x),
    "scipy": lambda x: special.erf(x) * special.expit(x - 1.0) + special.gammaln(x),
    "slices": lambda x: x[1:-1] * (x[2:] - x[:-2]) + x[::-1][1:-1],
    "gathers": lambda x: np.exp(x[INDEX] - x) * FACTOR[INDEX],
    "sparse times values": lambda x: x * (LAPLACIAN @ np.abs(ad.value(x))),
    "by columns": lambda x: x * (LAPLACIAN.tocsc() @ ad.value(x * x)),
    "sparse times a plane": lambda x: x * (LAPLACIAN @ ad.value(x).reshape(-1, 1)).ravel(),
    "joins": lambda x: np.concatenate([x[:1] - 1.0, x[2:] * x[:-2], np.exp(x[-1:])]),
    "matrix": lambda x: LAPLACIAN @ (x * x) - np.exp(x),
    "scatter": lambda x: ad.sparsesum(
        [ad.sparsevec(N, np.arange(0, N, 2), x[::2] ** 2), ad.sparsevec(N, INDEX, x)]
    ),
    "reductions": lambda x: x * np.sum(x * x) - np.mean(x) + x[3] * x,
    "where": lambda x: np.where(x > 1.0, np.log(x - 1.0), x * x),
    "branch": lambda x: ad.branch(
        ad.value(x) > 1.0, lambda i: np.log(x[i] - 1.0) * 2.0, lambda i: x[i] ** 2
    ),
    "mask": lambda x: x * np.sum(x[ad.value(x) > 0.3]),
    "plane": lambda x: _plane(x),
    "maximum": lambda x: np.maximum(x, 1.0) * np.minimum(x, FACTOR) + np.abs(x - 1.0),
    "cumulated": lambda x: np.cumsum(x) * x,
}


def _plane(x):
    u = x.reshape(15, 20)
    v = np.pad(u, 1)
    around = v[2:, 1:-1] + v[:-2, 1:-1] + v[1:-1, 2:] + v[1:-1, :-2]
    return (4.0 * u - around + np.exp(u.T.reshape(15, 20))).ravel()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_bit_is_that_of_the_function(name):
    assert_same_bits(FUNCTIONS[name], POINTS)


PRODUCTS_OF_OTHER_SHAPES = {
    "numbers": lambda x: (x / x[0]) / (1.0 + x * x.sum()),
    "rows": lambda x: (x.reshape(3, 4) * x[:4] / (2.0 * x[5] + x[3] * x.reshape(3, 4))).ravel(),
    "columns": lambda x: (
        (0.3 * x.reshape(3, 4) * x[:3, None]).ravel() / (x[1] * x + 0.7 * x.mean())
    ),
}


@pytest.mark.parametrize("name", PRODUCTS_OF_OTHER_SHAPES)
def test_slopes_of_products_of_other_shapes_add_up_in_numpys_order(name):
    """One point may be equal by chance."""
    random = np.random.default_rng(3)
    points = [random.uniform(0.1, 1.6, 12) for _ in range(12)]
    stats = assert_same_bits(PRODUCTS_OF_OTHER_SHAPES[name], points, evaluations=1)
    assert set(stats.reasons) == {"comparison with NumPy's result"}


def test_numbers_are_inputs_of_one_kernel():
    f = ad.compiled(lambda x, a, b=2.0: np.exp(a * x) / b + b, at_once=True)
    for a in np.linspace(0.1, 1.0, 9):
        F, J = f.value_and_jacobian(X, a, b=1.0 + a)
        np.testing.assert_array_equal(F, np.exp(a * X) / (1.0 + a) + (1.0 + a))
        K = ad.jacobian(f.function, X, a, b=1.0 + a)
        np.testing.assert_array_equal(J.data, K.data)
    assert f.stats.kernels == 2  # a number is a constant until it changes
    assert f.stats.compiled == 7


@pytest.mark.parametrize(
    "f",
    [
        lambda x, a: np.exp(x) - np.arctan2(a, -1.0),
        lambda x, a: np.exp(x) * np.sqrt(-1.0 + a * 1j).imag,
        lambda x, a: x * np.copysign(2.0, a) if a <= 0.0 else x * x,
        lambda x, a: x * 3.0 if np.signbit(a) else x * x,
    ],
    ids=["angle", "root", "sign", "branch"],
)
@pytest.mark.parametrize("kind", [float, np.float64, np.array])
def test_zeros_of_two_signs_are_two_parameters(f, kind):
    compiled = ad.compiled(f, at_once=True)
    for a in (0.0, 1.0, 0.0, -0.0, 0.0, -0.0):
        F, J = compiled.value_and_jacobian(X, kind(a))
        G, K = ad.value_and_jacobian(f, X, kind(a))
        np.testing.assert_array_equal(F, G)
        np.testing.assert_array_equal(J.toarray(), K.toarray())


def test_an_array_that_changes_becomes_an_input():
    f = ad.compiled(lambda x, m: np.exp(m * x) + m, at_once=True)
    for k in range(12):
        m = np.random.default_rng(k).uniform(0.5, 1.0, N)
        F, J = f.value_and_jacobian(X, m)
        G, K = ad.value_and_jacobian(f.function, X, m)
        np.testing.assert_array_equal(F, G)
        np.testing.assert_array_equal(J.data, K.data)
    assert f.stats.compiled >= 5


def test_an_array_changed_in_place_between_calls_is_noticed():
    m = FACTOR.copy()
    f = ad.compiled(lambda x, m: m * x * x, at_once=True)
    for _ in range(4):
        m[5] += 1.0
        F, J = f.value_and_jacobian(X, m)
        np.testing.assert_array_equal(F, m * X * X)
        np.testing.assert_array_equal(J.diagonal(), 2.0 * X * m)


def test_another_way_through_the_code_gets_a_kernel_of_its_own():
    f = ad.compiled(lambda x: x * x if ad.value(x)[0] > 1.0 else np.exp(x), at_once=True)
    up, down = np.full(N, 1.5), np.full(N, 0.5)
    for _ in range(4):
        np.testing.assert_array_equal(f(up), up * up)
        np.testing.assert_array_equal(f(down), np.exp(down))
    assert f.stats.kernels == 2
    assert f.stats.compiled == 6


@pytest.mark.parametrize("side", [X + 10.0, X - 10.0, X])
def test_a_branch_that_no_element_takes(side):
    def f(x):
        return ad.branch(ad.value(x) > 1.0, lambda i: np.sqrt(x[i]), lambda i: x[i] * x[i])

    assert_same_bits(f, (X, side, side[::-1].copy()))


def test_what_cannot_be_traced_is_said_with_its_place():
    f = ad.compiled(lambda x: x * np.asarray(ad.value(x)), at_once=True)
    for _ in range(3):
        f.value_and_jacobian(X)
    assert f.stats.compiled == 0
    assert "np.asarray" in str(f.stats)
    assert "test_compiled_function.py" in str(f.stats)


def test_calls_between_loops_are_named():
    stats = assert_same_bits(lambda x: x * np.cumsum(x), POINTS)
    assert "cumsum" in stats.calls


def test_numbers_that_overflow_are_left_to_numpy():
    def f(x):
        return np.exp(-x) * x

    x = np.linspace(738.0, 742.0, N)  # the products of the slopes lose digits as well
    stats = assert_same_bits(f, (x,), kernels=False)
    assert "overflow" in str(stats)


def counted_with(f, x):
    """Evaluate F and J, as NumPy does; return how many of three were compiled."""
    compiled = ad.compiled(f, at_once=True)
    for _ in range(2):
        compiled.value_and_jacobian(np.linspace(0.1, 1.0, x.size))
    before = compiled.stats.compiled
    for _ in range(3):
        with np.errstate(all="ignore"):
            F, J = ad.value_and_jacobian(f, x)
            found, slopes = compiled.value_and_jacobian(x)
        np.testing.assert_array_equal(found, F)
        np.testing.assert_array_equal(slopes.toarray(), J.toarray())
    return compiled.stats.compiled - before


@pytest.mark.parametrize("n", [5, 300])
def test_a_value_that_underflows_spoils_no_derivative(n):
    x = np.linspace(0.2, 1.0, n)
    x[n // 2] = -800.0
    assert counted_with(lambda x: np.exp(x) + np.sin(x) * x, x) == 3
    assert counted_with(lambda x: 1.0 / (1.0 + np.exp(-x)) + x, -0.5 * x) == 3
    # The slope of expm1 is a call of exp, which underflows; beside an equal value as well.
    assert counted_with(lambda x: np.expm1(x) + np.sin(x) * x, x) == 0
    assert counted_with(lambda x: np.exp(x) + np.expm1(x) + np.sin(x) * x, x) == 0


def test_values_that_underflow_are_warned_of_as_without_kernels():
    f = ad.compiled(lambda x: np.exp(x) + np.sin(x) * x, at_once=True)
    x = np.linspace(0.2, 1.0, 300)
    for _ in range(3):
        f.value_and_jacobian(x)
    before, x[150] = f.stats.compiled, -800.0
    with np.errstate(under="raise"), pytest.raises(FloatingPointError):
        f.value_and_jacobian(x)
    with np.errstate(under="ignore"):
        f.value_and_jacobian(x)
    assert f.stats.compiled > before


def test_warnings_are_those_of_the_function():
    f = ad.compiled(lambda x: np.log(x), at_once=True)
    f(X), f(X)
    with pytest.warns(RuntimeWarning, match="invalid value"):
        f(-X)
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        f(-X)


def test_warnings_of_slopes_alone_do_not_run_the_function():
    calls = 0

    def contact(x):  # the slope of a power is a quotient, 0 / 0 where there is no contact
        nonlocal calls
        calls += 1
        return np.maximum(x, 0.0) ** 1.5 - x

    compiled = ad.compiled(contact, at_once=True)
    x = np.array([-1.0, 0.0, 0.5, 2.0])
    for _ in range(3):
        compiled.value_and_jacobian(x)
    calls = 0
    for k in range(1, 5):
        F, J = compiled.value_and_jacobian(k * x)
        G, K = ad.value_and_jacobian(lambda x: np.maximum(x, 0.0) ** 1.5 - x, k * x)
        np.testing.assert_array_equal(F, G)
        np.testing.assert_array_equal(J.data, K.data)
    assert calls == 0


def test_other_types_and_shapes_are_evaluated_as_ever():
    f = ad.compiled(lambda x: x * x, at_once=True)
    for x in (X.astype(np.float32), X[::2], np.arange(3), X.astype(complex), np.empty(0)):
        np.testing.assert_array_equal(f(x), x * x, strict=True)
    assert f.stats.compiled == 0


def test_derivatives_of_several_seeds_pass_through():
    f = ad.compiled(lambda x: x * x, at_once=True)
    np.testing.assert_array_equal(f(ad.seed(X)).jacobian.diagonal(), 2.0 * X)


def test_an_operand_changed_in_place_changes_no_kernel():
    m = FACTOR.copy()
    f = ad.compiled(lambda x: m * x, at_once=True)
    f(X), f(X)
    m[:] = 0.0
    np.testing.assert_array_equal(f(X), FACTOR * X)  # the function is not pure: a contract


def test_pickled_functions_compile_again():
    f = pickle.loads(pickle.dumps(ad.compiled(np.exp, at_once=True)))
    for _ in range(3):
        np.testing.assert_array_equal(f(X), np.exp(X))
    assert f.stats.compiled == 2


def test_threads_have_memory_of_their_own():
    f = ad.compiled(lambda x, a: np.exp(a * x[INDEX]) * x, at_once=True)
    wrong = []

    def work(k):
        for j in range(40):
            x, a = X * (1.0 + 0.01 * k), 0.1 + 0.01 * j
            F, _ = f.value_and_jacobian(x, a)
            if not np.array_equal(F, np.exp(a * x[INDEX]) * x):
                wrong.append((k, j))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert f.stats.compiled > 100


def test_kernels_are_made_when_they_pay():
    f = ad.compiled(lambda x: np.exp(x) * x)
    f.value_and_jacobian(X)
    assert f.stats.kernels == 0
    assert "no kernel yet" in f.stats.reasons


def test_a_function_is_needed():
    with pytest.raises(InputError, match="takes a function"):
        ad.compiled(3.0)


@pytest.mark.parametrize(
    "size",
    [lambda x, i: len(i), lambda x, i: x[i].size, lambda x, i: np.shape(x[i])[0]],
    ids=["len", "size", "shape"],
)
def test_the_number_of_elements_of_a_side_is_no_constant(size):
    def f(x):
        big = ad.value(x) > 1.0
        return ad.branch(big, lambda i: x[i] / size(x, i), lambda i: x[i] * size(x, i))

    compiled = ad.compiled(f, at_once=True)
    for factor in (1.0, 1.1, 1.3, 0.8, 0.7, 1.0, 1.1, 1.3):
        x = X * factor
        F, J = compiled.value_and_jacobian(x)
        np.testing.assert_array_equal(F, f(x))
        np.testing.assert_array_equal(compiled(x), f(x))
        # A factor that varies is multiplied in another order than one that does not.
        np.testing.assert_allclose(J.data, ad.jacobian(f, x).data, rtol=1e-14)
    assert "number of elements of a side" in str(compiled.stats)


@pytest.mark.parametrize(
    "evaluate", [lambda f, x: f(x), lambda f, x: f.value_and_jacobian(x)], ids=["F", "F and J"]
)
def test_a_function_of_a_side_is_not_impure_where_its_kernel_is_made_later(monkeypatch, evaluate):
    """The trace is made at another number of elements than the first run of the kernel."""

    def f(x):
        big = ad.value(x) > 1.0
        return ad.branch(big, lambda i: x[i] / len(i), lambda i: x[i] * len(i))

    compiled = ad.compiled(f, at_once=True)
    answers = iter([True, False])  # a trace pays, its kernel not yet
    monkeypatch.setattr(compiled._evaluation.account, "pays", lambda cost: next(answers, True))
    evaluate(compiled, X)
    assert not compiled.stats.kernels
    for factor in (1.3, 0.8, 1.0, 1.1):
        evaluate(compiled, X * factor)
        np.testing.assert_array_equal(compiled(X * factor), f(X * factor))
    assert compiled.stats.kernels == 1
    assert "number of elements of a side" in str(compiled.stats)


def test_a_number_is_found_in_a_dict():
    table = {1.0: 2.0, 2.0: 5.0, 3.0: 7.0}
    f = ad.compiled(lambda x, a: x * table.get(a, 11.0) * a, at_once=True)
    for a in (1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 4.0, 5.0, 3.0):
        np.testing.assert_array_equal(f(X, a), X * table.get(a, 11.0) * a)


def test_an_error_outside_of_the_model_is_no_reason_to_stop():
    def f(x):
        if np.any(ad.value(x) <= 0.0):
            raise DomainError("x must be positive")
        return np.log(x)

    compiled = ad.compiled(f, at_once=True)
    for _ in range(5):
        with pytest.raises(DomainError):
            compiled(-X)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), np.log(X))
    with pytest.raises(DomainError):
        compiled(-X)
    assert compiled.stats.compiled == 2


def test_a_pattern_that_changes_before_there_is_a_kernel():
    f = ad.compiled(lambda x: x * x[::-1] if ad.value(x)[0] > 0.0 else x**2)
    for sign in (1.0, -1.0, -1.0, 1.0):
        x = sign * np.array([1.0, 2.0, 3.0])
        expected = np.diag(x[::-1]) + np.diag(x)[:, ::-1] if sign > 0.0 else np.diag(2.0 * x)
        assert np.array_equal(f.jacobian(x).toarray(), expected)
    assert f.stats.compiled == 0


@pytest.mark.parametrize("sides", [
    (lambda x, i: 2.0 * x[i], lambda x, i: 3.0 * x[i]),
    (lambda x, i: x[::-1][i], lambda x, i: 3.0 * x[i]),
    (lambda x, i: x[i] ** 2, lambda x, i: 3.0 * x[i]),
])  # fmt: skip
def test_branches_with_constant_slopes_follow_their_condition(sides):
    """A slope that is a number at each element differs between the elements of two sides."""

    def f(x):
        return ad.branch(2.0 * x > 0, *(lambda i, side=side: side(x, i) for side in sides))

    compiled = ad.compiled(f, at_once=True)
    x = np.array([0.5, 0.3, 0.2, 1.1, 0.2, 0.7])
    for signs in ([1, 1, 1, -1, -1, 1], [1, -1, -1, 1, -1, 1], [-1, 1, 1, 1, -1, 1]):
        y = x * signs
        value, J = compiled.value_and_jacobian(y)
        np.testing.assert_array_equal(value, f(y))
        h = 1e-6
        slopes = [(f(y + e) - f(y - e)) / (2 * h) for e in h * np.eye(6)]
        np.testing.assert_allclose(J.toarray(), np.transpose(slopes), atol=1e-8)
    assert compiled.stats.compiled > 0


def test_a_side_without_derivatives_has_the_values_of_its_elements():
    """Computed at the positions of the side, by a condition of its own."""

    def f(x):
        kinds = np.where(x > -1.0, 1.0, 2.0) * np.arange(6.0)
        return ad.branch(x > 0.8, lambda i: x[i], lambda i: kinds[i])

    assert_same_bits(f, [np.array([-1.2, -1.4, -0.8, 1.6, -0.4, 1.1]), np.linspace(2.0, -2.0, 6)])


SAME_CONDITIONS = {
    "two masks": lambda x: x[x > 0.1] + x[x > 0.1],
    "of a part that is all": lambda x: (y := x[x > 0.1])[y > 0.1],
    "of what was computed twice": lambda x: np.exp(x)[np.exp(x) > 1.1][: len(x[x > 0.1])],
    "of all in another shape": lambda x: (z := x.reshape(2, 3))[z > 0.1] * x[x > 0.1][0],
    "one that nothing needs": lambda x: x * float(len((y := x[x > 0.1])[y > 0.1])),
}


@pytest.mark.parametrize("name", SAME_CONDITIONS)
def test_equal_conditions_of_different_arrays(name):
    """Both are guards, computed as one value: each has a memory of its own."""
    some = np.array([-1.929, 0.245, 0.067, 1.103, 0.238, -0.156])
    every = np.array([1.066, 1.192, 1.074, 0.27, 0.12, 0.32])
    assert_same_bits(SAME_CONDITIONS[name], [every, some])


def test_a_chain_of_numbers_is_compiled_in_bounded_time():
    """Each number is used twice by the next one: as a tree the last one has 2^26 parts."""

    def recurrence(u):
        y = u[0]
        out = [y]
        for k in range(1, len(u)):
            y = 0.9 * y + 0.1 * u[k] * y
            out.append(y)
        return np.stack(out)

    points = [np.linspace(-0.9, 0.8, 26)]
    assert_same_bits(recurrence, points, evaluations=2)


def test_where_llvm_fails_numpy_evaluates(monkeypatch):
    """LLVM rejects the text of a kernel: the result is NumPy's, and the reason is told."""
    monkeypatch.setattr(code_writer, "HEADER", "no LLVM IR\n")
    function = ad.compiled(lambda x: np.exp(x) - 3.125, at_once=True)
    x = np.array([0.5, 1.0])
    for _ in range(3):
        F, J = function.value_and_jacobian(x)
        np.testing.assert_array_equal(F, np.exp(x) - 3.125)
        np.testing.assert_array_equal(J.toarray(), np.diag(np.exp(x)))
    assert function.stats.compiled == 0
    assert any(reason.startswith("LLVM failed: ") for reason in function.stats.reasons)


@pytest.mark.parametrize("error", [AttributeError, KeyError, TypeError, NameError])
def test_a_programming_error_in_compiling_is_not_hidden(monkeypatch, error):
    def lower(lowering, wanted):
        raise error("a slip")

    monkeypatch.setattr(code_writer, "lower_graph", lower)
    function = ad.compiled(lambda x: np.exp(x) - 3.125, at_once=True)
    with pytest.raises(error, match="a slip"):
        [function.value_and_jacobian(x) for x in 3 * [np.array([0.5, 1.0])]]


@pytest.mark.parametrize("name", ["vecdot", "matvec", "vecmat"])
def test_products_of_whole_vectors_are_calls(name):
    if not hasattr(np, name):
        pytest.skip(f"this NumPy has no {name}")
    A = np.arange(9.0).reshape(3, 3) - 4.0
    product = getattr(np, name)
    points = [np.array([0.5, 1.5, -0.25]), np.array([2.0, 0.5, 1.0])]
    for f in (
        lambda x: product(A, x) if name == "matvec" else product(x, A),
        lambda x: product(np.multiply.outer(x, x), x) if name == "matvec" else product(x, A) ** 2,
    ):
        assert_same_bits(f, points)


DOORS = {
    "value_and_jacobian": lambda f, x: ad.value_and_jacobian(f, x, 2.0),
    "jacobian": lambda f, x: (ad.jacobian(f, x, b=2.0),),
    "vjp": lambda f, x: ad.vjp(f, x, np.ones(x.size - 1), 2.0),
    "jacobian_function": lambda f, x: (ad.jacobian_function(f)(x, 2.0),),
    "dense": lambda f, x: (ad.jacobian_function(f, argnum=-2, dense=True)(x, 2.0),),
}


@pytest.mark.parametrize("door", DOORS)
def test_functions_of_ad_use_the_kernels(door):
    def f(x, b):
        return np.exp(b * x[1:]) - x[:-1]

    fast = ad.compiled(f, at_once=True)
    for factor in (1.0, 1.1, 1.2):
        pairs = zip(DOORS[door](fast, factor * X), DOORS[door](f, factor * X), strict=True)
        for now, expected in pairs:
            arrays = [v.toarray() if sp.issparse(v) else v for v in (now, expected)]
            np.testing.assert_array_equal(*arrays)
    assert fast.stats.compiled == 2


@pytest.mark.parametrize("x", [
    3.0, [1, 2, 3], X.astype(np.float32), X + 1.0j, X[::2], np.asfortranarray(X.reshape(3, -1)),
])  # fmt: skip
def test_points_of_any_kind_as_without_kernels(x):
    def f(y):
        return y * y + 1.0

    fast = ad.compiled(f, at_once=True)
    for _ in range(3):
        (F, J), (G, K) = (ad.value_and_jacobian(g, x) for g in (fast, f))
        assert (F.shape, F.dtype, J.shape, J.dtype) == (G.shape, G.dtype, K.shape, K.dtype)
        np.testing.assert_array_equal(F, G)
        assert (J != K).nnz == 0


def test_a_constant_has_zeros_for_the_solvers_of_scipy():
    constant = ad.compiled(lambda x: np.ones(3), at_once=True)
    for _ in range(2):
        assert ad.jacobian_function(constant, dense=True)(X).shape == (3, N)
        with pytest.raises(DerivativeError, match="does not depend on x"):
            ad.jacobian(constant, X)


def test_the_time_of_the_processor_is_asked_for_long_evaluations_only(monkeypatch):
    """To ask for it takes longer than a small evaluation; a long one may have waited."""
    asked = []
    monkeypatch.setattr(account, "thread_time", lambda: asked.append(1) or 0.5 * len(asked))
    now = iter([0.0, 1e-5, 1.0, 9.0])
    monkeypatch.setattr(account, "perf_counter", lambda: next(now))
    kept = account.Account()
    for latest in (1e-5, account.SHORT, 0.5):  # the second one waited for others
        assert kept.timed(lambda: "result") == "result"
        assert kept.latest == latest
    assert len(asked) == 2


def test_a_function_whose_index_arrays_are_new_is_traced_again():
    """Beside another function of as many unknowns, the first trace has a larger pattern."""

    def nodes(m, first):
        inside = np.arange(first, m - 1)
        ends = np.setdiff1d(np.arange(m), inside)

        def f(x):
            u, v = x[:m], x[m:]
            flow = [ad.sparsevec(m, inside, u[inside] + v[inside] * np.exp(u[inside]))]
            kept = [ad.sparsevec(m, inside, v[inside] ** 2)]
            parts = [flow, kept]
            for part, w in zip(parts, (u, v), strict=True):
                part.append(ad.sparsevec(m, ends, w[ends] - 1.0))
            return ad.hstack([ad.sparsesum(part) for part in parts])

        return f

    x = np.linspace(0.1, 1.0, 84)
    for first in (1, 4, 6):
        stats = assert_same_bits(nodes(42, first), [x, x + 0.01], evaluations=3)
        assert "the Jacobian of a kernel has another pattern" not in stats.reasons


def test_zeros_from_an_empty_array():
    def f(x):
        return np.resize(x[2:1], 3) + x

    compiled, x = ad.compiled(f, at_once=True), np.array([1.0, 2.0, 3.0])
    for _ in range(3):
        value, J = compiled.value_and_jacobian(x)
        assert value.tolist() == [1.0, 2.0, 3.0]
        assert J.toarray().tolist() == np.eye(3).tolist()


def test_one_kernel_serves_few_unknowns():
    """To make another one for F alone would take as long again."""

    def f(x):
        return np.exp(x) * x

    for size, kernels in ((FEW_UNKNOWNS, 1), (FEW_UNKNOWNS + 1, 2)):
        compiled = ad.compiled(f, at_once=True)
        x = np.linspace(-1.0, 2.0, size)
        compiled.value_and_jacobian(x)
        for y in (x, 2.0 * x):
            np.testing.assert_array_equal(compiled(y), f(y))
        assert compiled.stats.kernels == kernels
        assert compiled.stats.compiled == 3 - kernels


def test_values_where_derivatives_overflow_have_a_kernel_of_their_own():
    def f(x):
        return 1e200 * np.exp(x)

    compiled = ad.compiled(f, at_once=True)
    compiled.value_and_jacobian(X)
    y = np.full_like(X, 300.0)
    with np.errstate(over="ignore"):
        for _ in range(3):
            np.testing.assert_array_equal(compiled(y), f(y))


def running_sums(x):
    total, sums = 0.0, []
    for value in x:
        total += value * value
        sums.append(total)
    return sums


def number_with_two_names(x):
    first = second = np.sum(x)
    first *= x[1]
    return x * second + first


def element_with_two_names(x):
    first = x[0]
    kept = first
    first -= 1.0
    return np.hstack([first, kept, x[2:] * first])


def array_without_axes(x):
    """np.where returns an array, whose other name sees each change."""
    first = second = np.where(x[0] > x[1], x[0], x[1])
    first *= 0.5
    first += x[2]
    return x * second


@pytest.mark.parametrize(
    "f",
    [running_sums, number_with_two_names, element_with_two_names, array_without_axes],
    ids=lambda f: f.__name__,
)
def test_operators_in_place_are_those_of_numpy(f):
    """Another name of a number keeps the old value, that of an array without axes does not."""
    compiled, few = ad.compiled(f, at_once=True), X[:40].copy()  # as many sums as n^2 / 2 entries
    for x in (few, 0.5 * few, few[::-1].copy()):
        value, jacobian = compiled.value_and_jacobian(x)
        np.testing.assert_array_equal(value, f(x))
        np.testing.assert_allclose(jacobian.toarray(), numeric_jacobian(f, x), rtol=1e-6, atol=1e-6)
    assert compiled.stats.compiled == 2
