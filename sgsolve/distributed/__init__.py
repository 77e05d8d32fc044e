"""Problems whose residual, Jacobian and unknowns are spread over the ranks of MPI, by PETSc.

::

    from sgsolve import distributed

    box = distributed.Box((100, 100, 100))
    problem = distributed.LocalProblem(residual, box, params={"lam": 3.0}, options="-pc_type gamg")
    result = problem.solve(0.0)       # mpiexec -n 8 python program.py

The residual gets the unknowns of this rank and those around them, and returns the equations of this
rank. Its derivatives are those of `sgsolve.ad`. Newton's method is SNES of PETSc. Where memory for
one Jacobian on each rank suffices, `petsc.Petsc` needs no change of the residual.
"""

from .box import Box
from .ghosts import Ghosts
from .local_problem import LocalProblem
from .local_solution import LocalSolution

__all__ = ["Box", "Ghosts", "LocalProblem", "LocalSolution"]
