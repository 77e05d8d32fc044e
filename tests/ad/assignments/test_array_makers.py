"""Functions that fill np.zeros and the like: with the values of NumPy, or refused."""

import functools
import threading

import numpy
import numpy as np
import pytest
from numpy import zeros
from scipy.interpolate import UnivariateSpline

import sgsolve
from sgsolve import DerivativeError, Problem, ad
from sgsolve.ad.drivers.function_calls import evaluate
from tests.ad import residual_module
from tests.ad.differences import numeric_jacobian
from tests.ad.kernels.compiled_help import assert_same_bits

X = np.array([0.7, 1.3, 0.4, 0.9])
counted = 0
factor = 1.0
buffer = np.zeros(4)


def slices(x):
    F = np.zeros(4)
    F[0] = x[0] - 1.0
    F[1:] = x[1:] ** 2 - x[:-1]
    return F


def elements(x):
    F = zeros(len(x))
    for i in range(len(x)):
        F[i] = x[i] ** 2 - x[i - 1]
    return F


def increments(x):
    F = np.empty((2, 2))
    F[:] = 0.5
    F[0] += x[:2]
    F[:, 1] -= x[2:] * x[:2]
    F.flat[3] = x[3] ** 3
    np.add.at(F, ([0, 0, 1], [0, 0, 1]), x[1:])
    return F.ravel()


def helper(x, k):
    F = numpy.full(x.shape, 2.5)
    F[:2] = k * x[2:]
    return F


def of_mesh(x):
    F, G, H = np.zeros_like(X), np.ones_like(x), np.ones(4)
    F[:] = np.sin(x)
    G[1:3] = x[:2]
    H[::2] *= x[::2]
    return F * G + H * helper(x, 3.0) + helper(x[::-1], factor)


def nested_functions(x):
    def part(y):
        F = np.zeros(2)
        F[0], F[1] = y[0] ** 3, y[1] * y[0]
        return F

    return np.hstack([part(x[:2]), part(x[2:])])


def closure():
    n = 4

    def flux(x):
        f = np.zeros(n - 1)
        f[:] = x[1:] - x[:-1]
        return f

    def residual(x):
        F = np.zeros(n)
        f = flux(x)
        F[:-1] += f
        F[1:] -= f
        return F - x

    return residual


def recursive(x, depth=2, module=np):
    F = module.zeros(4)
    F[:] = x * (depth + 1)
    return F + recursive(x * x, depth - 1) if depth else F


def counting(x):
    calls = 0

    def count():
        nonlocal calls
        calls += 1

    F = np.zeros(4)
    F[:] = x**2
    count()
    return F * calls


@functools.wraps(slices)
def decorated(*args, **kwargs):
    return slices(*args, **kwargs)


class Model:
    factor = 2.0

    def residual(self, x):
        F = np.zeros(4)
        F[0], F[1:] = self.factor * x[0], x[:-1] * x[1:]
        return F

    def flux(self, x):
        q = np.zeros(5)
        q[:-1] = self.factor * np.diff(x, prepend=self.offset())
        return q

    @staticmethod
    def offset():
        return 0.5

    def balance(self, x):
        q = self.flux(x)
        return q[1:] - q[:-1]

    def __call__(self, x):
        self.calls = getattr(self, "calls", 0) + 1
        return self.balance(x)


class FinerModel(Model):
    def __init__(self):
        self.factor = 3.0

    def flux(self, x):
        return super().flux(x) + self.factor


def of_complex(x):
    F = np.zeros(4, dtype=complex)
    F[:] = x * (1 + 2j)
    return abs(F)


def copied(x):
    F = np.array(x)
    F[0] = x[1] ** 2
    return F + np.asarray(x, dtype=float) * 2


