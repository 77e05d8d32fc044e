"""The loops of `scalar_loops` for several structs at once, each in a lane of vectors.

A condition that differs between lanes selects: both sides run, each for its lanes, and a side
without lanes is left out. A lane that returned is left out of what follows. Every lane has the
numbers of the loop for its struct alone, bit for bit.
"""

from __future__ import annotations

import ast
from typing import Any

from .lane_expressions import MASK, Instance, LaneExpressions, lane_name
from .lane_kinds import in_lanes, is_vector
from .scalar_expressions import FunctionLines, Typed, in_llvm, kind_returned
from .scalar_loops import ScalarLoopPrinter, definition, names_assigned

NOWHERE: Typed = ("zeroinitializer", in_lanes("i1"))


class LaneLoopPrinter(ScalarLoopPrinter):
    """The text of one function for all lanes.

    Parameters
    ----------
    instance : Instance

    Attributes
    ----------
    called : list of Instance
    """

    _expressions: LaneExpressions

    def __init__(self, instance: Instance) -> None:
        self._function, self._given = instance
        self.name = lane_name(*instance)
        self._result = in_lanes(kind_returned(self._function))
        self._lines = FunctionLines()
        self._expressions = LaneExpressions(self._lines, *instance)
        self.called: list[Any] = self._expressions.instances
        self._sides = 0  # how many conditions that lanes differ in surround the present line

    def text(self) -> str:
        """Return the function as LLVM IR; raises `SourceChangedError`."""
        of, lines = self._expressions, self._lines
        of.values = {name: (f"%a.{name}", kind) for name, kind in of.parameters.items()}
        given = {MASK: ("%mask", in_lanes("i1")), **of.values}
        arguments = ", ".join(f"{in_llvm(kind)} {name}" for name, kind in given.values())
        of.values = given
        lines.first.append(f"%result = alloca {self._result}")
        self._block(definition(self._function).body)
        lines.lines.append("br label %exit")
        lines.begin("exit")
        lines.lines.append(f"ret {self._result} {lines.emit(f'load {self._result}, ptr %result')}")
        body = "\n  ".join([*lines.first, *lines.lines])
        return f"define {self._result} @{self.name}({arguments}) {{\nentry:\n  {body}\n}}\n"

    def _assign(self, target: ast.expr, value: Typed) -> None:
        of = self._expressions
        if not isinstance(target, ast.Name):
            of.store(target, value)
            return
        known = of.values.get(target.id)
        if known is not None and is_vector(known[1]):
            value = of.as_kind(value, known[1]), known[1]
        of.values[target.id] = value

    def _return(self, value: Typed) -> None:
        of, lines, kind = self._expressions, self._lines, self._result
        old = f"{kind} {lines.emit(f'load {kind}, ptr %result')}"
        which = f"{in_lanes('i1')} {of.mask}"
        new = lines.emit(f"select {which}, {kind} {of.as_kind(value, kind)}, {old}")
        lines.lines.append(f"store {kind} {new}, ptr %result")
        of.values[MASK] = NOWHERE

    def _widen(self, names: list[str]) -> None:
        """Make vectors of local numbers that lanes may change each for itself."""
        of = self._expressions
        for name in names:
            value = of.values.get(name)
            if value is not None and not is_vector(value[1]):
                of.values[name] = of.as_kind(value, in_lanes(value[1])), in_lanes(value[1])

    def _if(self, node: ast.If) -> None:
        of, lines = self._expressions, self._lines
        self._widen(names_assigned([node]))
        condition = of.value(node.test)
        if is_vector(condition[1]):
            self._select(node, condition)
        else:
            self._branch(node, condition[0])
        if self._sides == 0 and any(isinstance(n, ast.Return) for n in ast.walk(node)):
            going, left = lines.new_label("left"), of.any_lane(of.mask)
            lines.lines.append(f"br i1 {left}, label %{going}, label %exit")
            lines.begin(going)

    def _select(self, node: ast.If, condition: Typed) -> None:
        """Run both sides, each in its lanes, and take the values of either."""
        of, before = self._expressions, self._expressions.values
        masks = of.narrowed(condition), of.narrowed(of.negated(condition))
        first, second = self._side(node.body, masks[0]), self._side(node.orelse, masks[1])
        of.values = dict(before)
        for name in {**first, **second}:
            pair = [side.get(name, before.get(name)) for side in (first, second)]
            if name != MASK and pair[0] is not None and pair[1] is not None:
                of.values[name] = of.select(condition, pair[0], pair[1])
        if MASK in first or MASK in second:
            left = [
                side.get(MASK, own)[0] for side, own in zip((first, second), masks, strict=True)
            ]
            kind = in_lanes("i1")
            of.values[MASK] = self._lines.emit(f"or {kind} {left[0]}, {left[1]}"), kind

    def _side(self, statements: list[ast.stmt], mask: Typed) -> dict[str, Typed]:
        """Run statements in some lanes, and return the values that changed.

        What takes a while is left out where no lane takes it.
        """
        of, lines, before = self._expressions, self._lines, self._expressions.values
        of.values = {**before, MASK: mask}
        self._sides += 1
        some, source = "", lines.label
        inside, after = lines.new_label("lanes"), lines.new_label("after")
        if any(_takes_long(n) for s in statements for n in ast.walk(s)):
            some = of.any_lane(mask[0])
            lines.lines.append(f"br i1 {some}, label %{inside}, label %{after}")
            lines.begin(inside)
        self._block(statements)
        old, end = {**before, MASK: mask}, lines.label
        changed = {name: v for name, v in of.values.items() if v != old.get(name)}
        if some:
            lines.lines.append(f"br label %{after}")
            lines.begin(after)
            for name, (value, kind) in changed.items():
                sources = f"[{value}, %{end}], [{old.get(name, ('poison', ''))[0]}, %{source}]"
                changed[name] = lines.emit(f"phi {kind} {sources}"), kind
        of.values = before
        self._sides -= 1
        return changed

    def _for(self, node: ast.For) -> None:
        """Run a loop as far as any lane does, each lane as far as it does itself."""
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        of, counter = self._expressions, node.target
        self._widen(names_assigned(node.body))
        end = of.value(node.iter.args[-1])
        if is_vector(end[1]):
            own, last = (ast.Name(f"{counter.id} {what}", ast.Load()) for what in ("end", "last"))
            of.values |= {own.id: end, last.id: of.largest(end)}
            goes_on = ast.Compare(ast.Name(counter.id, ast.Load()), [ast.Lt()], [own])
            arguments = [*node.iter.args[:-1], last]
            iterable = ast.Call(node.iter.func, arguments, [])
            node = ast.For(counter, iterable, [ast.If(goes_on, node.body, [])], [])
        super()._for(node)


def _takes_long(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id not in ("abs", "min", "max")
    return isinstance(node, ast.For)
