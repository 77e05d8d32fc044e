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
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.sparse import issparse

from ..errors import InputError, ShapeError
from ..results.status import Status
from .iterate import Iterate
from .norms import norm2
from .settings import fraction, positive

Vector = NDArray[Any]
Operator = Callable[[Vector], Vector]

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
        An approximation of the inverse of J, as in SciPy: an operator or a matrix that is applied
        to vectors. Of an object with a method ``solve``, such as SciPy's ``spilu(J)``, the
        solution is taken. A function returns one of these, or a function v -> M^-1 v. It is called
        once per iteration, as ``preconditioner(x)`` or, if it takes two arguments, as
        ``preconditioner(x, J)`` with the sparse Jacobian at x. Only then is the Jacobian formed.

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
        if not (self.preconditioner is None or _is_fixed(self.preconditioner)):
            self._number_of_arguments()

    @property
    def forms_jacobian(self) -> bool:
        """Whether the sparse Jacobian is needed: by a preconditioner of two arguments."""
        M = self.preconditioner
        return M is not None and not _is_fixed(M) and self._number_of_arguments() == 2

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
            return lambda v: v
        if not _is_fixed(M):
            M = M(it.x, it.J) if self.forms_jacobian else M(it.x)
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


def applied(M: Any, n: int) -> Operator:
    """Return the function v -> M^-1 v that a preconditioner of any kind stands for.

    Raises
    ------
    InputError, ShapeError
        It is none, or it is not one of n unknowns.
    """
    apply: Operator
    matrix: Any = M
    if hasattr(M, "matvec"):
        apply = M.matvec
    elif issparse(M) or isinstance(M, np.ndarray):
        apply = matrix.dot
    elif hasattr(M, "solve"):
        apply = M.solve
    elif callable(M):
        apply = M
    else:
        raise InputError(
            "the preconditioner must return a function v -> M^-1 v, a LinearOperator, a matrix or "
            f"an object with solve(v), not {type(M).__name__}"
        )
    shape = getattr(M, "shape", (n, n))
    if shape != (n, n):
        raise ShapeError(f"the preconditioner has shape {shape}; {n} unknowns need {(n, n)}")

    def checked(v: Vector) -> Vector:
        result = np.asarray(apply(v))
        if result.shape != (n,):
            raise ShapeError(
                f"the preconditioner returned an array of shape {result.shape} for a vector of "
                f"shape {(n,)}"
            )
        return result

    return checked


def _is_fixed(M: Any) -> bool:
    """Whether a preconditioner is the same at all x: an operator, a matrix or a factorization."""
    return bool(
        hasattr(M, "matvec") or issparse(M) or isinstance(M, np.ndarray) or hasattr(M, "solve")
    )


def gmres(
    product: Operator,
    b: Vector,
    precondition: Operator,
    tolerance: float,
    restart: int,
    max_products: int,
) -> tuple[Vector, float, int]:
    """Solve A x = b roughly, with right preconditioning and restarts.

    Returns
    -------
    x : ndarray
    left : float
        Norm of the residual relative to that of b.
    products : int
    """
    x, r = np.zeros_like(b), b
    start = norm = norm2(b)
    used = 0
    while start > 0.0 and norm > tolerance * start and used < max_products:
        before = norm
        correction, count = _cycle(
            product, r, precondition, tolerance * start, min(restart, max_products - used)
        )
        x = x + correction
        r = b - product(x)
        used += count + 1
        norm = norm2(r)
        if not norm < 0.999 * before:
            break
    return x, (norm / start if start > 0.0 else 0.0), used


def _cycle(
    product: Operator, r: Vector, precondition: Operator, target: float, m: int
) -> tuple[Vector, int]:
    """Return the correction of one cycle of at most m products, and their number."""
    n, beta = len(r), norm2(r)
    basis = np.empty((m + 1, n))
    R = np.zeros((m, m))
    rotations: list[tuple[float, float]] = []
    basis[0], rhs = r / beta, [beta]
    for k in range(m):
        w = product(precondition(basis[k]))
        size, column = norm2(w), np.zeros(k + 1)
        for _ in range(2):  # orthogonalized twice: as good as it gets, and in BLAS
            h = basis[: k + 1] @ w
            w = w - h @ basis[: k + 1]
            column += h
        below = norm2(w)
        for i, (c, s) in enumerate(rotations):
            column[i : i + 2] = (
                c * column[i] + s * column[i + 1],
                c * column[i + 1] - s * column[i],
            )
        length = math.hypot(column[k], below)
        if not length > 1e-14 * size:
            break  # a singular A: this product is a combination of those before
        c, s = column[k] / length, below / length
        rotations.append((c, s))
        column[k] = length
        R[: k + 1, k] = column
        rhs += [-s * rhs[k]]
        rhs[k] *= c
        if abs(rhs[k + 1]) <= target or not below > 1e-14 * length:
            break
        basis[k + 1] = w / below
    rank = len(rotations)
    if rank == 0:
        return np.zeros(n), 1
    y = solve_triangular(R[:rank, :rank], rhs[:rank], check_finite=False)
    return precondition(y @ basis[:rank]), k + 1
