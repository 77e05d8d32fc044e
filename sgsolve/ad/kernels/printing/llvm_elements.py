"""Writes the values of one element as LLVM IR, each once, where they are first needed."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Sequence
from typing import Any

from ..lowering.ufunc_loops import UfuncLoop, product_layout
from ..lowering.values import (
    Elementwise,
    Memory,
    Number,
    Positions,
    Product,
    Reduced,
    Rows,
    Take,
    Value,
)
from .llvm_function import FunctionPrinter
from .llvm_instructions import (
    RepeatedTerms,
    RowPointers,
    element_operation,
    is_call,
    is_copy,
    kind_of,
    load_element,
    same_in_lanes,
    store_element,
    sum_of_repeated_row,
    sum_of_row,
)
from .loop_schedule import Loop

# Ufuncs are called for this many elements at a time, which stay in the cache of the processor.
BLOCK = 256
LITERALS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


class ElementPrinter:
    """Prints what a loop computes for one element.

    Attributes
    ----------
    before, body, after : list of str
        Lines that run before the loop, for each element, and behind the loop.
    i, j : str
        The names of the element, and of its number in its block.
    lanes : int
        How many elements the body computes at a time.
    """

    lanes = 1

    def __init__(self, function: FunctionPrinter, loop: Loop) -> None:
        self.function, self.loop = function, loop
        self.schedule, self.tables = function.schedule, function.tables
        self.before: list[str] = []  # lines that run before the loop
        self.body: list[str] = []
        self.after: list[str] = []
        self._outside: dict[Any, str] = {}
        self._known: dict[Value, str] = {}
        self._columns: dict[Positions, int] = {}
        self._column_values: dict[Positions, str] = {}
        self._slots: dict[Value, int] = {}
        self._stage: dict[Value, int] = {}
        self._now = 0
        self.i = self.j = ""
        self.index_key: Hashable = ("index", len(self.tables.indices), function.name)

    def _print_call(
        self, lines: list[str], loop: UfuncLoop, counts: Sequence[Any],
        pointers: Sequence[str], steps: Sequence[Any],
    ) -> None:  # fmt: skip
        """Call a loop with these tables of addresses, steps and counts."""
        f = self.function
        f.note_flags(lines)
        given = [("%args", "ptr", pointers), ("%steps", "i64", steps), ("%count", "i64", counts)]
        for table, kind, entries in given:
            for k, entry in enumerate(entries):
                at = f.new()
                lines.append(f"{at} = getelementptr {kind}, ptr {table}, i64 {k}")
                lines.append(f"store {kind} {entry}, ptr {at}")
        function = self._pointer(("loop", loop))
        data = self._pointer(("data", loop))
        lines.append(f"call void {function}(ptr %args, ptr %count, ptr %steps, ptr {data})")

    def _print_product(self, value: Product) -> None:
        """Call the loop of ``matmul`` for one pair of arrays, and write the result."""
        arrays = map(self._memory_read, (*value.args, value))
        pointers = list(map(self._pointer, arrays))
        layout = product_layout(*value.sizes)
        steps, counts = ([self._outer_integer(k) for k in table] for table in layout[::-1])
        self._print_call(self.before, value.loop, counts, pointers, steps)

    def _address_of_number(self, value: Value) -> str:
        key = ("address", value)
        if key not in self._outside:
            name = self._number_value(value)
            slot = self.function.new()
            self.function.entry.append(f"{slot} = alloca double")
            self._store_at(name, value.dtype, slot, "0", self.before)
            self._outside[key] = slot
        return self._outside[key]

    def _own_memory(self, value: Value) -> Hashable | None:
        return self.schedule.memory_of.get(value)

    def _memory_read(self, value: Value) -> Hashable | None:
        return value.key if isinstance(value, Memory) else self._own_memory(value)

    def _slot(self, value: Value) -> int:
        slot = self._slots.setdefault(value, len(self._slots))
        self.tables.scratch = max(self.tables.scratch, len(self._slots))
        return slot

    def _scratch(self, value: Value) -> str:
        slot = self._slot(value)
        key = ("scratch", slot)
        if key not in self._outside:
            base, at = self._pointer("scratch"), self.function.new()
            self.before.append(f"{at} = getelementptr double, ptr {base}, i64 {slot * BLOCK}")
            self._outside[key] = at
        return self._outside[key]

    def _value(self, value: Value) -> str:
        """Return the name of the element of a value."""
        if value.size == 1:
            return self._number_value(value) if self.lanes == 1 else self._in_all_lanes(value)
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = self._new_value(value)
        return known

    def _new_value(self, value: Value) -> str:
        if isinstance(value, Memory):
            return self._load(value.dtype, self._pointer(value.key), self.i)
        if self.schedule.is_read(value, self.loop):
            return self._load(value.dtype, self._pointer(self._own_memory(value)), self.i)
        if isinstance(value, Take):
            key = self._memory_read(value.args[0])
            return self._load(value.dtype, self._pointer(key), self._position(value.positions))
        if is_call(value) or (self._stage.get(value, 0) < self._now and self._is_kept(value)):
            memory = self._own_memory(value)
            if memory is not None:
                return self._load(value.dtype, self._pointer(memory), self.i)
            return self._load(value.dtype, self._scratch(value), self.j)
        if isinstance(value, Rows):
            return self._sum_of_row(value)
        assert isinstance(value, Elementwise)
        return element_operation(
            self.function, value, [self._value(a) for a in value.args], self.body, self.lanes
        )

    def _in_all_lanes(self, value: Value) -> str:
        """Return the name of a vector that repeats a number."""
        key = ("all lanes", value)
        if key not in self._outside:
            name, kind = self._number_value(value), kind_of(value.dtype)
            if not name.startswith("%"):
                return same_in_lanes(kind, name, self.lanes)
            one, every = self.function.new(), self.function.new()
            vector, places = kind_of(value.dtype, self.lanes), f"<{self.lanes} x i32>"
            self.before.append(f"{one} = insertelement {vector} poison, {kind} {name}, i64 0")
            self.before.append(
                f"{every} = shufflevector {vector} {one}, {vector} poison, {places} zeroinitializer"
            )
            self._outside[key] = every
        return self._outside[key]

    def _is_kept(self, value: Value) -> bool:
        stored = value in self._slots or self._own_memory(value) is not None
        return stored and not is_copy(value)

    def _number_value(self, value: Value) -> str:
        known = self._outside.get(value)
        if known is None:
            known = self._outside[value] = self._new_number(value)
        return known

    def _new_number(self, value: Value) -> str:
        lines = self.before
        if isinstance(value, Number):
            return self._constant(value)
        if isinstance(value, Memory):
            return self._load(value.dtype, self._pointer(value.key), "0", lines)
        if self.schedule.is_read(value, self.loop):
            return self._load(value.dtype, self._pointer(self._own_memory(value)), "0", lines)
        if isinstance(value, Take):
            key = self._memory_read(value.args[0])
            at = self._outer_integer(int(value.positions.values[0]))
            return self._load(value.dtype, self._pointer(key), at, lines)
        if isinstance(value, Rows):
            return self._sum_of_row(value, lines, "0")
        if isinstance(value, Reduced):
            return self._reduced_number(value)
        assert isinstance(value, Elementwise)
        if is_call(value):
            return self._called_number(value)
        return element_operation(
            self.function, value, [self._number_value(a) for a in value.args], lines
        )

    def _called_number(self, value: Elementwise) -> str:
        operands = [(self._address_of_number(a), 0) for a in value.args]
        slot = self.function.new()
        self.function.entry.append(f"{slot} = alloca double")
        operands.append((slot, 8 if value.dtype == "d" else 1))
        self._print_call(self.before, value.op, ["1"], *zip(*operands, strict=True))
        return self._load(value.dtype, slot, "0", self.before)

    def _reduced_number(self, value: Reduced) -> str:
        """Call the loop with its result as its first argument, as NumPy's reductions do."""
        arg, f = value.args[0], self.function
        base = self._pointer(self._memory_read(arg))
        slot = f.new()
        f.entry.append(f"{slot} = alloca double")
        if len(value.args) > 1:
            first, rest, count = self._number_value(value.args[1]), base, arg.size
        else:
            first, rest, count = self._load("d", base, "0", self.before), f.new(), arg.size - 1
            self.before.append(f"{rest} = getelementptr double, ptr {base}, i64 1")
        self._store_at(first, "d", slot, "0", self.before)
        operands = [(slot, 0), (rest, 8), (slot, 0)]
        number = [self._outer_integer(count)]
        self._print_call(self.before, value.loop, number, *zip(*operands, strict=True))
        return self._load("d", slot, "0", self.before)

    def _constant(self, value: Number) -> str:
        if value.dtype == "b":
            return "true" if value.number else "false"
        if value.number in LITERALS:
            return f"0x{struct.pack('>d', value.number).hex().upper()}"
        at, name = self.function.new(), self.function.new()
        place = self.tables.number(value.number)
        self.before.append(f"{at} = getelementptr double, ptr %S, i64 {place}")
        self.before.append(f"{name} = load double, ptr {at}")
        return name

    def _pointer(self, key: Hashable) -> str:
        if ("pointer", key) not in self._outside:
            self._outside["pointer", key] = self.function.pointer(key, self.before)
        return self._outside["pointer", key]

    def _outer_integer(self, number: int) -> str:
        return self.function.integer(number, self.before)

    def _position(self, positions: Positions) -> str:
        """Return where element i of a selection lies."""
        known = self._column_values.get(positions)
        if known is None:
            known = self._column_values[positions] = self._new_position(positions)
        return known

    def _new_position(self, positions: Positions) -> str:
        f, lines = self.function, self.body
        if positions.array is None:
            start = self._kept_integer(("start", positions), positions.start)
            at = f.new()
            if positions.step == 1:
                lines.append(f"{at} = add i64 {self.i}, {start}")
                return at
            scaled = f.new()
            step = self._kept_integer(("step", positions), positions.step)
            lines.append(f"{scaled} = mul i64 {self.i}, {step}")
            lines.append(f"{at} = add i64 {scaled}, {start}")
            return at
        if positions.like is not positions:
            offset = self._kept_integer(
                ("offset", positions), positions.start - positions.like.start
            )
            near, at = self._position(positions.like), f.new()
            lines.append(f"{at} = add i64 {near}, {offset}")
            return at
        columns = self.tables.indices[self.index_key]
        column = self._columns.get(positions)
        if column is None:
            column = self._columns[positions] = len(columns)
            columns.append(positions)
        row, at, place, narrow, wide = (f.new() for _ in range(5))
        lines.append(f"{row} = mul i64 {self.i}, @WIDTH@")
        lines.append(f"{at} = add i64 {row}, {column}")
        base = self._pointer(self.index_key)
        lines.append(f"{place} = getelementptr i32, ptr {base}, i64 {at}")
        lines.append(f"{narrow} = load i32, ptr {place}")
        lines.append(f"{wide} = sext i32 {narrow} to i64")
        return wide

    def _kept_integer(self, key: Hashable, number: int) -> str:
        if key not in self._outside:
            self._outside[key] = self._outer_integer(number)
        return self._outside[key]

    def _sum_of_row(
        self, value: Rows, lines: list[str] | None = None, at: str | None = None
    ) -> str:
        """Return the sum over the entries of a row, in order."""
        lines = self.body if lines is None else lines
        key = ("matrix", id(value.matrix))
        self.tables.matrices[key] = value.matrix
        source = self._memory_read(value.args[0])
        parts = ((*key, "p"), (*key, "j"), (*key, "x"), source)
        pointers = RowPointers(*map(self._pointer, parts))
        start = value.args[1]
        first = self._value(start) if at is None else self._number_value(start)
        i = self.i if at is None else at
        if value.repeated is None or at is not None:
            return sum_of_row(self.function, pointers, i, first, lines)
        self.tables.repeated[*key, "u"] = value.repeated
        row = RepeatedTerms(
            self._pointer((*key, "u")),
            [self._outer_integer(k) for k in value.repeated.offsets],
            [self._constant(Number(w)) for w in value.repeated.weights],
        )
        return sum_of_repeated_row(self.function, pointers, row, i, first, lines)

    def _load(self, dtype: str, base: str, at: str, lines: list[str] | None = None) -> str:
        lanes, lines = (self.lanes, self.body) if lines is None else (1, lines)
        return load_element(self.function, dtype, base, at, lines, lanes)

    def _store_at(
        self, name: str, dtype: str, base: str, at: str, lines: list[str] | None = None
    ) -> None:
        lanes, lines = (self.lanes, self.body) if lines is None else (1, lines)
        store_element(self.function, name, dtype, base, at, lines, lanes)
