import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.dispatch import INSTEAD, TABLE, _required_names
from sgsolve.ad.functions.numpy_functions import DECISIONS, LIKE, METHODS
from sgsolve.errors import DerivativeError
from tests.ad.differences import check
from tests.ad.numpy_calls import CALLS, C, V

DISPATCHED = type(np.sum)
ALL = {f for space in (np, np.linalg, np.fft) for n in dir(space)
       if isinstance(f := getattr(space, n), DISPATCHED)}  # fmt: skip


def name_of(f):
    return f"{f.__module__}.{f.__name__}".removeprefix("numpy.")


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")  # from NumPy 2.5 on
@pytest.mark.parametrize("func", CALLS, ids=name_of)
def test_function(func):
    for x, call in CALLS[func]:
        check(call, x)


def test_the_table_is_checked_whole():
    assert {f for f in TABLE if f not in (*DECISIONS, *LIKE)} == set(CALLS)


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
        "searchsorted": (np.sort(V), x), "digitize": (x, np.sort(V)), "allclose": (x, x),
        "isclose": (x, V),
        "array_equal": (x, V), "array_equiv": (V, x),
        "may_share_memory": (x, V),
        "shares_memory": (x, V), "can_cast": (np.float64, np.float64), "result_type": (x, 1.0),
        "isin": (x, V),
        "lexsort": ((x, x),), "argpartition": (x, 2), "tril_indices_from": (x.reshape(2, 3),),
        "triu_indices_from": (x.reshape(2, 3),),
        "unravel_index": (np.array([1]), (2, 3)),
    }.get(func.__name__, (x,))  # fmt: skip
    result = func(*arguments)
    expected = func(
        *(
            ad.value(a)
            if not isinstance(a, tuple) or isinstance(a[0], int)
            else tuple(map(ad.value, a))
            for a in arguments
        )
    )
    if func.__name__ in ("array_repr", "array_str", "array2string"):
        return
    assert not isinstance(result, ad.ADArray)
    for got, plain in zip(
        *(r if isinstance(r, tuple) else (r,) for r in (result, expected)), strict=True
    ):
        np.testing.assert_array_equal(got, plain)


KEYWORDS = {
    np.transpose: {}, np.flip: {}, np.fliplr: {}, np.flipud: {}, np.rot90: {},
    np.roll: {"shift": 1},
    np.take: {"indices": [0, 1]}, np.repeat: {"repeats": 2},
    np.copy: {}, np.ravel: {}, np.tril: {}, np.triu: {"k": 1}, np.squeeze: {}, np.tile: {"reps": 2},
    np.resize: {"new_shape": (4,)}, np.swapaxes: {"axis1": 0, "axis2": 1}, np.diagflat: {},
    np.compress: {"condition": [True, False]}, np.delete: {"obj": 0}, np.expand_dims: {"axis": 1},
    np.moveaxis: {"source": 0, "destination": 1}, np.broadcast_to: {"shape": (3, 2, 3)},
    np.sum: {"axis": 1}, np.clip: {"a_min": 0.0, "a_max": 1.0}, np.linalg.norm: {"axis": 0},
    np.array: {}, np.asarray: {}, np.asanyarray: {},
}  # fmt: skip


@pytest.mark.parametrize("func", KEYWORDS, ids=name_of)
def test_the_array_may_be_named(func):
    name = next(name for name in _required_names(func) if name not in KEYWORDS[func])

    def named(x):
        extra = {"like": x} if func in LIKE and isinstance(x, ad.ADArray) else {}
        return func(**{name: x}, **KEYWORDS[func], **extra)

    check(named, V.reshape(2, 3))


@pytest.mark.parametrize(
    "call",
    [lambda x: np.trace(x, dtype=float), lambda x: x.trace(dtype=float),
     lambda x: np.linalg.trace(x, dtype=float)],
)  # fmt: skip
def test_arguments_that_are_not_taken_are_refused_in_words(call):
    with pytest.raises(DerivativeError, match="does not take"):
        call(ad.seed(V).reshape(2, 3))


@pytest.mark.parametrize("call", [
    lambda x: np.histogram(x), lambda x: np.histogram(x, 5)[1], lambda x: np.histogram(V, x),
    lambda x: np.histogram(V, 3, (0, 1), weights=x), lambda x: np.histogram(x, "auto"),
    lambda x: np.histogram(V, 3, (0.0, x[0])), lambda x: np.histogram_bin_edges(x),
    lambda x: np.histogram2d(x, V), lambda x: np.histogramdd(x.reshape(2, 3)),
    lambda x: np.full_like([1, 2], x[0]), lambda x: np.bincount([0, 1, 1, 0, 2, 1], x, x[0]),
])  # fmt: skip
def test_what_depends_on_values_is_no_decision(call):
    """Edges of bins and weights have slopes, where counts have none."""
    with pytest.raises(DerivativeError):
        call(ad.seed(V))


@pytest.mark.parametrize("func", [np.atleast_1d, np.atleast_2d, np.atleast_3d])
def test_several_arrays_at_once(func):
    x = ad.seed(V)
    for got, plain in zip(func(x, V, x[0]), func(V, V, V[0]), strict=True):
        np.testing.assert_array_equal(ad.value(got), plain)
    np.testing.assert_array_equal(func(x, V)[0].jacobian.toarray(), np.eye(6))


def test_spacing_with_a_derivative_is_refused():
    x = ad.seed(V)
    with pytest.raises(DerivativeError, match="spacing"):
        np.gradient(x, x)


def test_counts_in_constant_bins():
    counts, edges = np.histogram(ad.seed(V), np.linspace(-2.0, 3.0, 4))
    np.testing.assert_array_equal(counts, np.histogram(V, edges)[0])


def test_methods_exist_on_ndarrays_and_are_listed():
    x = ad.seed(V)
    for name in METHODS:
        assert hasattr(V, name) or name in {"itemset", "ptp", "as_integer_ratio"}
        assert name in dir(x)
    with pytest.raises(AttributeError, match="byteswap"):
        x.byteswap()


@pytest.mark.parametrize(
    "call",
    [lambda x: np.sum(x, initial=x[0]), lambda x: np.max(x, axis=0, out=np.zeros(())),
     lambda x: np.interp(x, x, V), lambda x: np.interp(x, C, C, period=1.0),
     lambda x: np.pad(x, 1, mode="mean"), lambda x: np.bincount(x, x),
     lambda x: np.linalg.norm(x.reshape(2, 3), 2), lambda x: np.linalg.norm(x.reshape(2, 3), "nuc"),
     lambda x: np.add.at(np.zeros(6), [0], x[:1]), lambda x: np.multiply.at(np.ones(6), [0], 2 * x),
     lambda x: np.sin(x, where=V > 0), lambda x: np.sin(x, out=np.zeros(6)),
     lambda x: np.sin(x, dtype=np.float32), lambda x: np.sum(x, out=np.zeros(())),
     lambda x: np.add.accumulate(x, out=np.zeros(6)), lambda x: np.add.outer(x, x, dtype=int),
     lambda x: np.add.reduce(x, out=np.zeros(())), lambda x: np.hypot.reduce(x[:0]),
     lambda x: np.linalg.inv(np.eye(20) * x[0]),
     lambda x: x.sort(), lambda x: x.put(0, 1.0)],
)  # fmt: skip
def test_options_that_are_not_supported_say_so(call):
    with pytest.raises(
        DerivativeError,
        match=r"not supported|takes no|cannot|lose|needs|write into|must be constant|no elements",
    ):
        call(ad.seed(V))
