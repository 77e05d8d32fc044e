"""np.array of elements, np.r_ and np.c_ keep derivatives, or refuse; never do they lose one."""

from unittest import mock

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import special

from sgsolve import Problem, ad
from sgsolve.ad.assignments import array_makers
from sgsolve.ad.drivers.function_calls import result_of
from sgsolve.errors import DerivativeError

X = np.array([0.7, 1.3, 0.4])
A = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 1.0]])


def three(x):
    return np.array([x[0] * x[1], np.exp(x[1]), x[2]])


def assigned(x):
    F = np.zeros_like(x)
    F[:2] = np.array([x[0], x[1] ** 2])
    np.add.at(F, [2, 2], np.array([x[1], x[2]]))
    return F


def replaced(x):
    F = three(x)
    F[0] = x[2] ** 2
    return F


def filled_objects(x):
    F = np.empty(3, dtype=object)
    for i in range(3):
        F[i] = x[i] ** 2
    return F


KEPT = {
    "equations": lambda x: np.array([x[0] ** 2 - 1, np.exp(x[1]) * x[2], 3.0]),
    "asarray": lambda x: np.asarray([x[0] - x[1], x[1]]),
    "matrix": lambda x: np.array([[x[0], 1.0, 0], [0, x[1], 2], [0, 0, x[2]]]) @ x,
    "two object arrays": lambda x: np.array([[x[0], 1.0], [2.0, x[1]]]) @ np.array([x[1], 2]),
    "constant matrix": lambda x: A @ three(x),
    "dot": lambda x: np.dot(A, three(x)),
    "einsum": lambda x: np.einsum("ij,j->i", A, three(x)),
    "unary": lambda x: np.sin(np.array([[x[0], x[1]], [x[1], x[2]]])).ravel(),
    "binary": lambda x: np.arctan2(three(x), 2.0),
    "with an AD array": lambda x: np.hypot(three(x), x) - x * three(x) + three(x) / x,
    "comparison": lambda x: np.where(three(x) > 0.5, x, x**2),
    "reversed comparison": lambda x: np.where(x > three(x), three(x), x**2),
    "maximum": lambda x: np.maximum(three(x), 0.5) + np.maximum(three(x), x[::-1]),
    "sum": lambda x: three(x).sum() * np.sum(three(x)) * np.prod(three(x)) * x,
    "norm": lambda x: np.linalg.norm(three(x)) * x,
    "concatenate": lambda x: np.concatenate([three(x), x, [x[2]], three(x)[:1]]),
    "concatenate lists": lambda x: np.concatenate([[x[0]], [x[1] * x[2]]]),
    "hstack": lambda x: np.hstack([three(x), x[2]]),
    "vstack": lambda x: np.vstack([three(x), x]).ravel(),
    "stack": lambda x: np.stack([three(x), x]).ravel(),
    "block": lambda x: np.block([[three(x), x]]).ravel(),
    "append": lambda x: np.append(x, three(x)),
    "outer": lambda x: np.outer(three(x), x).ravel() + np.multiply.outer(x, three(x)).ravel(),
    "cross": lambda x: np.cross(three(x), x),
    "clip": lambda x: np.clip(three(x), 0.5, 1.0),
    "powers": lambda x: three(x) ** 2.5 + 2.0 ** three(x) - 1 / three(x),
    "index": lambda x: three(x)[[2, 0, 1]] + three(x)[::-1],
    "cumsum": lambda x: np.cumsum(three(x)),
    "zeros like": lambda x: np.zeros_like(three(x)) + x,
    "assigned": assigned,
    "replaced": replaced,
    "objects of objects": lambda x: np.array([three(x), three(x[::-1])]).ravel(),
    "in a list": lambda x: [three(x), x[0]],
    "an element": lambda x: np.exp(np.array(x[0])) * x,
    "branch": lambda x: ad.elementwise(np.exp, np.exp)(three(x)),
    "lists": lambda x: np.sum([x[0], x[1]]) * np.max([x[0], x[1]]) * np.array([x[0], 2.0]),
    "norm of a list": lambda x: np.linalg.norm([x[0], x[1]]) * np.dot([x[0], x[1]], [1, 2]) * x,
    "hstack of lists": lambda x: np.hstack([[x[0]], [x[1] * x[2]]]),
    "compress": lambda x: np.compress(three(x), x) * np.extract(x, three(x)),
    "full": lambda x: np.full(3, x[0] ** 2) * x,
    "r_": lambda x: np.r_[x[0], x[1:] * x[0], 0.0, [1.0, 2.0], 3],
    "r_ of a range": lambda x: np.r_[0:2, x, np.r_[0.0, x]],
    "r_ of objects": lambda x: np.r_[three(x), x],
    "r_ of matrices": lambda x: np.r_[np.outer(x, x), np.ones((1, 3))].ravel(),
    "r_ with directives": lambda x: np.r_["0,2", x, x**2][1] + np.r_["1,2,0", x, x**2].sum(1),
    "r_ of complex": lambda x: np.abs(np.r_[1j * x[0], x]),
    "r_ of integers": lambda x: np.r_[1, x[0], 2],
    "c_": lambda x: np.c_[x, x[::-1] ** 2, np.ones(3)].ravel(),
    "c_ of a matrix": lambda x: np.c_[np.outer(x, x), x, np.array([1, 2, 3])].ravel(),
    "c_ of numbers": lambda x: np.c_[x[0], x[1]].ravel(),
}  # fmt: skip


