"""Branch: the table of a sweep or a continuation run.

Each column is an array with one row per point: the parameter, the iterations, the outputs. The
states are kept beside it. A partial branch has the same form, and its status says why it ended.

The layout follows BifurcationKit.jl's struct of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .blocks import Blocks
from .branch_file import load, save
from .diagram import draw
from .history import Stats, counted
from .periodic_orbit import PeriodicOrbit
from .special_points import SpecialPoint
from .status import Status
from .table import table_lines

__all__ = ["Branch", "PartialBranchWarning", "SpecialPoint"]


class PartialBranchWarning(UserWarning):
    """A sweep or a continuation ended before its last value."""


@dataclass(eq=False)
class Branch:
    """Solutions along a parameter.

    Attributes
    ----------
    name : str
        The parameter.
    columns : dict of str to ndarray, shape (points,)
        ``columns[name]`` is the parameter; "nit" the iterations of each point; then the outputs
        that were asked for. ``branch["current"]`` is short for ``branch.columns["current"]``. A
        continuation adds "s", the arclength, "tangent", the parameter's share of the tangent, and
        on request "unstable", the number of unstable eigenvalues. Where a parameter has one of
        these names, the column of that name is the parameter. The other one is then ``"nit_"``,
        ``"s_"``, ``"tangent_"`` or ``"unstable_"``.
    states : ndarray, shape (kept points, n)
        x at each point, or at those that were kept.
    params : dict
        The other parameters.
    special_points : list of SpecialPoint
        Folds, branch points, Hopf points and events, in the order of the branch.
    status : Status
        Why it ended.
    message : str
        Status, numbers and advice in one sentence or two.
    stats : Stats
        Over the whole branch.
    rejected : list of (parameter, reason)
        Steps that failed and were shortened.
    reached : float
        The furthest value solved: beyond the last point if a sweep ended between two values.
    kept : ndarray of int, or None
        The rows whose states are in `states`; None means all.
    weights : ndarray of shape (n + 1,), or None
        The metric of a continuation.
    along : tuple of str
        Other parameters that change along the branch, and so are columns.
    blocks : Blocks, or None
        Names and shapes of the unknowns.
    bounds : (float, float) or None
        Of a continuation: where it was to end.
    kind : "solutions" or "orbits"
        What the branch consists of. The states of a branch of periodic orbits are packed: read
        them by `orbit`.
    interpolant : callable, or None
        The state as a function of time, where a transient was asked for ``dense_output``. It is not
        saved to files.

    See Also
    --------
    Problem.sweep, Problem.continuation, Problem.transient

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import Problem
    >>> branch = Problem(lambda x, a: x**2 - a).sweep([1.0], "a", [1.0, 4.0, 9.0])
    >>> branch["a"], branch.states[:, 0]
    (array([1., 4., 9.]), array([1., 2., 3.]))
    """

    name: str
    columns: dict[str, NDArray[Any]]
    states: NDArray[Any]
    params: Mapping[str, Any]
    status: Status
    message: str
    stats: Stats
    rejected: list[tuple[float, str]] = field(default_factory=list)
    special_points: list[SpecialPoint] = field(default_factory=list)
    reached: float = float("nan")
    kept: NDArray[np.int64] | None = None
    weights: NDArray[Any] | None = None
    along: tuple[str, ...] = ()
    blocks: Blocks | None = None
    bounds: tuple[float, float] | None = None
    kind: str = "solutions"
    interpolant: Callable[[Any], NDArray[Any]] | None = None

    @property
    def success(self) -> bool:
        """Whether it came where it was asked to go."""
        return self.status.success

    @property
    def parameter(self) -> NDArray[Any]:
        """The values of the parameter, shape (points,)."""
        return self.columns[self.name]

    @property
    def iterations(self) -> NDArray[Any]:
        """The iterations of each point, shape (points,)."""
        return self.columns[column_name("nit", (self.name, *self.along))]

    @property
    def unstable(self) -> NDArray[Any] | None:
        """The number of unstable eigenvalues at each point; None without ``stability=``."""
        return self.columns.get(column_name("unstable", (self.name, *self.along)))

    @property
    def x(self) -> NDArray[Any]:
        """The last state, shape (n,)."""
        last: NDArray[Any] = self.states[-1]
        return last

    def __len__(self) -> int:
        return len(self.parameter)

    def __iter__(self) -> Iterator[tuple[float, NDArray[Any]]]:
        """Go through (parameter, x), where x was kept."""
        rows = self.parameter if self.kept is None else self.parameter[self.kept]
        return zip(rows.tolist(), self.states, strict=True)

    def __getitem__(self, column: str) -> NDArray[Any]:
        try:
            return self.columns[column]
        except KeyError:
            hint = "The solutions are the rows of .states; outputs={'name': function} adds a column"
            if self.blocks is not None and column in self.blocks.names:
                hint = f"{column!r} is a block of the unknowns: .field({column!r}) gives it"
            raise InputError(
                f"there is no column {column!r}; the columns are {', '.join(self.columns)}. {hint}"
            ) from None

    def field(self, block: str) -> NDArray[Any]:
        """Return a block of the unknowns at the kept points, shape ``(points, *shape)``.

        Parameters
        ----------
        block : str
            Name of a block of the problem.

        Returns
        -------
        ndarray, shape (kept points, ...)
            The block at each kept point.

        Raises
        ------
        InputError
            If the problem has no such block.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda u, a: u**2 - a, blocks={"u": (2,)}, fields=True)
        >>> problem.sweep([1.0, 1.0], "a", [1.0, 4.0]).field("u").round(6).tolist()
        [[1.0, 1.0], [2.0, 2.0]]
        """
        if self.kind == "orbits":
            raise InputError(
                "the states of this branch are orbits; use branch.orbit(i).field(name)"
            )
        blocks = self.blocks or Blocks(self.states.shape[-1])
        found: NDArray[Any] = blocks.field(self.states, block)
        return found

    def at(self, i: int) -> tuple[NDArray[Any], dict[str, Any]]:
        """Return x and the parameters of point i, for ``problem.at(**parameters).solve(x)``.

        Parameters
        ----------
        i : int
            Row of the branch; negative counts from the end.

        Returns
        -------
        x : ndarray, shape (n,)
            The state.
        parameters : dict
            All parameters there.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, a: x**2 - a)
        >>> x, parameters = problem.sweep([1.0], "a", [1.0, 4.0]).at(-1)
        >>> problem.at(**parameters).solve(x).x.round(6).tolist()
        [2.0]
        """
        row, place = self._place(i)
        moved = {name: float(self[name][row]) for name in (self.name, *self.along)}
        return self.states[place].copy(), {**self.params, **moved}

    def orbit(self, i: int | SpecialPoint) -> PeriodicOrbit:
        """Return a periodic orbit of the branch.

        Parameters
        ----------
        i : int or SpecialPoint
            The number of the point, or a special point of this branch.

        Raises
        ------
        InputError
            If this is no branch of periodic orbits, or the state was not kept.
        """
        if self.kind != "orbits":
            raise InputError(
                "this branch consists of steady states; see Problem.orbit_continuation"
            )
        if isinstance(i, SpecialPoint):
            params = {**self.params, self.name: i.parameter}
            return PeriodicOrbit.unpacked(i.x, params, None, self.blocks)
        state, params = self.at(i)
        multipliers = self.columns.get("multipliers")
        found = None if multipliers is None else multipliers[self._place(i)[0]]
        return PeriodicOrbit.unpacked(state, params, found, self.blocks)

    def _place(self, i: int) -> tuple[int, int]:
        """Return the row of point i, and where its state was kept."""
        if not -len(self) <= i < len(self):
            raise InputError(f"there is no point {i}; the branch has {len(self)}")
        place = row = range(len(self))[i]
        if self.kept is not None:
            found = np.flatnonzero(self.kept == row)
            if not len(found):
                near = int(self.kept[np.argmin(np.abs(self.kept - row))])
                raise InputError(f"the state of point {i} was not kept; the nearest is {near}")
            place = int(found[0])
        return row, place

    @property
    def folds(self) -> list[SpecialPoint]:
        """The folds, in the order of the branch."""
        return self.special_points_of("fold")

    @property
    def branch_points(self) -> list[SpecialPoint]:
        """The branch points, in the order of the branch."""
        return self.special_points_of("branch point")

    @property
    def hopf_points(self) -> list[SpecialPoint]:
        """The Hopf points, in the order of the branch."""
        return self.special_points_of("hopf")

    def special_points_of(self, kind: str) -> list[SpecialPoint]:
        """Return the special points of a kind: "fold", "branch point", "hopf", or of an event.

        Parameters
        ----------
        kind : str
            "fold", "branch point", "hopf", or the name of an event.

        Returns
        -------
        list of SpecialPoint
            In the order of the branch.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> curve = Problem(lambda x, p: p + x - x**3 / 3, params={"p": -1.0})
        >>> branch = curve.continuation([-2.0], "p", (-1.0, 1.0))
        >>> [round(point.parameter, 6) for point in branch.special_points_of("fold")]
        [0.666667, -0.666667]
        """
        return [special for special in self.special_points if special.kind == kind]

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """Return the columns, as for ``pandas.DataFrame(branch.to_dict())``.

        Returns
        -------
        dict of str to ndarray
            The columns.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> branch = Problem(lambda x, a: x**2 - a).sweep([1.0], "a", [1.0, 4.0])
        >>> sorted(branch.to_dict())
        ['a', 'nit']
        """
        return {name: column.copy() for name, column in self.columns.items()}

    def __repr__(self) -> str:
        count = len(self)
        way = f", from {self.parameter[0]:.6g} to {self.parameter[-1]:.6g}" if count else ""
        special = "".join(f", {one}" for one in self.special_points)
        return f"Branch({self.name!r}, {counted(count, 'point')}{way}, {self.status.name}{special})"

    def __str__(self) -> str:
        lines = [f"{self.status.name}: {self.message}", f"cost: {self.stats}"]
        lines += [f"  {special} (row {special.index})" for special in self.special_points]
        return "\n".join(lines + table_lines(self.columns))

    def plot(self, column: str | None = None, ax: Any = None, **style: Any) -> Any:
        """Draw a bifurcation diagram: a column, or the Euclidean norm of x, over the parameter.

        Unstable parts are dashed if stability was asked for; special points are marked. The curve
        of a continuation is smooth between its rows.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new figure by default. Needs the extra ``sgsolve[plot]``.
        **style
            Passed on to matplotlib: color, label, ...

        Returns
        -------
        matplotlib Axes
        """
        rows = slice(None) if column is not None or self.kept is None else self.kept
        y = np.linalg.norm(self.states, axis=1) if column is None else self[column]
        special_points = self.special_points if len(y) == len(self) else []
        p, smooth = self.parameter[rows], "s" in self.columns
        ax = draw(p, y, self.unstable, special_points, column, ax, style, smooth)
        ax.set_xlabel(self.name)
        ax.set_ylabel(column or "norm of x")
        return ax

    def save(self, path: str | Path) -> None:
        """Write everything to a NumPy .npz file, without pickle.

        Parameters
        ----------
        path : str or Path
            The file; ``.npz`` is appended if it is missing.

        See Also
        --------
        load : Read it.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from sgsolve import Branch, Problem
        >>> branch = Problem(lambda x, a: x**2 - a).sweep([1.0], "a", [1.0, 4.0])
        >>> with TemporaryDirectory() as folder:
        ...     branch.save(Path(folder, "roots.npz"))
        ...     again = Branch.load(Path(folder, "roots.npz"))
        >>> again["a"].tolist()
        [1.0, 4.0]
        """
        save(vars(self), path)

    @classmethod
    def load(cls, path: str | Path) -> Branch:
        """Read a branch that `save` wrote.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        Branch
            The same branch.

        Raises
        ------
        CheckpointError
            If the file holds anything else.

        See Also
        --------
        save : Write it.
        """
        return cls(**load(path))


def column_name(name: str, parameters: Collection[str]) -> str:
    """Return the name of a column besides those of parameters: with "_" behind it if need be."""
    while name in parameters:
        name += "_"
    return name
