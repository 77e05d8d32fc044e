"""A branch is a table whose rows stay what they are, also where few states are kept."""

import sys

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


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    branch = Problem(lambda x, a: x - a).sweep([0.0], "a", [1.0, 2.0])
    with pytest.raises(InputError, match="no column 'b'; the columns are a, nit"):
        branch["b"]


def test_special_points_of_a_branch_with_one_row_have_no_place_in_a_diagram():
    plt = pytest.importorskip("matplotlib.pyplot")
    branch = Problem(lambda x, p: p + x - x**3 / 3, params={"p": -1.0}).continuation(
        [-2.0], "p", (-1.0, 1.0), keep_states="none"
    )
    assert len(branch.folds) == 2
    axes = branch.plot()  # one state is kept: its norm is the only point
    assert len(axes.lines[0].get_xdata()) == 1
    plt.close("all")


def test_a_long_branch_is_printed_by_its_ends():
    branch = Problem(lambda x, a: x - a).sweep([0.0], "a", np.arange(40.0))
    lines = str(branch).splitlines()
    assert lines[0].startswith("CONVERGED: all 40 values of 'a' solved")
    assert len(lines) == 3 + 15 + 1 + 15
    assert lines[18].strip() == "... 10 more ..."
    assert branch.to_dict()["a"].tolist() == np.arange(40.0).tolist()
    assert branch.field("x").shape == (40, 1)
    with pytest.raises(InputError, match="there is no point 40; the branch has 40"):
        branch.at(40)


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # makes its import fail
    result = Problem(lambda x: x**2 - 4.0).solve([1.0])
    with pytest.raises(InputError, match=r"pip install 'sgsolve\[plot\]'"):
        result.plot()
