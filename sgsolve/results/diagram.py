"""Bifurcation diagrams of branches.

The usual conventions hold: stable parts are solid and unstable parts dashed; circles are folds,
squares branch points, diamonds Hopf points.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .branch import Branch


def draw(branch: Branch, column: str | None, ax: Any, style: dict[str, Any]) -> Any:
    """Draw a column over the parameter; see `Branch.plot`."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.figure().add_subplot()
    p = branch.parameter
    if column is not None:
        y = branch[column]
    else:
        rows = slice(None) if branch.kept is None else branch.kept
        p, y = p[rows], np.linalg.norm(branch.states, axis=1)
    unstable = branch.unstable
    if unstable is None or len(unstable) != len(y):
        (line,) = ax.plot(p, y, **{"marker": ".", **style})
        color = line.get_color()
    else:
        color = _parts(p, y, unstable > 0, ax, style)
    _specials(branch, p, y, ax, color)
    ax.set_xlabel(branch.name)
    ax.set_ylabel(column or "norm of x")
    return ax


def _parts(p: Any, y: Any, unstable: Any, ax: Any, style: dict[str, Any]) -> Any:
    """Draw runs of equal stability; each begins where the one before ends."""
    style = dict(style)
    cuts = [0, *(np.flatnonzero(np.diff(unstable.astype(int))) + 1), len(y)]
    for first, last in itertools.pairwise(cuts):
        part = slice(max(first - 1, 0), last)
        dash = "--" if unstable[first] else "-"
        (line,) = ax.plot(p[part], y[part], **{"linestyle": dash, **style})
        style["color"] = line.get_color()
        style.pop("label", None)
    return style["color"]


def _specials(branch: Branch, p: Any, y: Any, ax: Any, color: Any) -> None:
    """Mark special points at the height that the curve has there, by their place between rows."""
    for special in branch.special_points:
        j = min(max(special.index, 1), len(y) - 1)
        if len(y) != len(branch) or len(y) < 2:
            continue
        gap = p[j] - p[j - 1]
        share = 0.5 if gap == 0.0 else float(np.clip((special.parameter - p[j - 1]) / gap, 0, 1))
        height = y[j - 1] + share * (y[j] - y[j - 1])
        face = "none" if special.marker != "x" else color
        ax.plot([special.parameter], [height], special.marker, markerfacecolor=face, color=color)
