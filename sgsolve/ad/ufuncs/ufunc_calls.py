"""Elementwise operations: apply the rule of a ufunc to operands that may carry derivatives.

The chain rule is dy = sum over arguments of diag(partial) d(argument). The functions here also
broadcast shapes and copy constant arrays, which the user may change later. A partial derivative
that is one number stays a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import special

from ...arrays import DOUBLE
from ...errors import DerivativeError
from ..conversions import refusals
from ..derivatives.array_operations import NO_SLOPE, flat
from ..derivatives.derivative import Derivative
from ..derivatives.folded import in_any_precision, without_overflow
from ..indexing import broadcast
from ..rules import scipy_parameters
from ..rules.numpy_ufuncs import BINARY, CHOICES, EXACT, ONE_SIDED, UNARY
from . import complex_values

# Results are truth values or integers: they decide, and have no derivative to lose.
DECISIONS = frozenset(
    {
        np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
        np.isfinite, np.isinf, np.isnan, np.signbit, np.logical_not, np.logical_and,
        np.logical_or, np.logical_xor,
    }
)  # fmt: skip

OF_MASKED = (
    "a masked array beside an AD array, which has no mask: use np.where(mask, a, b), or "
    "masked.filled(value)"
)
OF_MATRIX = (
    "an np.matrix beside an AD array: its * and ** are products of matrices, those of arrays are "
    "not; make it an array by np.asarray(M) (sparse matrices: M.toarray() in place of M.todense())"
)

# Rules of the user's own, see `ad.define_rule`.
DEFINED: dict[np.ufunc, Any] = {}

EXTENDED = (np.dtype(np.longdouble), np.dtype(np.clongdouble))


def raw_value(x: Any) -> Any:
    """Return the numbers of an AD array, and anything else unchanged."""
    return getattr(x, "_value", x)


def array_of_values(x: Any) -> Any:
    """Return values as an ndarray; those of a traced evaluation stay traced."""
    if type(x) is np.ndarray or hasattr(x, "record"):
        return x
    if isinstance(x, np.ma.MaskedArray):
        raise DerivativeError(OF_MASKED)
    return np.asarray(x)


def common_dtype(values: Any) -> Any:
    """Return the dtype that NumPy gives a combination of these values."""
    for v in values:
        if getattr(v, "dtype", None) is not DOUBLE:
            return np.result_type(*values)
    return DOUBLE


def apply(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    """Return value and derivative of ``ufunc(*inputs)``, or a plain value for a decision.

    Raises
    ------
    DerivativeError
        If there is no rule for the ufunc, or an operand would make an array of objects.
    """
    if len(inputs) == 2:
        rule2 = CHOICES.get(ufunc) or BINARY.get(ufunc)
        if rule2 is not None:
            return _binary(ufunc, rule2, inputs[0], inputs[1])
    elif len(inputs) == 1:
        rule1 = UNARY.get(ufunc)
        if rule1 is not None:
            return _unary(ufunc, rule1, inputs[0])
    if ufunc in DECISIONS:
        if ufunc is np.isnan:
            refusals.root_of_function()
        return ufunc(*map(raw_value, inputs))
    several: Any = SEVERAL.get(ufunc)
    if several is not None:
        return several(*inputs)
    rule = scipy_parameters.FUNCTIONS.get(ufunc)
    if rule is None:
        rule = scipy_parameters.BY_NAME.get(ufunc.__name__) or DEFINED.get(ufunc)
    if rule is not None:
        return _of_several_arguments(ufunc, rule, inputs)
    results = scipy_parameters.SEVERAL.get(ufunc)
    if results is not None:
        return _several_results(ufunc, results, inputs[0])
    if ufunc.__name__.endswith("(vectorized)"):
        raise DerivativeError(
            "np.frompyfunc makes arrays of Python objects: write the list [f(v) for v in y], or "
            "np.stack([f(v) for v in y])"
        )
    called = _called_as(ufunc)
    instead = refusals.INSTEAD.get(
        ufunc.__name__, "define one with ad.define_rule(ufunc, partials)"
    )
    if ufunc.nout > 1:
        instead = (
            f"write ad.elementwise(f, dfdx) for each result, f = lambda x: {called}(x, ...)[k]"
        )
    raise DerivativeError(f"{called} has no derivative rule for AD arrays; {instead}")


def _of_several_arguments(ufunc: np.ufunc, rule: Any, inputs: tuple[Any, ...]) -> Any:
    """Return value and derivative for a rule that gives one partial for each argument."""
    carried = [getattr(x, "_derivative", None) for x in inputs]
    values = [
        x._value if d is not None else _constant_operand(x)
        for x, d in zip(inputs, carried, strict=True)
    ]
    if any(v is NotImplemented for v in values):
        return NotImplemented
    y = ufunc(*values)
    if y.dtype.kind in "fc":
        values = [_precise(v, y.dtype) for v in values]
    partials = _partial(ufunc, rule, y, *values)
    parts = [
        (x, _known(ufunc, partials[k], k)) for k, x in enumerate(inputs) if carried[k] is not None
    ]
    return y, sum_of_parts(y, parts)


def sum_of_parts(y: Any, parts: Iterable[tuple[Any, Any]]) -> Any:
    """Return the derivative of y from arguments that carry derivatives and the partial ones.

    The partials are not copied. None is returned where there is no argument.
    """
    result: Any = None
    for x, partial in parts:
        d = broadcast(x._derivative, x._value.shape, np.shape(y))
        if not d.is_sparsity:
            d = d.scaled(flat(partial, y))
        result = d if result is None else result.plus(d)
    return result


def _several_results(ufunc: np.ufunc, rule: Any, x: Any) -> Any:
    """Return one AD array for each result of a function of one argument."""
    results = ufunc(x._value)
    slopes = _partial(ufunc, rule, results, x._value)
    return [type(x)(*_unary_linear(x, y, slope)) for y, slope in zip(results, slopes, strict=True)]


def _unary(ufunc: np.ufunc, rule: Any, x: Any) -> Any:
    v = x._value
    y = ufunc(v)
    derivative = x._derivative
    if v.dtype.kind == "c" and ufunc in complex_values.RULES:
        return y, complex_values.derivative_of(ufunc, derivative, y, v)
    if derivative.is_sparsity:
        return y, derivative
    partial = _partial(ufunc, rule, y, v)
    slope = flat(partial, v)
    if partial is y and type(slope) is np.ndarray:  # values of the code: those of exp
        return y, derivative.scaled_by_values(slope)
    return y, derivative.scaled(slope)


def _binary(ufunc: np.ufunc, rule: Any, a: Any, b: Any) -> Any:
    da: Any = getattr(a, "_derivative", None)
    db: Any = getattr(b, "_derivative", None)
    va = a._value if da is not None else _constant_operand(a)
    vb = b._value if db is not None else _constant_operand(b)
    if va is NotImplemented or vb is NotImplemented:
        return NotImplemented
    y = ufunc(va, vb)
    if ufunc is np.multiply and (mask := _as_mask(va if da is None else vb)) is not None:
        # It chooses, as np.where does.
        return y, of_choice(y, mask, ((b if da is None else a, True),))
    if y.dtype.kind in "fc":
        va, vb = _precise(va, y.dtype), _precise(vb, y.dtype)
    if ufunc in CHOICES:
        return y, of_choice(y, rule(va, vb), ((a, True), (b, False)))
    if da is None or db is None:
        which, d, v = (0, da, va) if db is None else (1, db, vb)
        d = broadcast(d, v.shape, y.shape)
        if ufunc is np.add:
            return y, d
        if d.is_sparsity:
            return y, d
        single = ONE_SIDED.get((ufunc, which))
        if single is not None:
            partial = _partial(ufunc, single, y, va, vb)
        else:
            partial = _known(ufunc, _partial(ufunc, rule, y, va, vb)[which], which)
        if partial is (vb if which == 0 else va) and isinstance(partial, np.ndarray):
            # The user may change a constant in place later; a derivative never follows.
            partial = partial.copy()
        return y, d.scaled(flat(partial, y))
    if a is b and ufunc is np.multiply:
        return y, da.scaled(flat((2.0, va), y))
    da, db = broadcast(da, va.shape, y.shape), broadcast(db, vb.shape, y.shape)
    if ufunc is np.add:
        return y, da.plus(db)
    if ufunc is np.subtract:
        return y, da.plus(db, -1.0)
    if da.is_sparsity:
        return y, da.plus(db)
    if ufunc is np.multiply and y.ndim:
        return y, da.product(db, *(np.broadcast_to(v, y.shape).ravel() for v in (va, vb)))
    pa, pb = _partial(ufunc, rule, y, va, vb)
    _known(ufunc, pa, 0)
    _known(ufunc, pb, 1)
    return y, da.scaled(flat(pa, y)).plus(db.scaled(flat(pb, y)))


def of_choice(y: Any, mask: Any, sides: Iterable[tuple[Any, bool]]) -> Any:
    """Return the derivative of y, which is the first side where the mask holds."""
    mask = flat_mask(mask, y)
    result: Any = None
    for x, holds in sides:
        if (d := getattr(x, "_derivative", None)) is not None:
            d = broadcast(d, x._value.shape, y.shape).masked(mask, holds)
            result = d if result is None else result.plus(d)
    return result


def _as_mask(constant: Any) -> Any:
    """Return a copy of an array of truth values, or None for anything else."""
    if getattr(constant, "dtype", None) != np.dtype(bool) or not constant.ndim:
        return None
    return constant.copy()


def flat_mask(mask: Any, like: Any) -> Any:
    """Return a mask as a vector with one truth value for each element of another array."""
    return (mask if mask.shape == like.shape else np.broadcast_to(mask, like.shape)).ravel()


def _precise(v: Any, dtype: Any) -> Any:
    """Return an operand in the precision of the result: 1/b of a float32 constant is not enough."""
    own = getattr(v, "dtype", None)
    if own is dtype:
        return v
    if own is None:
        # A Python number adapts to every dtype, but 1/3 is rounded to double before it does.
        return dtype.type(v) if dtype in EXTENDED else v
    if own != dtype and (own.kind in "fc" or dtype in EXTENDED):
        return v.astype(dtype)
    if own.kind in "biu" and own != np.int64:
        # log(int8) is in half precision, and -uint8 wraps around. No integer holds all of uint64.
        return v.astype(np.float64 if own == np.uint64 else np.int64)
    return v


def _partial(ufunc: np.ufunc, rule: Any, *values: Any) -> Any:
    loud = getattr(rule, "loud", rule)  # it sets the floating point flags
    tolerant = loud
    for v in values:
        if type(v) is np.ndarray and v.dtype is DOUBLE:
            continue
        if hasattr(v, "record"):
            return v.record_partials(in_any_precision(loud), values)
        if type(v) is not float:
            tolerant = in_any_precision(loud)
    if ufunc in EXACT:
        return rule(*values)
    try:
        return without_overflow(tolerant, *values)
    except TypeError as error:
        raise DerivativeError(f"no derivative of {ufunc.__name__} here: {error}") from error


def _known(ufunc: Any, partial: Any, which: int) -> Any:
    if partial is None:
        raise DerivativeError(
            f"{_called_as(ufunc)} has no derivative rule for its argument {which}; keep it constant"
        )
    return partial


def _called_as(ufunc: np.ufunc) -> str:
    """Return the name by which a ufunc is called; SciPy's zeta calls ufuncs of other names."""
    name = ufunc.__name__.lstrip("_").removeprefix("riemann_")
    if hasattr(special, name):
        return f"scipy.special.{name}"
    return f"np.{name}" if hasattr(np, name) else f"the ufunc {name}"


