"""Loops over the elements of arrays, written in Python and compiled to machine code.

`ScalarLoopPrinter` reads the source of a function and writes it as LLVM IR. The function runs in
Python too, which is what the tests compare with. It may use parameters annotated `Doubles`,
`Indices`, `int` and `float`, a `LoopStruct` and its fields, local numbers, ``for`` over a range,
``if``, ``return`` of a number, arithmetic without integer division, comparisons, ``and``, ``or``,
``not``, ``abs``, ``min``, ``max``, ``sqrt``, numbers of its module, other such functions, and those
of `outer_calls`.
"""

from __future__ import annotations

import ast
import functools
import linecache
import math
from collections.abc import Callable
from types import CodeType
from typing import Any

from .loop_struct import Addresses as Addresses
from .loop_struct import Choices as Choices
from .loop_struct import Doubles as Doubles
from .loop_struct import Indices as Indices
from .loop_struct import Inner as Inner
from .loop_struct import LoopStruct as LoopStruct
from .loop_struct import Number as Number
from .outer_calls import WRITTEN
from .scalar_expressions import ExpressionPrinter, FunctionLines, Typed, in_llvm, kind_returned

sqrt = math.sqrt


class SourceChangedError(Exception):
    """The source of a function is not what was imported."""


@functools.cache
def definitions(path: str) -> dict[int, ast.FunctionDef]:
    """Return the functions of a file by their first lines; to parse it once for all is fastest."""
    linecache.checkcache(path)
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except SyntaxError:
        return {}
    return {node.lineno: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def definition(function: Callable[..., Any]) -> ast.FunctionDef:
    """Return the syntax tree of a function; raises `SourceChangedError` if it has another code."""
    code = function.__code__
    node = definitions(code.co_filename).get(code.co_firstlineno)
    if node is not None:
        flags = code.co_flags & annotations.compiler_flag
        tree = ast.Module([node], type_ignores=[])
        [found] = [
            c
            for c in compile(tree, code.co_filename, "exec", flags, dont_inherit=True).co_consts
            if isinstance(c, CodeType)
        ]
        if (found.co_code, found.co_consts, found.co_names, found.co_varnames) == (
            code.co_code, code.co_consts, code.co_names, code.co_varnames
        ):  # fmt: skip
            return node
    raise SourceChangedError(
        f"{code.co_filename} is not what was imported: {function.__name__} has changed there"
    )


class ScalarLoopPrinter:
    """The text of one function.

    Parameters
    ----------
    function : callable
        With an annotation of each parameter and of the result, `int` or `float`.

    Attributes
    ----------
    called : list of callable
        Functions of this kind that it calls.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name, self._function = function.__name__, function
        self._result = kind_returned(function)
        self._lines = FunctionLines()
        self._expressions = ExpressionPrinter(self._lines, function)
        self.called: list[Any] = self._expressions.called

    def text(self) -> str:
        """Return the function as LLVM IR; raises `SourceChangedError`."""
        if self._function in WRITTEN:
            return WRITTEN[self._function]
        given = {name: (f"%a.{name}", kind) for name, kind in self._expressions.parameters.items()}
        self._expressions.values = given
        arguments = ", ".join(f"{in_llvm(kind)} {name}" for name, kind in given.values())
        self._block(definition(self._function).body)
        if self._lines.is_open:
            self._lines.lines.append("unreachable")
        body = "\n  ".join([*self._lines.first, *self._lines.lines])
        return f"define {self._result} @{self.name}({arguments}) {{\nentry:\n  {body}\n}}\n"

    # ---- statements ------------------------------------------------------------------------------

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if self._lines.is_open:
                self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr):
            if not isinstance(node.value, ast.Constant):  # the docstring
                self._expressions.value(node.value)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                found = [self._expressions.value(v) for v in value.elts]
                for one, v in zip(target.elts, found, strict=True):
                    self._assign(one, v)
            else:
                self._assign(target, self._expressions.value(value))
        elif isinstance(node, ast.AugAssign):
            load = ast.parse(ast.unparse(node.target), mode="eval").body
            self._assign(node.target, self._expressions.value(ast.BinOp(load, node.op, node.value)))
        elif isinstance(node, ast.Return) and node.value is not None:
            self._return(self._expressions.value(node.value))
        elif isinstance(node, ast.If):
            self._if(node)
        elif isinstance(node, ast.For):
            self._for(node)
        else:
            raise NotImplementedError(ast.unparse(node))

    def _assign(self, target: ast.expr, value: Typed) -> None:
        if isinstance(target, ast.Name):
            self._expressions.values[target.id] = value
            return
        self._expressions.store(target, value)

    def _return(self, value: Typed) -> None:
        result = self._expressions.as_kind(value, self._result)
        self._lines.lines.append(f"ret {self._result} {result}")
        self._lines.is_open = False

    def _if(self, node: ast.If) -> None:
        self._branch(node, self._expressions.as_kind(self._expressions.value(node.test), "i1"))

    def _branch(self, node: ast.If, condition: str) -> None:
        then, other, after = (self._lines.new_label(what) for what in ("then", "else", "after"))
        self._lines.lines.append(f"br i1 {condition}, label %{then}, label %{other}")
        before, ends = self._expressions.values, []
        for label, statements in ((then, node.body), (other, node.orelse)):
            self._lines.begin(label)
            self._expressions.values = dict(before)
            self._block(statements)
            if self._lines.is_open:
                ends.append((self._lines.label, self._expressions.values))
                self._lines.lines.append(f"br label %{after}")
        self._expressions.values, self._lines.is_open = before, bool(ends)
        if ends:
            self._lines.begin(after)
            self._expressions.values = self._merged(ends)

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
            merged[name] = self._lines.emit(f"phi {first[1]} {sources}"), first[1]
        return merged

    def _for(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        of = self._expressions
        ends = [of.as_kind(of.value(a), "i64") for a in node.iter.args]
        begin, end = ends if len(ends) == 2 else ("0", ends[0])
        carried = [name for name in names_assigned(node.body) if name in self._expressions.values]
        head, body, after = (self._lines.new_label(what) for what in ("head", "body", "after"))
        source, start = self._lines.label, dict(self._expressions.values)
        self._lines.lines.append(f"br label %{head}")
        self._lines.begin(head)
        at = len(self._lines.lines)
        counter = self._lines.new()
        names = {name: self._lines.new() for name in carried}
        for name in carried:
            self._expressions.values[name] = names[name], start[name][1]
        going = self._lines.emit(f"icmp slt i64 {counter}, {end}")
        self._lines.lines.append(f"br i1 {going}, label %{body}, label %{after}")
        outside = dict(self._expressions.values)
        self._lines.begin(body)
        self._expressions.values[node.target.id] = counter, "i64"
        self._block(node.body)
        assert self._lines.is_open, "a loop must not end with a return"
        following = self._lines.emit(f"add i64 {counter}, 1")
        phis = [f"{counter} = phi i64 [{begin}, %{source}], [{following}, %{self._lines.label}]"]
        for name in carried:
            value, kind = self._expressions.values[name]
            assert kind == start[name][1], name
            phis.append(
                f"{names[name]} = phi {kind} [{start[name][0]}, %{source}], [{value}, "
                f"%{self._lines.label}]"
            )
        self._lines.lines.append(f"br label %{head}")
        self._lines.lines[at:at] = phis
        self._lines.begin(after)
        self._expressions.values = outside


def names_assigned(statements: list[ast.stmt]) -> list[str]:
    """Return the names that statements assign, sorted."""
    nodes = (node for statement in statements for node in ast.walk(statement))
    return sorted({n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)})
