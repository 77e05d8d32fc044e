import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import ad
from sgsolve.errors import ShapeError
from tests.ad.differences import check

X = np.array([-0.7, 1.9, 0.0, -2.6, 3.5])


@pytest.mark.parametrize("where", [ad.where, np.where])
def test_where_takes_every_mix_of_sides(where):
    check(lambda x: where(x > 1, x * x, -x), X + 0.01)
    check(lambda x: where(x > 1, 5.0, -x), X + 0.01)
    check(lambda x: where(x > 1, x, np.arange(5.0)), X + 0.01)
    check(lambda x: where(x[:, None] > x, x[:, None], x**2), X)
    check(lambda x: where(True, x, x[0]), X)
    check(lambda x: where(x[0] > 0, x[1], x[2]), X)


@pytest.mark.parametrize("where", [ad.where, np.where])
@pytest.mark.parametrize("x", [X, X[:3], X[2:3]], ids=["five", "three", "one"])
def test_nothing_leaks_from_the_side_not_taken(where, x):
    positive = x > 0

    def f(x):
        with np.errstate(all="ignore"):
            bad = np.log(x) + 1.0 / (x - x) + np.sqrt(x) * np.nan
            return where(x > 9.0, bad, 2.0 * x) + where(positive, x, np.log(-1.0 * abs(x)) * 0)

    y = f(ad.seed(x))
    taken = np.where(positive)[0]
    assert np.isfinite(y.jacobian.toarray()[taken]).all()
    np.testing.assert_array_equal(y.jacobian.toarray()[taken], 3.0 * np.eye(len(x))[taken])


@pytest.mark.parametrize("factor", [np.inf, np.nan, -np.inf])
@pytest.mark.parametrize(
    "inner", [lambda x: x, np.sin, lambda x: np.eye(len(x)) @ x, lambda x: x[::-1] + np.cos(x)]
)
def test_a_factor_that_is_not_finite_does_not_leak(factor, inner):
    with np.errstate(all="ignore"):
        for x in (ad.seed(X), ad.seed(X[:1])):
            y = ad.where(ad.value(x) > 99.0, inner(x) * factor, x)
            np.testing.assert_array_equal(y.jacobian.toarray(), np.eye(x.size))


def test_where_pattern_counts_both_sides():
    x = ad.seed_sparsity(X)
    s = ad.where(X > 0, x[::-1], x)
    np.testing.assert_array_equal(s.sparsity.toarray(), np.eye(5) + np.eye(5)[::-1] > 0)


def test_branch_evaluates_only_what_it_uses():
    seen = []

    def side(name, f):
        def evaluate(i):
            seen.append((name, len(i)))
            return f(i)

        return evaluate

    for x in (X, ad.seed(X)):
        seen.clear()
        y = ad.branch(X > 0, side("a", lambda i: np.log(x[i])), side("b", lambda i: x[i] ** 2))  # noqa: B023
        assert seen == [("a", 2), ("b", 3)]
        np.testing.assert_array_equal(
            ad.value(y), np.where(X > 0, np.log(np.abs(X) + (X == 0)), X**2)
        )
    seen.clear()
    ad.branch(X > 99, side("a", lambda i: x[i]), side("b", lambda i: x[i]))
    assert seen == [("b", 5)]


def test_branch_derivatives():
    check(lambda x: ad.branch(x > 1, lambda i: np.log(x[i]), lambda i: np.sin(x[i]) * x[i]), X)
    check(lambda x: ad.branch(x > 1, lambda i: 1.0, lambda i: x[i]), X)
    check(
        lambda x: ad.branch(x > 1, lambda i: x[i] * x[::-1][i], lambda i: np.arange(5.0)[i]),
        X + 0.01,
    )
    check(lambda x: ad.branch(x > 99, lambda i: 1.0 / x[i], lambda i: x[i] ** 2) * x, X)
    square = X[:4].reshape(2, 2)
    check(lambda x: ad.branch(x > 0, lambda i: np.sqrt(x[i]), lambda i: x[i] ** 2), square + 0.3)


def test_nested_branches():
    def f(x):
        def high(i):
            u = x[i]
            return ad.branch(u > 3, lambda k: u[k] ** 3, lambda k: -u[k])

        return ad.branch(x > 1, high, lambda i: 0.5 * x[i])

    check(f, X)


@pytest.mark.parametrize("a", [2.0, -2.0])
def test_scalar_conditions(a):
    called = []

    def f(x):
        return ad.branch(
            a * x[4] > 0,
            lambda i: (called.append("true"), np.sqrt(x[4])[i])[1],
            lambda i: (called.append("false"), x[0] ** 2)[1],
        )

    y = f(ad.seed(X))
    assert called == (["true"] if a > 0 else ["false"])
    np.testing.assert_allclose(y.value, np.sqrt(3.5) if a > 0 else 0.49)
    pattern = f(ad.seed_sparsity(X)).sparsity.toarray()
    np.testing.assert_array_equal(pattern, [[1, 0, 0, 0, 1]])
    f(X)


