"""The solvers for the equations of a device, and Poisson's equation alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ... import solvers

KEPT = 32  # solvers that are kept: making one takes as long as a step of a small device
ACCURACY = 1e-13  # of the potentials, relative to their size or to kT/q
COSTLY = 50.0  # operations of a factorization for each entry of the matrix; in one dimension 10
FEW = 400  # unknowns: smaller matrices are dense, whose factorization takes no time that matters
ROUNDING = 4.0  # ... or residuals within this many rounding errors of their terms


@dataclass(frozen=True)
class CostlyFactors:
    """Keep factors while the residual falls tenfold in a step, for six steps, where they cost much.

    In two and three dimensions a solution with kept factors costs a twentieth of new ones, or less.
    From a contraction of 0.1 on, kept factors take about twice as many steps as new ones.
    """

    rule: solvers.Reuse = field(default_factory=lambda: solvers.Shamanskii(6, contraction=0.1))

    def keep(self, it: solvers.Iterate) -> bool:
        """Whether to keep the present factorization."""
        cost = it.counted.solver.operations / it.system.pattern.nnz
        return not self.renews(len(it.x), cost) and self.rule.keep(it)

    def renews(self, n: int, cost: float) -> bool:
        """Whether factors of n unknowns cost little, or nobody knows."""
        return n <= FEW or not cost > COSTLY


REUSE = CostlyFactors()
UNHURRIED = float("inf")  # s: iterations bound each stage, the same ones on any machine


def coupled_method(vt: float, damped: int = 60, cold: int = 300) -> solvers.Robust:
    """Return the solver of a device: Newton's method with error-oriented damping, then a fallback.

    The damping does not depend on how the equations are scaled, and lets a depletion layer grow by
    volts in a few steps. The fallback limits the steps to their logarithm in units of kT/q. It is
    for light that is turned on: densities then rise by many orders of magnitude.

    Parameters
    ----------
    vt : float
        Thermal voltage kT/q, V.
    damped, cold : int
        Limits on the iterations of the first method, and of the fallback.

    Returns
    -------
    Robust
        The two stages.

    See Also
    --------
    gummel : The equations one after the other.

    Examples
    --------
    >>> from sgsolve.devices import coupled_method
    >>> len(coupled_method(0.0259).stages)
    2
    """
    return _coupled_method(vt, damped, cold)


@functools.lru_cache(maxsize=KEPT)
def _coupled_method(vt: float, damped: int, cold: int) -> solvers.Robust:
    """Return the same, made once for all devices of a temperature: it cannot change."""
    return solvers.Robust(
        stages=(
            solvers.Stage(damped_method(damped)),
            solvers.Stage(cold_method(vt, cold), from_best=False),
        ),
        patience=UNHURRIED,
    )


def damped_method(max_iterations: int = 60) -> solvers.NewtonMethod:
    """The first of these two alone: for steps that may as well be made shorter."""
    return solvers.NewtonMethod(
        damping=solvers.NaturalMonotonicity(),
        termination=accurate(),
        reuse=REUSE,
        max_iterations=max_iterations,
    )


@functools.lru_cache(maxsize=KEPT)
def poisson_method(vt: float) -> solvers.Robust:
    """Newton's method with full steps, then as `coupled_method`.

    With fixed quasi-Fermi potentials the charge falls monotonically with the potential. Full steps
    then converge from the neutral potential, however thick the depletion layer becomes.
    """
    full = solvers.NewtonMethod(termination=accurate(), max_iterations=60)
    return solvers.Robust(
        stages=(
            solvers.Stage(full),
            *(solvers.Stage(r.solver, from_best=False) for r in coupled_method(vt).stages),
        ),
        patience=UNHURRIED,
    )


def bounded_poisson_method(
    vt: float, limit: Callable[[Any, Any], Any], termination: solvers.TerminationTest
) -> solvers.Robust:
    """Newton's method with limited steps, then as `poisson_method`."""
    limited = solvers.NewtonMethod(limits=(limit,), termination=termination, max_iterations=30)
    stages = (solvers.Stage(limited), *poisson_method(vt).stages)
    return solvers.Robust(stages=stages, termination=termination, patience=UNHURRIED)


def cold_method(vt: float, max_iterations: int = 300) -> solvers.NewtonMethod:
    """Newton's method with steps cut to their logarithm in units of kT/q.

    Charges are exponential in potentials: a jump of 200 kT/q becomes one of 5, small steps pass.
    """
    return solvers.NewtonMethod(
        limits=(solvers.LogDamping(max(vt, 0.01)),),
        termination=accurate(),
        max_iterations=max_iterations,
    )


def accurate() -> solvers.TerminationTest:
    """Potentials to 1e-13, or residuals within rounding.

    It is tight because a potential that is wrong by 1e-11 V changes a current by 4e-10 of itself,
    and costs little because the last step of Newton's method doubles the digits. The potentials
    count as kT/q at least, because the charge of the doping is no term of them.
    """
    rounded = solvers.RoundingLevel(ROUNDING, of_scale=True)
    accurate = solvers.ErrorTolerance(ACCURACY) | rounded
    return solvers.ResidualTolerance(1e-10, of_scale=True) & accurate
