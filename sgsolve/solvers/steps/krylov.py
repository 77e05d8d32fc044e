"""Newton-Krylov directions from products J v, without the matrix.

GMRES stops at a *forcing term* that depends on how fast the residual decreases (Eisenstat and
Walker, choice 2). It is loose far from the solution and becomes tight near it. The products come
from automatic differentiation, not from differences.

References: Eisenstat and Walker, SIAM J. Sci. Comput. 17 (1996) 16; Saad, Iterative Methods for
Sparse Linear Systems (2003), algorithm 6.9, preconditioned from the right, so that the norm in the
stopping criterion is that of the true residual.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from ...arrays import Vector
from ...errors import InputError
from ...linear.methods.iterative.inverse_operator import applied, is_fixed
from ...linear.methods.iterative.krylov_methods import Operator, gmres
from ...results.status import Status
from ..settings import fraction, positive
from ..state.iterate import Iterate

GAMMA, ALPHA = 0.9, 2.0  # Eisenstat and Walker's choice 2


@dataclass(frozen=True)
class KrylovDirection:
    """Solve J dx = -F by GMRES, with a tolerance that follows the progress of Newton's method.

    Parameters
    ----------
    forcing : float
        First and largest relative residual of the linear system.
    restart : int
        Dimension of the Krylov space before it is started anew.
    max_inner : int
        Products with J per iteration.
    preconditioner : LinearOperator, sparse or dense matrix, factorization, or callable, optional
        By default that of the problem, if it has one. An approximation of the inverse of J, as in
        SciPy: an operator or a matrix that is applied to vectors. Of an object with a method
        ``solve``, such as SciPy's ``spilu(J)``, the solution is taken. A function returns one of
        these, or a function v -> M^-1 v. It is called once per iteration, as ``preconditioner(x)``
        or, if it takes two arguments, as ``preconditioner(x, J)`` with the sparse Jacobian at x.
        Only then is the Jacobian formed.

    Raises
    ------
    InputError, ShapeError
        If the preconditioner is none of these, or does not fit the number of unknowns.

    See Also
    --------
    NewtonDirection : By factorization.
    NewtonKrylov : The solver with this direction.

    Examples
    --------
    An incomplete factorization of the Jacobian, made again in each iteration:

    >>> import numpy as np
    >>> from scipy.sparse.linalg import spilu
    >>> from sgsolve import Problem, solvers
    >>> direction = solvers.KrylovDirection(preconditioner=lambda x, J: spilu(J.tocsc()))
    >>> direction.forms_jacobian
    True
    >>> problem = Problem(lambda x: x**2 - 4.0)
    >>> problem.solve(np.ones(5), solvers.NewtonKrylov(direction=direction)).x.round(6)
    array([2., 2., 2., 2., 2.])
    """

    forcing: float = 0.5
    restart: int = 60
    max_inner: int = 600
    preconditioner: Any = None

    def __post_init__(self) -> None:
        fraction(self, "forcing")
        positive(self, "restart", "max_inner")
        if not (self.preconditioner is None or is_fixed(self.preconditioner)):
            self._number_of_arguments()

    @property
    def forms_jacobian(self) -> bool:
        """Whether the sparse Jacobian is needed: by a preconditioner of two arguments."""
        M = self.preconditioner
        return M is not None and not is_fixed(M) and self._number_of_arguments() == 2

    def _number_of_arguments(self) -> int:
        """Return 1 for a function of x, 2 for one of x and J."""
        M = self.preconditioner
        if not callable(M):
            raise InputError(
                "preconditioner must be a LinearOperator, a matrix, an object with solve(v), or a "
                f"function of x or of (x, J) that returns one, not {M!r}"
            )
        try:
            signature = inspect.signature(M)
        except ValueError:  # some compiled functions do not tell
            return 1
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        required = [
            p for p in signature.parameters.values() if p.kind in kinds and p.default is p.empty
        ]
        return 2 if len(required) == 2 else 1

    def _operator(self, it: Iterate) -> Operator:
        """Return v -> M^-1 v for this iteration."""
        M = self.preconditioner
        if M is None:
            return self._operator_of_problem(it)
        if not is_fixed(M):
            M = M(it.x, it.J) if self.forms_jacobian else M(it.x)
        return applied(M, len(it.x))

    @staticmethod
    def _operator_of_problem(it: Iterate) -> Operator:
        """Return v -> M^-1 v by the preconditioner of the problem, if it has one."""
        M = getattr(it.workspace.backend, "preconditioner", None)
        if M is None:
            return lambda v: v
        if not is_fixed(M):
            raise InputError(
                "the preconditioner of the problem is a function of J, which NewtonKrylov does not "
                "form; leave out the solver, or give it the function: "
                "KrylovDirection(preconditioner=lambda x, J: ...)"
            )
        return applied(M, len(it.x))

    def compute(self, it: Iterate) -> Status | None:
        """Set ``it.dx``."""
        eta = self._forcing(it)
        condition = self._operator(it)
        sizes, weights = it.S, it.weights
        J: Any = it.J if self.forms_jacobian else None

        def product(v: Vector) -> Vector:
            v = v * weights
            result: Vector = it.product(v) if J is None else J.dot(v)
            return result / sizes

        def precondition(v: Vector) -> Vector:
            return condition(v * sizes) / weights

        step, left, count = gmres(
            product, -it.F / sizes, precondition, eta, self.restart, self.max_inner
        )
        it.memory["forcing"] = (eta, it.phi)
        it.notes.append(f"{count} products, forcing {eta:.1e}")
        if not left < 0.999:
            return Status.NO_LINEAR_CONVERGENCE
        it.dx, it.newton = step * weights, True
        return None

    def _forcing(self, it: Iterate) -> float:
        """Return the relative residual at which GMRES may stop."""
        memory = it.memory.get("forcing")
        if memory is None:
            return self.forcing
        before, phi = memory
        eta = GAMMA * min(it.phi / phi, 1.0 / GAMMA) ** ALPHA if phi > 0.0 else 0.0
        guard = GAMMA * before**ALPHA
        if guard > 0.1:
            eta = max(eta, guard)
        return float(min(self.forcing, max(eta, 1e-8)))
