"""The code of a kernel: from a trace to the text of its functions and what their tables hold."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np

from ..derivatives.symbols import UntraceableError
from ..programs.graph import ConstantNode, Guard, Kind, Node
from ..traced_evaluation import Trace
from .assembly import Assembly, TemplateOf
from .kernel_tables import Tables
from .llvm_function import HEADER, FunctionPrinter
from .llvm_loop import LoopPrinter
from .loop_schedule import Loop, LoopSchedule
from .lower_graph import lower_graph
from .lowering import Lowering, NumpyCall
from .values import Memory


class Segment(NamedTuple):
    """A function to run, and the calls after it."""

    function: int
    calls: list[NumpyCall]


class KernelCode:
    """What runs for F, or for F and the values of its Jacobian.

    Attributes
    ----------
    lowering : Lowering
    text : str
        LLVM IR.
    names : list of str
        Of the functions in it.
    steps : list of Segment
    tables : Tables
    memories : dict
        Size and type of each memory that the kernel itself writes.
    guards : list of (Guard, int)
        Guards that the kernel computes, with their places among its doubles or truth values; place
        -1: an array, in the memory ("guard", node).
    numbers : list of Node
        What the constant part of the Jacobian is made of.
    """

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
        self.template = False
        if with_jacobian:
            self._store_jacobian(plan, stores)
        self.guards: list[tuple[Guard, str, int]] = []
        self.late_guards: list[Guard] = []
        self._store_guards()
        self._store_counts()
        self._keep_operands()
        self._print()
        self.size = lowering.value(graph.results[0]).size
        self.nnz = plan.layout.pattern.nnz
        self.x_node = graph.inputs["x"]
        self.called = {call.operation for call in lowering.calls}
        self.given = {
            key: node for key, node in lowering.given.items() if lowering.is_parameter(node)
        }

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
        self.assembly = Assembly(values, self.schedule, plan, sources, self._late_template(plan))
        self.assembly.store()
        self.parts, self.fixed = self.assembly.parts, self.assembly.fixed
        self.template = bool(self.parts) or self.fixed is not None

    def _late_template(self, plan: Any) -> Memory | None:
        """Return the constant part of the Jacobian if its numbers depend on x; else None."""
        lowering = self.lowering
        if all(isinstance(n, ConstantNode) or lowering.is_parameter(n) for n in self.numbers):
            return None
        size = plan.layout.pattern.nnz + 1
        filled = TemplateOf(plan)
        node = self.trace.graph.operation(
            filled, tuple(self.numbers), Kind.ARRAY, (size,), np.dtype(float)
        )
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
        texts = []
        for k, group in enumerate(groups):
            calls = [c for c in self.lowering.calls if k < len(levels) and c.level == levels[k]]
            zeroed = [(m, self.memories[m][0]) for m in self.schedule.zeroed] if not k else []
            if group or zeroed:
                name = f"run{len(self.names)}"
                printer = FunctionPrinter(name, self.schedule, self.tables)
                printer.fill_with_zeros(zeroed)
                for loop in group:
                    LoopPrinter(printer, loop).run()
                texts.append(printer.text())
                self.names.append(name)
                self.steps.append(Segment(len(self.names) - 1, calls))
            else:
                self.steps.append(Segment(-1, calls))
        self.text = HEADER + "\n".join(texts)
