import numpy as np
import pytest
import scipy.sparse as sp

import sgsolve
from sgsolve import ad
from sgsolve.errors import DataTypeError, DerivativeError, InputError, ShapeError, StructureError
from sgsolve.pattern import Pattern

X = np.array([0.7, 1.9, -2.6])


def f(x, scale=1.0):
    return scale * x[1:] * np.sin(x[:-1])


def test_jacobian_and_value():
    value, J = ad.value_and_jacobian(f, X, scale=2.0)
    np.testing.assert_array_equal(value, f(X, 2.0))
    np.testing.assert_array_equal(J.toarray(), ad.jacobian(f, X, 2.0).toarray())
    expected = [
        [2 * X[1] * np.cos(X[0]), 2 * np.sin(X[0]), 0],
        [0, 2 * X[2] * np.cos(X[1]), 2 * np.sin(X[1])],
    ]
    np.testing.assert_allclose(J.toarray(), expected, rtol=1e-15)
    assert isinstance(J, sp.csr_array)
    assert J.has_canonical_format


def test_jacobian_of_lists_matrices_and_scalars():
    assert ad.jacobian(lambda x: x[0] * x[1], [2, 3]).toarray().tolist() == [[3, 2]]
    assert ad.jacobian(lambda x: x @ x, np.eye(2)).shape == (4, 4)
    assert ad.jacobian(np.sin, 0.0).toarray().tolist() == [[1.0]]


def test_a_function_that_lost_the_derivative():
    with pytest.raises(DerivativeError, match="ndarray"):
        ad.jacobian(lambda x: np.zeros(2), X)
    with pytest.raises(DerivativeError, match="nested"):
        ad.seed(ad.seed(X))


def test_jvp_and_vjp():
    v, w = np.array([1.0, -2.0, 0.5]), np.array([3.0, -1.0])
    J = ad.jacobian(f, X).toarray()
    value, directional = ad.jvp(f, X, v)
    np.testing.assert_array_equal(value, f(X))
    np.testing.assert_allclose(directional, J @ v, rtol=1e-14)
    value, back = ad.vjp(f, X, w)
    np.testing.assert_array_equal(value, f(X))
    np.testing.assert_allclose(back, w @ J, rtol=1e-14)
    matrix = ad.jvp(lambda x: x @ x, np.eye(2), np.ones((2, 2)))[1]
    np.testing.assert_allclose(matrix, 2 * np.ones((2, 2)))
    np.testing.assert_array_equal(ad.jvp(lambda x: np.ones(2), X, v)[1], 0.0)
    assert ad.vjp(lambda x: x.reshape(3, 1) * 2, X, np.ones((3, 1)))[1].shape == (3,)
    with pytest.raises(ShapeError, match="direction"):
        ad.jvp(f, X, v[:2])
    with pytest.raises(ShapeError, match="w has shape"):
        ad.vjp(f, X, v)


def test_jvp_through_every_kind_of_structure():
    A = sp.csr_array(np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]]))

    def g(x):
        y = np.where(x > 0, x**2, np.exp(x)) + np.cumsum(x)
        return (
            A @ y
            + ad.sparsesum([(2, [0, 1, 1], y)])
            + ad.branch(x[:2] > 1, lambda i: x[i], lambda i: y[i])
        )

    J = ad.jacobian(g, X).toarray()
    for v in np.eye(3):
        np.testing.assert_allclose(ad.jvp(g, X, v)[1], J @ v, rtol=1e-14, atol=1e-14)


def test_check_jacobian_agrees_and_disagrees():
    check = ad.check_jacobian(f, X)
    assert check
    assert check.columns == 3
    assert check.method == "complex step"
    assert check.error < 1e-14
    J = ad.jacobian(f, X).toarray()
    J[1, 2] += 1e-3
    check = ad.check_jacobian(f, X, jacobian=J)
    assert not check
    assert (check.row, check.column) == (1, 2)
    assert "DISAGREES" in str(check)
    assert "row 1, column 2" in str(check)


