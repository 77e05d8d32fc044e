"""Bifurcation diagrams of branches.

The usual conventions hold: stable parts are solid and unstable parts dashed; circles are folds,
squares branch points, diamonds Hopf points. Where the stability is not known, lines are dotted.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from ..errors import InputError
from .special_points import SpecialPoint

FINE = 16  # points of a smooth curve for each row of a branch
DASHES = {0: "-", 1: "--", -1: ":"}  # by the sign of the number of unstable eigenvalues


def axes_or_new(ax: Any) -> Any:
    """Return the axes to draw in: those given, or those of a new figure for None.

    Raises
    ------
    InputError
        If matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise InputError(
            f"matplotlib cannot be loaded ({error}); plots need it: pip install 'sgsolve[plot]'"
        ) from error
    return plt.figure().add_subplot()


def draw(
    p: Any,
    y: Any,
    unstable: Any,
    special_points: Sequence[SpecialPoint],
    label: str | None,
    ax: Any,
    style: dict[str, Any],
    smooth: bool = False,
) -> Any:
    """Draw y over the parameter, a line for each of its columns; see `Branch.plot`."""
    ax = axes_or_new(ax)
    for k, y_k in enumerate(np.reshape(y, (len(y), -1)).T):
        line = _drawn_curve(p, y_k, FINE if smooth else 1)
        named = {"label": f"{label}[{k}]"} if np.ndim(y) > 1 else {}
        if unstable is None or len(unstable) != len(y):
            marks = {"marker": ".", "markevery": line.fine}
            (drawn,) = ax.plot(line.p, line.y, **{**marks, **named, **style})
            color = drawn.get_color()
        else:
            color = _draw_parts(special_points, np.sign(unstable), line, ax, named | style)
        _mark(special_points, line, ax, color)
    return ax


@dataclass(eq=False)
class _Curve:
    """A branch in a diagram: row i of it is point ``fine * i``."""

    p: Any
    y: Any
    fine: int

    def special(self, one: SpecialPoint) -> int:
        """Return the point between the rows beside a special point that is nearest to it."""
        rows = (len(self.p) - 1) // self.fine
        j = min(max(one.index, 1), rows)
        near = slice((j - 1) * self.fine, j * self.fine + 1)
        return near.start + int(np.argmin(np.abs(self.p[near] - one.parameter)))

    def height(self, one: SpecialPoint) -> float:
        """Return y at a special point, by linear interpolation beside the nearest point."""
        k = self.special(one)
        for a, b in ((k - 1, k), (k, k + 1)):
            if a >= 0 and b < len(self.p) and self.p[a] != self.p[b]:
                share = (one.parameter - self.p[a]) / (self.p[b] - self.p[a])
                if 0.0 <= share <= 1.0:
                    return float(self.y[a] + share * (self.y[b] - self.y[a]))
        return float(self.y[k])


def _drawn_curve(p: Any, y: Any, fine: int) -> _Curve:
    """Return points of a smooth curve through all rows, as many in each gap between two of them.

    The curve has the length in the diagram as its parameter, so that it may turn at folds. Akima's
    interpolation does not overshoot beside corners.
    """
    size = [float(np.ptp(part)) or 1.0 for part in (p, y)] if len(p) else []
    if len(p) < 3 or fine == 1 or not np.isfinite(size).all():
        return _Curve(p, y, 1)
    gaps = np.hypot(np.diff(p) / size[0], np.diff(y) / size[1])
    length = np.append(0.0, np.cumsum(np.maximum(gaps, 1e-9)))
    rows = np.arange(len(p))
    at = np.interp(np.linspace(0.0, rows[-1], fine * rows[-1] + 1), rows, length)
    both = scipy.interpolate.Akima1DInterpolator(length, np.column_stack([p, y]), method="makima")(
        at
    )
    both[::fine] = np.column_stack([p, y])
    return _Curve(both[:, 0], both[:, 1], fine)


def _draw_parts(
    special_points: Sequence[SpecialPoint], unstable: Any, line: _Curve, ax: Any, style: Any
) -> Any:
    """Draw runs of equal stability; each ends at the special point where it changes."""
    style, rows = dict(style), len(unstable)
    cuts = [0, *(np.flatnonzero(np.diff(unstable.astype(int))) + 1), rows]
    begin, start = 0, list[Any]()
    for first, last in itertools.pairwise(cuts):
        located = [s for s in special_points if s.index == last and s.changes_stability]
        if located and last < rows:
            stop = line.special(located[0])
            end = [(located[0].parameter, line.height(located[0]))]
        else:
            stop, end = (last - 1) * line.fine + 1, []
        drawn = zip(line.p[begin:stop], line.y[begin:stop], strict=True)
        points = np.array([*start, *drawn, *end])
        begin, start = (stop + 1, end) if end else (stop - 1, [])
        (part,) = ax.plot(*points.T, **{"linestyle": DASHES[int(unstable[first])], **style})
        style["color"] = part.get_color()
        style.pop("label", None)
    return style["color"]


def _mark(special_points: Sequence[SpecialPoint], line: _Curve, ax: Any, color: Any) -> None:
    """Mark the special points."""
    if len(line.p) < 2:
        return
    for special in special_points:
        face = "none" if special.marker != "x" else color
        at = [special.parameter], [line.height(special)]
        ax.plot(*at, special.marker, markerfacecolor=face, color=color)
