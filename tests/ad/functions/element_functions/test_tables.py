"""np.interp of values that depend on x."""

import numpy as np
import pytest

from sgsolve import DerivativeError, Problem, ad

NODES = np.array([0.0, 0.1, 0.4, 0.4, 1.0])


@pytest.mark.parametrize("ends", [{}, {"left": 5.0}, {"left": 1.0, "right": -2.0}])
@pytest.mark.parametrize("x", [0.3, [0.5, 0.7], NODES, [[-0.2, 0.15], [0.99, 1.3]]])
def test_values_may_depend_on_unknowns(x, ends):
    y = np.random.default_rng(0).random(5)
    found = np.interp(x, NODES, ad.seed(y), **ends)
    np.testing.assert_allclose(ad.value(found), np.interp(x, NODES, y, **ends), rtol=1e-14)
    ends = dict.fromkeys(ends, 0.0)  # constants have no derivative
    slopes = [np.ravel(np.interp(x, NODES, column, **ends)) for column in np.eye(5)]
    np.testing.assert_allclose(found.jacobian.toarray(), np.transpose(slopes), atol=1e-14)


def test_a_field_is_read_at_other_places():
    x = np.linspace(0.0, 1.0, 6)
    problem = Problem(lambda u: u - 0.5 * np.interp(x**2, x, u) - x)
    u = problem.solve(np.zeros(6)).x
    np.testing.assert_allclose(u, 0.5 * np.interp(x**2, x, u) + x, rtol=1e-12)
    assert problem.check_jacobian(u).ok


def test_nodes_that_depend_on_unknowns_are_refused():
    with pytest.raises(DerivativeError, match="searchsorted"):
        np.interp(0.5, ad.seed([0.0, 1.0]), [1.0, 2.0])
