"""Several solutions: at one value of a parameter, or for a sequence of values, by deflation.

Known solutions are deflated, so that Newton's method leads from the same start to new ones. Along a
parameter every solution of the last value is continued, and it is a start for others. That finds
branches that no bifurcation connects.

Reference: P. E. Farrell, C. H. L. Beentjes, A. Birkisson, arXiv:1603.00809 (deflated continuation).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arrays import Vector
from ...continuation.deflation import Deflation
from ...continuation.runs.options import check_limit
from ...continuation.runs.progress_bar import progress_bar
from ...errors import DataTypeError
from ...results.branch import PartialBranchWarning
from ...results.diagram import axes_or_new
from ...results.history import counted
from ...results.result import Result
from ...solvers.polyalgorithm import as_solver
from ...solvers.state.deadline import OutOfTime, deadline_of
from ...user_warnings import warn
from ..equations.definition import ProblemDefinition
from ..equations.prepared_start import prepared_start
from ..families.parameter_path import ParameterPath
from ..inputs.starting_point import starting_point
from .deflation_search import DeflationSearch


@dataclass
class SolutionSets:
    """The solutions found at each value of a parameter.

    Attributes
    ----------
    name : str
        The parameter.
    parameter : ndarray, shape (values,)
        Its values.
    solutions : list of ndarray, shape (solutions there, n)
        One for each value.
    complete : bool
        Whether the search at the last value ended by itself. If not, it was interrupted or out of
        time, and there may be more solutions at that value.

    See Also
    --------
    Problem.deflated_continuation : Returns it.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> pitchfork = Problem(lambda x, p: p * x - x**3)
    >>> sets = pitchfork.deflated_continuation([0.5], "p", [-1.0, 1.0])
    >>> sorted(float(x.round(6)) + 0.0 for x in sets.solutions[1][:, 0])
    [-1.0, 0.0, 1.0]
    """

    name: str
    parameter: Vector
    solutions: list[Vector]
    complete: bool = True

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many solutions were found at each value."""
        return np.array([len(block) for block in self.solutions])

    def __iter__(self) -> Iterator[tuple[float, Vector]]:
        """Go through (value, solutions)."""
        return zip(self.parameter.tolist(), self.solutions, strict=True)

    def plot(self, functional: Any = None, ax: Any = None, **style: Any) -> Any:
        """Draw a dot for each solution: a functional of x, or its norm, over the parameter.

        Parameters
        ----------
        functional : callable, optional
            ``functional(x)`` -> number; the Euclidean norm by default.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.
        **style
            Passed to Matplotlib's ``plot``.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.
        """
        ax = axes_or_new(ax)
        of = functional or np.linalg.norm
        dots = [(value, float(of(x))) for value, block in self for x in block]
        ax.plot(*np.array(dots).reshape(-1, 2).T, **{"linestyle": "", "marker": ".", **style})
        ax.set_xlabel(self.name)
        return ax


def find_solutions(
    problem: ProblemDefinition,
    x0: ArrayLike,
    max_solutions: int,
    deflation: Deflation | None,
    solver: Any,
    time_limit: float | None,
) -> list[Result]:
    """Find several solutions by deflation; see `Problem.find_solutions`."""
    deflation, deadline = _checked_settings(deflation, max_solutions), deadline_of(time_limit)
    starts = np.atleast_2d(np.asarray(problem.packed(x0)))
    system, _ = problem.system(starts[0])
    rows = [starting_point(row) for row in starts]
    first = as_solver(solver)
    for row in rows:
        first.check_start(row, system.blocks)
    rows[0] = prepared_start(system, rows[0], first)[0]
    with problem.lend(system, rows[0]) as workspace:
        search = DeflationSearch(system, workspace, deflation, solver, rows, deadline)
        try:
            for row in rows:
                search.from_start(row, max_solutions)
        except (OutOfTime, KeyboardInterrupt) as end:
            text = f"the search was {_cause(end)} after {counted(len(search.known), 'solution')}"
            warn(text, PartialBranchWarning)
    return search.results


def deflated_continuation(
    problem: ProblemDefinition,
    x0: ArrayLike,
    parameter: str,
    values: Sequence[float],
    max_solutions: int,
    deflation: Deflation | None,
    solver: Any,
    progress: bool | None,
    time_limit: float | None,
) -> SolutionSets:
    """Find the solutions for every value of a parameter; see `Problem.deflated_continuation`."""
    problem.signature.numeric(parameter)
    deflation, deadline = _checked_settings(deflation, max_solutions), deadline_of(time_limit)
    starts = [starting_point(row) for row in np.atleast_2d(np.asarray(problem.packed(x0)))]
    path = ParameterPath.of(parameter, values)
    sets, begun, complete = list[Vector](), None, True
    bar = progress_bar(progress, len(path.values), f"deflated continuation {parameter}")
    try:
        first = problem.system(starts[0], {parameter: path.values[0]})[0]
        for row in starts:
            as_solver(solver).check_start(row, first.blocks)
        with problem.lend(first, starts[0]) as workspace:
            for k, value in enumerate(path.values):
                system, _ = problem.system(starts[0], {parameter: value})
                system.prepare(starts[0])
                before = list(sets[-1]) if sets else []
                settings = deflation, solver, [*before, *starts], deadline
                begun = k, DeflationSearch(system, workspace, *settings)
                begun[1].along(before, max_solutions)
                sets.append(_stacked(begun[1], len(starts[0])))
                if bar is not None:
                    bar.update()
    except (OutOfTime, KeyboardInterrupt) as end:
        text = f"{_cause(end)} after {len(sets)} of {len(path.values)} values of {parameter!r}"
        if begun is not None and begun[0] == len(sets) and begun[1].known:
            complete = False
            text += _found_at(path.values[len(sets)], begun[1])
            sets.append(_stacked(begun[1], len(starts[0])))
        warn(text, PartialBranchWarning)
    finally:
        if bar is not None:
            bar.close()
    return SolutionSets(parameter, np.array(path.values[: len(sets)]), sets, complete)


def _checked_settings(deflation: Deflation | None, max_solutions: int) -> Deflation:
    if max_solutions is None:
        raise DataTypeError("max_solutions must be a number, not None")
    check_limit("max_solutions", max_solutions)
    if deflation is not None and not isinstance(deflation, Deflation):
        raise DataTypeError(f"deflation must be a Deflation(), not {deflation!r}")
    return deflation or Deflation()


def _found_at(value: float, search: DeflationSearch) -> str:
    return f"; the search at {value:g} had found {counted(len(search.known), 'solution')}"


def _stacked(search: DeflationSearch, n: int) -> Vector:
    """Return the solutions found, shape (solutions, n)."""
    return np.array([one.x for one in search.known]).reshape(-1, n)


def _cause(end: BaseException) -> str:
    """Return why a search ended early."""
    return "out of time" if isinstance(end, OutOfTime) else "interrupted"
