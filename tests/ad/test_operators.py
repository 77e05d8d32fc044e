import operator

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.errors import DerivativeError

from .differences import check

X = np.array([0.7, 1.9, 2.6])
BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
          "**": operator.pow, "//": operator.floordiv, "%": operator.mod}  # fmt: skip
OPERANDS = {
    "int": 2, "float": 1.7, "bool": True, "np.float64": np.float64(1.35), "np.int32": np.int32(3),
    "np.float32": np.float32(1.5), "0-d": np.array(1.2), "vector": np.array([1.1, 0.4, 2.3]),
    "integers": np.array([1, 2, 3]), "one element": np.array([1.6]), "list": [1.1, 0.4, 2.3],
    "column": np.array([[1.1], [0.8]]), "strided": np.arange(1.0, 7.0)[::2],
    "backwards": np.array([1.1, 0.4, 2.3])[::-1], "read-only": np.broadcast_to(1.25, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERANDS)
@pytest.mark.parametrize("symbol", BINARY)
def test_operator_with_every_kind_of_constant_on_either_side(symbol, name):
    op, c = BINARY[symbol], OPERANDS[name]
    check(lambda x: op(x, c), X)
    check(lambda x: op(c, x), X)


@pytest.mark.parametrize("zero", [0, 0.0, False, np.float64(0.0), np.zeros(2)])
@pytest.mark.parametrize("x", [np.array([1.0, -2.0]), np.array(1.5)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_quotient_by_zero_is_infinite_as_numpys(x, zero):
    F, J = ad.value_and_jacobian(lambda u: u / zero, x)
    np.testing.assert_array_equal(F, x / zero)
    assert np.isposinf(J.data[J.data != 0.0]).all()
    pytest.importorskip("llvmlite")
    compiled = ad.compiled(lambda u: u / zero, at_once=True)
    for _ in range(3):
        G, K = compiled.value_and_jacobian(x)
        np.testing.assert_array_equal(G, F)
        np.testing.assert_array_equal(K.toarray(), J.toarray())


@pytest.mark.parametrize("symbol", BINARY)
def test_operator_between_ad_values_broadcasts(symbol):
    op = BINARY[symbol]
    check(lambda x: op(x, x[::-1]), X)
    check(lambda x: op(x[0], x), X)
    check(lambda x: op(x, x[1]), X)
    check(lambda x: op(x[:, None], x), X)
    check(lambda x: op(x[:2, None], 1.0 + x[None, 1:]), X)
    check(lambda x: op(x[0], x[2]), X)


@pytest.mark.parametrize("symbol", BINARY)
def test_in_place_operators_change_the_array_itself(symbol):
    op = {"+": operator.iadd, "-": operator.isub, "*": operator.imul, "/": operator.itruediv,
          "**": operator.ipow, "//": operator.ifloordiv, "%": operator.imod}[symbol]  # fmt: skip
    x = ad.seed(X)
    y = op(x, 1.5)
    assert y is x
    np.testing.assert_array_equal(y.value, BINARY[symbol](X, 1.5))


def test_in_place_into_a_constant_is_refused():
    a = np.zeros(3)
    with pytest.raises(DerivativeError, match=r"write F = F \+ y"):
        a += ad.seed(X)


def test_unary_operators():
    for f in (operator.neg, operator.pos, operator.abs, abs):
        check(f, np.array([-1.5, 0.5, 2.0]))


def test_divmod_on_both_sides():
    x = ad.seed(X)
    for a, b, plain in ((x, 0.8, divmod(X, 0.8)), (5.0, x, divmod(5.0, X))):
        quotient, rest = divmod(a, b)
        np.testing.assert_array_equal(quotient.value, plain[0])
        np.testing.assert_array_equal(rest.value, plain[1])
    check(lambda x: divmod(5.0, x)[1], X)


@pytest.mark.parametrize(
    "op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
)
def test_comparisons_give_plain_booleans(op):
    x = ad.seed(X)
    for other in (1.9, np.array([0.7, 2.0, 1.0]), ad.seed(X[::-1])):
        plain = op(X, ad.value(other))
        for result in (op(x, other), op(ad.value(x), other)):
            assert type(result) is np.ndarray
            np.testing.assert_array_equal(result, plain)


def test_python_if_and_while_on_values():
    def f(x):
        y = x[0]
        while y < 40.0:
            y = y * x[1]
        return y + 1.0 if y > 50 else -y

    check(f, X)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(ad.seed(X))


def test_python_functions_that_compare_and_add():
    check(lambda x: max(x[0], x[2]), X)
    check(lambda x: min(x), X)
    check(lambda x: sum(x), X)
    check(lambda x: sum(v * v for v in x), X)


def test_matrix_product_operator_both_sides():
    A = np.arange(6.0).reshape(2, 3)
    check(lambda x: A @ x, X)
    check(lambda x: x @ A.T, X)
    check(lambda x: x @ x, X)


def test_arrays_of_different_seeds_do_not_mix():
    with pytest.raises(DerivativeError, match="seed one vector"):
        ad.seed(X) + ad.seed(X[:2])[0]
    with pytest.raises(DerivativeError, match="seed one vector"):
        ad.seed(X)[0] * ad.seed(X[:2])[0]


def test_objects_are_refused_and_foreign_operands_left_alone():
    x = ad.seed(X)
    with pytest.raises(DerivativeError, match="objects"):
        x * np.array([1, "a", None], dtype=object)
    with pytest.raises(TypeError):
        x + "a"

    class Foreign:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "mine"

    assert x + Foreign() == "mine"
