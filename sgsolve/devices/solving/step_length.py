"""How long the steps in time are that lead to a steady state.

One step of implicit Euler is solved by one step of Newton's method. The contraction, the size of
the correction that a second one would make relative to that of the first, grows with the length of
the step in time. The next length is the one for which the contraction is about `WANTED`.

A device that leaves a state, as a thyristor does that switches on, does so at a rate r: differences
grow as exp(r t). The matrix of implicit Euler is singular for a step of 1/r, and beyond it all
densities go the wrong way. For one such mode the change in a step is proportional to
1 / (1/dt - r), and the contraction to its square. So the inverse root of the contraction is linear
in 1/dt. Two attempts from the same point tell both constants.

Reference: P. Deuflhard, Newton Methods for Nonlinear Problems (2011), section 6.4.
"""

from __future__ import annotations

from math import sqrt

WANTED, MOST = 0.4, 0.75  # contraction: aimed at, and accepted
LEAST = 1e-3  # contraction: smaller ones say no more than that the step was short
GROW, FALL = 10.0, 0.3  # factors from one step to the next, at most and at least
SHORTER, MUCH_SHORTER = 0.6, 0.01  # factors of a step that is tried again, likewise


class StepLength:
    """The length of the next step in time, from the contractions of those before.

    Parameters
    ----------
    dt : float
        The first length, s.
    grow : float
        Factor from one step to the next, at most.

    Attributes
    ----------
    dt : float
        The next length, s.
    """

    def __init__(self, dt: float, grow: float = GROW) -> None:
        self.dt, self._grow = dt, grow
        self._tried: tuple[float, float] | None = None  # 1/dt and contraction**-0.5, at this point
        self._rate = 0.0  # of growth, 1/s, as attempts from this point tell

    def serves(self, contraction: float) -> bool:
        """Whether a step of this length may be accepted."""
        return contraction < MOST

    def shorten(self, contraction: float | None) -> None:
        """Choose the length of another attempt from the same point.

        Parameters
        ----------
        contraction : float or None
            That of the step that failed; None where it is not known.
        """
        wanted = 0.0 if contraction is None else self._aimed_at(contraction)
        self.dt *= min(SHORTER, max(MUCH_SHORTER, wanted / self.dt))

    def lengthen(self, contraction: float | None) -> None:
        """Choose the length of the first attempt from the point after this step.

        Parameters
        ----------
        contraction : float or None
            That of the step; None where the step is so small that rounding decides about it.
        """
        factor = self._grow
        if contraction is not None:
            wanted = self._aimed_at(contraction)
            least = max(contraction, LEAST)
            factor = wanted / self.dt if self._rate > 0.0 else WANTED / least
        self.dt *= min(self._grow, max(FALL, factor))
        self._tried, self._rate = None, 0.0

    def _aimed_at(self, contraction: float) -> float:
        """The length for the contraction that is wanted, from the last two attempts here."""
        inverse, root = 1.0 / self.dt, 1.0 / sqrt(max(contraction, LEAST))
        if self._tried is not None and root > self._tried[1]:
            slope = (inverse - self._tried[0]) / (root - self._tried[1])
            self._rate = max(0.0, inverse - slope * root)
        if self._rate >= inverse:  # this step would be beyond 1/rate, and is none
            self._rate = 0.0
        self._tried = inverse, root
        return 1.0 / (self._rate + (inverse - self._rate) / (root * sqrt(WANTED)))
