"""PETSc as a back end, on one computer or on many: ``pip install 'sgsolve[petsc]'``.

::

    from sgsolve import Problem
    from sgsolve.petsc import Petsc

    problem = Problem(residual, params=..., backend=Petsc("-ksp_type cg -pc_type gamg"))
    result = problem.solve(x0)     # the same file runs by: mpiexec -n 8 python program.py
"""

from .linear.methods.parallel_petsc.petsc_backend import Petsc
from .linear.methods.parallel_petsc.petsc_options import UnusedOptionsWarning

__all__ = ["Petsc", "UnusedOptionsWarning"]
