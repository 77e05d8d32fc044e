"""In-place operators: NumPy's outcome for every name of the array, or a refusal."""

import copy
import operator

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.errors import DataTypeError, DerivativeError, ShapeError

X = np.array([0.55, 0.6, 0.7, 0.8])
OPERATORS = {
    "+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv,
    "**=": operator.ipow, "//=": operator.ifloordiv, "%=": operator.imod,
}  # fmt: skip
# Ways to a second array of 4 (or 2 x 2) elements; NumPy tells which of them are views.
WAYS = {
    "itself": lambda r: r, "slice": lambda r: r[1:-1], "reversed": lambda r: r[::-1],
    "ellipsis": lambda r: r[...], "new axis": lambda r: r[:, None], "T": lambda r: r.T,
    "reshape": lambda r: r.reshape(2, 2), "np.reshape": lambda r: np.reshape(r, (4, 1)),
    "reshape F": lambda r: np.reshape(r, (2, 2), order="F"), "ravel": np.ravel,
    "ravel method": lambda r: r.ravel(), "flatten": lambda r: r.flatten(),
    "row": lambda r: r.reshape(2, 2)[0], "element": lambda r: r[1], "list": lambda r: r[[0, 1]],
    "mask": lambda r: r[np.array([True, False, True, True])], "flip": np.flip,
    "transposed": lambda r: r.reshape(2, 2).transpose((1, 0)), "squeeze": np.squeeze,
    "swapaxes": lambda r: r.reshape(2, 2).swapaxes(0, 1), "expand": lambda r: np.expand_dims(r, 0),
    "atleast_1d": np.atleast_1d, "atleast_2d": np.atleast_2d, "atleast_3d": np.atleast_3d,
    "split": lambda r: np.split(r, 2)[1], "array_split": lambda r: np.array_split(r, 3)[0],
    "hsplit": lambda r: np.hsplit(r, 2)[0], "iteration": lambda r: list(r.reshape(2, 2))[1],
    "moveaxis": lambda r: np.moveaxis(r.reshape(2, 2), 0, 1), "rot90": lambda r:
    np.rot90(r.reshape(2, 2)), "roll": lambda r: np.roll(r, 1), "take": lambda r: np.take(r, [1]),
    "copy": lambda r: r.copy(), "np.copy": np.copy, "copy.copy": copy.copy, "plus": lambda r: +r,
    "astype": lambda r: r.astype(float), "astype same": lambda r: r.astype(float, copy=False),
    "real": lambda r: r.real, "np.real": np.real, "conj": lambda r: r.conj(),
    "conjugate": np.conjugate, "ufunc": np.abs, "where": lambda r: np.where(r > 0, r, 0.0),
    "sum": lambda r: np.sum(r.reshape(2, 2), axis=0), "concatenate": lambda r:
    np.concatenate([r]), "matmul": lambda r: np.eye(4) @ r, "repeat": lambda r: np.repeat(r, 1),
    "clip": lambda r: np.clip(r, -9, 9), "unstack": lambda r: np.moveaxis(r.reshape(2, 2), 1, 0)[0],
    "elementwise": lambda r: ad.elementwise(lambda v: v, lambda v: np.ones_like(v))(r),
    "meshgrid": lambda r: np.meshgrid(r, [1.0, 2.0])[0], "real_if_close": np.real,
    "take slice": lambda r: r[slice(0, 3)][1:], "diag": lambda r: np.diag(r),
    "matrix_transpose": lambda r: np.matrix_transpose(r.reshape(2, 2)),
    "permute": lambda r: np.permute_dims(r.reshape(2, 2)), "rollaxis": lambda r:
    np.rollaxis(r.reshape(2, 2), 1), "fliplr": lambda r: np.fliplr(r.reshape(2, 2)),
    "vsplit": lambda r: np.vsplit(r.reshape(2, 2), 2)[0], "trim": lambda r: np.ediff1d(r),
}  # fmt: skip


def same(f, x=X):
    """Whether f gives NumPy's values and the slopes of central differences; None if refused."""
    want = f(x.copy())
    try:
        y = f(ad.seed(x))
    except DerivativeError:
        return None
    assert np.array_equal(ad.value(y), want)
    h = 1e-6
    for k, e in enumerate(np.eye(len(x)) * h):
        slope = (f(x + e) - f(x - e)) / (2 * h)
        assert np.allclose(y.jacobian.toarray()[:, k], slope.ravel(), rtol=1e-6, atol=1e-6)
    return True


