"""Currents that are recorded: g + dh/dt with the difference formula of the method for dh/dt.

A sum of currents that is zero by the equations F + dQ/dt = 0 should be zero to rounding, not only
to the tolerance of Newton's iteration. Therefore g and h are evaluated at the last iterate and
linearized along the last update, with derivatives at the state where J and C were evaluated. The
linearized equations hold to rounding, and so do sums that follow from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import Vector
from ..errors import DataTypeError
from .evolution import NONE, Currents
from .interpolation import interpolated

NODES = 5  # of steps that are kept
NEAR = 0.15  # of the last step: nodes closer together would amplify rounding far away from them


class LinearizedCurrents:
    """g and h, and their derivatives at one state.

    Parameters
    ----------
    currents : Currents or None
        None: nothing is recorded, and every vector is empty.
    """

    def __init__(self, currents: Currents | None) -> None:
        self.currents = currents
        self._at: tuple[float, Vector] | None = None
        self._Dg: Any = None
        self._Dh: Any = None

    def evaluate(self, t: float, x: Vector) -> None:
        """Evaluate the derivatives at (x, t)."""
        if self.currents is not None:
            self._at = (t, x.copy())
            self._Dg, self._Dh = self.currents.derivatives(t, x)

    def values(self, t: float, x: Vector, d: Vector | None = None) -> tuple[Vector, Vector]:
        """Return g and h at (x, t), linearized along d if it is given."""
        if self.currents is None:
            return NONE, NONE
        g, h = self.currents.values(t, x)
        return (g, h) if d is None else (g + self._Dg @ d, h + self._Dh @ d)

    def along(self, d: Vector) -> tuple[Vector, Vector]:
        """Return the changes of g and h along d, each of shape (m,)."""
        return self._Dg @ d, self._Dh @ d

    def save(self) -> dict[str, Any]:
        """Return where the derivatives were evaluated."""
        if self._at is None:
            return {}
        return {"currents t": self._at[0], "currents x": self._at[1]}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Evaluate the derivatives there again."""
        if "currents x" in saved:
            self.evaluate(float(saved["currents t"]), np.array(saved["currents x"]))


@dataclass(frozen=True)
class Stored:
    """An output that is a stored quantity, such as a total of Q, for ``outputs`` of a transient.

    The column is the quantity that the steps continue from. Where the equations conserve it, it is
    constant to rounding. The same function of the recorded states is constant to the tolerance of
    Newton's iteration.

    Parameters
    ----------
    function : callable
        ``function(x, names of parameters...)`` -> number or array, written like the residual.

    Raises
    ------
    DataTypeError
        If the function is none.

    See Also
    --------
    Problem.transient : Takes it in ``outputs``.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> from sgsolve.transient import Stored
    >>> tank = Problem(lambda v: [v[0] - v[1], v[1] - v[0]], storage=lambda v: 1.0 * v)
    >>> run = tank.transient([1.0, 0.0], (0.0, 1.0), outputs={"all": Stored(lambda v: v[0] + v[1])})
    >>> print(f"{run['all'][-1]:.12f}")
    1.000000000000
    """

    function: Callable[..., Any]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise DataTypeError(f"Stored needs a function of x, not {self.function!r}")


@dataclass(frozen=True)
class Between:
    """What is recorded of rates at a time between the ends of steps.

    Attributes
    ----------
    currents : ndarray, shape (2 m,)
    """

    currents: Vector


@dataclass
class CurrentHistory:
    """Currents at the ends of the latest steps since a start, for times between.

    The polynomial through them keeps every linear relation of them.
    """

    nodes: list[tuple[float, Vector]] = field(default_factory=list)

    def start(self, t: float, currents: Vector) -> None:
        """Drop what was before t."""
        self.nodes = [(t, currents)]

    def append(self, t: float, currents: Vector) -> None:
        """Take the end of a step."""
        if not len(currents):
            return
        self.nodes = [*self.nodes[1 - NODES :], (t, currents)]

    def at(self, t: float, end: float, currents: Vector, order: int) -> Between:
        """Return the currents at t within a step that is not accepted yet."""
        if not len(currents):
            return Between(NONE)
        nodes = [(end, currents)]
        for time, value in reversed(self.nodes[-order:]):
            if len(nodes) > 1 and nodes[0][0] - time < NEAR * (end - nodes[-2][0]):
                break
            nodes.insert(0, (time, value))
        return Between(interpolated(nodes, t))

    def save(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        times, values = zip(*self.nodes, strict=True) if self.nodes else ((), ())
        return {"times": np.array(times), "values": np.array(values)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned."""
        times = [float(t) for t in saved["times"]]
        self.nodes = list(zip(times, np.array(saved["values"]), strict=True))
