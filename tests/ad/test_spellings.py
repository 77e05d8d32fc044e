"""NumPy as people spell it: methods of ufuncs, lists in the place of arrays, conversions."""

import cmath
import math
import statistics

import numpy as np
import pytest
from scipy import integrate, interpolate, optimize, special, stats

from sgsolve import Problem, ad
from sgsolve.errors import DerivativeError, InputError, ShapeError

from .differences import check
from .numpy_calls import C, M, T, V

UFUNC_METHODS = {
    "add.reduce": lambda x: np.add.reduce(x, axis=1),
    "add.reduce keepdims": lambda x: np.add.reduce(x, axis=(0, 1), keepdims=True),
    "subtract.reduce": lambda x: np.subtract.reduce(x, axis=1),
    "divide.reduce": lambda x: np.divide.reduce(x),
    "hypot.reduce": lambda x: np.hypot.reduce(x, axis=1, keepdims=True),
    "hypot.reduce of one": lambda x: np.hypot.reduce(x[:, 2:], axis=1),
    "hypot.accumulate of a vector": lambda x: np.hypot.accumulate(x[0], axis=None),
    "add.accumulate of a vector": lambda x: np.add.accumulate(x[1], axis=None),
    "owens_t.reduce": lambda x: special.owens_t.reduce(x, axis=0),
    "logaddexp.reduce": lambda x: np.logaddexp.reduce(x, axis=None),
    "logaddexp.reduce of two axes": lambda x: np.logaddexp.reduce(x * M[:, None], axis=(0, 2)),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=0),
    "multiply.reduce": lambda x: np.multiply.reduce(x, axis=1, initial=2.0),
    "add.accumulate": lambda x: np.add.accumulate(x),
    "add.accumulate axis": lambda x: np.add.accumulate(x, axis=1),
    "multiply.accumulate": lambda x: np.multiply.accumulate(x, axis=1),
    "maximum.accumulate": lambda x: np.maximum.accumulate(x, axis=1),
    "minimum.accumulate": lambda x: np.minimum.accumulate(x),
    "subtract.accumulate": lambda x: np.subtract.accumulate(x, axis=-1),
    "add.outer": lambda x: np.add.outer(x, x[0]),
    "subtract.outer": lambda x: np.subtract.outer(x[0], C),
    "subtract.outer of a constant": lambda x: np.subtract.outer(C, x),
    "multiply.outer": lambda x: np.multiply.outer(x, x),
    "multiply.outer of a list": lambda x: np.multiply.outer([1.0, 2.0], x),
    "arctan2.outer": lambda x: np.arctan2.outer(x[0], x[1]),
    "power.outer": lambda x: np.power.outer(x**2, [1, 2, 3]),
    "add.reduceat": lambda x: np.add.reduceat(x[0] * x[1], [0, 2, 1]),
    "add.reduceat axis": lambda x: np.add.reduceat(x, [0, 2], axis=1),
    "add.reduceat of the first axis": lambda x: np.add.reduceat(x, [1, 0]),
    "hypot.reduceat": lambda x: np.hypot.reduceat(x, [0, 2, 1], axis=1),
    "multiply.reduceat": lambda x: np.multiply.reduceat(x, [0, 1], axis=1),
    "maximum.reduceat": lambda x: np.maximum.reduceat(x[0], [0, 2]),
    "a list as operand": lambda x: np.maximum(x[0], [x[1, 0], 0.0, x[1, 2]]) + [x[0, 0], 1.0, 2.0],
    "a list as left operand": lambda x: [x[0, 0], 1.0, x[1, 1]] * x[0],
}


@pytest.mark.parametrize("name", UFUNC_METHODS)
def test_methods_of_ufuncs(name):
    check(UFUNC_METHODS[name], M)


def test_a_number_is_reduced_to_itself():
    for ufunc in (np.add, np.hypot, np.logaddexp, np.maximum):
        y = ufunc.reduce(ad.seed(V)[0])
        assert y.value == ufunc.reduce(V[0])
        assert y.jacobian.toarray()[0, 0] == 1.0


