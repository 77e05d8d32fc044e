"""A residual and its Jacobian as a system of equations: what a user may do, and still be right."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import OutOfMemoryError, Problem, solvers


def test_own_jacobian_may_leave_its_first_pattern():
    def residual(x):
        return np.array([x[0] - 3.0 * max(x[1] - 1.0, 0.0), x[1] - 2.0])

    def jacobian(x):
        J = sp.lil_array((2, 2))
        J[0, 0] = J[1, 1] = 1.0
        if x[1] > 1.0:
            J[0, 1] = -3.0
        return J

    problem = Problem(residual, jacobian=jacobian)
    result = problem.solve([0.0, 0.0], solvers.Newton())
    assert np.allclose(result.x, [3.0, 2.0])
    assert problem.sparsity([0.0, 0.0]).nnz == 3  # grown, and kept
    assert problem.jacobian([0.0, 0.0]).toarray().tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_own_jacobian_may_name_an_entry_twice():
    def jacobian(x):
        rows, columns = [0, 0, 1, 0], [0, 1, 1, 0]
        csr = sp.csr_array((2, 2))
        order = np.argsort(rows, kind="stable")
        data = np.array([1.5, 1.0, 1.0, 0.5])[order]
        csr.data, csr.indices = data, np.array(columns, dtype=np.int32)[order]
        csr.indptr = np.array([0, 3, 4], dtype=np.int32)
        return csr

    problem = Problem(lambda x: np.array([2.0 * x[0] + x[1] - 4.0, x[1] - 2.0]), jacobian=jacobian)
    assert problem.jacobian([0.0, 0.0]).toarray().tolist() == [[2.0, 1.0], [0.0, 1.0]]
    assert problem.solve([5.0, 5.0], solvers.Newton()).nit == 1


def test_own_jacobian_of_another_structure_with_as_many_entries_in_each_row():
    def jacobian(x):
        J = np.eye(3)
        J[0, 1 if x[0] > 0.0 else 2] = -1.0
        return sp.csr_array(J)

    problem = Problem(lambda x: x, jacobian=jacobian)
    for x in ([1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]):
        assert problem.jacobian(x).toarray().tolist() == jacobian(x).toarray().tolist()


def test_residual_may_return_the_same_array_every_time():
    out = np.empty(2)

    def residual(x):
        np.subtract(x**3, [8.0, 27.0], out=out)
        return out

    result = Problem(residual, jacobian=lambda x: np.diag(3.0 * x**2)).solve([1.0, 1.0])
    assert np.allclose(result.x, [2.0, 3.0])
    assert np.allclose(result.residual, residual(result.x), atol=1e-12)
    kept = result.residual.copy()
    residual(np.zeros(2))
    assert np.array_equal(result.residual, kept)


def test_equations_without_a_diagonal_take_pseudo_time_steps():
    def swapped(x):  # a rotation, which implicit time steps damp
        return np.stack([x[1] - 1.0, 2.0 - x[0]])

    problem = Problem(swapped)
    assert problem.sparsity([0.0, 0.0]).nnz == 4
    result = problem.solve([0.0, 0.0], solvers.PseudoTransient())
    assert np.allclose(result.x, [2.0, 1.0])


def test_pattern_holds_the_entries_of_all_branches_met():
    def residual(x, forward):
        if forward:
            return np.stack([x[0] - x[1], x[1] - 1.0])
        return np.stack([x[0] - 1.0, x[1] - x[0]])

    problem = Problem(residual, params={"forward": True})
    assert np.allclose(problem.solve([0.0, 3.0]).x, 1.0)
    assert np.allclose(problem.at(forward=False).solve([0.0, 3.0]).x, 1.0)
    assert problem.sparsity([0.0, 0.0]).nnz == 4
    assert problem.solve([0.0, 3.0]).stats.n_analyze == 0


def test_sensitivity_with_an_own_jacobian_where_the_parameter_is_zero():
    problem = Problem(
        lambda x, a: x - np.sin(a), params={"a": 0.0}, jacobian=lambda x, a: np.eye(2)
    )
    assert np.allclose(problem.sensitivity([0.0, 0.0], "a"), 1.0, rtol=0.0, atol=1e-9)


def hungry(where):
    """A residual that finds no memory: always, or where derivatives are computed."""

    def residual(x):
        if where == "residual" or type(x) is not np.ndarray:
            raise MemoryError("Unable to allocate 9 GiB")
        return x - 1.0

    return residual


@pytest.mark.parametrize(
    ("where", "verb"),
    [("residual", "evaluate the residual"), ("jacobian", "find the pattern of the Jacobian")],
)
@pytest.mark.parametrize("call", ["solve", "linearize", "sweep", "estimate"])
def test_a_lack_of_memory_is_an_error_of_sgsolve(where, verb, call):
    problem = Problem(lambda x, a: hungry(where)(x), params={"a": 1.0})
    more = ("a", [1.0, 2.0]) if call == "sweep" else ()
    with pytest.raises(OutOfMemoryError, match=rf"memory to {verb} of 3 unknowns \(Unable.*9 GiB"):
        getattr(problem, call)(np.ones(3), *more)


def test_a_lack_of_memory_for_the_values_of_a_jacobian_is_an_error_of_sgsolve(monkeypatch):
    problem = Problem(lambda x: x**2 - 4.0)
    problem.solve(np.ones(3))

    def none(*_):
        raise MemoryError

    monkeypatch.setattr("sgsolve.ad.jacobian_values", none)
    with pytest.raises(OutOfMemoryError, match="memory to evaluate the Jacobian of 3 unknowns"):
        problem.solve(np.ones(3))


def test_a_lack_of_memory_in_a_solver_is_an_error_of_sgsolve():
    def none(*_):
        raise MemoryError("Unable to allocate 9 GiB")

    problem = Problem(lambda x, a: x**2 - a, params={"a": 4.0})
    words = r"memory to solve the equations of 3 unknowns \(Unable to allocate 9 GiB\)"
    with pytest.raises(OutOfMemoryError, match=words):
        problem.solve(np.ones(3), callback=none)
    with pytest.raises(OutOfMemoryError, match=words):
        problem.sweep(np.ones(3), "a", [1.0, 2.0], outputs={"none": none})
    in_time = Problem(lambda x: x - 1.0, storage=lambda x: x)
    with pytest.raises(OutOfMemoryError, match="memory to integrate the equations of 3 unknowns"):
        in_time.transient(np.zeros(3), (0.0, 1.0), outputs={"none": none})
