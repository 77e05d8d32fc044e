"""Equations that came to hold exactly, element by element; see `solvers.closed_equations`.

One evaluation decides about most of them. The unknowns of such equations are changed a little; the
equations must then change as their rows of J predict. That is the first test of
`solvers.flat_equations.tail`. Rows that passed it are kept, and are not tested again.
"""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles
from ...arrays import EPS
from ...solvers.acceptance.closed_equations import CHANGED, PROVABLE, REPEATED, SPLIT
from ...solvers.acceptance.determination import LINEAR, UNITS
from ...solvers.acceptance.flat_equations import FEW_UNITS
from .loop_state import EXAMINE, SOLVED
from .short_iterate import ShortIterate


def closes(F: float, F_old: float, own: float) -> int:
    """Whether an equation came to hold exactly; see `closed_equations`."""
    return 1 if F == 0.0 and abs(F_old) > CHANGED * own else 0


def repeats(it: ShortIterate, J: Doubles, change: float, i: int) -> int:
    """Whether J repeats a change of equation i beyond doubt; see `closed_equations`."""
    slope = 0.0
    for k in range(it.starts[i], it.starts[i + 1]):
        slope += J[k] * it.closing[it.columns[k]]
    split = SPLIT * change
    few = split - (split - change) == change  # see `few_bits`
    return 1 if abs(slope - change) <= REPEATED * abs(change) and not few else 0


def note_closed_equations(it: ShortIterate) -> int:
    """Note equations that came to hold exactly, and whether J repeats the last changes noted."""
    found = 0
    for i in range(it.n):
        if it.change[i] != 0.0:
            if repeats(it, it.J_old, it.change[i], i) == 0:
                it.unproven[i] = 1.0
            it.change[i] = 0.0
        if closes(it.F_new[i], it.F[i], it.own[i]) == 1:
            large = 1 if abs(it.F[i]) > PROVABLE * it.own[i] else 0
            it.change[i] = 0.0 if large == 1 else -it.F[i]
            it.unproven[i] = 1.0 if large == 1 else 0.0
            found = 1
    if found == 1:
        it.closed = it.k
        for j in range(it.n):
            it.closing[j] = it.step[j]
    return found


def answered_before(it: ShortIterate, J: Doubles, i: int) -> int:
    """Whether equation i answered before with the same row; see `answered_rows`."""
    same = 1 if it.known[i] == 1.0 else 0
    if same == 1:
        for k in range(it.starts[i], it.starts[i + 1]):
            if J[k] != it.J_known[k]:
                same = 0
    return same


def may_hold_by_rounding(it: ShortIterate, J: Doubles, i: int) -> int:
    """Whether equation i, which holds exactly, may do so by rounding alone."""
    may = 1 if it.unproven[i] == 1.0 or closes(0.0, it.F[i], it.own[i]) == 1 else 0
    if may == 0 and it.change[i] != 0.0:
        may = 1 - repeats(it, J, it.change[i], i)
    if may == 0 and it.held == 1.0 and it.F_start[i] == 0.0:
        for k in range(it.starts[i], it.starts[i + 1]):
            if it.x_new[it.columns[k]] != 0.0:
                may = 1
    return may


def write_question(it: ShortIterate, J: Doubles) -> int:
    """Write small changes of the unknowns of all equations to be asked; 0 if there are none."""
    some = 0
    for j in range(it.n):
        it.small[j] = 0.0
    for i in range(it.n):
        it.asked[i] = 0.0
        ask = 0
        if it.F_new[i] == 0.0:
            ask = may_hold_by_rounding(it, J, i)
        if ask == 1 and answered_before(it, J, i) == 0:
            it.asked[i] = 1.0
            some = 1
            for k in range(it.starts[i], it.starts[i + 1]):
                it.small[it.columns[k]] = it.parts[it.columns[k]] * it.weights[it.columns[k]]
    for j in range(it.n):
        it.x_beside[j] = it.x_new[j] + it.small[j]
    return some


def took_answer(it: ShortIterate, J: Doubles) -> int:
    """Whether the equations asked answer beyond doubt; see `flat_equations._replying`."""
    largest, code = 0.0, SOLVED
    for i in range(it.n):
        largest = max(largest, it.S[i])
    for i in range(it.n):
        if it.asked[i] == 1.0:
            expected = 0.0
            for k in range(it.starts[i], it.starts[i + 1]):
                expected += J[k] * it.small[it.columns[k]]
            size = abs(expected)
            answers = abs((it.F_beside[i] - it.F_new[i]) - expected) <= LINEAR * size
            if answers and size > UNITS * EPS * it.sized[i] and size > FEW_UNITS * largest:
                it.known[i] = 1.0
                for k in range(it.starts[i], it.starts[i + 1]):
                    it.J_known[k] = J[k]
            else:
                code = EXAMINE
    return code
