"""What a solve of a distributed problem returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class LocalSolution:
    """The unknowns of this rank, and how they were found.

    Parameters
    ----------
    own : ndarray
        The unknowns of this rank, in the shape that the residual returns.
    success : bool
        Whether the residual at the solution, evaluated anew, is small enough.
    message : str
        Why not, or how.
    iterations, linear_iterations : int
        Of Newton's method, and of all linear systems.
    residual_norm : float
        Euclidean norm of the residual over all ranks.
    params : dict
        The parameters.
    layout : Box or Ghosts
        That of the problem.
    vector : petsc4py.PETSc.Vec
        The unknowns of all ranks.

    See Also
    --------
    LocalProblem.solve

    Examples
    --------
    >>> from importlib.util import find_spec
    >>> if find_spec("petsc4py"):
    ...     from sgsolve import distributed
    ...     problem = distributed.LocalProblem(lambda u: u[1:-1] - 2.0, distributed.Box((3,)))
    ...     assert problem.solve(1.0).whole().tolist() == [2.0, 2.0, 2.0]
    """

    own: NDArray[Any] = field(repr=False)
    success: bool
    message: str
    iterations: int
    linear_iterations: int
    residual_norm: float
    params: dict[str, Any]
    layout: Any = field(repr=False)
    vector: Any = field(repr=False)

    def whole(self) -> NDArray[Any]:
        """Return the unknowns of all ranks, on each of them; call it on all ranks.

        Returns
        -------
        ndarray
            In the shape of the grid, or by the numbers of the unknowns.
        """
        result: NDArray[Any] = self.layout.whole(self.vector)
        return result
