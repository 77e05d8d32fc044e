"""Expressions of `scalar_expressions` for several structs at once, each in a lane of vectors.

A value is a number that all lanes share, or a vector with one number for each lane. Constants and
indices of a struct are shared; elements of its arrays are vectors.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from .lane_kinds import LANES, in_lanes, is_vector, like, of_lane
from .loop_struct import KINDS
from .scalar_expressions import (
    ExpressionPrinter,
    FunctionLines,
    Typed,
    annotations_of,
    in_llvm,
    kind_returned,
)

MASK = " mask"  # among the local values, the lanes for which the present lines hold
OWN = "Doubles", "Choices"  # arrays with elements for each lane
Instance = tuple[Callable[..., Any], tuple[str, ...]]  # a function, and the types that it is given


class LaneExpressions(ExpressionPrinter):
    """Writes expressions for all lanes; see `ExpressionPrinter`.

    Parameters
    ----------
    lines : FunctionLines
    function : callable
    given : tuple of str
        The types of the parameters.

    Attributes
    ----------
    instances : list of Instance
        What is called.
    """

    def __init__(
        self, lines: FunctionLines, function: Callable[..., Any], given: tuple[str, ...]
    ) -> None:
        super().__init__(lines, function)
        self.parameters = dict(zip(self.parameters, given, strict=True))
        self.instances: list[Instance] = []

    @property
    def mask(self) -> str:
        """The lanes for which the present lines hold."""
        return self.values[MASK][0]

    def narrowed(self, condition: Typed) -> Typed:
        """Return the present lanes for which a condition holds."""
        kind = in_lanes("i1")
        return self._lines.emit(f"and {kind} {self.mask}, {self.as_kind(condition, kind)}"), kind

    def any_lane(self, mask: str) -> str:
        """Return whether a mask holds a lane."""
        bits = self._lines.emit(f"bitcast {in_lanes('i1')} {mask} to i{LANES}")
        return self._lines.emit(f"icmp ne i{LANES} {bits}, 0")

    def largest(self, value: Typed) -> Typed:
        """Return the largest integer of the present lanes; zero if none is positive."""
        name, kind = value
        which = f"{in_lanes('i1')} {self.mask}"
        own = self._lines.emit(f"select {which}, {kind} {name}, {kind} zeroinitializer")
        function = f"@llvm.vector.reduce.smax.v{LANES}i64"
        return self._lines.emit(f"call i64 {function}({kind} {own})"), "i64"

    # ---- operations ------------------------------------------------------------------------------

    def _as_far_as_needed(self, operands: list[ast.expr], every: bool) -> Typed:
        """As in the base class; an operand is evaluated in the lanes that are not decided."""
        lines, outside = self._lines, self.values[MASK]
        found = self.value(operands[0])
        for operand in operands[1:]:
            left = found if every else self.negated(found)
            self.values[MASK] = self.narrowed(left)
            following, after = lines.new_label("next"), lines.new_label("decided")
            known, before = self.as_kind(found, in_lanes("i1")), lines.label
            going = self.any_lane(self.mask)
            lines.lines.append(f"br i1 {going}, label %{following}, label %{after}")
            lines.begin(following)
            other = self.as_kind(self.value(operand), in_lanes("i1"))
            both = lines.emit(f"{'and' if every else 'or'} {in_lanes('i1')} {known}, {other}")
            end = lines.label
            lines.lines.append(f"br label %{after}")
            lines.begin(after)
            sources = f"[{known}, %{before}], [{both}, %{end}]"
            found = lines.emit(f"phi {in_lanes('i1')} {sources}"), in_lanes("i1")
        self.values[MASK] = outside
        return found

    def negated(self, value: Typed) -> Typed:
        """Return where a condition does not hold."""
        ones = self.as_kind(("true", "i1"), value[1])
        return self._lines.emit(f"xor {value[1]} {value[0]}, {ones}"), value[1]

    def _call_of(self, function: Callable[..., Any], arguments: list[Typed]) -> Typed:
        kinds: list[str] = []
        given = f"{in_lanes('i1')} {self.mask}"
        for argument, annotation in zip(arguments, annotations_of(function).values(), strict=True):
            kind = KINDS.get(annotation, "ptr")
            kind = argument[1] if in_llvm(kind) == "ptr" else like(argument[1], kind)
            given += f", {in_llvm(kind)} {self.as_kind(argument, kind)}"
            kinds.append(kind)
        self.instances.append((function, tuple(kinds)))
        kind, name = in_lanes(kind_returned(function)), lane_name(function, tuple(kinds))
        return self._lines.emit(f"call {kind} @{name}({given})"), kind

    def select(self, condition: Typed, a: Typed, b: Typed) -> Typed:
        """Return a where a condition holds, otherwise b."""
        (x, kind), (y, _) = self._same_kind(a, b)
        if is_vector(condition[1]) and not is_vector(kind):
            x, y, kind = (
                *(self.as_kind((v, kind), in_lanes(kind)) for v in (x, y)),
                in_lanes(kind),
            )
        which = f"{condition[1]} {condition[0]}"
        return self._lines.emit(f"select {which}, {kind} {x}, {kind} {y}"), kind

    # ---- elements of arrays ----------------------------------------------------------------------

    def load(self, node: ast.Subscript) -> Typed:
        """Return elements: of each lane by its own index, if need be."""
        (pointer, kind), index = self.value(node.value), self.value(node.slice)
        if not is_vector(index[1]):
            return self._loaded(*self.element(pointer, kind, index))
        result, row, number = "poison", kind[:-1], of_lane(kind[:-1])
        for lane, at in enumerate(self._elements_of_lanes(pointer, row, index)):
            one = self._lines.emit(f"load {number}, ptr {at}")
            result = self._lines.emit(f"insertelement {row} {result}, {number} {one}, i32 {lane}")
        return self._extended(result, row)

    def store(self, target: ast.expr, value: Typed) -> None:
        """Write elements, or a field, in the present lanes."""
        lines, which = self._lines, f"{in_lanes('i1')} {self.mask}"
        if isinstance(target, ast.Subscript):
            (pointer, kind), index = self.value(target.value), self.value(target.slice)
            if is_vector(index[1]):
                self._scatter(self._elements_of_lanes(pointer, kind[:-1], index), kind[:-1], value)
                return
            at, kind = self.element(pointer, kind, index)
        else:
            at, kind = self.place(target)
        assert is_vector(kind), "lanes share it"
        old = lines.emit(f"load {kind}, ptr {at}")
        new = lines.emit(f"select {which}, {kind} {self.as_kind(value, kind)}, {kind} {old}")
        lines.lines.append(f"store {kind} {new}, ptr {at}")

    def _scatter(self, places: list[str], row: str, value: Typed) -> None:
        lines, number, values = self._lines, of_lane(row), self.as_kind(value, row)
        for lane, at in enumerate(places):
            new = lines.emit(f"extractelement {row} {values}, i32 {lane}")
            holds = lines.emit(f"extractelement {in_lanes('i1')} {self.mask}, i32 {lane}")
            old = lines.emit(f"load {number}, ptr {at}")
            kept = lines.emit(f"select i1 {holds}, {number} {new}, {number} {old}")
            lines.lines.append(f"store {number} {kept}, ptr {at}")

    def _elements_of_lanes(self, pointer: str, row: str, index: Typed) -> list[str]:
        """Return the addresses of an element of each lane: the first one in other lanes."""
        assert is_vector(row), "lanes share it"
        lines, kind = self._lines, index[1]
        which = f"{in_lanes('i1')} {self.mask}"
        known = lines.emit(f"select {which}, {kind} {index[0]}, {kind} zeroinitializer")
        found = []
        for lane in range(LANES):
            own = lines.emit(f"extractelement {kind} {known}, i32 {lane}")
            at = f"getelementptr {row}, ptr {pointer}, i64 {own}, i32 {lane}"
            found.append(lines.emit(at))
        return found

    def word(self, struct: str, field: str) -> int:
        """Return the place of a field in a struct: a changing number has one for each lane."""
        place, changing = super().word(struct, field), len(self._structs[struct].changing)
        return LANES * place if place < changing else place + (LANES - 1) * changing

    def _place_of_field(self, node: ast.Attribute) -> Typed:
        at, kind = super()._place_of_field(node)
        assert isinstance(node.value, ast.Name)
        annotation = self._structs[node.value.id].fields[node.attr]
        if annotation in OWN:
            return at, f"{in_lanes(kind[:-1])}*"
        return at, in_lanes(kind) if annotation == "Number" else kind

    # ---- types -----------------------------------------------------------------------------------

    def _same_kind(self, a: Typed, b: Typed) -> tuple[Typed, Typed]:
        kinds = {of_lane(a[1]), of_lane(b[1])}
        kind = kinds.pop() if len(kinds) == 1 else "double"
        if is_vector(a[1]) or is_vector(b[1]):
            kind = in_lanes(kind)
        return (self.as_kind(a, kind), kind), (self.as_kind(b, kind), kind)

    def as_kind(self, value: Typed, kind: str) -> str:
        """Return the name of a value as one of this type."""
        if is_vector(kind) and not is_vector(value[1]):
            return self._in_each_lane(super().as_kind(value, of_lane(kind)), kind)
        return super().as_kind(value, kind)

    def _in_each_lane(self, name: str, kind: str) -> str:
        element = of_lane(kind)
        if not name.startswith("%"):
            return f"<{', '.join(LANES * [f'{element} {name}'])}>"
        one = self._lines.emit(f"insertelement {kind} poison, {element} {name}, i32 0")
        zeros = f"<{LANES} x i32> zeroinitializer"
        return self._lines.emit(f"shufflevector {kind} {one}, {kind} poison, {zeros}")


def lane_name(function: Callable[..., Any], kinds: tuple[str, ...]) -> str:
    """Return the name of a function for lanes, which depends on what lanes share."""
    return f"lanes_{function.__name__}_{''.join('v' if is_vector(k) else 's' for k in kinds)}"
