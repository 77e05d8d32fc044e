"""What random programs write as loops over elements: stamps, recurrences, lists of equations.

Each function runs on plain arrays, on AD arrays and on the judge's. The judge has no in-place
operators of elements and no ``np.array`` of its numbers: there the same outcome is written
without them.
"""

from __future__ import annotations

import functools
import operator

import numpy as np

from sgsolve import ad

from .aliases import _zeros_like
from .dense import Dense

# Bodies of loops: a, b, c are elements, k is a number.
BODIES = """a * b | a - b * c | k * a + b | np.exp(-a * a) | np.sin(a) * b | a / (1.5 + b * b)
| (a - b) ** 2 | a ** 3 | np.sqrt(1.0 + a * a) - c | np.tanh(a) + k | -a + k * c | abs(a) * b
| np.hypot(a, 1.0 + abs(b)) | 2.0 / (2.0 + np.cos(a)) | max(a, b) | min(a, k) * c | a * 0
| np.where(a > k, a * b, c) | np.maximum(a, b) - np.minimum(b, c) | a if a > b else b * c
| +a | (1.2 + a * a) ** -0.5 | 1.5 ** a | sum([a, b, c]) | np.arctan2(a, 2.0 + b * b)
| (a + b) / 3 - c // 0.7 | np.float64(0.3) * a - np.float64(k) / (2 + b * b) | k - a
| np.logaddexp(a, b) | a * (b if k > 0 else c) | a - np.floor(b) | a * np.array(k)
| np.clip(a, -0.3, k) | np.dot(a, b) | np.abs(a + 1j * b) | ((a + 1j * c) * np.exp(1j * b)).imag"""
COMPLEX_BODIES = """a * b | a - b * c | k * a + b | np.exp(0.3j * a) | np.sin(a) * b | k - a
| a / (5.0 + np.sin(0.1 * b)) | (a - b) ** 2 | -a + k * c | (1 + 2j) * a | sum([a, b, c])
| +a"""


def _vector(u):
    if np.ndim(u) != 1 or len(u) < 2 or u.dtype.kind not in "fc":
        raise ValueError("a loop over elements needs a vector of two elements")
    return u


def _array(parts):
    """The array of numbers; of complex AD arrays there is none by ``np.array``."""
    joined = any(isinstance(p, Dense) or np.iscomplexobj(p) for p in parts)
    return np.stack(parts) if joined else np.array(parts)


def _blank(u, v):
    """Zeros like u that can hold elements of both."""
    if isinstance(v, Dense) and not isinstance(u, Dense):
        return Dense(np.zeros_like(u), np.zeros((len(v.t), *np.shape(u)), v.t.dtype))
    carrying = isinstance(v, ad.ADArray) and not isinstance(u, ad.ADArray)
    return np.zeros(np.shape(u), u.dtype, like=v) if carrying else _zeros_like(u)


def stamped(u, v, pairs, body):
    """Contributions of elements of a network, added at two places."""
    _vector(u), _vector(v)
    F = _blank(u, v)
    for i, j in pairs:
        current = _same_type(body(u[i], v[j % len(v)], u[j % len(u)]), u)
        if isinstance(F, Dense):
            F[i] = F[i] + current
            F[j] = F[j] - 0.5 * current
        else:
            F[i] += current
            F[j] -= 0.5 * current
    return F


def recurrent(u, v, pairs, body):
    """An array that is filled from its own elements."""
    n = len(_vector(u))
    y = _blank(u, v)
    y[0] = u[-1]
    for i in range(1, n):
        y[i] = _same_type(0.5 * y[i - 1] + 0.1 * body(u[i], y[i - 1], v[i % len(v)]), u)
    return y


def overwritten_by_elements(u, v, pairs, body):
    """A copy whose elements are replaced, read again and multiplied in place."""
    F = _blank(_vector(u), v)
    F[:] = 1.0 * u
    for i, j in pairs:
        F[j] = _same_type(body(F[i], u[j], v[i % len(v)]), u)
    if isinstance(F, Dense):
        F[1] = F[1] * u[0]
    else:
        F[1] *= u[0]
    F[-1] = 0.25
    return F - u


def listed(u, v, pairs, body):
    """A list of equations, joined by np.array and added to an array."""
    _vector(u), _vector(v)
    rows = [body(u[i], v[j % len(v)], u[j]) for i, j in pairs] + [u[0] * 0.5]
    carrying = isinstance(u, ad.ADArray)  # else NumPy joins arrays of objects to one of objects
    part = _array(rows) if carrying else np.stack(rows)
    return np.concatenate([part, part[::-1] * u[1], u])


def nested(u, v, pairs, body):
    """A small matrix of elements times a vector."""
    if _vector(u).dtype != _vector(v).dtype:
        raise ValueError("each number of an array of objects has a precision of its own")
    M = [[body(u[0], v[0], u[1]), u[1]], [0.5 * u[0], v[-1]]]
    M = _array([_array(row) for row in M])
    return np.dot(M, u[:2]) * 0.5 + M[:, 0] * v[1]


def accumulated_elements(u, v, pairs, body):
    """Running sums over elements, a dictionary of elements, Python's own functions."""
    _vector(u), _vector(v)
    total, found = 0.0, {}
    for a, b in zip(u, v, strict=False):
        total = total + body(a, b, a)
        found[len(found)] = total * 0.5
    product = functools.reduce(operator.mul, [u[i] for i, _ in pairs[:3]], 1.0)
    rest = [w - product for k, w in enumerate(found.values()) if k % 2 == 0]
    return np.hstack([total, *rest])


def windowed(u, v, pairs, body):
    """Slices of an array that a loop reads and one that it fills."""
    n = len(_vector(u))
    F = _zeros_like(u)
    for i in range(n):
        window = u[max(i - 1, 0) : i + 2]
        F[i] = _same_type(body(u[i], window[0], window[-1]) + np.sum(window) * 0.1, u)
    tail = F[1:] * u[:-1]
    F[1:] = tail
    return F


def double(u, v, pairs, body):
    """Two loops over a matrix of unknowns."""
    if np.ndim(u) != 2 or not np.size(u) or u.dtype.kind not in "fc":
        raise ValueError("two loops need a matrix")
    m, n = np.shape(u)
    F = _zeros_like(u)
    for i in range(m):
        for j in range(n):
            part = body(u[i, j], u[(i + 1) % m, j], u[i, j - 1])
            F[i, j] = _same_type(part if not j else part + 0.5 * F[i, j - 1], u)
    return F


def _same_type(number, u):
    """Refuse what NumPy would cast in an assignment: complex to real."""
    is_complex = type(number) is complex or getattr(number, "dtype", u.dtype).kind == "c"
    if is_complex and u.dtype.kind != "c":
        raise ValueError("a complex number in a real array")
    return number


VECTOR_LOOPS = [
    stamped, recurrent, overwritten_by_elements, listed, nested, accumulated_elements, windowed,
]  # fmt: skip
LOOPS = {f.__name__: f for f in [*VECTOR_LOOPS, double]}
