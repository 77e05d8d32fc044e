"""The ways to put coefficients into a matrix: each where it is the cheapest, all exact."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Pattern, ad
from sgsolve.ad.assembly.plan import MOST_PLANS, Plan, drop_oldest, plan_of
from sgsolve.errors import StructureError

X = np.linspace(0.5, 2.0, 40)
LAPLACE = np.diag(np.full(39, 1.0), -1) + np.diag(np.full(40, -2.0)) + np.diag(np.full(39, 1.0), 1)
SPARSE = sp.csr_array(LAPLACE)


def laplacian(x):
    return np.concatenate([x[1:], [0.0]]) - 2.0 * x + np.concatenate([[0.0], x[:-1]])


WAYS = {
    "template": (lambda x: 3.0 * laplacian(x), lambda v: 3.0 * LAPLACE),
    "gather": (lambda x: x**2, lambda v: np.diag(2.0 * v)),
    "set": (lambda x: laplacian(x) + np.exp(x), lambda v: LAPLACE + np.diag(np.exp(v))),
    "product": (lambda x: SPARSE @ np.exp(x), lambda v: LAPLACE * np.exp(v)),
}


@pytest.fixture
def ways(monkeypatch):
    """The ways of the plans that were used so far."""
    used, fill = [], Plan.fill

    def noted(self, *arguments):
        used.append(self.way)
        return fill(self, *arguments)

    monkeypatch.setattr(Plan, "fill", noted)
    return used


@pytest.mark.parametrize("way", WAYS)
def test_each_way_gives_the_derivative_at_every_evaluation(way, ways):
    f, exact = WAYS[way]
    pattern = ad.sparsity_pattern(f(ad.seed_sparsity(X)))
    for factor in (1.0, 1.5, 1.0, 0.25, 2.0, 3.0):
        v = factor * X
        data = ad.jacobian_values(f(ad.seed(v)), pattern)
        np.testing.assert_allclose(pattern.matrix(data).toarray(), exact(v), rtol=1e-14)
    assert set(ways) == {way}


@pytest.mark.parametrize("way", WAYS)
def test_entries_of_a_larger_pattern_are_zero(way):
    f, exact = WAYS[way]
    whole = Pattern.of(np.ones((40, 40)))
    for _ in range(3):
        data = ad.jacobian_values(f(ad.seed(X)), whole)
        np.testing.assert_allclose(whole.matrix(data).toarray(), exact(X), rtol=1e-14)


def test_numbers_may_change_between_evaluations():
    pattern = Pattern.of(LAPLACE)
    for k in (1.0, -2.0, 0.0, 1.0):
        J = pattern.matrix(ad.jacobian_values(k * laplacian(ad.seed(X)), pattern))
        np.testing.assert_array_equal(J.toarray(), k * LAPLACE)


@pytest.mark.parametrize("kind", [complex, np.longdouble])
def test_sums_have_the_order_of_those_of_doubles(kind):
    """Numbers that a loop reads are asked for as complex ones: the same numbers, bit for bit."""

    def f(x):
        return 0.1 * np.sum(x) + np.sum(np.sin(x[[0, 1, 0]]) * x[[1, 0, 0]])

    generator = np.random.default_rng(0)
    for _ in range(50):
        derivative = f(ad.seed(generator.uniform(-1.0, 1.0, 3)))._derivative.carried_out()
        terms = derivative.final().terms
        plan = plan_of(derivative.root.root, terms, 1, None)
        assert plan.way == "product"
        data, others = (plan.fill(list(terms.values()), np.dtype(d)) for d in (float, kind))
        if kind is complex:
            np.testing.assert_array_equal(others, data)
        else:
            np.testing.assert_allclose(others, data, rtol=1e-14)


def test_an_entry_outside_the_pattern_is_named():
    diagonal = Pattern.of(np.eye(40))
    with pytest.raises(StructureError, match=r"element \(0, 1\) of the Jacobian") as caught:
        ad.jacobian_values(laplacian(ad.seed(X)), diagonal)
    assert (caught.value.rows, caught.value.columns) == ((0,), (1,))


def test_a_residual_of_many_branches_keeps_few_plans():
    class Used:
        def __init__(self, used):
            self.used = used

    plans = {k: Used(k) for k in range(1, MOST_PLANS + 1)}
    drop_oldest(plans, MOST_PLANS)
    assert len(plans) == MOST_PLANS
    plans["new"] = Used(0)
    drop_oldest(plans, MOST_PLANS)
    assert 1 not in plans
    assert "new" in plans
