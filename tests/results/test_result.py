"""A result is read like SciPy's, which is a dictionary."""

import numpy as np
import pytest

from sgsolve import Problem


def test_items_are_the_attributes():
    result = Problem(lambda x: x**2 - 4.0).solve([1.0])
    assert list(result) == list(result.keys()) == [name for name, _ in result.items()]
    assert {"x", "success", "status", "message", "fun", "nfev", "njev", "nit"} == set(result)
    assert np.array_equal(result["x"], result.x)
    assert np.array_equal(result["fun"], result.residual)
    assert (result["nfev"], result["njev"], result["nit"]) == (
        result.stats.nfev,
        result.stats.njev,
        result.stats.nit,
    )
    assert dict(result)["message"] == result.message
    assert "x" in result
    assert "jac" not in result
    assert result.get("jac", 3) == 3
    assert result.get("success") is True
    with pytest.raises(KeyError, match="a result has no 'jac'; it has x, success"):
        result["jac"]


def test_blocks_are_items_too():
    problem = Problem(lambda x: x**2 - 4.0, blocks={"u": (2, 1), "v": (1,)})
    result = problem.solve(np.full(3, 3.0))
    assert list(result)[-2:] == ["u", "v"]
    assert "u" in result
    assert result.get("v") == pytest.approx(2.0)
    assert dict(result.items())["u"].shape == (2, 1)
    with pytest.raises(KeyError, match=r"no 'w'; it has x, .*, nit, u, v"):
        result["w"]
