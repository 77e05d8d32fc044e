"""Selections of elements: their rows are rows of the identity matrix, where NumPy itself says."""

import itertools

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.functions.along_axes import shaping

SHAPES = [(2, 3), (3, 2), (2, 2, 2), (3, 3, 3), (4,), (0, 2)]


def selected_by(f, x, y):
    """Whether value and rows of y are those of elements that f selects from x."""
    want = f(x)
    if not x.size and not isinstance(y, ad.ADArray):
        return np.array_equal(y, want)  # there is nothing that it could depend on
    numbers = f(np.arange(x.size).reshape(x.shape)).ravel()
    J = y.jacobian.toarray()
    return (
        np.array_equal(y.value, want)
        and y.shape == want.shape
        and np.array_equal(J, np.eye(x.size)[numbers].reshape(J.shape))
    )


def calls(shape):
    """All functions that only select, with arguments that fit the shape."""
    given = {
        np.roll: [(1,), (-1, 0)], np.repeat: [(2,), (2, 0)], np.tile: [(2,)], np.take: [([0],)],
        np.moveaxis: [(0, -1)], np.swapaxes: [(0, -1)], np.rollaxis: [(len(shape) - 1,)],
        np.broadcast_to: [((2, *shape),)], np.delete: [(0,), (0, 0)], np.resize: [((3,),)],
        np.flip: [(), (0,)], np.diagonal: [(), (1,), (0, 0, -1)], np.linalg.diagonal: [()],
        np.rot90: [(), (2,), (1, (1, 0))], np.matrix_transpose: [()],
        np.linalg.matrix_transpose: [()], np.squeeze: [()], np.ravel: [(), ("F",)],
        np.lib.stride_tricks.sliding_window_view: [(2, 0), ((1, 2), (0, -1))],
        np.reshape: [(-1, "F"), (-1,)], np.fliplr: [()], np.flipud: [()], np.transpose: [()],
    }  # fmt: skip
    assert {*shaping.NUMPY_ONLY} <= {*given, np.compress, np.extract, np.take_along_axis}
    for func, cases in given.items():
        for arguments in cases:
            yield lambda a, func=func, arguments=arguments: func(a, *arguments)
    yield lambda a: np.compress([True], a, 0)
    yield lambda a: np.extract(np.ones(shape), a)
    yield lambda a: np.take_along_axis(a, np.zeros(shape, dtype=int), 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_two_functions_share_a_selection(shape):
    """All functions on one cache, in both orders: each finds its own rows."""
    x = np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)
    fitting = []
    for f in calls(shape):
        try:
            f(x)
        except (ValueError, IndexError, TypeError):
            continue
        fitting.append(f)
    ad.clear_cache()
    for f in [*fitting, *reversed(fitting)]:
        assert selected_by(f, x, f(ad.seed(x))), f.__defaults__


@pytest.mark.parametrize("n", [0, 1, 3, 4])
def test_every_slice_of_a_vector(n):
    x = np.linspace(1.0, 2.0, n)
    ends = [None, *range(-n - 3, n + 4)]
    for start, stop, step in itertools.product(ends, ends, [None, 1, 2, -1, -2, -5]):
        key = slice(start, stop, step)
        assert selected_by(lambda a, key=key: a[key], x, ad.seed(x)[key]), key


@pytest.mark.parametrize(("n", "nothing"), [
    (1, slice(-2, None, -2)), (3, slice(-5, None, -1)), (3, slice(-4, None, -2)),
    (3, slice(0, 2, -1)), (3, slice(2, 1)), (3, []), (1, slice(0, 0)),
])  # fmt: skip
def test_an_empty_slice_in_every_role(n, nothing):
    """What selects nothing has no rows: joined, summed, multiplied, put back, taken again."""
    x = np.linspace(1.0, 2.0, n)

    def none(x):
        return np.sin(x)[nothing]

    for f, exact in [
        (lambda x: np.concatenate([none(x), x]), np.eye(n)),
        (lambda x: x * np.sum(none(x)), np.zeros((n, n))),
        (lambda x: x + np.ones((n, 0)) @ none(x), np.eye(n)),
        (lambda x: ad.sparsesum([ad.sparsevec(n, [], none(x)), (n, range(n), x)]), np.eye(n)),
        (lambda x: np.hstack([none(x)[::-1] * x[:0], x]), np.eye(n)),
        (lambda x: ad.where(x[:0] > 0, none(x), 0.0), np.zeros((0, n))),
    ]:
        for _ in range(8):
            y = f(ad.seed(x))
            assert np.array_equal(y.jacobian.toarray(), exact)


def layouts(x):
    yield x
    for axes in itertools.permutations(range(x.ndim)):
        y = x.transpose(axes)
        yield y
        yield y[::-1]
        yield y[..., ::2]
        yield y[:, ::-2]
        yield np.broadcast_to(y, (2, *y.shape))
        yield y + y - y


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("function", [
    np.ravel, lambda y, order: y.ravel(order), lambda y, order: y.flatten(order=order),
    lambda y, order: np.reshape(y, -1, order=order), lambda y, order: y.reshape(-1, order=order),
])  # fmt: skip
def test_elements_in_memory_order(function, order):
    """The order of NumPy for an array that lies in memory as this one does."""
    x = np.arange(1.0, 25.0).reshape(2, 3, 4)
    for plain, y in zip(layouts(x), layouts(ad.seed(x)), strict=True):
        try:
            want = function(plain, order)
        except ValueError:
            with pytest.raises(ValueError, match="order"):
                function(y, order)
            continue
        got = function(y, order)
        assert np.array_equal(got.value, want)
        assert np.array_equal(got.jacobian.toarray(), np.eye(24)[want.astype(int) - 1])


@pytest.mark.parametrize("key", [
    np.array(1), np.array(-1, dtype=np.int8), np.array(True), np.array(False), np.int64(2),
    np.array([[1, 2]]), np.array([], dtype=int), np.zeros(0, dtype=bool), True, (np.array(1),),
])  # fmt: skip
def test_shape_of_an_index_without_axes(key):
    x = np.array([1.0, 2.0, 3.0])
    y = ad.seed(x)[key]
    assert selected_by(lambda a: a[key], x, y)
    assert type(y._value) is type(x[key])


@pytest.mark.parametrize("put", ["sum", "joined", "product"])
def test_index_arrays_that_change_and_repeat(put):
    """Later arrays repeat positions, the first ones did not: a program holds for either kind."""
    n, rng = 8, np.random.default_rng(0)
    for call in range(40):
        distinct = call < 12 or call % 3 == 0
        idx = rng.permutation(n)[:5] if distinct else rng.integers(-n, n, 5)
        other = rng.permutation(n)[:5] if call % 2 else rng.integers(0, n, 5)
        x = rng.normal(size=n)
        u = ad.seed(x)
        taken = 2.0 * np.sin(u[idx])
        E = np.eye(n)[idx]
        D = 2.0 * np.cos(x[idx])[:, None] * E
        if put == "sum":
            y, exact = ad.sparsesum([(n, idx, taken), (n, other, u[idx])]), E.T @ D
            exact = exact + np.eye(n)[other].T @ E
        elif put == "joined":
            y, exact = np.hstack([taken[::2], u])[idx], np.vstack([D[::2], np.eye(n)])[idx]
        else:
            again = ad.sparsesum([(n, idx, taken * u[other])])
            y = again[other]
            product = D * x[other][:, None] + 2.0 * np.sin(x[idx])[:, None] * np.eye(n)[other]
            exact = (E.T @ product)[other]
        np.testing.assert_allclose(y.jacobian.toarray(), exact, atol=1e-12)
