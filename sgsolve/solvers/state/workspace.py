"""Linear solvers that are kept between solves, so that each pattern is analyzed once.

The owner of a workspace (a problem, a run) decides how long it is kept. A workspace serves one
solve at a time; a `Pool` lends workspaces to threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any

import numpy as np

from ... import linear
from ...linear.gauged import Gauged
from ...linear.null_basis import annihilates
from ...pattern import Pattern
from ...results.history import Stats

NULL = 1e-9  # of the terms of an equation, that J v may be
NEWTON = "newton"  # the purpose of the solver with Jacobians

# Returns the indices of each block among n unknowns, by name.
BlockIndices = Callable[[int], Mapping[str, Any]]


class OpenSearch(Enum):
    """Which search for directions that no equation determines comes next."""

    LEVELS = "of the levels of blocks, with the first Jacobian"
    NULL_VECTORS = "of null vectors, with the first singular Jacobian"
    ENDED = "none: they were found, or do not matter"
    DECLARED = "none: the user declared them"


class Pool:
    """Workspaces that are lent to one solve at a time: threads never share one.

    Analyses survive in them from solve to solve. Copies and pickles start empty.

    Parameters
    ----------
    backend, blocks
        As for `Workspace`.
    """

    def __init__(self, backend: Any = "auto", blocks: BlockIndices | None = None) -> None:
        Workspace.check(backend)
        self.backend, self._blocks = backend, blocks
        self._idle: list[Workspace] = []
        self._lock = threading.Lock()

    def take(self) -> Workspace:
        """Take a workspace, to give it back later."""
        with self._lock:
            return self._idle.pop() if self._idle else Workspace(self.backend, self._blocks)

    def give_back(self, workspace: Workspace) -> None:
        """Give back a workspace."""
        with self._lock:
            self._idle.append(workspace)

    @contextmanager
    def lend(self) -> Iterator[Workspace]:
        """Lend a workspace for the length of a ``with`` block."""
        workspace = self.take()
        try:
            yield workspace
        finally:
            self.give_back(workspace)

    def __getstate__(self) -> dict[str, Any]:
        return {"backend": self.backend, "blocks": self._blocks}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Pool.__init__(self, **state)


class Workspace:
    """Linear solvers by purpose, each analyzed once per pattern.

    Parameters
    ----------
    backend : str or object
        "auto", the name of a back end of `sgsolve.linear`, or an own object.
    blocks : callable, optional
        ``blocks(n)`` gives the indices of each block among n unknowns, for back ends that treat
        blocks apart.

    Attributes
    ----------
    open_search : OpenSearch
        What has not been looked for yet; the directions that are found serve like declared ones.
    """

    def __init__(self, backend: Any = "auto", blocks: BlockIndices | None = None) -> None:
        self.backend = backend
        self._block_indices = blocks
        self._blocks: Mapping[str, Any] = {}
        self._kept: dict[str, tuple[Pattern, Any]] = {}
        self._retired = Stats()
        self._factorized: tuple[Any, int, Any] = (None, 0, None)
        self._null_spaces: dict[str, Any] = {}
        self.open_search = OpenSearch.ENDED

    @staticmethod
    def check(backend: Any) -> None:
        """Raise `BackendError` if there is no such back end."""
        if backend != "auto":
            one = Pattern([0, 1], [0], (1, 1))
            linear.LinearSolver(one, backend)

    def solver(self, pattern: Pattern, purpose: str = NEWTON) -> Any:
        """Return the linear solver for this pattern, the kept one if the pattern is the same."""
        kept = self._kept.get(purpose)
        if kept is not None:
            if kept[0] is pattern or kept[0].equals(pattern):
                return kept[1]
            self._retired.add(counts_of(kept[1]))
        if self._block_indices is not None and purpose == NEWTON:
            self._blocks = self._block_indices(pattern.shape[0])
        V = self.gauged(purpose)
        if V is not None and len(V) == pattern.shape[0]:
            solver: Any = Gauged(pattern, V, self._made)
        else:
            solver = self._made(pattern)
        self._kept[purpose] = (pattern, solver)
        return solver

    def forget(self) -> None:
        """Drop all linear solvers; the next factorization begins with a new analysis."""
        for _, solver in self._kept.values():
            if hasattr(solver, "stats"):
                self._retired.add(counts_of(solver))
        self._kept = {}
        self._factorized = (None, 0, None)

    @contextmanager
    def newton_with(self, purpose: str) -> Iterator[None]:
        """Let the linear solver of another purpose serve Newton's methods within a block of code.

        A system with the pattern of that solver is then not analyzed again.
        """
        for held in (self._kept, self._null_spaces):
            _exchange(held, NEWTON, purpose)
        try:
            yield
        finally:
            for held in (self._kept, self._null_spaces):
                _exchange(held, NEWTON, purpose)

    def new_solver(self, pattern: Pattern) -> Any:
        """Return a linear solver for this pattern that is not kept."""
        indices = self._block_indices
        blocks = indices(pattern.shape[0]) if indices is not None else {}
        return linear.LinearSolver(pattern, self.backend, blocks)

    @property
    def null_space(self) -> Any:
        """Orthonormal basis of the null space of the Jacobians, shape (n, k), or None."""
        return self.gauged(NEWTON)

    def gauged(self, purpose: str) -> Any:
        """Return the basis of the null space of the matrices of one purpose, or None."""
        return self._null_spaces.get(purpose)

    def gauge(self, V: Any, purpose: str = NEWTON) -> None:
        """Take a basis of the null space of the matrices of one purpose, from here on.

        Parameters
        ----------
        V : ndarray, shape (n, k), or None
            Orthonormal; see `linear.gauged`.
        """
        before = self.gauged(purpose)
        if V is before or np.array_equal(V, before):
            return
        self._null_spaces[purpose] = V
        kept = self._kept.pop(purpose, None)
        if kept is not None:
            self._retired.add(counts_of(kept[1]))
        if purpose == NEWTON:
            self._factorized = (None, 0, None)

    def doubt_gauge(self, J: Any) -> None:
        """Drop directions that were found to be open if a Jacobian determines them.

        In a model with saturation they are open in a part of the space only.
        """
        V = self.null_space
        if V is None or self.open_search is OpenSearch.DECLARED or len(V) != J.shape[0]:
            return
        if not annihilates(J, V, NULL):
            self.gauge(None)

    def _made(self, pattern: Pattern) -> Any:
        return linear.LinearSolver(pattern, self.backend, self._blocks)

    def factorized(self, pattern: Pattern, J: Any) -> Any:
        """Return the linear solver with J factorized; at once if that is what it holds."""
        solver = self.solver(pattern)
        known, count, data = self._factorized
        if (
            known is not solver
            or not solver.factorized  # it failed, or was reset after a solve that did
            or count != solver.stats.n_factor
            or not np.array_equal(data, J.data)
        ):
            solver.factorize(J)
            self._factorized = (solver, solver.stats.n_factor, J.data.copy())
        return solver

    def derived(self, purpose: str, pattern: Pattern, make: Callable[[], Any]) -> Any:
        """Return something computed once from a pattern, such as an augmented pattern."""
        kept = self._kept.get(purpose)
        if kept is None or kept[0] is not pattern:
            kept = (pattern, make())
            self._kept[purpose] = kept
        return kept[1]

    def counts(self) -> Stats:
        """Return the counts of all its solvers so far."""
        total = Stats(seconds=dict.fromkeys(("analyze", "factor", "solve"), 0.0))
        total.add(self._retired)
        for _, solver in self._kept.values():
            if hasattr(solver, "stats"):
                total.add(counts_of(solver))
        return total


def _exchange(held: dict[str, Any], one: str, other: str) -> None:
    """Exchange the values of two keys, of which any may be missing."""
    values = held.pop(one, None), held.pop(other, None)
    held.update({k: v for k, v in zip((other, one), values, strict=True) if v is not None})


def counts_of(solver: Any) -> Stats:
    """Return the counts of a linear solver, its seconds, and its name."""
    stats = solver.stats
    return Stats(
        n_analyze=stats.n_analyze,
        n_factor=stats.n_factor,
        n_solve=stats.n_solve,
        seconds=dict(stats.seconds),
        backend=solver.name,
    )
