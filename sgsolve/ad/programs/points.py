"""Points and tapes: what one evaluation did, apart from the numbers that it did it with.

The operations of an evaluation form a graph of *points*, which are interned: the same operation
on the same point with the same constants gives the same point back, on every evaluation. Arrays
that differ from one evaluation to the next (values, masks) are not part of a point; they lie on
the *tape* of the evaluation, and a point knows only their positions on it. So the last point
stands for a whole computation, and the tape for all that it depends on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np

from ..derivatives.coefficients import UNIT
from ..derivatives.derivative import Derivative
from ..derivatives.folded import STRICT, Folded, wide
from ..structures.root import Evaluation, Root

# What lies on a tape is not freed before the evaluation ends. A tape holds this much, and this
# many vectors of the length of the unknowns; more than that is carried out at once.
TAPE_BYTES = 1 << 24
TAPE_VECTORS = 64
# Some thousand times what a residual makes; only code that is another one each time, or a loop over
# single elements, makes more.
MOST_POINTS = 100_000


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


class Recordings:
    """What a root remembers of the evaluations that were recorded on it.

    Attributes
    ----------
    start : Point
        The unknowns themselves.
    points : int
        Number of points made.
    programs : dict
        From a point (and the matrix asked for) to an object with the evaluation that `used` it
        last: the points that lead there are kept.
    numbers, varying : dict, set
        The values that each number of an evaluation had, and which of them varied.
    """

    def __init__(self, root: Root) -> None:
        unit = Derivative(Evaluation(root), {root: UNIT})
        self.start = Point(lambda: unit, (), (), ())
        self.points = 0
        self.programs: dict[tuple[Any, ...], Any] = {}
        self.numbers: dict[int, set[Any]] = {}
        self.varying: set[int] = set()

    @property
    def full(self) -> bool:
        """Whether there are more points than any residual makes again."""
        return self.points > MOST_POINTS

    def prune(self, oldest: int) -> None:
        """Forget what was not used since evaluation `oldest`."""
        self.programs = {k: c for k, c in list(self.programs.items()) if c.used >= oldest}
        self.points = forget(self.start, [point for point, *_ in self.programs])
        self.numbers, self.varying = {}, set()


class Tape:
    """The arrays of one evaluation that its recorded operations refer to.

    Attributes
    ----------
    root : Evaluation
    recordings : Recordings
    folded : bool
        Whether derivatives are carried out in the folded form.
    start : dict
        The derivative of the unknowns, by the point that stands for it.
    inputs : dict
        Arrays, numbers, and operands that are likely to be others next time, by position.
    """

    __slots__ = (
        "_next", "_positions", "folded", "inputs", "made", "numbers", "recordings", "room", "root",
        "start",
    )  # fmt: skip

    def __init__(self, evaluation: Evaluation) -> None:
        self.root = evaluation
        self.recordings = evaluation.memory(Recordings)
        self.start = {
            self.recordings.start: Derivative(evaluation, {evaluation.root: UNIT}),
        }
        # Two threads may evaluate on one seed: every position is given away once.
        self._next = itertools.count().__next__
        self.inputs: dict[int, Any] = {}
        self._positions: dict[int, int] = {}
        self.made: dict[Point, Derivative] = {}
        self.numbers = 0
        self.folded = False
        self.room = TAPE_BYTES + TAPE_VECTORS * 8 * len(evaluation.cols)

    def position(self, item: Any) -> int:
        """Return the position of an array or operand, put there if need be; -1: no room."""
        known = self._positions.get(id(item))
        if known is None:
            if type(item) is np.ndarray:
                self.room -= item.nbytes
            if self.room < 0:
                return -1
            known = self._next()
            self.inputs[known] = item
            self._positions[id(item)] = known
        return known

    def carry_out(self, point: Point) -> Derivative:
        """Return the derivative that a point stands for."""
        made = self.made.get(point)
        if made is None and not self.folded:
            try:
                with np.errstate(**STRICT):
                    made = carry_out(point, self.inputs, self.start, self.made)
            except FloatingPointError:
                self.fold()
        if made is None:
            inputs = {k: wide(item) for k, item in self.inputs.items()}
            with np.errstate(all="ignore"):
                made = carry_out(point, inputs, self.start, self.made)
        self.made[point] = made
        return made

    def fold(self) -> None:
        """Carry everything out in the form in which nothing overflows that need not."""
        if not self.folded:
            self.folded = True
            self.made.clear()
            self.start = folded_start(self.recordings.start, self.root)


def folded_start(start: Point, evaluation: Evaluation) -> dict[Point, Derivative]:
    """Return the derivative of the unknowns, in folded form, by the point that stands for it."""
    one, zero = np.longdouble(1.0), np.longdouble(0.0)
    return {start: Folded(evaluation, {evaluation.root: (one, zero, None, None)})}


def carry_out(
    last: Point,
    inputs: dict[int, Any],
    start: dict[Point, Derivative] | None = None,
    known: dict[Point, Derivative] | None = None,
) -> Derivative:
    """Return the derivative that a point stands for, with these arrays on the tape.

    What is `known` is not carried out again; where something is, more will be asked for, and all
    that is found on the way is added to it.
    """
    keep = bool(known)
    made = known if known else {}
    made.update(start or {})
    order = _needed(last, made)
    uses: dict[Point, int] = {}
    for point in order:
        for parent in point.parents:
            uses[parent] = uses.get(parent, 0) + 1
    for point in order:
        derivatives = [made[p] for p in point.parents]
        items = [inputs[k] for k in point.inputs]
        made[point] = point.apply(*derivatives, *point.arguments, *items)
        for parent in point.parents:
            uses[parent] -= 1
            if not uses[parent] and not keep:
                del made[parent]
    return made[last]


def inputs_of(last: Point) -> set[int]:
    """Return the positions on the tape that a computation depends on."""
    return {k for point in _needed(last, {}) for k in point.inputs}


def _needed(last: Point, made: dict[Point, Any]) -> list[Point]:
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


def forget(first: Point, needed: Iterable[Point]) -> int:
    """Forget all points made from the first one but those that lead to the needed ones.

    Returns the number of points that are left.
    """
    live = {first}
    for point in needed:
        live.update(_needed(point, dict.fromkeys(live)))
    for point in live:
        for key, child in list(point.children.items()):
            if child not in live:
                point.children.pop(key, None)
    return len(live)