def flat(f, x):
    value = f(x)
    return np.hstack([np.ravel(v) for v in value]) if isinstance(value, list) else np.ravel(value)


@pytest.mark.parametrize("name", KEPT)
def test_values_and_slopes_are_those_of_the_plain_function(name):
    f = (KEPT | TRUTH_VALUES)[name]
    value, jacobian = ad.value_and_jacobian(f, X)
    expected = flat(f, X)
    np.testing.assert_allclose(value.ravel(), expected, rtol=1e-15)
    assert value.dtype == expected.dtype
    h = 1e-5
    slopes = [(flat(f, X + h * e) - flat(f, X - h * e)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(jacobian.toarray(), np.transpose(slopes), atol=1e-8)
    again = ad.jacobian_function(f)
    again(X[::-1])
    np.testing.assert_array_equal(again(X).toarray(), jacobian.toarray())


TRUTH_VALUES = {
    "logical_or": lambda x: np.logical_or(2.0 * three(x), three(x) - 1.0) * x,
    "logical_and": lambda x: np.logical_and(three(x) * [1.0, 0.0, 2.0], three(x)) * x,
    "of the second operand": lambda x: np.logical_and(x < 1.0, 2.0 * three(x)) * x,
    "reduce": lambda x: np.logical_and.reduce(three(x) - 1.0) * x,
    "outer": lambda x: np.logical_or.outer(0.0 * three(x), three(x))[0] * x**2,
    "where": lambda x: np.where(three(x) / 3.0, x, -x),
    "if": lambda x: three(x) * 2.0 if three(x)[0] else x,
    "count": lambda x: np.count_nonzero(three(x) * [1.0, 0.0, 2.0]) * x,
}


@pytest.mark.parametrize("name", TRUTH_VALUES)
def test_truth_values_are_those_of_numbers(name):
    """NumPy's logical functions of arrays of objects return elements; the result is not that."""
    test_values_and_slopes_are_those_of_the_plain_function(name)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_residual_as_scipys_root_takes_it(compiled):
    if compiled:
        pytest.importorskip("llvmlite")

    def residual(x, radius):
        return np.array([x[0] ** 2 + x[1] ** 2 - radius**2, x[0] - np.exp(-x[1])])

    problem = Problem(residual, params={"radius": 2.0}, compiled=compiled)
    branch = problem.sweep([1.0, 1.0], "radius", [2.0, 3.0])
    for x, radius in zip(branch.states, (2.0, 3.0), strict=True):
        np.testing.assert_allclose(residual(x, radius), 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.array([x, x]), r"np\.stack"),
        (lambda x: np.array([x[:1], x[1:2]]).ravel(), r"np\.stack"),
        (lambda x: np.array([x[0], x[1]], dtype=float), r"np\.stack"),
        (lambda x: np.array([x[0], x[1]]).astype(float), r"np\.zeros\(n, like=x\)"),
        (lambda x: np.linalg.inv(np.array([[x[0], 1], [0, x[1]]])).ravel(), r"np\.stack.*'inv'"),
        (lambda x: special.erf(three(x)), r"np\.stack.*'erf'"),
        (lambda x: np.log(np.array([x[0], 2.0])), r"np\.stack.*log"),
        (lambda x: np.hypot([x[0], 2.0], [1.0, x[1]]), r"np\.stack.*hypot"),
        (lambda x: np.mean([x[0], x[1]]) * x, r"np\.mean|np\.stack"),
        (lambda x: special.logsumexp([x[0], x[1]]) * x, r"ad\.logsumexp"),
        (lambda x: sp.csr_array(A) @ three(x), r"np\.stack"),
        (lambda x: np.interp(three(x), [0.0, 2.0], [1.0, 3.0]), r"np\.stack"),
        (lambda x: np.imag(np.array([x[0] * 1j, x[1]])), r"np\.stack"),
        (lambda x: np.gradient(three(x)), r"np\.gradient.*np\.stack"),
        (lambda x: special.factorial(three(x)), r"np\.stack.*object|scipy\.special\.gamma"),
        (lambda x: np.cov([x[0], x[1], x[2]]) * x, r"np\.stack.*'shape'"),
        (lambda x: np.mean(three(x)) * x, r"np\.mean\(np\.stack"),
        (lambda x: np.logical_and(three(x), three(x)) * x, r"truth value.*compare first"),
        (lambda x: np.logical_or([x[0], x[1]], [x[1], 2.0]), r"truth value.*compare first"),
        (lambda x: np.logical_or(three(x) * 2.0, three(x)) * x, r"truth value.*compare first"),
        (lambda x: np.logical_and.reduce(three(x) - 1.0) * x, r"truth value.*compare first"),
        (lambda x: np.logical_or(2.0 * filled_objects(x), x > 1.0) * x, r"truth value.*compare"),
        (lambda x: np.logical_and(np.array([1, 2, 0], object), x), r"truth value.*compare first"),
        (lambda x: np.compress(three(x), [1.0, 2.0, 3.0]) * x, r"truth value.*compare first"),
        (lambda x: x if three(x)[0] else -x, r"truth value.*compare first"),
        (lambda x: np.frompyfunc(lambda v: v * v, 1, 1)(x), r"\[f\(v\) for v in y\]"),
        (lambda x: np.vectorize(lambda v: v * v)(x), r"\[f\(v\) for v in y\]"),
        (lambda x: [v for _, v in np.ndenumerate(x)], r"np\.ndindex"),
        (lambda x: np.apply_over_axes(np.sum, x, [0]), r"axis="),
        (lambda x: np.r_[[x[0], 2.0], x], r"np\.r_.*np\.hstack"),
        (lambda x: A[x[0]], r"cannot be an index"),
        (lambda x: np.delete(A[0], x), r"np\.delete.*cannot be an index"),
        (lambda x: np.float64(x[0]) * x, r"np\.zeros\(n, like=x\)|np\.stack"),
    ],
)  # fmt: skip
def test_what_would_lose_a_slope_is_refused_in_words(f, words):
    with (
        mock.patch.object(array_makers, "replaced_function", return_value=None),
        pytest.raises(DerivativeError, match=words),
    ):
        result_of(f, ad.seed(X))


def test_a_missing_attribute_of_a_number_of_the_user_is_left_as_it_is():
    with pytest.raises(AttributeError, match="mobility") as error:
        ad.jacobian(lambda x: x * (1.0).mobility, X)
    assert not isinstance(error.value, DerivativeError)
    with pytest.raises(AttributeError, match="shape") as error:
        ad.jacobian(lambda x: x * (1.0).shape, X)
    assert not isinstance(error.value, DerivativeError)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_of_numpy_is_an_array_of_objects_too():
    B = np.array([[3.0, 1.0], [1.0, 2.0]])
    value, jacobian = ad.value_and_jacobian(lambda x: np.matrix([[x[0], 2.0]]) * B, X)
    np.testing.assert_array_equal(value, [[3 * X[0] + 2, X[0] + 4]])
    np.testing.assert_array_equal(jacobian.toarray(), [[3.0, 0, 0], [1.0, 0, 0]])
    with pytest.raises(DerivativeError, match=r"y\.reshape\(1, -1\)"):
        ad.jacobian(np.asmatrix, X)
    with pytest.raises(DerivativeError, match=r"np\.asarray\(M\)"):
        ad.jacobian(lambda x: np.asmatrix(np.eye(len(X))) * x[:, None], X)