def test_methods_of_ufuncs_that_decide_are_plain():
    x = ad.seed(V)
    np.testing.assert_array_equal(np.greater.outer(x, x), np.greater.outer(V, V))
    assert np.logical_and.reduce(x) == np.logical_and.reduce(V)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda x: np.add.at(np.zeros(6), [0], x[:1]),
            r"np\.add\.at of F = .*sparsesum.*np\.bincount",
        ),
        (
            lambda x: np.subtract.at(np.zeros(6), [0], x[:1]),
            r"np\.subtract\.at of F = np\.zeros\(n, like=x\)",
        ),
        (lambda x: np.sin(x, out=np.zeros(6)), r"np\.sin\(.*out.*y = np\.sin"),
        (lambda x: np.sin(x, where=V > 0), r"takes no where.*np\.where\(mask, np\.sin"),
        (lambda x: np.divide(x, V, out=np.zeros(6), where=V > 0), r"np\.zeros_like\(y\)"),
        (lambda x: np.cumsum(x, out=np.zeros(6)), r"np\.cumsum\(.*out"),
    ],
)
def test_writing_into_arrays_is_refused_with_the_way_to_write_it(call, words):
    with pytest.raises(DerivativeError, match=words):
        call(ad.seed(V))


@pytest.mark.parametrize("sign", ["+=", "-=", "*=", "/=", "**="])
def test_in_place_operators_on_ndarrays_name_the_operator(sign):
    F = np.ones(6)
    with pytest.raises(DerivativeError) as error:
        exec(f"F {sign} x", {"F": F, "x": ad.seed(V)})
    assert f"F {sign} y" in str(error.value)
    assert f"F = F {sign[:-1]} y" in str(error.value)
    np.testing.assert_array_equal(F, 1.0)


def test_keywords_that_change_nothing_are_accepted():
    x = ad.seed(V)
    for y in (np.sin(x, out=None), np.sin(x, where=True), np.add(x, 1.0, casting="same_kind")):
        assert isinstance(y, ad.ADArray)


# ---- lists in the place of arrays ------------------------------------------------------------

LISTS = {
    "list of scalars": lambda x: [x[0] * x[1], np.sin(x[2]), 3.0],
    "tuple of scalars": lambda x: (x[0] * x[1], np.sin(x[2])),
    "list of vectors": lambda x: [x[:3] * x[3:], x[3:] ** 2],
    "nested lists of scalars": lambda x: [[x[0], x[1] ** 2], [1.0, x[2] * x[3]]],
    "a tuple in a list": lambda x: [(x[0], 2.0), (x[1], x[0] * x[1])],
    "parts of different lengths": lambda x: [x[0] ** 2, x[1:3] * x[0], [x[4], 1.0]],
}


def _as_numpy(value):
    try:
        return np.array(value)
    except ValueError:
        return np.hstack([np.ravel(v) for v in value])


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_arrays_in_every_driver(name):
    f = LISTS[name]
    expected = _as_numpy(f(V))
    h = 1e-30
    J = np.stack([np.imag(_as_numpy(f(V + 1j * h * e))).ravel() / h for e in np.eye(6)], axis=1)
    for _ in range(4):
        value, jacobian = ad.value_and_jacobian(f, V)
        np.testing.assert_array_equal(value, expected)
        np.testing.assert_allclose(jacobian.toarray(), J, rtol=1e-14)
    np.testing.assert_allclose(ad.jacobian(f, V).toarray(), J, rtol=1e-14)
    v, w = np.arange(6.0), np.arange(float(expected.size)).reshape(expected.shape)
    value, derivative = ad.jvp(f, V, v)
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_allclose(derivative, (J @ v).reshape(expected.shape), rtol=1e-14)
    np.testing.assert_allclose(ad.vjp(f, V, w)[1], J.T @ w.ravel(), rtol=1e-13)
    np.testing.assert_allclose(ad.jacobian_function(f)(V).toarray(), J, rtol=1e-14)
    dense = ad.jacobian_function(f, dense=True)(V)
    np.testing.assert_allclose(dense, J.reshape(*expected.shape, 6), rtol=1e-14)
    _, (block,) = ad.value_and_jacobian_blocks(f, (V,))
    np.testing.assert_allclose(block.toarray(), J, rtol=1e-14)
    assert ad.check_jacobian(f, V)


