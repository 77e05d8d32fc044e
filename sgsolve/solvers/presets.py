"""Presets: the named solvers. Each is `Method` with other defaults, and nothing more.

One idea: to know what a solver does, print it; to change it, give the part another value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .damping import Armijo, Damping, NaturalMonotonicity
from .direction import Direction, PseudoTransientDirection
from .krylov import KrylovDirection
from .levenberg_marquardt import Marquardt
from .method import Method
from .reuse import Measured, Reuse
from .trust_region import Dogleg


@dataclass(frozen=True, kw_only=True)
class Newton(Method):
    """Newton's method with full steps, shortened only where the residual is not finite.

    Fast from a good start, as within a sweep; without guard from a bad one.
    Parameters: see `Method`.
    """


@dataclass(frozen=True, kw_only=True)
class DampedNewton(Method):
    """Newton's method with error-oriented damping (NLEQ-ERR); ``damping=Armijo()`` for residuals.

    Invariant under scaling of the equations; one more solve per trial. Keeps a factorisation
    where the measured costs say that it pays. Parameters: see `Method`.
    """

    damping: Damping = field(default_factory=NaturalMonotonicity)
    reuse: Reuse = field(default_factory=Measured)


@dataclass(frozen=True, kw_only=True)
class LineSearchNewton(Method):
    """Newton's method with an Armijo line search on the scaled residual. See `Method`."""

    damping: Damping = field(default_factory=Armijo)


@dataclass(frozen=True, kw_only=True)
class TrustRegion(Method):
    """Powell's dogleg in a region of trust: Newton near the root, downhill far from it.

    Survives singular Jacobians on the way. Parameters: see `Method`.
    """

    damping: Damping = field(default_factory=Dogleg)


@dataclass(frozen=True, kw_only=True)
class LevenbergMarquardt(Method):
    """Regularised Gauss-Newton steps, on a sparse system of twice the size.

    The most patient of the methods that decrease the residual; one factorisation per trial.
    Parameters: see `Method`.
    """

    damping: Damping = field(default_factory=Marquardt)
    max_iterations: int = 200


@dataclass(frozen=True, kw_only=True)
class NewtonKrylov(Method):
    """Inexact Newton with GMRES on products J v: for Jacobians too dense or too big to factorise.

    ``KrylovDirection(preconditioner=...)`` is what makes it fast. Parameters: see `Method`.
    """

    direction: Direction = field(default_factory=KrylovDirection)
    damping: Damping = field(default_factory=Armijo)


@dataclass(frozen=True, kw_only=True)
class PseudoTransient(Method):
    """Pseudo-transient continuation: implicit Euler towards the steady state, then Newton.

    For starts from which Newton's directions are meaningless. ``PseudoTransientDirection`` sets
    the first time step and the mass. Parameters: see `Method`.
    """

    direction: Direction = field(default_factory=PseudoTransientDirection)
    max_iterations: int = 300
