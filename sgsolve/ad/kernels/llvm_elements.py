"""Writes the values of one element as LLVM IR: reading memory, arithmetic, and storing."""

from __future__ import annotations

import struct
from collections.abc import Hashable
from typing import Any

from .llvm_function import FunctionPrinter
from .loop_schedule import Loop
from .ufunc_loops import UfuncLoop
from .values import Elementwise, Memory, Number, Positions, Reduced, Rows, Take, Value

# Ufuncs are called for this many elements at a time, which stay in the cache of the processor.
BLOCK = 256
INSTRUCTIONS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
PREDICATES = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
LOGIC = {"and": "and", "or": "or", "xor": "xor"}
LITERALS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


class ElementPrinter:
    """Prints what a loop computes for one element.

    Parameters
    ----------
    function : FunctionPrinter
    loop : Loop

    Attributes
    ----------
    before, body, after : list of str
        Lines that run before the loop, for each element, and behind the loop.
    i, j : str
        The names of the element, and of its number in its block.
    """

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
        self, loop: UfuncLoop, operands: list[tuple[str, int]], count: str, lines: list[str]
    ) -> None:
        f = self.function
        f.note_flags(lines)
        for k, (pointer, step) in enumerate(operands):
            at, place = f.new(), f.new()
            lines += [
                f"{at} = getelementptr ptr, ptr %args, i64 {k}",
                f"store ptr {pointer}, ptr {at}",
                f"{place} = getelementptr i64, ptr %steps, i64 {k}",
                f"store i64 {step}, ptr {place}",
            ]
        function = self._pointer(("loop", loop))
        data = self._pointer(("data", loop))
        lines.append(f"store i64 {count}, ptr %count")
        lines.append(f"call void {function}(ptr %args, ptr %count, ptr %steps, ptr {data})")

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

    # ---- values --------------------------------------------------------------------------------

    def _value(self, value: Value) -> str:
        """Return the name of the element of a value."""
        if value.size == 1:
            return self._number_value(value)
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
            arg = value.args[0]
            key = arg.key if isinstance(arg, Memory) else self._own_memory(arg)
            return self._load(value.dtype, self._pointer(key), self._position(value.positions))
        if is_call(value) or (self._stage.get(value, 0) < self._now and self._is_kept(value)):
            memory = self._own_memory(value)
            if memory is not None:
                return self._load(value.dtype, self._pointer(memory), self.i)
            return self._load(value.dtype, self._scratch(value), self.j)
        if isinstance(value, Rows):
            return self._sum_of_row(value)
        assert isinstance(value, Elementwise)
        return self._operation(value, [self._value(a) for a in value.args], self.body)

    def _is_kept(self, value: Value) -> bool:
        return value in self._slots or self._own_memory(value) is not None

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
            arg = value.args[0]
            key = arg.key if isinstance(arg, Memory) else self._own_memory(arg)
            at = self._outer_integer(int(value.positions.values[0]))
            return self._load(value.dtype, self._pointer(key), at, lines)
        if isinstance(value, Rows):
            return self._sum_of_row(value, lines, "0")
        if isinstance(value, Reduced):
            return self._reduced_number(value)
        assert isinstance(value, Elementwise)
        if is_call(value):
            return self._called_number(value)
        return self._operation(value, [self._number_value(a) for a in value.args], lines)

    def _called_number(self, value: Elementwise) -> str:
        operands = [(self._address_of_number(a), 0) for a in value.args]
        slot = self.function.new()
        self.function.entry.append(f"{slot} = alloca double")
        operands.append((slot, 8 if value.dtype == "d" else 1))
        self._print_call(value.op, operands, "1", self.before)
        return self._load(value.dtype, slot, "0", self.before)

    def _reduced_number(self, value: Reduced) -> str:
        """Call the loop with its result as its first argument, as NumPy's reductions do."""
        arg, f = value.args[0], self.function
        base = self._pointer(arg.key if isinstance(arg, Memory) else self._own_memory(arg))
        slot = f.new()
        f.entry.append(f"{slot} = alloca double")
        if len(value.args) > 1:
            first, rest, count = self._number_value(value.args[1]), base, arg.size
        else:
            first, rest, count = self._load("d", base, "0", self.before), f.new(), arg.size - 1
            self.before.append(f"{rest} = getelementptr double, ptr {base}, i64 1")
        self._store_at(first, "d", slot, "0", self.before)
        operands = [(slot, 0), (rest, 8), (slot, 0)]
        self._print_call(value.loop, operands, self._outer_integer(count), self.before)
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

    def _operation(self, value: Elementwise, args: list[str], lines: list[str]) -> str:
        op, name = value.op, self.function.new()
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

    # ---- memory --------------------------------------------------------------------------------

    def _pointer(self, key: Hashable) -> str:
        if ("pointer", key) not in self._outside:
            self._outside["pointer", key] = self.function.pointer(key, self.before)
        return self._outside["pointer", key]

    def _outer_integer(self, number: int) -> str:
        return self.function.integer(number, self.before)

    def _load(self, dtype: str, base: str, at: str, lines: list[str] | None = None) -> str:
        lines = self.body if lines is None else lines
        place, name = self.function.new(), self.function.new()
        if dtype == "d":
            lines.append(f"{place} = getelementptr double, ptr {base}, i64 {at}")
            lines.append(f"{name} = load double, ptr {place}")
            return name
        truth = self.function.new()
        lines.append(f"{place} = getelementptr i8, ptr {base}, i64 {at}")
        lines.append(f"{name} = load i8, ptr {place}")
        lines.append(f"{truth} = icmp ne i8 {name}, 0")
        return truth

    def _store_at(
        self, name: str, dtype: str, base: str, at: str, lines: list[str] | None = None
    ) -> None:
        lines = self.body if lines is None else lines
        place = self.function.new()
        if dtype == "d":
            lines.append(f"{place} = getelementptr double, ptr {base}, i64 {at}")
            lines.append(f"store double {name}, ptr {place}")
            return
        byte = self.function.new()
        lines.append(f"{place} = getelementptr i8, ptr {base}, i64 {at}")
        lines.append(f"{byte} = zext i1 {name} to i8")
        lines.append(f"store i8 {byte}, ptr {place}")

    def _position(self, positions: Positions) -> str:
        """Return where element i of a selection lies."""
        known = self._column_values.get(positions)
        if known is None:
            known = self._column_values[positions] = self._new_position(positions)
        return known

    def _new_position(self, positions: Positions) -> str:
        f, lines = self.function, self.body
        if positions.array is None:
            start = self._progression_start(positions)
            at = f.new()
            if positions.step == 1:
                lines.append(f"{at} = add i64 {self.i}, {start}")
                return at
            scaled = f.new()
            step = self._progression_step(positions)
            lines.append(f"{scaled} = mul i64 {self.i}, {step}")
            lines.append(f"{at} = add i64 {scaled}, {start}")
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

    def _progression_start(self, positions: Positions) -> str:
        key = ("start", positions)
        if key not in self._outside:
            self._outside[key] = self._outer_integer(positions.start)
        return self._outside[key]

    def _progression_step(self, positions: Positions) -> str:
        key = ("step", positions)
        if key not in self._outside:
            self._outside[key] = self._outer_integer(positions.step)
        return self._outside[key]

    def _sum_of_row(
        self, value: Rows, lines: list[str] | None = None, at: str | None = None
    ) -> str:
        """Return the sum over the entries of a row, in order."""
        f = self.function
        lines = self.body if lines is None else lines
        i = self.i if at is None else at
        key = ("matrix", id(value.matrix))
        self.tables.matrices[key] = value.matrix
        indptr, indices, data = (self._pointer((*key, part)) for part in ("p", "j", "x"))
        arg = value.args[0]
        source = self._pointer(arg.key if isinstance(arg, Memory) else self._own_memory(arg))
        begin_at, end_at, begin, end = (f.new() for _ in range(4))
        lines += [
            f"{begin_at} = getelementptr i64, ptr {indptr}, i64 {i}",
            f"{begin} = load i64, ptr {begin_at}",
            f"{end_at} = getelementptr i64, ptr {begin_at}, i64 1",
            f"{end} = load i64, ptr {end_at}",
        ]
        first = self._value(value.args[1]) if at is None else self._number_value(value.args[1])
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
        weight = self._load("d", data, k, lines)
        place, narrow, wide = f.new(), f.new(), f.new()
        lines += [
            f"{place} = getelementptr i32, ptr {indices}, i64 {k}",
            f"{narrow} = load i32, ptr {place}",
            f"{wide} = sext i32 {narrow} to i64",
        ]
        element = self._load("d", source, wide, lines)
        product = f.new()
        lines += [
            f"{product} = fmul double {weight}, {element}",
            f"{partial} = fadd double {total}, {product}",
            f"{following} = add i64 {k}, 1",
            f"br label %{head}",
            f"{after}:",
        ]
        return total


def is_call(value: Value) -> bool:
    """Whether a value is computed by the loop of a ufunc."""
    return isinstance(value, Elementwise) and isinstance(value.op, UfuncLoop)
