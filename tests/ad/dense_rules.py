"""Rules of the dense judge: partial derivatives, and functions that are neither linear nor ufuncs.

Written apart from the tables under test, and evaluated in extended precision.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .dense import (
    BILINEAR,
    LINEAR,
    OF_PARTS,
    PARTIALS,
    POW,
    SPECIAL,
    Dense,
    Steepness,
    _aligned,
    _nodes,
    _tangents,
    elementwise,
    linear,
    product,
    value,
    wide,
)


def where(cond, a, b):
    cond = np.asarray(value(cond))
    v = np.where(cond, value(a), value(b))
    if not list(_nodes([a, b])):
        return v
    ta, tb = (_aligned(d, v.shape) if isinstance(d, Dense) else 0.0 for d in (a, b))
    n = len(next(_nodes([a, b])).t)
    return Dense(v, np.broadcast_to(np.where(cond, ta, tb), (n, *v.shape)))


def _extreme(func, at):
    def extreme(a, axis=None, keepdims=False):
        axis = axis if a.ndim else None
        v = func(a.v, axis=axis, keepdims=keepdims)
        if axis is None:
            picked = a.ravel()[int(at(a.v))]
            return Dense(v, picked.t.reshape((len(a.t), *np.shape(v))))
        position = np.expand_dims(at(a.v, axis=axis), axis)
        t = [np.take_along_axis(t, position, axis).reshape(np.shape(v)) for t in a.t]
        return Dense(v, np.array(t).reshape((len(a.t), *np.shape(v))))

    return extreme


def _sizes(z):
    """Absolute values and their tangents: of complex numbers, those of sqrt(x^2 + y^2)."""
    w = wide(z.v)
    r = np.hypot(w.real, w.imag)
    t = (w.real * z.t.real + w.imag * z.t.imag) / np.where(r == 0, 1.0, r)
    return r, t


def _absolute(z):
    return Dense(np.absolute(z.v), _sizes(z)[1])


def _sign(z):
    r, t = _sizes(z)
    r = np.where(r == 0, 1.0, r)
    return Dense(np.sign(z.v), np.where(wide(z.v) == 0, 0, z.t / r - wide(z.v) * t / r**2))


def _angle(z, deg=False):
    if not np.iscomplexobj(z.v):
        return Dense(np.angle(z.v, deg), 0 * z.t)
    w = wide(z.v)
    with np.errstate(all="ignore"):
        t = (w.real * z.t.imag - w.imag * z.t.real) / (w.real**2 + w.imag**2)
    return Dense(np.angle(z.v, deg), t * (45 / np.arctan(np.longdouble(1)) if deg else 1))


def _norm(a, ord=None, axis=None, keepdims=False):
    if np.iscomplexobj(a.v):
        sizes = _norm(Dense(np.absolute(a.v), _sizes(a)[1]), ord, axis, keepdims)
        return Dense(np.linalg.norm(a.v, ord, axis, keepdims), sizes.t)
    if ord == 1 and axis is None and a.ndim == 2 and not a.size:
        return Dense(np.linalg.norm(a.v, 1), a.t.sum(axis=(1, 2)))
    if ord == 1 and axis is None and a.ndim == 2:
        total = np.sum(elementwise(np.absolute, a), axis=0)
        return total[int(np.argmax(total.v))] * 1.0
    v = np.linalg.norm(a.v, ord, axis, keepdims)
    w = wide(a.v)
    if ord == 1:
        g = np.sign(w)
    else:
        size = np.linalg.norm(w, ord, axis, True)
        g = w / np.where(size == 0, 1.0, size)
    t = np.sum(a.t * g, axis=None if a.t.ndim == 0 else _axes(axis, a.ndim), keepdims=keepdims)
    return Dense(v, t.reshape((len(a.t), *np.shape(v))))


def _axes(axis, ndim):
    if axis is None:
        return tuple(range(1, ndim + 1))
    return tuple(int(k) % ndim + 1 for k in np.atleast_1d(axis))


def _prod(a, axis=None, keepdims=False):
    v = np.prod(a.v, axis=axis, keepdims=keepdims)
    w = wide(a.v)

    def of_direction(k):
        total = np.zeros(np.shape(v))
        for i in np.ndindex(*w.shape):
            one = w.copy()
            one[i] = a.t[k][i]
            rest = np.zeros(w.shape, dtype=bool)
            rest[i] = True
            line = np.any(rest, axis=axis, keepdims=keepdims)
            total = total + np.where(line, np.prod(one, axis=axis, keepdims=keepdims), 0.0)
        return total

    return Dense(v, _tangents([a], of_direction, v))


def _var(a, axis=None, ddof=0, keepdims=False):
    v = np.var(a.v, axis=axis, ddof=ddof, keepdims=keepdims)
    w = wide(a.v)
    d = w - np.mean(w, axis=axis, keepdims=True)
    count = w.size // max(1, np.size(v))
    products = a.t.real * d.real + a.t.imag * d.imag
    t = 2.0 * np.sum(products, axis=_axes(axis, a.ndim), keepdims=keepdims) / (count - ddof)
    return Dense(v, t.reshape((len(a.t), *np.shape(v))))


def _std(a, **kwargs):
    variance = _var(a, **kwargs)
    if np.any(variance.v < 1e-20):
        Steepness.largest = np.inf  # the slope is that of rounding errors
    t = variance.t / np.where(variance.v == 0, 1.0, 2.0 * np.sqrt(wide(variance.v)))
    return Dense(np.std(a.v, **kwargs), t)


def _cumprod(a, axis=None):
    v = np.cumprod(a.v, axis=axis)
    b = a.ravel() if axis is None or not a.ndim else a
    axis = 0 if axis is None or not a.ndim else axis
    w = np.moveaxis(wide(b.v), axis, 0)

    def of_direction(k):
        t = np.moveaxis(b.t[k], axis, 0)
        out = np.zeros_like(w)
        for j in range(len(w)):
            for i in range(j + 1):
                one = w[: j + 1].copy()
                one[i] = t[i]
                out[j] += np.prod(one, axis=0)
        return np.moveaxis(out, 0, axis)

    return Dense(v, _tangents([b], of_direction, v))


def _clip(a, a_min=None, a_max=None):
    v = np.clip(a.v, a_min, a_max)
    inside = np.ones(v.shape, dtype=bool)
    if a_min is not None:
        inside &= a.v >= a_min
    if a_max is not None:
        inside &= a.v <= a_max
    return Dense(v, a.t * inside)


def _interp(x, xp, fp, **kwargs):
    v = np.interp(x.v, xp, fp, **kwargs)
    cell = np.clip(np.searchsorted(xp, x.v, side="right") - 1, 0, len(xp) - 2)
    slope = (wide(fp)[cell + 1] - wide(fp)[cell]) / (wide(xp)[cell + 1] - wide(xp)[cell])
    return Dense(v, x.t * np.where((x.v < xp[0]) | (x.v > xp[-1]), 0.0, slope))


LINEAR |= {
    np.sum, np.mean, np.cumsum, np.diff, np.concatenate, np.stack, np.hstack, np.vstack,
    np.column_stack, np.roll, np.reshape, np.ravel, np.transpose, np.squeeze,
    np.broadcast_to, np.repeat, np.tile, np.flip, np.expand_dims, np.swapaxes, np.moveaxis,
    np.pad, np.trace, np.diagonal, np.take, np.diag, np.tril, np.triu, np.rot90, np.trapezoid,
    np.delete, np.atleast_1d, np.atleast_2d, np.copy, np.ediff1d, np.gradient, np.take_along_axis,
    np.resize, np.dstack, np.insert, np.block, np.matrix_transpose, np.real, np.imag,
}  # fmt: skip
BILINEAR |= {np.dot, np.outer, np.inner, np.kron, np.vdot, np.tensordot, np.cross}
SPECIAL |= {
    np.where: where, np.max: _extreme(np.max, np.argmax), np.min: _extreme(np.min, np.argmin),
    np.linalg.norm: _norm, np.prod: _prod, np.var: _var, np.cumprod: _cumprod, np.clip: _clip,
    np.interp: _interp, np.shape: lambda a: a.shape, np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.size,
    np.std: lambda a, **k: _std(a, **k),
    np.einsum: lambda s, a, b: product(lambda p, q: np.einsum(s, p, q), a, b),
    np.average: lambda a, weights: np.sum(a * weights) / np.sum(weights),
    np.append: lambda a, b, axis=None: np.concatenate(
        [a, b] if axis is not None else [np.ravel(a), np.ravel(b)], axis or 0
    ),
    np.argsort: lambda a: np.argsort(a.v), np.angle: _angle,
    np.nan_to_num: lambda a: Dense(np.nan_to_num(a.v), np.where(np.isfinite(a.v), a.t, 0.0)),
    np.select: lambda c, x, default=0: where(c[0], x[0], where(c[1], x[1], default)),
}  # fmt: skip
OF_PARTS |= {
    np.absolute: _absolute, np.sign: _sign, np.conjugate: lambda z: linear(np.conjugate, z),
}  # fmt: skip
_ROOT_PI = np.sqrt(np.arctan(np.longdouble(1)) * 4)
PARTIALS |= {
    np.add: lambda y, a, b: (1, 1),
    np.subtract: lambda y, a, b: (1, -1),
    np.multiply: lambda y, a, b: (b, a),
    np.divide: lambda y, a, b: (1 / b, -a / b**2),
    np.power: lambda y, a, b: (
        np.where(b == 0, 0, b * a ** (b - 1)),
        np.where(a == 0, 0, a**b * np.log(np.where(a == 0, 1, a))),
    ),
    np.float_power: lambda y, a, b: PARTIALS[np.power](y, a, b),
    POW: lambda y, a, b: PARTIALS[np.power](y, a, b),
    np.remainder: lambda y, a, b: (1, -np.rint((a - y) / b)),
    np.floor_divide: lambda y, a, b: (0, 0),
    np.maximum: lambda y, a, b: (a >= b, a < b),
    np.minimum: lambda y, a, b: (a <= b, a > b),
    np.fmax: lambda y, a, b: ((a >= b) | np.isnan(b), (a < b) | np.isnan(a)),
    np.hypot: lambda y, a, b: tuple(
        c / np.where(a**2 + b**2 == 0, 1, np.sqrt(a**2 + b**2)) for c in (a, b)
    ),
    np.arctan2: lambda y, a, b: (b / (a**2 + b**2), -a / (a**2 + b**2)),
    np.logaddexp: lambda y, a, b: (1 / (1 + np.exp(b - a)), 1 / (1 + np.exp(a - b))),
    np.conjugate: lambda y, a: (1,),
    np.negative: lambda y, a: (-1,),
    np.positive: lambda y, a: (1,),
    np.absolute: lambda y, a: (np.sign(a),),
    np.sign: lambda y, a: (0,),
    np.floor: lambda y, a: (0,),
    np.square: lambda y, a: (2 * a,),
    np.sqrt: lambda y, a: (0.5 / np.sqrt(a),),
    np.cbrt: lambda y, a: (1 / (3 * np.cbrt(a) ** 2),),
    np.reciprocal: lambda y, a: (-1 / a**2,),
    np.exp: lambda y, a: (np.exp(a),),
    np.expm1: lambda y, a: (np.exp(a),),
    np.log: lambda y, a: (1 / a,),
    np.log1p: lambda y, a: (1 / (1 + a),),
    np.sin: lambda y, a: (np.cos(a),),
    np.cos: lambda y, a: (-np.sin(a),),
    np.tan: lambda y, a: (1 / np.cos(a) ** 2,),
    np.tanh: lambda y, a: (1 / np.cosh(a) ** 2,),
    np.sinh: lambda y, a: (np.cosh(a),),
    np.cosh: lambda y, a: (np.sinh(a),),
    np.arctan: lambda y, a: (1 / (1 + a**2),),
    np.arcsinh: lambda y, a: (1 / np.sqrt(1 + a**2),),
    np.deg2rad: lambda y, a: (np.arctan(np.longdouble(1)) / 45,),
    special.expit: lambda y, a: (np.exp(-a) / (1 + np.exp(-a)) ** 2,),
    special.erf: lambda y, a: (2 / _ROOT_PI * np.exp(-(a**2)),),
}
