"""Linear systems with a bordered matrix [J B; C D]: J is sparse, the borders are dense.

The bordered matrix can be regular where J is singular. There are two methods:

* Factorize the whole matrix, on one sparsity pattern that is analyzed once. PARDISO and dense
  factorizations do so: dense borders cause no fill-in there. Up to 200 unknowns a dense
  factorization of the whole matrix is faster than the elimination with a band.
* Block elimination with a factorization of J, then iterative refinement on the bordered system.
  Band and SuperLU factorizations do so. If J is too close to singular, the whole matrix is
  factorized instead.

References: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000),
chapter 3; W. Govaerts and J. D. Pryce, BIT 30 (1990) 490 (why the refinement works).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import linear
from ...arrays import Vector
from ...errors import LinearSolveError
from ...linear.frame import Frame
from ...linear.methods.choose import SMALL
from ...pattern import Pattern, matrix_product, transposed_product
from ...private_api import quiet
from ...solvers.state.workspace import Workspace

ACCEPT = 1e-11  # backward error of the bordered system that is good enough
REFINEMENTS = 3
REFINED = 1e-14  # ... and at which no more is won: rounding of the residual itself


class Bordered:
    """Solve linear systems with [J B; C D].

    Parameters
    ----------
    workspace : Workspace
        It holds the linear solvers.
    k : int
        Number of columns of B and of rows of C.
    whole : bool, optional
        Factorize the whole matrix; by default if the back end declares `dense_borders`, and for
        small systems if the back end is chosen automatically.
    """

    def __init__(self, workspace: Workspace, k: int = 1, whole: bool | None = None) -> None:
        self.workspace, self.k, self._whole = workspace, k, whole
        self._parts: tuple[Any, Vector, Vector] | None = None
        self._solver: Any = None
        self._eliminated: tuple[Vector, Vector] | None = None
        self._left: Vector | None = None  # J^-T C^T, for transposed systems
        self._sizes: Any = None  # the absolute values of J

    def factorize(self, J: Any, B: Vector, below: Vector, pattern: Pattern) -> None:
        """Factorize the bordered matrix with these values.

        Parameters
        ----------
        J : csr_array on `pattern`, shape (n, n)
        B : ndarray, shape (n, k)
        below : ndarray, shape (k, n + k)
            [C D].

        Raises
        ------
        LinearSolveError
            If the bordered matrix is singular.
        """
        self._parts, self._eliminated, self._pattern = (J, B, below), None, pattern
        if not self._takes_whole(pattern):
            try:
                self._eliminate(J, B, below, pattern)
                return
            except LinearSolveError:  # J itself is singular; the bordered matrix need not be
                self._eliminated = None
        self._factorize_whole()

    def solve(self, b: Vector, transpose: bool = False) -> Vector:
        """Return the solution for right-hand sides b, shape (n + k,) or (n + k, m).

        Raises
        ------
        LinearSolveError
        """
        if self._eliminated is not None:
            x = self._refined(b, transpose)
            if x is not None:
                return x
            self._factorize_whole()
        answer: Vector = self._solver.solve(b, transpose=transpose)
        return answer

    def determinant(self) -> tuple[float, float] | None:
        """Return sign and logarithm of the determinant; None if the back end has none."""
        try:
            if self._eliminated is None:
                sign, log = self._solver.slogdet()
                return float(sign), float(log)
            sign, log = self.workspace.solver(self._pattern).slogdet()
            edge, more = np.linalg.slogdet(self._eliminated[1])
            return float(sign * edge), float(log + more)
        except LinearSolveError:  # BackendError: PARDISO has none
            return None

    def _takes_whole(self, pattern: Pattern) -> bool:
        if self._whole is not None:
            return self._whole
        if self.workspace.backend == "auto" and pattern.shape[0] + self.k <= SMALL:
            return True
        return bool(self.workspace.solver(pattern).dense_borders)

    def _factorize_whole(self) -> None:
        assert self._parts is not None
        J, B, below = self._parts
        self._eliminated = None
        frame: Frame = self.workspace.derived(
            f"frame {self.k} {J.shape[0]}", self._pattern, lambda: Frame(self._pattern, self.k)
        )
        self._solver = self.workspace.derived(
            f"bordered {self.k} {J.shape[0]}",
            frame.pattern,
            lambda: linear.LinearSolver(frame.pattern, self._backend()),
        )
        self._solver.factorize(frame.matrix(J, B, below))

    def _backend(self) -> Any:
        """Return the back end of the user; "auto" if it is one object, which factorizes J."""
        chosen = self.workspace.backend
        one = isinstance(chosen, linear.Backend) and not isinstance(chosen, type)
        taken = one and not hasattr(chosen, "fresh")
        return "auto" if taken else chosen

    def _eliminate(self, J: Any, B: Vector, below: Vector, pattern: Pattern) -> None:
        solver, n = self.workspace.solver(pattern), J.shape[0]
        solver.factorize(J)
        right = solver.solve(B)
        schur = below[:, n:] - below[:, :n] @ right
        if not np.isfinite(schur).all() or np.linalg.cond(schur) > 1e14:
            raise LinearSolveError("the bordered matrix is singular")
        self._eliminated, self._left, self._sizes = (right, schur), None, abs(J)

    def _refined(self, b: Vector, transpose: bool) -> Vector | None:
        """Return the refined solution by elimination; None if it stays inaccurate."""
        x, error = np.zeros_like(b), np.inf
        with quiet():
            residual = b
            for _ in range(1 + REFINEMENTS):
                try:
                    x = x + self._step(residual, transpose)
                except LinearSolveError:
                    return None
                residual, error = self._residual(b, x, transpose)
                if error <= REFINED:
                    break
        return x if error <= ACCEPT else None

    def _step(self, b: Vector, transpose: bool) -> Vector:
        assert self._parts is not None
        assert self._eliminated is not None
        J, B, below = self._parts
        X, S = self._eliminated
        n, C = J.shape[0], below[:, : J.shape[0]]
        solver = self.workspace.solver(self._pattern)
        y = solver.solve(b[:n], transpose=transpose)
        if transpose:
            if self._left is None:
                self._left = solver.solve(C.T.copy(), transpose=True)
            C, X, S = B.T, self._left, S.T
        edge = np.linalg.solve(S, b[n:] - C @ y)
        return np.concatenate([y - X @ edge, edge])

    def _residual(self, b: Vector, x: Vector, transpose: bool) -> tuple[Vector, float]:
        """Return b - A x and its size relative to the terms of each equation."""
        assert self._parts is not None
        J, B, below = self._parts
        n, sizes = J.shape[0], self._sizes
        C, D = below[:, :n], below[:, n:]
        product = transposed_product if transpose else matrix_product
        if transpose:
            B, C, D = C.T, B.T, D.T
        y, edge = x[:n], x[n:]
        r = b - np.concatenate([product(J, y) + B @ edge, C @ y + D @ edge])
        y, edge = np.abs(y), np.abs(edge)
        size = np.abs(b) + np.concatenate(
            [product(sizes, y) + np.abs(B) @ edge, np.abs(C) @ y + np.abs(D) @ edge]
        )
        error = float(np.max(np.abs(r) / np.where(size > 0.0, size, 1.0), initial=0.0))
        return r, error if np.isfinite(error) else np.inf