@pytest.mark.parametrize("way", WAYS)
def test_writing_through_another_name(way):
    """Written into either of two arrays, both are NumPy's afterwards, or it is refused."""
    other = WAYS[way]

    def into_the_second(u):
        r = 2 * u - 1
        second = other(r)
        second += 0.5 * u[: second.shape[0]].reshape((-1,) + (1,) * (second.ndim - 1)).sum()
        return np.concatenate([r, np.ravel(second)])

    def into_the_first(u):
        r = 2 * u - 1
        second = other(r)
        r *= u**2
        return np.concatenate([r, np.ravel(second)])

    def element_by_name(u):
        r = 2 * u - 1
        second = other(r)
        second += 0.25
        return np.concatenate([r, np.ravel(second)])

    r = 2 * X - 1
    shared = np.shares_memory(r, other(r))
    itself = other(r) is r
    for f in (into_the_first, element_by_name) + (
        () if way in ("element", "meshgrid") else (into_the_second,)
    ):
        if way == "diag" and f is not into_the_first:
            continue
        outcome = same(f)
        if (not shared or itself) and way != "elementwise":
            assert outcome, "refused without need"


@pytest.mark.parametrize("symbol", OPERATORS)
def test_every_operator_on_the_array_itself(symbol):
    op = OPERATORS[symbol]

    def f(u):
        r = 1.5 * u
        second = r
        op(r, 1.25)
        second = op(second, 0.7 + u)
        holder = [second, r]
        holder[0] = op(holder[0], np.array([2.0, 3.0, 1.0, 0.9]))
        return np.concatenate([r, second, holder[1]])

    assert same(f)


def test_matrix_product_in_place():
    A = np.arange(4.0).reshape(2, 2)

    def f(u):
        r = (2 * u).reshape(2, 2) * 1.0
        second = r
        r @= A
        return second.ravel()

    assert same(f)


@pytest.mark.parametrize("evaluations", [9])
def test_compiled_programs_follow(evaluations):
    """The same after the evaluation has become a program."""

    def f(u):
        r = 2 * u - 1
        for k in range(3):
            r += np.sin(u * k)
            r *= u
        q = r
        q /= 1 + u**2
        return r

    for k in range(evaluations):
        x = X + 0.01 * k
        J = ad.jacobian(f, x).toarray()
        exact = np.diag(np.imag(f(x + 1e-30j)) / 1e-30)
        np.testing.assert_allclose(J, exact, rtol=1e-12, atol=1e-14)


def test_views_that_are_gone_do_not_matter():
    def f(u):
        r = 2 * u - 1
        flux = r[1:] - r[:-1]
        r += np.sum(flux * r[::-1][1:])
        r.reshape(2, 2)
        r *= u
        part = (r * u)[1:]
        part += r[1:]
        return np.concatenate([r, part, flux])

    assert same(f)


def test_a_view_whose_sibling_is_in_use():
    def siblings(u):
        r = 2 * u
        a, b = r[:2], r[1:3]
        del r
        a += b
        return np.concatenate([a, b])

    assert same(siblings) is None


def test_what_does_not_fit_is_refused_as_numpy_refuses_it():
    u = ad.seed(X)
    r = 2 * u
    with pytest.raises(ShapeError, match=r"\+= .*shape \(4,\)"):
        r += u[:, None]
    with pytest.raises(DataTypeError, match="complex128"):
        r *= 1j
    k = ad.seed(np.arange(3))
    with pytest.raises(DataTypeError, match="int64"):
        k += 0.5
    k += 2
    assert k.dtype == np.int64
    s = ad.seed(X.astype(np.float32))
    second = s
    s *= X
    assert second.dtype == np.float32
    np.testing.assert_allclose(second.jacobian.diagonal(), X, rtol=1e-7)
    b = np.broadcast_to(u, (2, 4))
    del u
    with pytest.raises(DerivativeError, match=r"view|read-only"):
        b += 1.0


def test_layout_in_memory_stays():
    r = ad.seed(np.arange(6.0)) * 1.0
    t = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    y = r.reshape(3, 2).T + 0.0
    del r
    strides = y.value.strides
    y *= np.ascontiguousarray(t)
    assert y.value.strides == strides