def test_a_list_without_unknowns_is_a_constant():
    assert ad.jacobian_function(lambda x: [1.0, 2.0])(V).shape == (2, 6)
    np.testing.assert_array_equal(ad.jvp(lambda x: [1.0, [2.0]], V, V)[0], [1.0, 2.0])


def test_lists_serve_scipy():
    def rhs(t, y):
        return [-1000.0 * y[0] + y[1] ** 2, -y[1]]

    run = integrate.solve_ivp(
        rhs, (0, 1), [1.0, 1.0], method="BDF", rtol=1e-8, jac=ad.jacobian_function(rhs, argnum=1)
    )
    assert abs(run.y[1, -1] - math.exp(-1.0)) < 1e-5

    def equations(x):
        return [x[0] + x[1] - 3.0, (x[0] ** 2 - x[1]) * 2.0]

    found = optimize.root(equations, [1.0, 1.0], jac=ad.jacobian_function(equations, dense=True))
    assert np.abs(equations(found.x)).max() < 1e-9


@pytest.mark.parametrize(
    "residual",
    [
        lambda x: [x[0] ** 2 - 4.0, x[1] - x[0]],
        lambda x: (x[0] ** 2 - 4.0, [x[1] - x[0]]),
        lambda x: [[x[0] ** 2 - 4.0], [x[1] - x[0]]],
        lambda x: [x[:1] ** 2 - 4.0, x[1] - x[0]],
        lambda x: [x[:1] ** 2 - 4.0, x[1:] - x[:1]],
    ],
)
def test_lists_of_equations_solve(residual):
    problem = Problem(residual)
    np.testing.assert_allclose(problem.solve([1.0, 1.0]).x, [2.0, 2.0], rtol=1e-9)
    np.testing.assert_allclose(problem.residual([3.0, 1.0]), [5.0, -2.0])
    np.testing.assert_allclose(problem.jacobian([3.0, 1.0]).toarray(), [[6, 0], [-1, 1]])
    assert problem.check_jacobian([3.0, 1.0])


# ---- conversions -----------------------------------------------------------------------------


def test_text_and_rounding():
    x = ad.seed(V)
    assert f"{x[0]:.3f} {x[1]:8.2e}" == f"{V[0]:.3f} {V[1]:8.2e}"
    assert f"{x}" == str(x)
    assert f"{x[2]:+.1f}" == "-2.6"
    for rounded in (round(x[0], 1), round(x[0]), math.floor(x[0]), math.ceil(x[0])):
        assert isinstance(rounded, ad.ADArray)
        assert not (rounded + 0.0).jacobian.data.any()
    assert [round(x[0], 1) == 0.7, math.floor(x[2]) == -3, math.trunc(x[2]) == -2] == [True] * 3


@pytest.mark.parametrize("name", ["reduce", "accumulate", "reduceat"])
def test_powers_of_powers_are_right_or_refused(name):
    """With vector instructions, NumPy 2.4 reduces [a, b, c] to a**c by np.power."""
    x = np.array([2.0, 3.0, 2.0])
    arguments = ([0],) if name == "reduceat" else ()
    value = np.ravel(getattr(np.power, name)(x, *arguments))
    if abs(value[-1] - 64.0) > 1e-9:
        with pytest.raises(DerivativeError, match="write it as a loop"):
            getattr(np.power, name)(ad.seed(x), *arguments)
        return
    y = getattr(np.power, name)(ad.seed(x), *arguments)
    last = np.ravel(y)[-1].jacobian.toarray()[0]
    np.testing.assert_allclose(last, [192.0, 64.0 * np.log(4.0), 64.0 * np.log(8.0)])


