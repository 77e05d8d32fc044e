"""Why a function is not compiled: what it does, and where; errors of its own say so too."""

import numpy as np
import pytest

from sgsolve.ad.kernels.trace_attempts import NotCompiledError, traced
from sgsolve.pattern import Pattern

X = np.array([0.5, 2.0, 3.0])


def test_the_place_in_the_code_of_the_user_is_named():
    def by_numbers(x):
        return x * float(x[0])

    with pytest.raises(
        NotCompiledError, match=r"in by_numbers, test_trace_attempts.py:\d+"
    ) as caught:
        traced(by_numbers, X, {}, {}, None)
    assert caught.value.final


def test_a_function_that_fails_at_x_may_be_compiled_elsewhere():
    def outside(x, n):
        if n > 1:
            raise ValueError("outside of the model")
        return x

    with pytest.raises(NotCompiledError, match="the function raised an error") as caught:
        traced(outside, X, {"n": 2}, {}, None)
    assert not caught.value.final
    assert traced(outside, X, {"n": 1}, {}, None).graph.results[0].shape == (3,)


def test_a_jacobian_that_leaves_its_pattern_may_be_compiled_with_another():
    diagonal = Pattern.of(np.eye(3))
    with pytest.raises(NotCompiledError, match="a larger pattern") as caught:
        traced(lambda x: x * x[::-1], X, {}, {}, diagonal)
    assert not caught.value.final
    assert traced(lambda x: x * x, X, {}, {}, diagonal).plan.layout.pattern.nnz == 3
