"""Instructions of LLVM for one element: arithmetic, reading, storing, and sums over rows."""

from __future__ import annotations

from typing import NamedTuple

from .llvm_function import FunctionPrinter
from .ufunc_loops import UfuncLoop
from .values import Elementwise, Value

INSTRUCTIONS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
PREDICATES = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
LOGIC = {"and": "and", "or": "or", "xor": "xor"}


class RowPointers(NamedTuple):
    """The names of the arrays of a matrix in CSR form, and of the vector that it multiplies."""

    indptr: str
    indices: str
    data: str
    source: str


class RepeatedTerms(NamedTuple):
    """The names of what a row that most rows repeat consists of, and of the array that says which.

    See `RepeatedRow`.
    """

    rows: str
    offsets: list[str]
    weights: list[str]


def element_operation(
    f: FunctionPrinter, value: Elementwise, args: list[str], lines: list[str]
) -> str:
    """Print an operation on one element, and return the name of its result."""
    op, name = value.op, f.new()
    double = value.args[0].dtype == "d"
    if op in INSTRUCTIONS:
        lines.append(f"{name} = {INSTRUCTIONS[op]} double {args[0]}, {args[1]}")
    elif op in PREDICATES:
        lines.append(f"{name} = fcmp {PREDICATES[op]} double {args[0]}, {args[1]}")
    elif op in LOGIC:
        lines.append(f"{name} = {LOGIC[op]} i1 {args[0]}, {args[1]}")
    elif op == "not":
        lines.append(f"{name} = xor i1 {args[0]}, true")
    elif op == "neg":
        lines.append(f"{name} = fneg double {args[0]}")
    elif op in ("abs", "sqrt"):
        function = "llvm.fabs.f64" if op == "abs" else "llvm.sqrt.f64"
        lines.append(f"{name} = call double @{function}(double {args[0]})")
    elif op == "double":
        lines.append(f"{name} = uitofp i1 {args[0]} to double")
    elif op == "select":
        kind = "double" if value.dtype == "d" else "i1"
        lines.append(f"{name} = select i1 {args[0]}, {kind} {args[1]}, {kind} {args[2]}")
    elif op == "copy":
        return args[0]
    else:
        assert str(op).startswith("of branch"), (op, double)
        return args[1]
    return name


def load_element(f: FunctionPrinter, dtype: str, base: str, at: str, lines: list[str]) -> str:
    """Read an element of a memory, and return its name."""
    place, name = f.new(), f.new()
    if dtype == "d":
        lines.append(f"{place} = getelementptr double, ptr {base}, i64 {at}")
        lines.append(f"{name} = load double, ptr {place}")
        return name
    truth = f.new()
    lines.append(f"{place} = getelementptr i8, ptr {base}, i64 {at}")
    lines.append(f"{name} = load i8, ptr {place}")
    lines.append(f"{truth} = icmp ne i8 {name}, 0")
    return truth


def store_element(
    f: FunctionPrinter, name: str, dtype: str, base: str, at: str, lines: list[str]
) -> None:
    """Store a value as an element of a memory."""
    place = f.new()
    if dtype == "d":
        lines.append(f"{place} = getelementptr double, ptr {base}, i64 {at}")
        lines.append(f"store double {name}, ptr {place}")
        return
    byte = f.new()
    lines.append(f"{place} = getelementptr i8, ptr {base}, i64 {at}")
    lines.append(f"{byte} = zext i1 {name} to i8")
    lines.append(f"store i8 {byte}, ptr {place}")


def sum_of_row(
    f: FunctionPrinter, pointers: RowPointers, i: str, first: str, lines: list[str]
) -> str:
    """Add the products of row i to a first value, in order; return the name of the sum."""
    begin_at, end_at, begin, end = (f.new() for _ in range(4))
    lines += [
        f"{begin_at} = getelementptr i64, ptr {pointers.indptr}, i64 {i}",
        f"{begin} = load i64, ptr {begin_at}",
        f"{end_at} = getelementptr i64, ptr {begin_at}, i64 1",
        f"{end} = load i64, ptr {end_at}",
    ]
    before, head, inside, after = (f.label(x) for x in ("row", "rows", "entry", "sum"))
    k, following, total, partial, more = (f.new() for _ in range(5))
    lines += [f"br label %{before}", f"{before}:", f"br label %{head}", f"{head}:"]
    lines += [
        f"{k} = phi i64 [ {begin}, %{before} ], [ {following}, %{inside} ]",
        f"{total} = phi double [ {first}, %{before} ], [ {partial}, %{inside} ]",
        f"{more} = icmp slt i64 {k}, {end}",
        f"br i1 {more}, label %{inside}, label %{after}",
        f"{inside}:",
    ]
    weight = load_element(f, "d", pointers.data, k, lines)
    place, narrow, wide = f.new(), f.new(), f.new()
    lines += [
        f"{place} = getelementptr i32, ptr {pointers.indices}, i64 {k}",
        f"{narrow} = load i32, ptr {place}",
        f"{wide} = sext i32 {narrow} to i64",
    ]
    element = load_element(f, "d", pointers.source, wide, lines)
    product = f.new()
    lines += [
        f"{product} = fmul double {weight}, {element}",
        f"{partial} = fadd double {total}, {product}",
        f"{following} = add i64 {k}, 1",
        f"br label %{head}",
        f"{after}:",
    ]
    return total


def sum_of_repeated_row(
    f: FunctionPrinter, pointers: RowPointers, row: RepeatedTerms, i: str, first: str,
    lines: list[str],
) -> str:  # fmt: skip
    """Do the same; rows that repeat the row of a stencil take code that reads no matrix."""
    result = f.new()
    short, long, ended, after = (f.label(x) for x in ("stencil", "other", "ended", "joined"))
    repeats = load_element(f, "b", row.rows, i, lines)
    lines += [f"br i1 {repeats}, label %{short}, label %{long}", f"{short}:"]
    total = first
    for offset, weight in zip(row.offsets, row.weights, strict=True):
        at, product, partial = f.new(), f.new(), f.new()
        lines.append(f"{at} = add i64 {i}, {offset}")
        element = load_element(f, "d", pointers.source, at, lines)
        lines += [
            f"{product} = fmul double {weight}, {element}",
            f"{partial} = fadd double {total}, {product}",
        ]
        total = partial
    lines += [f"br label %{after}", f"{long}:"]
    other = sum_of_row(f, pointers, i, first, lines)
    lines += [
        f"br label %{ended}",
        f"{ended}:",
        f"br label %{after}",
        f"{after}:",
        f"{result} = phi double [ {total}, %{short} ], [ {other}, %{ended} ]",
    ]
    return result


def is_copy(value: Value) -> bool:
    """Whether a value repeats a number, which is at hand everywhere."""
    return isinstance(value, Elementwise) and value.op == "copy"


def is_call(value: Value) -> bool:
    """Whether a value is computed by the loop of a ufunc."""
    return isinstance(value, Elementwise) and isinstance(value.op, UfuncLoop)
