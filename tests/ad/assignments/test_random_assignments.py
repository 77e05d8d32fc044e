"""Random assignments, with views in use: NumPy's values and slopes, or a refusal."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.errors import DerivativeError
from tests.selection import slow

LINE = [0, -1, slice(None), slice(1, -1), slice(None, None, 2), slice(None, None, -1), [0, 2],
        np.array([1, 1, 3]), ...]  # fmt: skip
ROWS = [0, -1, slice(None), slice(1, None), slice(None, None, -1), [0, 1]]
COLUMNS = [0, -1, slice(None), slice(0, 2), slice(None, None, 2), [1, 0]]
TARGETS = [
    np.zeros_like, lambda x: 1.5 * x, lambda x: x.reshape(2, 3) * 2.0,
    lambda x: np.zeros((3, 4), like=x), lambda x: np.zeros(8, like=x),
]  # fmt: skip


def pick(rng, items):
    return items[rng.integers(len(items))]


def key_for(rng, shape):
    if rng.random() < 0.2:
        return rng.random(shape) < 0.5
    if len(shape) == 1:
        return pick(rng, LINE)
    return pick(rng, [(pick(rng, ROWS), pick(rng, COLUMNS)), pick(rng, ROWS)])


def run(number, x):
    """Carry random assignments out on an array made from x; views that are held count too."""
    rng = np.random.default_rng(number)
    F = pick(rng, TARGETS)(x)
    held = []
    for _ in range(rng.integers(2, 7)):
        key = key_for(rng, F.shape)
        shape = np.zeros(F.shape)[key].shape
        v = (x[rng.integers(0, 6, size=int(np.prod(shape)))] * rng.normal()).reshape(shape)
        v = pick(rng, [v, v, v, rng.normal(size=shape), float(rng.normal())])
        operation = rng.integers(6)
        if operation == 0:
            F[key] = v
        elif operation == 1:
            F[key] += v
        elif operation == 2:
            F[key] *= v
        elif operation == 3:
            F[key] -= F[key] * v
        elif np.ndim(F[key]):
            view = F[key]
            if operation == 4:
                view += 1.0
            else:
                view[...] = 2.0 * view
            held.append(view)
    return np.concatenate([np.ravel(a) for a in (F, *held)])


@pytest.mark.parametrize("first", [0, *slow(100)])
def test_random_assignments(first):
    x = np.random.default_rng(0).normal(size=6)
    steps = 1e-6 * np.eye(6)
    refused = 0
    for number in range(first, first + 100):
        want = run(number, x.copy())
        try:
            y = run(number, ad.seed(x))
        except DerivativeError as error:
            if "views" not in str(error):
                raise
            refused += 1
            continue
        np.testing.assert_array_equal(ad.value(y), want, err_msg=str(number))
        slopes = [(run(number, x + e) - run(number, x - e)) / 2e-6 for e in steps]
        J = y.jacobian.toarray() if isinstance(y, ad.ADArray) else np.zeros((len(want), 6))
        np.testing.assert_allclose(J, np.transpose(slopes), rtol=1e-6, atol=1e-6, err_msg=number)
    assert refused < 10