def test_check_jacobian_without_a_complex_form_and_with_chosen_columns():
    check = ad.check_jacobian(lambda x: np.arctan2(x, 2.0) + np.floor(x), X)
    assert check
    assert check.method == "central differences"
    many = ad.check_jacobian(lambda x: x**2, np.linspace(1, 2, 500), columns=20)
    assert many.columns == 20
    wrong = ad.elementwise(np.sin, lambda x: np.cos(x) + 1e-3)
    assert not ad.check_jacobian(lambda x: wrong(x), X)
    with pytest.raises(InputError, match="not finite"), np.errstate(all="ignore"):
        ad.check_jacobian(np.log, [-1.0])
    with pytest.raises(InputError, match="not finite"):
        ad.check_jacobian(f, [np.nan, 1.0])


@pytest.mark.parametrize("unit", [1e-30, 1e-9, 1.0, 1e9])
@pytest.mark.parametrize("other", [1e-9, 1.0, 1e12])
def test_check_jacobian_in_any_units(unit, other):
    """A missing entry is seen beside larger rows and columns, and no unit makes one up."""

    def g(x):
        u, v = x[0] / other, x[1]
        return [unit * u * v**2, np.maximum(u, 0.0) + np.cos(v), u**3 - v]

    x = np.array([1.5 * other, 0.7])
    J = ad.jacobian(g, x).toarray()
    assert ad.check_jacobian(g, x)
    for place in np.argwhere(J):
        wrong = J.copy()
        wrong[tuple(place)] = 0.0
        check = ad.check_jacobian(g, x, jacobian=wrong)
        assert not check
        assert (check.row, check.column) == tuple(place)
        wrong[tuple(place)] = (1.0 + 1e-4) * J[tuple(place)]
        assert not ad.check_jacobian(g, x, jacobian=wrong)


def test_check_jacobian_where_entries_vanish():
    zero = np.zeros((2, 2))
    assert not ad.check_jacobian(lambda x: 1e-9 * x**2, [1.0, 2.0], jacobian=zero)
    assert ad.check_jacobian(lambda x: x**3, [0.0, 0.0], jacobian=zero)
    assert ad.check_jacobian(lambda x: abs(x) ** 3, [0.0, 1e-5])
    assert ad.check_jacobian(lambda x: 1e8 + np.floor(x), [0.5, 1.5], jacobian=zero)
    assert ad.check_jacobian(lambda x: np.maximum(x, 0.0), [1e-12, -1e-12, 1.0])
    assert not ad.check_jacobian(lambda x: x**2, [1.0, 2.0], jacobian=np.diag([2.0, np.nan]))
    spline = ad.elementwise(lambda x: np.cos(x.astype(float)), lambda x: -np.sin(x))
    assert ad.check_jacobian(lambda x: spline(x), [1.0, 2.0])
    jump = ad.check_jacobian(lambda x: np.floor(x) + x**2, [1.0, 2.0], jacobian=zero)
    assert not jump  # rounding explains no slope of 1e5
    empty = ad.check_jacobian(lambda x: x[:0], [1.0, 2.0])
    assert empty
    assert empty.row == -1


def test_assemble_on_a_larger_pattern():
    y = f(ad.seed(X))
    full = Pattern.of(sp.csr_array(np.ones((2, 3))))
    data = ad.jacobian_values(y, full)
    np.testing.assert_array_equal(full.matrix(data).toarray(), y.jacobian.toarray())
    assert full.matrix(data).indices is full.indices
    with pytest.raises(ShapeError, match=r"\(3, 3\).*\(2, 3\)"):
        ad.jacobian_values(y, Pattern.of(sp.eye_array(3)))
    with pytest.raises(StructureError, match=r"element \(0, 1\) of the Jacobian is not") as error:
        ad.jacobian_values(y, Pattern.of(sp.csr_array(np.eye(3)[:2])))
    assert (error.value.rows, error.value.columns) == ((0,), (1,))


def test_sparsity_knows_no_values():
    s = f(ad.seed_sparsity(X))
    np.testing.assert_array_equal(s.sparsity.toarray(), [[1, 1, 0], [0, 1, 1]])
    with pytest.raises(DerivativeError, match="seed_sparsity"):
        s.jacobian
    with pytest.raises(DerivativeError, match="seed_sparsity"):
        ad.jacobian_values(s, ad.sparsity_pattern(s))


def test_sparsity_of_an_ordinary_array():
    y = f(ad.seed(X))
    np.testing.assert_array_equal(y.sparsity.toarray(), [[1, 1, 0], [0, 1, 1]])
    assert ad.sparsity_pattern(y).nnz == 4


