"""Loops written in Python give the same numbers in machine code, bit for bit."""

from __future__ import annotations

import math
import types

import numpy as np
import pytest

from sgsolve.ad.kernels import machine
from sgsolve.ad.kernels.loops.compiled_loops import CompiledLoops
from sgsolve.ad.kernels.loops.scalar_loops import (
    Doubles,
    Indices,
    LoopStruct,
    Number,
    ScalarLoopPrinter,
    sqrt,
)
from sgsolve.errors import KernelWarning
from tests.ad.kernels.compiled_help import needs_llvmlite

LIMIT, FACTOR = 3, 0.1


class Data(LoopStruct):
    starts: Indices
    columns: Indices
    last: Number
    a: Doubles
    x: Doubles
    y: Doubles
    n: int
    calls: Number
    scale: float
    out: Doubles


def total(x: Doubles, n: int) -> float:
    s = 0.0
    for i in range(n):
        s += x[i] * FACTOR
    return s


def sparse(it: Data) -> int:
    count = 0
    for i in range(it.n):
        s, largest = 0.0, -math_infinity
        for k in range(it.starts[i], it.starts[i + 1]):
            s += it.a[k] * it.x[it.columns[k]]
            largest = max(largest, abs(it.a[k]))
            count += 1
        it.y[i] = s if largest > 0.5 else -s / largest
        it.last = s
    return count


math_infinity = math.inf


def decisions(it: Data) -> int:
    x, out, n = it.x, it.out, it.n
    found, s = -1, total(x, n)
    for i in range(n):
        size = sqrt(abs(x[i])) / it.scale
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


def counted(it: Data) -> int:
    it.calls += 1.0
    return 1


def no_further_than_needed(it: Data) -> int:
    x, found = it.x, 0
    for i in range(it.n):
        if (i > 0 and x[i - 1] > 0.0 and counted(it) == 1) or counted(it) == 2:
            found += 1
        if i == 0 or x[i - 1] > x[i] or counted(it) != 1:
            found += 10
        if not (x[i] > 0.0 and (x[i] < 1.0 or counted(it) == 1)) and it.n > 0:
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
    compiled, interpreted = Data(values), Data(copies)
    for run, function in zip(loops.bound(compiled), FUNCTIONS, strict=True):
        with np.errstate(all="ignore"):
            expected = function(interpreted)
        assert run() == expected
    for name in ("y", "out", "x"):
        np.testing.assert_array_equal(values[name], copies[name])
    np.testing.assert_array_equal(compiled.numbers, interpreted.numbers)
    assert compiled.calls >= n


def test_a_sum_keeps_its_order():
    """No fast arithmetic: the sum of numbers that cancel is that of Python."""
    text = CompiledLoops(sparse, decisions).text()
    assert "fast" not in text
    assert text.count("define double @total") == 1  # once, though two functions could call it


@needs_llvmlite
def test_arrays_of_another_type_are_refused():
    values = arguments(4) | {"x": np.zeros(4, dtype=np.float32)}
    with pytest.raises(TypeError, match="contiguous array of float64"):
        Data(values)


def while_loop(n: int) -> int:
    while n > 3:
        n -= 1
    return n


def counting(it: Data) -> float:
    it.y[0] += 1.0
    return it.y[0]


def counted_if(it: Data, n: int) -> float:
    return counting(it) if n > 3 else max(0.0, it.scale)


def counted_else(it: Data, n: int) -> float:
    return it.scale if n > 3 else 1.0 + counting(it)


def test_what_is_not_written_in_the_subset_is_named():
    with pytest.raises(NotImplementedError, match="while n > 3"):
        ScalarLoopPrinter(while_loop).text()


@pytest.mark.parametrize("function", [counted_if, counted_else])
def test_no_function_is_called_for_a_value_that_is_not_taken(function):
    """Both values are computed; what a function writes would be written whatever holds."""
    with pytest.raises(NotImplementedError, match="write an if statement"):
        ScalarLoopPrinter(function).text()


MODULE = """
from __future__ import annotations
from sgsolve.ad.kernels.loops.scalar_loops import Doubles, LoopStruct

WEIGHT = 3.0

class Row(LoopStruct):
    x: Doubles
    n: int

def doubled(it: Row) -> int:
    for i in range(it.n):
        it.x[i] *= WEIGHT
    return 1
"""


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Return a function that imports a text as a module of its own."""
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", str(tmp_path / "cache"))

    def imported(text, name="loops"):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        module = types.ModuleType(name)
        exec(compile(text, path, "exec"), vars(module))
        return module, path

    return imported


CHANGES = {
    "another line": lambda t: t.replace("def doubled", "\ndef doubled"),
    "another loop": lambda t: t.replace("range(it.n)", "range(1, it.n)"),
    "no function": lambda t: t[: t.index("def doubled")],
    "no Python": lambda t: t + "def",
}


@needs_llvmlite
@pytest.mark.parametrize("change", CHANGES)
def test_loops_whose_source_changed_are_not_compiled_and_say_so(imported, change):
    module, path = imported(MODULE)
    path.write_text(CHANGES[change](MODULE))
    loops = CompiledLoops(module.doubled)
    with pytest.warns(
        KernelWarning, match=r"loops\.py is not what was imported: doubled .* process"
    ):
        assert not loops.are_made()
    assert not loops.are_made()  # no second warning
    assert not loops.pays(0, 0)


@needs_llvmlite
def test_machine_code_on_disk_takes_no_source(imported):
    module, path = imported(MODULE)
    assert CompiledLoops(module.doubled).are_made()
    machine.clear()
    path.unlink()
    values = {"x": np.ones(2), "n": 2}
    [run] = CompiledLoops(module.doubled).bound(module.Row(values))
    run()
    assert values["x"].tolist() == [3.0, 3.0]


OTHERS = {
    "a number": ("WEIGHT = 3.0", "WEIGHT = 4.0"),
    "a statement": ("*= WEIGHT", "+= WEIGHT"),
    "a constant": ("return 1", "return 2"),
    "the memory": ("    x: Doubles\n    n: int", "    n: int\n    x: Doubles"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_the_mark_tells_other_loops(imported, other):
    first = CompiledLoops(imported(MODULE, "a")[0].doubled)
    same = CompiledLoops(imported(MODULE, "b")[0].doubled)
    changed = CompiledLoops(imported(MODULE.replace(*OTHERS[other]), "c")[0].doubled)
    assert first.mark() == same.mark() != changed.mark()
    assert first.text() == same.text() != changed.text()