FUNCTIONS = {
    "slices": slices, "elements": elements, "increments": increments, "mesh": of_mesh,
    "functions inside": nested_functions, "closure": closure(), "recursive": recursive,
    "nonlocal": counting, "decorated": decorated, "method": Model().residual, "object": Model(),
    "method of a method": Model().balance, "finer": FinerModel().residual,
    "partial": functools.partial(recursive, depth=1), "complex": of_complex, "copied": copied,
    "vectors": lambda x: np.array([x[:2], x[2:] ** 2]).ravel(),
    "fromiter": lambda x: np.fromiter((z**2 for z in x), float, 3),
    "ndmin": lambda x: np.array(x[:2] * x[2:], ndmin=2) @ np.array([x[:2], x[2:]]),
    "list": lambda x: slices(x).tolist(),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_slopes_are_those_of_the_function(name):
    f = FUNCTIONS[name]
    for x in (X, X[::-1].copy(), X + 1.0):
        value, jacobian = ad.value_and_jacobian(f, x)
        np.testing.assert_array_equal(value, np.asarray(f(x)), strict=True)
        expected = numeric_jacobian(lambda z: np.ravel(f(z)), x)
        np.testing.assert_allclose(jacobian.toarray(), expected, rtol=1e-8, atol=1e-8)
        sparsity = evaluate(f, ad.seed_sparsity(x)).sparsity.toarray()
        assert not (sparsity == 0)[jacobian.toarray() != 0].any()
        if value.shape == (4,):
            np.testing.assert_allclose(ad.jvp(f, x, X)[1], jacobian @ X, rtol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_functions_have_the_same_bits(name):
    pytest.importorskip("llvmlite")
    assert_same_bits(FUNCTIONS[name], [X, X + 1.0])


def assigning(x):
    global counted
    counted += 1
    F = np.zeros(4)
    F[:] = x
    return F


def of_two_kinds(x):
    F = np.zeros(4)
    F[:] = x if type(F) is np.ndarray else 2.0 * x
    return F


def writing_into_x(x):
    x[0] = 0.0
    F = np.zeros(4)
    F[:] = x
    return F


def scaling_x(x):
    x *= 2.0
    F = np.zeros(4)
    F[:] = x
    return F


def into_a_global(x):
    buffer[:] = x
    return buffer


def with_names_in_text(x):
    F = np.zeros(4)
    F[:] = eval("factor") * x
    return F


def of_another_length(x):
    F = np.array([x[:1], x[1:3]])
    return F


def not_filled(x):
    F = np.zeros(4)
    F[0] = float(x[0])
    return F


def whole(x):
    F = np.ones(4)
    F *= x
    return F


def integers(x):
    F = np.zeros(4, dtype=int)
    F[:] = x
    return F


REFUSED = [assigning, of_two_kinds, writing_into_x, scaling_x, into_a_global, with_names_in_text,
           of_another_length, not_filled, whole, integers]  # fmt: skip


@pytest.mark.parametrize("f", REFUSED, ids=lambda f: f.__name__)
def test_what_cannot_have_the_right_values_is_refused(f):
    for _ in range(2):
        with pytest.raises(DerivativeError):
            ad.jacobian(f, X)


def test_names_that_change_later_are_seen(monkeypatch):
    for value in (1.0, 2.0, 5.0):
        monkeypatch.setitem(globals(), "factor", value)
        expected = numeric_jacobian(of_mesh, X)
        np.testing.assert_allclose(ad.jacobian(of_mesh, X).toarray(), expected, atol=1e-8)
    monkeypatch.setitem(globals(), "helper", lambda x, k: k * x)
    expected = numeric_jacobian(of_mesh, X)
    np.testing.assert_allclose(ad.jacobian(of_mesh, X).toarray(), expected, atol=1e-8)


def test_numpy_and_the_module_stay_as_they_are():
    makers = np.zeros, np.array, zeros, slices.__globals__["np"]
    ad.jacobian(slices, X)
    assert (np.zeros, np.array, zeros, slices.__globals__["np"]) == makers
    assert type(slices(X)) is np.ndarray


def balance(x, source=1.0):
    F = np.zeros(3)
    F[0] = x[0] - source
    F[1:] = x[1:] - x[:-1]
    return F


def decay(t, y):
    rates = np.zeros(2)
    rates[0] = -y[0]
    rates[1] = y[0] - y[1]
    return rates


def fields(u, v):
    F, G = np.zeros((2, 2)), np.zeros(3)
    F[0], F[1] = u[0] - 1.0, u[1] - u[0] ** 2
    G[:] = v - 2.0
    return {"u": F, "v": G}


def stored(x):
    Q = np.zeros(3)
    Q[:] = x**2
    return Q


@pytest.mark.parametrize("compiled", [False, True])
def test_a_problem_and_the_functions_of_scipy_take_them(compiled):
    if compiled:
        pytest.importorskip("llvmlite")
    start = [1.0, 2.0, 3.0]
    problem = Problem(balance, storage=stored, compiled=compiled)
    np.testing.assert_allclose(problem.solve(start).x, 1.0)
    np.testing.assert_allclose(problem.sweep(start, "source", [1.0, 2.0]).states[-1], 2.0)
    np.testing.assert_allclose(problem.mass_matrix(np.array(start)).toarray(), np.diag([2, 4, 6]))
    np.testing.assert_allclose(problem.sensitivity(problem.solve(start), "source"), 1.0)
    parts = Problem(fields, blocks={"u": (2, 2), "v": 3}, fields=True, compiled=compiled)
    np.testing.assert_allclose(parts.solve(np.ones(7)).x, [1, 1, 1, 1, 2, 2, 2])
    if not compiled:
        np.testing.assert_allclose(sgsolve.fsolve(balance, start), 1.0)
        np.testing.assert_allclose(sgsolve.root(balance, start).x, 1.0)
        run = sgsolve.solve_ivp(decay, (0, 1), [1.0, 0.0], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(run.y[:, -1], np.exp(-1.0), rtol=1e-6)
        J = ad.jacobian_function(decay, argnum=1)(0.0, [1.0, 0.0])
        np.testing.assert_allclose(J.toarray(), [[-1, 0], [1, -1]])
        blocks = ad.value_and_jacobian_blocks(lambda x, s: balance(x, s[0]), (start, [2.0]))[1]
        np.testing.assert_allclose(blocks[1].toarray().ravel(), [-1, 0, 0])


def test_threads_do_not_disturb_each_other():
    problem, solved = Problem(balance), {}

    def solve(k):
        solved[k] = problem.at(source=float(k)).solve([1.0, 2.0, 3.0]).x

    threads = [threading.Thread(target=solve, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(6):
        np.testing.assert_allclose(solved[k], k, atol=1e-12)


def test_a_method_that_assigns_a_global_name_is_refused():
    class Counting:
        def residual(self, x):
            F = np.zeros(4)
            F[:] = x
            return F + self.counted(x)

        def counted(self, x):
            return assigning(x)

    with pytest.raises(DerivativeError, match="like=x"):
        ad.jacobian(Counting().residual, X)


def test_an_error_of_the_user_stands():
    def outside(x):
        F = np.zeros(4)
        F[:] = np.sqrt(x)
        if x[0] > 1.0:
            raise ArithmeticError("outside of the model")
        return F

    ad.jacobian(outside, X)
    with pytest.raises(ArithmeticError, match="outside of the model"):
        ad.jacobian(outside, X + 1.0)


def test_attributes_that_a_method_sets_are_kept():
    model = Model()
    ad.jacobian(model, X)
    calls = model.calls
    ad.jacobian(model, X)
    assert type(model) is Model
    assert model.calls > calls


class Slotted:
    __slots__ = ("factor",)

    def residual(self, x):
        return self.part(x)

    def part(self, x):
        F = np.zeros(4)
        F[:] = x
        return F


class Array(np.ndarray):
    def residual(self, x):
        return self.part(x)

    def part(self, x):
        F = np.zeros(4)
        F[:] = self * x
        return F


@pytest.mark.parametrize("instance", [Slotted(), np.ones(4).view(Array)], ids=["slots", "ndarray"])
def test_methods_of_objects_that_are_more_than_their_attributes_are_refused(instance):
    with pytest.raises(DerivativeError, match=r"np\.zeros"):
        ad.jacobian(instance.residual, X)


class Locked:
    def __init__(self):
        self.lock, self.state = threading.RLock(), threading.local()

    def residual(self, x):
        F = np.zeros(4)
        with self.lock:
            F[:] = x**2
        return F


LOCKS = {"Lock": threading.Lock(), "RLock": threading.RLock(), "Condition": threading.Condition()}


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_a_function_may_hold_a_lock(lock):
    def f(x):
        F = np.zeros(4)
        with lock:
            F[:] = x**2
        return F

    for residual in (f, Locked().residual):
        np.testing.assert_allclose(ad.jacobian(residual, X).toarray(), np.diag(2 * X))


def test_an_object_of_compiled_code_is_left_as_it_is():
    spline = UnivariateSpline(np.arange(6.0), np.arange(6.0) ** 3, s=0)
    with pytest.raises(DerivativeError, match=r"UnivariateSpline.*ad\.elementwise"):
        ad.jacobian(spline, X)


def test_an_array_that_an_object_keeps_is_refused():
    class Keeping:
        kept = None

        def residual(self, x):
            if self.kept is None:
                self.kept = np.zeros(3)
            self.kept[:] = balance(x) * 2.0
            return self.kept + 0.0

    problem, residual = Problem(Keeping().residual), Keeping().residual
    for _ in range(2):
        with pytest.raises(DerivativeError):
            problem.solve(X[:3])
        with pytest.raises(DerivativeError):
            ad.jacobian(residual, X[:3])


model = residual_module.Model()


def of_module(x):
    return residual_module.differences(x) * x


def of_instance(x):
    return model.residual(x) + x


def of_instance_in_a_closure():
    own = residual_module.Model()
    return lambda x: own.residual(x) * x


def of_import(x):
    import numpy as other

    F = other.zeros(4)
    F[1:] = x[1:] * x[0]
    return F


def of_name_imported(x):
    from numpy import full

    F = full(4, 2.0)
    F[:2] *= x[2:]
    return F


@pytest.mark.parametrize(
    "f",
    [of_module, of_instance, of_instance_in_a_closure(), of_import, of_name_imported,
     residual_module.Model.of_class, model.of_property],
)  # fmt: skip
def test_arrays_made_in_modules_objects_and_imports(f):
    J = ad.jacobian(f, X).toarray()
    np.testing.assert_allclose(J, numeric_jacobian(f, X), rtol=1e-6, atol=1e-8)


def test_a_jacobian_evaluates_the_function_twice_and_the_first_three_times():
    calls = []

    def noting(x):
        calls.append(None)
        F = np.zeros(4)
        F[:] = x**2
        return F

    ad.jacobian(noting, X)
    assert len(calls) == 3
    ad.jacobian(noting, X)
    assert len(calls) == 5


def counting_in_module(x):
    residual_module.calls += 1
    return residual_module.differences(x)


def test_what_a_function_assigns_in_a_module_is_kept():
    residual_module.calls = 0
    ad.jacobian(counting_in_module, X)
    assert residual_module.calls > 0
