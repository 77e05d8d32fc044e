import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.dispatch import INSTEAD, METHODS, TABLE
from sgsolve.ad.numpy_functions import DECISIONS
from sgsolve.errors import DerivativeError

from .differences import check

V = np.array([0.7, 1.9, -2.6, 0.3, 1.1, -0.8])
M = V.reshape(2, 3)
C = np.array([2.0, -1.0, 0.5])

# One line for each way of calling; the functions named here must be the whole table.
CALLS = {
    np.transpose: [(M, lambda x: np.transpose(x)), (M, lambda x: x.T), (M, lambda x: x.transpose(1, 0))],
    np.permute_dims: [(M, lambda x: np.permute_dims(x, (1, 0)))],
    np.matrix_transpose: [(M, lambda x: np.matrix_transpose(x))],
    np.linalg.matrix_transpose: [(M, lambda x: np.linalg.matrix_transpose(x))],
    np.swapaxes: [(M, lambda x: np.swapaxes(x, 0, 1)), (M, lambda x: x.swapaxes(0, 1))],
    np.moveaxis: [(M, lambda x: np.moveaxis(x, 0, -1))],
    np.rollaxis: [(M, lambda x: np.rollaxis(x, 1))],
    np.roll: [(V, lambda x: np.roll(x, 2)), (M, lambda x: np.roll(x, -1, axis=1)), (M, lambda x: np.roll(x, (1, 1), (0, 1)))],
    np.flip: [(V, lambda x: np.flip(x)), (M, lambda x: np.flip(x, 1))],
    np.fliplr: [(M, lambda x: np.fliplr(x))],
    np.flipud: [(M, lambda x: np.flipud(x))],
    np.rot90: [(M, lambda x: np.rot90(x)), (M, lambda x: np.rot90(x, 2))],
    np.repeat: [(V, lambda x: np.repeat(x, 2)), (M, lambda x: np.repeat(x, [1, 0, 2], axis=1)), (M, lambda x: x.repeat(2, 0))],
    np.tile: [(V, lambda x: np.tile(x, 2)), (M, lambda x: np.tile(x, (2, 1, 2)))],
    np.broadcast_to: [(V, lambda x: np.broadcast_to(x, (2, 6))), (V, lambda x: np.broadcast_to(x[0], (2, 2)))],
    np.broadcast_arrays: [(V, lambda x: np.broadcast_arrays(x[:, None], x[:2])[1])],
    np.diagonal: [(M, lambda x: np.diagonal(x)), (M, lambda x: x.diagonal(1))],
    np.linalg.diagonal: [(M, lambda x: np.linalg.diagonal(x, offset=1))],
    np.take: [(V, lambda x: np.take(x, [0, -1, 0]))],
    np.compress: [(V, lambda x: np.compress(V > 0, x)), (M, lambda x: np.compress([True, False, True], x, axis=1)), (V, lambda x: x.compress(V > 0))],
    np.take_along_axis: [(M, lambda x: np.take_along_axis(x, np.array([[0], [2]]), 1))],
    np.delete: [(V, lambda x: np.delete(x, [1, 3])), (M, lambda x: np.delete(x, 0, axis=1)), (V, lambda x: np.delete(x, slice(0, 2)))],
    np.extract: [(V, lambda x: np.extract(V > 0, x))],
    np.resize: [(V, lambda x: np.resize(x, (3, 4)))],
    np.squeeze: [(V, lambda x: np.squeeze(x[None, :, None])), (V, lambda x: x[None].squeeze(0))],
    np.expand_dims: [(V, lambda x: np.expand_dims(x, (0, 2)))],
    np.atleast_1d: [(V, lambda x: np.atleast_1d(x[0]))],
    np.atleast_2d: [(V, lambda x: np.atleast_2d(x))],
    np.atleast_3d: [(M, lambda x: np.atleast_3d(x)), (V, lambda x: np.atleast_3d(x))],
    np.reshape: [(V, lambda x: np.reshape(x, (3, -1))), (V, lambda x: x.reshape(2, 3)), (M, lambda x: np.reshape(x, (3, 2), order="F")), (M, lambda x: x.reshape((3, 2)))],
    np.ravel: [(M, lambda x: np.ravel(x)), (M, lambda x: x.ravel()), (M, lambda x: x.flatten()), (M, lambda x: np.ravel(x, order="F"))],
    np.split: [(V, lambda x: np.split(x, 3)[1]), (V, lambda x: np.split(x, [2, 5])[1]), (M, lambda x: np.split(x, 3, axis=1)[2])],
    np.array_split: [(V, lambda x: np.array_split(x, 4)[1])],
    np.hsplit: [(M, lambda x: np.hsplit(x, 3)[1])],
    np.vsplit: [(M, lambda x: np.vsplit(x, 2)[1])],
    np.dsplit: [(M, lambda x: np.dsplit(x[None], 3)[1])],
    np.diag: [(C, lambda x: np.diag(x)), (C, lambda x: np.diag(x, -1)), (M, lambda x: np.diag(x, 1))],
    np.diagflat: [(M, lambda x: np.diagflat(x, 1))],
    np.tril: [(M, lambda x: np.tril(x)), (C, lambda x: np.tril(x, -1))],
    np.triu: [(M, lambda x: np.triu(x, 1))],
    np.copy: [(M, lambda x: np.copy(x)), (M, lambda x: x.copy())],
    np.round: [(V, lambda x: np.round(x, 1) + x), (V, lambda x: x.round(1) * x)],
    np.around: [(V, lambda x: np.around(x, 1) * x)],
    np.concatenate: [(V, lambda x: np.concatenate([x, C, x[:1]])), (M, lambda x: np.concatenate([x, x], axis=1)), (M, lambda x: np.concatenate([x, C], axis=None))],
    np.stack: [(V, lambda x: np.stack([x, x**2], axis=1)), (V, lambda x: np.stack([x[0], x[1], 3.0]))],
    np.hstack: [(V, lambda x: np.hstack([x[0], 1.0, x])), (M, lambda x: np.hstack([x, x[:, :1]]))],
    np.vstack: [(M, lambda x: np.vstack([x, C, x[0]]))],
    np.dstack: [(M, lambda x: np.dstack([x, x**2])), (C, lambda x: np.dstack([x, C]))],
    np.block: [(M, lambda x: np.block([[x, np.eye(2)], [np.zeros((1, 3)), x[:1, :2]]])), (V, lambda x: np.block([x, 1.0]))],
    np.column_stack: [(C, lambda x: np.column_stack([x, C, x**2])), (M, lambda x: np.column_stack([x, x[:, 0]]))],
    np.append: [(V, lambda x: np.append(x, [1.0, 2.0])), (M, lambda x: np.append(x, x, axis=0)), (V, lambda x: np.append(C, x))],
    np.insert: [(V, lambda x: np.insert(x, 2, 5.0)), (V, lambda x: np.insert(x, [0, 3], x[:2]))],
    np.pad: [(V, lambda x: np.pad(x, 2)), (M, lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=7.0)), (V, lambda x: np.pad(x, 2, mode="edge")), (V, lambda x: np.pad(x, 3, mode="wrap")), (V, lambda x: np.pad(x, 3, mode="reflect")), (V, lambda x: np.pad(x, 3, mode="symmetric"))],
    np.select: [(V, lambda x: np.select([x > 1, x > 0], [x**2, x], -1.0))],
    np.where: [(V, lambda x: np.where(x > 0.5, x**2, C[0])), (V, lambda x: np.where(V > 0, 1.0, x))],
    np.sum: [(M, lambda x: np.sum(x)), (M, lambda x: np.sum(x, axis=(0, 1), keepdims=True)), (M, lambda x: x.sum(1)), (M, lambda x: np.sum(x, axis=-2)), (M, lambda x: np.add.reduce(x))],
    np.mean: [(M, lambda x: np.mean(x)), (M, lambda x: x.mean(axis=0, keepdims=True))],
    np.average: [(V, lambda x: np.average(x)), (V, lambda x: np.average(x, weights=np.arange(6.0))), (M, lambda x: np.average(x, axis=1, weights=C))],
    np.var: [(M, lambda x: np.var(x)), (M, lambda x: x.var(axis=1, ddof=1))],
    np.std: [(M, lambda x: np.std(x)), (M, lambda x: x.std(0, keepdims=True))],
    np.prod: [(M, lambda x: np.prod(x)), (M, lambda x: x.prod(axis=1)), (V, lambda x: np.prod(x * np.array([1, 0, 1, 1, 1, 1]))), (V, lambda x: np.prod(x * np.array([1, 0, 0, 1, 1, 1]))), (M, lambda x: np.multiply.reduce(x, axis=1))],
    np.max: [(M, lambda x: np.max(x)), (M, lambda x: x.max(axis=0)), (M, lambda x: np.max(x, axis=(0, 1), keepdims=True)), (V, lambda x: np.maximum.reduce(x))],
    np.min: [(M, lambda x: np.min(x)), (M, lambda x: x.min(axis=1, keepdims=True)), (V, lambda x: np.minimum.reduce(x))],
    np.amax: [(M, lambda x: np.amax(x, 0))],
    np.amin: [(M, lambda x: np.amin(x, 0))],
    np.ptp: [(M, lambda x: np.ptp(x)), (M, lambda x: np.ptp(x, axis=1))],
    np.linalg.norm: [(V, lambda x: np.linalg.norm(x)), (V, lambda x: np.linalg.norm(x, 1)), (V, lambda x: np.linalg.norm(x, np.inf)), (V, lambda x: np.linalg.norm(x, -np.inf)), (V, lambda x: np.linalg.norm(x, 3)), (V, lambda x: np.linalg.norm(x, 2)), (V, lambda x: np.linalg.norm(x, 0) + x), (M, lambda x: np.linalg.norm(x)), (M, lambda x: np.linalg.norm(x, "fro")), (M, lambda x: np.linalg.norm(x, axis=1)), (M, lambda x: np.linalg.norm(x, 1, axis=0, keepdims=True)), (M, lambda x: np.linalg.norm(x, 1)), (M, lambda x: np.linalg.norm(x, np.inf, keepdims=True)), (M, lambda x: np.linalg.norm(x, -1))],
    np.linalg.vector_norm: [(M, lambda x: np.linalg.vector_norm(x)), (M, lambda x: np.linalg.vector_norm(x, axis=1, ord=3))],
    np.linalg.matrix_norm: [(M, lambda x: np.linalg.matrix_norm(x)), (M, lambda x: np.linalg.matrix_norm(x, ord=1))],
    np.nan_to_num: [(V, lambda x: np.nan_to_num(np.where(x > 0, x, np.inf), posinf=3.0))],
    np.cumsum: [(V, lambda x: np.cumsum(x)), (M, lambda x: x.cumsum(axis=1)), (M, lambda x: np.cumsum(x))],
    np.cumprod: [(V, lambda x: np.cumprod(x)), (M, lambda x: x.cumprod(axis=0))],
    np.diff: [(V, lambda x: np.diff(x)), (V, lambda x: np.diff(x, 2)), (M, lambda x: np.diff(x, axis=0)), (V, lambda x: np.diff(x, prepend=0.0, append=x[:1])), (M, lambda x: np.diff(x, prepend=1.0))],
    np.ediff1d: [(M, lambda x: np.ediff1d(x)), (V, lambda x: np.ediff1d(x, to_begin=0.0, to_end=[1.0, 2.0]))],
    np.trapezoid: [(V, lambda x: np.trapezoid(x)), (V, lambda x: np.trapezoid(x, np.arange(6.0) ** 2)), (M, lambda x: np.trapezoid(x, dx=0.1, axis=0)), (V, lambda x: np.trapezoid(np.ones(6), x)), (M, lambda x: np.trapezoid(x, C))],
    np.gradient: [(V, lambda x: np.gradient(x)), (V, lambda x: np.gradient(x, 0.5, edge_order=2)), (V, lambda x: np.gradient(x, np.arange(6.0) ** 2)), (M, lambda x: np.gradient(x)[1]), (M, lambda x: np.gradient(x, 2.0, axis=0))],
    np.clip: [(V, lambda x: np.clip(x, -1.0, 1.0)), (V, lambda x: x.clip(0.0)), (V, lambda x: np.clip(x, x[3], 1.5))],
    np.sort: [(V, lambda x: np.sort(x)), (M, lambda x: np.sort(x, axis=0)), (M, lambda x: np.sort(x, axis=None))],
    np.median: [(V, lambda x: np.median(x)), (V, lambda x: np.median(x[:5])), (M, lambda x: np.median(x, axis=1))],
    np.matmul: [(M, lambda x: np.matmul(x, C))],
    np.dot: [(M, lambda x: np.dot(x, C)), (M, lambda x: x.dot(C))],
    np.vdot: [(M, lambda x: np.vdot(x, M))],
    np.inner: [(M, lambda x: np.inner(x, x))],
    np.tensordot: [(M, lambda x: np.tensordot(x, x, axes=2))],
    np.outer: [(V, lambda x: np.outer(x, C))],
    np.trace: [(M, lambda x: np.trace(x)), (M, lambda x: x.trace(1))],
    np.kron: [(M, lambda x: np.kron(x, C))],
    np.cross: [(M, lambda x: np.cross(x, C))],
    np.linalg.cross: [(M, lambda x: np.linalg.cross(x, C))],
    np.linalg.outer: [(C, lambda x: np.linalg.outer(x, C))],
    np.linalg.trace: [(M, lambda x: np.linalg.trace(x, offset=1))],
    np.linalg.matmul: [(M, lambda x: np.linalg.matmul(x, C))],
    np.linalg.tensordot: [(M, lambda x: np.linalg.tensordot(x, C, axes=1))],
    np.linalg.vecdot: [(M, lambda x: np.linalg.vecdot(x, C))],
    np.einsum: [(M, lambda x: np.einsum("ij,kj->ik", x, x)), (M, lambda x: np.einsum("ij->j", x)), (M, lambda x: np.einsum("ij", x))],
    np.interp: [(V, lambda x: np.interp(x, [-2.0, 0.0, 1.0, 2.0], [1.0, -1.0, 3.0, 4.0])), (V, lambda x: np.interp(x, [-1.0, 1.0], [0.0, 1.0], left=5.0, right=-5.0))],
    np.polyval: [(V, lambda x: np.polyval([1.0, -2.0, 0.5], x)), (C, lambda x: np.polyval(x, V))],
    np.piecewise: [(V, lambda x: np.piecewise(x, [x < 0, x > 1], [lambda u: -u, 3.0, lambda u: u**2]))],
    np.real: [(V, lambda x: np.real(x))],
    np.fix: [(V, lambda x: np.fix(x) + x)],
    np.sinc: [(np.append(V, 0.0), lambda x: np.sinc(x))],
    np.i0: [(V, lambda x: np.i0(x))],
    np.meshgrid: [(V, lambda x: np.meshgrid(x[:2], x[2:5])[0]), (V, lambda x: np.meshgrid(C, x, indexing="ij")[1])],
    np.vander: [(C, lambda x: np.vander(x)), (C, lambda x: np.vander(x, 2, increasing=True))],
    np.nansum: [(V, lambda x: np.nansum(np.where(x > 0, x, np.nan)))],
    np.nanmean: [(V, lambda x: np.nanmean(np.where(x > 0, x, np.nan)))],
    np.nanmax: [(V, lambda x: np.nanmax(np.where(x > 0, x, np.nan)))],
    np.nanmin: [(V, lambda x: np.nanmin(np.where(x > 0, x, np.nan)))],
    np.linspace: [(V, lambda x: np.linspace(x[0], x[1], 5)), (V, lambda x: np.linspace(0.0, x, 4)), (V, lambda x: np.linspace(x[0], 3.0, 4, endpoint=False))],
    np.convolve: [(V, lambda x: np.convolve(x, C)), (V, lambda x: np.convolve(C, x, "same")), (V, lambda x: np.convolve(x[:3], x, "valid"))],
    np.fill_diagonal: [],
}  # fmt: skip
for name, calls in {
    "unstack": [(M, lambda x: np.unstack(x)[1])],
    "cumulative_sum": [(V, lambda x: np.cumulative_sum(x)), (M, lambda x: np.cumulative_sum(x, axis=1, include_initial=True))],
    "cumulative_prod": [(V, lambda x: np.cumulative_prod(x)), (V, lambda x: np.cumulative_prod(x, include_initial=True))],
    "astype": [(V, lambda x: np.astype(x, np.float64))],
}.items():  # fmt: skip
    if hasattr(np, name):
        CALLS[getattr(np, name)] = calls
