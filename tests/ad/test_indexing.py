import numpy as np
import pytest

from sgsolve import ad
from sgsolve.errors import DerivativeError

from .differences import check

X = np.array([0.7, 1.9, 2.6, -0.4, 5.0, 3.3])
KEYS = {
    "first": 0, "last": -1, "numpy int": np.int64(2), "all": slice(None),
    "reversed": slice(None, None, -1),
    "step": slice(1, None, 2), "backwards": slice(-1, 0, -2), "empty slice": slice(4, 2),
    "beyond": slice(2, 99),
    "arange": np.arange(3), "repeated": np.array([0, 0, 5, 0]), "negative": np.array([-1, -6, 2]),
    "int32": np.array([1, 3], dtype=np.int32), "uint8": np.array([5, 0], dtype=np.uint8),
    "list": [4, 1, 1], "empty list": [], "empty": np.array([], dtype=int),
        "matrix": np.array([[0, 1], [5, 4]]),
    "mask": np.array([True, False, True, False, False, True]), "no mask": np.zeros(6, dtype=bool),
    "ellipsis": ..., "new axis": None, "both": (None, slice(1, 3)), "tuple": (slice(2, 4), None),
    "strided index": np.arange(12)[1:12:4] % 6, "reversed index": np.arange(4)[::-1],
    "empty tuple": (), "true": True, "list of bool": [True, False, True, False, False, True],
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_reading_a_vector(name):
    check(lambda x: np.sin(x)[KEYS[name]] * 1.0, X)
    check(lambda x: x[KEYS[name]], X)


KEYS_OF_MATRIX = {
    "row": 1, "column": (slice(None), 2), "element": (1, -1),
    "block": (slice(1), slice(None, None, -2)),
    "rows": np.array([1, 0, 1]), "points": (np.array([0, 1, 1]), np.array([2, 0, 0])),
    "mixed": (slice(None), [0, 2]),
    "outer": np.ix_([1, 0], [2, 2]), "mask": np.array([[True, False, True], [False, False, True]]),
    "row mask": np.array([False, True]), "ellipsis": (..., 0), "new": (0, None, slice(None)),
    "ellipsis new": (..., None),
    "mask and slice": (np.array([True, True]), slice(1, 3)),
    "scalar and array": (1, np.array([0, 0])), "empty": (slice(2, 2), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS_OF_MATRIX)
def test_reading_a_matrix(name):
    key = KEYS_OF_MATRIX[name]
    check(lambda x: x.reshape(2, 3)[key], X)
    check(lambda x: (x.reshape(2, 3) ** 2)[key], X)


def test_reading_more_dimensions():
    x = np.arange(24.0).reshape(2, 3, 4)
    for key in ((1, ..., 2), (slice(None), 1), (..., [0, 2], slice(1, 2)), (None, 0, ..., None)):
        check(lambda x, key=key: x[key] ** 2, x)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_take(axis):
    index = np.array([0, 1, 1, -1])
    check(lambda x: np.take(x.reshape(3, 2), index % 2, axis=axis), X)
    check(lambda x: x.reshape(3, 2).take(index % 2, axis), X)


def test_index_from_comparison_and_iteration():
    check(lambda x: x[x > 1.0], X)
    check(lambda x: x[np.argsort(x)], X)
    check(lambda x: np.stack([v * v for v in x]), X)
    check(lambda x: np.stack(list(x.reshape(2, 3))), X)
    check(lambda x: np.hstack(list(x.reshape(2, 3).flat)), X)


def test_chains_of_reading_find_their_unknowns():
    y = ad.seed(X)[1:][::-1][np.array([0, 2])][::-1]
    np.testing.assert_array_equal(y.value, [X[3], X[5]])
    np.testing.assert_array_equal(y.jacobian.indices, [3, 5])


@pytest.mark.parametrize(
    ("key", "error"),
    [(6, IndexError), (np.array([0, 6]), IndexError), (np.array([-7]), IndexError),
        ((0, 0), IndexError),
     (np.array([True, False]), IndexError), (1.5, IndexError), (np.array([0.5]), IndexError),
     ("a", IndexError),
     (np.zeros((2, 3), dtype=bool), IndexError)],
)  # fmt: skip
def test_what_numpy_refuses_is_refused(key, error):
    with pytest.raises(error):
        X[key]
    with pytest.raises(error):
        ad.seed(X)[key]


def test_an_ad_array_is_no_index():
    x = ad.seed(X)
    with pytest.raises(DerivativeError, match="index"):
        x[x]
    with pytest.raises(DerivativeError, match="index"):
        [1, 2, 3][ad.seed([1])[0]]


def test_values_cannot_be_written_through():
    x = ad.seed(X)
    with pytest.raises(ValueError, match="read-only"):
        x.value[0] = 5.0
    copy = np.array(x.value)
    copy[0] = 5.0
    assert x.value[0] == X[0]


def test_the_seed_does_not_follow_its_source():
    source = X.copy()
    x = ad.seed(source)
    source[:] = 0.0
    np.testing.assert_array_equal(x.value, X)


@pytest.mark.parametrize("position", [0, 3, -1, np.int64(2), True])
def test_one_element_of_a_vector(position):
    x = np.arange(1.0, 5.0)
    y = (ad.seed(x) ** 2)[position]
    values, reference = (x**2)[position], np.diag(2.0 * x)[position]
    np.testing.assert_array_equal(y.value, values)
    np.testing.assert_array_equal(y.jacobian.toarray(), np.reshape(reference, (-1, 4)))
    with pytest.raises(IndexError):
        ad.seed(x)[4]


@pytest.mark.parametrize("join", [np.stack, np.hstack, ad.stack])
@pytest.mark.parametrize("other", [2.0, 2, np.float32(2), np.longdouble(2)])
def test_numbers_joined_to_a_vector(join, other):
    x = ad.seed([1.0, 4.0])
    y = join([x[1], other, x[0] * x[1]])
    plain = join([np.float64(4.0), other, np.float64(4.0)])
    np.testing.assert_array_equal(y.value, plain)
    assert y.value.dtype == plain.dtype
    np.testing.assert_array_equal(y.jacobian.toarray(), [[0.0, 1.0], [0.0, 0.0], [4.0, 1.0]])
