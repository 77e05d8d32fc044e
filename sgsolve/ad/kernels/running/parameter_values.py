"""What depends on the parameters of a kernel alone: computed by NumPy when they change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...derivatives.folded import STRICT
from ...drivers.traced_evaluation import PARAMETER
from ...programs.graph import ConstantNode, Node, Operand
from ...structures.operands import Contents
from ..printing.assembly import TemplateOf
from ..printing.kernel_code import KernelCode
from ..printing.kernel_result import FOREIGN, OtherWay
from .arguments import same_inputs, snapshot
from .kernel_guards import is_same_answer
from .kernel_memory import SMALL, Template

# To fill so many stretches with a number each takes less time than to copy an array.
MOST_STRETCHES = 8
QUIET: Any = {"all": "ignore"}


class ParameterValues:
    """The values of all nodes that depend on parameters alone, and the constants of the Jacobian.

    Those of the last parameters are kept.
    """

    def __init__(self, code: KernelCode) -> None:
        self._code = code
        self._known: tuple[Any, dict[Node, Any]] | None = None
        self._latest: tuple[Any, dict[Node, Any]] = None, {}
        self._without_inputs: dict[Node, Any] | None = None
        operands = (o for op in code.parameters for o in op.operands)
        self._constants: dict[Node, Any] = {
            o: o.value for o in operands if isinstance(o, ConstantNode)
        }
        self._operations = [
            (op, op.function, op.operands, any(isinstance(o, tuple) for o in op.operands))
            for op in code.parameters
        ]
        called = code.called
        self._guards = [(g.node, g.value) for g in code.late_guards if g.node not in called]
        self._template: Template | None = None
        self._template_of: Any = None

    def of(self, inputs: Mapping[str, Any]) -> dict[Node, Any]:
        """Return the values for inputs; the same object as long as these do not change.

        Raises
        ------
        OtherWay
            If a condition on parameters has another value, or an operation fails.
        """
        if not inputs and self._without_inputs is not None:
            return self._without_inputs
        latest, env = self._latest
        if latest is inputs:
            return env
        key = snapshot(inputs)
        known = self._known
        if known is not None and same_inputs(known[0], key):
            return known[1]
        env = self._computed(inputs)
        self._known = (key, env)
        if not any(isinstance(value, Contents) for value in key):  # no array, which may change
            self._latest = inputs, env
        if not inputs:
            self._without_inputs = env
        return env

    def _computed(self, inputs: Mapping[str, Any]) -> dict[Node, Any]:
        code = self._code
        env = dict(self._constants)
        for node in code.trace.graph.inputs.values():
            if node.key != "x":
                env[node] = inputs[str(node.key).removeprefix(PARAMETER)]
        try:
            with np.errstate(**(STRICT if code.with_jacobian else QUIET)):
                for operation, function, operands, nested in self._operations:
                    if nested:
                        env[operation] = function(*(given_value(o, env) for o in operands))
                    else:
                        env[operation] = function(*[env[o] for o in operands])
        except FOREIGN as error:  # the evaluation by NumPy raises it too, or does not come there
            raise OtherWay(f"{type(error).__name__} in what depends on parameters") from error
        for guarded, value in self._guards:
            if not is_same_answer(env[guarded], value):
                raise OtherWay("a condition on parameters has another value")
        return env

    def template(self, env: dict[Node, Any]) -> Template:
        """Return the constants of the Jacobian for values of the parameters."""
        if self._template_of is not env or self._template is None:
            self._template, self._template_of = self._new_template(env), env
        return self._template

    def _new_template(self, env: dict[Node, Any]) -> Template:
        code = self._code
        numbers = tuple(given_value(node, env) for node in code.numbers)
        known = self._template
        if known is None or known.numbers != numbers:
            full = TemplateOf(code.trace.plan)(*numbers)
            parts = {key: full[places] for key, places in code.parts.items()}
            fill: Any = None
            stretches: list[tuple[int, int, float]] = []
            if code.fixed is not None:
                values = full[code.fixed]
                fill = values[0] if bool((values == values[0]).all()) else full
                if fill is full and len(full) > SMALL:
                    stretches = _stretches(code.fixed, values, len(full))
            known = Template(numbers, parts, fill, stretches)
        return known


def _stretches(places: Any, values: Any, count: int) -> list[tuple[int, int, float]]:
    """Return stretches of all places with one value each; none if there would be many."""
    begins = np.flatnonzero(values[1:] != values[:-1]) + 1
    if len(begins) >= MOST_STRETCHES:
        return []
    ends = [0, *places[begins].tolist(), count]
    numbers = [float(values[0]), *values[begins].tolist()]
    return list(zip(ends[:-1], ends[1:], numbers, strict=True))


def given_value(operand: Operand, env: dict[Node, Any]) -> Any:
    """Return the value of a node or a tuple of nodes."""
    if isinstance(operand, tuple):
        return tuple(given_value(o, env) for o in operand)
    return operand.value if isinstance(operand, ConstantNode) else env[operand]
