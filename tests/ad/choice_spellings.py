"""Functions that are constant where a choice takes a constant, as models of flow spell them."""

import numpy as np

from sgsolve import ad

X = np.array([-1.0, 2.0, -3.0, 4.0, 0.5, -0.25])
PLACES = np.array([0, 3, 2, 5, 0, 1])


def assigned(h):
    y = np.zeros_like(h)
    wet = h > 0
    y[wet] = h[wet]
    return np.sqrt(y)


def of_two_sides(h):
    left, right = np.maximum(h[:-1], 0), np.maximum(h[1:], 0)
    return np.sqrt(np.where(h[1:] > h[:-1], right, left))


def in_a_loop(h):
    depth = np.maximum(h, 0)
    F = np.zeros_like(h)
    for i in range(len(h)):
        F[i] += np.sqrt(depth[i]) * h[i - 1]
    return F


def filled(h):
    """Elements one by one, in so long a loop that their slopes are rows."""
    F = np.zeros_like(h)
    for _ in range(4):
        for i in range(len(h)):
            F[i] = np.maximum(h[i], 0) * (2.0 + h[i - 1] ** 2)
    return F


# Zero with slope zero where h is negative.
CONSTANT_BELOW = {
    "a maximum": lambda h: np.sqrt(np.maximum(h, 0)),
    "the constant first": lambda h: np.sqrt(np.maximum(0.0, h)),
    "a power": lambda h: np.maximum(h, 0) ** 0.4,
    "np.power": lambda h: np.power(np.maximum(h, 0), 0.5),
    "fmax": lambda h: np.cbrt(np.fmax(h, 0)),
    "clip": lambda h: np.sqrt(np.clip(h, 0, None)),
    "clip on both sides": lambda h: np.sqrt(np.clip(h, 0, 1)),
    "where": lambda h: np.sqrt(np.where(h > 0, h, 0)),
    "where of a function": lambda h: np.sqrt(np.where(h > 0, h * np.exp(h), 0)),
    "a mask": lambda h: np.sqrt(h * (h > 0)),
    "a mask first": lambda h: np.sqrt((h > 0) * h),
    "a step": lambda h: np.sqrt(h * np.heaviside(h, 0.0)),
    "elements of a mask": assigned,
    "a branch": lambda h: np.sqrt(ad.branch(h > 0, lambda i: h[i], lambda i: 0.0)),
    "the exponential": lambda h: np.exp(-1.0 / np.maximum(h, 0)),
    "a logarithm": lambda h: np.exp(0.6 * np.log(np.maximum(h, 0))),
    "numbers and arrays between": lambda h: np.sqrt(
        3.0 * np.maximum(h, 0) / np.arange(2.0, 8.0) * 2.0
    ),
    "two roots": lambda h: np.sqrt(np.sqrt(np.maximum(h, 0))),
    "times another function": lambda h: np.sqrt(np.maximum(h, 0) * (2.0 + np.sin(h[::-1]))),
    "over another function": lambda h: np.sqrt(np.maximum(h, 0) / (2.0 + np.sin(h[::-1]))),
    "numbers one by one": lambda h: np.stack([np.sqrt(np.maximum(v, 0.0)) for v in h]),
    "times numbers": lambda h: np.stack(
        [np.sqrt(np.maximum(h[i], 0) * (2 + np.sin(h[i - 1]))) for i in range(len(h))]
    ),
    "a dead band": lambda h: np.sqrt(np.maximum(h - 1.0, 0) + np.maximum(-h - 4.0, 0)),
    "elements read": in_a_loop,
    "columns": lambda h: np.sqrt(np.maximum(h.reshape(2, 3), 0))[:, ::-1].T.ravel(),
    "two dimensions": lambda h: np.sqrt(np.maximum(h.reshape(2, 3), [[0.0], [0.0]])).ravel(),
}
# The same after elements were moved.
MOVED = {
    "a running maximum": lambda h: np.sqrt(np.maximum.accumulate(np.maximum(h - 2.5, 0))),
    "elements and their joined rows": lambda h: np.sqrt(filled(h)),
    "products of elements": lambda h: [
        np.sqrt(w * v) for w, v in zip(np.maximum(h, 0), np.maximum(h[::-1], 0), strict=True)
    ],
    "a slice": lambda h: np.sqrt(np.maximum(h, 0)[1:]),
    "positions": lambda h: np.sqrt(np.maximum(h, 0)[PLACES]),
    "the side that flow comes from": of_two_sides,
    "a product with neighbors": lambda h: np.sqrt(np.maximum(h, 0))[1:] * h[:-1],
    "a sum": lambda h: np.sqrt(np.sum(np.maximum(h - 5.0, 0), keepdims=True)) + h,
    "a matrix": lambda h: np.sqrt(np.ones((3, 6)) @ np.maximum(h - 5.0, 0)),
    "joined": lambda h: np.sqrt(np.concatenate([np.maximum(h, 0), np.maximum(-h, 0)])),
}
EVERY = CONSTANT_BELOW | MOVED
