"""Factors of rows and columns: powers of two that bring every largest entry near 1."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve.linear.equilibration import Equilibration
from sgsolve.pattern import Pattern
from tests.linear.matrices import five_point


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("decades", [1, 30, 120])
def test_factors_are_powers_of_two_and_level_every_row_and_column(dtype, decades):
    random = np.random.default_rng(0)
    A = five_point(15, dtype)
    n = A.shape[0]
    rows = np.repeat(np.arange(n), np.diff(A.indptr))
    A.data *= 10.0 ** random.uniform(-decades, decades, n)[rows]
    A.data *= 10.0 ** random.uniform(-decades, decades, n)[A.indices]
    scaling = Equilibration(Pattern.of(A))
    out = np.empty_like(A.data)
    scaling.apply(A.data, out)
    for factor in (scaling.row, scaling.column):
        assert np.all(np.frexp(factor)[0] == 0.5)
    scaled = sp.csr_array((out, A.indices, A.indptr), shape=A.shape)
    for axis in (0, 1):
        largest = abs(scaled).max(axis=axis).toarray()
        assert largest.min() >= 0.125
        assert largest.max() <= 8
    restored = out / scaling.row[rows]
    np.testing.assert_array_equal(restored / scaling.column[A.indices], A.data)
    np.testing.assert_array_equal(scaling.magnitude, np.abs(out))


def test_factors_are_kept_until_an_entry_drifts():
    A = five_point(10)
    scaling = Equilibration(Pattern.of(A))
    out = np.empty_like(A.data)
    for change, updates in ((1.0, 1), (1.5, 1), (0.7, 1), (100.0, 2), (100.0, 2), (1.0, 3)):
        scaling.apply(change * A.data, out)
        assert scaling.n_update == updates


def test_imaginary_entries_are_leveled():
    A = sp.csr_array(1j * np.outer(10.0 ** np.arange(-40.0, 40.0, 20.0), [1.0, 1e30, 1e-30, 1.0]))
    out = np.empty_like(A.data)
    Equilibration(Pattern.of(A)).apply(A.data, out)
    for axis in (0, 1):
        largest = np.abs(out.reshape(4, 4)).max(axis=axis)
        assert largest.max() <= 8.0
        assert largest.min() >= 0.125
