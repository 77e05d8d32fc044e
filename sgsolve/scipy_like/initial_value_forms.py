"""Forms in which `scipy.integrate.solve_ivp` takes functions and states: complex, as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from ..ad import seed_sparsity, sparsity_pattern
from ..ad.drivers.function_calls import evaluate_vector
from ..arrays import Vector
from ..errors import InputError, ShapeError

Function = Callable[..., Any]


def of_columns(fun: Function) -> Function:
    """Return the function of one state that a function of states in columns is."""

    def of_state(t: float, y: Any, *args: Any) -> Any:
        return evaluate_vector(fun, t, y[:, None], *args).reshape(-1)

    return of_state


def check_declared(
    fun: Function, t: float, y: Vector, n: int, args: tuple[Any, ...], declared: Mapping[str, Any]
) -> None:
    """Raise `InputError` where fun depends on unknowns that a declared sparsity pattern lacks.

    Parameters
    ----------
    y : ndarray, shape (n,) or (2 n,)
        The state, or its real and imaginary parts.
    """
    given = {name: value for name, value in declared.items() if value is not None}
    if not given:
        return
    pattern = sparsity_pattern(evaluate_vector(fun, t, seed_sparsity(y), *args))
    rows, columns = pattern.rows % n, pattern.indices % n
    allowed = np.ones(len(rows), dtype=bool)
    if "jac_sparsity" in given:
        allowed &= _structure(given["jac_sparsity"], n)[rows, columns]
    if "lband" in given or "uband" in given:
        below, above = given.get("lband", 0), given.get("uband", 0)
        allowed &= (rows - columns <= below) & (columns - rows <= above)
    if not allowed.all():
        k = int(np.argmin(allowed))
        raise InputError(
            f"{' and '.join(given)}: the Jacobian has no entry in row {rows[k]} and column "
            f"{columns[k]} by that, but fun does depend on y[{columns[k]}] there; correct it, or "
            "leave it out, since the sparsity pattern is found by automatic differentiation"
        )


def _structure(declared: Any, n: int) -> NDArray[np.bool_]:
    if np.shape(declared) != (n, n):
        raise ShapeError(f"jac_sparsity has shape {np.shape(declared)}; it must be ({n}, {n})")
    found: NDArray[np.bool_] = scipy.sparse.csr_array(declared).toarray() != 0
    return found


class RealParts:
    """A complex problem as one of the real parts of y, followed by the imaginary parts.

    Parameters
    ----------
    n : int
        Number of complex unknowns.
    """

    def __init__(self, n: int) -> None:
        self.n = n

    def joined(self, w: Any) -> Any:
        """Return the complex state, from parts along the first axis."""
        return w[: self.n] + 1j * w[self.n :]

    def of(self, y: Any) -> Any:
        """Return the parts of complex numbers along the first axis."""
        return np.concatenate([y.real, y.imag])

    def function(self, fun: Function) -> Function:
        """Return ``fun(t, y, *args)`` in parts."""
        return lambda t, w, *args: self.of(evaluate_vector(fun, t, self.joined(w), *args))

    def jacobian(self, jac: Any) -> Any:
        """Return the derivatives of the parts, from those of an analytic function."""
        if jac is None:
            return None
        if callable(jac):
            return lambda t, w, *args: self._matrix(jac(t, self.joined(w), *args))
        return self._matrix(jac)

    def _matrix(self, J: Any) -> Any:
        J = scipy.sparse.csr_array(J)
        return scipy.sparse.block_array([[J.real, -J.imag], [J.imag, J.real]], format="csr")

    def event(self, event: Any) -> Any:
        """Return an event of the parts, with its attributes."""
        if not callable(event):
            return event

        def of_parts(t: float, w: Any, *args: Any) -> Any:
            return event(t, self.joined(w), *args)

        for name in ("terminal", "direction"):
            if hasattr(event, name):
                setattr(of_parts, name, getattr(event, name))
        return of_parts

    def tolerance(self, atol: ArrayLike) -> ArrayLike:
        """Return the absolute tolerance of both parts."""
        return np.tile(atol, 2) if np.ndim(atol) == 1 else atol

    def result(self, run: scipy.optimize.OptimizeResult) -> scipy.optimize.OptimizeResult:
        """Return the complex result."""
        run["y"] = self.joined(run.y)
        if run.y_events is not None:
            run["y_events"] = [self.joined(y.T).T if len(y) else y for y in run.y_events]
        if run.sol is not None:
            run["sol"] = self._complex(run.sol)
        return run

    def _complex(self, parts: scipy.integrate.OdeSolution) -> scipy.integrate.OdeSolution:
        """Return the complex solution between the steps."""
        from .solution_pieces import solution_of_pieces

        def values(piece: Any) -> Function:
            return lambda t: self.joined(piece(t))

        return solution_of_pieces(list(parts.ts), [values(piece) for piece in parts.interpolants])
