import contextlib

import numpy as np
import pytest
from scipy import special

from sgsolve import ad
from sgsolve.errors import DataTypeError, DerivativeError

FLOATS = [np.float32, np.float64, np.longdouble]
COMPLEX = [np.complex64, np.complex128]
ALL = [np.int8, np.int32, np.int64, np.uint16, np.float16, *FLOATS, *COMPLEX]
OPERATIONS = {
    "x + 1": lambda x: x + 1, "2 * x": lambda x: 2 * x, "x / 3": lambda x: x / 3,
    "x - 0.5": lambda x: x - 0.5,
    "x * x": lambda x: x * x, "x * float32": lambda x: x * np.float32(1.5),
    "x * float64": lambda x: x * np.float64(1.5),
    "x * longdouble": lambda x: x * np.longdouble(1.5),
    "x + int array": lambda x: x + np.array([1, 2]),
    "x * float array": lambda x: x * np.array([1.5, 2.5]), "x ** 2": lambda x: x**2,
    "sin": lambda x: np.sin(x),
    "sum": lambda x: np.sum(x), "mean": lambda x: np.mean(x),
    "hstack": lambda x: np.hstack([x, [1.0]]),
    "where": lambda x: np.where([True, False], x, 0), "take": lambda x: x[::-1],
    "cumsum": lambda x: np.cumsum(x),
    "matmul": lambda x: np.array([[1.0, 2.0]]) @ x,
    "sparsesum": lambda x: ad.sparsesum([ad.sparsevec(3, [0, 2], x)]),
    "+complex": lambda x: x + 1j,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ALL, ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", OPERATIONS)
def test_values_follow_numpys_promotion(name, dtype):
    f = OPERATIONS[name]
    x = np.array([1, 2], dtype=dtype)
    expected, y = f(x), f(ad.seed(x))
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y.value, expected)
    J = y.jacobian
    if y.dtype.kind in "fc" and y.dtype != np.float16:
        assert J.dtype == y.dtype
    else:
        assert J.dtype.kind == "f"


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX], ids=lambda d: d.__name__)
def test_slopes_have_the_precision_of_the_dtype(dtype):
    x = np.array([0.3, 1.7], dtype=dtype)
    s = ad.seed(x)
    J = (np.exp(s) / 3 + s[::-1]).jacobian
    eps = np.finfo(dtype).eps
    expected = np.array([[0, 1], [1, 0]], dtype=dtype) + np.diag(np.exp(x) / 3)
    assert np.abs(J.toarray() - expected).max() <= 4 * eps * np.abs(expected).max()


def test_integers_have_real_slopes():
    x = ad.seed(np.array([3, 4]))
    assert x.dtype == np.int64
    y = x[0] * x[1]
    assert y.value == 12
    np.testing.assert_array_equal(y.jacobian.toarray(), [[4.0, 3.0]])
    half = (x / 2).jacobian
    np.testing.assert_array_equal(half.toarray(), [[0.5, 0.0], [0.0, 0.5]])


def test_complex_unknowns_have_complex_slopes():
    z = np.array([1 + 2j, 0.5 - 1j])
    J = (ad.seed(z) ** 3 * 1j).jacobian
    np.testing.assert_allclose(J.diagonal(), 3j * z**2, rtol=1e-15)


def test_real_unknowns_may_meet_complex_constants():
    x = np.array([1.0, 2.0])
    J = np.exp(1j * ad.seed(x)).jacobian
    assert J.dtype == np.complex128
    np.testing.assert_allclose(J.diagonal(), 1j * np.exp(1j * x), rtol=1e-15)


def test_real_and_imaginary_parts():
    x = ad.seed([1.0, 2.0])
    assert x.real is x
    assert not x.imag.any()
    for name in ("real", "imag"):
        with pytest.raises(DerivativeError, match=name):
            getattr(ad.seed([1j]), name)


@pytest.mark.parametrize(
    "bad", [["a"], [None], [True, False], np.array(["2020"], dtype="M8[Y]"), [[1.0], [2.0, 3.0]]]
)
def test_what_is_not_a_number_is_no_seed(bad):
    with pytest.raises(DataTypeError):
        ad.seed(bad)


def test_astype():
    x = ad.seed([1.0, 2.0])
    assert x.astype(np.float32).jacobian.dtype == np.float32
    assert x.astype(complex).jacobian.dtype == complex
    with pytest.raises(DerivativeError, match=r"lose the derivative; use np\.floor"):
        x.astype(int)
    with pytest.raises(DerivativeError, match="complex to real"):
        ad.seed([1j]).astype(float)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0), (2, 1, 3, 2)])
def test_any_shape(shape):
    x = np.ones(shape) * 1.5
    y = np.sin(ad.seed(x)) * 2.0
    assert y.shape == shape
    assert y.ndim == len(shape)
    assert y.jacobian.shape == (x.size, x.size)
    np.testing.assert_allclose(y.jacobian.diagonal(), np.full(x.size, 2 * np.cos(1.5)))


def test_unsigned_integers_beyond_those_with_a_sign():
    x, k = np.array([1.0, 2.0]), np.array([2**63, 2**64 - 2048], dtype=np.uint64)
    for f in (lambda u, k: u * k, lambda u, k: u / k, lambda u, k: k / u, np.hypot):
        exact = ad.jacobian(lambda u, f=f: f(u, k.astype(float)), x).toarray()
        np.testing.assert_allclose(ad.jacobian(f, x, k).toarray(), exact, rtol=1e-15)


@pytest.mark.filterwarnings("ignore")  # of functions that SciPy deprecates
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint32"])
def test_narrow_integers_as_other_operands(dtype):
    """Rules compute with them: log(int8) is in half precision, and -uint8 wraps around."""
    x, k = np.array([0.31, 0.72, 0.58, 0.93]), np.array([1, 3, 2, 1]).astype(dtype)
    ufuncs = [f for space in (special, np) for f in vars(space).values() if isinstance(f, np.ufunc)]
    compared = 0
    for f in (f for f in ufuncs if f.nin > 1 and f.nout == 1 and not f.signature):
        for place in range(f.nin):
            slopes = []
            for other in (k, k.astype(float)):
                operands = [other] * f.nin
                operands[place] = ad.seed(x)
                with contextlib.suppress(DerivativeError, TypeError), np.errstate(all="ignore"):
                    y = f(*operands)
                    if isinstance(y, ad.ADArray):
                        slopes.append(y.jacobian.toarray())
            if len(slopes) == 2:
                compared += 1
                np.testing.assert_allclose(*slopes, rtol=1e-12, err_msg=f"{f.__name__} {place}")
    assert compared > 40
