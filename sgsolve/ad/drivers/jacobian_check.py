"""Compare a Jacobian with complex steps and with central differences."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.exceptions import ComplexWarning
from numpy.typing import ArrayLike, NDArray

from ...arrays import Vector
from ...errors import InputError, ShapeError
from .function_calls import evaluate
from .seeding import as_numeric, value_and_jacobian

Function = Callable[..., Any]
STEP = 6e-6  # of central differences, relative: rounding and the third derivative cost alike
IMAGINARY = 1e-30  # the complex step: its square is nothing beside 1
ROUNDING = 4.0 * float(np.finfo(float).eps)  # of f, relative to the sizes of its terms
SWEEPS = 10  # over rows and columns, for the sizes of entries: a power of ten is near enough


@dataclass(frozen=True)
class JacobianCheck:
    """Outcome of `check_jacobian`; true if the Jacobian agrees with the differences.

    Attributes
    ----------
    ok : bool
        Whether they agree.
    error : float
        Largest difference, relative to the size that entries of its row and column have. It is
        ``tol`` at most where rounding may explain the difference.
    row, column : int
        Where it is; -1 if there was nothing to compare.
    method : str
        "complex step" or "central differences", whichever agreed better in that column.
    columns : int
        Number of columns that were compared.

    See Also
    --------
    check_jacobian : Returns it.

    Examples
    --------
    >>> from sgsolve import ad
    >>> check = ad.check_jacobian(lambda x: x**2, [1.0, 2.0])
    >>> check.ok, check.columns
    (True, 2)
    """

    ok: bool
    error: float
    row: int
    column: int
    method: str
    columns: int

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        verdict = "agrees" if self.ok else "DISAGREES"
        return (
            f"Jacobian {verdict} with {self.method} in {self.columns} columns: largest relative "
            f"difference {self.error:.1e} at row {self.row}, column {self.column}"
        )


def check_jacobian(
    f: Function,
    x: ArrayLike,
    /,
    *args: Any,
    jacobian: Any = None,
    tol: float = 1e-5,
    columns: int = 100,
    seed: int = 0,
    **kwargs: Any,
) -> JacobianCheck:
    """Compare the Jacobian of f at x with complex steps and central differences.

    A difference is relative to the entry, or to the size that entries of its row and column have,
    which is larger where terms cancel. The units of x and of f do not matter.

    Parameters
    ----------
    f : callable
        ``f(x, *args, **kwargs)`` -> array.
    x : array_like of float
        The point.
    *args
        Passed to `f`.
    jacobian : sparse or dense matrix, optional
        The Jacobian to check; that of AD by default.
    tol : float
        Relative difference that counts as agreement. Central differences of a smooth function
        reach about 1e-8. The default, 1e-5, also admits functions that are less smooth.
    columns : int
        Compare all columns up to this many, else as many chosen at random.
    seed : int
        Of the random choice.
    **kwargs
        Passed to `f`.

    Returns
    -------
    JacobianCheck
        True if they agree.

    Raises
    ------
    InputError
        If x or f(x) is not finite.
    ShapeError
        If `jacobian` has another shape than df/dx.

    See Also
    --------
    Problem.check_jacobian : The same for the residual of a problem.
    jacobian : The Jacobian by automatic differentiation.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> bool(ad.check_jacobian(lambda x: x[1:] * np.sin(x[:-1]), [0.1, 0.2, 0.3]))
    True
    """
    x = as_numeric(x).astype(float)
    if not np.isfinite(x).all():
        raise InputError("check_jacobian: x is not finite")
    if jacobian is None:
        _, jacobian = value_and_jacobian(f, x, *args, **kwargs)
    y = np.asarray(evaluate(f, x, *args, **kwargs), dtype=float)
    if not np.isfinite(y).all():
        raise InputError("check_jacobian: f(x) is not finite; choose another x")
    J = sp.csc_array(jacobian)
    if J.shape != (y.size, x.size):
        raise ShapeError(
            f"check_jacobian: the jacobian has shape {J.shape}, not ({y.size}, {x.size})"
        )
    chosen = np.arange(x.size)
    if x.size > columns:
        chosen = np.sort(np.random.default_rng(seed).choice(x.size, columns, replace=False))

    def function(z: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(all="ignore"):
            return np.asarray(evaluate(f, z, *args, **kwargs)).ravel()

    rounding = ROUNDING * (abs(y).ravel() + abs(J) @ abs(x).ravel())
    estimates = ColumnEstimates(function, x, rounding)
    rows, sizes = _sizes_of_entries(J)
    worst, at, method = -1.0, (-1, -1), "central differences"
    for j in chosen:
        column = J[:, [j]].toarray().ravel()
        relative, means = _relative_difference(column, estimates, int(j), rows * sizes[j], tol)
        if relative.max(initial=0.0) > worst:
            worst, method = float(relative.max(initial=0.0)), means
            at = int(np.argmax(relative)) if relative.size else -1, int(j)
    return JacobianCheck(worst <= tol, max(worst, 0.0), *at, method, len(chosen))


def _sizes_of_entries(J: Any) -> tuple[Vector, Vector]:
    """Return factors of rows and columns, whose products are near the sizes of the entries.

    Their logarithms are the least-squares fit, by alternating means (A. R. Curtis and J. K. Reid,
    J. Inst. Maths Applics 10 (1972) 118): another unit of a row or a column changes its factor.
    A row or a column without entries has the factor 0.
    """
    entries = sp.coo_array(J)
    used = entries.data != 0.0
    i, j = entries.row[used], entries.col[used]
    logs = np.log(abs(entries.data[used]))
    rows, columns = np.zeros(J.shape[0]), np.zeros(J.shape[1])
    in_row, in_column = np.bincount(i, minlength=len(rows)), np.bincount(j, minlength=len(columns))
    for _ in range(SWEEPS):
        rows = np.bincount(i, logs - columns[j], len(rows)) / np.maximum(in_row, 1)
        columns = np.bincount(j, logs - rows[i], len(columns)) / np.maximum(in_column, 1)
    return np.exp(rows) * (in_row > 0), np.exp(columns) * (in_column > 0)


def _relative_difference(
    column: Vector, estimates: ColumnEstimates, j: int, sizes: Vector, tol: float
) -> tuple[Vector, str]:
    """Return the relative differences of a column from an estimate, and how that was made.

    It is the first estimate that agrees, or else the one that is nearer.
    """
    best, means = np.full(len(column), np.inf), "central differences"
    for method, estimate in (
        ("complex step", estimates.complex_step),
        ("central differences", estimates.central),
    ):
        other, doubt = estimate(j)
        if other is None or not np.isfinite(other).all():
            continue
        difference = abs(other - column)
        scale = np.maximum(np.maximum(sizes, abs(other)), abs(column))
        relative = np.divide(difference, scale, out=np.zeros(len(scale)), where=scale != 0.0)
        within = difference <= doubt + tol * scale
        relative[within] = np.minimum(relative[within], tol)
        relative[~np.isfinite(column)] = np.inf
        if relative.max(initial=0.0) <= min(tol, best.max(initial=0.0)):
            return relative, method
        if relative.max(initial=0.0) < best.max(initial=0.0):
            best, means = relative, method
    return best, means


@dataclass(frozen=True)
class ColumnEstimates:
    """Columns of a Jacobian from values of a function.

    Attributes
    ----------
    function : callable
        Returns a flat array.
    x : ndarray
    rounding : ndarray
        How far the value of each row may be off.
    """

    function: Callable[[NDArray[Any]], NDArray[Any]]
    x: NDArray[Any]
    rounding: Vector

    def complex_step(self, j: int) -> tuple[Any, Any]:
        """Return a column by a complex step, which has no rounding of its own."""
        z = self.x.astype(complex)
        z.reshape(-1)[j] += 1j * IMAGINARY
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ComplexWarning)
                return np.imag(self.function(z)) / IMAGINARY, 0.0
        except (TypeError, ComplexWarning):
            return None, 0.0  # f has no complex form: floor, arctan2, a spline ...

    def central(self, j: int) -> tuple[Any, Any]:
        """Return a column by central differences, and how far each entry may be off.

        The doubt is what half the step changes, and the rounding of f. The natural size of x[j] is
        not known. Of three sizes, each entry has the one with the least doubt; one that contradicts
        a smaller size is too long for f.
        """
        size = abs(float(self.x.reshape(-1)[j]))
        lengths = sorted({size, max(1.0, size), float(abs(self.x).max())} - {0.0})
        best, least = self._halved(j, lengths[0])
        for length in lengths[1:]:
            other, doubt = self._halved(j, length)
            nearer = (doubt < least) & (abs(other - best) <= least + doubt)
            best, least = np.where(nearer, other, best), np.where(nearer, doubt, least)
        return best, least

    def _halved(self, j: int, length: float) -> tuple[Any, Any]:
        """Return the quotients of a quarter of a step, and their doubt.

        Where the changes from step to half step do not decrease, f jumps: no step explains that.
        """
        quotients = [self._quotient(j, STEP * length * part) for part in (1.0, 0.5, 0.25)]
        before, change = (abs(b - a) for a, b in pairwise(quotients))
        rounding = 8.0 * self.rounding / (STEP * length)
        return quotients[-1], rounding + np.where(change <= 0.5 * before + rounding, change, 0.0)

    def _quotient(self, j: int, h: float) -> Any:
        ends = []
        for step in (h, -h):
            z = self.x.copy()
            z.reshape(-1)[j] += step
            ends.append(np.asarray(self.function(z), dtype=float))
        return (ends[0] - ends[1]) / (2.0 * h)
