"""Arguments of NumPy's functions that are rarely given: NumPy's values and exact derivatives."""

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from sgsolve import ad
from sgsolve.errors import DerivativeError, InputError, ShapeError

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]])
Z = np.array([1.5, -2.25])
MASK = np.array([True, False, True])


def of(function):
    """Return NumPy's value, and value and Jacobian of the AD evaluation, at X flattened."""
    y = function(ad.seed(X.ravel()).reshape(2, 3))
    return function(X), y.value, y.reshape(-1).jacobian.toarray() if y.size else np.empty((0, 6))


# Linear in x: column j of the Jacobian is the function of the unit vector j, less that of zero.
LINEAR = {
    "no differences of a number": lambda x: np.diff(x[0, 0], 0) * np.ones(2),
    "insert in the flattened array": lambda x: np.insert(x, 2, 7.0),
    "insert rows at one place": lambda x: np.insert(np.zeros((3, 3)), 1, x, axis=0),
    "insert columns at one place": lambda x: np.insert(np.zeros((2, 2)), 1, x.T, axis=1),
    "insert a column": lambda x: np.insert(x, 1, x[:, 0], axis=1),
    "insert a column as a row": lambda x: np.insert(x, 1, x[:, :1].T, axis=1),
    "insert columns before one": lambda x: np.insert(x, [1], x[:, :2], axis=1),
    "insert columns before two": lambda x: np.insert(x, [2, 0], x[:, :2], axis=1),
    "insert one column before two": lambda x: np.insert(x, [2, 0], x[:, :1], axis=1),
    "insert columns at a slice": lambda x: np.insert(x, slice(0, 2), x[:, :2], axis=1),
    "insert columns by a mask": lambda x: np.insert(x, MASK, x[:, :2], axis=1),
    "insert from the end": lambda x: np.insert(x, -1, x[0], axis=0),
    "insert a row in the flattened array": lambda x: np.insert(x.ravel(), 1, x[0]),
    "insert a number everywhere": lambda x: np.insert(x, [0, 2], 5.0 * x[0, 0], axis=1),
    "pad, a width for an axis": lambda x: np.pad(x, {1: (2, 1)}),
    "pad, widths for axes from the end": lambda x: np.pad(x, {-1: 1, 0: (0, 2)}),
    "average with whole weights": lambda x: np.average(x, axis=1, weights=[1, 2, 3]),
    "mean of some": lambda x: np.mean(x, axis=1, where=np.array([True, False, True])),
    "array_split at places": lambda x: np.array_split(x, [1, 2], axis=1)[2],
    "array_split in unequal parts": lambda x: np.array_split(x, 2, axis=1)[0],
    "split in equal parts": lambda x: np.split(x, 3, axis=1)[1],
    "full_like of an AD array": lambda x: np.full_like(x, x[0, 1]),
    "add.reduce with a dtype": lambda x: np.add.reduce(x, axis=1, dtype=float),
    "add.reduce over two axes": lambda x: np.subtract.reduce(x, axis=0),
    "subtract.accumulate": lambda x: np.subtract.accumulate(x, axis=1),
    "meshgrid": lambda x: np.meshgrid(x[0], x[1], indexing="ij")[1],
    "meshgrid, sparse": lambda x: np.meshgrid(x[0], x[1], sparse=True)[0],
    "linspace without its end": lambda x: np.linspace(x[0], x[1], 4, endpoint=False),
    "cumulative_sum with its start": lambda x: np.cumulative_sum(x, axis=1, include_initial=True),
    "nothing of an einsum": lambda x: np.einsum("ij,kj->ik", x[:0], x),
    "norm of nothing": lambda x: np.linalg.norm(x[:, :0], 1),
    "accumulate of nothing": lambda x: np.subtract.accumulate(x[:, :0], axis=1),
    "cumulative product of nothing": lambda x: np.cumprod(x[:, :0], axis=1),
}

# The first version of NumPy that takes the arguments.
SINCE = {
    "pad, a width for an axis": (2, 4),
    "pad, widths for axes from the end": (2, 4),
    "norm of nothing": (2, 4),
}
NUMPY = tuple(int(part) for part in np.__version__.split(".")[:2])


@pytest.mark.parametrize("name", LINEAR)
def test_linear_functions_are_their_own_derivative(name):
    function = LINEAR[name]
    if name in SINCE and SINCE[name] > NUMPY:
        pytest.skip("NumPy takes these arguments from a later version on")
    expected, value, jacobian = of(function)
    np.testing.assert_allclose(value, expected, rtol=1e-15)
    at_zero = np.ravel(function(np.zeros((2, 3))))
    units = [np.ravel(function(e.reshape(2, 3))) - at_zero for e in np.eye(6)]
    np.testing.assert_allclose(jacobian, np.array(units).T, atol=1e-14)


