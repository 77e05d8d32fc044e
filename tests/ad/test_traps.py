"""The traps that issue reports of other libraries are made of, each by its name."""

import contextlib

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, ad
from sgsolve.ad.drivers.seeding import seed
from sgsolve.errors import DerivativeError, InputError

N = 50
X = np.linspace(0.1, 2.0, N)


@pytest.fixture(autouse=True)
def empty_cache():
    ad.clear_cache()


def test_index_array_mutated_between_evaluations():
    index = np.array([0, 1, 2, 3])

    def f(x):
        return x[index] * 2.0 + ad.sparsesum([ad.sparsevec(4, index % 4, x[index])])

    for shift in (0, 1, 5, 0, 9):
        index[:] = np.array([0, 1, 2, 3]) + shift
        y = f(ad.seed(X))
        expected = np.zeros((4, N))
        expected[range(4), index] = 2.0
        np.add.at(expected, (index % 4, index), 1.0)
        np.testing.assert_array_equal(y.jacobian.toarray(), expected)


@pytest.mark.parametrize("size", [4, 40_000])
def test_one_element_of_a_large_index_mutated(size):
    x = np.linspace(0.0, 1.0, size)
    index = np.arange(size)
    for at in (0, size // 3, size // 2 + 1, size - 1):
        before = index[at]
        ad.seed(x)[index].jacobian
        index[at] = 1
        J = ad.seed(x)[index].jacobian
        assert J.indices[at] == 1
        index[at] = before


def test_index_array_mutated_within_one_evaluation():
    x = ad.seed(X)
    index = np.array([0, 1])
    a = x[index]
    index[:] = [5, 6]
    b = x[index]
    np.testing.assert_array_equal(a.jacobian.indices, [0, 1])
    np.testing.assert_array_equal(b.jacobian.indices, [5, 6])


def test_an_index_array_at_the_address_of_a_dead_one():
    for k in range(200):
        index = np.array([k % N, (3 * k) % N, (7 * k) % N])
        y = ad.seed(X)[index]
        np.testing.assert_array_equal(y.jacobian.indices, index)
        del index


def test_canceled_entry_stays_in_the_pattern():
    x = ad.seed(X)
    for y in (
        x - x,
        x + 1.0 - x,
        0.0 * x,
        x[::-1][::-1] - x,
        np.sin(x) - np.sin(x),
        x * 0.0 - x * 0.0,
    ):
        assert y.jacobian.nnz == N
        assert not y.jacobian.data.any()
    A = sp.eye_array(N, format="csr")
    assert (A @ x - x).jacobian.nnz == N
    assert (A @ x - A @ x).jacobian.nnz == N


def test_mask_that_changes_each_call_keeps_the_pattern():
    rng = np.random.default_rng(0)

    def f(x, mask):
        a = ad.branch(mask, lambda i: np.log(x[i]), lambda i: x[i] ** 2)
        b = np.where(mask, x, 2.0 * x[::-1])
        i = np.flatnonzero(mask)
        c = ad.sparsesum([ad.sparsevec(N, i, x[i] * np.sin(x[i]))])
        d = ad.sparsesum([ad.sparsevec(N, mask, x[mask])])
        return a + b + c + d

    pattern = ad.sparsity_pattern(f(ad.seed_sparsity(X), X > 1))
    for _ in range(20):
        mask = rng.random(N) < 0.5
        y = f(ad.seed(X), mask)
        data = ad.jacobian_values(y, pattern)
        expected = np.diag(np.where(mask, 1 / X, 2 * X)) + np.diag(np.where(mask, 1.0, 0.0))
        expected = expected + 2 * np.diag(np.where(mask, 0.0, 1.0)) @ np.eye(N)[::-1]
        expected += np.diag(np.where(mask, 1 + np.sin(X) + X * np.cos(X), 0.0))
        np.testing.assert_allclose(pattern.matrix(data).toarray(), expected, rtol=1e-14, atol=1e-14)


def test_empty_arrays():
    x = ad.seed(X)
    nothing = np.array([], dtype=int)
    for y in (x[nothing], x[:0], x[np.zeros(N, dtype=bool)], np.sin(x[:0]) * 2.0,
        x[:0] + np.zeros(0),
              np.hstack([x[:0], x[:0]]), ad.seed(np.zeros(0)),
                  sp.csr_array((0, N)) @ x):  # fmt: skip
        assert y.shape == (0,)
        assert y.jacobian.shape[0] == 0
    assert np.sum(x[:0]).value == 0.0
    assert np.sum(x[:0]).jacobian.nnz == 0
    assert ad.sparsesum([ad.sparsevec(3, nothing, x[:0])]).jacobian.shape == (3, N)
    assert np.hstack([x[:0], x]).jacobian.nnz == N
    assert ad.seed(np.zeros((0, 3))).T.shape == (3, 0)
    assert ad.seed(np.zeros(0)).jacobian.shape == (0, 0)


def test_duplicate_indices_in_sparsesum():
    x = ad.seed(X)
    y = ad.sparsesum(
        [ad.sparsevec(2, np.zeros(N, dtype=int), x * x), ad.sparsevec(2, [1, 1, 1], x[:3])]
    )
    np.testing.assert_allclose(y.value, [X @ X, X[:3].sum()])
    expected = np.zeros((2, N))
    expected[0] = 2 * X
    expected[1, :3] = 1
    np.testing.assert_allclose(y.jacobian.toarray(), expected)


def test_non_canonical_sparse_matrix():
    A = sp.csr_array(
        (np.array([1.0, 2.0, 4.0, 0.0]), np.array([3, 3, 1, 0]), np.array([0, 3, 4])), shape=(2, N)
    )
    y = A @ np.exp(ad.seed(X))
    expected = np.zeros((2, N))
    expected[0, 3], expected[0, 1] = 3 * np.exp(X[3]), 4 * np.exp(X[1])
    np.testing.assert_allclose(y.jacobian.toarray(), expected)
    assert y.jacobian.nnz == 3
    assert A.nnz == 4


def test_matrix_changed_in_place_between_evaluations():
    A = sp.csr_array(np.array([[1.0, 0.0], [2.0, 3.0]]))
    x0 = np.array([1.0, 2.0])
    first = A @ ad.seed(x0)
    A.data[0] = 10.0
    second = A @ ad.seed(x0)
    A.data[:] = 0.0
    np.testing.assert_array_equal(first.jacobian.toarray(), [[1, 0], [2, 3]])
    np.testing.assert_array_equal(second.jacobian.toarray(), [[10, 0], [2, 3]])
    D = np.eye(2)
    y = D @ ad.seed(x0)
    D[0, 1] = 5.0
    np.testing.assert_array_equal((D @ ad.seed(x0)).jacobian.toarray(), [[1, 5], [0, 1]])
    np.testing.assert_array_equal(y.jacobian.toarray(), np.eye(2))


def test_views_and_negative_strides():
    grid = np.arange(2 * N)
    for index in (
        grid[::2] % N,
        grid[::-1][:N] % N,
        np.broadcast_to(3, 4),
        grid.reshape(N, 2)[:5, 1] % N,
    ):
        J = ad.seed(X)[index].jacobian
        np.testing.assert_array_equal(J.indices, index)
    weights = np.arange(1.0, 2 * N + 1)[::-2]
    np.testing.assert_array_equal((weights * ad.seed(X)).jacobian.diagonal(), weights)
    np.testing.assert_array_equal(ad.seed(X[::-1]).value, X[::-1])
    source = X[::-1]
    assert (ad.seed(source)[::-2] * source[::-2]).jacobian.nnz == N // 2


@pytest.mark.parametrize(
    "use",
    [lambda x, c: x * c, lambda x, c: c * x, lambda x, c: x / c, lambda x, c: c / x, lambda x,
        c: x + c, lambda x, c: c - x,
     lambda x, c: x**c, lambda x, c: c**x, lambda x, c: np.where(x > 1, c, x) * c, lambda x,
         c: np.maximum(x, c) * 1.0,
     lambda x, c: np.hstack([x * c, c]), lambda x, c: c @ x + 0 * x, lambda x, c: np.arctan2(c, x),
         lambda x, c: np.sum(x * c) * x,
     lambda x, c: (x.reshape(5, 10) * c.reshape(5, 10)).ravel(), lambda x, c: x * c[:, None],
         lambda x, c: np.outer(x, c),
     lambda x, c: ad.sparsesum([ad.sparsevec(N, np.arange(N), x * c),
         ad.sparsevec(N, np.arange(N), c)]),
     lambda x, c: ad.branch(x > 1, lambda i: x[i] * c[i], lambda i: c[i]), lambda x,
         c: np.interp(x, c, c**2)],
)  # fmt: skip
def test_constants_changed_in_place_after_use(use):
    c = np.linspace(1.0, 3.0, N)
    expected = use(ad.seed(X), c.copy())
    J = expected.jacobian.toarray()
    y = use(ad.seed(X), c)
    z = 2.0 * y
    c[:] = np.nan
    np.testing.assert_array_equal(y.jacobian.toarray(), J)
    np.testing.assert_array_equal(y.value, expected.value)
    np.testing.assert_allclose(z.jacobian.toarray(), 2 * J, rtol=1e-15)


def test_jacobians_do_not_share_their_data():
    def f(x):
        return x * 2.0 + x[::-1]

    first = f(ad.seed(X)).jacobian
    copy = first.data.copy()
    second = f(ad.seed(X)).jacobian
    second.data[:] = -1.0
    np.testing.assert_array_equal(first.data, copy)
    third = f(ad.seed(X)).jacobian
    np.testing.assert_array_equal(third.data, copy)


def test_another_branch_of_python_meets_other_structures():
    def f(x):
        return x[::-1] * 2.0 if x[0] > 0 else x * x[1:2]

    for sign in (1, -1, 1, -1):
        x = X.copy()
        x[0] *= sign
        y = f(seed(x))
        expected = (
            2 * np.eye(N)[::-1]
            if sign > 0
            else np.diag(np.full(N, x[1])) + np.outer(x, np.eye(N)[1])
        )
        np.testing.assert_allclose(y.jacobian.toarray(), expected)


def test_equal_numbers_of_unknowns_in_different_problems_share_nothing_wrong():
    a = lambda x: x[np.arange(0, N, 2)] * x[0]  # noqa: E731
    b = lambda x: x[np.arange(1, N, 2)] - x[1]  # noqa: E731
    for _ in range(3):
        for f in (a, b):
            J = f(ad.seed(X)).jacobian.toarray()
            ad.clear_cache()
            np.testing.assert_array_equal(J, f(ad.seed(X)).jacobian.toarray())


def test_a_matrix_and_its_transpose_share_their_arrays():
    A = sp.csr_array(np.triu(np.arange(16.0).reshape(4, 4)))
    x = np.array([0.5, -1.0, 2.0, 3.0])
    assert np.shares_memory(A.data, A.T.data)
    y = A @ ad.seed(x)
    np.testing.assert_array_equal(y.jacobian.toarray(), A.toarray())
    z = A.T @ ad.seed(x)
    np.testing.assert_array_equal(z.jacobian.toarray(), A.T.toarray())
    both = ad.seed(x)
    J = (A @ both**2 + A.T @ both).jacobian
    np.testing.assert_allclose(J.toarray(), A.toarray() * 2 * x + A.T.toarray())


def test_frozen_operands_are_taken_as_they_are_and_others_are_not():
    k = ad.freeze(np.array([2, 0]))
    A = ad.freeze(sp.coo_array(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]])))
    h = ad.freeze(np.array([2.0, 4.0]))
    x = np.array([1.0, 2.0, 3.0])

    def f(x):
        return (A @ x**2) * h + x[k]

    expected = A.toarray() * 2 * x * h[:, None] + np.eye(3)[k]
    for _ in range(9):
        np.testing.assert_allclose(f(ad.seed(x)).jacobian.toarray(), expected)
    for frozen in (k, h, A.data, A.indices):
        with pytest.raises(ValueError, match="read-only"):
            frozen[0] = 1
    assert ad.freeze(k) is k
    assert ad.freeze(A) is A
    for frozen in (k, h, A.data, A.indptr):
        with pytest.raises(ValueError, match="WRITEABLE"):
            frozen.flags.writeable = True


