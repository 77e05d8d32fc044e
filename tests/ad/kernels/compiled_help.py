"""Help for tests of compiled evaluation: skip without llvmlite, and compare bits."""

import numpy as np
import pytest

from sgsolve import ad

needs_llvmlite = pytest.mark.skipif(
    not ad.compiled_is_available(), reason="llvmlite (sgsolve[compiled]) is not installed"
)


def assert_same_bits(f, points, *args, evaluations=4, kernels=True, rounding=0.0, **kwargs):
    """Compare F and J of the compiled function with those of the function itself."""
    compiled, of_values = (ad.compiled(f, at_once=True) for _ in range(2))
    with np.errstate(all="ignore"):
        for _ in range(evaluations):
            for x in points:
                F, J = compiled.value_and_jacobian(x, *args, **kwargs)
                G, K = ad.value_and_jacobian(f, x, *args, **kwargs)
                np.testing.assert_array_equal(F, G, strict=True)
                np.testing.assert_allclose(J.data, K.data, rtol=rounding, strict=True)
                np.testing.assert_array_equal(J.indices, K.indices)
                np.testing.assert_array_equal(J.indptr, K.indptr)
                for function in (of_values, compiled):  # by a kernel of F alone, and by either
                    H = function(x, *args, **kwargs)
                    np.testing.assert_array_equal(H, f(x, *args, **kwargs))
    if kernels:
        assert compiled.stats.compiled >= 2, compiled.stats
    stats = compiled.stats.copy()
    stats.add(of_values.stats)
    return stats
