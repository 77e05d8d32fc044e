"""sgsolve.root: SciPy's signature."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import optimize

from sgsolve import InputError, root
from sgsolve.solvers import Newton


def fun(x, a):
    return np.stack([x[0] ** 2 + x[1] - a, x[0] - x[1]])


@pytest.mark.parametrize("method", ["robust", "newton", "damped", "hybr", "lm", "krylov", "ptc"])
def test_methods(method):
    solution = root(fun, [1.0, 2.0], args=(6.0,), method=method)
    assert solution.success
    assert np.allclose(solution.x, [2.0, 2.0])
    assert np.abs(solution.fun).max() < 1e-8
    assert solution.nit > 0


def test_own_jacobian_sparse():
    def jac(x, a):
        return sp.csr_array(np.array([[2.0 * x[0], 1.0], [1.0, -1.0]]))

    assert np.allclose(root(fun, [1.0, 2.0], 6.0, jac=jac).x, 2.0)


def test_function_with_jacobian():
    def both(x):
        return np.array([x[0] ** 2 - 4.0]), np.array([[2.0 * x[0]]])

    assert np.allclose(root(both, [1.0], jac=True).x, 2.0)


def test_failure_does_not_raise():
    assert not root(lambda x: x**2 + 1.0, [1.0]).success


def test_options_tol_callback_and_solver():
    seen = []
    root(fun, [1.0, 2.0], (6.0,), "newton", tol=1e-3, callback=lambda x, f: seen.append(f))
    assert len(seen) > 2
    assert root(fun, [9.0, 2.0], (6.0,), "newton", options={"max_iterations": 1}).nit == 1
    assert root(fun, [1.0, 2.0], (6.0,), Newton()).success


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "magic"}, "unknown method"),
        ({"tol": 0.0}, "tol must be positive"),
        ({"tol": np.inf}, "tol must be positive and finite"),
        ({"tol": "a"}, "tol must be"),
        ({"options": {"maxit": 3}}, "options of method 'robust': there is no 'maxit'.*maxiter"),
        ({"options": {"maxiter": 2.5}}, "maxiter must be"),
        ({"options": {"maxfev": -1}}, "maxfev must be"),
        ({"options": {"xtol": 0.0}}, "xtol must be positive"),
        ({"options": {"ftol": np.nan}}, "ftol must be positive"),
        ({"options": {"eps": 1e-8}}, "'eps'.*exact"),
        ({"options": {"band": (1, 1)}}, "'band'.*exact"),
        ({"options": {"factor": 0.1}}, "'factor'.*solver"),
        ({"options": {"jac_options": {}}}, "'jac_options'.*exact"),
        ({"options": {"xtol": 1e-3, "termination": None}}, "either termination or xtol"),
        ({"method": "broyden1"}, "'broyden1' of SciPy approximates.*robust"),
        ({"method": "df-sane"}, "'df-sane' of SciPy"),
        ({"jac": 3.0}, "jac must be"),
        ({"method": Newton(), "tol": 1e-3}, "go with a method's name"),
    ],
)
def test_bad_arguments(arguments, text):
    with pytest.raises(InputError, match=text):
        root(fun, [1.0, 2.0], (6.0,), **arguments)


METHODS = ["robust", "newton", "damped", "hybr", "lm", "krylov", "ptc"]


class Called:
    """A function that counts its calls."""

    def __init__(self, f):
        self.f, self.count = f, 0

    def __call__(self, *args):
        self.count += 1
        return self.f(*args)


@pytest.mark.parametrize("method", METHODS)
def test_evaluations_are_counted_as_they_are_made(method):
    f = Called(fun)
    solution = root(f, [1.0, 2.0], 6.0, method)
    assert solution.success
    assert solution.nfev == f.count
    assert 0 < solution.njev <= f.count


@pytest.mark.parametrize("method", ["robust", "hybr", "lm"])
def test_evaluations_of_an_own_jacobian(method):
    f = Called(fun)
    jac = Called(lambda x, a: np.array([[2.0 * x[0], 1.0], [1.0, -1.0]]))
    solution = root(f, [1.0, 2.0], 6.0, method, jac)
    assert (solution.nfev, solution.njev) == (f.count, jac.count)

    both = Called(lambda x, a: (fun(x, a), np.array([[2.0 * x[0], 1.0], [1.0, -1.0]])))
    solution = root(both, [1.0, 2.0], 6.0, method, True)
    assert solution.success
    assert solution.nfev == both.count
    assert both.count <= f.count + jac.count  # F and J of one point come from one call


def test_names_of_scipy_are_items():
    solution = root(fun, [1.0, 2.0], 6.0)
    np.testing.assert_array_equal(solution["x"], solution.x)
    assert dict(solution)["nfev"] == solution.nfev == solution.get("nfev")
    assert set(solution.keys()) == set(solution) == {k for k, _ in solution.items()}
    assert "fun" in solution
    assert "jac" not in solution
    assert solution.get("jac", 3) == 3
    with pytest.raises(KeyError, match=r"no 'jac'.*success"):
        solution["jac"]


@pytest.mark.parametrize("method", ["robust", "newton", "damped", "hybr"])
def test_a_loose_tolerance_ends_early(method):
    def steep(x):
        return np.exp(x) - 10.0

    tight = root(steep, [3.0], method=method)
    exact = np.log(10.0)
    counts = [tight.nfev]
    for options in ({"tol": 1e-2}, {"options": {"xtol": 1e-2}}, {"options": {"ftol": 1e-2}},
                    {"options": {"fatol": 0.1}}):  # fmt: skip
        loose = root(steep, [3.0], method=method, **options)
        assert loose.success
        assert loose.nfev < tight.nfev
        assert abs(loose.x[0] - exact) < 2e-2 * exact
        assert abs(loose.x[0] - exact) > 1e-13
        counts.append(loose.nfev)
    tightest = root(steep, [3.0], method=method, tol=1e-14)
    assert tightest.success
    assert abs(tightest.x[0] - exact) < 1e-14 * exact


@pytest.mark.parametrize("method", METHODS)
def test_limits_of_iterations_and_evaluations(method):
    def steep(x):
        return np.exp(x) - 10.0

    f = Called(steep)
    few = root(f, [30.0], method=method, options={"maxiter": 3})
    assert not few.success
    assert few.nit <= 3
    assert "3" in few.message
    f = Called(steep)
    few = root(f, [30.0], method=method, options={"maxfev": 6})
    assert not few.success
    assert few.nfev == f.count < 40
    assert "maxfev = 6" in few.message
    assert root(steep, [3.0], method=method, options={"maxfev": 0, "maxiter": None}).success


def test_disp_prints(capsys):
    root(fun, [1.0, 2.0], 6.0, options={"disp": True})
    assert "residual" in capsys.readouterr().out.lower()


def test_shapes_of_one_equation():
    for f in (
        lambda x: np.cos(x[0]) - x[0],
        lambda x: [np.cos(x[0]) - x[0]],
        lambda x: np.cos(x) - x,
    ):
        assert abs(root(f, 1.0).x[0] - 0.7390851332151607) < 1e-12
        assert abs(root(f, [1.0], method="newton").x[0] - 0.7390851332151607) < 1e-12
    slope = root(lambda x: x**2 - 4.0, 1.0, jac=lambda x: 2.0 * x)
    assert np.allclose(slope.x, 2.0)


def test_jacobian_down_the_columns():
    def down(x, a):
        return [[2.0 * x[0], 1.0], [1.0, -1.0]]

    options = {"col_deriv": True}
    assert np.allclose(root(fun, [1.0, 2.0], 6.0, jac=down, options=options).x, 2.0)


def test_lists_of_equations():
    def equations(x, a):
        return [x[0] ** 2 + x[1] - a, x[0] - x[1]]

    for method in METHODS:
        assert np.allclose(root(equations, [1.0, 2.0], 6.0, method).x, 2.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"jac": True}, "jac=True: fun must return"),
        ({"jac": lambda x, a: None}, "jacobian returned None"),
        ({"jac": lambda x, a: [[1.0], [1.0, 2.0]]}, "jacobian returned no regular"),
    ],
)
def test_what_functions_return_is_checked(arguments, words):
    with pytest.raises(InputError, match=words):
        root(lambda x, a: x - a, [1.0, 2.0, 3.0], (6.0,), **arguments)
    with pytest.raises(InputError, match="fun must be a function"):
        root(3.0, [1.0])


def test_the_last_step_is_below_its_tolerance():
    steps = []
    solution = root(
        fun,
        [1.0, 9.0],
        args=(6.0,),
        method="newton",
        options={"xatol": 1e-3},
        callback=lambda x, F: steps.append(x.copy()),
    )
    assert solution.success
    assert np.abs(steps[-1] - steps[-2]).max() <= 1e-3


def test_a_callback_that_returns_true_ends_the_solve():
    seen = []

    def callback(x, F):
        seen.append(x)
        return len(seen) == 2

    solution = root(fun, [50.0, 90.0], args=(6.0,), callback=callback)
    assert not solution.success
    assert len(seen) == 2


def test_krylov_keeps_the_shape_of_the_start_as_scipy():
    """The example of SciPy's documentation: an integro-differential equation on a square."""
    nx, ny = 9, 7
    hx, hy = 1.0 / (nx - 1), 1.0 / (ny - 1)

    def residual(P, level):
        along, across = np.zeros_like(P), np.zeros_like(P)
        along[1:-1] = (P[2:] - 2 * P[1:-1] + P[:-2]) / hx**2
        along[0] = (P[1] - 2 * P[0]) / hx**2
        along[-1] = (P[-2] - 2 * P[-1]) / hx**2
        across[:, 1:-1] = (P[:, 2:] - 2 * P[:, 1:-1] + P[:, :-2]) / hy**2
        across[:, 0] = (P[:, 1] - 2 * P[:, 0]) / hy**2
        across[:, -1] = (1.0 - 2 * P[:, -1] + P[:, -2]) / hy**2
        return along + across - level * np.cosh(P).mean() ** 2

    seen = []
    guess = np.zeros((nx, ny))
    ours = root(residual, guess, 3.0, "krylov", callback=lambda x, f: seen.append((x, f)))
    theirs = optimize.root(residual, guess, (3.0,), method="krylov", tol=1e-9)
    assert ours.success
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-6)
    assert ours["x"].shape == ours.fun.shape == guess.shape
    assert {one.shape for pair in seen for one in pair} == {guess.shape}
    assert ours.jacobian.shape == (nx * ny, nx * ny)
    assert f"{nx * ny} unknowns" in repr(ours)
    assert str(nx * ny) in str(ours)


def test_the_jacobian_of_a_solution_that_took_products_only():
    found = root(lambda x: x**2 - [4.0, 9.0], [1.0, 1.0], method="krylov")
    np.testing.assert_allclose(found.jacobian.toarray(), np.diag([4.0, 6.0]), rtol=1e-9)