@pytest.mark.parametrize("evaluations", [1, 9])
def test_read_only_is_not_frozen(evaluations):
    """A view made before still writes, and the flag can be set back."""
    k = np.array([0, 1])
    view = k[:]
    k.flags.writeable = False
    x = ad.seed(np.array([1.0, 2.0, 3.0]))
    for _ in range(evaluations):
        assert (x[k] ** 2).jacobian.indices.tolist() == [0, 1]
    view[:] = [1, 2]
    assert (x[k] ** 2).jacobian.indices.tolist() == [1, 2]
    k.flags.writeable = True
    k[:] = [0, 2]
    k.flags.writeable = False
    assert (x[k] ** 2).jacobian.indices.tolist() == [0, 2]
    assert ad.freeze(k) is not k


def test_views_of_the_frozen_are_frozen():
    k = ad.freeze(np.arange(6).reshape(2, 3))
    for view in (k, k[1], k.T, k.view()):
        assert ad.freeze(view) is view


def test_frozen_after_first_use_it_is_taken_as_it_is():
    k = np.array([2, 0])
    x = ad.seed(np.array([1.0, 2.0, 3.0]))
    assert x[k].jacobian.indices.tolist() == [2, 0]
    frozen = ad.freeze(k)
    assert x[frozen].jacobian.indices.tolist() == [2, 0]
    (size, operand) = x._derivative.root.root.operands._by_id[id(frozen)]
    assert size == 3
    assert operand.contents.frozen is frozen


