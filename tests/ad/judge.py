"""The functions of `sgsolve.ad` written for `Dense`, plainly: what a random program calls."""

from __future__ import annotations

import numpy as np

from sgsolve import ad

from .dense import Constant, Dense, _nodes, linear, value, wide
from .dense_rules import where

__all__ = ["bernoulli", "branch", "dot", "elementwise", "hstack", "sparsesum", "sparsevec",
           "stack", "sum", "where"]  # fmt: skip


def sparsevec(n, idx, v):
    idx = np.arange(n)[idx] if isinstance(idx, slice) else np.asarray(idx)
    if idx.size == 0 and idx.dtype != bool:
        idx = idx.astype(int)
    return n, np.arange(n)[idx], v


def _put(n, idx, v):
    out = np.zeros(n, dtype=np.asarray(v).dtype)
    np.add.at(out, idx, v)
    return out


def sparsesum(terms, check_unique=False):
    total = None
    dtype = np.result_type(*[value(v) for _, _, v in terms])
    result = np.zeros(terms[0][0], dtype=dtype)
    for n, idx, v in terms:
        np.add.at(result, idx, value(v))
        if isinstance(v, Dense):
            part = linear(lambda a, n=n, idx=idx: _put(n, idx, a), v)
            total = part.t if total is None else total + part.t
    return result if total is None else Dense(result, total)


def branch(cond, iftrue, iffalse):
    cond = np.asarray(value(cond))
    if cond.ndim == 0:
        return iftrue(...) if cond else iffalse(...)
    every = np.unravel_index(np.arange(cond.size), cond.shape)
    every = every[0] if cond.ndim == 1 else every
    sides = [iftrue(every), iffalse(every)]
    kinds = [value(s) for s, used in zip(sides, (cond.any(), not cond.all()), strict=True) if used]
    result = np.where(cond.ravel(), value(sides[0]), value(sides[1])).astype(
        np.result_type(*kinds) if kinds else float
    )
    nodes = list(_nodes(sides))
    if not kinds:
        result = result.astype(np.result_type(*map(value, sides)))
    if not nodes:
        return result.reshape(cond.shape)
    joined = where(cond.ravel(), *sides)
    return Dense(result.reshape(cond.shape), joined.t.reshape((len(joined.t), *cond.shape)))


def dot(A, x):
    return A @ x if isinstance(A, Constant) else np.dot(A, x)


def sum(x, axis=None):
    return np.sum(x, axis=axis)


def hstack(arrays):
    return np.hstack(arrays)


def stack(*arrays):
    if len(arrays) == 1 and isinstance(arrays[0], (list, tuple)):
        return np.stack(arrays[0])
    return np.hstack(arrays)


def elementwise(f, dfdx):
    def apply(x):
        if not isinstance(x, Dense):
            return f(x)
        return Dense(f(x.v), x.t * dfdx(wide(x.v)))

    return apply


def bernoulli(x):
    if not isinstance(x, Dense):
        return ad.bernoulli(x)
    v = np.asarray(x.v)
    w = v.astype(np.longdouble)
    with np.errstate(all="ignore"):
        y = np.where(v == 0, 1, w / np.expm1(w))
        plain = (1 - y - w) / np.expm1(w)
    w2 = w * w
    # Bernoulli numbers over factorials (DLMF 24.2.1)
    series = -0.5 + w * (
        1 / np.longdouble(6)
        - w2 * (1 / np.longdouble(180) - w2 * (1 / np.longdouble(5040) - w2 / 151200))
    )
    return Dense(ad.bernoulli(x.v), x.t * np.where(np.abs(w) < 1e-2, series, plain))
