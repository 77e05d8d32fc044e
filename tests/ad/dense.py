"""Dense forward-mode differentiation in extended precision: the independent judge of `ad`.

A `Dense` holds a value, computed by NumPy in the dtype under test, and one tangent for each
unknown, stacked along a first axis and kept in extended precision. Linear functions are applied
to every tangent by NumPy itself; nonlinear ones have their partial derivatives written out here,
apart from the table under test. It knows no structure and no sparsity.
"""

from __future__ import annotations

import operator

import numpy as np
import scipy.sparse as sp


def wide(v):
    """The value in extended precision, so that a partial derivative is exact to double."""
    return np.asarray(v).astype(np.clongdouble if np.iscomplexobj(v) else np.longdouble)


# Filled by `dense_rules`: functions of NumPy, and partial derivatives of ufuncs.
LINEAR, BILINEAR, SPECIAL, PARTIALS = set(), set(), {}, {}
# Functions of complex numbers without complex derivative; the unknowns are real.
OF_PARTS = {}
POW = "pow"  # the operator: NumPy's x**2 is not np.power(x, 2) to the last bit


class Dense:
    __array_priority__ = 2000.0

    def __init__(self, v, t):
        self.v, self.t = v, t

    @property
    def shape(self):
        return np.shape(self.v)

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape)))
    real = property(lambda self: linear(np.real, self) if np.iscomplexobj(self.v) else self)
    imag = property(lambda self: linear(np.imag, self))
    T = property(lambda self: linear(np.transpose, self))
    dtype = property(lambda self: np.asarray(self.v).dtype)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        return linear(lambda a: np.asarray(a)[key], self)

    def __setitem__(self, key, v):
        complexes = isinstance(v, Dense) and np.iscomplexobj(v.t)
        self.v, self.t = np.array(self.v), self.t.astype(v.t.dtype if complexes else self.t.dtype)
        self.v[key] = value(v)
        for k, tangent in enumerate(self.t):
            tangent[key] = v.t[k] if isinstance(v, Dense) else 0.0

    def reshape(self, *shape):
        return linear(lambda a: np.reshape(a, shape), self)

    def conj(self):
        return elementwise(np.conjugate, self)

    def ravel(self):
        return linear(np.ravel, self)

    def astype(self, dtype):
        return Dense(self.v.astype(dtype), self.t)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        assert method == "__call__", method
        assert not kwargs, kwargs
        if ufunc is np.matmul:
            return product(np.matmul, *inputs)
        if ufunc in (np.less, np.less_equal, np.greater, np.greater_equal, np.not_equal):
            return ufunc(*map(value, inputs))
        return elementwise(ufunc, *inputs)

    def __array_function__(self, func, types, args, kwargs):
        if func in LINEAR:
            return linear(func, *args, **kwargs)
        if func in BILINEAR:
            return product(func, *args, **kwargs)
        return SPECIAL[func](*args, **kwargs)

    def __bool__(self):
        return bool(self.v)


def _operators():
    for name, ufunc in {
        "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide,
        "pow": POW, "mod": np.remainder, "floordiv": np.floor_divide, "matmul": np.matmul,
    }.items():  # fmt: skip
        if name == "matmul":
            Dense.__matmul__ = lambda a, b: product(_at, a, getattr(b, "matrix", b))
            Dense.__rmatmul__ = lambda a, b: product(_at, b, a)
            continue
        setattr(Dense, f"__{name}__", lambda a, b, u=ufunc: elementwise(u, a, b))
        setattr(Dense, f"__r{name}__", lambda a, b, u=ufunc: elementwise(u, b, a))
    for name in ("lt", "le", "gt", "ge", "eq", "ne"):
        compare = getattr(np.ndarray, f"__{name}__")
        setattr(Dense, f"__{name}__", lambda a, b, c=compare: c(np.asarray(a.v), value(b)))
    Dense.__neg__ = lambda a: elementwise(np.negative, a)
    Dense.__pos__ = lambda a: elementwise(np.positive, a)
    Dense.__abs__ = lambda a: elementwise(np.absolute, a)


def _at(a, b):
    return a @ b


