"""A function against itself on plain arrays: value to the last bit, slopes to 1e-8."""

from __future__ import annotations

import numpy as np

from sgsolve import ad


def numeric_jacobian(f, x, h=1e-3):
    """Differences of fourth order, with one unknown at a time."""
    x = np.asarray(x, dtype=float)
    columns = []
    for j in range(x.size):
        total = 0.0
        for weight, k in ((1, -2), (-8, -1), (8, 1), (-1, 2)):
            z = x.copy()
            z.reshape(-1)[j] += k * h
            with np.errstate(all="ignore"):
                total = total + weight * np.asarray(f(z), dtype=float)
        columns.append(np.ravel(total) / (12 * h))
    return np.array(columns).T if columns else np.zeros((np.size(f(x)), 0))


def check(f, x, h=1e-3, tol=1e-8):
    """Assert that f on an AD array is f, with its Jacobian, and inside its sparsity."""
    x = np.asarray(x, dtype=float)
    expected = f(x)
    y = f(ad.seed(x))
    assert isinstance(y, ad.ADArray), f"the derivative was lost: {type(y)}"
    assert y.shape == np.shape(expected)
    assert y.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(y.value, expected)
    J = y.jacobian
    assert J.shape == (y.size, x.size)
    assert J.has_canonical_format
    np.testing.assert_allclose(J.toarray(), numeric_jacobian(f, x, h), rtol=tol, atol=tol)
    for moved in (0.25, 0.0, 0.0):  # what recurs is compiled; the point has changed in between
        again = f(ad.seed(x + moved * h))
        assert again.jacobian.shape == J.shape
    np.testing.assert_allclose(again.jacobian.toarray(), J.toarray(), rtol=1e-13, atol=1e-13)
    direction = np.cos(np.arange(x.size)).reshape(x.shape)
    along = ad.jvp(f, x, direction)[1]
    size = np.abs(J.data).max(initial=1.0) * x.size
    np.testing.assert_allclose(np.ravel(along), J @ np.ravel(direction), atol=1e-13 * size)
    s = f(ad.seed_sparsity(x))
    np.testing.assert_array_equal(s.value, expected)
    assert not (s.sparsity.toarray() == 0)[J.toarray() != 0].any()
    data = ad.jacobian_values(y, ad.sparsity_pattern(s))
    np.testing.assert_allclose(
        ad.sparsity_pattern(s).matrix(data).toarray(), J.toarray(), rtol=1e-14
    )
    return y
