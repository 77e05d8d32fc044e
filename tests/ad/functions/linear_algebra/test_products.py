import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spla

from sgsolve import ad
from sgsolve.errors import DerivativeError, ShapeError
from tests.ad.differences import check

X = np.array([0.7, 1.9, -2.6, 0.3])
D = np.array([[1.0, 0.0, -2.0, 0.5], [0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_of_scipy(fmt, kind):
    A = getattr(sp, f"{fmt}_{kind}")(D)
    B = getattr(sp, f"{fmt}_{kind}")(D.T.copy())
    check(lambda x: A @ x, X)
    check(lambda x: ad.dot(A, np.sin(x)), X)
    check(lambda x: x @ B, X)
    check(lambda x: A @ (x * x) - 2.0 * (A @ x), X)
    check(lambda x: A @ x.reshape(4, 1), X)
    check(lambda x: A @ np.stack([x, x**2], axis=1), X)
    check(lambda x: np.stack([x, x**2]) @ B, X)
    y = ad.dot(A, ad.seed(X))
    assert y.shape == (3,)
    with pytest.raises(DerivativeError, match=r"use|lose"):
        A * ad.seed(X)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.longdouble, complex])
def test_matrices_of_any_dtype(dtype):
    for A in (D.astype(dtype), sp.csr_array(D.astype(dtype)), sp.coo_array(D.astype(dtype))):
        expected = A @ X
        y = A @ ad.seed(X)
        assert y.dtype == expected.dtype
        np.testing.assert_array_equal(y.value, expected)
        np.testing.assert_array_equal(y.jacobian.toarray(), D.astype(dtype))


def test_duplicates_unsorted_and_explicit_zeros():
    rows, cols = np.array([1, 0, 1, 0, 0]), np.array([2, 3, 2, 0, 1])
    data = np.array([1.0, 2.0, 4.0, 0.0, -1.0])
    for A in (
        sp.coo_array((data, (rows, cols)), shape=(2, 4)),
        sp.csr_array(
            (np.array([2.0, 0.0, -1.0, 1.0, 4.0]), np.array([3, 0, 1, 2, 2]), np.array([0, 3, 5])),
            shape=(2, 4),
        ),
    ):
        y = A @ ad.seed(X)
        np.testing.assert_array_equal(y.jacobian.toarray(), [[0, -1, 0, 2], [0, 0, 5, 0]])
        assert y.jacobian.nnz == 4  # the explicit zero is an entry
        np.testing.assert_array_equal(y.value, A @ X)


def test_the_matrix_is_not_changed():
    A = sp.csr_array((np.array([2.0, 1.0]), np.array([3, 0]), np.array([0, 2])), shape=(1, 4))
    A @ ad.seed(X)
    assert not A.has_sorted_indices
    np.testing.assert_array_equal(A.indices, [3, 0])


@pytest.mark.parametrize(
    "A",
    [D, np.asfortranarray(D), D[:, ::-1], D[0], D.tolist()],
    ids=["C", "F", "strided", "vector", "list"],
)
def test_dense_matrices(A):
    check(lambda x: np.dot(A, x), X)
    if not isinstance(A, list):
        check(lambda x: A @ np.exp(x), X)
        check(lambda x: x @ A.T, X)


def test_products_of_ad_values():
    check(lambda x: x @ x, X)
    check(lambda x: x.reshape(2, 2) @ x.reshape(2, 2), X)
    check(lambda x: x.reshape(2, 2) @ x[:2], X)
    check(lambda x: x[:2] @ x.reshape(2, 2), X)
    check(lambda x: np.dot(x.reshape(2, 2).T, x.reshape(2, 2)), X)
    check(lambda x: (x.reshape(1, 2, 2) * np.ones((3, 1, 1))) @ x.reshape(2, 2), X)
    check(lambda x: np.matmul(np.arange(12.0).reshape(3, 2, 2), x.reshape(2, 2)), X)


def test_named_products():
    check(lambda x: np.outer(x, x[:2]), X)
    check(lambda x: np.inner(x, x[::-1]), X)
    check(lambda x: np.inner(x.reshape(2, 2), x[:2]), X)
    check(lambda x: np.vdot(x.reshape(2, 2), x), X)
    check(lambda x: np.kron(x[:2], x), X)
    check(lambda x: np.kron(x.reshape(2, 2), np.eye(2)), X)
    check(lambda x: np.cross(x[:3], x[1:]), X)
    check(
        lambda x: np.tensordot(x.reshape(2, 2), np.arange(8.0).reshape(2, 2, 2), axes=([0], [1])), X
    )
    check(lambda x: np.tensordot(x.reshape(2, 2), x.reshape(2, 2)), X)
    check(lambda x: np.trace(x.reshape(2, 2)), X)
    check(lambda x: np.trace(x.reshape(2, 2), offset=1), X)
    check(lambda x: np.einsum("ij,jk->ik", x.reshape(2, 2), x.reshape(2, 2)), X)
    check(lambda x: np.einsum("ij,j", np.ones((3, 4)), x), X)
    check(lambda x: np.einsum("i,i->", x, x), X)
    check(lambda x: np.dot(np.arange(8.0).reshape(2, 2, 2), x[:2]), X)
    check(lambda x: np.dot(3.0, x), X)
    check(lambda x: np.linalg.matmul(x.reshape(2, 2), x.reshape(2, 2)), X)


def test_products_with_nothing():
    for A in (np.zeros((0, 4)), sp.csr_array((0, 4))):
        y = A @ ad.seed(X)
        assert y.shape == (0,)
        assert y.jacobian.shape == (0, 4)
    empty = sp.csr_array((3, 0)) @ ad.seed(X)[:0]
    np.testing.assert_array_equal(empty.value, np.zeros(3))
    assert empty.jacobian.nnz == 0


def test_products_of_products_keep_canceled_entries():
    A = sp.csr_array(np.array([[1.0, 1.0], [1.0, -1.0]]))
    y = A @ (A @ ad.seed([1.0, 2.0]))
    np.testing.assert_array_equal(y.jacobian.toarray(), 2 * np.eye(2))
    assert y.jacobian.nnz == 4


@pytest.mark.parametrize(
    "call",
    [
        lambda x: D[:, :3] @ x,
        lambda x: sp.csr_array(D)[:, :3] @ x,
        lambda x: x @ D,
        lambda x: ad.dot(D[:, :2], x),
    ],
)
def test_shapes_that_do_not_fit(call):
    with pytest.raises((ShapeError, ValueError), match=r"shape|dimension"):
        call(ad.seed(X))


def test_what_would_lose_the_derivative():
    x = ad.seed(X)
    A = sp.csr_array(D)
    with pytest.raises(DerivativeError):
        A * x
    with pytest.raises(DerivativeError):
        A.multiply(x)
    with pytest.raises(DerivativeError):
        A + x
    with pytest.raises(DerivativeError):
        sp.diags_array([x[:3]], offsets=[0])
    with pytest.raises((DerivativeError, ValueError)):
        sp.csr_array(x)
    with pytest.raises(DerivativeError):
        spla.spsolve(sp.csc_array(np.eye(4)), x)
    with pytest.raises(DerivativeError):
        spla.aslinearoperator(D) @ x
    with pytest.raises(ShapeError, match=r"use \*"):
        np.matmul(x, 2.0)


def test_complex_constants_times_real_unknowns():
    A = np.array([[1.0 + 2.0j, 0.5], [0.0, -1.0j]])
    x = np.array([0.3, 0.7])
    for matrix in (A, sp.csr_array(A)):
        y = matrix @ np.exp(ad.seed(x))
        np.testing.assert_allclose(y.jacobian.toarray(), A * np.exp(x))
        assert y.jacobian.dtype == complex


def test_zero_times_a_negative_scalar_has_numpys_sign():
    x = np.array([0.0, 1.0])
    for f in (np.dot, np.inner):
        for scalar in (np.float64(-2.0), np.array(-2.0), -2.0):
            expected, y = f(scalar, x), f(scalar, ad.seed(x))
            np.testing.assert_array_equal(np.signbit(y.value), np.signbit(expected))
            np.testing.assert_array_equal(y.jacobian.toarray(), -2.0 * np.eye(2))
