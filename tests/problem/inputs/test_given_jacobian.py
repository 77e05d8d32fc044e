"""A user's Jacobian whose entries vanish at the start: values are no structure."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, StructureError, root, solvers


def parabola(x):
    return np.hstack([x[0] ** 2 - 1.0, x[1] - x[0]])


def chain(x):
    """x_i^2 - x_(i-1) with x_(-1) = 4: solutions 4^(1/2^(i+1)), up to signs."""
    return x**2 - np.hstack([4.0, x[:-1]])


CASES = {
    "a zero row": (parabola, lambda x: np.array([[2 * x[0], 0.0], [-1.0, 1.0]]), [0.0, 0.5]),
    "a zero column": (
        lambda x: np.hstack([x[0] - 1.0 + x[1] ** 2, 2 * x[0] - 1.5 + x[1] ** 3]),
        lambda x: np.array([[1.0, 2 * x[1]], [2.0, 3 * x[1] ** 2]]),
        [1.0, 0.0],
    ),
    "all zero": (
        lambda x: np.hstack([x[0] ** 2 + x[1] ** 2 - 1.0, x[0] * x[1] - 0.3]),
        lambda x: np.array([[2 * x[0], 2 * x[1]], [x[1], x[0]]]),
        [0.0, 0.0],
    ),
    "a chain with zeros": (
        chain,
        lambda x: np.diag(2.0 * x) - np.eye(4, k=-1),
        [0.0, 0.0, 3.0, 0.0],
    ),
    "zero for x < 1": (
        lambda x: np.hstack([np.maximum(x[0] - 1.0, 0.0) ** 2 - x[1], x[1] + x[0] - 3.0]),
        lambda x: np.array([[2.0 * max(x[0] - 1.0, 0.0), -1.0], [1.0, 1.0]]),
        [0.0, 0.0],
    ),
}
FORMS = {"dense": np.asarray, "csr": sp.csr_array, "coo": sp.coo_array, "lil": sp.lil_array}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CASES)
def test_zeros_at_the_start_are_no_structure(name, form):
    f, J, start = CASES[name]
    result = Problem(f, jacobian=lambda x: FORMS[form](J(x))).solve(start)
    assert np.abs(f(result.x)).max() < 1e-9
    assert root(f, start, jac=lambda x: FORMS[form](J(x))).success


@pytest.mark.parametrize("name", ["TrustRegion", "LevenbergMarquardt", "PseudoTransient"])
def test_the_pattern_grows_in_every_solver(name):
    f, J, _ = CASES["a chain with zeros"]
    problem = Problem(f, jacobian=J)
    assert problem.sparsity([0.0, 0.0, 0.0, 0.0]).nnz == 7
    result = problem.solve([1.0, 1.0, 3.0, 1.0], getattr(solvers, name)())
    assert result.x == pytest.approx(4.0 ** (0.5 ** np.arange(1, 5)), rel=1e-9)


def test_sweep_and_continuation_from_a_jacobian_of_zeros():
    """x^2 = p, y = x from (0, 0) at p = 0: at p = 1, x = y = 1 or -1."""
    problem = Problem(
        lambda x, p: np.array([x[0] ** 2 + 1e-3 * x[0] - p, x[1] - x[0]]),
        jacobian=lambda x, p: np.array([[2 * x[0] + 1e-3, 0.0], [-1.0, 1.0]]),
        params={"p": 0.0},
    )
    right = -5e-4 + np.sqrt(2.5e-7 + 1.0)
    assert problem.sweep([0.0, 0.0], "p", [0.0, 0.25, 1.0]).at(-1)[0] == pytest.approx(
        [right, right]
    )
    hidden = Problem(  # its off-diagonal entry is zero at the start
        lambda x, p: np.array([x[0] - p + x[1] ** 2, x[1] - x[0] ** 2]),
        jacobian=lambda x, p: np.array([[1.0, 2 * x[1]], [-2 * x[0], 1.0]]),
        params={"p": 0.0},
    )
    branch = hidden.continuation([0.0, 0.0], "p", (0.0, 1.0))
    x, params = branch.at(-1)
    assert params["p"] == pytest.approx(x[0] + x[1] ** 2)
    assert x[1] == pytest.approx(x[0] ** 2)


@pytest.mark.parametrize("form", FORMS)
def test_an_equation_without_unknowns_is_refused_all_the_same(form):
    problem = Problem(
        lambda x: np.array([x[0] ** 2 - 1.0, 2.0]),
        jacobian=lambda x: FORMS[form](np.array([[2 * x[0], 0.0], [0.0, 0.0]])),
    )
    with pytest.raises(StructureError, match=r"no unknown appears in equation x\[1\]"):
        problem.solve([0.0, 1.0])


def test_points_outside_the_model_are_skipped():
    def jacobian(x):
        if x.min() < -0.5:
            raise ValueError("math domain error")
        return np.array([[2 * x[0], 0.0], [-1.0, 1.0]])

    assert Problem(parabola, jacobian=jacobian).solve([0.0, 0.5]).success


def logarithm(x):
    """Zero slopes at x = 1, and no values below 1 - 1e-3."""
    if x.min() < 1.0 - 1e-3:
        raise ArithmeticError("outside the model")
    return np.log(x) ** 2 - 0.0


def test_the_pattern_is_looked_for_inside_the_model_only():
    """J vanishes at the start; the points around it are partly outside the model."""

    def jacobian(x):
        logarithm(x)
        J = np.diag(2.0 * np.log(x) / x)
        return np.where(np.abs(x - 1.0).max() > 1e-6, J, 0.0)

    pattern = Problem(logarithm, jacobian=jacobian).sparsity(np.ones(3))
    assert pattern.nnz == 3


def test_the_direction_of_krylov_methods_takes_the_given_jacobian():
    calls = []

    def jacobian(x):
        calls.append(1)
        return np.diag(2.0 * x)

    method = solvers.NewtonMethod(direction=solvers.KrylovDirection())
    result = Problem(lambda x: x**2 - 4.0, jacobian=jacobian).solve([3.0, 1.0], method)
    assert result.x == pytest.approx([2.0, 2.0])
    assert calls
