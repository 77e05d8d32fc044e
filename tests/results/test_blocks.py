"""Names of unknowns: every one has one, and it is the right one."""

import numpy as np
import pytest

from sgsolve import DataTypeError, InputError, ShapeError
from sgsolve.results.blocks import Blocks


def test_labels_follow_the_order_that_was_given():
    blocks = Blocks(6, {"a": [2, 1, 0], "b": [3, 5]})
    assert [blocks.label(i) for i in range(6)] == ["a[2]", "a[1]", "a[0]", "b[0]", "x[0]", "b[1]"]


def test_values_for_a_block_arrive_in_its_order():
    blocks = Blocks(4, {"a": [2, 0, 1]})
    assert blocks.spread({"a": [10.0, 20.0, 30.0]}, 0.0).tolist() == [20.0, 30.0, 10.0, 0.0]


def test_neighbors_in_another_order_are_no_slice():
    blocks = Blocks(4, {"a": [0, 2, 1, 3]})
    assert [blocks.label(i) for i in range(4)] == ["a[0]", "a[2]", "a[1]", "a[3]"]


def test_an_unknown_named_twice_is_refused():
    for parts in ({"a": [1, 1]}, {"a": [0, 1], "b": [1]}, {"a": [True, True], "b": slice(0, 1)}):
        with pytest.raises(InputError, match=r"overlaps (block|itself)"):
            Blocks(2, parts)


def test_rest_is_named_x_unless_that_is_taken():
    assert repr(Blocks(3, {"u": [1]})) == "Blocks(u: 1, x: 2)"
    with pytest.raises(InputError, match=r"leave 2 unknowns without a name.* 'x'"):
        Blocks(3, {"x": [1]})


def test_norms_are_those_of_each_block():
    norms = Blocks(4, {"u": [0, 3], "v": slice(1, 3)}).norms(np.array([1.0, -5.0, 2.0, -3.0]))
    assert norms == {"u": 3.0, "v": 5.0}


def test_what_is_no_blocks_or_no_vector_of_them_is_refused():
    for parts in ([slice(0, 1)], "u", {1: slice(0, 1)}):
        with pytest.raises(DataTypeError, match="blocks must map names to slices or integers"):
            Blocks(2, parts)
    for x in (np.zeros(3), np.float64(1.0)):
        with pytest.raises(ShapeError, match="the blocks have 2 unknowns"):
            Blocks(2, {"u": (2,)}).unpack(x)
