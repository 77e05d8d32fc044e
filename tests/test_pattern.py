"""Patterns put together and found in each other, against sets of coordinates."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import DataTypeError, InputError, ShapeError
from sgsolve.pattern import Pattern, matrix_product, transposed_product


def drawn(rng, shape, count):
    cells = rng.choice(shape[0] * shape[1], count, replace=False)
    rows, columns = np.divmod(cells, shape[1])
    pattern, position = Pattern.from_coordinates(rows, columns, shape)
    return pattern, set(zip(rows.tolist(), columns.tolist(), strict=True)), position


def coordinates(pattern):
    return list(zip(pattern.rows.tolist(), pattern.indices.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_union_and_positions_are_those_of_sets(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, 2))
    most = shape[0] * shape[1]
    (a, in_a, _), (b, in_b, _) = (drawn(rng, shape, rng.integers(0, most + 1)) for _ in range(2))
    union = a.union(b)
    assert coordinates(union) == sorted(in_a | in_b)
    assert (union is a) is (in_b <= in_a)
    for pattern, part in ((a, b), (union, a), (union, b), (a, a)):
        where = {cell: k for k, cell in enumerate(coordinates(pattern))}
        expected = [where.get(cell, -1) for cell in coordinates(part)]
        assert pattern.positions(part).tolist() == expected


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
def test_the_diagonal_is_added_where_it_is_not(shape):
    k = np.arange(min(shape))
    partly, _ = Pattern.from_coordinates(k[1:], k[1:], shape)
    whole = partly.with_diagonal()
    assert coordinates(whole) == [(i, i) for i in k.tolist()]
    assert whole.with_diagonal() is whole
    assert whole.diagonal.tolist() == k.tolist()
    assert (partly.indices[partly.diagonal] == partly.rows[partly.diagonal]).all()
    assert len(partly.diagonal) == len(k) - 1


def test_coordinates_given_twice_have_one_place():
    pattern, position = Pattern.from_coordinates(
        np.array([1, 0, 1, 1]), np.array([2, 0, 0, 2]), (2, 3)
    )
    assert coordinates(pattern) == [(0, 0), (1, 0), (1, 2)]
    assert position.tolist() == [2, 0, 1, 2]


def test_patterns_of_other_shapes_have_no_union():
    (a, *_), (b, *_) = (drawn(np.random.default_rng(0), s, 2) for s in ((2, 3), (3, 2)))
    with pytest.raises(ShapeError, match="no union"):
        a.union(b)


@pytest.mark.parametrize(
    ("indptr", "indices", "shape", "error", "said"),
    [
        ([0, 1], [0], (2, 2), ShapeError, "indptr"),
        ([1, 1, 1], [0], (2, 2), ShapeError, "indptr"),
        ([0, 1, 3], [0, 1], (2, 2), ShapeError, "indptr"),
        ([0, 2, 1, 2], [0, 1], (3, 2), InputError, "indptr decreases"),
        ([0, 1, 2], [0, 2], (2, 2), InputError, r"must lie in 0\.\.1"),
        ([0, 1, 2], [-1, 0], (2, 2), InputError, r"must lie in 0\.\.1"),
        ([0, 2, 2], [1, 0], (2, 2), InputError, "must increase within each row"),
        ([0, 2, 2], [1, 1], (2, 2), InputError, "must increase within each row"),
    ],
)
def test_arrays_that_describe_no_pattern_are_refused(indptr, indices, shape, error, said):
    with pytest.raises(error, match=said):
        Pattern(indptr, indices, shape)


@pytest.mark.parametrize(
    "matrix", [None, "abc", np.ones(3), np.ones((2, 2, 2)), [[None]], np.array([["a"]]), sp.linalg]
)
def test_what_is_no_matrix_of_numbers_has_no_pattern(matrix):
    with pytest.raises(DataTypeError, match="matrix of numbers"):
        Pattern.of(matrix)


@pytest.mark.parametrize("matrix", [np.eye(2), [[1, 0], [0, 1]], sp.eye(2), Pattern.of(np.eye(2))])
def test_the_pattern_of_a_matrix(matrix):
    found = Pattern.of(matrix)
    assert (found.shape, found.nnz) == ((2, 2), 2)
    assert linear.LinearSolver(matrix).pattern.equals(found)


def test_a_pattern_describes_itself():
    assert repr(Pattern([0, 1, 3], [0, 0, 1], (2, 2))) == "Pattern(2 x 2, 3 entries)"


def test_patterns_of_different_shapes_have_no_union():
    with pytest.raises(ShapeError, match=r"\(2, 2\) and \(2, 3\) have no union"):
        Pattern([0, 1, 1], [0], (2, 2)).union(Pattern([0, 1, 1], [0], (2, 3)))


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble, np.complex128])
def test_matrix_product_is_that_of_scipy(dtype):
    A = sp.random_array((30, 20), density=0.2, rng=np.random.default_rng(1), format="csr")
    x = np.linspace(1.0, 2.0, 20).astype(dtype)
    for matrix, v in (
        (A, x),
        (A, x[::-1]),
        (A, np.column_stack([x, -x])),
        (A, np.asfortranarray(np.column_stack([x, -x, x]))),
        (A.tocsc(), x),
        (A.tocsc(), np.column_stack([x, -x])),
        (A.tocsc(), np.column_stack([x, -x, x])[:, ::2]),
        (A, np.empty((20, 0), dtype)),
        (A.toarray(), x),
        (A.T, np.ones(30)),
        (A.astype(np.float32), x),
        (sp.csr_array((3, 20)), x),
    ):
        np.testing.assert_array_equal(matrix_product(matrix, v), matrix @ v)
        if isinstance(matrix, np.ndarray):
            continue
        found = transposed_product(matrix.T.tocsr(), v)
        np.testing.assert_allclose(found, matrix @ v, rtol=1e-13, atol=1e-15)


def test_matrix_product_with_a_vector_of_another_length_is_an_error():
    with pytest.raises(ValueError, match="mismatch"):
        matrix_product(sp.csr_array(np.eye(3)), np.ones(4))
    with pytest.raises(ValueError, match="mismatch"):
        matrix_product(sp.csr_array(np.eye(3)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="mismatch"):
        transposed_product(sp.csr_array(np.eye(3)), np.ones(4))