def test_only_arrays_and_matrices_can_be_frozen():
    with pytest.raises(InputError, match="list is neither"):
        ad.freeze([0, 1])
    with pytest.raises(InputError, match="objects"):
        ad.freeze(np.array([None, {}]))


@pytest.mark.parametrize("name", ["view", "data", "ctypes", "tobytes", "tofile", "byteswap"])
def test_bytes_of_an_array_are_refused_in_words(name):
    y = ad.seed([1.0, 2.0])
    assert not hasattr(y, name)
    with pytest.raises(DerivativeError, match=f"no attribute '{name}'.*astype"):
        getattr(y, name)
    with pytest.raises(AttributeError, match=r"no attribute 'foo'$") as caught:
        _ = y.foo
    assert not isinstance(caught.value, DerivativeError)


def test_what_the_refusal_of_a_complex_view_says_to_write_has_its_values_and_derivatives():
    pairs = np.array([1.0, 2.0, 3.0, 4.0])
    y = ad.seed(pairs)
    with pytest.raises(DerivativeError, match=r"write y\[0::2\] \+ 1j \* y\[1::2\]"):
        y.view(complex)
    z = (y[0::2] + 1j * y[1::2]) ** 2
    flat = np.stack([z.real, z.imag], axis=-1).ravel()
    np.testing.assert_array_equal(ad.value(flat), (pairs.view(complex) ** 2).view(float))
    expected = [[2, -4, 0, 0], [4, 2, 0, 0], [0, 0, 6, -8], [0, 0, 8, 6]]
    np.testing.assert_array_equal(flat.jacobian.toarray(), expected)