CALLS.pop(np.fill_diagonal)

DISPATCHED = type(np.sum)
ALL = {f for space in (np, np.linalg, np.fft) for n in dir(space)
       if isinstance(f := getattr(space, n), DISPATCHED)}  # fmt: skip


def name_of(f):
    return f"{f.__module__}.{f.__name__}".removeprefix("numpy.")


@pytest.mark.parametrize("func", CALLS, ids=name_of)
def test_function(func):
    for x, call in CALLS[func]:
        check(call, x)


def test_the_table_is_checked_whole():
    assert {f for f in TABLE if f not in DECISIONS} == set(CALLS)


@pytest.mark.parametrize("func", sorted(ALL - set(TABLE), key=name_of), ids=name_of)
def test_every_other_function_of_numpy_refuses_by_name(func):
    """Not one of them loses a derivative in silence, or fails in a way that explains nothing."""
    x = ad.seed(V)
    with pytest.raises(DerivativeError, match=func.__name__) as error:
        x.__array_function__(func, (ad.ADArray,), (x,), {})
    assert "use" in str(error.value) or "write it" in str(error.value)


def test_what_is_named_instead_is_not_supported():
    assert not set(INSTEAD) & set(TABLE)


@pytest.mark.parametrize("func", DECISIONS, ids=name_of)
def test_decisions_are_plain(func):
    x = ad.seed(V)
    arguments = {
        "searchsorted": (np.sort(V), x), "digitize": (x, np.sort(V)), "allclose": (x, x), "isclose": (x, V),
        "array_equal": (x, V), "array_equiv": (V, x), "full_like": (x, 2.0), "may_share_memory": (x, V),
        "shares_memory": (x, V), "can_cast": (np.float64, np.float64), "result_type": (x, 1.0), "isin": (x, V),
        "lexsort": ((x, x),), "argpartition": (x, 2), "tril_indices_from": (x.reshape(2, 3),), "triu_indices_from": (x.reshape(2, 3),), "histogram": (x,), "unravel_index": (np.array([1]), (2, 3)),
    }.get(func.__name__, (x,))  # fmt: skip
    result = func(*arguments)
    expected = func(*(ad.value(a) if not isinstance(a, tuple) or isinstance(a[0], int) else tuple(map(ad.value, a)) for a in arguments))
    if func is np.empty_like:
        assert result.shape == V.shape
        return
    if func.__name__ in ("array_repr", "array_str", "array2string"):
        return
    assert not isinstance(result, ad.ADArray)
    for got, plain in zip(*(r if isinstance(r, tuple) else (r,) for r in (result, expected)), strict=True):
        np.testing.assert_array_equal(got, plain)


