"""Instructions of LLVM for one element: arithmetic, reading, storing, and sums over rows."""

from __future__ import annotations

from typing import NamedTuple

from ..lowering.ufunc_loops import UfuncLoop
from ..lowering.values import Elementwise, Value
from .llvm_function import FunctionPrinter

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


def kind_of(dtype: str, lanes: int = 1) -> str:
    """Return LLVM's type of a value, or of a vector of several."""
    kind = {"d": "double", "b": "i1", "byte": "i8"}[dtype]
    return kind if lanes == 1 else f"<{lanes} x {kind}>"


def element_operation(
    f: FunctionPrinter, value: Elementwise, args: list[str], lines: list[str], lanes: int = 1
) -> str:
    """Print an operation on one element, or on a vector of several; return the result's name."""
    op, name = value.op, f.new()
    kind, truth = kind_of("d", lanes), kind_of("b", lanes)
    if op in INSTRUCTIONS:
        lines.append(f"{name} = {INSTRUCTIONS[op]} {kind} {args[0]}, {args[1]}")
    elif op in PREDICATES:
        lines.append(f"{name} = fcmp {PREDICATES[op]} {kind} {args[0]}, {args[1]}")
    elif op in LOGIC:
        lines.append(f"{name} = {LOGIC[op]} {truth} {args[0]}, {args[1]}")
    elif op == "not":
        lines.append(f"{name} = xor {truth} {args[0]}, {same_in_lanes('i1', 'true', lanes)}")
    elif op == "neg":
        lines.append(f"{name} = fneg {kind} {args[0]}")
    elif op in ("abs", "sqrt"):
        function = "llvm.fabs" if op == "abs" else "llvm.sqrt"
        suffix = "f64" if lanes == 1 else f"v{lanes}f64"
        lines.append(f"{name} = call {kind} @{function}.{suffix}({kind} {args[0]})")
    elif op == "double":
        lines.append(f"{name} = uitofp {truth} {args[0]} to {kind}")
    elif op == "select":
        chosen = kind_of(value.dtype, lanes)
        lines.append(f"{name} = select {truth} {args[0]}, {chosen} {args[1]}, {chosen} {args[2]}")
    elif op == "copy":
        return args[0]
    else:
        assert str(op).startswith("of branch"), op
        return args[1]
    return name


def same_in_lanes(kind: str, constant: str, lanes: int) -> str:
    """Return a constant as an operand; of vectors, in every lane."""
    return constant if lanes == 1 else f"<{', '.join([f'{kind} {constant}'] * lanes)}>"


def load_element(
    f: FunctionPrinter, dtype: str, base: str, at: str, lines: list[str], lanes: int = 1
) -> str:
    """Read an element of a memory, or several from there on; return the name."""
    place, name = f.new(), f.new()
    if dtype == "d":
        lines.append(f"{place} = getelementptr double, ptr {base}, i64 {at}")
        lines.append(f"{name} = load {kind_of('d', lanes)}, ptr {place}, align 8")
        return name
    truth, kind = f.new(), kind_of("byte", lanes)
    lines.append(f"{place} = getelementptr i8, ptr {base}, i64 {at}")
    lines.append(f"{name} = load {kind}, ptr {place}, align 1")
    lines.append(f"{truth} = icmp ne {kind} {name}, {same_in_lanes('i8', '0', lanes)}")
    return truth


def store_element(
    f: FunctionPrinter, name: str, dtype: str, base: str, at: str, lines: list[str], lanes: int = 1
) -> None:
    """Store a value as an element of a memory, or several from there on."""
    place = f.new()
    if dtype == "d":
        lines.append(f"{place} = getelementptr double, ptr {base}, i64 {at}")
        lines.append(f"store {kind_of('d', lanes)} {name}, ptr {place}, align 8")
        return
    byte, kind = f.new(), kind_of("byte", lanes)
    lines.append(f"{place} = getelementptr i8, ptr {base}, i64 {at}")
    lines.append(f"{byte} = zext {kind_of('b', lanes)} {name} to {kind}")
    lines.append(f"store {kind} {byte}, ptr {place}, align 1")


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
