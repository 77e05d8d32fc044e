"""Equations that came to hold exactly, element by element; see `solvers.closed_equations`.

One evaluation decides about most of them. The unknowns of such equations are changed a little; the
equations must then change as their rows of J predict. That is the first test of
`solvers.flat_equations.tail`. Rows that passed it are kept, and are not tested again.
"""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices
from ...linear.accuracy import EPS
from ...solvers.closed_equations import CHANGED, PROVABLE, REPEATED, SPLIT
from ...solvers.determination import LINEAR, UNITS
from ...solvers.flat_equations import FEW_UNITS
from .loop_state import CLOSED, EXAMINE, HELD, SOLVED, K


def closes(F: float, F_old: float, own: float) -> int:
    """Whether an equation came to hold exactly; see `closed_equations`."""
    return 1 if F == 0.0 and abs(F_old) > CHANGED * own else 0


def repeats(
    starts: Indices, columns: Indices, J: Doubles, step: Doubles, change: float, i: int
) -> int:
    """Whether J repeats a change of equation i beyond doubt; see `closed_equations`."""
    slope = 0.0
    for k in range(starts[i], starts[i + 1]):
        slope += J[k] * step[columns[k]]
    split = SPLIT * change
    few = split - (split - change) == change  # see `few_bits`
    return 1 if abs(slope - change) <= REPEATED * abs(change) and not few else 0


def note_closed_equations(
    starts: Indices, columns: Indices, F: Doubles, F_old: Doubles, J_old: Doubles, own: Doubles,
    step: Doubles, closing: Doubles, change: Doubles, unproven: Doubles, state: Doubles, n: int,
) -> int:  # fmt: skip
    """Note equations that came to hold exactly, and whether J repeats the last changes noted."""
    found = 0
    for i in range(n):
        if change[i] != 0.0:
            if repeats(starts, columns, J_old, closing, change[i], i) == 0:
                unproven[i] = 1.0
            change[i] = 0.0
        if closes(F[i], F_old[i], own[i]) == 1:
            large = 1 if abs(F_old[i]) > PROVABLE * own[i] else 0
            change[i] = 0.0 if large == 1 else -F_old[i]
            unproven[i] = 1.0 if large == 1 else 0.0
            found = 1
    if found == 1:
        state[CLOSED] = state[K]
        for j in range(n):
            closing[j] = step[j]
    return found


def answered_before(
    starts: Indices, J: Doubles, J_known: Doubles, known: Doubles, i: int
) -> int:  # fmt: skip
    """Whether equation i answered before with the same row; see `answered_rows`."""
    same = 1 if known[i] == 1.0 else 0
    if same == 1:
        for k in range(starts[i], starts[i + 1]):
            if J[k] != J_known[k]:
                same = 0
    return same


def may_hold_by_rounding(
    starts: Indices, columns: Indices, x: Doubles, F_old: Doubles, F_start: Doubles, J: Doubles,
    own: Doubles, closing: Doubles, change: Doubles, unproven: Doubles, state: Doubles, i: int,
) -> int:  # fmt: skip
    """Whether equation i, which holds exactly, may do so by rounding alone."""
    may = 1 if unproven[i] == 1.0 or closes(0.0, F_old[i], own[i]) == 1 else 0
    if may == 0 and change[i] != 0.0:
        may = 1 - repeats(starts, columns, J, closing, change[i], i)
    if may == 0 and state[HELD] == 1.0 and F_start[i] == 0.0:
        for k in range(starts[i], starts[i + 1]):
            if x[columns[k]] != 0.0:
                may = 1
    return may


def write_question(
    starts: Indices, columns: Indices, x: Doubles, F: Doubles, F_old: Doubles, F_start: Doubles,
    J: Doubles, own: Doubles, weights: Doubles, parts: Doubles, closing: Doubles, change: Doubles,
    unproven: Doubles, J_known: Doubles, known: Doubles, asked: Doubles, small: Doubles,
    x_beside: Doubles, state: Doubles, n: int,
) -> int:  # fmt: skip
    """Write small changes of the unknowns of all equations to be asked; 0 if there are none."""
    some = 0
    for j in range(n):
        small[j] = 0.0
    for i in range(n):
        asked[i] = 0.0
        ask = 0
        if F[i] == 0.0:
            ask = may_hold_by_rounding(
                starts, columns, x, F_old, F_start, J, own, closing, change, unproven, state, i
            )
        if ask == 1 and answered_before(starts, J, J_known, known, i) == 0:
            asked[i] = 1.0
            some = 1
            for k in range(starts[i], starts[i + 1]):
                small[columns[k]] = parts[columns[k]] * weights[columns[k]]
    for j in range(n):
        x_beside[j] = x[j] + small[j]
    return some


def took_answer(
    starts: Indices, columns: Indices, J: Doubles, F: Doubles, F_beside: Doubles, sized: Doubles,
    S: Doubles, asked: Doubles, small: Doubles, J_known: Doubles, known: Doubles, n: int,
) -> int:  # fmt: skip
    """Whether the equations asked answer beyond doubt; see `flat_equations._replying`."""
    largest, code = 0.0, SOLVED
    for i in range(n):
        largest = max(largest, S[i])
    for i in range(n):
        if asked[i] == 1.0:
            expected = 0.0
            for k in range(starts[i], starts[i + 1]):
                expected += J[k] * small[columns[k]]
            size = abs(expected)
            answers = abs((F_beside[i] - F[i]) - expected) <= LINEAR * size
            if answers and size > UNITS * EPS * sized[i] and size > FEW_UNITS * largest:
                known[i] = 1.0
                for k in range(starts[i], starts[i + 1]):
                    J_known[k] = J[k]
            else:
                code = EXAMINE
    return code
