"""Derivatives whose operations are recorded instead of carried out.

While a residual runs, every operation on an AD array adds a node to the `derivative_graph`. When
the Jacobian is asked for, the `Program` of the last node is run if there is one. Otherwise the
recorded operations are carried out one after the other, by the methods of `Derivative`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.array_operations import NUMBERS
from ..derivatives.derivative import Derivative, Scale
from ..derivatives.masked_coefficients import mask_of, masked_coefficient
from ..derivatives.symbols import TracedScalar
from ..structures.operands import Constant, Index, Matrix
from ..structures.structure import Structure
from .derivative_graph import MOST_NODES, DerivativeNode
from .tape import Tape

# Longer chains of operations are carried out at once.
MOST_DEPTH = 4000
# A factor that was this many numbers (a time step, a parameter of a sweep) goes to the tape.
MOST_NUMBERS = 4
PLAIN_NUMBERS = (float, int, np.float64, complex, np.complex128)


@functools.cache
def _derivative_method(name: str) -> Callable[..., Derivative]:
    """Return the function that calls a method of whatever form of derivative there will be."""

    def call(derivative: Derivative, *arguments: Any) -> Derivative:
        result: Derivative = getattr(derivative, name)(*arguments)
        return result

    return call


@functools.cache
def _method_of_all(name: str) -> Callable[..., Derivative]:
    """Return the function that calls a method with all other derivatives as one argument."""

    def call(derivative: Derivative, *others: Derivative) -> Derivative:
        result: Derivative = getattr(derivative, name)(others)
        return result

    return call


class Recorded(Derivative):
    """The derivative that a node of a tape stands for."""

    __slots__ = ("node", "tape")

    def __init__(self, tape: Tape, node: DerivativeNode) -> None:
        self.root = tape.root
        self.tape = tape
        self.node = node

    @property
    def terms(self) -> Any:  # type: ignore[override]  # read only
        """The terms; asking for them carries the recorded operations out."""
        return self.tape.carry_out(self.node).terms

    def carried_out(self) -> Derivative:
        """Return the same derivative with its terms at hand."""
        return self.tape.carry_out(self.node)

    def sliced_unknowns(self) -> Sequence[int] | None:
        """Return the unknowns whose derivative this is, if slices alone led to it."""
        node, start, taken_slice = (
            self.node,
            self.tape.graph.start,
            _derivative_method("taken_slice"),
        )
        slices = []
        while node is not start:
            if node.apply is not taken_slice:
                return None
            slices.append(node.arguments)
            node = node.parents[0]
        unknowns: Sequence[int] = range(len(self.root.cols))
        for bounds in reversed(slices):
            unknowns = [unknowns[k] for k in range(*bounds)]
        return unknowns

    def _noted(
        self,
        key: Hashable,
        apply: Callable[..., Derivative],
        arguments: tuple[Any, ...] = (),
        items: tuple[Any, ...] = (),
        others: tuple[Recorded, ...] = (),
    ) -> Derivative:
        """Return the derivative after an operation; the commonest ones look themselves up first."""
        tape, parent = self.tape, self.node
        known = parent.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        parents = (parent, *(o.node for o in others))
        inputs = tuple(map(tape.position, items))
        if parent.depth >= MOST_DEPTH or -1 in inputs:
            made = [tape.carry_out(p) for p in parents]
            return apply(*made, *arguments, *items)
        node = parent.children.setdefault(key, DerivativeNode(apply, parents, arguments, inputs))
        tape.graph.size += 1
        if tape.graph.size > MOST_NODES:
            self.root.root.prune_next_time()
        return Recorded(tape, node)

    def scaled(self, factor: Scale) -> Derivative:
        """Return diag(factor) times this derivative."""
        number: Any = 1.0
        if type(factor) is tuple:
            number, factor = factor
        elif type(factor) is not np.ndarray and isinstance(factor, NUMBERS):
            return self.scaled_by_number(factor)
        position = self.tape.position(factor)
        # A traced number is told by its identity: its value is not known to be the same next time.
        traced = type(number) is not float and isinstance(number, TracedScalar)
        key = (position, id(number) if traced else number)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _scaled_by_array, (number,), (factor,))

    def scaled_by_values(self, values: Any, number: float = 1.0) -> Derivative:
        """Return diag(number values) times this derivative, for values of the code, not slopes."""
        key = ("values", self.tape.position(values), number)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _scaled_by_values, (number,), (values,))

    def scaled_by_number(self, number: Any) -> Derivative:
        """Return `number` times this derivative."""
        tape = self.tape
        tape.numbers += 1
        varying = tape.graph.varying
        if not varying and type(number) is float:
            known = self.node.children.get((float, float, number))
            if known is not None:
                return Recorded(tape, known)
        place = tape.numbers, self.node.kind
        varies = bool(varying) and place in varying
        traced = isinstance(number, TracedScalar)
        if traced or varies:
            if type(number) not in PLAIN_NUMBERS and not traced:
                return tape.carry_out(self.node).scaled_by_number(number)
            if not traced:
                number = complex(number) if isinstance(number, complex) else float(number)
            key: Hashable = ("number", tape.position(number))
            return self._noted(key, _derivative_method("scaled_by_number"), (), (number,))
        key = (float, type(number), number)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        met = tape.graph.numbers.setdefault(place, set())
        met.add(number)
        if len(met) >= MOST_NUMBERS:
            varying.add(place)
        return self._noted(key, _derivative_method("scaled_by_number"), (number,))

    def weighted(self, constant: Constant) -> Derivative:
        """Return diag(constant) times this derivative, the constant part of it staying constant."""
        known = self.node.children.get(constant)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(constant, _derivative_method("weighted"), (constant,))

    def conjugated(self) -> Derivative:
        """Return the complex conjugate."""
        return self._noted("conjugated", _derivative_method("conjugated"))

    def real_part(self) -> Derivative:
        """Return the real part."""
        return self._noted("real_part", _derivative_method("real_part"))

    def imaginary_part(self) -> Derivative:
        """Return the imaginary part."""
        return self._noted("imaginary_part", _derivative_method("imaginary_part"))

    def masked(self, mask: NDArray[Any], holds: bool = True) -> Derivative:
        """Return this derivative where `mask` holds (or does not), zero and constant elsewhere."""
        key = ("masked", self.tape.position(mask), holds)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _masked, (holds,), (mask,))

    def plus(self, other: Derivative, sign: float = 1.0) -> Derivative:
        """Return this derivative plus (or minus, with sign -1) another one of the same size."""
        tape = self.tape
        if type(other) is not Recorded or other.tape is not tape:
            return tape.carry_out(self.node).plus(other, sign)
        key = (other.node, sign)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, _derivative_method("plus"), (sign,), (), (other,))

    def plus_all(self, others: Sequence[Derivative]) -> Derivative:
        """Return the sum with all the others."""
        return self._with_others("plus_all", others)

    def joined(self, others: Sequence[Derivative]) -> Derivative:
        """Return the sum with all the others, each of which has rows of its own."""
        return self._with_others("joined", others)

    def _with_others(self, name: str, others: Sequence[Derivative]) -> Derivative:
        tape = self.tape
        mine: list[Recorded] = []
        for other in others:
            if type(other) is not Recorded or other.tape is not tape:
                return _method_of_all(name)(tape.carry_out(self.node), *others)
            mine.append(other)
        key = (name, *[other.node for other in mine])
        return self._noted(key, _method_of_all(name), (), (), tuple(mine))

    def product(self, other: Derivative, value: Any, others: Any) -> Derivative:
        """Return the derivative of the product of two arrays with these values."""
        tape = self.tape
        if type(other) is not Recorded or other.tape is not tape:
            return tape.carry_out(self.node).product(other, value, others)
        i, j = tape.position(value), tape.position(others)
        key = (other.node, i, j)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, _derivative_method("product"), (), (value, others), (other,))

    def quotient(self, other: Derivative, result: Any, others: Any) -> Derivative:
        """Return the derivative of a quotient from its value and that of the denominator."""
        tape = self.tape
        if type(other) is not Recorded or other.tape is not tape:
            return tape.carry_out(self.node).quotient(other, result, others)
        i, j = tape.position(result), tape.position(others)
        key = ("quotient", other.node, i, j)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, _derivative_method("quotient"), (), (result, others), (other,))

    def chained(self, rule: Callable[..., Any], result: Any, value: Any) -> Derivative:
        """Return the derivative of a function with that rule, from its result and argument."""
        tape = self.tape
        i, j = tape.position(result), tape.position(value)
        key = (rule, i, j)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, _derivative_method("chained"), (rule,), (result, value))

    def taken(self, index: Index) -> Derivative:
        """Return the derivative of the flattened array at these positions."""
        if index.transient:
            position = self.tape.position(index)
            # A program is right only for arrays that repeat a position, or for all others.
            key: Hashable = ("taken", position, index.unique)
            known = self.node.children.get(key)
            if known is not None:
                return Recorded(self.tape, known)
            return self._noted(key, _derivative_method("taken"), (), (index,))
        known = self.node.children.get(index)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(index, _derivative_method("taken"), (index,))

    def taken_slice(self, start: int, stop: int, step: int) -> Derivative:
        """Return the derivative of ``y[start:stop:step]``."""
        key = (slice, start, stop, step)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _derivative_method("taken_slice"), (start, stop, step))

    def put(self, rows: Index | slice, size: int) -> Derivative:
        """Return the derivative of an array of `size` zeros with this one added at `rows`."""
        if type(rows) is Index and rows.transient:
            position = self.tape.position(rows)
            key: Hashable = ("put", position, size, rows.unique)
            return self._noted(key, _put_indexed, (size,), (rows,))
        key = (rows.start if type(rows) is slice else rows, "put", size)
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _derivative_method("put"), (rows, size))

    def nothing(self) -> Derivative:
        """Return the derivative of constants."""
        return self._noted("nothing", _derivative_method("nothing"))

    def multiplied(self, matrix: Matrix) -> Derivative:
        """Return the derivative of ``A @ y``."""
        known = self.node.children.get(matrix)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(matrix, _derivative_method("multiplied"), (matrix,))

    def combined(
        self,
        apply: Callable[..., Derivative],
        others: tuple[Derivative, ...],
        argument: Any,
        items: tuple[Any, ...],
    ) -> Derivative:
        """Return ``apply(self, *others, argument, *items)``, items being of this evaluation."""
        tape = self.tape
        for other in others:
            if type(other) is not Recorded or other.tape is not tape:
                return apply(tape.carry_out(self.node), *others, argument, *items)
        mine: Any = others
        positions = tuple([tape.position(item) for item in items])
        key = (apply, argument, positions, tuple([o.node for o in mine]))
        known = self.node.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, apply, (argument,), items, mine)


def recorded_entries(
    tape: Tape, structure: Structure, slopes: NDArray[Any], mask: NDArray[Any] | None
) -> Derivative:
    """Return the derivative with these entries, which were computed aside from the tape."""
    items = (slopes,) if mask is None else (slopes, mask)
    key = ("entries", structure, *map(tape.position, items))
    return Recorded(tape, tape.graph.start)._noted(key, with_entries, (structure,), items)


def with_entries(d: Derivative, structure: Structure, slopes: Any, mask: Any = None) -> Derivative:
    """Return the derivative with these entries; that of a constant where a mask does not hold."""
    c = slopes if mask is None else masked_coefficient(slopes, mask_of(mask, True))
    return type(d)(d.root, {structure: (0.0, 1.0, c, None)})


# Operations whose arguments stand in another order than those of the method.


def _scaled_by_array(d: Derivative, number: Any, array: Any) -> Derivative:
    return d.scaled((number, array))


def _scaled_by_values(d: Derivative, number: float, values: Any) -> Derivative:
    return d.scaled_by_values(values, number)


def _masked(d: Derivative, holds: bool, mask: Any) -> Derivative:
    return d.masked(mask, holds)


def _put_indexed(d: Derivative, size: int, rows: Index) -> Derivative:
    return d.put(rows, size)
