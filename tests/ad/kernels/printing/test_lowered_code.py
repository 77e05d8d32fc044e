"""Lowered code on disk: the same kernels without lowering, and only for the same trace."""

import functools

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.special

from sgsolve import ad
from sgsolve.ad.drivers.traced_evaluation import trace_function
from sgsolve.ad.kernels import machine
from sgsolve.ad.kernels.printing import code_writer, lowered_code
from sgsolve.ad.kernels.printing.trace_mark import TraceMark, UnmarkedError
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite

pytestmark = needs_llvmlite
X = np.linspace(0.2, 1.7, 40)
EVEN = np.arange(0, 40, 2)
A = sp.csr_array(sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(40, 40)))
FULL = np.cos(np.arange(1600.0)).reshape(40, 40)

FUNCTIONS = {
    "elements": lambda x: np.exp(x) * x[::-1] - np.sqrt(x) / 3.0,
    "special": lambda x: scipy.special.expit(x) + scipy.special.exp2(x) - np.exp2(x[::-1]),
    "chosen": lambda x: np.concatenate([x[EVEN] ** 2, x[EVEN + 1] * x[EVEN]]),
    "matrices": lambda x: A @ (x * x) + FULL @ x,
    "a call": lambda x: np.cumsum(x) * x,
    "sums": lambda x: x * x.sum() + np.max(x) + np.mean(x * x),
    "a condition": lambda x: x * x if x[0] < 1.0 else x,
    "a mask": lambda x: np.where(x < 0.9, x * x, 1.0 / x),
    "a branch": lambda x: ad.branch(x < 0.9, lambda i: x[i] ** 2, lambda i: 1.0 / x[i]),
    "types": lambda x: (x > 0.5).astype(float) * x + (x < 1.0).astype(bool) * x,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", str(tmp_path))
    machine.clear()
    yield tmp_path
    machine.clear()


@pytest.fixture
def nothing_is_lowered(monkeypatch):
    """Let lowering fail from the call on."""

    def forbid():
        def lower(lowering, wanted):
            raise AssertionError("lowered again")

        monkeypatch.setattr(code_writer, "lower_graph", lower)
        machine.clear()

    return forbid


@pytest.mark.parametrize("name", FUNCTIONS)
def test_stored_code_gives_the_same_bits(folder, nothing_is_lowered, name):
    points = [X, X + 0.01]
    for _ in range(2):  # the second time, the plan of the Jacobian has settled
        first = assert_same_bits(FUNCTIONS[name], points, evaluations=2)
    nothing_is_lowered()
    again = assert_same_bits(FUNCTIONS[name], points, evaluations=2)
    assert (again.kernels, again.calls) == (first.kernels, first.calls)


def test_parameters_and_arrays_among_them_may_change(folder, nothing_is_lowered):
    def f(x, a, b):
        return np.exp(a * x) + b * (2.0 * a) - a

    for k in range(2):
        compiled = ad.compiled(f, at_once=True)
        for a in (0.5, 0.75, 1.0):
            F, J = compiled.value_and_jacobian(X, a, X * a)
            np.testing.assert_array_equal(F, f(X, a, X * a))
            np.testing.assert_array_equal(J.diagonal(), ad.jacobian(f, X, a, X * a).diagonal())
        assert compiled.stats.kernels >= 1
        if not k:
            nothing_is_lowered()


def content(f, x=X, **constants):
    for _ in range(3):  # from the third on, the plan of the Jacobian has settled
        trace = trace_function(f, x, constants)
    return TraceMark(trace).content


def one(function, *constants):
    return lambda x: function(x, *constants)


DIFFERENT = {
    "zeros of both signs": (one(np.add, 0.0), one(np.add, -0.0)),
    "numbers": (one(np.multiply, 2.0), one(np.multiply, 3.0)),
    "kinds of numbers": (one(np.multiply, 2.0), one(np.multiply, 2)),
    "arrays": (one(np.multiply, X), one(np.multiply, X + 1.0)),
    "positions": (lambda x: x[EVEN], lambda x: x[EVEN + 1]),
    "slices": (lambda x: x[::2], lambda x: x[1::2]),
    "ufuncs of one name": (one(np.exp2), one(scipy.special.exp2)),
    "the order of operands": (lambda x: 1.0 - x * x, lambda x: x * x - 1.0),
    "matrices": (lambda x: A @ x, lambda x: (2.0 * A) @ x),
    "the number of unknowns": (lambda x: x * x, lambda x: x[:-1] * x[:-1]),
    "results": (lambda x: (x * x, x + x)[0], lambda x: (x * x, x + x)[1]),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_traces_have_other_marks(name):
    first, second = DIFFERENT[name]
    assert content(first) == content(first) != content(second) == content(second)


def test_the_mark_of_a_function_says_whether_its_name_leads_to_it():
    """A function that wraps one of NumPy's has its name, and is another one."""

    @functools.wraps(np.sum)
    def total(x):
        return 2.0 * np.sum(x)

    mark = TraceMark(trace_function(lambda x: x * x, X))
    assert mark._of_function(total) != mark._of_function(np.sum)
    assert mark._of_function(one(np.sum)) != mark._of_function(np.sum)


def test_a_constant_of_an_unknown_kind_has_no_mark_and_is_lowered_each_time(folder):
    class Word:
        pass

    mark = TraceMark(trace_function(lambda x: x * x, X))
    with pytest.raises(UnmarkedError):
        mark._of_value(Word())
    with pytest.raises(UnmarkedError):
        mark._of_value(np.array([Word()]))


def test_an_array_changed_before_it_is_lowered_is_not_stored(folder, monkeypatch):
    """What is stored is of the arrays that it is stored for."""
    weights = X.copy()
    write = lowered_code.CodeWriter

    def writes(trace, with_jacobian):
        weights[3] += 1.0
        return write(trace, with_jacobian)

    monkeypatch.setattr(lowered_code, "CodeWriter", writes)
    trace = trace_function(lambda x: weights * x * x, X)
    code = lowered_code.LoweredCode(trace)
    code.of(True)
    code.keep(True)
    assert not list(folder.iterdir())


def test_a_large_jacobian_is_lowered_each_time(folder, monkeypatch):
    monkeypatch.setattr(lowered_code, "MOST_ENTRIES", 39)
    assert_same_bits(lambda x: x * x - 0.3, [X], evaluations=2)
    assert len(list(folder.iterdir())) == 2  # machine code for F, and for F and the Jacobian
