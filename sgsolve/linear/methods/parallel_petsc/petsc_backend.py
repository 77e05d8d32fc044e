"""PETSc through petsc4py: Krylov methods, preconditioners and factorizations on one rank or many.

The program runs on every rank. All ranks evaluate the residual and its Jacobian, and iterate on the
same bits. PETSc spreads what is largest: the matrix, its factors or multigrid levels, and the
Krylov vectors.

References: S. Balay et al., PETSc/TAO Users Manual, ANL-21/39; L. Dalcin et al., Advances in Water
Resources 34 (2011) 1124 (petsc4py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .... import ranks
from ....arrays import Vector
from ....errors import BackendError, InputError
from ..backend import is_complex
from ..iterative.iterative_backend import TOLERANCE, Slowdown, by_columns
from .petsc_options import (
    Installed,
    integers,
    join_ranks,
    loaded,
    own_petsc_errors,
    parsed,
    petsc_words,
)
from .petsc_rows import RowShare

# Number of iterations at which an inner solve stops.
MAX_ITERATIONS = 1000
# Methods whose convergence test can be told to use the residual itself, not the preconditioned one.
TRUE_RESIDUAL = {"bcgs", "cg", "cgs", "fcg", "fgmres", "gcr", "gmres", "tfqmr"}


class Petsc:
    """A linear solver of PETSc, given by its options; serial, or spread over the ranks of MPI.

    The same program runs serially and by ``mpiexec -n 8 python program.py``. Every rank runs the
    whole program, and PETSc spreads the matrix, its factors and the Krylov vectors. Ranks that do
    not do the same stop with `RanksDisagreeError`. Standard output, warnings, branches and
    checkpoints are written by rank 0; on other ranks ``sys.stdout`` leads nowhere.

    Parameters
    ----------
    options : str or mapping
        Options of PETSc's KSP and PC, such as ``"-ksp_type cg -pc_type gamg"`` or ``{"pc_type":
        "lu", "pc_factor_mat_solver_type": "mumps"}``. Default: those of PETSc, GMRES with ILU.
        Tolerances are set by sgsolve: a step of Newton's method is solved to a relative residual of
        1e-4, all else to 1e-12. ``-ksp_max_it`` is 1000 by default. The names of the blocks of the
        problem are those of the splits: ``"-pc_type fieldsplit -fieldsplit_psi_pc_type gamg"``.

    Attributes
    ----------
    blocks : tuple of ndarray of int
        Blocks of unknowns. A `Problem` with blocks gives its own.
    block_names : tuple of str
        Their names.
    iterations : int
        Of the last solve.
    n_setup : int
        Number of times that a preconditioner or factors were made.

    Raises
    ------
    BackendError
        petsc4py is not installed, or there are several ranks and mpi4py is not.
    DataTypeError, InputError
        The options cannot be read, PETSc has no such method, or they set a tolerance.

    Warns
    -----
    UnusedOptionsWarning
        PETSc has not read an option.

    See Also
    --------
    Multigrid : Without PETSc.
    Problem : Takes it as ``backend=``.

    Notes
    -----
    Answers are checked as those of all back ends. Iterative methods do not notice a singular
    matrix, and give no determinant. The preconditioner of a Krylov method is kept while the values
    of the matrix change, until the number of iterations has grown by half.

    Examples
    --------
    A program that runs with and without PETSc:

    >>> from importlib.util import find_spec
    >>> from sgsolve import Problem
    >>> backend = "auto"
    >>> if find_spec("petsc4py"):
    ...     from sgsolve.petsc import Petsc
    ...     backend = Petsc("-ksp_type cg -pc_type jacobi")
    >>> Problem(lambda x: x**2 - 4.0, backend=backend).solve([1.0, 3.0]).x.round(9)
    array([2., 2.])
    """

    name = "petsc"

    def __init__(self, options: str | Mapping[str, Any] = "") -> None:
        self.options = parsed(options)
        self.blocks: tuple[Any, ...] = ()
        self.block_names: tuple[str, ...] = ()
        self.iterations = self.n_setup = 0
        self._progress = Slowdown()
        self._ksp: dict[bool, Any] = {}
        self._matrix: Any = None
        self._layout: Any = None
        self._installed: Any = None
        self._sign = 1.0
        self._judged = False  # whether unused options have been looked for
        join_ranks(loaded())
        self._try_options()

    @property
    def iterative(self) -> bool:
        """Whether there is a Krylov method, not a factorization alone."""
        return self.options.get("ksp_type") not in {"preonly", "none"}

    @property
    def reads_values(self) -> bool:
        """Whether an analysis may become stale: that of a factorization."""
        return not self.iterative

    @property
    def doubtful(self) -> bool | None:
        """Whether pivots hint at a singular matrix: no pivots, or pivots that are not shown."""
        return False if self.iterative else None

    def fresh(self) -> Petsc:
        """Return another back end with the same options and blocks."""
        other = type(self)(self.options)
        other.blocks, other.block_names = self.blocks, self.block_names
        return other

    def analyze(self, A: Any) -> None:
        """Spread the rows over the ranks."""
        module = loaded()
        if is_complex(A) and not np.issubdtype(module.ScalarType, np.complexfloating):
            raise BackendError(
                "this PETSc is built for real numbers; use 'superlu' or 'pardiso' for complex ones"
            )
        ranks.agree("analyzes a matrix by PETSc", A.indptr, A.indices)
        self._ksp, self._matrix, self._installed = {}, None, None
        if hasattr(module, "garbage_cleanup"):  # objects of several ranks are destroyed together
            module.garbage_cleanup()
        self._layout = RowShare(A, self.blocks, ranks.rank(), ranks.size())
        self._progress = Slowdown()

    def factorize(self, A: Any) -> None:
        """Take the values; make the factors, or the preconditioner where the last one is slow."""
        ranks.agree("factorizes a matrix by PETSc", A.data)
        # Equations of a negative definite matrix change their sign: CG wants a positive one.
        sign, before = (-1.0 if (A.diagonal().real <= 0.0).all() else 1.0), self._sign
        self._sign = sign
        layout = self._layout
        data = self._sign * layout.values(A)
        with own_petsc_errors():
            if self._matrix is None:
                module = loaded()
                rows = layout.stop - layout.first, len(layout.order)
                self._matrix = module.Mat().createAIJ(
                    (rows, rows),
                    csr=(integers(layout.indptr), integers(layout.indices), data),
                    comm=module.COMM_WORLD,
                )
            else:
                indices = integers(layout.indptr), integers(layout.indices)
                self._matrix.setValuesCSR(*indices, data)
            self._matrix.assemble()
            if self.iterative:
                self._drop(True)
                if self._progress.slow or sign != before:
                    self._drop(False)
            self._set_up()

    def _drop(self, transposed: bool) -> None:
        """Drop a Krylov method with all of its preconditioner.

        A new set-up of the old one would keep parts of it, such as the interpolation of GAMG.
        """
        if transposed in self._ksp:
            self._ksp.pop(transposed).destroy()
        if not transposed:
            self._progress = Slowdown()

    def _set_up(self) -> None:
        """Make the preconditioner or the factors, unless those of earlier values are kept."""
        solver = self._solver(False)
        self.n_setup += not (self.iterative and self._progress.kept)
        solver.setUp()
        if self.iterative:
            solver.getPC().setReusePreconditioner(True)

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Iterate to a relative residual of 1e-12, column by column."""
        return by_columns(b, lambda column: self._solved(column, transpose, TOLERANCE))

    def solve_to(self, b: Vector, tolerance: float) -> Vector:
        """Return x with ``|b - A x| <= tolerance |b|``, for b of shape (n,), if it is reached."""
        return self._solved(b, False, tolerance)

    def _solved(self, b: Vector, transpose: bool, tolerance: float) -> Vector:
        """Solve by the factors, or iterate."""
        ranks.agree("solves a system by PETSc", b)
        if not b.any():
            return np.zeros_like(b)
        apart = transpose and self.iterative  # the transposed matrix has a solver of its own
        with own_petsc_errors():
            answer, reason = self._solved_once(b, transpose, tolerance)
            if reason < 0 and self.iterative and self._progress.kept and not apart:
                self._drop(False)
                self._set_up()
                answer, reason = self._solved_once(b, transpose, tolerance)
        if not apart:
            self._progress.count(self.iterations, tolerance)
        self._report_unused()
        reasons = loaded().KSP.ConvergedReason
        if reason < 0 and reason != reasons.DIVERGED_MAX_IT:  # what there is then is judged
            name = next(k for k, v in vars(reasons).items() if v == reason and k[:3] == "DIV")
            raise BackendError(f"PETSc stops after {self.iterations} iterations: {name}")
        return answer

    def _solved_once(self, b: Vector, transpose: bool, tolerance: float) -> tuple[Vector, int]:
        """Return what PETSc finds, and why it stops."""
        solver = self._solver(transpose and self.iterative)
        right, x = self._matrix.createVecs("left"), self._matrix.createVecs("right")
        right.array = self._sign * b[self._layout.own]
        solver.setTolerances(rtol=tolerance, atol=0.0)
        if transpose and not self.iterative:
            solver.solveTranspose(right, x)
        else:
            solver.solve(right, x)
        self.iterations = int(solver.getIterationNumber())
        return self._gathered(x), int(solver.getConvergedReason())

    def _gathered(self, x: Any) -> NDArray[Any]:
        """Return the whole of a vector, in the order of the unknowns, the same on all ranks."""
        if ranks.size() == 1:
            result: NDArray[Any] = x.array.copy()
            return result
        scatter, whole = loaded().Scatter.toAll(x)
        scatter.scatter(x, whole)
        result = np.empty(len(self._layout.order), dtype=x.array.dtype)
        result[self._layout.order] = whole.array
        for item in (scatter, whole):
            item.destroy()
        return result

    def _solver(self, transposed: bool) -> Any:
        """Return the KSP for the matrix or for its transpose."""
        if transposed not in self._ksp:
            if self._installed is None:
                self._installed = Installed(self.options)
            matrix = self._matrix.transpose(loaded().Mat()) if transposed else self._matrix
            self._ksp[transposed] = self._made(matrix, self._installed.prefix)
            if self.blocks:
                self._split(self._ksp[transposed])
        return self._ksp[transposed]

    def _made(self, matrix: Any, prefix: str) -> Any:
        """Return a KSP that follows the options."""
        ksp = loaded().KSP().create(matrix.getComm())
        ksp.setOptionsPrefix(prefix)
        ksp.setOperators(matrix)
        ksp.setTolerances(max_it=MAX_ITERATIONS)
        ksp.setFromOptions()
        chosen = {"ksp_norm_type", "ksp_pc_side"} & set(self.options)
        if ksp.getType() in TRUE_RESIDUAL and not chosen:
            ksp.setNormType(loaded().KSP.NormType.UNPRECONDITIONED)
        return ksp

    def _split(self, ksp: Any) -> None:
        """Give the blocks to a preconditioner that treats them apart."""
        pc = ksp.getPC()
        if pc.getType() != "fieldsplit":
            return
        names = [*(self.block_names or map(str, range(len(self.blocks)))), "rest"]
        for k, part in self._layout.splits().items():
            index = loaded().IS().createGeneral(integers(part), comm=ksp.getComm())
            pc.setFieldSplitIS((names[k].replace(" ", "_"), index))

    def _try_options(self) -> None:
        """Raise for methods that PETSc does not have, on a matrix of two rows."""
        module = loaded()
        matrix = module.Mat().createAIJ((2, 2), nnz=1, comm=module.COMM_SELF)
        matrix.setValuesCSR([0, 1, 2], [0, 1], [1.0, 1.0])
        matrix.assemble()
        installed = Installed(self.options)
        try:
            self._made(matrix, installed.prefix)
        except module.Error as error:
            raise InputError(
                f"PETSc does not accept these options: {petsc_words(error)}"
            ) from error

    def _report_unused(self) -> None:
        if self._judged:
            return
        self._judged = True
        self._installed.report_unused()
