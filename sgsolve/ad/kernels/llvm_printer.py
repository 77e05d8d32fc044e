"""Writes loops as LLVM IR.

A function takes three tables: addresses, integers (sizes, offsets) and numbers. The text therefore
depends on the operations only, and one compiled function serves all meshes. Ufuncs are called on
blocks of 256 elements, which stay in the cache of the processor.
"""

from __future__ import annotations

import struct
from collections.abc import Hashable
from typing import Any

from .levels import is_moved
from .schedule import ElementStore, Loop, LoopSchedule
from .ufunc_loops import UfuncLoop
from .values import Elementwise, Memory, Number, Positions, Reduced, Rows, Take, Value

BLOCK = 256
ALL_FLAGS = 61
INSTRUCTIONS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
PREDICATES = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
LOGIC = {"and": "and", "or": "or", "xor": "xor"}
LITERALS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
HEADER = """declare double @llvm.fabs.f64(double)
declare double @llvm.sqrt.f64(double)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
"""


class Tables:
    """What the tables of a kernel hold.

    Attributes
    ----------
    addresses : dict
        From the key of a memory, or a `UfuncLoop`, to its place.
    integers : list of int
    numbers : dict of float to int
    indices : dict
        From the key of an index table to the positions that are its columns.
    """

    def __init__(self) -> None:
        self.addresses: dict[Hashable, int] = {}
        self.integers: list[int] = []
        self.numbers: dict[str, int] = {}
        self.indices: dict[Hashable, list[Positions]] = {}
        self.matrices: dict[tuple[Any, ...], Any] = {}
        self.scratch = 0

    def address(self, key: Hashable) -> int:
        """Return the place of an address."""
        return self.addresses.setdefault(key, len(self.addresses))

    def integer(self, number: int) -> int:
        """Return the place of a new integer."""
        self.integers.append(number)
        return len(self.integers) - 1

    def number(self, number: float) -> int:
        """Return the place of a number."""
        return self.numbers.setdefault(repr(number), len(self.numbers))


class FunctionPrinter:
    """The text of one function that runs loops one after the other.

    Parameters
    ----------
    name : str
    schedule : LoopSchedule
    tables : Tables
    """

    def __init__(self, name: str, schedule: LoopSchedule, tables: Tables) -> None:
        self.name, self.schedule, self.tables = name, schedule, tables
        self.entry: list[str] = []
        self.lines: list[str] = []
        self._count = 0

    def text(self, loops: list[Loop], zeroed: Any = ()) -> str:
        """Return the function."""
        for memory, size in zeroed:
            base = self.pointer(memory, self.lines)
            count = self.integer(8 * size, self.lines)
            self.lines.append(f"call void @llvm.memset.p0.i64(ptr {base}, i8 0, i64 {count}, i1 0)")
        for loop in loops:
            LoopPrinter(self, loop).run()
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
                "%steps = alloca [8 x i64]",
                "%count = alloca i64",
                "%flags = alloca i32",
                "store i32 0, ptr %flags",
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
        result = self.new()
        return "\n  ".join([*self.lines, f"{result} = load i32, ptr %flags", f"ret i32 {result}"])

    def note_flags(self, lines: list[str]) -> None:
        """Remember the floating point flags: some loops of SciPy's clear them."""
        now, before, both = self.new(), self.new(), self.new()
        lines += [
            f"{now} = call i32 %test(i32 {ALL_FLAGS})",
            f"{before} = load i32, ptr %flags",
            f"{both} = or i32 {now}, {before}",
            f"store i32 {both}, ptr %flags",
        ]

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