def test_arguments_of_the_drivers_may_be_written_into():
    def f(x, p):
        x *= p
        p += 1.0
        return x * p

    value, (dx, dp) = ad.value_and_jacobian_blocks(f, (X, np.full(4, 3.0)))
    np.testing.assert_array_equal(value, X * 3.0 * 4.0)
    np.testing.assert_allclose(dx.diagonal(), 12.0)
    np.testing.assert_allclose(dp.diagonal(), X * (2 * 3.0 + 1))


def test_sums_of_a_loop():
    def f(u):
        total = 0.0
        rows = u.reshape(2, 2)
        for row in rows:
            total += row**2
        acc = total
        acc -= np.sum(u)
        s = u[0]
        s += 1.0
        return np.append(total, s * u[0])

    assert same(f)


def test_structure_is_found_through_in_place_operators():
    def f(u):
        r = 2 * u
        second = r
        r += u[::-1]
        return second

    np.testing.assert_array_equal(
        f(ad.seed_sparsity(X)).sparsity.toarray(), np.eye(4) + np.eye(4)[::-1]
    )


SIGNS = ("+", "-", "*", "/", "//", "%", "**")


@pytest.mark.parametrize("sign", SIGNS)
def test_the_replacement_for_a_part_of_an_ndarray_is_named_and_works(sign):
    """``F[a:b] += y`` names expressions that give what NumPy gives."""
    a, b = 1, 3
    x = np.array([1.5, 2.5, 3.5, 4.5])
    space = {"np": np, "ad": ad, "a": a, "b": b}

    def in_place(F, y):
        exec(f"F[a:b] {sign}= y", {**space, "F": F, "y": y})
        return F

    expected = in_place(x * 2.0, x[1:3])
    u = ad.seed(x)
    with pytest.raises(DerivativeError) as raised:
        in_place(x * 2.0, u[1:3])
    message = str(raised.value)
    assert f"F[a:b] {sign}= y" in message
    instead = message.partition(", and F = ")[2].partition(" for a part")[0]
    assert "F = np.zeros(n, like=y)" in message

    def replacement(u):
        return eval(instead, {**space, "F": x * 2.0, "y": u[1:3]})

    def filled(u):
        F = np.zeros(4, like=u)
        F[:] = x * 2.0
        return in_place(F, u[1:3])

    for f in (replacement, filled):
        np.testing.assert_allclose(f(u).value, expected, rtol=1e-15)
        assert ad.check_jacobian(f, x + 0.1)


# NumPy returns a number for a number here, or an array without axes, whose change other names see.
OF_NUMBERS = {
    "copy": lambda v: v.copy(), "T": lambda v: v.T, "transpose": np.transpose,
    "transposed": lambda v: v.transpose(), "reshape": lambda v: v.reshape(()),
    "reshape F": lambda v: np.reshape(v, (), order="F"), "flip": np.flip, "squeeze": np.squeeze,
    "moveaxis": lambda v: np.moveaxis(v, (), ()), "permute": lambda v: np.permute_dims(v, ()),
    "flat": lambda v: np.stack([v, v]).flat[1], "mean": lambda v: v.mean().copy(),
    "diagonal": lambda v: np.diagonal(np.outer(v, v))[0].copy(), "np.copy": np.copy,
    "broadcast": lambda v: np.broadcast_to(v, ()).copy(), "resize": lambda v: np.resize(v, ()),
    "ellipsis": lambda v: v[...], "plus": np.positive, "empty key": lambda v: v[()],
    "deepcopy": copy.deepcopy, "take": lambda v: np.take(v, 0), "nan_to_num": np.nan_to_num,
}  # fmt: skip


@pytest.mark.parametrize("way", OF_NUMBERS)
def test_another_name_of_a_number_keeps_its_value(way):
    def f(x):
        first = OF_NUMBERS[way](x[0] * x[1])
        second = first
        first += x[2]
        return np.hstack([first, second, x[1] * second, x[3]])

    assert same(f) is not None
    if ad.compiled_is_available():
        compiled = ad.compiled(f, at_once=True)
        for x in (X, 0.5 * X, X[::-1].copy()):
            np.testing.assert_array_equal(compiled.value_and_jacobian(x)[0], f(x))
