"""Termination criteria, which are joined by ``&`` and ``|``.

Criteria on the residual are relative to the size of the terms of each equation by default, so they
do not depend on units. A criterion on steps alone cannot declare success: it must be joined with
one on the residual, since small steps do not prove convergence.

The composition follows NOX's status tests (Trilinos). For the error estimate see Deuflhard, Newton
Methods for Nonlinear Problems (2011), section 2.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import EPS
from ...errors import DataTypeError
from ..settings import positive, tolerance
from ..state.iterate import Iterate
from .rounding import NOISE, misses_its_linear_model, small

Tolerance = float | Mapping[str, float]

# A step that is not Newton's, and after which more of the residual is left, tells no error: it may
# be as short as its regularization makes it. Residuals within so many units of rounding need no
# proof that they are rounding.
LEFT, NEAR_ROUNDING = 0.5, 64.0


class TerminationTest:
    """Base class of the termination criteria; join them with ``&`` and ``|``.

    See Also
    --------
    ResidualTolerance, ErrorTolerance, ResidualReduction, RoundingLevel, StepTolerance

    Examples
    --------
    >>> from sgsolve import solvers
    >>> both = solvers.ResidualTolerance(1e-8) & solvers.ErrorTolerance(1e-6)
    >>> either = both | solvers.RoundingLevel()
    >>> method = solvers.Newton(termination=either)
    """

    checks_residual = False
    of_scale = False
    __test__ = False  # not for pytest

    @property
    def own_terms(self) -> bool:
        """Whether residuals are compared with terms without the scale of a problem."""
        return not self.of_scale

    def passed(self, it: Iterate) -> bool:
        """Whether the criterion holds."""
        raise NotImplementedError

    def __and__(self, other: TerminationTest) -> TerminationTest:
        return And(self, _as_test(other))

    def __or__(self, other: TerminationTest) -> TerminationTest:
        return Or(self, _as_test(other))


def _as_test(other: Any) -> TerminationTest:
    if not isinstance(other, TerminationTest):
        raise DataTypeError(
            "a criterion must be joined with another one, such as ErrorTolerance(1e-9), "
            f"not {other!r}"
        )
    return other


@dataclass(frozen=True)
class _Joined(TerminationTest):
    left: TerminationTest
    right: TerminationTest

    @property
    def own_terms(self) -> bool:
        """Whether residuals are compared with terms without the scale of a problem."""
        return self.left.own_terms or self.right.own_terms


class And(_Joined):
    """Both tests hold."""

    @property
    def checks_residual(self) -> bool:  # type: ignore[override]  # read only
        """Whether passing implies a small residual."""
        return self.left.checks_residual or self.right.checks_residual

    def passed(self, it: Iterate) -> bool:
        """Whether both hold."""
        return self.left.passed(it) and self.right.passed(it)


class Or(_Joined):
    """One of the tests holds."""

    @property
    def checks_residual(self) -> bool:  # type: ignore[override]  # read only
        """Whether passing implies a small residual."""
        return self.left.checks_residual and self.right.checks_residual

    def passed(self, it: Iterate) -> bool:
        """Whether one holds."""
        return self.left.passed(it) or self.right.passed(it)


@dataclass(frozen=True)
class ResidualTolerance(TerminationTest):
    """Require ``|F_i|`` <= absolute + relative * (size of the terms of equation i).

    Parameters
    ----------
    relative : float
        1e-11 by default: well above rounding. The last step of Newton's method usually reduces the
        residual much further.
    absolute : float or mapping of block to float
        In your units; 0 by default, because no number suits all units.
    of_scale : bool
        Count every unknown as no smaller than the ``scale=`` of the problem. For equations whose
        constants, such as a doping, are larger than the terms of small unknowns, with a scale that
        fits every unknown. By default the scale does not decide whether an equation holds.

    See Also
    --------
    ResidualReduction, ErrorTolerance, RoundingLevel, StepTolerance

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.Newton(termination=solvers.ResidualTolerance(absolute=1e-6))
    >>> result = Problem(lambda x: x**2 - 4.0).solve([1.0], method)
    >>> bool(abs(result.residual[0]) < 1e-6)
    True
    """

    relative: float = 1e-11
    absolute: Tolerance = 0.0
    of_scale: bool = False
    checks_residual = True

    def __post_init__(self) -> None:
        tolerance(self, "relative", "absolute")

    def passed(self, it: Iterate) -> bool:
        """Whether every equation holds."""
        if isinstance(self.absolute, Mapping):
            absolute: Any = it.blocks.spread(self.absolute, 0.0, "absolute")
        else:
            absolute = self.absolute
        return small(it, absolute, self.relative, self.of_scale)


@dataclass(frozen=True)
class RoundingLevel(TerminationTest):
    """Require that every residual is within the rounding errors of the terms of its equation.

    Parameters
    ----------
    factor : float
        In units of machine epsilon times the size of the terms.
    of_scale : bool
        Count every unknown as no smaller than the ``scale=`` of the problem. For equations whose
        constants, such as a doping, are larger than the terms of small unknowns, with a scale that
        fits every unknown. By default the scale does not decide whether an equation holds.

    See Also
    --------
    ResidualTolerance, ErrorTolerance, ResidualReduction, StepTolerance

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.Newton(termination=solvers.RoundingLevel())
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], method).x
    array([2.])
    """

    factor: float = 4.0
    of_scale: bool = False
    checks_residual = True

    def __post_init__(self) -> None:
        positive(self, "factor")
        tolerance(self, "factor")

    def passed(self, it: Iterate) -> bool:
        """Whether every equation holds to rounding."""
        return small(it, 0.0, self.factor * EPS, self.of_scale)


@dataclass(frozen=True)
class ResidualReduction(TerminationTest):
    """Require that the largest scaled residual has decreased by a factor since the start.

    Parameters
    ----------
    factor : float
        Final over initial residual.

    See Also
    --------
    ResidualTolerance, ErrorTolerance, RoundingLevel, StepTolerance

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.Newton(termination=solvers.ResidualReduction(1e-4))
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], method).x.round(3)
    array([2.])
    """

    factor: float = 1e-8
    checks_residual = True

    def __post_init__(self) -> None:
        positive(self, "factor")
        tolerance(self, "factor")

    def passed(self, it: Iterate) -> bool:
        """Whether the residual fell enough."""
        first = it.history[0].scaled if len(it.history) else math.inf
        return float(it.scaling.scaled(it.F).max()) <= self.factor * min(first, 1.0)


@dataclass(frozen=True)
class ErrorTolerance(TerminationTest):
    """Require a small estimated error of every unknown, relative to its size.

    Size is the magnitude of the unknown, but at least a thousandth of the largest in its block, or
    the problem's ``scale``: unknowns of different units need blocks or a scale.

    Parameters
    ----------
    relative : float
        Largest error allowed, relative.

    See Also
    --------
    ResidualTolerance, ResidualReduction, RoundingLevel, StepTolerance

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> loose = solvers.ResidualTolerance(1e-6) & solvers.ErrorTolerance(1e-3)
    >>> result = Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.Newton(termination=loose))
    >>> bool(abs(result.x[0] - 2.0) < 1e-3)
    True
    """

    relative: float = 1e-9
    own_terms = False

    def __post_init__(self) -> None:
        positive(self, "relative")
        tolerance(self, "relative")

    def passed(self, it: Iterate) -> bool:
        """Whether the estimate is within tolerance; never before the first step."""
        return it.k > 0 and error_estimate(it) <= self.relative


def error_estimate(it: Iterate) -> float:
    """Estimate the relative error of x from the last step and how the residual fell.

    A full step of Newton with contraction rho of the residual is followed by one of at most
    about sqrt(rho) times its size: rho = theta for quadratic convergence gives more, and for
    a double root rho = theta^2 gives exactly theta. It is infinite where the last step did not
    solve the linear model, as where the Jacobian is singular and the equations contradict each
    other.
    """
    if it.correction is not None:
        correction = float((np.abs(it.correction) / it.weights).max())
        if it.newton:
            return correction
        # an old Jacobian sees too little of the error where the problem is nearly singular
        return max(correction, it.step_size * math.sqrt(min(1.0, it.contraction)))
    if it.newton and not it.limited and it.damping == 1.0:
        return it.step_size * math.sqrt(min(1.0, it.contraction))
    return math.inf if it.contraction > LEFT and _is_open(it) else it.step_size


def _is_open(it: Iterate) -> bool:
    """Whether residuals are left that rounding does not explain."""
    scaled = it.scaling.scaled(it.F)
    open_ = scaled > NEAR_ROUNDING * EPS
    if not open_.any():
        return False
    return bool(scaled.max() > NOISE) or not misses_its_linear_model(it, open_)


@dataclass(frozen=True)
class StepTolerance(TerminationTest):
    """Require a small last step: ``|dx_j|`` <= absolute + relative * (size of unknown j).

    Parameters
    ----------
    relative : float
        Relative to the size of the unknown.
    absolute : float or mapping of block to float
        In your units.

    See Also
    --------
    ResidualTolerance, ErrorTolerance, ResidualReduction, RoundingLevel

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> both = solvers.ResidualTolerance(1e-8) & solvers.StepTolerance(absolute=1e-6)
    >>> Problem(lambda x: x**2 - 4.0).solve([1.0], solvers.Newton(termination=both)).x
    array([2.])
    """

    relative: float = 1e-8
    absolute: Tolerance = 0.0
    own_terms = False

    def __post_init__(self) -> None:
        tolerance(self, "relative", "absolute")

    def passed(self, it: Iterate) -> bool:
        """Whether every unknown moved little in the last step."""
        if it.k == 0:
            return False
        allowed = it.blocks.spread(self.absolute, 0.0, "absolute") + self.relative * it.weights
        return bool((np.abs(it.x - it.x_old) <= allowed).all())


DEFAULT: TerminationTest = ResidualTolerance() & (ErrorTolerance() | RoundingLevel())
