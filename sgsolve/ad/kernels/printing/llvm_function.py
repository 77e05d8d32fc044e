"""Writes the frame of a function that runs loops one after the other as LLVM IR."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable
from typing import Any

from ..lowering.values import Value
from .kernel_result import RANGE, SHIFT_OF_VALUES
from .kernel_tables import Tables
from .loop_schedule import LoopSchedule

ALL_FLAGS = 63  # of the floating point unit, on every processor: the C library masks the others
HEADER = """declare double @llvm.fabs.f64(double)
declare double @llvm.sqrt.f64(double)
declare <4 x double> @llvm.fabs.v4f64(<4 x double>)
declare <4 x double> @llvm.sqrt.v4f64(<4 x double>)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""


class FunctionPrinter:
    """The text of one function that runs loops one after the other.

    Attributes
    ----------
    of_values : container of Value
        Calls that compute values alone, and no derivatives: their flags are returned apart.
    """

    def __init__(
        self, name: str, schedule: LoopSchedule, tables: Tables, of_values: Container[Value]
    ) -> None:
        self.name, self.schedule, self.tables = name, schedule, tables
        self.of_values = of_values
        self.entry: list[str] = []
        self.lines: list[str] = []
        self._count = 0

    def fill_with_zeros(self, zeroed: Iterable[tuple[Any, int]]) -> None:
        """Fill memories with zeros before the loops; each comes with its size."""
        for memory, size in zeroed:
            base = self.pointer(memory, self.lines)
            count = self.integer(8 * size, self.lines)
            self.lines.append(f"call void @llvm.memset.p0.i64(ptr {base}, i8 0, i64 {count}, i1 0)")

    def text(self) -> str:
        """Return the function with what was added to its lines."""
        body = "\n  ".join([*self.entry, *self.lines])
        return (
            f"define i32 @{self.name}(ptr noalias %P, ptr noalias %N, ptr noalias %S) {{\nentry:\n"
            f"  {self._prologue()}\n  {body}\n  {self._epilogue()}\n}}\n"
        )

    def _prologue(self) -> str:
        clear = self.tables.address(("function", "feclearexcept"))
        test = self.tables.address(("function", "fetestexcept"))
        return "\n  ".join(
            [
                "%args = alloca [8 x ptr]",
                "%steps = alloca [9 x i64]",
                "%count = alloca [4 x i64]",
                "%flags = alloca i32",
                "store i32 0, ptr %flags",
                "%value.flags = alloca i32",
                "store i32 0, ptr %value.flags",
                f"%clear.at = getelementptr ptr, ptr %P, i64 {clear}",
                "%clear = load ptr, ptr %clear.at",
                f"%test.at = getelementptr ptr, ptr %P, i64 {test}",
                "%test = load ptr, ptr %test.at",
                f"%cleared = call i32 %clear(i32 {ALL_FLAGS})",
            ]
        )

    def _epilogue(self) -> str:
        self.lines = []
        self.note_flags(self.lines)
        flags, apart, shifted, result = (self.new() for _ in range(4))
        self.lines += [
            f"{flags} = load i32, ptr %flags",
            f"{apart} = load i32, ptr %value.flags",
            f"{shifted} = shl i32 {apart}, {SHIFT_OF_VALUES}",
            f"{result} = or i32 {flags}, {shifted}",
            f"ret i32 {result}",
        ]
        return "\n  ".join(self.lines)

    def note_flags(self, lines: list[str]) -> None:
        """Save the floating point flags: some loops of SciPy's clear them."""
        self._add_flags("%flags", lines)

    def note_flags_apart(self, lines: list[str]) -> None:
        """Save the flags after a call of values, and clear them if a number was out of range.

        Flags before the call must be saved, with no arithmetic since: the code generator may move
        what stands in one line with the call behind it.
        """
        now, some, range_ = self._add_flags("%value.flags", lines), self.new(), self.new()
        clear, after = self.label("clear"), self.label("cleared")
        lines += [
            f"{range_} = and i32 {now}, {RANGE}",
            f"{some} = icmp ne i32 {range_}, 0",
            f"br i1 {some}, label %{clear}, label %{after}",
            f"{clear}:",
            f"{self.new()} = call i32 %clear(i32 {ALL_FLAGS})",
            f"br label %{after}",
            f"{after}:",
        ]

    def _add_flags(self, slot: str, lines: list[str]) -> str:
        now, before, both = self.new(), self.new(), self.new()
        lines += [
            f"{now} = call i32 %test(i32 {ALL_FLAGS})",
            f"{before} = load i32, ptr {slot}",
            f"{both} = or i32 {now}, {before}",
            f"store i32 {both}, ptr {slot}",
        ]
        return now

    def new(self) -> str:
        """Return a new name."""
        self._count += 1
        return f"%v{self._count}"

    def label(self, what: str) -> str:
        """Return a new label."""
        self._count += 1
        return f"{what}{self._count}"

    def pointer(self, key: Hashable, lines: list[str]) -> str:
        """Return the name of an address from the table."""
        at, pointer = self.new(), self.new()
        place = self.tables.address(key)
        lines.append(f"{at} = getelementptr ptr, ptr %P, i64 {place}")
        lines.append(f"{pointer} = load ptr, ptr {at}")
        return pointer

    def integer(self, number: int, lines: list[str]) -> str:
        """Return the name of a new integer in the table."""
        at, loaded = self.new(), self.new()
        lines.append(f"{at} = getelementptr i64, ptr %N, i64 {self.tables.integer(number)}")
        lines.append(f"{loaded} = load i64, ptr {at}")
        return loaded
