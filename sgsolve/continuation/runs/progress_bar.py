"""Progress bars of runs: points computed, rate, and time left.

The number of points of a sweep is given. That of a continuation run is estimated from the distance
to the bound ahead and from the last steps, and is shown as "about". After a fold the estimate uses
the other bound.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

from ... import ranks
from ...errors import InputError

PACE = 5  # number of last steps whose mean is used for the estimate
FORMAT = "{desc}: {n_fmt} of about {total_fmt} points [{elapsed}<{remaining}, {rate_fmt}{postfix}]"


def progress_bar(progress: bool | None, total: int | None, title: str, **options: Any) -> Any:
    """Return a progress bar; None without tqdm or, unless asked for, without a terminal.

    Of several ranks, only the first shows one.
    """
    if ranks.rank() > 0:
        return None
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        if progress:
            raise InputError('progress=True needs tqdm: pip install "sgsolve[progress]"') from None
        return None
    return tqdm(total=total, desc=title, **options)


class SweepBar:
    """The bar of a sweep.

    Parameters
    ----------
    bar : tqdm bar, or None
    path : ParameterPath
    """

    def __init__(self, bar: Any, path: Any) -> None:
        self.bar, self.path = bar, path

    @classmethod
    def of(cls, progress: bool | None, path: Any, total: int) -> SweepBar:
        """Return the bar of a run through so many values."""
        return cls(progress_bar(progress, total, f"sweep {' '.join(path.names)}"), path)

    def point(self, values: Sequence[float]) -> None:
        """Show a new point."""
        if self.bar is None:
            return
        place = values[-1] if len(self.path.names) == 1 else float(len(values) - 1)
        self.bar.set_postfix_str(f"at {self.path.label(place)}", refresh=False)
        self.bar.update(len(values) - self.bar.n)

    def close(self) -> None:
        """End the bar."""
        if self.bar is not None:
            self.bar.close()


class CurveBar:
    """The bar of a continuation.

    Parameters
    ----------
    bar : tqdm bar, or None
    name : str
        The parameter.
    bounds : (float, float)
        Of the parameter.
    """

    def __init__(self, bar: Any, name: str, bounds: tuple[float, float], max_points: int) -> None:
        self.bar, self.name, self.bounds, self.max_points = bar, name, bounds, max_points

    @classmethod
    def of(
        cls, progress: bool | None, name: str, bounds: tuple[float, float], max_points: int
    ) -> CurveBar:
        """Return the bar of a run."""
        bar = progress_bar(progress, max_points, f"continuation {name}", bar_format=FORMAT)
        return cls(bar, name, bounds, max_points)

    def point(self, values: Sequence[float]) -> None:
        """Show a new point; `values` are those of the parameter at all points so far."""
        if self.bar is None:
            return
        self.bar.total = expected(values, self.bounds, self.max_points)
        self.bar.set_postfix_str(f"{self.name} = {values[-1]:.6g}", refresh=False)
        self.bar.update(len(values) - self.bar.n)

    def close(self) -> None:
        """End the bar."""
        if self.bar is not None:
            self.bar.close()


def expected(values: Sequence[float], bounds: tuple[float, float], max_points: int) -> int:
    """Return the estimated number of points, from the mean of the last steps.

    Examples
    --------
    >>> expected([0.0, 0.1, 0.2], (0.0, 1.0), 400)
    11
    >>> expected([0.0, 0.1, 0.2], (0.0, float("inf")), 400)
    400
    """
    done = len(values)
    if done < 2:
        return max_points
    last = values[-1] - values[-2]
    recent = values[-1 - PACE :]
    pace = (recent[-1] - recent[0]) / (len(recent) - 1)
    if pace * last <= 0.0:  # just turned
        pace = last
    bound = bounds[1] if pace > 0.0 else bounds[0]
    if pace == 0.0 or not math.isfinite(bound):
        return max_points
    return min(max_points, done + math.ceil((bound - values[-1]) / pace - 1e-9))
