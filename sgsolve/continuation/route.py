"""Route: where a walk along a curve goes, what it looks for, and where it ends.

All that is decided before the first step is here, and does not change on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arclength import Arclength
from .curve import Spot
from .detector import Detector

Vector = NDArray[Any]


@dataclass
class Route:
    """Where a trace goes and when it ends.

    Parameters
    ----------
    bounds : (float, float)
        Of the parameter; each is hit exactly.
    max_points : int
    detectors : sequence of Detector
    stop : tuple of str
        Kinds of special points at which it ends.
    until : callable, optional
        ``until(spot)`` -> whether to end there.
    home : ndarray, optional
        The point where the branch started: a closed curve ends when it is back.
    deadline : float
        When it ends for lack of time, on the clock of `perf_counter`.
    """

    settings: Arclength
    shortest: float
    longest: float
    bounds: tuple[float, float] = (-np.inf, np.inf)
    max_points: int = 400
    detectors: Sequence[Detector] = ()
    stop: tuple[str, ...] = ()
    until: Callable[[Spot], bool] | None = None
    home: Vector | None = None
    deadline: float = np.inf
