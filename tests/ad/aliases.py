"""What random programs write in place: through a second name, in a loop, through a view.

NumPy's own outcome is the reference. The judge has no in-place operators, and an AD array whose
views are alive refuses them: there the same outcome is written without them.
"""

from __future__ import annotations

import numpy as np

from sgsolve import ad

from .dense import Dense


def second_name(u, v):
    """A sum written into an array that has another name."""
    r = 1.5 * u
    name = r
    if _separate(r, v):
        return _as(r, r + v)
    name += v
    return r


def helper(u, v):
    """A product written by a function that returns nothing."""
    r = u - 0.25
    if _separate(r, v):
        return _as(r, r * v)

    def multiply(target, factor):
        target *= factor

    multiply(r, v)
    return r


def accumulated(u):
    """A running sum of a loop."""
    total = 0.5 * u
    for k in range(1, 3):
        total += np.sin(u) * k
        total *= 0.75
    return total


def through_view(u, v):
    """A sum written through a view of all but the first element."""
    r = 1.5 * u
    tail = r[1:]
    if _separate(r, v):
        return np.concatenate([r[:1], _as(r, r[1:] + v[1:])])
    tail += v[1:]
    return r


def filled(u, v):
    """Zeros that are filled part by part, some parts twice."""
    u = _carrying(u, v)
    r = _zeros_like(u)
    r[1:] = 0.5 * u[:-1]
    r[0] = v[-1]
    r[::2] = r[::2] * u[::2]
    r[-1:] = r[-1:] + v[:1]
    r[[0, -1, 0]] = 2.0 * r[[-1, 0, -1]]
    return r


def overwritten(u, v):
    """A result of which parts are replaced: by numbers, by other parts, through a mask."""
    r = 1.5 * _carrying(u, v)
    r[:1] = 0.25
    r[1:] = r[:-1]
    chosen = np.arange(len(v)) % 3 == 0
    r[chosen] = v[chosen] * r[chosen]
    r[...] = r - 0.5 * v
    return r


def with_dead_views(u, v):
    """Views that are used up do not matter, and a copy is no view."""
    r = 1.5 * u
    jump = r[1:] - r[:-1]
    kept = r.ravel() * 1.0
    if _separate(r, v):
        r = _as(r, r - v)
    else:
        r -= v
    return np.concatenate([np.ravel(r), np.ravel(jump), kept])


def _separate(r, v):
    """Whether the outcome is to be written without operators in place."""
    return isinstance(r, Dense) or (
        type(v) in (Dense, ad.ADArray) and not isinstance(r, ad.ADArray)
    )


def _as(r, result):
    """The result with the dtype of r and, for the judge, its order in memory: a sum follows it."""
    result = result if result.dtype == r.dtype else result.astype(r.dtype)
    if isinstance(r, Dense) and isinstance(result, Dense) and r.shape == result.shape:
        values = np.empty_like(r.v)
        values[...] = result.v
        return Dense(values, result.t)
    return result


def _zeros_like(u):
    if isinstance(u, Dense):
        return Dense(np.zeros_like(u.v), np.zeros_like(u.t))
    return np.zeros_like(u)


def _carrying(u, v):
    """The values of u in an array that can hold parts of both."""
    if np.shape(u) != np.shape(v):
        raise ValueError("two shapes")
    return np.where(np.full(np.shape(u), True), u, v) * 1.5
