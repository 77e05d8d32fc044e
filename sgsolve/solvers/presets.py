"""The named solvers: each is `NewtonMethod` with other defaults.

``print(solver)`` shows the parts of a solver. Pass another part to change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .method import NewtonMethod
from .steps.damping import Armijo, Damping, NaturalMonotonicity
from .steps.direction import Direction, PseudoTransientDirection
from .steps.krylov import KrylovDirection
from .steps.levenberg_marquardt import LevenbergMarquardtStep
from .steps.reuse import CostBasedReuse, Reuse
from .steps.trust_region import Dogleg


@dataclass(frozen=True, kw_only=True)
class Newton(NewtonMethod):
    """Newton's method with full steps, shortened only where the residual is not finite.

    Fast from a good initial guess, as within a sweep; not robust from a poor one.
    Parameters: see `NewtonMethod`.

    See Also
    --------
    DampedNewton, LineSearchNewton, TrustRegion, Robust

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.Newton()).x
    array([2.])
    """


@dataclass(frozen=True, kw_only=True)
class DampedNewton(NewtonMethod):
    """Newton's method with error-oriented damping (NLEQ-ERR).

    The damping does not depend on how the equations are scaled. It costs one more solve for each
    trial. The factorization is kept where the measured costs show that this is faster. For damping
    by the residual take `LineSearchNewton`. Parameters: see `NewtonMethod`.

    See Also
    --------
    Newton, LineSearchNewton, TrustRegion, Robust

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.DampedNewton()).x
    array([2.])
    """

    damping: Damping = field(default_factory=NaturalMonotonicity)
    reuse: Reuse = field(default_factory=CostBasedReuse)


@dataclass(frozen=True, kw_only=True)
class LineSearchNewton(NewtonMethod):
    """Newton's method with an Armijo line search on the scaled residual.

    Parameters: see `NewtonMethod`.

    See Also
    --------
    DampedNewton, TrustRegion, Robust

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.LineSearchNewton()).x
    array([2.])
    """

    damping: Damping = field(default_factory=Armijo)


@dataclass(frozen=True, kw_only=True)
class TrustRegion(NewtonMethod):
    """Powell's dogleg in a trust region: Newton's step near the root, descent farther away.

    Singular Jacobians on the way are admissible. Parameters: see `NewtonMethod`.

    See Also
    --------
    LineSearchNewton, LevenbergMarquardt, Robust

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.TrustRegion()).x.round(6)
    array([2.])
    """

    damping: Damping = field(default_factory=Dogleg)


@dataclass(frozen=True, kw_only=True)
class LevenbergMarquardt(NewtonMethod):
    """Regularized Gauss-Newton steps, on a sparse system of twice the size.

    The slowest and most robust of the methods that decrease the residual; one factorization per
    trial. Parameters: see `NewtonMethod`.

    See Also
    --------
    TrustRegion, LineSearchNewton, Robust

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.LevenbergMarquardt()).x.round(6)
    array([2.])
    """

    damping: Damping = field(default_factory=LevenbergMarquardtStep)
    max_iterations: int = 200


@dataclass(frozen=True, kw_only=True)
class NewtonKrylov(NewtonMethod):
    """Inexact Newton method with GMRES on products J v.

    It is for Jacobians that are too dense or too large to factorize.
    ``KrylovDirection(preconditioner=...)`` makes it fast. Parameters: see `NewtonMethod`.

    See Also
    --------
    KrylovDirection : Its settings.

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.NewtonKrylov()).x.round(6)
    array([2.])
    """

    direction: Direction = field(default_factory=KrylovDirection)
    damping: Damping = field(default_factory=Armijo)


@dataclass(frozen=True, kw_only=True)
class PseudoTransient(NewtonMethod):
    """Pseudo-transient continuation: implicit Euler towards the steady state, then Newton.

    For initial guesses so poor that Newton's direction does not help.
    ``PseudoTransientDirection`` sets the first time step and the mass.
    Parameters: see `NewtonMethod`.

    See Also
    --------
    PseudoTransientDirection : Its settings.
    Robust : Tries it after the others.

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.PseudoTransient()).x.round(6)
    array([2.])
    """

    direction: Direction = field(default_factory=PseudoTransientDirection)
    max_iterations: int = 300
