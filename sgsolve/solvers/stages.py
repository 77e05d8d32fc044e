"""Stages of `Robust`: solvers with their starting points, and the default sequence.

Packages that this one cannot import append stages to the default sequence by `register_stages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import InputError
from .kinks import AcrossKinks
from .presets import (
    DampedNewton,
    LevenbergMarquardt,
    LineSearchNewton,
    Newton,
    PseudoTransient,
    TrustRegion,
)
from .restarts import Restarts
from .solver_protocol import Solver


@dataclass(frozen=True)
class Stage:
    """A solver of the sequence, and where it starts.

    Parameters
    ----------
    solver : Solver
        Such as `NewtonMethod` or `sgsolve.continuation.Homotopy`.
    from_best : bool
        Start from the best point so far that did not diverge (True), or from x0 (False).

    Raises
    ------
    InputError
        If `solver` is no solver.

    See Also
    --------
    Robust : Runs the stages.

    Examples
    --------
    >>> from sgsolve.solvers import Stage, TrustRegion
    >>> print(Stage(TrustRegion(), from_best=False))
    TrustRegion, from x0
    """

    solver: Solver
    from_best: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.solver, Solver) or isinstance(self.solver, type):
            raise InputError(f"Stage needs a solver, such as Newton(), not {self.solver!r}")

    def __str__(self) -> str:
        return f"{self.solver.name}, from {'the best point' if self.from_best else 'x0'}"


_REGISTERED: list[Callable[[], Iterable[Stage]]] = []


def register_stages(make: Callable[[], Iterable[Stage]]) -> None:
    """Append stages to the default sequence of `Robust`.

    `sgsolve.continuation` registers its homotopy here, because this package cannot import them.

    Parameters
    ----------
    make : callable
        Returns the stages. It is called for each `Robust` without ``stages=``.

    See Also
    --------
    Robust : Runs the stages.

    Examples
    --------
    ``sgsolve.continuation`` does this when it is imported; the sequence then ends with it:

    >>> from sgsolve import solvers
    >>> solvers.Robust().stages[-1].solver.name
    'Homotopy (fixed point)'
    """
    if make not in _REGISTERED:
        _REGISTERED.append(make)


def n_registered() -> int:
    """Return how many functions append stages."""
    return len(_REGISTERED)


def default_stages() -> tuple[Stage, ...]:
    """Return the default sequence, with the registered stages at its end.

    `AcrossKinks` takes no step where the residual is smooth, so it costs few evaluations there.
    The best point of a failed stage may be a local minimum. Therefore every solver is also started
    from x0: the sequence solves whatever one of its solvers solves alone, unless 20 steps in turn
    hardly decrease the residual. Solvers that find many solutions in their time come first
    (``python benchmarks/nonlinear.py hard``). There, Levenberg-Marquardt from the best point solves
    nothing that the others do not solve in less time. Where x0 leads to local minima only, starts
    around it follow.
    """
    return (
        Stage(DampedNewton()),
        Stage(AcrossKinks()),
        Stage(LineSearchNewton()),
        Stage(TrustRegion(max_iterations=60)),
        Stage(Newton(), from_best=False),
        Stage(LineSearchNewton(), from_best=False),
        Stage(TrustRegion(), from_best=False),
        Stage(LevenbergMarquardt(), from_best=False),
        Stage(PseudoTransient(), from_best=False),
        Stage(Restarts(), from_best=False),
        *(stage for make in _REGISTERED for stage in make()),
    )
