"""Time integration of F(x, t) + d/dt Q(x, t) = 0, differential-algebraic systems of index 1.

`Problem.transient` is what most users call. ``starts`` makes the first values consistent,
``implicit`` solves the equation of a step, ``methods`` holds the integrators and their settings,
and ``transient_stepper`` takes the steps of a run.
"""

from .currents import Stored
from .methods.step_settings import Bdf, FixedSteps, RungeKutta, TimeMethod
from .sources import PiecewiseLinear, Pulse
from .starts.index import IndexWarning
from .time_events import TimeEvent

__all__ = [
    "Bdf",
    "FixedSteps",
    "IndexWarning",
    "PiecewiseLinear",
    "Pulse",
    "RungeKutta",
    "Stored",
    "TimeEvent",
    "TimeMethod",
]
