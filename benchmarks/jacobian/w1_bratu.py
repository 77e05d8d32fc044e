"""W1 and W5: the Bratu problem  -lap(u) = lambda exp(u)  on a square or cube, u = 0 outside.

Second-order differences on N^dim interior nodes, multiplied through by h^2.
form 'gather': neighbors by index arrays; form 'dot': a constant Laplacian times u.
"""

import numpy as np
import scipy.sparse as sp
from sputil import Pattern


class Bratu:
    lam = 5.0

    def __init__(self, N, dim, form):
        self.N, self.dim, self.form = N, dim, form
        self.n = n = N**dim
        self.c = self.lam / (N + 1) ** 2
        grid = np.arange(n).reshape((N,) * dim)
        self.neighbors = []
        for ax in range(dim):
            for shift in (1, -1):
                nb = np.full((N,) * dim, n)  # n is the ghost node outside
                src = [slice(None)] * dim
                dst = [slice(None)] * dim
                if shift == 1:
                    dst[ax], src[ax] = slice(0, N - 1), slice(1, N)
                else:
                    dst[ax], src[ax] = slice(1, N), slice(0, N - 1)
                nb[tuple(dst)] = grid[tuple(src)]
                self.neighbors.append(nb.ravel())
        self.ghost = np.zeros(1)
        if form == "dot":
            self.L = self.laplacian()

    def laplacian(self):
        T = sp.diags([-np.ones(self.N - 1), 2 * np.ones(self.N), -np.ones(self.N - 1)], [-1, 0, 1])
        L = sp.csr_matrix((1, 1))
        eye = sp.identity(1)
        L, eye = T, sp.identity(self.N)
        for _ in range(self.dim - 1):
            L = sp.kron(L, sp.identity(self.N)) + sp.kron(eye, T)
            eye = sp.kron(eye, sp.identity(self.N))
        return sp.csr_matrix(L)

    def points(self):
        s = np.sin(np.pi * np.arange(1, self.N + 1) / (self.N + 1))
        u = s
        for _ in range(self.dim - 1):
            u = np.multiply.outer(u, s)
        u = u.ravel()
        wiggle = np.cos(np.arange(self.n) * 0.37)
        return [u, 1.3 * u + 0.01 * wiggle]

    # shared source --------------------------------------------------------------
    def residual(self, u, ops):
        if self.form == "dot":
            return ops.dot(self.L, u) - ops.exp(u) * self.c
        ug = ops.hstack([u, self.ghost])
        r = u * (2.0 * self.dim) - ops.exp(u) * self.c
        for nb in self.neighbors:
            r = r - ug[nb]
        return r

    def pattern(self):
        i = np.arange(self.n)
        rows, cols = [i], [i]
        for nb in self.neighbors:
            m = nb < self.n
            rows.append(i[m])
            cols.append(nb[m])
        return Pattern(np.concatenate(rows), np.concatenate(cols), (self.n, self.n))

    # by hand, numpy ----------------------------------------------------------------
    def hand_setup(self):
        self.P = P = self.pattern()
        self.diag = np.ascontiguousarray(P.slot[: self.n].astype(np.int64))
        self.template = np.full(P.nnz, -1.0)
        self.template[self.diag] = 2.0 * self.dim

    def hand_jacobian(self, u):
        e = np.exp(u)
        e *= self.c
        F = u * (2.0 * self.dim)
        F -= e
        shape = (self.N,) * self.dim
        G, U = F.reshape(shape), u.reshape(shape)
        for ax in range(self.dim):
            lo = (slice(None),) * ax + (slice(0, -1),)
            hi = (slice(None),) * ax + (slice(1, None),)
            G[lo] -= U[hi]
            G[hi] -= U[lo]
        data = self.template.copy()
        data[self.diag] -= e
        return F, self.P.matrix(data)

    # by hand, assembled each time -------------------------------------------------------
    def coo_setup(self):
        self.Lc = self.laplacian()

    def coo_jacobian(self, u):
        e = self.c * np.exp(u)
        return self.Lc @ u - e, (self.Lc - sp.diags(e)).tocsr()

    # by hand, numba ------------------------------------------------------------------------
    def numba_setup(self):
        from numba import njit

        self.P = P = self.pattern()
        self.diag = P.slot[: self.n].astype(np.int32)

        @njit(fastmath=False)
        def kernel(u, eu, c, two_d, indptr, indices, diag, F, data):
            for i in range(len(u)):
                e = c * eu[i]
                f = two_d * u[i] - e
                d = diag[i]
                for k in range(indptr[i], indptr[i + 1]):
                    if k == d:
                        data[k] = two_d - e
                    else:
                        data[k] = -1.0
                        f -= u[indices[k]]
                F[i] = f

        self.kernel = kernel

    def numba_jacobian(self, u):
        F, data = np.empty(self.n), np.empty(self.P.nnz)
        # numpy's vectorized exp is faster than numba's without SVML
        self.kernel(
            u, np.exp(u), self.c, 2.0 * self.dim, self.P.indptr, self.P.indices, self.diag, F, data
        )
        return F, self.P.matrix(data)
