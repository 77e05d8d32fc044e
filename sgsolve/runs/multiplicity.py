"""Multiplicity: all the solutions that can be found, at one value of a parameter or along it.

One idea: known solutions are deflated, so the same start leads on to new ones; along a parameter,
every solution that was known at the last value is both continued and a start to look for others,
which finds branches that no bifurcation connects.

Reference: P. E. Farrell, C. H. L. Beentjes, A. Birkisson, arXiv:1603.00809 (deflated continuation).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..continuation.deflation import Deflation
from ..continuation.ladder import as_solver
from ..errors import InputError
from ..results.branch import PartialBranchWarning
from ..results.history import counted
from ..results.result import Result
from ..solvers.deadline import OutOfTime, deadline_of
from ..solvers.limits import refuse_outside
from ..solvers.workspace import Pool, Workspace
from ..systems.bound import BoundSystem
from ..systems.intake import Signature, starting_point
from ..systems.null_space import NullSpace
from ..systems.starts import prepared_start
from ..systems.structure import Structure
from .keywords import given_options, refuse_both
from .progress import progress_bar
from .search import Search
from .sweeping import Path

Vector = NDArray[Any]


@dataclass
class SolutionSets:
    """The solutions found at each value of a parameter.

    Attributes
    ----------
    name : str
    parameter : ndarray, shape (values,)
    solutions : list of ndarray, shape (solutions there, n)
    """

    name: str
    parameter: Vector
    solutions: list[Vector]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many solutions were found at each value."""
        return np.array([len(block) for block in self.solutions])

    def __iter__(self) -> Iterator[tuple[float, Vector]]:
        """Go through (value, solutions)."""
        return zip(self.parameter.tolist(), self.solutions, strict=True)

    def plot(self, functional: Any = None, ax: Any = None, **style: Any) -> Any:
        """Draw a dot per solution: a functional of x, or its norm, over the parameter."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.figure().add_subplot()
        of = functional or np.linalg.norm
        dots = [(value, float(of(x))) for value, block in self for x in block]
        ax.plot(*np.array(dots).reshape(-1, 2).T, **{"linestyle": "", "marker": ".", **style})
        ax.set_xlabel(self.name)
        return ax


class Multiplicity:
    """Deflation, for `Problem`."""

    _signature: Signature
    _structure: Structure
    _workspaces: Pool
    _null_space: NullSpace

    def _lend(self, system: BoundSystem, x: Vector) -> AbstractContextManager[Workspace]:
        """Lend a workspace for systems like one, with the null space that was declared at x."""
        return self._workspaces.lend(self._null_space.basis(system, x))

    def _system(self, x: ArrayLike, params: Mapping[str, Any]) -> tuple[BoundSystem, Vector]:
        start = starting_point(x)
        return BoundSystem(self._signature.bound(params), self._structure, len(start)), start

    def solutions(
        self,
        x0: ArrayLike,
        *,
        max_solutions: int = 20,
        deflation: Deflation | None = None,
        solver: Any = None,
        time_limit: float | None = None,
        **params: Any,
    ) -> list[Result]:
        """Find several solutions from one start, or from several, by deflation.

        Parameters
        ----------
        x0 : array_like, shape (n,) or (starts, n)
        max_solutions : int
            Stop when so many are known.
        deflation : Deflation, optional
            How known solutions repel, how far apart two solutions are.
        solver : optional
            For the first solution; as in `solve`.
        time_limit : float, optional
            Seconds after which the search ends, with a `PartialBranchWarning`.
        **params
            Parameters.

        Returns
        -------
        list of Result
            Successes only, all distinct, in the order in which they were found. That there are no
            more is not proven. After Ctrl-C those that are known, with a `PartialBranchWarning`.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x: x**3 - x)
        >>> sorted(float(result.x[0].round(9) + 0.0) for result in problem.solutions([0.3]))
        [-1.0, 0.0, 1.0]
        """
        refuse_both(self._signature, given_options(Multiplicity.solutions, locals()))
        if max_solutions < 1:
            raise InputError(f"max_solutions must be at least 1, not {max_solutions}")
        deadline = deadline_of(time_limit)
        starts = np.atleast_2d(np.asarray(x0))
        system, _ = self._system(starts[0], params)
        rows, known = [starting_point(row) for row in starts], list[Result]()
        for row in rows:
            refuse_outside(as_solver(solver), row, system.blocks)
        rows[0] = prepared_start(system, rows[0], as_solver(solver))[0]
        with self._lend(system, rows[0]) as workspace:
            search = Search(system, workspace, deflation or Deflation(), solver, rows, deadline)
            try:
                for row in rows:
                    search.from_start(row, known, max_solutions)
            except (OutOfTime, KeyboardInterrupt) as end:
                why = "out of time" if isinstance(end, OutOfTime) else "interrupted"
                text = f"the search was {why} after {counted(len(known), 'solution')}"
                warnings.warn(text, PartialBranchWarning, stacklevel=2)
        return known

    def deflated_sweep(
        self,
        x0: ArrayLike,
        name: str,
        values: Sequence[float],
        *,
        max_solutions: int = 20,
        deflation: Deflation | None = None,
        progress: bool | None = None,
        **params: Any,
    ) -> SolutionSets:
        """Find the solutions for every value of a parameter, each known one a start at the next.

        Parameters
        ----------
        x0 : array_like, shape (n,) or (starts, n)
            Starts; tried at every value.
        name : str
        values : sequence of float
        max_solutions : int
            At each value.
        deflation : Deflation, optional
        progress : bool, optional
            As in `sweep`.
        **params

        Returns
        -------
        SolutionSets
            ``counts``, ``solutions``; ``plot`` draws the diagram. After Ctrl-C those of the values
            that are done, with a `PartialBranchWarning`.
        """
        refuse_both(self._signature, given_options(Multiplicity.deflated_sweep, locals()))
        self._signature.numeric(name)
        starts = [starting_point(row) for row in np.atleast_2d(np.asarray(x0))]
        path, sets = Path.of(name, values), list[Vector]()
        bar = progress_bar(progress, len(path.values), f"deflated sweep {name}")
        try:
            first = self._system(starts[0], {**params, name: path.values[0]})[0]
            with self._lend(first, starts[0]) as workspace:
                for value in path.values:
                    system, _ = self._system(starts[0], {**params, name: value})
                    system.prepare(starts[0])
                    before = list(sets[-1]) if sets else []
                    every = [*before, *starts]
                    search = Search(system, workspace, deflation or Deflation(), None, every)
                    known = search.along(before, max_solutions)
                    sets.append(np.array(known).reshape(-1, len(starts[0])))
                    if bar is not None:
                        bar.update()
        except KeyboardInterrupt:
            text = f"interrupted after {len(sets)} of {len(path.values)} values of {name!r}"
            warnings.warn(text, PartialBranchWarning, stacklevel=2)
        finally:
            if bar is not None:
                bar.close()
        return SolutionSets(name, np.array(path.values[: len(sets)]), sets)
