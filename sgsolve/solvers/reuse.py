"""Reuse: when to go on with the Jacobian and factorisation at hand.

One idea: a step with an old factorisation costs a residual and a solve, a new one costs the
Jacobian and the factorisation on top. Which is cheaper is measured, not guessed from n: digits
gained per second, from the clock and the contraction of the last step. An old Jacobian is never
the cause of a failure: the loop refreshes it and tries again before it gives up.

Shamanskii's method and the chord method are the fixed policies (Kelley 2003, section 2.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from .iterate import Iterate


class Reuse(Protocol):
    """Whether to keep the Jacobian for the next step."""

    def keep(self, it: Iterate) -> bool:
        """Whether to go on with the factorisation at hand."""
        ...


@dataclass(frozen=True)
class Never:
    """A new Jacobian for every step."""

    def keep(self, it: Iterate) -> bool:
        """Never."""
        return False


@dataclass(frozen=True)
class Every:
    """A new Jacobian every `steps` steps: Shamanskii's method; inf is the chord method.

    Parameters
    ----------
    steps : float
    contraction : float
        The residual must fall by this factor, or the Jacobian is refreshed.
    """

    steps: float = 5
    contraction: float = 0.9

    def keep(self, it: Iterate) -> bool:
        """Whether the Jacobian is young enough and still works."""
        return it.age < self.steps and it.contraction <= self.contraction


@dataclass(frozen=True)
class Measured:
    """Keep the factorisation while it gains more digits per second than a new one would.

    Parameters
    ----------
    contraction : float
        A step with the kept factorisation must promise to reduce the error by this factor.
    gain : float
        It must also be better than a new Jacobian by this factor, which keeps noise in the
        clock from deciding.
    """

    contraction: float = 0.1
    gain: float = 1.5

    def keep(self, it: Iterate) -> bool:
        """Whether a step with the kept factorisation pays."""
        theta = it.contraction
        if it.damping != 1.0 or it.limited or not 0.0 < theta <= self.contraction:
            return False
        cheap = it.cost_residual + it.cost_solve
        full = cheap + it.cost_jacobian + it.cost_factor
        digits = -math.log(theta)
        # a fresh step doubles the digits per step; an old one repeats the last contraction
        return digits / cheap > self.gain * 2.0 * digits / full
