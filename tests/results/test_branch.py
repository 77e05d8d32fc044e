"""A branch is a table whose rows stay what they are, also where few states are kept."""

import numpy as np
import pytest

from sgsolve import InputError, Problem


def test_a_kept_point_is_that_point():
    values = np.arange(1.0, 8.0)
    branch = Problem(lambda x, a: x - a**2).sweep([0.0], "a", values, keep_states=3)
    for row in (0, 3, 6, -1):
        x, params = branch.at(row)
        assert params == {"a": values[row]}
        assert x[0] == pytest.approx(values[row] ** 2)
    with pytest.raises(InputError, match="point 4 was not kept; the nearest is 3"):
        branch.at(4)


def test_a_state_that_is_handed_out_is_a_copy():
    branch = Problem(lambda x, a: x - a).sweep([0.0], "a", [1.0, 2.0])
    branch.at(0)[0][:] = 99.0
    assert branch.at(0)[0][0] == 1.0
