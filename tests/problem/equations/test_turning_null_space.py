"""Null spaces that turn with x: scales of prices, ratios of factors."""

import numpy as np
import pytest

from sgsolve import Problem, solvers

RANDOM = np.random.default_rng(0)
OWNED = RANDOM.random((6, 5))
SHARES = RANDOM.dirichlet(np.ones(5), 6)


def excess_demand(prices):
    """Of consumers who spend constant shares of the value of what they own."""
    return (OWNED @ prices) @ SHARES / prices - OWNED.sum(axis=0)


def products(x):
    """Equations of the product of two factors, which they determine alone."""
    a, b, c = x
    return [a * b * c - 6.0, a * b + c**2 - 11.0, 2.0 * a * b * c + a * b + c**2 - 23.0]


@pytest.mark.parametrize("start", [np.ones(5), np.array([3.0, 1.0, 0.5, 2.0, 1.0])])
def test_prices_up_to_their_scale(start):
    problem = Problem(excess_demand, null_space=lambda prices: prices)
    result = problem.solve(start, solvers.DampedNewton())
    # what is spent on each good is its price times what there is: an eigenvector
    spending = SHARES.T @ OWNED / OWNED.sum(axis=0)[:, None]
    values, vectors = np.linalg.eig(spending)
    prices = np.abs(vectors[:, np.argmin(np.abs(values - 1.0))])
    np.testing.assert_allclose(result.x / result.x.sum(), prices / prices.sum(), rtol=1e-9)
    assert result.nit <= 8


def test_factors_up_to_their_ratio():
    problem = Problem(products, null_space=lambda x: [x[0], -x[1], 0.0])
    result = problem.solve([4.0, 1.0, 2.5], solvers.DampedNewton())
    a, b, c = result.x
    np.testing.assert_allclose([a * b, c], [2.0, 3.0], rtol=1e-9)
    assert result.nit <= 8
