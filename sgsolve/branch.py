"""Branch: a curve of solutions, as columns.

One idea: a sweep is a table. Every column is an array with one row per point: the parameter, the
iterations, whatever functional of x the user named; the states stand beside it. A partial branch
is a branch like any other, with a status that says why it ends.

The layout follows BifurcationKit.jl's struct of arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import CheckpointError, InputError
from .history import Stats
from .status import Status

FORMAT = "sgsolve branch 1"


class PartialBranchWarning(UserWarning):
    """A sweep ended before the last value that was asked for."""


@dataclass
class Special:
    """A special point of a branch: a fold, a branch point, a located event.

    Attributes
    ----------
    kind : str
    parameter : float
    x : ndarray, shape (n,)
    vector : ndarray of shape (n,), or None
        The null vector of the Jacobian there.
    """

    kind: str
    parameter: float
    x: NDArray[Any]
    vector: NDArray[Any] | None = None


@dataclass
class Branch:
    """Solutions along a parameter.

    Attributes
    ----------
    name : str
        The parameter.
    columns : dict of str to ndarray, shape (points,)
        ``columns[name]`` is the parameter; "nit" the iterations of each point; then the outputs
        that were asked for. ``branch["current"]`` is short for ``branch.columns["current"]``.
    states : ndarray, shape (points, n)
        x at each point.
    params : dict
        The other parameters.
    special : list of Special
    status : Status
    message : str
    stats : Stats
        Over the whole branch.
    rejected : list of (parameter, reason)
        Steps that failed and were shortened.
    reached : float
        The furthest value solved: beyond the last point if a sweep ended between two values.

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
    special: list[Special] = field(default_factory=list)
    reached: float = float("nan")

    @property
    def success(self) -> bool:
        """Whether every value that was asked for has its solution."""
        return self.status.success

    @property
    def parameter(self) -> NDArray[Any]:
        """The values of the parameter, shape (points,)."""
        return self.columns[self.name]

    @property
    def x(self) -> NDArray[Any]:
        """The last state, shape (n,)."""
        last: NDArray[Any] = self.states[-1]
        return last

    def __len__(self) -> int:
        return len(self.states)

    def __bool__(self) -> bool:
        return self.success

    def __iter__(self) -> Iterator[tuple[float, NDArray[Any]]]:
        """Go through (parameter, x)."""
        return zip(self.parameter.tolist(), self.states, strict=True)

    def __getitem__(self, column: str) -> NDArray[Any]:
        try:
            return self.columns[column]
        except KeyError:
            raise InputError(
                f"there is no column {column!r}; the columns are {', '.join(self.columns)}"
            ) from None

    def at(self, i: int) -> tuple[NDArray[Any], dict[str, Any]]:
        """Return (x, parameters) of point i: ``problem.solve(x, **parameters)`` goes on there."""
        return self.states[i].copy(), {**self.params, self.name: float(self.parameter[i])}

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """Return the columns, as for ``pandas.DataFrame(branch.to_dict())``."""
        return {name: column.copy() for name, column in self.columns.items()}

    def __str__(self) -> str:
        lines = [f"{self.status.name}: {self.message}", f"cost: {self.stats}"]
        names = list(self.columns)
        lines.append("  ".join(f"{name:>14s}" for name in names))
        rows = list(zip(*self.columns.values(), strict=True))
        shown = rows if len(rows) <= 30 else rows[:15] + rows[-15:]
        for i, row in enumerate(shown):
            if len(rows) > 30 and i == 15:
                lines.append(f"{'... ' + str(len(rows) - 30) + ' more ...':>14s}")
            lines.append("  ".join(f"{_cell(value):>14s}" for value in row))
        return "\n".join(lines)

    def plot(self, column: str | None = None, ax: Any = None) -> Any:
        """Draw a column, or the Euclidean norm of x, over the parameter.

        Parameters
        ----------
        column : str, optional
        ax : matplotlib Axes, optional
            A new figure by default. Needs the extra ``sgsolve[plot]``.

        Returns
        -------
        matplotlib Axes
        """
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.figure().add_subplot()
        y = np.linalg.norm(self.states, axis=1) if column is None else self[column]
        ax.plot(self.parameter, y, ".-")
        ax.set_xlabel(self.name)
        ax.set_ylabel(column or "norm of x")
        return ax

    def save(self, path: str | Path) -> None:
        """Write columns, states, numeric parameters and status to a NumPy .npz file, unpickled."""
        numeric = {k: v for k, v in self.params.items() if np.asarray(v).dtype.kind in "biufcU"}
        content: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "status": self.status.name,
            "message": self.message,
            "states": self.states,
        }
        content |= {f"column {key}": value for key, value in self.columns.items()}
        content |= {f"param {key}": np.asarray(value) for key, value in numeric.items()}
        np.savez(path, **content)

    @classmethod
    def load(cls, path: str | Path) -> Branch:
        """Read a branch that `save` wrote; raises `CheckpointError` for anything else."""
        try:
            with np.load(path, allow_pickle=False) as file:
                content = {key: file[key] for key in file.files}
            if str(content["format"]) != FORMAT:
                raise ValueError(f"format {content['format']}")
            return cls(
                name=str(content["name"]),
                columns=_part(content, "column "),
                states=content["states"],
                params={k: v[()] for k, v in _part(content, "param ").items()},
                status=Status[str(content["status"])],
                message=str(content["message"]),
                stats=Stats(),
            )
        except FileNotFoundError:
            raise
        # a damaged archive shows up as any of several errors of zipfile, zlib and NumPy
        except Exception as error:
            raise CheckpointError(f"{path} is no branch that sgsolve saved: {error}") from error


def _part(content: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in content.items() if k.startswith(prefix)}


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
