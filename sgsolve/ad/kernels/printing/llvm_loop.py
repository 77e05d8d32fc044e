"""Writes one loop as LLVM IR, in stages: arguments of ufuncs, their calls, and what follows."""

from __future__ import annotations

from typing import Any

from ..lowering.values import Elementwise, Memory, Product, Rows, Value
from .llvm_elements import BLOCK, ElementPrinter
from .llvm_instructions import is_call, is_copy
from .loop_schedule import ElementStore


class LoopPrinter(ElementPrinter):
    """Prints one loop."""

    # ---- the loop -----------------------------------------------------------------------------

    def run(self) -> None:
        """Add the loop to the function."""
        stores = self._print_products()
        if self.loop.size == 1:
            self._run_numbers()
            return
        if not stores:
            self.function.lines += self.before
            return
        self.tables.indices[self.index_key] = []
        computed = [v for v in self.schedule.computed(self.loop) if v.size > 1]
        calls = [v for v in computed if is_call(v)]
        for value in computed:
            self._stage[value] = self._stage_of(value)
        size = self._outer_integer(self.loop.size)
        if calls:
            self._in_blocks(size, calls)
        else:
            self._print_elements(size)
        width = len(self.tables.indices[self.index_key])
        body = "\n  ".join(self.body).replace("@WIDTH@", str(width))
        self.function.lines += [*self.before, body, *self.after]

    def _print_elements(self, size: str) -> None:
        """Print the loop over single elements."""
        self._counted(size, "%zero", lambda: self._store_all(self._stores), self.body)

    def _print_products(self) -> list[ElementStore]:
        """Print the products of whole arrays before the loop; return the other stores."""
        self._stores = []
        for store in self.loop.stores:
            if isinstance(store.value, Product) and self._own_memory(store.value) == store.memory:
                self._print_product(store.value)
            else:
                self._stores.append(store)
        return self._stores

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
        stage = max((self._stage.get(a, 0) for a in value.beside), default=0)
        return stage + is_call(value)

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
        for store in self._stores:
            if is_call(store.value) and self._own_memory(store.value) == store.memory:
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
            if self.schedule.is_read(value, self.loop) or is_call(value):
                continue
            if self._stage.get(value, 0) < stage:
                if not is_copy(value):
                    found.append(value)
            else:
                pending += value.beside
        return found

    def _stage_body(self, stores: list[ElementStore], values: list[Value]) -> None:
        for value in values:
            if self._own_memory(value) is None or is_call(value):
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
        self._print_call(lines, call.op, [count], *zip(*operands, strict=True))
        if call in self.function.of_values:
            self.function.note_flags_apart(lines)

    def _block(self, value: Value, begin: str, lines: list[str]) -> tuple[str, int]:
        """Return address and step of the elements of a block."""
        step = 8 if value.dtype == "d" else 1
        if value.size == 1:
            return self._address_of_number(value), 0
        memory = self._memory_read(value)
        if memory is None:
            return self._scratch(value), step
        at = self.function.new()
        kind = "double" if value.dtype == "d" else "i8"
        lines.append(f"{at} = getelementptr {kind}, ptr {self._pointer(memory)}, i64 {begin}")
        return at, step

    def _in_memory(self, value: Value) -> bool:
        return isinstance(value, Memory) or is_call(value) or self._own_memory(value) is not None
