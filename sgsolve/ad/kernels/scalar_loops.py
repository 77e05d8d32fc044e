"""Loops over the elements of arrays, written in Python and compiled to machine code.

`ScalarLoopPrinter` reads the source of a function and writes it as LLVM IR. The function runs in
Python too, which is what the tests compare with. It may use parameters annotated `Doubles`,
`Indices`, `int` and `float`, local numbers, ``for`` over a range, ``if``, ``return`` of a number,
arithmetic without integer division, comparisons, ``and``, ``or``, ``not``, ``abs``, ``min``,
``max``, ``sqrt``, numbers of its module, and other such functions. Both operands of ``and`` and
``or`` are always evaluated.
"""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import machine

Doubles = NDArray[np.float64]
Indices = NDArray[np.int32]

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

KINDS = {"Doubles": "double*", "Indices": "i32*", "int": "i64", "float": "double"}

Typed = tuple[str, str]  # the name of a value, and its type


class ScalarLoopPrinter:
    """The text of one function.

    Parameters
    ----------
    function : callable
        With an annotation of each parameter and of the result, `int` or `float`.

    Attributes
    ----------
    parameters : dict of str to str
        Names and annotations.
    called : list of callable
        Functions of this kind that it calls.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = function.__name__
        (self._tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        self._globals = function.__globals__
        signature = inspect.signature(function)
        self.parameters = {name: str(p.annotation) for name, p in signature.parameters.items()}
        self._result = KINDS[str(signature.return_annotation)]
        self.called: list[Callable[..., Any]] = []
        self._lines: list[str] = []
        self._count = 0
        self._label = "entry"
        self._open = True  # whether the present block continues
        self._values: dict[str, Typed] = {}

    def text(self) -> str:
        """Return the function as LLVM IR."""
        assert isinstance(self._tree, ast.FunctionDef)
        self._values = {name: (f"%a.{name}", KINDS[a]) for name, a in self.parameters.items()}
        arguments = ", ".join(f"{in_llvm(kind)} {name}" for name, kind in self._values.values())
        self._block(self._tree.body)
        if self._open:
            self._lines.append("unreachable")
        body = "\n  ".join(self._lines)
        return f"define {self._result} @{self.name}({arguments}) {{\nentry:\n  {body}\n}}\n"

    def entry_text(self) -> str:
        """Return a function with the prototype of kernels that calls this one.

        Its arguments come from tables of addresses, integers and numbers.
        """
        lines, arguments, places = [], [], dict.fromkeys("PNS", 0)
        for name, annotation in self.parameters.items():
            kind = in_llvm(KINDS[annotation])
            table = {"ptr": "P", "i64": "N", "double": "S"}[kind]
            lines.append(f"%at.{name} = getelementptr i64, ptr %{table}, i64 {places[table]}")
            lines.append(f"%a.{name} = load {kind}, ptr %at.{name}")
            arguments.append(f"{kind} %a.{name}")
            places[table] += 1
        call = f"%result = call i64 @{self.name}({', '.join(arguments)})"
        body = "\n  ".join([*lines, call, "%short = trunc i64 %result to i32", "ret i32 %short"])
        return f"define i32 @entry_{self.name}(ptr %P, ptr %N, ptr %S) {{\n  {body}\n}}\n"

    # ---- statements ------------------------------------------------------------------------------

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if self._open:
                self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr):
            if not isinstance(node.value, ast.Constant):  # the docstring
                self._value(node.value)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                found = [self._value(v) for v in value.elts]
                for one, v in zip(target.elts, found, strict=True):
                    self._assign(one, v)
            else:
                self._assign(target, self._value(value))
        elif isinstance(node, ast.AugAssign):
            load = ast.parse(ast.unparse(node.target), mode="eval").body
            self._assign(node.target, self._value(ast.BinOp(load, node.op, node.value)))
        elif isinstance(node, ast.Return) and node.value is not None:
            result = self._as(self._value(node.value), self._result)
            self._lines.append(f"ret {self._result} {result}")
            self._open = False
        elif isinstance(node, ast.If):
            self._if(node)
        elif isinstance(node, ast.For):
            self._for(node)
        else:
            raise NotImplementedError(ast.unparse(node))

    def _assign(self, target: ast.expr, value: Typed) -> None:
        if isinstance(target, ast.Name):
            self._values[target.id] = value
            return
        assert isinstance(target, ast.Subscript)
        at, kind = self._place(target)
        self._lines.append(f"store {kind} {self._as(value, kind)}, ptr {at}")

    def _if(self, node: ast.If) -> None:
        condition = self._as(self._value(node.test), "i1")
        then, other, after = (self._new_label(what) for what in ("then", "else", "after"))
        self._lines.append(f"br i1 {condition}, label %{then}, label %{other}")
        before, ends = self._values, []
        for label, statements in ((then, node.body), (other, node.orelse)):
            self._begin(label)
            self._values = dict(before)
            self._block(statements)
            if self._open:
                ends.append((self._label, self._values))
                self._lines.append(f"br label %{after}")
        self._values, self._open = before, bool(ends)
        if ends:
            self._begin(after)
            self._values = self._merged(ends)

    def _merged(self, ends: list[tuple[str, dict[str, Typed]]]) -> dict[str, Typed]:
        """Return the values after a branch, of the names that both sides have."""
        merged = {}
        for name, first in ends[0][1].items():
            found = [(label, values.get(name)) for label, values in ends]
            if any(value is None for _, value in found):
                continue
            if all(value == first for _, value in found):
                merged[name] = first
                continue
            sources = ", ".join(f"[{value[0]}, %{label}]" for label, value in found if value)
            assert all(value and value[1] == first[1] for _, value in found), name
            merged[name] = self._emit(f"phi {first[1]} {sources}"), first[1]
        return merged

    def _for(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        ends = [self._as(self._value(a), "i64") for a in node.iter.args]
        begin, end = ends if len(ends) == 2 else ("0", ends[0])
        changed = sorted(
            name.id
            for child in node.body
            for name in ast.walk(child)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        )
        carried = [name for name in dict.fromkeys(changed) if name in self._values]
        head, body, after = (self._new_label(what) for what in ("head", "body", "after"))
        source, start = self._label, dict(self._values)
        self._lines.append(f"br label %{head}")
        self._begin(head)
        at = len(self._lines)
        counter = self._new()
        names = {name: self._new() for name in carried}
        for name in carried:
            self._values[name] = names[name], start[name][1]
        going = self._emit(f"icmp slt i64 {counter}, {end}")
        self._lines.append(f"br i1 {going}, label %{body}, label %{after}")
        outside = dict(self._values)
        self._begin(body)
        self._values[node.target.id] = counter, "i64"
        self._block(node.body)
        assert self._open, "a loop must not end with a return"
        following = self._emit(f"add i64 {counter}, 1")
        phis = [f"{counter} = phi i64 [{begin}, %{source}], [{following}, %{self._label}]"]
        for name in carried:
            value, kind = self._values[name]
            assert kind == start[name][1], name
            phis.append(
                f"{names[name]} = phi {kind} [{start[name][0]}, %{source}], [{value}, "
                f"%{self._label}]"
            )
        self._lines.append(f"br label %{head}")
        self._lines[at:at] = phis
        self._begin(after)
        self._values = outside

    # ---- expressions -----------------------------------------------------------------------------

    def _value(self, node: ast.expr) -> Typed:
        if isinstance(node, ast.Constant):
            return _literal(node.value)
        if isinstance(node, ast.Name):
            known = self._values.get(node.id)
            return known if known is not None else _literal(self._globals[node.id])
        if isinstance(node, ast.Subscript):
            at, kind = self._place(node)
            loaded = self._emit(f"load {kind}, ptr {at}")
            return (
                (self._emit(f"sext i32 {loaded} to i64"), "i64")
                if kind == "i32"
                else (loaded, kind)
            )
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BinOp):
            return self._arithmetic(type(node.op), self._value(node.left), self._value(node.right))
        if isinstance(node, ast.BoolOp):
            word = "and" if isinstance(node.op, ast.And) else "or"
            values = [self._as(self._value(v), "i1") for v in node.values]
            result = values[0]
            for value in values[1:]:
                result = self._emit(f"{word} i1 {result}, {value}")
            return result, "i1"
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compare(
                type(node.ops[0]), self._value(node.left), self._value(node.comparators[0])
            )
        if isinstance(node, ast.IfExp):
            a, b = self._same_kind(self._value(node.body), self._value(node.orelse))
            return self._select(self._as(self._value(node.test), "i1"), a, b)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id, [self._value(a) for a in node.args])
        raise NotImplementedError(ast.unparse(node))

    def _unary(self, node: ast.UnaryOp) -> Typed:
        value, kind = self._value(node.operand)
        if isinstance(node.op, ast.Not):
            return self._emit(f"xor i1 {self._as((value, kind), 'i1')}, true"), "i1"
        assert isinstance(node.op, ast.USub)
        text = f"fneg double {value}" if kind == "double" else f"sub i64 0, {value}"
        return self._emit(text), kind

    def _arithmetic(self, operation: type[ast.operator], a: Typed, b: Typed) -> Typed:
        (x, kind), (y, _) = self._same_kind(a, b)
        word = ARITHMETIC[operation]
        assert kind == "double" or word != "div", "integers are not divided"
        return self._emit(f"{'f' if kind == 'double' else ''}{word} {kind} {x}, {y}"), kind

    def _compare(self, operation: type[ast.cmpop], a: Typed, b: Typed) -> Typed:
        (x, kind), (y, _) = self._same_kind(a, b)
        of_doubles, of_integers = COMPARISONS[operation]
        text = f"fcmp {of_doubles}" if kind == "double" else f"icmp {of_integers}"
        return self._emit(f"{text} {kind} {x}, {y}"), "i1"

    def _call(self, name: str, arguments: list[Typed]) -> Typed:
        if name in ("abs", "sqrt"):
            word = "fabs" if name == "abs" else "sqrt"
            value = self._as(arguments[0], "double")
            return self._emit(f"call double @llvm.{word}.f64(double {value})"), "double"
        if name in ("min", "max"):
            # as Python does it: the first, unless the second is beyond it
            a, b = self._same_kind(*arguments)
            beyond = self._compare(ast.Lt if name == "min" else ast.Gt, b, a)[0]
            return self._select(beyond, b, a)
        return self._call_of(self._globals[name], arguments)

    def _call_of(self, function: Callable[..., Any], arguments: list[Typed]) -> Typed:
        """Call another function of this kind."""
        self.called.append(function)
        signature = inspect.signature(function)
        kinds = [KINDS[str(p.annotation)] for p in signature.parameters.values()]
        given = [
            f"{in_llvm(kind)} {self._as(argument, kind)}"
            for kind, argument in zip(kinds, arguments, strict=True)
        ]
        kind = KINDS[str(signature.return_annotation)]
        return self._emit(f"call {kind} @{function.__name__}({', '.join(given)})"), kind

    def _select(self, condition: str, a: Typed, b: Typed) -> Typed:
        kind = a[1]
        return self._emit(f"select i1 {condition}, {kind} {a[0]}, {kind} {b[0]}"), kind

    def _place(self, node: ast.Subscript) -> Typed:
        """Return the address of an element, and its type."""
        assert isinstance(node.value, ast.Name)
        pointer, kind = self._values[node.value.id]
        element = kind[:-1]
        index = self._as(self._value(node.slice), "i64")
        return self._emit(f"getelementptr {element}, ptr {pointer}, i64 {index}"), element

    def _same_kind(self, a: Typed, b: Typed) -> tuple[Typed, Typed]:
        if a[1] == b[1]:
            return a, b
        return (self._as(a, "double"), "double"), (self._as(b, "double"), "double")

    def _as(self, value: Typed, kind: str) -> str:
        name, own = value
        if own == kind:
            return name
        assert (own, kind) == ("i64", "double"), f"{own} is no {kind}"
        return self._emit(f"sitofp i64 {name} to double")

    # ---- text ------------------------------------------------------------------------------------

    def _emit(self, text: str) -> str:
        name = self._new()
        self._lines.append(f"{name} = {text}")
        return name

    def _begin(self, label: str) -> None:
        self._label, self._open = label, True
        self._lines.append(f"\n{label}:")

    def _new(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def _new_label(self, what: str) -> str:
        self._count += 1
        return f"{what}{self._count}"


def _literal(value: Any) -> Typed:
    """Return a number as LLVM writes it: a double by its bits."""
    if isinstance(value, bool):
        return ("true" if value else "false"), "i1"
    if isinstance(value, int):
        return str(value), "i64"
    bits = int(np.float64(value).view(np.uint64))
    return f"0x{bits:016X}", "double"


def in_llvm(kind: str) -> str:
    """Return a type as LLVM writes it."""
    return "ptr" if kind.endswith("*") else kind


HEADER = "declare double @llvm.fabs.f64(double)\ndeclare double @llvm.sqrt.f64(double)\n"
sqrt = math.sqrt


class CompiledLoops:
    """Several functions, compiled together with those that they call.

    Parameters
    ----------
    *functions : callable
        As for `ScalarLoopPrinter`; they return integers.
    """

    def __init__(self, *functions: Callable[..., int]) -> None:
        self._entries = functions
        self._printers: dict[Callable[..., Any], ScalarLoopPrinter] = {}
        self._code: machine.Code | None = None

    def text(self) -> str:
        """Return the functions as LLVM IR."""
        texts, waiting = [HEADER], list(self._entries)
        while waiting:
            function = waiting.pop()
            if function not in self._printers:
                printer = self._printers[function] = ScalarLoopPrinter(function)
                texts.append(printer.text())
                waiting += printer.called
        return "".join([*texts, *(self._printers[f].entry_text() for f in self._entries)])

    def bound(self, values: dict[str, Any]) -> list[Callable[[], int]]:
        """Return the functions without parameters, bound to values by name.

        Arrays are read and written in place; they must stay where they are.
        """
        if self._code is None:
            names = [f"entry_{f.__name__}" for f in self._entries]
            self._code = machine.code_of(self.text(), names)
        return [
            _bound(run, self._printers[f].parameters, values)
            for run, f in zip(self._code.functions, self._entries, strict=True)
        ]


def _bound(
    run: machine.RunFunction, parameters: dict[str, str], values: dict[str, Any]
) -> Callable[[], int]:
    arrays = [values[name] for name, a in parameters.items() if a in ("Doubles", "Indices")]
    for array, dtype in zip(arrays, _dtypes(parameters), strict=True):
        if array.dtype != dtype or not array.flags.c_contiguous:
            raise TypeError(f"loops need a contiguous array of {np.dtype(dtype)}")
    addresses = [array.__array_interface__["data"][0] for array in arrays]
    tables = (
        np.array([*addresses, 0], dtype=np.uint64),
        np.array([*(values[n] for n, a in parameters.items() if a == "int"), 0], dtype=np.int64),
        np.array([*(values[n] for n, a in parameters.items() if a == "float"), 0.0]),
    )
    held = arrays, tables, tuple(t.ctypes.data for t in tables)

    def bound() -> int:
        return run(*held[2])

    return bound


def _dtypes(parameters: dict[str, str]) -> list[type]:
    dtypes = {"Doubles": np.float64, "Indices": np.int32}
    return [dtypes[annotation] for annotation in parameters.values() if annotation in dtypes]
