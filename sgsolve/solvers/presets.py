"""The named solvers: each is `NewtonMethod` with other defaults.

``print(solver)`` shows the parts of a solver. Pass another part to change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .damping import Armijo, Damping, NaturalMonotonicity
from .direction import Direction, PseudoTransientDirection
from .krylov import KrylovDirection
from .levenberg_marquardt import LevenbergMarquardtStep
from .method import NewtonMethod
from .reuse import CostBasedReuse, Reuse
from .trust_region import Dogleg


@dataclass(frozen=True, kw_only=True)
class Newton(NewtonMethod):
    """Newton's method with full steps, shortened only where the residual is not finite.

    Fast from a good initial guess, as within a sweep; not robust from a poor one.
    Parameters: see `NewtonMethod`.
    """


@dataclass(frozen=True, kw_only=True)
class DampedNewton(NewtonMethod):
    """Newton's method with error-oriented damping (NLEQ-ERR); ``damping=Armijo()`` for residuals.

    Invariant under scaling of the equations; one more solve per trial. Keeps a factorization
    where the measured costs show that this is faster. Parameters: see `NewtonMethod`.
    """

    damping: Damping = field(default_factory=NaturalMonotonicity)
    reuse: Reuse = field(default_factory=CostBasedReuse)


@dataclass(frozen=True, kw_only=True)
class LineSearchNewton(NewtonMethod):
    """Newton's method with an Armijo line search on the scaled residual. See `NewtonMethod`."""

    damping: Damping = field(default_factory=Armijo)


@dataclass(frozen=True, kw_only=True)
class TrustRegion(NewtonMethod):
    """Powell's dogleg in a trust region: Newton's step near the root, descent far from it.

    Works with singular Jacobians on the way. Parameters: see `NewtonMethod`.
    """

    damping: Damping = field(default_factory=Dogleg)


@dataclass(frozen=True, kw_only=True)
class LevenbergMarquardt(NewtonMethod):
    """Regularized Gauss-Newton steps, on a sparse system of twice the size.

    The slowest and most robust of the methods that decrease the residual; one factorization per
    trial.
    Parameters: see `NewtonMethod`.
    """

    damping: Damping = field(default_factory=LevenbergMarquardtStep)
    max_iterations: int = 200


@dataclass(frozen=True, kw_only=True)
class NewtonKrylov(NewtonMethod):
    """Inexact Newton with GMRES on products J v: for Jacobians too dense or too big to factorize.

    ``KrylovDirection(preconditioner=...)`` makes it fast. Parameters: see `NewtonMethod`.
    """

    direction: Direction = field(default_factory=KrylovDirection)
    damping: Damping = field(default_factory=Armijo)


@dataclass(frozen=True, kw_only=True)
class PseudoTransient(NewtonMethod):
    """Pseudo-transient continuation: implicit Euler towards the steady state, then Newton.

    For initial guesses so poor that Newton's direction does not help.
    ``PseudoTransientDirection`` sets the first time step and the mass.
    Parameters: see `NewtonMethod`.
    """

    direction: Direction = field(default_factory=PseudoTransientDirection)
    max_iterations: int = 300