F = np.zeros(2)


def _written_flat(x):
    F.flat[0] = x[0]
    return F


ITERATED = {
    "one": lambda x: np.array([float(v) ** 2 for v in np.nditer(x)]),
    "two": lambda x: np.array([a * b for a, b in np.nditer([x, x])]),
    "as a list": lambda x: np.stack(list(np.nditer(x))),
    "written by flat": _written_flat,
}


@pytest.mark.parametrize("name", ITERATED)
def test_an_error_that_numpy_swallows_is_found_again(name):
    """np.nditer and flat raise errors of their own in place of ours, without its words."""
    f = ITERATED[name]
    for call in (lambda: ad.jacobian(f, [1.0, 2.0]), lambda: Problem(f).solve([1.0, 2.0])):
        with pytest.raises(DerivativeError, match="derivative"):
            call()


def test_errors_of_the_user_are_not_taken_for_swallowed_ones():
    def probing(x):
        with contextlib.suppress(TypeError):
            np.asarray(x)
        return len(5)

    def wrong_value(x):
        with contextlib.suppress(TypeError):
            float(x[0])
        raise ValueError("a value of mine")

    with pytest.raises(TypeError, match="has no len"):
        ad.jacobian(probing, [1.0, 2.0])
    with pytest.raises(ValueError, match="of mine"):
        ad.jacobian(wrong_value, [1.0, 2.0])
