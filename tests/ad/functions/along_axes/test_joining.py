"""Arrays joined of others: derivatives, and one structure for an array with its borders."""

import numpy as np
import pytest

from sgsolve import ad

N = 12
X = np.linspace(0.4, 1.9, N) ** 2


def grid(x):
    return x.reshape(3, 4)


def with_borders(U):
    return np.concatenate([U[:, :1], U[:, :1], U, U[:, -1:]], axis=1)


# What is joined, and how many structures are left: one for each number that parts are taken with.
SELECTIONS = {
    "copied ends": (lambda x: np.hstack([x[:1], x, x[-1:]]), 1),
    "a constant before": (lambda x: np.concatenate([[2.0], x, x[-1:]]), 1),
    "ends of lines": (lambda x: with_borders(grid(x)), 1),
    "differences of lines": (lambda x: np.diff(with_borders(grid(x)), axis=1), 2),
    "stacked": (lambda x: np.stack([x[::2], x[1::2], x[::2]], axis=1), 1),
    "a wall that reflects": (lambda x: np.hstack([-x[:2], x, -x[-1:]]), 2),
    "sums on both sides": (lambda x: np.hstack([x[:-1] + x[1:], x[1:] + x[:-1]]), 2),
    "parts without elements": (lambda x: np.hstack([x[:0], x, x[5:5], x[:3]]), 1),
    "elements written": (lambda x: written(x, slice(2, 4), x[6:8]), 1),
    "a line written": (lambda x: written(grid(x), 1, grid(x)[0]), 1),
}
OTHERS = {
    "values on one side": lambda x: np.hstack([x * x, x[:2]]),
    "values on both sides": lambda x: np.hstack([x * x, x, (x * x)[:2]]),
    "an array times a constant": lambda x: np.hstack([x * np.arange(N), x]),
    "a mask": lambda x: np.hstack([x[x > 1.0], x]),
    "an operator": lambda x: np.hstack([np.diag(np.arange(N)) @ x, x]),
}


def written(y, key, value):
    result = y * 1.0
    result[key] = value
    return result


@pytest.mark.parametrize("name", SELECTIONS | OTHERS)
def test_derivative_of_joined_arrays(name):
    f = SELECTIONS[name][0] if name in SELECTIONS else OTHERS[name]
    step = 1e-6
    columns = [(f(X + step * e) - f(X - step * e)).ravel() / (2 * step) for e in np.eye(N)]
    y = f(ad.seed(X))
    np.testing.assert_array_equal(y.value, f(X))
    np.testing.assert_allclose(y.jacobian.toarray(), np.stack(columns, axis=1), atol=1e-7)
    whole = ad.sparsity_pattern(f(ad.seed_sparsity(X)))
    assert whole.union(ad.sparsity_pattern(y)).equals(whole)


@pytest.mark.parametrize("name", SELECTIONS)
def test_borders_are_no_terms_of_their_own(name):
    f, number = SELECTIONS[name]
    assert len(f(ad.seed(X))._derivative.terms) == number


def test_a_limited_scheme_of_three_fields_is_a_graph_of_few_operations():
    from sgsolve.ad.drivers.traced_evaluation import trace_function

    def scheme(x):
        U = x.reshape(3, -1)
        G = np.concatenate([U[:, :1], U[:, :1], U, U[:, -1:], U[:, -1:]], axis=1)
        d = np.diff(G, axis=1)
        a, b = d[:, :-1], d[:, 1:]
        s = np.where(a * b > 0, np.where(np.abs(a) < np.abs(b), a, b), 0.0)
        left, right = (G[:, 1:-1] + 0.5 * s)[:, :-1], (G[:, 1:-1] - 0.5 * s)[:, 1:]
        (r, m, e), (R, M, E) = left, right
        flux = np.stack([m + M, m * m / r + M * M / R, e * m / r + E * M / R]) - (right - left)
        return (U + np.diff(flux, axis=1)).ravel()

    x = np.random.default_rng(0).random(150) + 0.5
    graph = trace_function(scheme, x).graph
    assert len(graph.operations) < 600  # 2000 with a term for each border