class LoopPrinter:
    """Prints one loop, in stages: what ufuncs need, their calls, and what needs their results."""

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

    # ---- the loop -----------------------------------------------------------------------------

    def run(self) -> None:
        """Add the loop to the function."""
        if self.loop.size == 1:
            self._run_numbers()
            return
        self.tables.indices[self.index_key] = []
        computed = self.schedule.computed(self.loop)
        calls = [v for v in computed if _is_call(v)]
        for value in computed:
            self._stage[value] = self._stage_of(value)
        size = self._outer_integer(self.loop.size)
        if calls:
            self._in_blocks(size, calls)
        else:
            self._counted(size, "%zero", lambda: self._store_all(self.loop.stores), self.body)
        width = len(self.tables.indices[self.index_key])
        lines = [line.replace("@WIDTH@", str(width)) for line in self.body]
        self.function.lines += [*self.before, *lines, *self.after]

    def _run_numbers(self) -> None:
        self.body = self.before
        for store in self.loop.stores:
            name = self._number_value(store.value)
            base = self._pointer(store.memory)
            at = self._offset_of_number(store)
            self._store_at(name, store.value.dtype, base, at)
        self.function.lines += self.before

    def _offset_of_number(self, store: ElementStore) -> str:
        if store.positions is None:
            return "0"
        return self._outer_integer(int(store.positions.values[0]))

    def _stage_of(self, value: Value) -> int:
        args = [a for a in value.args if not is_moved(value, a)]
        stage = max((self._stage.get(a, 0) for a in args), default=0)
        return stage + _is_call(value)

    def _counted(self, count: str, begin: str, body: Any, lines: list[str]) -> None:
        """Print ``for j in range(count)``; the element is begin + j."""
        f = self.function
        head, inside, after, before = (f.label(x) for x in ("head", "body", "after", "before"))
        j, following, more = f.new(), f.new(), f.new()
        lines += [f"br label %{before}", f"{before}:", f"br label %{head}", f"{head}:"]
        lines.append(f"{j} = phi i64 [ 0, %{before} ], [ {following}, %{inside}.end ]")
        lines += [f"{more} = icmp slt i64 {j}, {count}"]
        lines += [f"br i1 {more}, label %{inside}, label %{after}", f"{inside}:"]
        self.body = lines
        if begin == "%zero":
            self.i = self.j = j
        else:
            self.i, self.j = f.new(), j
            lines.append(f"{self.i} = add i64 {begin}, {j}")
        self._known, self._column_values = {}, {}
        body()
        lines += [f"br label %{inside}.end", f"{inside}.end:"]
        lines += [f"{following} = add nuw nsw i64 {j}, 1", f"br label %{head}", f"{after}:"]

    def _in_blocks(self, size: str, calls: list[Value]) -> None:
        f = self.function
        stages, crossing = self._stages(calls)
        lines = self.body
        head, inside, after, before = (f.label(x) for x in ("heads", "block", "after", "before"))
        b, following, more, rest, short, count = (f.new() for _ in range(6))
        lines += [f"br label %{before}", f"{before}:", f"br label %{head}", f"{head}:"]
        lines.append(f"{b} = phi i64 [ 0, %{before} ], [ {following}, %{inside}.end ]")
        lines += [f"{more} = icmp slt i64 {b}, {size}"]
        lines += [f"br i1 {more}, label %{inside}, label %{after}", f"{inside}:"]
        lines += [f"{rest} = sub i64 {size}, {b}", f"{short} = icmp slt i64 {rest}, {BLOCK}"]
        lines.append(f"{count} = select i1 {short}, i64 {rest}, i64 {BLOCK}")
        for stage in range(max(stages) + 1):
            self._now = stage
            stores, arguments = stages[stage]
            kept = [v for v in crossing if self._stage[v] == stage]
            if stores or arguments or kept:
                self._counted(
                    count, b, lambda s=stores, a=[*arguments, *kept]: self._stage_body(s, a), lines
                )
            for call in calls:
                if self._stage[call] == stage + 1:
                    self._call(call, b, count, lines)
        self._now = 0
        lines += [f"br label %{inside}.end", f"{inside}.end:"]
        lines += [f"{following} = add i64 {b}, {BLOCK}", f"br label %{head}", f"{after}:"]

    def _stages(self, calls: list[Value]) -> tuple[dict[int, Any], dict[Value, None]]:
        """Return stores and arguments of calls by stage, and what later stages read again."""
        last = max(self._stage[c] for c in calls)
        stages: dict[int, Any] = {k: ([], {}) for k in range(last + 1)}
        for store in self.loop.stores:
            if _is_call(store.value) and self._own_memory(store.value) == store.memory:
                continue  # the call writes it
            stages[self._stage.get(store.value, 0)][0].append(store)
        for call in calls:
            for arg in call.args:
                if arg.size > 1 and not self._in_memory(arg):
                    stages[self._stage[call] - 1][1][arg] = None
                    self._slot(arg)
        crossing: dict[Value, None] = {}
        for k in range(last, 0, -1):
            stores, arguments = stages[k]
            roots = [s.value for s in stores] + list(arguments)
            roots += [v for v in crossing if self._stage[v] == k]
            for value in self._read_again(roots, k):
                crossing[value] = None
                self._slot(value)
        return stages, crossing

    def _read_again(self, roots: list[Value], stage: int) -> list[Value]:
        found: list[Value] = []
        seen, pending = set(), list(roots)
        while pending:
            value = pending.pop()
            if value in seen or value.size == 1 or not isinstance(value, (Elementwise, Rows)):
                continue
            seen.add(value)
            if self.schedule.is_read(value, self.loop) or _is_call(value):
                continue
            if self._stage.get(value, 0) < stage:
                if value.op == "copy" if isinstance(value, Elementwise) else False:
                    continue
                found.append(value)
            else:
                pending += [a for a in value.args if not is_moved(value, a)]
        return found

    def _stage_body(self, stores: list[ElementStore], values: list[Value]) -> None:
        for value in values:
            if self._own_memory(value) is None or _is_call(value):
                base = self._scratch(value)
                self._store_at(self._value(value), value.dtype, base, self.j)
        self._store_all(stores)

    def _store_all(self, stores: list[ElementStore]) -> None:
        for store in stores:
            name = self._value(store.value)
            if store.counted:
                self._count(store, name)
                continue
            at = self.i if store.positions is None else self._position(store.positions)
            self._store_at(name, store.value.dtype, self._pointer(store.memory), at)

    def _count(self, store: ElementStore, name: str) -> None:
        """Count the elements for which a truth value holds; stored behind the loop."""
        f, key = self.function, ("counted", store)
        if key not in self._outside:
            self._outside[key] = slot = f.new()
            f.entry.append(f"{slot} = alloca i64")
            self.before.append(f"store i64 0, ptr {slot}")
            found, number = f.new(), f.new()
            self.after.append(f"{found} = load i64, ptr {slot}")
            self.after.append(f"{number} = sitofp i64 {found} to double")
            self._store_at(number, "d", self._pointer(store.memory), "0", self.after)
        slot = self._outside[key]
        before, one, now = f.new(), f.new(), f.new()
        self.body.append(f"{before} = load i64, ptr {slot}")
        self.body.append(f"{one} = zext i1 {name} to i64")
        self.body.append(f"{now} = add i64 {before}, {one}")
        self.body.append(f"store i64 {now}, ptr {slot}")

    # ---- calls of ufuncs -----------------------------------------------------------------------

    def _call(self, call: Value, begin: str, count: str, lines: list[str]) -> None:
        assert isinstance(call, Elementwise)
        operands = [self._block(a, begin, lines) for a in call.args]
        operands.append(self._block(call, begin, lines))
        self._print_call(call.op, operands, count, lines)

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

    def _block(self, value: Value, begin: str, lines: list[str]) -> tuple[str, int]:
        """Return address and step of the elements of a block."""
        step = 8 if value.dtype == "d" else 1
        if value.size == 1:
            return self._address_of_number(value), 0
        memory = value.key if isinstance(value, Memory) else self._own_memory(value)
        if memory is None:
            return self._scratch(value), step
        at = self.function.new()
        kind = "double" if value.dtype == "d" else "i8"
        lines.append(f"{at} = getelementptr {kind}, ptr {self._pointer(memory)}, i64 {begin}")
        return at, step

    def _address_of_number(self, value: Value) -> str:
        key = ("address", value)
        if key not in self._outside:
            name = self._number_value(value)
            slot = self.function.new()
            self.function.entry.append(f"{slot} = alloca double")
            self._store_at(name, value.dtype, slot, "0", self.before)
            self._outside[key] = slot
        return self._outside[key]

    def _in_memory(self, value: Value) -> bool:
        return isinstance(value, Memory) or _is_call(value) or self._own_memory(value) is not None

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
        if _is_call(value) or (self._stage.get(value, 0) < self._now and self._is_kept(value)):
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
        if _is_call(value):
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


def _is_call(value: Value) -> bool:
    return isinstance(value, Elementwise) and isinstance(value.op, UfuncLoop)
