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
from ..assembly.plan import Plan, drop_oldest, plan_of
from ..derivatives.derivative import Derivative
from ..derivatives.symbols import UntraceableError
from .program import Program
from .recorded import Recorded
from .tape import Tape

COMPILE_AFTER = 6
# More than the branches that a residual alternates between, few enough to stay small.
MOST_PROGRAMS = 32


def pattern_and_values(
    derivative: Derivative, size: int, dtype: Any, target: Pattern | None = None
) -> tuple[Pattern, NDArray[Any]]:
    """Return the pattern and the values of a derivative.

    Parameters
    ----------
    derivative : Derivative
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
        if computation.program is not None:
            try:
                return computation.program.pattern, computation.program.run(tape.inputs)
            except FloatingPointError:
                computation.fold(tape)
            except ZeroDivisionError:
                pass  # a number that is zero today: what is divided by it has to be decided today
        derivative = tape.carry_out(derivative.node).final()
        if tape.folded:
            computation.fold(tape)
    terms = derivative.terms
    plan: Plan = plan_of(derivative.root.root, terms, size, target)
    with np.errstate(all="ignore"):
        return plan.layout.pattern, plan.fill(list(terms.values()), dtype)


def pattern_of_derivative(derivative: Derivative, size: int) -> Pattern:
    """Return the smallest pattern of a derivative of `size` rows."""
    pattern: Pattern = plan_of(derivative.root.root, derivative.terms, size, None).layout.pattern
    return pattern


class Computation:
    """How often a computation was met, and its program once there is one.

    Attributes
    ----------
    met, used : int
        Number of meetings, and the evaluation of the last one.
    folded : bool
        Whether it is carried out in the folded form.
    program : Program or None
    """

    __slots__ = ("folded", "met", "program", "used")

    def __init__(self) -> None:
        self.met = self.used = 0
        self.folded = False
        self.program: Program | None = None

    def fold(self, tape: Tape) -> None:
        """Take the folded form from now on: the fast one overflowed or underflowed."""
        tape.fold()
        if not self.folded:
            self.folded, self.met, self.program = True, 0, None


def _met(derivative: Recorded, size: int, dtype: Any, target: Any) -> Computation:
    """Note that a computation was met, and return it; often met, it has a program."""
    programs = derivative.tape.graph.programs
    key = (derivative.node, size, dtype, target)
    computation: Computation | None = programs.get(key)
    if computation is None:
        computation = programs.setdefault(key, Computation())
        drop_oldest(programs, MOST_PROGRAMS)
    computation.used = derivative.root.clock
    if computation.folded:
        derivative.tape.fold()
    if computation.met < COMPILE_AFTER:
        computation.met += 1
        if computation.met == COMPILE_AFTER:
            with suppress(UntraceableError):
                node, tape = derivative.node, derivative.tape
                computation.program = Program(node, tape, size, dtype, target)
    return computation
