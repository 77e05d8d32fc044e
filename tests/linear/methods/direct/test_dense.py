"""Dense factors: several right-hand sides, one by one as long as that takes no longer."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve.linear import Dense
from sgsolve.linear.methods.direct.dense import FEW_COLUMNS


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("imaginary", [0.0, 1.0j])
@pytest.mark.parametrize("columns", [1, 2, FEW_COLUMNS, FEW_COLUMNS + 1])
def test_few_right_hand_sides_reach_lapack_one_by_one(columns, imaginary, transpose):
    random = np.random.default_rng(columns)
    A = random.standard_normal((12, 12)) * (1.0 + imaginary) + 12.0 * np.eye(12)
    B = random.standard_normal((12, columns)) * (1.0 + imaginary)
    dense, shapes = Dense(), []
    dense.analyze(sp.csr_array(A))
    dense.factorize(sp.csr_array(A))
    trs = dense._trs
    dense._trs = lambda lu, pivots, b, *options: (
        shapes.append(b.shape) or trs(lu, pivots, b, *options)
    )
    X = dense.solve(B.copy(order="F"), transpose)
    assert X.shape == B.shape
    assert X.flags.f_contiguous
    assert np.allclose((A.T if transpose else A) @ X, B, rtol=0.0, atol=1e-13)
    together = columns > FEW_COLUMNS  # OpenBLAS uses its threads for these
    assert shapes == ([(12, columns)] if together else [(12,)] * columns)
