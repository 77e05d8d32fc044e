"""Writes the code of a kernel: from a trace to the text of its functions and what tables hold."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...derivatives.symbols import UntraceableError
from ...drivers.traced_evaluation import Trace
from ...programs.graph import ConstantNode, Guard, Kind, Node, Operation
from ..lowering.lower_graph import lower_graph
from ..lowering.lowering import Lowering
from ..lowering.values import Memory, Value
from .assembly import Assembly, TemplateOf
from .kernel_code import KernelCode, Segment
from .kernel_tables import Tables
from .llvm_function import HEADER, FunctionPrinter
from .llvm_instructions import is_call
from .llvm_loop import LoopPrinter
from .loop_schedule import Loop, LoopSchedule
from .loops_in_turn import LoopsInTurn, in_turn
from .vector_loops import VectorLoopPrinter, gains_by_vectors


class CodeWriter:
    """Writes the code of one kernel of a trace."""

    def __init__(self, trace: Trace, with_jacobian: bool) -> None:
        self.trace, self.with_jacobian = trace, with_jacobian
        graph, plan, of_value = trace.graph, trace.plan, trace.guards_of_value
        self.all_guards = graph.guards if with_jacobian else graph.guards[:of_value]
        self.numbers: list[Node] = graph.results[1:] if with_jacobian else []
        stores = graph.stores if with_jacobian else []
        wanted = [graph.results[0], *self.numbers, *(g.node for g in self.all_guards)]
        wanted += [node for s in stores for node in (s.array, s.factor)]
        self.lowering = lowering = Lowering(graph)
        lower_graph(lowering, wanted)
        self.schedule = schedule = LoopSchedule(lowering.levels)
        self.memories: dict[Hashable, tuple[int, str]] = {}
        schedule.output(lowering.as_double(lowering.value(graph.results[0])), "F")
        self.parts: dict[Hashable, NDArray[Any]] = {}
        self.fixed: NDArray[Any] | None = None
        if with_jacobian:
            self._store_jacobian(plan, stores)
        self.guards: list[tuple[Guard, str, int]] = []
        self.late_guards: list[Guard] = []
        self._store_guards()
        self._store_counts()
        self._keep_operands()
        self._print()

    def code(self) -> KernelCode:
        """Return the code."""
        lowering, tables, graph = self.lowering, self.tables, self.trace.graph
        memories = [m for m in lowering.values.memories() if m.key in tables.addresses]
        given = {k: node for k, node in lowering.given.items() if lowering.is_parameter(node)}
        return KernelCode(
            self.trace,
            self.with_jacobian,
            self.text,
            self.names,
            self.steps,
            tables.addresses,
            np.array([*tables.integers, 0], dtype=np.int64),
            np.array([*map(float, tables.numbers), 0.0]),
            tables.scratch,
            tables.constants(memories),
            self.memories,
            [m.key for m in memories if m.constant is None and m.is_number],
            self.guards,
            self.late_guards,
            self.operands,
            lowering.given,
            given,
            lowering.calls,
            lowering.parameters,
            self.numbers,
            bool(self.parts) or self.fixed is not None,
            self.parts,
            self.fixed,
            lowering.value(graph.results[0]).size,
            self.trace.plan.layout.pattern.nnz,
        )

    def _store_jacobian(self, plan: Any, stores: Any) -> None:
        values, sources = self.lowering.values, []
        for store in sorted(stores, key=lambda s: s.place):
            array, factor = self.lowering.value(store.array), self.lowering.value(store.factor)
            if array.dtype != "d" or array.branch is not None:
                raise UntraceableError(f"coefficients of {store.array.dtype}")
            source = plan.layout.sources[store.place]
            if array.size != source.length:
                raise UntraceableError("coefficients of another number")
            sources.append(values.elementwise("mul", array, factor, size=array.size))
        assembly = Assembly(values, self.schedule, plan, sources, self._late_template(plan))
        assembly.store()
        self.parts, self.fixed = assembly.parts, assembly.fixed

    def _late_template(self, plan: Any) -> Memory | None:
        """Return the constant part of the Jacobian if its numbers depend on x; else None."""
        lowering = self.lowering
        if all(isinstance(n, ConstantNode) or lowering.is_parameter(n) for n in self.numbers):
            return None
        size = plan.layout.pattern.nnz + 1
        filled = TemplateOf(plan)
        node = Operation(filled, tuple(self.numbers), Kind.ARRAY, (size,), np.dtype(float))
        lowering.call(node)
        template = lowering.value(node)
        assert isinstance(template, Memory)
        return template

    def _store_guards(self) -> None:
        lowering, counts = self.lowering, {"d": 0, "b": 0}
        for guard in self.all_guards_once():
            node = guard.node
            if lowering.is_parameter(node) or lowering.is_called(node):
                self.late_guards.append(guard)
                continue
            value = lowering.value(node)
            if value.branch is not None:
                raise UntraceableError("a condition inside of a branch")
            if value.size == 1:
                place = counts[value.dtype]
                counts[value.dtype] += 1
                at = lowering.values.progression(1, place)
                self.schedule.scattered(value, ("guards", value.dtype), at)
                self.guards.append((guard, value.dtype, place))
            else:
                self.schedule.output(value, ("guard", node))
                self.guards.append((guard, value.dtype, -1))
        for dtype, count in counts.items():
            self.memories["guards", dtype] = (count, dtype)

    def _store_counts(self) -> None:
        """Store how many elements the sides of branches have: code may depend on these numbers."""
        lowering, count = self.lowering, 0
        for operation in self.trace.graph.operations:
            if operation.function is np.count_nonzero and lowering.is_lowered(operation):
                value, at = lowering.value(operation), lowering.values.progression(1, count)
                self.schedule.scattered(value, "counts", at)
                count += 1
        if count:
            self.memories["counts"] = (count, "d")

    def _calls_of_values(self) -> set[Value]:
        """Return the calls that compute values and no derivatives; none in a kernel of F alone."""
        found: dict[bool, set[Value]] = {True: set(), False: set()}
        graph, lowering = self.trace.graph, self.lowering
        for operation in graph.operations if self.with_jacobian else ():
            if lowering.is_lowered(operation):
                found[operation in graph.of_slopes].add(lowering.value(operation))
        return set(filter(is_call, found[False] - found[True]))

    def all_guards_once(self) -> list[Guard]:
        """Return the guards; one for each node."""
        known: dict[Node, Guard] = {}
        for guard in self.all_guards:
            known.setdefault(guard.node, guard)
        return list(known.values())

    def _keep_operands(self) -> None:
        """Store what calls, and the constant part of the Jacobian, take from the loops."""
        self.operands: dict[Node, Hashable] = {}
        nodes = [n for call in self.lowering.calls for n in call.operation.nodes()]
        for node in dict.fromkeys(nodes):
            if self.lowering.is_computed(node):
                self.operands[node] = self.schedule.keep(self.lowering.value(node))

    def _print(self) -> None:
        loops = self.schedule.loops()
        whole = ((value, memory) for memory, value in self.schedule.stored_whole.items())
        for value, memory in (*whole, *self.schedule.memory_of.items()):
            self.memories[memory] = (value.size, value.dtype)
        levels = sorted({call.level for call in self.lowering.calls})
        groups: list[list[Loop]] = [[] for _ in range(len(levels) + 1)]
        for loop in loops:
            groups[sum(loop.level > level for level in levels)].append(loop)
        self.tables = Tables()
        self.names: list[str] = []
        self.steps: list[Segment] = []
        texts, of_values = [], self._calls_of_values()
        for k, group in enumerate(self._parts(groups, loops)):
            calls = [c for c in self.lowering.calls if k < len(levels) and c.level == levels[k]]
            zeroed = [(m, self.memories[m][0]) for m in self.schedule.zeroed] if not k else []
            if group or zeroed:
                name = f"run{len(self.names)}"
                printer = FunctionPrinter(name, self.schedule, self.tables, of_values)
                printer.fill_with_zeros(zeroed)
                for part in group:
                    if isinstance(part, LoopsInTurn):
                        part.run(printer)
                    else:
                        vectors = gains_by_vectors(part, self.schedule)
                        (VectorLoopPrinter if vectors else LoopPrinter)(printer, part).run()
                texts.append(printer.text())
                self.names.append(name)
                self.steps.append(Segment(len(self.names) - 1, calls))
            else:
                self.steps.append(Segment(-1, calls))
        self.text = HEADER + "\n".join(texts)

    def _parts(self, groups: list[list[Loop]], loops: list[Loop]) -> list[list[LoopsInTurn | Loop]]:
        """Return the groups with the loops that run in turn together."""
        parts = [list(in_turn(group, self.schedule)) for group in groups]
        kept = set(self.operands.values()) | set(self.schedule.zeroed)
        for part in chain.from_iterable(parts):
            if isinstance(part, LoopsInTurn):
                part.find_windows(loops, kept)
                self.memories.update(part.own_memories())
        return parts
