"""Newton's method on equations that are spread over the ranks: SNES of PETSc.

Reference: S. Balay et al., PETSc/TAO Users Manual, ANL-21/39, chapter on SNES.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .. import ranks
from ..errors import ConvergenceError, InputError
from ..linear.methods.parallel_petsc.petsc_options import (
    Installed,
    loaded,
    own_petsc_errors,
    parsed,
)
from ..problem.inputs.signature import Signature
from .local_rows import LocalRows
from .local_solution import LocalSolution

# Norm of the residual at a solution, relative to the sum of the terms that cancel in it.
TOLERANCE = 1e-13
MAX_ITERATIONS = 100
OUTSIDE = 1e50  # residual of an equation that has no finite value


class LocalProblem:
    """Equations F(x, parameters) = 0 of which each rank evaluates its own.

    Parameters
    ----------
    residual : callable
        ``residual(u, **parameters)``, NumPy code for the equations of this rank. u holds the own
        unknowns with the margin or the ghosts of the layout, in ``layout.local_shape``; beyond the
        boundary it is zero. What it returns has ``layout.own_shape``.
    layout : Box or Ghosts
        Which unknowns this rank holds.
    params : mapping, optional
        Values of the parameters. Numbers are the same on all ranks. An array in
        ``layout.own_shape`` or ``layout.local_shape`` belongs to the unknowns of this rank, such as
        a coefficient, or the values of the last time step.
    options : str or mapping
        Options of PETSc's SNES, KSP and PC. Default: Newton's method with backtracking, GMRES, and
        ILU on each rank.

    Raises
    ------
    BackendError
        petsc4py is not installed.
    InputError, DataTypeError
        The options cannot be read, or the layout is none.

    Warns
    -----
    UnusedOptionsWarning
        PETSc has not read an option, by the end of the first solve.

    See Also
    --------
    petsc.Petsc : No change of the residual; each rank evaluates all of it.

    Notes
    -----
    Success is decided on a residual that is evaluated anew at the solution: its norm is at most
    1e-13 of that of ``|J||x|``, the terms that cancel in it. Pattern, matrix and preconditioner are
    set up once, and serve all solves of this problem and of those that `at` returns.

    Examples
    --------
    >>> from importlib.util import find_spec
    >>> import numpy as np
    >>> def residual(u, lam):
    ...     return 2.0 * u[1:-1] - u[:-2] - u[2:] - lam / 101**2 * np.exp(u[1:-1])
    >>> if find_spec("petsc4py"):
    ...     from sgsolve import distributed
    ...     box = distributed.Box((100,))
    ...     problem = distributed.LocalProblem(residual, box, params={"lam": 1.0})
    ...     assert abs(problem.solve(0.0).whole().max() - 0.1405) < 1e-4
    """

    def __init__(
        self,
        residual: Callable[..., Any],
        layout: Any,
        *,
        params: Mapping[str, Any] | None = None,
        options: str | Mapping[str, Any] = "",
    ) -> None:
        if not hasattr(layout, "local"):
            raise InputError(f"layout must be a Box or Ghosts, not {layout!r}")
        self.layout = layout
        self._signature = Signature(residual, None, params)
        self._shared = _Newton(layout, parsed(options, ours=()))

    @property
    def params(self) -> dict[str, Any]:
        """The parameters and their values here."""
        return dict(self._signature.params)

    def at(self, /, **params: Any) -> Self:
        """Return the same problem at other values of some parameters; all else is shared.

        Parameters
        ----------
        **params
            The parameters that change, with their values.

        Returns
        -------
        LocalProblem

        Raises
        ------
        ParameterError
            The residual has no such parameter.
        """
        other = object.__new__(type(self))
        other.layout, other._shared = self.layout, self._shared
        other._signature = self._signature.at(params)
        return other

    def solve(self, x0: Any = 0.0, *, raise_on_failure: bool = True) -> LocalSolution:
        """Find x with F(x) = 0; all ranks call it together.

        Parameters
        ----------
        x0 : float, array_like or LocalSolution
            Start: a number, an array of all unknowns, one of the own unknowns, or a solution.
        raise_on_failure : bool
            Raise if there is no solution.

        Returns
        -------
        LocalSolution

        Raises
        ------
        ConvergenceError
            No solution was found; the error has the last point as ``result``.
        RanksDisagreeError
            Parameters other than arrays of this rank are not the same on all ranks.
        """
        call = self._signature.call({})
        numbers = [np.asarray(call.params[name]) for name in sorted(call.params)]
        ranks.agree(f"solves {self!r}", *(a for a in numbers if self._is_shared(a)))
        start = self.layout.vector()
        known = isinstance(x0, LocalSolution)
        start.array = self.layout.start(x0.own if known else x0).reshape(-1)
        result = self._shared.solve(call.unjoined, start, call.params)
        if raise_on_failure and not result.success:
            raise ConvergenceError(result.message, result)
        return result

    def _is_shared(self, value: NDArray[Any]) -> bool:
        """Whether a parameter is a number, or an array, that all ranks have in common."""
        of_this_rank = (self.layout.own_shape, self.layout.local_shape)
        return value.dtype.kind in "biuf" and value.shape not in of_this_rank

    def sweep(self, x0: Any, name: str, values: Iterable[float]) -> list[LocalSolution]:
        """Solve at many values of a parameter, each from the solution before.

        Parameters
        ----------
        x0 : as in `solve`
        name : str
            The parameter.
        values : iterable of float
            Its values, in order.

        Returns
        -------
        list of LocalSolution

        Raises
        ------
        ConvergenceError
            A solve failed; the error has its last point as ``result``.
        """
        found: list[LocalSolution] = []
        for value in values:
            found.append(self.at(**{name: value}).solve(found[-1] if found else x0))
        return found

    def __repr__(self) -> str:
        residual = self._signature.residual
        name = getattr(residual, "__name__", type(residual).__name__)
        return f"LocalProblem({name}, parameters: {', '.join(self._signature.known) or 'none'})"


class _Newton:
    """SNES with the matrix of one layout; what all solves of a problem share."""

    def __init__(self, layout: Any, options: Mapping[str, str]) -> None:
        self._layout, self._options = layout, options
        self._rows = LocalRows(layout)
        self._function: Any = None
        self._snes: Any = None
        self._installed: Installed | None = None
        self._judged = False
        self._scale = math.inf

    def solve(
        self, function: Callable[[Any], Any], x: Any, params: dict[str, Any]
    ) -> LocalSolution:
        """Run SNES from x, and judge the point where it ends by a residual evaluated anew."""
        self._function, self._scale = function, math.inf
        with np.errstate(all="ignore"):
            self._rows.prepare(function, self._layout.local(x))
        F = x.duplicate()
        self._residual(None, x, F)
        with own_petsc_errors():
            snes = self._solver(F)
            if math.isfinite(F.norm()):
                snes.solve(None, x)
                reason = _name_of_reason(snes.getConvergedReason())
            else:
                reason = "the residual at the start is not finite"
        if self._installed is not None and not self._judged:
            self._judged = True
            self._installed.report_unused()
        self._residual(None, x, F)
        self._jacobian(None, x, None, None)
        norm = float(F.norm())
        success = norm <= TOLERANCE * self._scale
        return LocalSolution(
            own=x.array.reshape(self._layout.own_shape).copy(),
            success=success,
            message=f"{reason} after {snes.getIterationNumber()} iterations; the residual is "
            f"{norm:.2e}, the terms that cancel in it {self._scale:.2e}",
            iterations=int(snes.getIterationNumber()),
            linear_iterations=int(snes.getLinearSolveIterations()),
            residual_norm=norm,
            params=params,
            layout=self._layout,
            vector=x,
        )

    def _solver(self, F: Any) -> Any:
        """Return the SNES, made the first time."""
        if self._snes is None:
            module = loaded()
            self._installed = Installed(self._options)
            snes = self._snes = module.SNES().create(module.COMM_WORLD)
            snes.setOptionsPrefix(self._installed.prefix)
            snes.setFunction(self._residual, F)
            snes.setJacobian(self._jacobian, self._rows.matrix)
            snes.setTolerances(max_it=MAX_ITERATIONS)
            snes.setConvergenceTest(self._converged)
            snes.setFromOptions()
        return self._snes

    def _residual(self, snes: Any, x: Any, F: Any) -> None:
        """Evaluate the own equations; a point outside the model shortens the step."""
        try:
            with np.errstate(all="ignore"):
                values = self._rows.residual(self._function, self._layout.local(x))
        except ArithmeticError:
            if snes is None:
                raise
            values = np.full(F.getLocalSize(), np.nan)
        # The line search shortens a step to a large residual; one that is not finite ends it.
        F.array = values if snes is None else np.where(np.isfinite(values), values, OUTSIDE)

    def _jacobian(self, snes: Any, x: Any, J: Any, P: Any) -> None:
        """Evaluate the own rows of the Jacobian, and the size of the terms in the equations."""
        with np.errstate(all="ignore"):
            sizes = self._rows.jacobian(self._function, self._layout.local(x))
        terms = x.duplicate()
        terms.array = sizes
        self._scale = float(terms.norm())

    def _converged(self, snes: Any, iteration: int, norms: tuple[float, float, float]) -> Any:
        """Return whether SNES may stop: the residual is small beside the terms in it."""
        reasons = loaded().SNES.ConvergedReason
        norm = norms[2]
        if not math.isfinite(norm):
            return reasons.DIVERGED_FUNCTION_DOMAIN
        if norm == 0.0 or (iteration > 0 and norm <= TOLERANCE * self._scale):
            return reasons.CONVERGED_FNORM_ABS
        return reasons.ITERATING


def _name_of_reason(reason: int) -> str:
    """Return the name that PETSc has for the end of an iteration."""
    names: NDArray[Any] | list[str] = [
        name for name, value in vars(loaded().SNES.ConvergedReason).items() if value == reason
    ]
    return next((name for name in names if name[:1] in "CD"), str(reason))