def _constant_operand(x: Any) -> Any:
    """Return a constant operand as a number or an ndarray."""
    if isinstance(x, np.ndarray):
        if isinstance(x, np.matrix):
            raise DerivativeError(OF_MATRIX)
        x = array_of_values(x)
        if x.dtype == object:
            raise DerivativeError(
                "an operand is an ndarray of objects; AD arrays inside it would be lost: use "
                "np.stack or np.hstack to join AD arrays"
            )
        return x
    if isinstance(x, (int, float, complex, np.generic)) or hasattr(x, "record"):
        return x
    if isinstance(x, (list, tuple)):
        return np.asarray(x)
    if hasattr(x, "tocsr"):
        raise DerivativeError("a sparse matrix times or plus an AD array: use A @ y, A.toarray()")
    return NotImplemented


def _frexp(x: Any) -> Any:
    mantissa, exponent = np.frexp(x._value)
    return [type(x)(*_unary_linear(x, mantissa, np.ldexp(1.0, -exponent))), exponent]


def _modf(x: Any) -> Any:
    fraction, whole = np.modf(x._value)
    make = type(x)
    return [make(*_unary_linear(x, fraction, 1.0)), make(*_unary_linear(x, whole, NO_SLOPE))]


def _divmod(a: Any, b: Any) -> Any:
    return [np.floor_divide(a, b), np.remainder(a, b)]


def _unary_linear(x: Any, y: Any, partial: Any) -> tuple[Any, Derivative]:
    derivative: Derivative = x._derivative
    return y, derivative if derivative.is_sparsity else derivative.scaled(flat(partial, y))


SEVERAL: dict[np.ufunc, Any] = {np.frexp: _frexp, np.modf: _modf, np.divmod: _divmod}
