"""Banded LAPACK in a given order of equations and unknowns."""

import numpy as np

from sgsolve.linear.methods.direct.banded import Banded
from sgsolve.linear.structure.ordering import narrow_order
from sgsolve.pattern import Pattern


def test_a_given_order_serves_one_pattern():
    first = np.eye(6) + np.eye(6, k=1)
    second = 2.0 * np.eye(6) + np.eye(6, k=-2) + np.eye(6, k=3)
    backend = Banded(narrow_order(Pattern.of(first)))
    for dense in (first, second):
        pattern = Pattern.of(dense)
        A = pattern.matrix(dense[pattern.rows, pattern.indices])
        backend.analyze(A)
        backend.factorize(A)
        b = np.arange(1.0, 7.0)
        np.testing.assert_allclose(dense @ backend.solve(b.copy(), False), b, rtol=1e-13)
