"""JAX peers: asdex (pattern by interpreting the jaxpr, coloring, vmapped JVPs) and sparsejac
(pattern given by the caller, networkx coloring). Both jitted, float64, CPU."""

import numpy as np
import scipy.sparse as sp

from .base import Peer


class _Jax(Peer):
    def imports(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        from .ops_jax import JaxOps

        self.jax, self.ops = jax, JaxOps
        self.info = {}

    def wrap(self, bcoo):
        """The first call sorts out the CSR structure; later ones only take the data."""
        if not hasattr(self, "P"):
            from sputil import Pattern

            ij = np.asarray(bcoo.indices)
            self.P = Pattern(ij[:, 0], ij[:, 1], bcoo.shape)
            s = self.P.slot.ravel()
            self.identity = len(s) == self.P.nnz and bool(np.all(s == np.arange(len(s))))
            self.order = None if self.identity else np.argsort(s, kind="stable")
        d = np.asarray(bcoo.data)
        return self.P.matrix(d if self.identity else d[self.order])

    def evaluate(self, x):
        F, J = self.fn(x)
        return np.asarray(F), self.wrap(J)

    def notes(self):
        return self.info


class Asdex(_Jax):
    def __init__(self, mode=None):
        self.mode = mode  # None: whichever of fwd and rev needs fewer colors

    def imports(self):
        super().imports()
        import asdex

        self.asdex = asdex

    def setup(self, problem):
        import time

        self.problem = problem
        f = lambda x: problem.residual(x, self.ops)
        x = problem.points()[0]
        t = time.perf_counter()
        S = self.asdex.jacobian_sparsity(f, x)
        t1 = time.perf_counter()
        C = self.asdex.jacobian_coloring_from_sparsity(S, mode=self.mode)
        t2 = time.perf_counter()
        self.info = {
            "detect_s": round(t1 - t, 3),
            "color_s": round(t2 - t1, 3),
            "colors": int(C.num_colors),
            "mode": str(C.mode),
        }
        self.fn = self.jax.jit(self.asdex.value_and_jacobian_from_coloring(f, C))


class Sparsejac(_Jax):
    def imports(self):
        super().imports()
        import sparsejac

        self.sparsejac = sparsejac

    def setup(self, problem):
        from jax.experimental.sparse import BCOO

        self.problem = problem
        A = sp.coo_matrix(problem.pattern()._proto)
        S = BCOO((np.ones(A.nnz), np.stack([A.row, A.col], 1)), shape=A.shape)
        f = lambda x: problem.residual(x, self.ops)
        self.jacfn = self.jax.jit(self.sparsejac.jacfwd(f, S))
        self.resfn = self.jax.jit(f)

    def evaluate(self, x):
        return np.asarray(self.resfn(x)), self.wrap(self.jacfn(x))