def test_elements_keep_their_derivatives():
    check(lambda x: np.stack([x.item(0) * x.item(5), x[:1].item()]), V)
    check(lambda x: np.stack([x.item((0, 1)), x.item(1, 2)]) if isinstance(x, ad.ADArray)
          else np.stack([x[0, 1], x[1, 2]]), M)  # fmt: skip
    check(lambda x: np.hstack(x.tolist()[1]) * 2.0, M)
    with pytest.raises(InputError, match="position"):
        ad.seed(V).item()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: math.exp(x[0]), r"np\.exp\(y\)"),
        (lambda x: math.sqrt(x[0]), r"np\.sqrt\(y\)"),
        (lambda x: cmath.exp(x[0]), r"np\.exp\(y\).*cmath"),
        (lambda x: float(x[0]), r"float\(y\) would lose"),
        (lambda x: int(x[0]), r"np\.floor"),
        (lambda x: statistics.mean(x), r"np\.mean"),
        (lambda x: statistics.pvariance([x[0], x[1]]), r"np\.var"),
        (lambda x: list(range(x[0])), r"index, a count"),
        (lambda x: ad.jacobian(lambda y: V[y[0]], [1.0]), r"cannot be an index"),
        (lambda x: stats.norm.pdf(x), r"scipy\.stats\.norm\.pdf"),
        (
            lambda x: interpolate.CubicSpline(V**0 * np.arange(6.0), V)(x),
            r"interpolate.CubicSpline",
        ),
    ],
)
def test_numbers_are_refused_without_advice_that_loses_the_slope(call, words):
    with pytest.raises(DerivativeError, match=words) as error:
        call(ad.seed(V))
    assert "ad.value" not in str(error.value)


@pytest.mark.parametrize("evaluate", [ad.jacobian, lambda f, x: Problem(f).solve(x)])
def test_writing_elements_is_explained(evaluate):
    F = np.zeros(6)  # made outside of the function

    def writes(x):
        for k in range(6):
            F[k] = x[k] ** 2
        return F

    # Outside of a residual NumPy raises a ValueError of its own, whose cause is ours.
    for written in (
        lambda y: np.fromiter(iter(y), float),
        lambda y: np.zeros(2).__setitem__(0, y[0]),
    ):
        with pytest.raises(ValueError, match="sequence") as caught:
            written(ad.seed(V))
        assert isinstance(caught.value.__cause__, DerivativeError)
        assert "np.zeros(n, like=x) in place of F = np.zeros(n) where F[i] = y is to follow" in str(
            caught.value.__cause__
        )
    with pytest.raises(DerivativeError, match=r"fromiter.*np\.zeros\(n, like=x\).*return the list"):
        evaluate(writes, V)


# ---- sums of vectors -------------------------------------------------------------------------


def test_full_vectors_among_sparse_ones():
    check(lambda x: ad.sparsesum([ad.sparsevec(6, [0, 3], x[:2]), x**2, np.ones(6)]), V)
    check(lambda x: ad.sparsesum([x, x[::-1] * x]), V)
    with pytest.raises(ShapeError, match="different lengths"):
        ad.sparsesum([ad.seed(V), np.ones(5)])
    with pytest.raises(InputError, match=r"written 2 times"):
        ad.sparsesum([ad.seed(V), ad.sparsevec(6, [2], 1.0)], check_unique=True)
    for wrong in (3.0, ad.seed(V).reshape(2, 3), [1.0]):
        with pytest.raises(InputError, match=r"sparsesum: a term"):
            ad.sparsesum([wrong])


