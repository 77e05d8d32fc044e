"""From a derivative to the pattern and the values of its matrix, by a program where there is one.

A program is made when a computation is met for the sixth time: it costs as much as three to seven
evaluations of a small residual, up to twenty of a large one, most of it another plan; and a single
solve of a small system mostly needs no more than five.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from ...pattern import Pattern
from ..assembly.plan import Plan, drop_oldest, plan_of
from ..derivatives.derivative import Derivative
from ..derivatives.symbols import UntraceableError
from .program import Program
from .recorded import Recorded

MEETINGS = 6
# More than the branches that a residual alternates between, few enough to stay small.
MOST_PROGRAMS = 32


def assemble(
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
        program = _program(derivative, size, dtype, target)
        if program is not None:
            # A number that is zero today: what is divided by it has to be decided today.
            with suppress(ZeroDivisionError):
                return program.pattern, program.run(derivative.tape.inputs)
    terms = derivative.terms
    plan: Plan = plan_of(derivative.root.root, terms, size, target)
    return plan.layout.pattern, plan.fill(list(terms.values()), dtype)


def pattern_of(derivative: Derivative, size: int) -> Pattern:
    """Return the smallest pattern of a derivative of `size` rows."""
    pattern: Pattern = plan_of(derivative.root.root, derivative.terms, size, None).layout.pattern
    return pattern


class Computation:
    """How often a computation was met, and its program once there is one.

    Attributes
    ----------
    met, used : int
        Number of meetings, and the evaluation of the last one.
    program : Program or None
    """

    __slots__ = ("met", "program", "used")

    def __init__(self) -> None:
        self.met = self.used = 0
        self.program: Program | None = None


def _program(derivative: Recorded, size: int, dtype: Any, target: Any) -> Program | None:
    """Return the program of a recorded derivative if it was met often, and None before."""
    programs = derivative.tape.recordings.programs
    key = (derivative.point, size, dtype, target)
    computation = programs.get(key)
    if computation is None:
        computation = programs.setdefault(key, Computation())
        drop_oldest(programs, MOST_PROGRAMS)
    computation.used = derivative.root.clock
    if computation.met < MEETINGS:
        computation.met += 1
        if computation.met == MEETINGS:
            with suppress(UntraceableError):
                inputs = derivative.tape.inputs
                computation.program = Program(derivative.point, inputs, size, dtype, target)
    program: Program | None = computation.program
    return program