STEPS = {
    "rint of complex numbers": lambda x: np.rint(x + 0.3j * x).real,
    "angle of real numbers": np.angle,
    "angle of real numbers, in degrees": lambda x: np.angle(x, True),
    "full_like of a number": lambda x: np.full_like(x, 3.0) + 0.0 * x,
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_have_no_slope(name):
    expected, value, jacobian = of(STEPS[name])
    np.testing.assert_array_equal(value, expected)
    assert not jacobian.any()


def test_full_like_of_a_number_is_a_plain_array():
    assert type(np.full_like(ad.seed(Z), 3.0)) is np.ndarray


MASKED = np.ma.MaskedArray([1.0, 2.0], [0, 1])
MATRIX = np.eye(2).view(np.matrix)
REFUSED = {
    "masked factor": (lambda y: y * MASKED, r"np\.where\(mask, a, b\)"),
    "masked term": (lambda y: MASKED + y, "MaskedArray"),
    "masked in a product": (lambda y: MASKED @ y, "masked array"),
    "masked in a function": (lambda y: np.hypot(y, MASKED), "masked array"),
    "an operator from the right": (lambda y: y @ aslinearoperator(np.eye(2)), "LinearOperator"),
    "matrix times": (lambda y: y * MATRIX, r"M\.todense\(\)"),
    "powers of a matrix": (lambda y: y**MATRIX, r"np\.asarray\(M\)"),
    "a matrix times a number": (lambda y: MATRIX * y[0], r"np\.asarray\(M\)"),
    "a matrix from the right": (lambda y: np.sum(y) * MATRIX, r"np\.asarray\(M\)"),
    "a matrix in np.dot": (lambda y: np.dot(y[0], MATRIX), r"np\.asarray\(M\)"),
    "a matrix in np.inner": (lambda y: np.inner(MATRIX, y[0]), r"np\.asarray\(M\)"),
    "a matrix in a function": (lambda y: np.hypot(MATRIX, y), r"np\.asarray\(M\)"),
    "linspace with its step": (lambda y: np.linspace(y, 1.0, 3, retstep=True), "no retstep"),
    "ones like": (lambda y: np.ones(2, like=y), r"1\.0 \+ np\.zeros\(shape, like=y\)"),
    "linspace of integers": (lambda y: np.linspace(y, 1.0, 3, dtype=int), "no integer dtype"),
    "vector_norm over all, kept": (
        lambda y: np.linalg.vector_norm(y, axis=None, keepdims=True),
        "vector_norm.*one axis",
    ),
    "vector_norm over two axes": (
        lambda y: np.linalg.vector_norm(np.stack([y, y]), axis=(0, 1)),
        "vector_norm.*one axis",
    ),
    "average with its weights": (lambda y: np.average(y, weights=Z, returned=True), "returned"),
    "order of fermi_dirac": (lambda y: ad.fermi_dirac(y, Z), "order is an AD array"),
    "complex lambertw": (lambda y: ad.lambertw(1j * y), "real arguments"),
    "reduce of nothing": (lambda y: np.subtract.reduce(y[:0]), "no elements"),
    "cumulative_sum of two axes": (lambda y: np.cumulative_sum(np.stack([y, y])), "needs an axis"),
    "pad, odd": (lambda y: np.pad(y, (1, 0), "reflect", reflect_type="odd"), "2 \\* edge minus"),
    "clip of some": (
        lambda y: np.clip(y, 0.0, 1.0, where=np.array([True, False])),
        "np.clip on AD arrays takes no where",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_a_derivative_is_refused(name):
    call, said = REFUSED[name]
    with pytest.raises(DerivativeError, match=said):
        call(ad.seed(Z))


WRONG = {
    "meshgrid": (lambda y: np.meshgrid(y, y, indexing="yx"), ValueError, "'xy' or 'ij'"),
    "split": (lambda y: np.split(y, 3), InputError, "length 2 has no 3 equal parts"),
    "cross": (lambda y: np.cross(y[:1], y), ShapeError, "cross"),
    "einsum, operands": (lambda y: np.einsum("i,i->i", y), ShapeError, "names 2 operands"),
    "einsum, axes": (lambda y: np.einsum("ij->i", y), ShapeError, "'ij' does not name the axes"),
    "diff of a number": (lambda y: np.diff(y[0]), ValueError, "at least one dimensional"),
    "axis of diff": (lambda y: np.diff(y, axis=1), ValueError, "axis 1 is out of bounds"),
    "order of diff": (lambda y: np.diff(y, -1), ValueError, "non-negative"),
    "len": (lambda y: len(y[0]), TypeError, "without axes"),
    "iteration": (lambda y: list(y[0]), TypeError, "without axes"),
    "inv": (lambda y: np.linalg.inv(np.outer(y, y)), np.linalg.LinAlgError, "singular at these"),
    "order of fermi_dirac": (lambda y: ad.fermi_dirac(0.25, y), InputError, "0.25 is not one of"),
    "orders of fermi_dirac": (lambda y: ad.fermi_dirac([0.5], y), InputError, "is not one of"),
    "branch": (
        lambda y: ad.branch(np.array([True, False]), lambda i: y[[0, 1, 1]], lambda i: y[i]),
        ShapeError,
        "branch",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_numpy_refuses_is_refused(name):
    call, error, said = WRONG[name]
    with pytest.raises(error, match=said):
        call(ad.seed(Z))


def test_an_empty_sparsesum():
    nothing = ad.sparsesum([ad.sparsevec(0, [], ad.seed(Z)[:0])])
    assert np.shape(nothing) == (0,)


def test_norms_of_matrices():
    """The largest column sum and row sum: their derivatives are the signs along that line."""
    for order, picked in ((1, (slice(None), 0)), (np.inf, (1, slice(None)))):
        expected, value, jacobian = of(lambda x, order=order: np.linalg.norm(x, order))
        assert value == pytest.approx(expected)
        signs = np.zeros((2, 3))
        signs[picked] = np.sign(X[picked])
        np.testing.assert_array_equal(jacobian.reshape(2, 3), signs)
