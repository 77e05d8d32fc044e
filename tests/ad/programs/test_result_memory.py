"""Memory for results: used again when nobody holds a result, and never before."""

from collections import deque

import pytest

from sgsolve.ad.programs.result_memory import LARGE, ResultMemory


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, 3 * LARGE])
def test_addresses_are_those_of_the_arrays(size):
    memory, held = ResultMemory(size), []
    for k in range(20):
        array, at = memory.array_and_address()
        assert at == address(array)
        assert array.shape == (size,)
        assert at not in map(address, held)
        held = [*held, array][-(k % 4) :] if k % 4 else []
        other = memory.array()
        assert other is not array
        assert address(other) not in map(address, held)


def test_a_result_that_nobody_holds_is_used_again():
    memory = ResultMemory(LARGE)
    first, at = memory.array_and_address()
    second, _ = memory.array_and_address()
    assert second is not first
    del first
    third, again = memory.array_and_address()
    assert again == at == address(third)


def test_another_thread_never_gets_the_same_array():
    """It asks just when the array has been put where it is found."""
    memory, others = ResultMemory(LARGE), []

    class Results(deque):
        def append(self, item):
            super().append(item)
            if len(others) % 2 == 0:
                others.append(None)  # the other thread is not interrupted
                others.append(memory.array())

    memory._results = Results()
    for _ in range(6):
        array, at = memory.array_and_address()
        assert all(array is not other for other in others)
        assert at == address(array)
        del array, others[:]