def test_small_linear_algebra_says_where_it_ends():
    with pytest.raises(DerivativeError, match="use an unknown"):
        np.linalg.solve(np.eye(20) * ad.seed([1.0]), np.ones(20))
    with pytest.raises(ShapeError, match="square"):
        np.linalg.inv(ad.seed(V).reshape(2, 3))
    with pytest.raises(np.linalg.LinAlgError, match=r"np\.linalg\.solve.*singular|Singular"):
        np.linalg.solve(ad.seed(np.zeros(4)).reshape(2, 2), [1.0, 2.0])
    check(lambda x: np.linalg.inv(x) @ x[0, 0], T)


def test_systems_with_a_constant_matrix_may_be_large():
    A = np.random.default_rng(3).random((30, 30)) + 10.0 * np.eye(30)
    start = np.linspace(0.5, 1.5, 30)
    check(lambda x: np.linalg.solve(A, x**2), start)
    check(lambda x: np.linalg.solve(A, np.stack([x, np.sin(x)], 1)).ravel(), start)
    check(lambda x: np.linalg.solve(A.astype(np.float32), x), start)
    check(lambda x: np.abs(np.linalg.solve(1j * A, x)), start)


def test_lists_serve_functionals_and_storage():
    problem = Problem(
        lambda x, a: [x[0] ** 2 - a, x[1] - x[0] * a],
        params={"a": 4.0},
        storage=lambda x: [2.0 * x[0], [x[0] * x[1]]],
    )
    result = problem.solve([1.0, 1.0])
    x = result.x
    np.testing.assert_allclose(x, [2.0, 8.0], rtol=1e-9)
    np.testing.assert_allclose(
        problem.mass_matrix(x).toarray(), [[2.0, 0.0], [8.0, 2.0]], rtol=1e-9
    )
    slopes = problem.sensitivity(result, "a", lambda x, a: [x[0] * a, x[1]])
    np.testing.assert_allclose(np.ravel(slopes), [3.0, 3.0], rtol=1e-9)


def test_arrays_made_like_an_ad_array():
    def like(x):
        return {"like": x} if isinstance(x, ad.ADArray) else {}

    check(lambda x: np.array([x[0], 2.0, x[1] * x[2]], **like(x)), V)
    check(lambda x: np.asarray([[x[0], x[1]], [x[1], 1.0]], **like(x)) @ x[:2], V)
    check(lambda x: np.fromiter((z**2 for z in x), float, **like(x)), V)
    assert np.array([1.0, 2.0], like=ad.seed(V)).dtype == float
    assert np.array([ad.seed(V)[0]], np.float32, like=ad.seed(V)).dtype == np.float32
    with pytest.raises(DerivativeError, match="int64"):
        np.array([ad.seed(V)[0]], dtype=np.int64, like=ad.seed(V))


def test_weights_of_a_histogram_are_not_lost():
    for call in (
        lambda x: np.histogram(V, bins=3, weights=x),
        lambda x: np.histogram(V, 3, None, True, x),
    ):
        with pytest.raises(DerivativeError, match=r"np\.bincount"):
            call(ad.seed(V))
    edges = np.histogram(V, bins=3)[1]
    check(lambda x: np.bincount(np.digitize(V, edges[1:-1]), weights=x, minlength=3), V)


def test_an_array_of_objects_is_a_list_of_equations():
    def residual(x):
        F = np.empty((2, 3), dtype=object)
        for i in range(6):
            F[i // 3, i % 3] = x[i] ** 2 - (i + 1.0)
        return 2.0 * F

    def vector(x):
        return residual(x).ravel()

    np.testing.assert_allclose(Problem(vector).solve(np.ones(6)).x ** 2, np.arange(1.0, 7.0))
    np.testing.assert_allclose(ad.jacobian(vector, V).toarray(), np.diag(4.0 * V))
    assert ad.value(residual(ad.seed(V))[0, 0]) == 2.0 * (V[0] ** 2 - 1.0)
