"""Unknowns of an unstructured grid that one rank holds, and those of others that it needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from .. import ranks
from ..arrays import IndexArray
from ..errors import InputError, StructureError
from ..linear.methods.parallel_petsc.petsc_options import join_ranks, loaded


class Ghosts:
    """The unknowns of this rank, by number, and those of other ranks that its residual needs.

    The residual gets one vector: the own unknowns in the order given, then the ghosts. It returns
    the equations of the own unknowns.

    Parameters
    ----------
    owned : array_like of int, shape (k,)
        Numbers of the own unknowns. Each unknown belongs to one rank.
    ghosts : array_like of int, shape (g,)
        Numbers of unknowns of other ranks.

    Attributes
    ----------
    own_shape, local_shape : tuple of int
        Shapes of what the residual returns, and of what it gets.

    Raises
    ------
    BackendError
        petsc4py or mpi4py is not installed.
    StructureError
        An unknown belongs to no rank or to several, or a ghost does not exist.

    See Also
    --------
    Box : Structured grids.

    Examples
    --------
    >>> from importlib.util import find_spec
    >>> if find_spec("petsc4py"):
    ...     from sgsolve import distributed
    ...     layout = distributed.Ghosts(range(10), [])
    ...     assert layout.local_shape == (10,)
    """

    def __init__(self, owned: ArrayLike, ghosts: ArrayLike) -> None:
        module = loaded()
        join_ranks(module)
        self.owned = np.asarray(owned, dtype=np.int64).reshape(-1)
        self.ghosts = np.asarray(ghosts, dtype=np.int64).reshape(-1)
        self._order = ranks.concatenated(self.owned)
        n = len(self._order)
        if not np.array_equal(np.sort(self._order), np.arange(n)):
            raise StructureError(
                f"the {n} unknowns of all ranks must be the numbers 0 to {n - 1}, each on one rank"
            )
        if len(self.ghosts) and not 0 <= self.ghosts.min() <= self.ghosts.max() < n:
            raise StructureError(f"a ghost must be one of the unknowns 0 to {n - 1}")
        place = np.empty(n, dtype=np.int64)
        place[self._order] = np.arange(n)
        self._numbers = np.concatenate([place[self.owned], place[self.ghosts]])
        self.own_shape, self.local_shape = (len(self.owned),), (len(self._numbers),)
        self._vector = module.Vec().createGhost(
            place[self.ghosts].astype(module.IntType),
            size=(len(self.owned), n),
            comm=module.COMM_WORLD,
        )

    @classmethod
    def of_graph(cls, graph: Any) -> Ghosts:
        """Return the layout of a matrix: its rows parted by pymetis, one part for each rank.

        Parameters
        ----------
        graph : sparse matrix, shape (n, n)
            The same on all ranks. Row i has an entry in column j if equation i contains unknown j.

        Returns
        -------
        Ghosts

        Raises
        ------
        InputError
            There are several ranks, and pymetis is not installed.
        """
        join_ranks(loaded())
        graph = sp.csr_array(graph)
        part = _ranks_of_rows(graph, ranks.size())
        owned = np.flatnonzero(part == ranks.rank())
        needed = np.unique(graph[owned].indices)
        return cls(owned, needed[part[needed] != ranks.rank()])

    def vector(self) -> Any:
        """Return a new vector of PETSc for the unknowns of all ranks."""
        return self._vector.duplicate()

    def local(self, x: Any) -> NDArray[Any]:
        """Return the own unknowns and the ghosts; a copy."""
        module = loaded()
        x.copy(self._vector)
        self._vector.ghostUpdate(module.InsertMode.INSERT, module.ScatterMode.FORWARD)
        with self._vector.localForm() as form:
            result: NDArray[Any] = form.array.copy()
        return result

    def numbers(self) -> IndexArray:
        """Return PETSc's numbers of the local unknowns."""
        return self._numbers

    def start(self, values: Any) -> NDArray[Any]:
        """Return the own values of a number, of a vector of all unknowns, or of the own ones."""
        found = np.asarray(values, dtype=float)
        if found.shape == self._order.shape and found.shape != self.own_shape:
            found = found[self.owned]
        if found.ndim and found.shape != self.own_shape:
            raise InputError(
                f"the start has shape {found.shape}; needed are {self._order.shape} values, or "
                f"{self.own_shape} of this rank"
            )
        return np.broadcast_to(found, self.own_shape)

    def whole(self, x: Any) -> NDArray[Any]:
        """Return the unknowns of all ranks, on each of them, by their numbers."""
        result = np.empty(len(self._order))
        result[self._order] = ranks.concatenated(np.array(x.array))
        return result


def _ranks_of_rows(graph: Any, size: int) -> IndexArray:
    """Return the rank of each row: parts of equal size with few edges between them."""
    n = graph.shape[0]
    if size == 1:
        return np.zeros(n, dtype=np.int64)
    try:
        import pymetis
    except ImportError as error:
        raise InputError(
            "parts of an unstructured grid are found by pymetis: pip install 'sgsolve[metis]'; or "
            "give Ghosts the unknowns of each rank"
        ) from error
    both = graph + graph.T
    both.setdiag(0.0)
    both.eliminate_zeros()
    adjacency = pymetis.CSRAdjacency(both.indptr, both.indices)
    _, part = pymetis.part_graph(size, adjacency=adjacency)
    return np.asarray(part, dtype=np.int64)
