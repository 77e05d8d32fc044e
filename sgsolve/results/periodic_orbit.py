"""PeriodicOrbit: a solution that repeats after a period, with its Floquet multipliers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Vector
from ..errors import InputError
from .blocks import Blocks
from .diagram import axes_or_new
from .floquet import UNKNOWN, distance_of_trivial, trivial_of, unstable_multipliers

HEADER = 5  # numbers before the mesh in an orbit that is packed into a vector


@dataclass(eq=False)
class PeriodicOrbit:
    """A periodic orbit of ``F(x, p) + dQ(x, p)/dt = 0``, as a piecewise polynomial.

    Attributes
    ----------
    t : ndarray, shape (k + 1,)
        Times from 0 to the period: ends of intervals, and collocation points.
    states : ndarray, shape (k + 1, n)
        x at these times; the last state is the first one.
    mesh : ndarray, shape (intervals + 1,)
        Ends of the intervals, as parts of the period.
    degree : int
        Of the polynomial on each interval.
    ends : bool
        Whether the last collocation point of an interval is its end (Radau), which equations
        without storage need; else they are Gauss points.
    params : dict
        The parameters.
    multipliers : ndarray of shape (m,), or None
        Floquet multipliers, largest modulus first; of large systems the leading ones.
    blocks : Blocks, or None
        Names and shapes of the unknowns.

    See Also
    --------
    Problem.periodic_orbit, Problem.orbit_continuation, Branch.orbit

    Examples
    --------
    >>> from sgsolve import Problem
    >>> def residual(x, mu):
    ...     return [-x[1], x[0] - mu * (1.0 - x[0] ** 2) * x[1]]
    >>> problem = Problem(residual, params={"mu": 2.0}, storage=lambda x: 1.0 * x)
    >>> run = problem.transient([2.0, 0.0], (0.0, 30.0), rtol=1e-5)
    >>> orbit = problem.periodic_orbit(run)
    >>> print(f"{orbit.period:.7f}", orbit.stable)
    7.6298745 True
    """

    t: Vector
    states: Vector
    mesh: Vector
    degree: int
    ends: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    multipliers: Vector | None = None
    blocks: Blocks | None = None

    @property
    def period(self) -> float:
        """The period."""
        return float(self.t[-1])

    @property
    def amplitude(self) -> float:
        """Difference of maximum and minimum, of the unknown for which it is largest."""
        return float(np.ptp(self(self.fine_times()), axis=0).max())

    @property
    def trivial(self) -> int:
        """Place of the multiplier that is 1 but for errors: that of a shift in time."""
        return trivial_of(self._known_multipliers())

    def _known_multipliers(self) -> Vector:
        if self.multipliers is None:
            raise InputError(
                "the orbit has no multipliers; problem.periodic_orbit(orbit) computes them"
            )
        return self.multipliers

    @property
    def accuracy(self) -> float:
        """How far the trivial multiplier is from 1; NaN without multipliers."""
        if self.multipliers is None:
            return float("nan")
        return distance_of_trivial(self.multipliers)

    @property
    def unstable(self) -> int:
        """How many multipliers are outside the unit circle, the trivial one left out.

        -1 where `accuracy` does not suffice to count them.
        """
        return unstable_multipliers(self._known_multipliers())

    @property
    def stable(self) -> bool:
        """Whether all multipliers but the trivial one are known to be inside the unit circle."""
        return self.unstable == 0

    def __call__(self, t: ArrayLike) -> Vector:
        """Return x at any times, shape ``(*t.shape, n)``: the orbit repeats."""
        times = np.asarray(t, dtype=float)
        s = np.mod(times.ravel() / self.period, 1.0)
        k = np.clip(np.searchsorted(self.mesh, s, side="right") - 1, 0, len(self.mesh) - 2)
        step = self.degree if self.ends else self.degree + 1
        rows = step * k[:, None] + np.arange(self.degree + 1)
        nodes = self.t[rows] / self.period
        found: Vector = np.einsum("kj,kjn->kn", _lagrange(nodes, s), self.states[rows])
        return found.reshape(*times.shape, self.states.shape[1])

    def fine_times(self, per_interval: int = 8) -> Vector:
        """Return times between all nodes, for drawing and for extrema."""
        parts = np.arange(per_interval) / per_interval
        h = np.diff(self.mesh)
        inner = (self.mesh[:-1, None] + h[:, None] * parts).ravel()
        times: Vector = self.period * np.append(inner, 1.0 - 1e-15)
        return times

    def field(self, block: str) -> Vector:
        """Return a block of the unknowns at the times `t`, shape ``(k + 1, *shape)``.

        Raises
        ------
        InputError
            If the problem has no such block.
        """
        blocks = self.blocks or Blocks(self.states.shape[-1])
        found: Vector = blocks.field(self.states, block)
        return found

    def __repr__(self) -> str:
        text = f"PeriodicOrbit(period {self.period:.10g}, amplitude {self.amplitude:.6g}"
        if self.multipliers is None:
            return f"{text})"
        count = self.unstable
        known = {0: "stable", UNKNOWN: "stability unknown"}
        kind = known.get(count, f"{count} unstable multipliers")
        return f"{text}, {kind}, trivial multiplier off by {self.accuracy:.1e})"

    def plot(self, ax: Any = None, unknowns: tuple[int, int] | None = None, **style: Any) -> Any:
        """Draw the unknowns over one period, or two of them against each other.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure by default. Needs the extra ``sgsolve[plot]``.
        unknowns : (int, int), optional
            Two unknowns for a picture in phase space.
        **style
            Passed on to matplotlib.

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_or_new(ax)
        t = self.fine_times()
        x = self(t)
        if unknowns is not None:
            i, j = unknowns
            ax.plot(x[:, i], x[:, j], **style)
            ax.set_xlabel(f"unknown {i}")
            ax.set_ylabel(f"unknown {j}")
            return ax
        ax.plot(t, x, **style)
        ax.set_xlabel("time")
        return ax

    def plot_multipliers(self, ax: Any = None, **style: Any) -> Any:
        """Draw the Floquet multipliers in the complex plane, with the unit circle.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        **style
            Passed on to matplotlib.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        InputError
            If the orbit has no multipliers.
        """
        known = self._known_multipliers()
        ax = axes_or_new(ax)
        angle = np.linspace(0.0, 2.0 * np.pi, 200)
        ax.plot(np.cos(angle), np.sin(angle), color="0.7")
        values = known.astype(complex)
        ax.plot(values.real, values.imag, **{"marker": "o", "linestyle": "none", **style})
        ax.set_aspect("equal")
        ax.set_xlabel("real part")
        ax.set_ylabel("imaginary part")
        return ax

    def packed(self) -> Vector:
        """Return the orbit as one vector, for the states of a branch."""
        count = len(self.mesh) - 1
        head = [self.states.shape[1], self.degree, float(self.ends), count, self.period]
        return np.concatenate([head, self.mesh, self.t, self.states.ravel()])

    @classmethod
    def unpacked(
        cls,
        vector: Vector,
        params: Mapping[str, Any],
        multipliers: Vector | None = None,
        blocks: Blocks | None = None,
    ) -> PeriodicOrbit:
        """Return the orbit of a vector that `packed` made."""
        n, degree, ends, count = (int(value) for value in vector[: HEADER - 1])
        mesh, rest = np.split(vector[HEADER:], [count + 1])
        rows = count * (degree if ends else degree + 1) + 1  # zeros may follow
        t, states = rest[:rows], rest[rows : rows * (n + 1)]
        return cls(
            t.copy(),
            states.reshape(rows, n).copy(),
            mesh.copy(),
            degree,
            bool(ends),
            dict(params),
            multipliers,
            blocks,
        )


def _lagrange(nodes: Vector, s: Vector) -> Vector:
    """Return the Lagrange polynomials of rows of nodes at one place each, shape of the nodes."""
    found = np.ones_like(nodes)
    for j in range(nodes.shape[1]):
        others = np.delete(nodes, j, axis=1)
        found[:, j] = np.prod((s[:, None] - others) / (nodes[:, j, None] - others), axis=1)
    return found
