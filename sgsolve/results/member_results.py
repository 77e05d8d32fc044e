"""`MemberResults`: what `Problem.solve_many` returns, member by member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Blocks
from .history import Stats, counted
from .result import Result
from .status import Status

MOST_LISTED = 5


@dataclass(eq=False)
class MemberResults:
    """The outcome of ``Problem.solve_many``.

    Attributes
    ----------
    x : ndarray, shape (k, n)
        The solutions; after a failure the best iterate of the member.
    status : tuple of Status
        Why each member ended.
    message : tuple of str
        Status, numbers and advice of each member.
    nit : ndarray of int, shape (k,)
        Iterations of each member.
    results : tuple of Result
        The result of each member; ``results[m]`` of this object is the same.
    params : dict of str to ndarray
        The parameters that were given for each member, arrays with k elements or rows.
    stats : Stats
        Counts and seconds of all members. ``stats.backend`` is a linear solver that served them.
    blocks : Blocks
        Names of unknowns and equations.

    See Also
    --------
    Problem.solve_many : Returns it.
    Result : Of one member, ``results[m]``.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> problem = Problem(lambda x, a: x**2 - a, params={"a": 1.0})
    >>> results = problem.solve_many([[1.0], [1.0]], {"a": [4.0, 9.0]})
    >>> results.x.round(6).tolist()
    [[2.0], [3.0]]
    >>> results[1].status.name
    'CONVERGED'
    """

    x: NDArray[Any]
    results: tuple[Result, ...] = field(repr=False)
    params: Mapping[str, Any]
    stats: Stats
    blocks: Blocks

    @property
    def status(self) -> tuple[Status, ...]:
        """Why each member ended."""
        return tuple(result.status for result in self.results)

    @property
    def success(self) -> NDArray[np.bool_]:
        """Which members have a solution, shape (k,)."""
        return np.array([result.success for result in self.results], dtype=bool)

    @property
    def message(self) -> tuple[str, ...]:
        """Status, numbers and advice of each member."""
        return tuple(result.message for result in self.results)

    @property
    def nit(self) -> NDArray[np.int64]:
        """Iterations of each member, shape (k,)."""
        return np.array([result.nit for result in self.results], dtype=np.int64)

    def field(self, block: str) -> NDArray[Any]:
        """Return a block of the unknowns of all members, shape ``(k, *shape)``.

        Parameters
        ----------
        block : str
            Name of a block of the problem.

        Returns
        -------
        ndarray, shape (k, ...)

        Raises
        ------
        InputError
            If the problem has no such block.

        See Also
        --------
        Branch.field : The same for the points of a branch.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> blocks = {"u": (2, 1)}
        >>> problem = Problem(lambda u, a: {"u": u - a}, blocks=blocks, fields=True)
        >>> problem.solve_many([0.0, 0.0], {"a": [1.0, 2.0, 3.0]}).field("u").shape
        (3, 2, 1)
        """
        found: NDArray[Any] = self.blocks.field(self.x, block)
        return found

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __getitem__(self, m: int) -> Result:
        """The result of one member."""
        return self.results[m]

    def __repr__(self) -> str:
        return (
            f"MemberResults({int(self.success.sum())} of {counted(len(self), 'member')} solved, "
            f"{counted(self.blocks.n, 'unknown')} each)"
        )

    def __str__(self) -> str:
        return "\n".join(f"{name:>12s}  {text}" for name, text in self._rows())

    def _rows(self) -> Iterator[tuple[str, str]]:
        """Yield the rows of the table."""
        success, nit, stats = self.success, self.nit, self.stats
        failed = np.flatnonzero(~success)
        yield "members", f"{len(self)}, {int(success.sum())} solved"
        yield "unknowns", f"{self.blocks.n} each"
        for m in failed[:MOST_LISTED].tolist():
            yield f"member {m}", f"{self.status[m].name}: {self.status[m].text}"
        if len(failed) > MOST_LISTED:
            yield "failed", f"{len(failed) - MOST_LISTED} more, see .success"
        yield "iterations", f"{nit.min()} to {nit.max()}, mean {nit.mean():.1f}"
        yield "evaluations", stats.evaluations
        yield "linear", f"{stats.backend or 'none'}: {stats.linear}"
        if stats.compilation:
            yield "compiled", stats.compilation
        yield "time", stats.times
