"""Derivatives of the Jacobian along a direction: their error, and how many matrices they take."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve.bifurcation.normal_forms.directional import slopes_along

X, V = np.array([0.3, -1.2, 0.0]), np.array([0.6, 0.0, -0.8])
SMOOTH = {  # the diagonal of J, and its first and second derivatives
    "trigonometric": (np.sin, np.cos, lambda x: -np.sin(x)),
    "exponential": (np.exp, np.exp, np.exp),
    "rational": (lambda x: 1 / (9 + x), lambda x: -1 / (9 + x) ** 2, lambda x: 2 / (9 + x) ** 3),
}


def matrices(function):
    """Return a pencil of diagonal matrices and the points at which it was asked for."""
    asked = []

    def pencil(x):
        asked.append(x)
        diagonal = sp.csr_array(np.diag(function(x)))
        return diagonal, 0.0 * diagonal

    return pencil, asked


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_take_the_matrices_of_one_length(name):
    function, first, second = SMOOTH[name]
    pencil, asked = matrices(function)
    found = slopes_along(pencil, X, V)
    assert len(asked) == 9
    for matrix, exact in ((found.J1, first(X) * V), (found.J2, second(X) * V**2)):
        assert np.abs(matrix.toarray() - np.diag(exact)).max() <= 1e-9 * np.abs(exact).max()


def test_known_matrices_are_not_asked_for_again():
    function, first, _ = SMOOTH["trigonometric"]
    pencil, asked = matrices(function)
    found = slopes_along(pencil, X, V, pencil(X))
    assert len(asked) == 9
    assert np.abs(found.J1.toarray() - np.diag(first(X) * V)).max() <= 1e-9


def test_a_function_that_turns_on_the_length_takes_shorter_ones():
    pencil, asked = matrices(lambda x: np.sin(30.0 * x))
    found = slopes_along(pencil, X, V)
    assert len(asked) > 9
    exact = np.diag(30.0 * np.cos(30.0 * X) * V)
    assert np.abs(found.J1.toarray() - exact).max() <= 1e-8 * np.abs(exact).max()
