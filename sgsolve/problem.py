"""Problem: a residual, its parameters, the names of its unknowns, and its Jacobian.

One idea: the residual is a pure function of x and of named parameters, written in NumPy; nothing
else is asked of the user. The Jacobian comes from `sgsolve.ad` (or from a function of theirs), on
a pattern that is found once and holds for every branch the residual may take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import ArrayLike, NDArray

from . import ad
from .continuation.ladder import as_solver
from .errors import ConvergenceError, DataTypeError, SolveInterrupted
from .pattern import Pattern
from .response.responses import Responses
from .results.result import Result
from .results.status import Status
from .runs.branching import Branching
from .solvers.deadline import deadline_of
from .solvers.limits import refuse_outside
from .solvers.monitor import Monitor
from .solvers.workspace import Pool
from .systems.intake import Signature, starting_point
from .systems.null_space import NullSpace
from .systems.report import conclude
from .systems.starts import prepared_start
from .systems.structure import Structure


class Problem(Branching, Responses):
    """n equations F(x, parameters) = 0 in n unknowns.

    Parameters
    ----------
    residual : callable
        ``residual(x, **parameters) -> array of shape (n,)``, ordinary NumPy code. It must not
        change x, and must return the same for the same arguments.
    params : mapping, optional
        Values of the parameters; any of them can be overridden in a call.
    blocks : mapping of str to slice or integers, optional
        Names of groups of unknowns, and of the equations with the same indices:
        ``{"psi": slice(0, 100), "n": slice(100, 200)}``.
    jacobian : callable, optional
        ``jacobian(x, **parameters)`` -> matrix of shape (n, n), sparse or dense; instead of
        automatic differentiation.
    scale : float, array_like or mapping of block to float, optional
        Typical size of the unknowns, in your units: a change much smaller than this does not
        matter. By default it is taken from the iterates.
    storage : callable or str, optional
        ``storage(x, **parameters)`` -> (n,), what each equation stores, Q in the equations in time
        F + dQ/dt = 0; or the name of a parameter of the residual that is dx/dt. `small_signal`
        needs it.
    null_space : array_like of shape (n,) or (n, k), or callable, optional
        Vectors v with J v = 0 at every x: a pressure or potential that no equation refers to a
        level, a conserved total. Or ``null_space(x, **parameters)`` -> such vectors, called at each
        start. The component of x along them then stays that of the start, in `solve`, `sweep` and
        `continuation`; sensitivities have none, and eigenvalues that belong to it are left out. The
        null vectors of the transposed Jacobian are found from it.
    backend : str or object, optional
        Linear solver: "auto", a name known to `sgsolve.linear`, or an own object.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import Problem
    >>> problem = Problem(lambda x, a: x**2 - a, params={"a": 4.0})
    >>> problem.solve([1.0, 3.0]).x
    array([2., 2.])
    >>> problem.solve([1.0, 3.0], a=9.0).x
    array([3., 3.])
    """

    def __init__(
        self,
        residual: Callable[..., Any],
        *,
        params: Mapping[str, Any] | None = None,
        blocks: Mapping[str, Any] | None = None,
        jacobian: Callable[..., Any] | None = None,
        scale: Any = None,
        storage: Callable[..., Any] | str | None = None,
        null_space: Any = None,
        backend: Any = "auto",
    ) -> None:
        self._signature = Signature(residual, jacobian, params)
        self._structure = Structure(blocks, scale)
        self._storage = storage
        self._null_space = NullSpace(null_space)
        self._workspaces = Pool(backend)

    def __repr__(self) -> str:
        name = getattr(
            self._signature.residual, "__name__", type(self._signature.residual).__name__
        )
        params = ", ".join(self._signature.known) or "none"
        return f"Problem({name}, parameters: {params})"

    @property
    def params(self) -> dict[str, Any]:
        """The parameters and their values here."""
        return dict(self._signature.params)

    def residual(self, x: ArrayLike, **params: Any) -> NDArray[Any]:
        """Return F(x), shape (n,).

        Raises
        ------
        InputError
            If x or a parameter is wrong, or what the residual returned is no vector of length n.
        """
        return self._system(x, params)[0].checked_residual(starting_point(x))

    def jacobian(self, x: ArrayLike, **params: Any) -> Any:
        """Return dF/dx at x, a ``csr_array`` of shape (n, n) on the pattern of the problem."""
        return self.linearize(x, **params)[1]

    def linearize(self, x: ArrayLike, **params: Any) -> tuple[NDArray[Any], Any]:
        """Return F(x) and dF/dx from one evaluation (the first one is checked by a second)."""
        system, start = self._system(x, params)
        if not system.is_prepared:
            system.prepare(start)
        F, J = system.linearize(start)
        system.check_finite(F)
        return F, J

    def sparsity(self, x: ArrayLike, **params: Any) -> Pattern:
        """Return the pattern of dF/dx: valid for every branch, with the diagonal added."""
        system, start = self._system(x, params)
        system.prepare(start)
        return system.pattern

    def solve(
        self,
        x0: ArrayLike,
        solver: Any = None,
        *,
        raise_on_failure: bool = True,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
        **params: Any,
    ) -> Result:
        """Find x with F(x) = 0.

        Parameters
        ----------
        x0 : array_like, shape (n,)
            Where to start.
        solver : NewtonMethod or Robust, optional
            From `sgsolve.solvers`; the ladder `continuation.default_ladder` by default.
        raise_on_failure : bool
            Raise `ConvergenceError` (which carries the result), or return it.
        callback : callable, optional
            ``callback(iterate)`` after every iteration; return True to stop.
        verbose : bool
            Print a line per iteration.
        time_limit : float, optional
            Seconds after which the solve ends with the best point so far, under the status
            TIME_LIMIT; no limit by default. It is checked before every evaluation.
        **params
            Parameters that differ from those of the problem.

        Returns
        -------
        Result

        Raises
        ------
        InputError, StructureError, BackendError
            Before any iteration, if something cannot be right.
        ConvergenceError
            If there is no solution to hand back.
        SolveInterrupted
            After Ctrl-C; a KeyboardInterrupt whose ``result`` holds the best point so far. It is
            returned if `raise_on_failure` is False, under the status INTERRUPTED.
        """
        solver, deadline = as_solver(solver), deadline_of(time_limit)
        if not (callback is None or callable(callback)):
            raise DataTypeError(f"callback must be a function of the iterate, not {callback!r}")
        system, start = self._system(x0, params)
        refuse_outside(solver, start, system.blocks)
        matrix_free = getattr(solver, "matrix_free", False)
        start, F, remark = prepared_start(system, start, solver, not matrix_free)
        with self._lend(system, start) as workspace:
            monitor = Monitor(callback, verbose, deadline)
            result = conclude(solver, system, workspace, start, F, monitor, not matrix_free, remark)
        if raise_on_failure and result.status is Status.INTERRUPTED:
            raise SolveInterrupted(result.message, result)
        if raise_on_failure and not result.success:
            raise ConvergenceError(result.message, result)
        return result

    def check_jacobian(self, x: ArrayLike, **params: Any) -> ad.JacobianCheck:
        """Compare the Jacobian at x (AD's or your own) with differences.

        Returns
        -------
        JacobianCheck
            True if they agree; prints the entries that do not.
        """
        system, start = self._system(x, params)
        system.prepare(start)
        own = system.linearize(start)[1] if system.has_own_jacobian else None
        return ad.check_jacobian(system.raw, start, jacobian=own)
