"""Equations that hold exactly, element by element; see `solvers.acceptance.flat_equations`.

One evaluation decides about most of them. The unknowns of such equations are changed a little; the
equations must then change as their rows of J predict. That is the first test of
`solvers.acceptance.flat_equations.tail`. Rows that passed it are kept, and are not tested again.
"""

from __future__ import annotations

from ...ad.kernels.loops.scalar_loops import Doubles
from ...arrays import EPS
from ...solvers.acceptance.determination import LINEAR, UNITS
from ...solvers.acceptance.flat_equations import CHANGED, FEW_UNITS
from .loop_state import EXAMINE, SOLVED
from .short_iterate import ShortIterate


def answered_before(it: ShortIterate, J: Doubles, i: int) -> int:
    """Whether equation i answered before with the same row; see `answered_rows`."""
    same = 1 if it.known[i] == 1.0 else 0
    if same == 1:
        for k in range(it.starts[i], it.starts[i + 1]):
            if J[k] != it.J_known[k]:
                same = 0
    return same


def holds_exactly(it: ShortIterate, i: int) -> int:
    """Whether equation i holds as those that rounding hides; see `exact_equations`."""
    before = abs(it.F[i])
    exact = 1 if it.F_new[i] == 0.0 and before > CHANGED * it.own[i] else 0
    if it.F_new[i] == 0.0 and before == 0.0:
        for k in range(it.starts[i], it.starts[i + 1]):
            if it.x_new[it.columns[k]] != 0.0:
                exact = 1
    return exact


def write_question(it: ShortIterate, J: Doubles) -> int:
    """Write small changes of the unknowns of all equations to be asked; 0 if there are none."""
    some = 0
    for j in range(it.n):
        it.small[j] = 0.0
    for i in range(it.n):
        it.asked[i] = 0.0
        if holds_exactly(it, i) == 1 and answered_before(it, J, i) == 0:
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
