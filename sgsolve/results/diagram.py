"""Bifurcation diagrams of branches.

The usual conventions hold: stable parts are solid and unstable parts dashed; circles are folds,
squares branch points, diamonds Hopf points. Where the stability is not known, lines are dotted.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .special_points import SpecialPoint

DASHES = {0: "-", 1: "--", -1: ":"}  # by the sign of the number of unstable eigenvalues


def draw(
    p: Any,
    y: Any,
    unstable: Any,
    special_points: Sequence[SpecialPoint],
    label: str | None,
    ax: Any,
    style: dict[str, Any],
) -> Any:
    """Draw y over the parameter, a line for each of its columns; see `Branch.plot`."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.figure().add_subplot()
    for k, line in enumerate(np.reshape(y, (len(y), -1)).T):
        named = {"label": f"{label}[{k}]"} if np.ndim(y) > 1 else {}
        if unstable is None or len(unstable) != len(y):
            (drawn,) = ax.plot(p, line, **{"marker": ".", **named, **style})
            color = drawn.get_color()
        else:
            color = _draw_parts(special_points, np.sign(unstable), p, line, ax, named | style)
        _mark(special_points, p, line, ax, color)
    return ax


def _draw_parts(
    special_points: Sequence[SpecialPoint],
    unstable: Any,
    p: Any,
    y: Any,
    ax: Any,
    style: dict[str, Any],
) -> Any:
    """Draw runs of equal stability; each ends at the special point where it changes."""
    style = dict(style)
    cuts = [0, *(np.flatnonzero(np.diff(unstable.astype(int))) + 1), len(y)]
    start: list[Any] = []
    for first, last in itertools.pairwise(cuts):
        located = [s for s in special_points if s.index == last and s.changes_stability]
        end = [_place_in_diagram(located[0], p, y)] if located and last < len(y) else []
        points = np.array([*start, *zip(p[first:last], y[first:last], strict=True), *end])
        start = end or [(p[last - 1], y[last - 1])]
        dash = DASHES[int(unstable[first])]
        (line,) = ax.plot(*points.T, **{"linestyle": dash, **style})
        style["color"] = line.get_color()
        style.pop("label", None)
    return style["color"]


def _place_in_diagram(special: SpecialPoint, p: Any, y: Any) -> tuple[float, float]:
    """Parameter and height of a special point, by its place between two rows."""
    j = min(max(special.index, 1), len(y) - 1)
    gap = p[j] - p[j - 1]
    share = 0.5 if gap == 0.0 else float(np.clip((special.parameter - p[j - 1]) / gap, 0, 1))
    return special.parameter, float(y[j - 1] + share * (y[j] - y[j - 1]))


def _mark(special_points: Sequence[SpecialPoint], p: Any, y: Any, ax: Any, color: Any) -> None:
    """Mark the special points."""
    if len(y) < 2:
        return
    for special in special_points:
        at, height = _place_in_diagram(special, p, y)
        face = "none" if special.marker != "x" else color
        ax.plot([at], [height], special.marker, markerfacecolor=face, color=color)