def test_sparsity_counts_factors_that_are_zero():
    x = ad.seed_sparsity(X)
    s = 0.0 * x + np.zeros(3) * x[::-1]
    assert s.sparsity.nnz == 5


def test_value():
    assert ad.value(3.0) == 3.0
    assert ad.value(X) is X
    assert not ad.value(ad.seed(X)).flags.writeable


def test_repr_shows_values_and_unknowns():
    assert repr(ad.seed([1.0, 2.0])) == "ADArray(array([1., 2.]), derivative in 2 unknowns)"
    assert "sparsity" in repr(ad.seed_sparsity([1.0]))


def test_elementwise():
    cube = ad.elementwise(lambda x: x**3, lambda x: 3 * x**2)
    np.testing.assert_array_equal(cube(X), X**3)
    np.testing.assert_allclose(cube(ad.seed(X)).jacobian.diagonal(), 3 * X**2)
    two = ad.elementwise(
        lambda a, b=0.0: a * np.exp(b), [lambda a, b: np.exp(b), lambda a, b: a * np.exp(b)]
    )
    x = ad.seed(X)
    np.testing.assert_allclose(
        two(x, x[0]).jacobian.toarray(), (x * np.exp(x[0])).jacobian.toarray()
    )
    np.testing.assert_allclose(two(2.0, x).jacobian.diagonal(), 2 * np.exp(X))
    constant = ad.elementwise(lambda a, b: a * b, [lambda a, b: b, None])
    assert constant(x, 2.0).jacobian.nnz == 3
    with pytest.raises(DerivativeError, match="argument 1"):
        constant(2.0, x)
    with pytest.raises(DerivativeError, match="2 derivatives"):
        two(x)
    with pytest.raises(InputError, match="callable"):
        ad.elementwise(np.sin, 3.0)
    with pytest.raises(ShapeError, match="elementwise"):
        ad.elementwise(lambda x: x[:1], lambda x: x)(x)


def test_elementwise_keeps_a_copy_of_slopes():
    slopes = np.ones(3)
    y = ad.elementwise(lambda x: x * 1.0, lambda x: slopes)(ad.seed(X))
    slopes[:] = 7.0
    np.testing.assert_array_equal(y.jacobian.diagonal(), 1.0)


@pytest.mark.parametrize(
    "convert",
    [np.asarray, np.array, float, int, complex, np.asanyarray, np.ascontiguousarray,
     lambda y: np.array([y, y]), lambda y: np.float64(y), lambda y: np.zeros(3) + np.asarray(y),
     lambda y: np.full((3, 3), y), lambda y: np.fromiter(y, dtype=float),
         lambda y: np.array(list(y), dtype=float),
     lambda y: np.linalg.eigvals(y), lambda y: np.random.default_rng(0).normal(y),
         lambda y: sp.csr_array(np.eye(3)) + y],
)  # fmt: skip
def test_conversions_that_would_lose_the_derivative(convert):
    y = ad.seed(X)
    with pytest.raises((DerivativeError, TypeError, ValueError)) as error:
        convert(y)
    if type(error.value) is ValueError:  # NumPy's own words, with ours as their cause
        assert isinstance(error.value.__cause__, DerivativeError)
    if convert in (np.asarray, np.array, float, int, complex):
        with pytest.raises(DerivativeError):
            convert(y)


def test_assignment_into_an_ndarray_is_an_error_that_names_the_way():
    target = np.zeros(3)
    for key, v in (
        (slice(None), ad.seed(X)),
        (0, ad.seed(X)[0]),
        (np.array([0, 1, 2]), ad.seed(X)),
        (X > 0, ad.seed(X)[:2]),
    ):
        with pytest.raises((DerivativeError, ValueError)) as error:
            target[key] = v
        ours = error.value if isinstance(error.value, DerivativeError) else error.value.__cause__
        assert "np.zeros(n, like=x)" in str(ours)
        assert "ad.value" not in str(ours)
    assert not target.any()


def test_data_types_and_the_front_door():
    with pytest.raises(DataTypeError):
        ad.seed("x")
    assert sgsolve.ad is ad
    for name in ad.__all__:
        assert getattr(ad, name).__doc__, name
