"""Rules for reusing a Jacobian and its factorization.

A step with an old factorization costs a residual and a solve. A new one also costs the Jacobian
and the factorization. `CostBasedReuse` compares the two from measured times, the contraction of the
last step and the remaining decrease of the residual. An old Jacobian never causes a failure: the
loop evaluates a new one and tries again first.

`Shamanskii` is the method of that name, and with ``inf`` the chord method (Kelley 2003, section
2.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from ... import ranks
from ..settings import not_negative, positive
from ..state.iterate import Iterate

GOAL = 1e-12  # scaled residual at which a solve is as good as done


class Reuse(Protocol):
    """Interface of the decision to keep the Jacobian for the next step.

    Optional method: ``renews(n, cost)``, whether a solve of n unknowns gets a new Jacobian for
    every step. ``cost`` are the operations of a factorization for each entry of the Jacobian, NaN
    if they are not known. Without this method, nothing is assumed.

    See Also
    --------
    NoReuse, Shamanskii, CostBasedReuse
    """

    def keep(self, it: Iterate) -> bool:
        """Whether to keep the present factorization."""
        ...


@dataclass(frozen=True)
class NoReuse:
    """Evaluate a new Jacobian for every step.

    See Also
    --------
    Shamanskii, CostBasedReuse

    Examples
    --------
    >>> from sgsolve import solvers
    >>> method = solvers.DampedNewton(reuse=solvers.NoReuse())
    """

    def keep(self, it: Iterate) -> bool:
        """Never."""
        return False

    def renews(self, n: int, cost: float) -> bool:
        """Whether every step gets a new Jacobian; a subclass may decide otherwise."""
        return type(self) is NoReuse


@dataclass(frozen=True)
class Shamanskii:
    """Evaluate a new Jacobian every `steps` steps: Shamanskii's method; inf is the chord method.

    Parameters
    ----------
    steps : float
        Steps with one Jacobian.
    contraction : float
        The residual must decrease by this factor, or the Jacobian is evaluated again.

    See Also
    --------
    NoReuse, CostBasedReuse

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.NewtonMethod(reuse=solvers.Shamanskii(3))
    >>> Problem(lambda x: x**2 - 4.0).solve([1.9], method).x.round(6)
    array([2.])
    """

    steps: float = 5
    contraction: float = 0.9

    def __post_init__(self) -> None:
        positive(self, "steps", "contraction")

    def keep(self, it: Iterate) -> bool:
        """Whether the Jacobian is young enough and still works."""
        return it.age < self.steps and it.contraction <= self.contraction


@dataclass(frozen=True)
class CostBasedReuse:
    """Keep the factorization while further steps with it cost less than with new ones.

    Parameters
    ----------
    contraction : float
        A step with the kept factorization must be predicted to reduce the error by this factor.
    gain : float
        It must also be cheaper by this factor, because the contraction of a kept factorization
        tends to get worse, and measured times vary.
    smallest : int
        With fewer unknowns the Jacobian is always new: the gain would be a fraction of a
        millisecond, and the iterations of a small solve should not depend on a clock.

    See Also
    --------
    NoReuse, Shamanskii

    Examples
    --------
    >>> from sgsolve import solvers
    >>> method = solvers.NewtonMethod(reuse=solvers.CostBasedReuse(contraction=0.3))
    """

    contraction: float = 0.1
    gain: float = 2.0
    smallest: int = 1000

    def __post_init__(self) -> None:
        positive(self, "contraction", "gain")
        not_negative(self, "smallest")

    def renews(self, n: int, cost: float) -> bool:
        """Whether n unknowns are too few to keep a Jacobian; a subclass may decide otherwise."""
        return type(self) is CostBasedReuse and n < self.smallest

    def keep(self, it: Iterate) -> bool:
        """Whether the rest of the way is cheaper with the kept factorization."""
        if len(it.x) < self.smallest:
            return False
        theta = it.contraction
        if it.damping != 1.0 or it.limited or not 0.0 < theta <= self.contraction:
            return False
        cheap = it.counted.residual_cost + it.counted.solve_cost
        full = cheap + it.counted.jacobian_cost + it.counted.factor_cost
        digits = -math.log(theta)
        left = max(math.log(max(it.phi, GOAL) / GOAL), digits)
        # an old factorization repeats the last contraction, new ones double the digits each time
        old_steps = math.ceil(left / digits)
        new_steps = math.ceil(math.log2(left / (2.0 * digits) + 1.0))
        cheaper = self.gain * old_steps * cheap < new_steps * full
        return ranks.of_first("chooses between the kept Jacobian and a new one", cheaper)