def test_methods_exist_on_ndarrays_and_are_listed():
    x = ad.seed(V)
    for name in METHODS:
        assert hasattr(V, name) or name in {"itemset", "ptp"}
        assert name in dir(x)
    with pytest.raises(AttributeError, match="byteswap"):
        x.byteswap()


@pytest.mark.parametrize(
    "call",
    [lambda x: np.sum(x, where=V > 0), lambda x: np.sum(x, initial=1.0), lambda x: np.max(x, initial=0.0),
     lambda x: np.interp(x, x, V), lambda x: np.interp(x, C, C, period=1.0), lambda x: np.pad(x, 1, mode="mean"),
     lambda x: np.linalg.norm(x.reshape(2, 3), 2), lambda x: np.linalg.norm(x.reshape(2, 3), "nuc"),
     lambda x: np.einsum("ii->i", x[:, None] * x), lambda x: np.einsum("...i->...", x),
     lambda x: np.add.accumulate(x), lambda x: np.add.outer(x, x), lambda x: np.add.at(np.zeros(6), [0], x[:1]),
     lambda x: np.add.reduceat(x, [0, 2]), lambda x: np.logaddexp.reduce(x), lambda x: np.sin(x, where=V > 0),
     lambda x: np.sin(x, out=np.zeros(6)), lambda x: np.sin(x, dtype=np.float32), lambda x: np.sum(x, out=np.zeros(())),
     lambda x: x.item(0), lambda x: x.tolist(), lambda x: x.fill(0.0), lambda x: x.sort(), lambda x: x.put(0, 1.0)],
)  # fmt: skip
def test_options_that_are_not_supported_say_so(call):
    with pytest.raises(DerivativeError, match=r"not supported|takes no|cannot|lose|needs|never"):
        call(ad.seed(V))
