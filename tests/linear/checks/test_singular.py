"""The message of a singular matrix names what the user should look at."""

import pytest
import scipy.sparse as sp

from sgsolve.errors import BackendError
from sgsolve.linear.checks import singular
from sgsolve.linear.methods.direct.pardiso import available
from tests.linear.matrices import equal_rows, grid, neumann, three_equations_in_two_unknowns
from tests.linear.refused import failure

NAMES = ["auto", "superlu", "banded"] + ["pardiso"] * available()


@pytest.mark.parametrize("name", NAMES)
def test_equal_equations_are_named(name):
    error = failure(equal_rows(rows=(17, 203)), name)
    assert set(error.rows) == {17, 203}
    assert "depend on each other" in str(error)


@pytest.mark.parametrize("name", NAMES)
def test_unknowns_that_enter_only_as_a_sum_are_named(name):
    error = failure(sp.csr_array(equal_rows(rows=(40, 41)).T), name)
    assert set(error.columns) == {40, 41}


@pytest.mark.parametrize("name", NAMES)
def test_equations_with_too_few_unknowns_are_named(name):
    error = failure(three_equations_in_two_unknowns(), name)
    assert set(error.rows) == {5, 100, 300}
    assert "equations 5, 100, 300 contain only unknowns 40, 200" in str(error)


def test_unknowns_with_too_few_equations_are_named():
    error = failure(sp.csr_array(three_equations_in_two_unknowns().T))
    assert set(error.columns) == {5, 100, 300}
    assert "unknowns 5, 100, 300 enter only equations 40, 200" in str(error)


@pytest.mark.parametrize("name", NAMES)
def test_floating_potential_is_recognized(name):
    error = failure(sp.csr_array(sp.block_diag([grid(8, -5.0), neumann(12)])), name)
    assert all(column >= 64 for column in error.columns)
    assert "determined up to a constant only" in str(error)


def test_large_systems_use_the_factors_that_are_there(monkeypatch):
    monkeypatch.setattr(singular, "SEARCHED_UP_TO", 0)
    error = failure(sp.csr_array(sp.block_diag([grid(8, -5.0), neumann(12)])))
    assert "depend on each other" in str(error)
    assert error.columns
    assert all(column >= 64 for column in error.columns)


def test_empty_row_and_column_are_named():
    A = sp.lil_array(grid(8, -5.0))
    A[11] = 0
    A[:, 33] = 0
    error = failure(sp.csr_array(A))
    assert error.rows[0] == 11
    assert error.columns[0] == 33
    assert "equations 11 contain only unknowns none" in str(error)


def test_zero_derivatives_are_named():
    A = grid(8, -5.0)
    A.data[A.indptr[11] : A.indptr[12]] = 0.0
    error = failure(A)
    assert error.rows == (11,)
    assert "only zero derivatives in equations 11" in str(error)


def test_two_equal_equations_are_no_missing_constant():
    assert "constant" not in str(failure(equal_rows()))


def test_a_matrix_too_large_to_be_searched_is_singular_all_the_same(monkeypatch):
    monkeypatch.setattr(singular, "SEARCHED_UP_TO", 3)
    error = failure(equal_rows(), "superlu")
    assert "no equation can be singled out" in str(error)
    assert error.rows == error.columns == ()


def test_a_matrix_that_no_change_of_its_entries_makes_regular_names_no_equation():
    A = sp.csr_array(([1.0, 2.0, 3.0], [0, 0, 0], [0, 1, 2, 3]), shape=(3, 3))
    assert singular._numerical(A, None) == ("no equation can be singled out", [], [])


def test_factors_that_fail_name_no_equation():
    def solve(b, transpose):
        raise BackendError("the factors are gone")

    assert singular._numerical(equal_rows(), solve) == ("no equation can be singled out", [], [])