def test_branch_pattern_holds_at_every_x():
    def f(x):
        return ad.branch(x > 0, lambda i: x[i], lambda i: x[::-1][i]) + np.where(x > 1, x[0], 0.0)

    pattern = ad.sparsity_pattern(f(ad.seed_sparsity(np.ones(5))))
    for x in (X, -X, np.ones(5), -np.ones(5)):
        y = f(ad.seed(x))
        np.testing.assert_array_equal(
            pattern.matrix(ad.jacobian_values(y, pattern)).toarray(), y.jacobian.toarray()
        )


def test_a_living_sparsity_does_not_change_ordinary_evaluations():
    s = ad.seed_sparsity(X)
    x = ad.seed(X)
    calls = []
    ad.branch(X > 99, lambda i: calls.append("unused"), lambda i: x[i])
    assert not calls
    assert s.sparsity.nnz == 5


@pytest.mark.parametrize("slope", [np.inf, np.nan])
def test_an_infinite_slope_stays_at_its_element(slope):
    """One element alone has a number for a coefficient, which must not meet the others' zeros."""
    bad = ad.elementwise(np.sqrt, lambda x: np.full(np.shape(x), slope))
    at = X == 0
    i, rest = np.flatnonzero(at), np.flatnonzero(~at)

    def scattered(x):
        return ad.sparsesum([ad.sparsevec(5, i, bad(x[i])), ad.sparsevec(5, rest, 2 * x[rest])])

    for f in (
        lambda x: ad.branch(at, lambda k: bad(x[k]), lambda k: 2 * x[k]),
        lambda x: ad.branch(at, lambda k: bad(x[k]), lambda k: 1.0) + 2 * x * ~at,
        scattered,
    ):
        for _ in range(4):
            J = f(ad.seed(X)).jacobian.toarray()
            np.testing.assert_array_equal(J[rest], 2 * np.eye(5)[rest])
            np.testing.assert_array_equal(J[2, 2], slope)


def test_branch_on_nothing():
    x = ad.seed(X[:0])
    y = ad.branch(x > 0, lambda i: x[i], lambda i: 2 * x[i])
    assert y.shape == (0,)


def test_branch_checks_the_shape_of_its_sides():
    x = ad.seed(X)
    with pytest.raises(ShapeError, match="branch"):
        ad.branch(X > 0, lambda i: x, lambda i: x[i])


def test_select_piecewise_clip_follow_where():
    check(lambda x: np.select([x > 1, x > -1], [x**2, 3 * x], default=-1.0), X + 0.01)
    check(lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda u: -u, lambda u: u**2]), X + 0.01)
    check(lambda x: np.clip(x, -1.0, 2.0), X)
    check(lambda x: x.clip(None, 2.0), X)


def test_nan_behind_a_matrix_does_not_leak():
    A = sp.csr_array([[1.0, 2.0, 0.0], [0.0, 1.0, 0.0], [0.0, 3.0, 1.0]])
    x = np.array([-1.0, 2.0, 0.0])
    with np.errstate(all="ignore"):
        for _ in range(8):
            s = ad.seed(x)
            y = A @ np.sqrt(s)
            J = np.where(np.array([False, True, False]), y * 2.0, s).jacobian.toarray()
            expected = [[1.0, 0.0, 0.0], [0.0, 1.0 / np.sqrt(2.0), 0.0], [0.0, 0.0, 1.0]]
            np.testing.assert_allclose(J, expected, rtol=1e-15)


def test_a_scalar_chosen_while_structure_is_found_stays_a_scalar():
    x = np.array([-1.871, -0.411, 1.146], dtype=np.float32)

    def f(x):
        s = np.sum(x)
        return ad.branch(s > 50.0, lambda i: 1 / s[i], lambda i: np.cos(s[i]))

    assert type(f(x)) is type(f(ad.seed_sparsity(x))._value) is np.float32
    u = ad.seed_sparsity(x)
    chosen = ad.branch(True, lambda i: 2.0, lambda i: u[0])
    assert type(chosen._value) is np.float64


def test_one_side_is_recorded_and_the_other_is_not():
    """A longdouble factor that varies is carried out at once."""
    one = np.longdouble(1)
    for k in range(9):
        x = ad.seed(np.array([0.5, 2.0, 3.0], dtype=np.longdouble))
        z = x * (one / (k + 3))
        above = x > 1 + k % 2
        y = ad.branch(above, lambda i, z=z: z[i] ** 2, lambda i, x=x: 3 * x[(i + 1) % 3])
        taken = np.diag(2 * x.value / (one * (k + 3)) ** 2)
        other = 3 * np.roll(np.eye(3), 1, axis=1)
        exact = np.where(above[:, np.newaxis], taken, other)
        assert np.abs(y.jacobian.toarray() - exact).max() < 1e-17
