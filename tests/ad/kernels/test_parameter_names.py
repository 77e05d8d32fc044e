"""Kernels of functions whose parameters have the names of what a kernel itself reads or writes."""

import numpy as np
import pytest

from sgsolve import Problem, ad
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite


def product(name):
    """Return u -> exp(u) p + u^2 - p^2 with a parameter p of that name."""
    return eval(f"lambda u, {name}: np.exp(u) * {name} + u**2 - {name}**2", {"np": np})


@pytest.mark.parametrize("name", ["x", "F", "data", "self"])
def test_a_parameter_of_any_name(name):
    """It begins with the values of the unknowns, where the two cannot be told apart."""
    f, u = ad.compiled(product(name), at_once=True), np.array([0.3, 0.5, 1.0])
    for p in (u.copy(), u + 1.0, u - 1.0):
        given = p.copy()
        F, J = f.value_and_jacobian(u, **{name: p})
        assert np.allclose(F, np.exp(u) * p + u**2 - p**2, rtol=1e-14)
        assert np.allclose(J.toarray(), np.diag(np.exp(u) * p + 2.0 * u), rtol=1e-14)
        assert np.array_equal(f(u, **{name: p}), F)
        assert np.array_equal(p, given)
    assert f.stats.compiled > 0


@pytest.mark.parametrize("name", ["x", "F", "data"])
def test_a_run_along_a_parameter_of_any_name(name):
    """The residual u^3 + u - p has the root 1 at p = 2 and 2 at p = 10."""
    residual = eval(f"lambda u, {name}: u**3 + u - {name}")
    branch = Problem(residual, params={name: 2.0}, compiled=True).sweep([2.0], name, [2.0, 10.0])
    assert np.allclose(branch.states[:, 0], [1.0, 2.0], rtol=1e-9)
