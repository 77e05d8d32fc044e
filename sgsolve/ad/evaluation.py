"""From a derivative to the pattern and the values of its matrix, by a program where there is one.

A program is made when a computation is met for the sixth time: it costs about as much as ten
evaluations of a small residual, and a single solve of a small system needs no more than five.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..pattern import Pattern
from .assembly import Plan, plan_of
from .derivative import Derivative
from .program import Program
from .recorded import Recorded
from .tracing import UntraceableError

MEETINGS = 6
# More than the branches that a residual alternates between, few enough to stay small.
MOST_PROGRAMS = 32


def assemble(derivative: Derivative, size: int, dtype: Any, target: Pattern | None = None) -> Any:
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
    plan: Plan = plan_of(derivative, size, target)
    return plan.layout.pattern, plan.fill(list(derivative.terms.values()), dtype)


def _program(derivative: Recorded, size: int, dtype: Any, target: Any) -> Program | None:
    """Return the program of a recorded derivative if it was met often, and None before."""
    root = derivative.root
    key = (derivative.point, size, dtype, target)
    known = root.programs.get(key, 0)
    if type(known) is int:
        known += 1
        if known >= MEETINGS:
            inputs = derivative.tape.inputs
            try:
                known = Program(derivative.point, inputs, size, dtype, target)
            except UntraceableError:
                known = None
        root.programs[key] = known
        if len(root.programs) > MOST_PROGRAMS:
            root.programs.pop(next(iter(root.programs.copy())), None)
    if type(known) is not Program:
        return None
    known.used = root.clock
    return known