class Constant:
    """A constant sparse matrix that leaves every product to `product`."""

    def __init__(self, matrix):
        self.matrix, self.shape, self.ndim = matrix, matrix.shape, 2

    def __matmul__(self, other):
        if not isinstance(other, Dense):
            return self.matrix @ other
        return product(_at, self.matrix, other)

    def __rmatmul__(self, other):
        return other @ self.matrix

    __array_ufunc__ = None


def value(a):
    return a.v if isinstance(a, Dense) else a


class Steepness:
    """The largest partial derivative met: by so much may rounding grow on the way."""

    largest = 1.0


def seed(x):
    Steepness.largest = 1.0
    x = np.array(x)
    t = np.eye(x.size, dtype=wide(x).dtype).reshape((x.size, *x.shape))
    return Dense(x, t)


def _tangents(nodes, of_direction, v):
    n = len(nodes[0].t)
    dtype = np.result_type(wide(v), *[d.t for d in nodes])
    t = np.zeros((n, *np.shape(v)), dtype=dtype)
    with np.errstate(all="ignore"):
        for k in range(n):
            t[k] = np.reshape(of_direction(k), np.shape(v))
    return t


def _replaced(a, pick, constant):
    """Replace every Dense in nested arguments by pick(d), every other leading array by constant."""
    if isinstance(a, Dense):
        return pick(a)
    if isinstance(a, (list, tuple)):
        return type(a)(_replaced(b, pick, constant) for b in a)
    if isinstance(a, float):
        return constant(a)
    return constant(a) if isinstance(a, np.ndarray) else a


def _nodes(args):
    for a in args:
        if isinstance(a, Dense):
            yield a
        elif isinstance(a, (list, tuple)):
            yield from _nodes(a)


def linear(func, *args, **kwargs):
    """func is linear in its first argument (or in the arrays of its first argument)."""
    first, rest = args[0], args[1:]
    nodes = list(_nodes([first]))
    homogeneous = {k: c * 0 if k in ("append", "prepend") else c for k, c in kwargs.items()}
    v = func(_replaced(first, lambda d: d.v, lambda c: c), *rest, **kwargs)

    def of_direction(k):
        tangent = _replaced(first, lambda d: d.t[k], lambda c: np.zeros(np.shape(c)))
        return func(tangent, *rest, **homogeneous)

    return Dense(v, _tangents(nodes, of_direction, v))


def product(func, a, b, *args, **kwargs):
    """func is linear in each of two arguments."""
    va, vb = value(a), value(b)
    v = func(va, vb, *args, **kwargs)
    wa, wb = (c if sp.issparse(c) else wide(c) for c in (va, vb))

    def of_direction(k):
        total = 0.0
        if isinstance(a, Dense):
            total = total + _wide_product(func, a.t[k], wb, args, kwargs)
        if isinstance(b, Dense):
            total = total + _wide_product(func, wa, b.t[k], args, kwargs)
        return total

    return Dense(v, _tangents(list(_nodes([a, b])), of_direction, v))


def _wide_product(func, a, b, args, kwargs):
    a, b = (wide(c.toarray()) if sp.issparse(c) else c for c in (a, b))
    return func(a, b, *args, **kwargs)


def elementwise(ufunc, *args):
    if ufunc in OF_PARTS and np.iscomplexobj(args[0].v):
        return OF_PARTS[ufunc](args[0])
    v = (operator.pow if ufunc is POW else ufunc)(*map(value, args))
    nodes = list(_nodes(args))
    if not np.size(v):
        return Dense(v, np.zeros((len(nodes[0].t), *np.shape(v))))
    with np.errstate(all="ignore"):
        partials = PARTIALS[ufunc](wide(v), *[_promoted(value(a), v) for a in args])
    t = 0.0
    for a, p in zip(args, partials, strict=True):
        if isinstance(a, Dense):
            sizes = np.abs(p)
            finite = sizes[np.isfinite(sizes)]
            Steepness.largest = max(Steepness.largest, float(np.max(finite, initial=0.0)))
            t = t + _aligned(a, np.shape(v)) * p
    return Dense(v, np.broadcast_to(t, (len(nodes[0].t), *np.shape(v))))


def _promoted(a, v):
    """A Python number is rounded to the dtype of the array that it meets, before it is compared."""
    return wide(np.asarray(a, dtype=np.asarray(v).dtype) if type(a) is float else a)


def _aligned(d, shape):
    return d.t.reshape((len(d.t), *(1,) * (len(shape) - d.ndim), *d.shape))


_operators()
