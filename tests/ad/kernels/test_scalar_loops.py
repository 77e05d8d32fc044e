"""Loops written in Python give the same numbers in machine code, bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sgsolve.ad.kernels.compiled_loops import CompiledLoops
from sgsolve.ad.kernels.scalar_loops import Doubles, Indices, ScalarLoopPrinter, sqrt
from tests.ad.kernels.compiled_help import needs_llvmlite

LIMIT, FACTOR = 3, 0.1


def total(x: Doubles, n: int) -> float:
    s = 0.0
    for i in range(n):
        s += x[i] * FACTOR
    return s


def sparse(starts: Indices, columns: Indices, a: Doubles, x: Doubles, y: Doubles,
           n: int) -> int:  # fmt: skip
    count = 0
    for i in range(n):
        s, largest = 0.0, -math_infinity
        for k in range(starts[i], starts[i + 1]):
            s += a[k] * x[columns[k]]
            largest = max(largest, abs(a[k]))
            count += 1
        y[i] = s if largest > 0.5 else -s / largest
    return count


math_infinity = math.inf


def decisions(x: Doubles, out: Doubles, n: int, scale: float) -> int:
    found, s = -1, total(x, n)
    for i in range(n):
        size = sqrt(abs(x[i])) / scale
        if size > 1.0 and not (x[i] < 0.0 or i == LIMIT):
            found = i
            out[i] = size
        elif x[i] != x[i]:
            out[i] = min(x[i], 1.0)
        else:
            out[i] = max(1.0, x[i]) - s
    if found < 0:
        return n * 2 - 1
    s *= 2.0
    out[0] = s
    return found


def counted(out: Doubles, n: int) -> int:
    out[n - 1] += 1.0
    return 1


def no_further_than_needed(x: Doubles, out: Doubles, n: int) -> int:
    found = 0
    for i in range(n):
        if (i > 0 and x[i - 1] > 0.0 and counted(out, n) == 1) or counted(out, n) == 2:
            found += 1
        if i == 0 or x[i - 1] > x[i] or counted(out, n) != 1:
            found += 10
        if not (x[i] > 0.0 and (x[i] < 1.0 or counted(out, n) == 1)) and n > 0:
            found += 100
    return found


FUNCTIONS = (sparse, decisions, no_further_than_needed)
RANDOM = np.random.default_rng(0)


def arguments(n):
    counts = RANDOM.integers(1, 5, n)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    x = RANDOM.standard_normal(n) * RANDOM.choice([1.0, 1e-8, 1e8], n)
    return {
        "starts": starts,
        "columns": RANDOM.integers(0, n, starts[-1]).astype(np.int32),
        "a": RANDOM.standard_normal(starts[-1]),
        "x": x,
        "y": np.zeros(n),
        "out": np.zeros(n),
        "n": n,
        "scale": 1.5,
    }


@needs_llvmlite
@pytest.mark.parametrize("n", [1, 5, 64])
@pytest.mark.parametrize("changed", [None, math.nan, math.inf])
def test_bits_and_results(n, changed):
    loops = CompiledLoops(*FUNCTIONS)
    values = arguments(n)
    if changed is not None:
        values["x"][n // 2] = changed
    copies = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in values.items()}
    for run, function in zip(loops.bound(values), FUNCTIONS, strict=True):
        with np.errstate(all="ignore"):
            expected = function(**{name: copies[name] for name in function.__annotations__
                                   if name != "return"})  # fmt: skip
        assert run() == expected
    for name in ("y", "out", "x"):
        np.testing.assert_array_equal(values[name], copies[name])


def test_a_sum_keeps_its_order():
    """No fast arithmetic: the sum of numbers that cancel is that of Python."""
    text = CompiledLoops(sparse, decisions).text()
    assert "fast" not in text
    assert text.count("define double @total") == 1  # once, though two functions could call it


@needs_llvmlite
def test_arrays_of_another_type_are_refused():
    values = arguments(4) | {"x": np.zeros(4, dtype=np.float32)}
    with pytest.raises(TypeError, match="contiguous array of float64"):
        CompiledLoops(sparse).bound(values)


def while_loop(n: int) -> int:
    while n > 3:
        n -= 1
    return n


def test_what_is_not_written_in_the_subset_is_named():
    with pytest.raises(NotImplementedError, match="while n > 3"):
        ScalarLoopPrinter(while_loop).text()
