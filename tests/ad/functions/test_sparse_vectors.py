import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.ad.drivers.function_calls import evaluate
from sgsolve.errors import DataTypeError, InputError, ShapeError
from tests.ad.differences import check

X = np.array([0.7, 1.9, 2.6])


@pytest.mark.parametrize(
    "idx",
    [[0, 4, 2], np.array([-1, 0, 1]), np.array([1, 1, 1]), slice(1, 4), slice(None, None, 2),
     np.array([True, False, True, True, False]), np.array([4, 3, 2], dtype=np.uint8)],
    ids=str,
)  # fmt: skip
def test_one_sparse_vector(idx):
    check(lambda x: ad.sparsesum([ad.sparsevec(5, idx, np.exp(x))]), X)


def test_sums_overlap_and_take_constants_scalars_and_tuples():
    def f(x):
        return ad.sparsesum([
            ad.sparsevec(6, [0, 1, 2], x),
            ad.sparsevec(6, [2, 1, 0], x * x),
            ad.sparsevec(6, slice(3, 6), np.array([1.0, 2.0, 3.0])),
            ad.sparsevec(6, [5, 4], x[0]),
            (6, [3, 3, 3], x),
            ad.sparsevec(6, 5, x[1]),
            ad.sparsevec(6, np.array([], dtype=int), x[:0]),
            ad.sparsevec(6, [], 1.0),
        ])  # fmt: skip

    y = check(f, X)
    by_hand = np.zeros(6)
    np.add.at(by_hand, [0, 1, 2, 2, 1, 0], np.concatenate([X, X * X]))
    by_hand[3:] += [1.0, 2.0, 3.0]
    by_hand[[5, 4]] += X[0]
    by_hand[3] += X.sum()
    by_hand[5] += X[1]
    np.testing.assert_allclose(y.value, by_hand, rtol=1e-15)


def test_duplicates_add_up():
    y = ad.sparsesum([ad.sparsevec(2, [1, 1, 1], ad.seed(X))])
    np.testing.assert_allclose(y.value, [0.0, X.sum()])
    np.testing.assert_array_equal(y.jacobian.toarray(), [[0, 0, 0], [1, 1, 1]])


def test_check_unique():
    x = ad.seed(X)
    for terms in (
        [ad.sparsevec(4, [0, 1, 0], x)],
        [ad.sparsevec(4, [0, 1, 2], x), ad.sparsevec(4, [2, 3], x[:2])],
        [ad.sparsevec(4, [0, 1, -1], x), ad.sparsevec(4, [3], x[:1])],
    ):
        with pytest.raises(InputError, match="written 2 times"):
            ad.sparsesum(terms, check_unique=True)
    y = ad.sparsesum([ad.sparsevec(4, [3, 0, 1], x), ad.sparsevec(4, [2], 9.0)], check_unique=True)
    np.testing.assert_array_equal(y.value, [X[1], X[2], 9.0, X[0]])


def test_return_sparse():
    x = ad.seed(X)
    terms = [ad.sparsevec(9, [7, 2, 2], x), ad.sparsevec(9, [-2, 0], x[1:])]
    s = ad.sparsesum(terms, return_sparse=True)
    assert isinstance(s, ad.SparseVector)
    assert s.n == 9
    np.testing.assert_array_equal(s.idx, [0, 2, 7])
    full, again = ad.sparsesum(terms), ad.sparsesum([s])
    np.testing.assert_array_equal(again.value, full.value)
    np.testing.assert_array_equal(again.jacobian.toarray(), full.jacobian.toarray())
    plain = ad.sparsesum([(9, [7, 2, 2], X), (9, [-2, 0], X[1:])], return_sparse=True)
    np.testing.assert_array_equal(plain.v, s.v.value)


@pytest.mark.parametrize("kind", [np.asarray, ad.seed], ids=["plain", "seeded"])
@pytest.mark.parametrize(
    "use",
    [
        lambda s, a: a + s,
        lambda s, a: s + a,
        lambda s, a: s + s,
        lambda s, a: sum([s, s]),
        lambda s, a: a - s,
        lambda s, a: s - 1.0,
        lambda s, a: -s,
        lambda s, a: 2 * s,
        lambda s, a: s * 2,
        lambda s, a: a * s,
        lambda s, a: np.exp(s),
        lambda s, a: np.eye(3) @ s,
        lambda s, a: np.hstack([a, s]),
        lambda s, a: evaluate(lambda x: s, a),
        lambda s, a: evaluate(lambda x: [x[0], s], a),
    ],
)
def test_a_sparse_vector_is_no_array(use, kind):
    full = kind(X)
    with pytest.raises(DataTypeError, match=r"write ad\.sparsesum\("):
        use(ad.sparsevec(3, [0, 1], full[:2]), full)


def test_a_residual_that_returns_a_sparse_vector_is_refused():
    problem = Problem(lambda x: ad.sparsevec(3, [0], x[:1]))
    with pytest.raises(DataTypeError, match=r"write ad\.sparsesum\("):
        problem.solve(X)


def test_works_on_plain_arrays():
    np.testing.assert_array_equal(
        ad.sparsesum([ad.sparsevec(3, [0, 0], X[:2])]), [X[0] + X[1], 0, 0]
    )


def test_scatter_of_what_was_gathered_with_the_same_index():
    i, j = np.array([0, 1, 2, 0]), np.array([1, 2, 0, 2])

    def f(x):
        flux = (x[i] - x[j]) * x[i]
        return ad.sparsesum([ad.sparsevec(3, i, flux), ad.sparsevec(3, j, -flux)])

    check(f, X)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ad.sparsesum([]), InputError, "at least one"),
        (lambda x: ad.sparsesum([ad.sparsevec(3, [0], 1.0), ad.sparsevec(4, [0], 1.0)]),
        ShapeError, "lengths"),
        (lambda x: ad.sparsevec(4, [0, 1], x), ShapeError, r"\(3,\).*\(2,\)"),
        (lambda x: ad.sparsevec(4, [0.5], 1.0), DataTypeError, "integers or a mask"),
        (lambda x: ad.sparsesum([ad.sparsevec(3, [0, 1, 3], x)]), IndexError, "3"),
        (lambda x: ad.sparsesum([ad.sparsevec(3, [0, 1, 3], X)]), IndexError, "3"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call(ad.seed(X))
