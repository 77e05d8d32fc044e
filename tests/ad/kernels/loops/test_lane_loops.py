"""Loops over many structs give each of them the numbers that it has alone, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from sgsolve.ad.kernels.loops.compiled_lanes import CompiledLanes
from sgsolve.ad.kernels.loops.lane_kinds import LANES
from sgsolve.ad.kernels.loops.lane_structs import LaneStructs
from sgsolve.ad.kernels.loops.scalar_loops import Choices, Doubles, LoopStruct, Number
from sgsolve.problem.short_newton.band_loops import BandSystem, factorized_band, solved_band
from tests.ad.kernels.compiled_help import needs_llvmlite
from tests.ad.kernels.loops.test_scalar_loops import FUNCTIONS, Data, arguments

COUNT = 2 * LANES + 3  # the last group has lanes that no struct uses
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, 5e-324)


class Search(LoopStruct):
    n: int
    shared: int
    kept: Number
    calls: Number
    x: Doubles
    y: Doubles
    chosen: Choices


def noted(it: Search, i: int) -> int:
    it.calls = it.calls + 1.0
    return 1 if it.x[i] > 0.0 else 0


def choices(it: Search) -> int:
    """Each struct reads and writes at places of its own, as often as it says itself."""
    for i in range(it.n):
        place, largest = i, it.x[i]
        for k in range(i + 1, it.n):
            if it.x[k] > largest:
                place = k
                largest = it.x[k]
        it.chosen[i] = place
        held = it.x[it.chosen[i]]
        it.x[it.chosen[i]] = it.x[i]
        it.x[i] = held
        for k in range(i, place + 1):
            it.y[k] += held / (1.0 + k)
    return it.chosen[0]


def returns(it: Search) -> int:
    """Structs leave at different places; what follows is not for them."""
    if it.shared > 0 and noted(it, 0) == 1:
        it.kept = 1.0
        if it.x[1] < 0.0 or noted(it, 2) == 1:
            return 1
        it.kept = 2.0
    elif it.x[1] > 0.5:
        for k in range(it.n):
            it.y[k] = -it.x[k]
        return 2
    else:
        it.kept = it.kept - 1.0
    if not (it.x[2] > 0.0 and noted(it, 1) == 1):
        return 3 if it.x[0] < 0.0 else -3
    it.kept = it.kept * 10.0
    if it.shared == 5:
        return 5
    return 4


def structs(kind, of_each):
    """Structs with arrays of their own, and the same in lanes."""
    singles = [kind(of_each(j)) for j in range(COUNT)]
    lanes = LaneStructs(singles[0], COUNT)
    for j, single in enumerate(singles):
        for name in lanes.arrays:
            lanes.put(name, np.array([j]), getattr(single, name))
    return singles, lanes


def assert_as_alone(singles, lanes, functions, random):
    """Compare some calls for some of the structs; the others do not change."""
    over = CompiledLanes(*functions).over(lanes)
    for _ in range(3):
        for run, function in zip(over, functions, strict=True):
            which = np.flatnonzero(random.random(COUNT) < random.choice([0.2, 0.8, 1.0]))
            with np.errstate(all="ignore"):
                expected = [function(singles[j]) for j in which.tolist()]
            assert run(which).tolist() == expected
            for j, single in enumerate(singles):
                for name in lanes.arrays:
                    np.testing.assert_array_equal(lanes.of(name, j), getattr(single, name))
                numbers = lanes.numbers[j // LANES, :, j % LANES]
                np.testing.assert_array_equal(numbers, single.numbers)


@needs_llvmlite
@pytest.mark.parametrize("n", [1, 6])
def test_loops_over_structs(n):
    random = np.random.default_rng(n)
    shared = arguments(n)

    def of_each(j):
        x = random.standard_normal(n)
        if j % 3 == 0:
            x[random.integers(n)] = random.choice(SPECIAL)
        return shared | {"x": x, "y": np.zeros(n), "out": np.zeros(n), "a": shared["a"] * (1.0 + j)}

    assert_as_alone(*structs(Data, of_each), FUNCTIONS, random)


@needs_llvmlite
@pytest.mark.parametrize("shared", [0, 3, 5])
def test_choices_and_returns_of_each_struct(shared):
    random = np.random.default_rng(shared)

    def of_each(j):
        x, chosen = random.standard_normal(7), np.zeros(7, dtype=np.int32)
        return {"n": 7, "shared": shared, "x": x, "y": np.zeros(7), "chosen": chosen}

    assert_as_alone(*structs(Search, of_each), (returns, choices), random)


@needs_llvmlite
def test_what_all_structs_share_is_not_written():
    def written(it: Data) -> int:
        it.starts[0] = 1
        return 1

    with pytest.raises(AssertionError, match="lanes share it"):
        CompiledLanes(written).text()


@needs_llvmlite
def test_bands_whose_rows_each_struct_exchanges_in_its_own_way():
    n, lower, upper = 12, 2, 1
    random = np.random.default_rng(4)
    rows, columns = np.array(
        [(i, j) for i in range(n) for j in range(n) if -upper <= i - j <= lower]
    ).T
    depth = 2 * lower + upper + 1
    order = random.permutation(n).astype(np.int32)
    indices = {"places": columns * depth + lower + upper + rows - columns, "before": order}
    shared = {"n": n, "nnz": len(rows), "lower": lower, "upper": upper, "after": order}
    shared |= {name: values.astype(np.int32) for name, values in indices.items()}

    def of_each(j):
        A = random.standard_normal(len(rows))
        A[rows == columns] += 0.0 if j % 2 else 5.0
        A[random.integers(len(rows))] = random.choice([*SPECIAL, 1.0])
        empty = {name: np.zeros(n) for name in ("y", "work")}
        own = {"A": A, "b": random.standard_normal(n), "exchanges": np.zeros(n, dtype=np.int32)}
        return {**shared, **empty, **own, "band": np.zeros(n * depth)}

    singles, lanes = structs(BandSystem, of_each)
    assert_as_alone(singles, lanes, (factorized_band, solved_band), random)
    exchanged = [tuple(np.flatnonzero(s.exchanges != np.arange(n))) for s in singles]
    assert len(set(exchanged)) > 3
