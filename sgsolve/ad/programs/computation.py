"""Compute the pattern and the values of a Jacobian, by a compiled program where there is one.

A program is made when a computation occurs for the sixth time. Making it costs as much as three to
seven evaluations of a small residual, and up to twenty of a large one. A single solve of a small
system needs five evaluations or fewer in most cases.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pattern import Pattern
from ...private_api import quiet
from ..assembly.plan import Plan, drop_oldest, plan_of
from ..derivatives.bounded import has_overflowed
from ..derivatives.derivative import Derivative
from ..derivatives.symbols import UntraceableError
from .program import Program
from .recorded import Recorded
from .tape import Tape

COMPILE_AFTER = 6
# Evaluations that take the folded form without trying the other one.
MOST_FOLDED = 63
# More than the branches that a residual alternates between, few enough to stay small.
MOST_PROGRAMS = 32


def pattern_and_values(
    derivative: Derivative, size: int, dtype: Any, target: Pattern | None = None
) -> tuple[Pattern, NDArray[Any]]:
    """Return the pattern and the values of a derivative.

    Parameters
    ----------
    size : int
        Number of rows.
    dtype : dtype
    target : Pattern, optional
        Fill this pattern; without it, the smallest one.

    Returns
    -------
    pattern : Pattern
    data : ndarray, shape (pattern.nnz,)

    Raises
    ------
    StructureError
        If the derivative has entries outside `target`.
    """
    if type(derivative) is Recorded:
        tape = derivative.tape
        computation = _met(derivative, size, dtype, target)
        folded = tape.folded
        program = computation.programs.get(folded)
        if program is not None:
            try:
                data, sound = program.run(tape)
                if computation.folds or folded:
                    computation.note_form(folded)
                if not sound:
                    data = _with_finite_slopes(derivative, program.pattern, data)
                return program.pattern, data
            except FloatingPointError:
                tape.fold()
            except ZeroDivisionError:
                pass  # a number that is zero today: what is divided by it has to be decided today
        carried_out = tape.carry_out(derivative.node)
        computation.note_form(tape.folded)
        pattern, data = _filled(carried_out, size, dtype, target)
        return pattern, _with_finite_slopes(derivative, pattern, data)
    return _filled(derivative.carried_out(), size, dtype, target)


def _filled(
    derivative: Derivative, size: int, dtype: Any, target: Pattern | None
) -> tuple[Pattern, NDArray[Any]]:
    terms = derivative.final().terms
    plan: Plan = plan_of(derivative.root.root, terms, size, target)
    with np.errstate(all="ignore"):
        return plan.layout.pattern, plan.fill(list(terms.values()), dtype)


def _with_finite_slopes(derivative: Recorded, pattern: Pattern, data: NDArray[Any]) -> NDArray[Any]:
    """Return the values, those of the folded form for NaN that comes of values that overflowed."""
    with quiet():
        total = np.add.reduce(data)  # NaN if an element is; `dot` may wait for threads
    tape = derivative.tape
    if total == total or tape.folded:
        return data
    inputs = tape.inputs.copy()
    if not any(map(has_overflowed, inputs.values())):
        return data
    folded = Tape(tape.root, tape.graph)
    folded.inputs, folded.folded = inputs, True
    _, finite = pattern_and_values(
        Recorded(folded, derivative.node), pattern.shape[0], data.dtype, pattern
    )
    return np.where(np.isnan(data), finite, data)


def pattern_of_derivative(derivative: Derivative, size: int) -> Pattern:
    """Return the smallest pattern of a derivative of `size` rows."""
    pattern: Pattern = plan_of(derivative.root.root, derivative.terms, size, None).layout.pattern
    return pattern


class Computation:
    """How often a computation was met, and its programs once there are any.

    Where something overflowed or underflowed, the next evaluations take the folded form at once:
    none after the first time, and twice as many each time that it happens again. A single trial
    point far away makes no later evaluation slower, and gives none other bits.

    Attributes
    ----------
    used : int
        The evaluation of the last meeting.
    met : dict of bool to int
        Number of meetings, in the folded form and in the other one.
    programs : dict of bool to Program
        Likewise.
    folds : int
        How often the folded form was needed since the other one did.
    """

    __slots__ = ("_at_once", "_tries", "folds", "met", "programs", "used")

    def __init__(self) -> None:
        self.used = self.folds = self._at_once = 0
        self._tries = True
        self.met = {False: 0, True: 0}
        self.programs: dict[bool, Program] = {}

    def is_folded_at_once(self) -> bool:
        """Whether the present evaluation takes the folded form without trying the other one."""
        self._tries = not self._at_once
        if self._at_once:
            self._at_once -= 1
        return not self._tries

    def note_form(self, folded: bool) -> None:
        """Note in which form an evaluation ended."""
        if not folded:
            self.folds = 0
        elif self._tries:
            self._at_once = min(2**self.folds - 1, MOST_FOLDED)
            self.folds += 1


def _met(derivative: Recorded, size: int, dtype: Any, target: Any) -> Computation:
    """Note that a computation was met, and return it; often met, it has a program."""
    programs = derivative.tape.graph.programs
    key = (derivative.node, size, dtype, target)
    computation: Computation | None = programs.get(key)
    if computation is None:
        computation = programs.setdefault(key, Computation())
        drop_oldest(programs, MOST_PROGRAMS)
    computation.used = derivative.root.clock
    if computation.folds and computation.is_folded_at_once():
        derivative.tape.fold()
    folded = derivative.tape.folded
    if computation.met[folded] < COMPILE_AFTER:
        computation.met[folded] += 1
        if computation.met[folded] == COMPILE_AFTER:
            with suppress(UntraceableError):
                node, tape = derivative.node, derivative.tape
                computation.programs[folded] = Program(node, tape, folded, size, dtype, target)
    return computation
