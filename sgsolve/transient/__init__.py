"""Time integration of F(x, t) + d/dt Q(x, t) = 0, differential-algebraic systems of index 1.

`Problem.transient` is what most users call. This package holds the methods and their settings.
"""

from .currents import Stored
from .index import IndexWarning
from .sources import PiecewiseLinear, Pulse
from .step_settings import Bdf, FixedSteps, RungeKutta, TimeMethod
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
