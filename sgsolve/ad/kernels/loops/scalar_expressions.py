"""Expressions of Python, with numbers and elements of arrays, as LLVM IR."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .lane_kinds import LANES, in_lanes, like, of_lane
from .loop_struct import KINDS, LoopStruct

ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("olt", "slt"),
    ast.LtE: ("ole", "sle"),
    ast.Gt: ("ogt", "sgt"),
    ast.GtE: ("oge", "sge"),
    ast.Eq: ("oeq", "eq"),
    ast.NotEq: ("une", "ne"),
}

Typed = tuple[str, str]  # the name of a value, and its type
TRUE, ZERO = ("true", "i1"), ("0", "i64")
CONVERSIONS = {("i64", "i32"): "trunc", ("i64", "double"): "sitofp"}
WITHOUT_EFFECT = ("abs", "sqrt", "min", "max")
SUFFIXES = {"double": "f64", in_lanes("double"): f"v{LANES}f64"}  # of functions of LLVM


class FunctionLines:
    """The lines of a function, with names for values and labels.

    Attributes
    ----------
    first : list of str
        What is done before all else.
    lines : list of str
    label : str
        Of the present block.
    is_open : bool
        Whether the present block continues.
    """

    def __init__(self) -> None:
        self.first: list[str] = []
        self.lines: list[str] = []
        self.label, self.is_open = "entry", True
        self._count = 0

    def emit(self, text: str) -> str:
        """Add an instruction, and return the name of its result."""
        name = self.new()
        self.lines.append(f"{name} = {text}")
        return name

    def begin(self, label: str) -> None:
        """Begin a block."""
        self.label, self.is_open = label, True
        self.lines.append(f"\n{label}:")

    def new(self) -> str:
        """Return a new name of a value."""
        self._count += 1
        return f"%v{self._count}"

    def new_label(self, what: str) -> str:
        """Return a new label."""
        self._count += 1
        return f"{what}{self._count}"


class ExpressionPrinter:
    """Writes expressions.

    Parameters
    ----------
    function : callable
        Its module knows the names that are not local.

    Attributes
    ----------
    parameters : dict of str to str
        Names and types; a `LoopStruct` is a ``ptr``.
    values : dict of str to Typed
        The local names.
    called : list of callable
        Functions that are called.
    """

    def __init__(self, lines: FunctionLines, function: Callable[..., Any]) -> None:
        self._lines, self._globals = lines, function.__globals__
        given = annotations_of(function)
        self.parameters = {name: KINDS.get(a, "ptr") for name, a in given.items()}
        self._structs = {
            name: struct_of(function, name) for name, a in given.items() if a not in KINDS
        }
        self._addresses: set[str] = set()  # of fields, by the names that they have
        self.values: dict[str, Typed] = {}
        self.called: list[Callable[..., Any]] = []

    def value(self, node: ast.expr) -> Typed:
        """Return the name and the type of the value of an expression."""
        if isinstance(node, ast.Constant):
            return _literal(node.value)
        if isinstance(node, ast.Name):
            known = self.values.get(node.id)
            return known if known is not None else _literal(self._globals[node.id])
        if isinstance(node, ast.Attribute):
            return self._field(node)
        if isinstance(node, ast.Subscript):
            return self.load(node)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BinOp):
            return self._arithmetic(type(node.op), self.value(node.left), self.value(node.right))
        if isinstance(node, ast.BoolOp):
            return self._as_far_as_needed(node.values, isinstance(node.op, ast.And))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compare(
                type(node.ops[0]), self.value(node.left), self.value(node.comparators[0])
            )
        if isinstance(node, ast.IfExp):
            if any(_calls_another(branch) for branch in (node.body, node.orelse)):
                raise NotImplementedError(
                    f"{ast.unparse(node)}: both values are computed, so that functions would be "
                    "called whatever holds; write an if statement"
                )
            return self.select(*(self.value(v) for v in (node.test, node.body, node.orelse)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id, [self.value(a) for a in node.args])
        raise NotImplementedError(ast.unparse(node))

    def _as_far_as_needed(self, operands: list[ast.expr], every: bool) -> Typed:
        """Return whether every operand holds, or some one; none is evaluated after the decision."""
        lines, after = self._lines, self._lines.new_label("decided")
        ends = []
        for operand in operands[:-1]:
            holds = self.as_kind(self.value(operand), "i1")
            ends.append(f"[{'false' if every else 'true'}, %{lines.label}]")
            following = lines.new_label("next")
            yes, no = (following, after) if every else (after, following)
            lines.lines.append(f"br i1 {holds}, label %{yes}, label %{no}")
            lines.begin(following)
        last = self.as_kind(self.value(operands[-1]), "i1")
        ends.append(f"[{last}, %{lines.label}]")
        lines.lines.append(f"br label %{after}")
        lines.begin(after)
        return lines.emit(f"phi i1 {', '.join(ends)}"), "i1"

    def _unary(self, node: ast.UnaryOp) -> Typed:
        value, kind = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return self._lines.emit(f"xor {kind} {value}, {self.as_kind(TRUE, kind)}"), kind
        assert isinstance(node.op, ast.USub)
        if "double" in kind:
            return self._lines.emit(f"fneg {kind} {value}"), kind
        return self._lines.emit(f"sub {kind} {self.as_kind(ZERO, kind)}, {value}"), kind

    def _arithmetic(self, operation: type[ast.operator], a: Typed, b: Typed) -> Typed:
        (x, kind), (y, _) = self._same_kind(a, b)
        word = ARITHMETIC[operation]
        of_doubles = "double" in kind
        assert of_doubles or word != "div", "integers are not divided"
        return self._lines.emit(f"{'f' if of_doubles else ''}{word} {kind} {x}, {y}"), kind

    def _compare(self, operation: type[ast.cmpop], a: Typed, b: Typed) -> Typed:
        (x, kind), (y, _) = self._same_kind(a, b)
        of_doubles, of_integers = COMPARISONS[operation]
        text = f"fcmp {of_doubles}" if "double" in kind else f"icmp {of_integers}"
        return self._lines.emit(f"{text} {kind} {x}, {y}"), like(kind, "i1")

    def _call(self, name: str, arguments: list[Typed]) -> Typed:
        if name in ("abs", "sqrt"):
            word = "fabs" if name == "abs" else "sqrt"
            kind = like(arguments[0][1], "double")
            value, suffix = self.as_kind(arguments[0], kind), SUFFIXES[kind]
            return self._lines.emit(f"call {kind} @llvm.{word}.{suffix}({kind} {value})"), kind
        if name in ("min", "max"):
            # as Python does it: the first, unless the second is beyond it
            a, b = arguments
            return self.select(self._compare(ast.Lt if name == "min" else ast.Gt, b, a), b, a)
        return self._call_of(self._globals[name], arguments)

    def _call_of(self, function: Callable[..., Any], arguments: list[Typed]) -> Typed:
        """Call another function of this kind."""
        self.called.append(function)
        kinds = [KINDS.get(a, "ptr") for a in annotations_of(function).values()]
        given = [
            f"{in_llvm(kind)} {self.as_kind(argument, kind)}"
            for kind, argument in zip(kinds, arguments, strict=True)
        ]
        kind = kind_returned(function)
        return self._lines.emit(f"call {kind} @{function.__name__}({', '.join(given)})"), kind

    def select(self, condition: Typed, a: Typed, b: Typed) -> Typed:
        """Return a where a condition holds, otherwise b."""
        (x, kind), (y, _) = self._same_kind(a, b)
        which = f"i1 {self.as_kind(condition, 'i1')}"
        return self._lines.emit(f"select {which}, {kind} {x}, {kind} {y}"), kind

    def load(self, node: ast.Subscript) -> Typed:
        """Return an element of an array."""
        return self._loaded(*self.place(node))

    def _loaded(self, at: str, kind: str) -> Typed:
        return self._extended(self._lines.emit(f"load {kind}, ptr {at}"), kind)

    def _extended(self, loaded: str, kind: str) -> Typed:
        if "i32" not in kind:
            return loaded, kind
        wide = like(kind, "i64")
        return self._lines.emit(f"sext {kind} {loaded} to {wide}"), wide

    def store(self, target: ast.expr, value: Typed) -> None:
        """Write an element of an array, or a field."""
        at, kind = self.place(target)
        self._lines.lines.append(f"store {kind} {self.as_kind(value, kind)}, ptr {at}")

    def _field(self, node: ast.Attribute) -> Typed:
        """Return a field of a struct; what does not change is read once, before all else."""
        at, kind = self.place(node)
        value = at.removesuffix(".at")
        assert isinstance(node.value, ast.Name)
        if node.attr in self._structs[node.value.id].changing:
            return self._lines.emit(f"load {kind}, ptr {at}"), kind
        if value not in self._addresses:
            self._addresses.add(value)
            self._lines.first.append(f"{value} = load {in_llvm(kind)}, ptr {at}")
        return value, kind

    def _place_of_field(self, node: ast.Attribute) -> Typed:
        assert isinstance(node.value, ast.Name)
        fields = self._structs[node.value.id].fields
        at = f"%{node.value.id}.{node.attr}.at"
        if at not in self._addresses:
            self._addresses.add(at)
            pointer, place = self.values[node.value.id][0], self.word(node.value.id, node.attr)
            self._lines.first.append(f"{at} = getelementptr i64, ptr {pointer}, i64 {place}")
        return at, KINDS[fields[node.attr]]

    def word(self, struct: str, field: str) -> int:
        """Return the place of a field in a struct."""
        return list(self._structs[struct].fields).index(field)

    def place(self, node: ast.expr) -> Typed:
        """Return the address of an element or of a field, and its type."""
        if isinstance(node, ast.Attribute):
            return self._place_of_field(node)
        assert isinstance(node, ast.Subscript)
        pointer, kind = self.value(node.value)
        return self.element(pointer, kind, self.value(node.slice))

    def element(self, pointer: str, kind: str, index: Typed) -> Typed:
        """Return the address of an element, and its type."""
        at = f"getelementptr {kind[:-1]}, ptr {pointer}, i64 {self.as_kind(index, 'i64')}"
        return self._lines.emit(at), kind[:-1]

    def _same_kind(self, a: Typed, b: Typed) -> tuple[Typed, Typed]:
        if a[1] == b[1]:
            return a, b
        return (self.as_kind(a, "double"), "double"), (self.as_kind(b, "double"), "double")

    def as_kind(self, value: Typed, kind: str) -> str:
        """Return the name of a value as one of this type."""
        name, own = value
        if own == kind:
            return name
        change = of_lane(own), of_lane(kind)
        assert change in CONVERSIONS, f"{own} is no {kind}"
        return self._lines.emit(f"{CONVERSIONS[change]} {own} {name} to {kind}")


def annotations_of(function: Callable[..., Any]) -> dict[str, str]:
    """Return the names of parameters, and their annotations."""
    return {k: str(p.annotation) for k, p in inspect.signature(function).parameters.items()}


def struct_of(function: Callable[..., Any], name: str) -> type[LoopStruct]:
    """Return the class of a parameter that is a struct."""
    found: type[LoopStruct] = function.__globals__[annotations_of(function)[name]]
    return found


def kind_returned(function: Callable[..., Any]) -> str:
    """Return the type of what a function returns."""
    return KINDS[str(inspect.signature(function).return_annotation)]


def in_llvm(kind: str) -> str:
    """Return a type as LLVM writes it."""
    return "ptr" if kind.endswith("*") else kind


def _literal(value: Any) -> Typed:
    """Return a number as LLVM writes it: a double by its bits."""
    if isinstance(value, bool):
        return ("true" if value else "false"), "i1"
    if isinstance(value, int):
        return str(value), "i64"
    bits = int(np.float64(value).view(np.uint64))
    return f"0x{bits:016X}", "double"


def _calls_another(expression: ast.expr) -> bool:
    """Whether an expression calls a function that may write to memory."""
    calls = (node for node in ast.walk(expression) if isinstance(node, ast.Call))
    return any(not (isinstance(c.func, ast.Name) and c.func.id in WITHOUT_EFFECT) for c in calls)
