"""Recorded derivatives: what was done to an array, written down instead of carried out.

While a residual runs, every operation on an AD array only notes its name. The notes of one
evaluation form a graph of *points*, which are interned: the same operation on the same point with
the same constants gives the same point back, on every evaluation. Arrays that differ from one
evaluation to the next (values, masks) are not part of a point; they lie on the *tape* of the
evaluation, and a point knows only their numbers on it.

When the Jacobian is asked for, the last point stands for the whole computation. If it was met
often enough there is a `Program` for it, which needs nothing but the tape; otherwise the notes are
carried out one after the other, by the methods of `Derivative`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .coefficients import NUMBERS
from .derivative import Derivative, Scale
from .operands import Constant, Index, Matrix

if TYPE_CHECKING:
    from .root import Root

# Longer chains of operations are carried out at once.
MOST_DEPTH = 4000
# A factor that was this many numbers (a time step, a parameter of a sweep) goes to the tape.
MOST_NUMBERS = 4
PLAIN_NUMBERS = (float, int, np.float64)
# What lies on a tape is not freed before the evaluation ends. A tape holds this much, and this
# many vectors of the length of the unknowns; more than that is carried out at once.
TAPE_BYTES = 1 << 24
TAPE_VECTORS = 64


class Point:
    """One operation on the derivatives of earlier points.

    Attributes
    ----------
    apply : callable
        ``apply(*derivatives, *arguments, *inputs)`` carries it out.
    parents : tuple of Point
    arguments : tuple
        Constants.
    inputs : tuple of int
        Positions on the tape.
    children : dict
        The points that were made from this one first.
    """

    __slots__ = ("apply", "arguments", "children", "depth", "inputs", "parents")

    def __init__(
        self,
        apply: Callable[..., Derivative],
        parents: tuple[Point, ...],
        arguments: tuple[Any, ...],
        inputs: tuple[int, ...],
    ) -> None:
        self.apply = apply
        self.parents = parents
        self.arguments = arguments
        self.inputs = inputs
        self.children: dict[Hashable, Point] = {}
        self.depth: int = 1 + max((p.depth for p in parents), default=0)


class Tape:
    """The arrays of one evaluation that its recorded operations refer to.

    Attributes
    ----------
    root : Root
    inputs : list
        Arrays, and operands that are likely to be others next time.
    """

    __slots__ = ("_positions", "inputs", "made", "numbers", "room", "root")

    def __init__(self, root: Root) -> None:
        self.root = root
        self.inputs: list[Any] = []
        self._positions: dict[int, int] = {}
        self.made: dict[Point, Derivative] = {}
        self.numbers = 0
        self.room = TAPE_BYTES + TAPE_VECTORS * 8 * root.size

    def position(self, item: Any) -> int:
        """Return the position of an array or operand, put there if need be; -1: no room."""
        known = self._positions.get(id(item))
        if known is None:
            if type(item) is np.ndarray:
                self.room -= item.nbytes
            if self.room < 0:
                return -1
            known = self._positions[id(item)] = len(self.inputs)
            self.inputs.append(item)
        return known

    def carry_out(self, point: Point) -> Derivative:
        """Return the derivative that a point stands for."""
        made = self.made.get(point)
        if made is None:
            made = carry_out(point, self.inputs, self.made)
            self.made[point] = made
        return made


class Recorded(Derivative):
    """The derivative that a point of a tape stands for."""

    __slots__ = ("point", "tape")

    def __init__(self, tape: Tape, point: Point) -> None:
        self.root = tape.root
        self.tape = tape
        self.point = point

    @property
    def terms(self) -> Any:  # type: ignore[override]
        """The terms; asking for them carries the recorded operations out."""
        return self.tape.carry_out(self.point).terms

    def _noted(
        self,
        key: Hashable,
        apply: Callable[..., Derivative],
        arguments: tuple[Any, ...] = (),
        items: tuple[Any, ...] = (),
        others: tuple[Recorded, ...] = (),
    ) -> Derivative:
        """Return the derivative after an operation that was not met at this point before."""
        tape, parent = self.tape, self.point
        parents = (parent, *(o.point for o in others))
        inputs = tuple(map(tape.position, items))
        if parent.depth >= MOST_DEPTH or -1 in inputs:
            made = [tape.carry_out(p) for p in parents]
            return apply(*made, *arguments, *items)
        point = parent.children.setdefault(key, Point(apply, parents, arguments, inputs))
        tape.root.points += 1
        return Recorded(tape, point)

    def scaled(self, factor: Scale) -> Derivative:
        """Return diag(factor) times this derivative."""
        point = self.point
        if isinstance(factor, NUMBERS):
            return self.scaled_by_number(factor)
        number: Any = 1.0
        if type(factor) is tuple:
            number, factor = factor
        position = self.tape.position(factor)
        key = (position, number)
        known = point.children.get(key) if position >= 0 else None
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _scaled_by_array, (number,), (factor,))

    def scaled_by_number(self, number: Any) -> Derivative:
        """Return `number` times this derivative."""
        tape = self.tape
        tape.numbers += 1
        varying = tape.root.varying
        if tape.numbers in varying:
            if type(number) not in PLAIN_NUMBERS:
                return tape.carry_out(self.point).scaled_by_number(number)
            number = float(number)
            key: Hashable = ("number", tape.position(number))
            known = self.point.children.get(key)
            if known is not None:
                return Recorded(tape, known)
            return self._noted(key, _scaled, (), (number,))
        key = (float, type(number), number)
        known = self.point.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        met = tape.root.numbers.setdefault(tape.numbers, set())
        met.add(number)
        if len(met) >= MOST_NUMBERS:
            varying.add(tape.numbers)
        return self._noted(key, _scaled, (number,))

    def weighted(self, constant: Constant) -> Derivative:
        """Return diag(constant) times this derivative, the constant part of it staying constant."""
        known = self.point.children.get(constant)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(constant, _weighted, (constant,))

    def masked(self, mask: NDArray[Any]) -> Derivative:
        """Return this derivative where `mask` holds and zero, not NaN, elsewhere."""
        position = self.tape.position(mask)
        key = ("masked", position)
        known = self.point.children.get(key) if position >= 0 else None
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _masked, (), (mask,))

    def plus(self, other: Derivative, sign: float = 1.0) -> Derivative:
        """Return this derivative plus (or minus, with sign -1) another one of the same size."""
        tape = self.tape
        if type(other) is not Recorded or other.tape is not tape:
            return tape.carry_out(self.point).plus(other, sign)
        key = (other.point, sign)
        known = self.point.children.get(key)
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, _plus_signed[sign], (), (), (other,))

    def product(self, other: Derivative, value: Any, others: Any) -> Derivative:
        """Return the derivative of the product of two arrays with these values."""
        tape = self.tape
        if type(other) is not Recorded or other.tape is not tape:
            return tape.carry_out(self.point).product(other, value, others)
        i, j = tape.position(value), tape.position(others)
        key = (other.point, i, j)
        known = self.point.children.get(key) if i >= 0 and j >= 0 else None
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, _product, (), (value, others), (other,))

    def quotient(self, other: Derivative, result: Any, others: Any) -> Derivative:
        """Return the derivative of a quotient from its value and that of the denominator."""
        tape = self.tape
        if type(other) is not Recorded or other.tape is not tape:
            return tape.carry_out(self.point).quotient(other, result, others)
        i, j = tape.position(result), tape.position(others)
        key = ("quotient", other.point, i, j)
        known = self.point.children.get(key) if i >= 0 and j >= 0 else None
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, _quotient, (), (result, others), (other,))

    def chained(self, rule: Callable[..., Any], result: Any, value: Any) -> Derivative:
        """Return the derivative of a function with that rule, from its result and argument."""
        tape = self.tape
        i, j = tape.position(result), tape.position(value)
        key = (rule, i, j)
        known = self.point.children.get(key) if i >= 0 and j >= 0 else None
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, _chained, (rule,), (result, value))

    def taken(self, index: Index) -> Derivative:
        """Return the derivative of the flattened array at these positions."""
        if index.volatile:
            position = self.tape.position(index)
            key: Hashable = ("taken", position)
            known = self.point.children.get(key) if position >= 0 else None
            if known is None:
                return self._noted(key, _taken, (), (index,))
            return Recorded(self.tape, known)
        known = self.point.children.get(index)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(index, _taken, (index,))

    def taken_slice(self, start: int, stop: int, step: int) -> Derivative:
        """Return the derivative of ``y[start:stop:step]``."""
        key = (slice, start, stop, step)
        known = self.point.children.get(key)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _taken_slice, (start, stop, step))

    def put(self, rows: Index | slice, size: int) -> Derivative:
        """Return the derivative of an array of `size` zeros with this one added at `rows`."""
        if type(rows) is Index and rows.volatile:
            position = self.tape.position(rows)
            key: Hashable = ("put", position, size)
            known = self.point.children.get(key) if position >= 0 else None
            if known is None:
                return self._noted(key, _put, (size,), (rows,))
            return Recorded(self.tape, known)
        key = (rows.start if type(rows) is slice else rows, "put", size)
        known = self.point.children.get(key)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(key, _put, (size, rows))

    def multiplied(self, matrix: Matrix) -> Derivative:
        """Return the derivative of ``A @ y``."""
        known = self.point.children.get(matrix)
        if known is not None:
            return Recorded(self.tape, known)
        return self._noted(matrix, _multiplied, (matrix,))

    def combined(
        self,
        apply: Callable[..., Derivative],
        others: tuple[Derivative, ...],
        argument: Any,
        items: tuple[Any, ...],
    ) -> Derivative:
        """Return ``apply(self, *others, argument, *items)``, items being of this evaluation."""
        tape = self.tape
        mine = tuple(o for o in others if type(o) is Recorded and o.tape is tape)
        if len(mine) < len(others):
            return apply(tape.carry_out(self.point), *others, argument, *items)
        positions = tuple(map(tape.position, items))
        key = (apply, argument, positions, tuple(o.point for o in mine))
        known = self.point.children.get(key) if -1 not in positions else None
        if known is not None:
            return Recorded(tape, known)
        return self._noted(key, apply, (argument,), items, mine)


def carry_out(
    last: Point, inputs: list[Any], known: dict[Point, Derivative] | None = None
) -> Derivative:
    """Return the derivative that a point stands for, with these arrays on the tape.

    What is `known` is not carried out again; where something is, more will be asked for, and all
    that is found on the way is added to it.
    """
    keep = bool(known)
    made = known if known else {}
    order = _needed(last, made)
    uses: dict[Point, int] = {}
    for point in order:
        for parent in point.parents:
            uses[parent] = uses.get(parent, 0) + 1
    with np.errstate(all="ignore"):
        for point in order:
            derivatives = [made[p] for p in point.parents]
            items = [inputs[k] for k in point.inputs]
            made[point] = point.apply(*derivatives, *point.arguments, *items)
            for parent in point.parents:
                uses[parent] -= 1
                if not uses[parent] and not keep:
                    del made[parent]
    return made[last]


def _needed(last: Point, made: dict[Point, Derivative]) -> list[Point]:
    """Return the points that lead to the last one, each after its parents."""
    order: list[Point] = []
    seen = set(made)
    pending = [last]
    while pending:
        point = pending[-1]
        missing = [p for p in point.parents if p not in seen]
        if missing:
            pending += missing
            continue
        pending.pop()
        if point not in seen:
            seen.add(point)
            order.append(point)
    return order


# ---- the operations, as functions of derivatives, constants and what lies on the tape ----------


def _scaled(d: Derivative, number: Any) -> Derivative:
    return d.scaled_by_number(number)


def _scaled_by_array(d: Derivative, number: Any, array: Any) -> Derivative:
    return d.scaled((number, array))


def _weighted(d: Derivative, constant: Constant) -> Derivative:
    return d.weighted(constant)


def _masked(d: Derivative, mask: Any) -> Derivative:
    return d.masked(mask)


def _sum(d: Derivative, e: Derivative) -> Derivative:
    return d.plus(e)


def _difference(d: Derivative, e: Derivative) -> Derivative:
    return d.plus(e, -1.0)


_plus_signed = {1.0: _sum, -1.0: _difference}


def _product(d: Derivative, e: Derivative, value: Any, others: Any) -> Derivative:
    return d.product(e, value, others)


def _quotient(d: Derivative, e: Derivative, result: Any, others: Any) -> Derivative:
    return d.quotient(e, result, others)


def _chained(d: Derivative, rule: Callable[..., Any], result: Any, value: Any) -> Derivative:
    return d.chained(rule, result, value)


def _taken(d: Derivative, index: Index) -> Derivative:
    return d.taken(index)


def _taken_slice(d: Derivative, start: int, stop: int, step: int) -> Derivative:
    return d.taken_slice(start, stop, step)


def _put(d: Derivative, size: int, rows: Any) -> Derivative:
    return d.put(rows, size)


def _multiplied(d: Derivative, matrix: Matrix) -> Derivative:
    return d.multiplied(matrix)
