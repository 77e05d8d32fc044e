"""BifurcationDiagram: all branches that were found from some starts, and how they are connected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .branch import Branch
from .diagram import axes_or_new
from .history import counted
from .special_points import SpecialPoint


@dataclass(eq=False)
class BifurcationDiagram:
    """Branches of solutions that are connected by branch points.

    Attributes
    ----------
    branches : list of Branch
        In the order in which they were followed.
    origins : list of str
        Where each branch comes from, in words.
    special_points : list of SpecialPoint
        Those of all branches, each once.
    orbits : list of Branch
        Branches of periodic orbits from the Hopf points, if they were asked for.
    unfinished : list of str
        What could not be followed to its end, and why.
    roots, orbit_roots : list of SpecialPoint or None
        The branch point at which each branch begins, None at a start; and the Hopf point of each
        branch of orbits.

    See Also
    --------
    Problem.bifurcation_diagram

    Examples
    --------
    >>> from sgsolve import Problem
    >>> diagram = Problem(lambda x, p: p * x - x**3, params={"p": -1.0}).bifurcation_diagram(
    ...     [0.0], "p", (-1.0, 1.0))
    >>> len(diagram), [point.kind for point in diagram.special_points]
    (3, ['branch point'])
    """

    branches: list[Branch] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    special_points: list[SpecialPoint] = field(default_factory=list)
    orbits: list[Branch] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    roots: list[SpecialPoint | None] = field(default_factory=list)
    orbit_roots: list[SpecialPoint | None] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """Whether all branches were followed to their ends."""
        return not self.unfinished

    def __len__(self) -> int:
        return len(self.branches)

    def __iter__(self) -> Iterator[Branch]:
        return iter(self.branches)

    def __getitem__(self, i: int) -> Branch:
        return self.branches[i]

    def special_points_of(self, kind: str) -> list[SpecialPoint]:
        """Return the special points of a kind, each once.

        Parameters
        ----------
        kind : str
            "fold", "branch point", "hopf", or the name of an event.

        Returns
        -------
        list of SpecialPoint
        """
        return [point for point in self.special_points if point.kind == kind]

    def __repr__(self) -> str:
        count = counted(len(self), "branch", "branches")
        points = counted(len(self.special_points), "special point")
        orbits = f", {counted(len(self.orbits), 'branch', 'branches')} of orbits"
        return f"BifurcationDiagram({count}, {points}{orbits if self.orbits else ''})"

    def __str__(self) -> str:
        lines = [repr(self)]
        lines += [
            f"  branch {k}, {origin}: {counted(len(branch), 'point')}, {branch.status.name}"
            for k, (branch, origin) in enumerate(zip(self.branches, self.origins, strict=True))
        ]
        lines += [f"  {point}" for point in self.special_points]
        lines += [
            f"  orbits {k}: {counted(len(branch), 'orbit')}, {branch.status.name}"
            for k, branch in enumerate(self.orbits)
        ]
        lines += [
            f"  {point} of orbits" for branch in self.orbits for point in branch.special_points
        ]
        return "\n".join([*lines, *(f"  not finished: {text}" for text in self.unfinished)])

    def plot(self, column: str | int | None = None, ax: Any = None, **style: Any) -> Any:
        """Draw all branches.

        Parameters
        ----------
        column : str or int, optional
            A column of the branches; or the number of an unknown, and then the largest and the
            smallest value of the orbits are drawn too. By default the Euclidean norm of x.
        ax : matplotlib Axes, optional
            A new figure by default. Needs the extra ``sgsolve[plot]``.
        **style
            Passed on to matplotlib.

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_or_new(ax)
        column = int(column) if isinstance(column, np.integer) else column
        for branch, root in zip(self.branches, self.roots, strict=True):
            if isinstance(column, int):
                name = f"unknown {column}"
                whole = _with(branch, {name: branch.states[:, column]})
                _from_root(whole, root, {name: lambda x: x[column]}).plot(name, ax, **style)
            elif column is None and branch.kept is None:
                _from_root(branch, root, {}).plot(None, ax, **style)
            else:
                branch.plot(column, ax, **style)
        for branch, root in zip(self.orbits, self.orbit_roots, strict=True):
            if isinstance(column, int):
                self._plot_orbits(branch, root, column, ax, style)
        ax.set_ylabel(f"unknown {column}" if isinstance(column, int) else column or "norm of x")
        return ax

    @staticmethod
    def _plot_orbits(
        branch: Branch, root: SpecialPoint | None, column: int, ax: Any, style: dict[str, Any]
    ) -> None:
        """Draw the largest and the smallest value of an unknown on each orbit."""
        orbits = [branch.orbit(i) for i in range(len(branch))]
        values = [orbit(orbit.fine_times())[:, column] for orbit in orbits]
        for name, end in (("largest", np.max), ("smallest", np.min)):
            drawn = _with(branch, {name: np.array([end(v) for v in values])})
            drawn = _from_root(drawn, root, {name: lambda x: x[column]})
            drawn.plot(name, ax, **{"color": "0.4", **style})


def _from_root(
    branch: Branch, root: SpecialPoint | None, values: dict[str, Callable[[Any], Any]]
) -> Branch:
    """Return a branch with the special point at which it begins as its first row.

    Columns without a function in `values` repeat their first row.
    """
    if root is None:
        return branch
    columns = {name: np.concatenate([part[:1], part]) for name, part in branch.columns.items()}
    columns[branch.name][0] = root.parameter
    for name, value in values.items():
        columns[name][0] = value(root.x)
    states = np.concatenate([branch.states[:1], branch.states])
    if branch.kind != "orbits":
        states[0] = root.x
    points = [replace(point, index=point.index + 1) for point in branch.special_points]
    return replace(branch, columns=columns, states=states, special_points=points)


def _with(branch: Branch, columns: dict[str, Any]) -> Branch:
    """Return a branch with more columns; where states were not kept, the norm is drawn instead."""
    return replace(branch, columns={**branch.columns, **columns})
