"""Whether the equations at a point determine its unknowns, as at a solution.

An equation answers if a small change of its unknowns changes it as its derivative says. Where each
unknown has a term in an equation that answers, and rounding moves it by little, the point is no
limit that rounding hides.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from ...arrays import EPS, Vector
from ...errors import LinearSolveError, SingularMatrixError
from ...linear.gauged import Gauged
from ...pattern import transposed_product
from ..state.iterate import Iterate

SHORT = 1e-3  # a step that is so short, relative to its unknown, may converge
UNDETERMINED = 1e-9  # of the terms of an equation, that an unknown without influence may have
# Of an unknown, that rounding may move it by. A floating region that only leakage currents reach is
# determined to 1e-3, an unknown that ran away is not at all.
DETERMINED = 1e-2
GOLDEN = 0.5 * (1.0 + math.sqrt(5.0))
SMALL_MATRIX = 5000  # unknowns up to which factors cost less than the residuals on a line
# ... or operations of a factorization for each entry of the Jacobian. A residual takes as long as
# some 40 of them, and a line takes 80 residuals at least.
FEW_OPERATIONS = 4000.0
HIDDEN = 1e-3  # of the terms of an equation: a change that its rounding does not hide
PROBE = 1e-6  # of an unknown: a small change
CLOSER = (1e-2, 1e-3)  # of a small change, that may pass no kink
LINEAR = 0.1  # an equation whose linear model repeats the last change within this is regular
UNITS = 8.0  # changes within so many units of rounding are none


def determined(it: Iterate, step: Vector) -> bool:
    """Whether the equations at the iterate determine the unknowns that took a step.

    They answer to small changes as their derivative says, and neither the residual nor its
    rounding moves an unknown by much. An equation that is linear at a solution may be exponential
    behind it, where the start was.
    """
    found = None if it.J is None else it.counted.linearize(it.x)
    if found is None or it.J.shape[0] != it.J.shape[1]:
        return False
    (F, J), moving = found, step != 0.0
    if not _answered(it, J, F, moving):
        return False
    try:
        errors = _moved_by(it, J, np.column_stack([F, *_residual_noise(it)]))
    except (RuntimeError, LinearSolveError):  # exactly singular
        return False
    return bool((np.abs(errors).max(axis=1) <= DETERMINED * it.weights)[moving].all())


def _moved_by(it: Iterate, J: Any, errors: Vector) -> Vector:
    """Return J^-1 times errors of the residual, without a part along a null space that is kept."""
    V = it.workspace.null_space
    if V is None or len(V) != J.shape[0]:
        moved: Vector = splu(csc_array(J)).solve(errors)
        return moved
    solver = Gauged(it.system.pattern, V, it.workspace.new_solver)
    solver.factorize(J)
    return solver.solve(errors)


def determined_by_kept_factors(it: Iterate, steps: list[Vector], others: NDArray[np.bool_]) -> bool:
    """Whether the factorized Jacobian from before a short last step shows what `determined` does.

    It takes one residual, and a factorization where that costs little. Where it shows nothing,
    the residual on the line decides. Other unknowns that are asked move as well.
    """
    if not _factors_serve(it):
        return False
    moving = np.any(steps, axis=0)
    answering = _answering(it, it.J, it.F, moving | others)
    if answering is None or not with_terms(it, it.magnitudes, answering, it.weights)[moving].all():
        return False
    return _moved_little(it, moving, *_residual_noise(it))


def fixed_by_kept_factors(it: Iterate, unknowns: NDArray[np.bool_]) -> bool:
    """Whether the factorized Jacobian shows that rounding moves some unknowns by little.

    It takes one solution and no residual. This serves for unknowns without influence: other terms
    of their equations are so large that their rounding covers that of the slopes.
    """
    return _factors_serve(it) and _moved_little(it, unknowns, _residual_noise(it)[1])


def _factors_serve(it: Iterate) -> bool:
    """Whether factors of a Jacobian near by serve; they are made where they cost little."""
    if it.J is None or it.J.shape[0] != it.J.shape[1]:
        return False
    if it.fresh and not it.factorized and _factors_cost_little(it):
        try:
            it.factorize()
        except LinearSolveError as cause:
            if it.k == 0 and isinstance(cause, SingularMatrixError):
                it.memory["singular"] = 0, cause
            return False
    short = it.fresh or (it.age <= 1 and not (np.abs(it.step) > SHORT * it.weights).any())
    return short and it.factorized


def _moved_little(it: Iterate, unknowns: NDArray[np.bool_], *errors: Vector) -> bool:
    """Whether the residual and each of some errors of it move some unknowns by little."""
    # together: factors are read from memory once for all right-hand sides
    found = it.simplified(np.column_stack([it.F + error for error in errors]))
    limit = DETERMINED * it.weights[unknowns, None]
    return found is not None and bool((np.abs(found[unknowns]) <= limit).all())


def _factors_cost_little(it: Iterate) -> bool:
    """Whether a factorization costs no more than the residuals on a line."""
    if len(it.x) <= SMALL_MATRIX:
        return True
    operations: float = it.counted.solver.operations
    return operations <= FEW_OPERATIONS * it.system.pattern.nnz


def _residual_noise(it: Iterate) -> tuple[Vector, Vector]:
    """Return the rounding of the residual, of one sign and of mixed signs."""
    noise = UNITS * EPS * it.scaling.sized
    return noise, mixed_signs(len(noise)) * noise


def mixed_signs(n: int) -> Vector:
    """Return a fixed mixture of n signs."""
    signs = np.ones(n)
    signs[::3] = -1.0
    return signs


def golden_parts(n: int) -> Vector:
    """Return n fixed numbers between 1/2 and 1, no two of them the same.

    Unknowns that change by such parts of themselves do not keep their ratios. An equation such as
    ``u - v = 0`` shows such changes, but holds where u and v change by the same part. Two of the
    numbers differ by more than 1 / (6 n): so badly do fractions approximate the golden ratio.
    """
    parts: Vector = GOLDEN * np.arange(n)
    parts -= np.floor(parts)  # four times as fast as the remainder by 1, and exact too
    return 0.5 + 0.5 * parts


def _answered(it: Iterate, J: Any, F: Vector, moving: NDArray[np.bool_]) -> bool:
    """Whether each of some unknowns has a term in an equation that answers as J says."""
    answers = _answering(it, J, F, moving)
    return answers is not None and bool(with_terms(it, abs(J), answers, it.weights)[moving].all())


def _answering(
    it: Iterate, J: Any, F: Vector, moving: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """Return which equations answer to small changes of some unknowns as J says.

    An equation that does not answer must not be able to: where its value is the difference of
    larger terms, rounding hides it from the residual, but not from J. None if one could. At a kink
    an equation answers as J says a small change away, and next to kinks to smaller changes.
    """
    small = np.where(moving, small_changes(it.weights), 0.0)
    expected, moved = J @ small, changed(it, small)
    if moved is None:
        return None
    own, size = it.scaling.sized, np.abs(expected)
    answering = answers(moved - F, expected, own)
    others = ~answering & (size > HIDDEN * PROBE * own)
    if others.any():
        unexplained = others & ~_answers_beside(it, small)
        if unexplained.any() and (unexplained & ~answers_closer(it, F, small, expected)).any():
            return None
        answering |= others & (size > UNITS * EPS * own)
    return answering


def small_changes(weights: Vector) -> Vector:
    """Return small changes of unknowns that keep no ratio, shape of the weights."""
    n = weights.shape[-1]
    small: Vector = PROBE * mixed_signs(n) * golden_parts(n) * weights
    return small


def changed(it: Iterate, small: Vector) -> Vector | None:
    """Return the residual at a small change of the unknowns, evaluated once for several tests."""
    x, known, F = it.memory.get("changed", (None, None, None))
    if x is not it.x or not np.array_equal(known, small):
        F = it.evaluate(it.x + small)
        it.memory["changed"] = it.x, small, F
    found: Vector | None = F
    return found


def answers(change: Vector, expected: Vector, own: Vector) -> NDArray[np.bool_]:
    """Return which equations changed as their derivative says, by more than rounding."""
    size = np.abs(expected)
    answering: NDArray[np.bool_] = np.abs(change - expected) <= LINEAR * size
    answering &= size > UNITS * EPS * own
    return answering


def with_terms(
    it: Iterate, magnitudes: Any, equations: NDArray[np.bool_], sizes: Vector
) -> NDArray[np.bool_]:
    """Return which unknowns have more than next to no terms in one of some equations.

    Parameters
    ----------
    magnitudes : csr_array, shape (n, n)
        ``|J|``.
    equations : ndarray of bool, shape (n,)
    sizes : ndarray, shape (n,)
        Those of the unknowns.
    """
    sized, where = it.scaling.sized, equations & (it.scaling.sized > 0.0)
    shares = np.divide(1.0, sized, out=np.zeros_like(sized), where=where)
    parts = transposed_product(magnitudes, shares) * sizes  # of all equations together
    found: NDArray[np.bool_] = parts > len(sized) * UNDETERMINED
    if not found.all():
        terms = magnitudes.data * sizes[magnitudes.indices]
        limit = np.where(equations, UNDETERMINED * sized, np.inf)
        found[magnitudes.indices[terms > limit[it.system.pattern.rows]]] = True
    return found


def _answers_beside(it: Iterate, small: Vector) -> NDArray[np.bool_]:
    """Return which equations answer as their derivative says a small change away: past a kink.

    A derivative of zero there says nothing: the one at the iterate was noise.
    """
    found, moved = it.counted.linearize(it.x + small), it.evaluate(it.x + 2.0 * small)
    if found is None or moved is None:
        return np.zeros(len(small), dtype=bool)
    F, J = found
    return answers(moved - F, J @ small, it.scaling.sized)


def answers_closer(it: Iterate, F: Vector, small: Vector, expected: Vector) -> NDArray[np.bool_]:
    """Return which equations answer to parts of a small change, on both sides.

    The change itself may pass several kinks, such as those of a mobility that depends on the size
    of a field: one at each edge of a node where the fields are next to nothing. And where terms
    cancel in the slope along it, their curvature counts.
    """
    answering = np.ones(len(F), dtype=bool)
    for part in (sign * size for size in CLOSER for sign in (1.0, -1.0)):
        moved = it.evaluate(it.x + part * small)
        if moved is None:
            return np.zeros(len(F), dtype=bool)
        answering &= answers(moved - F, part * expected, it.scaling.sized)
    return answering
