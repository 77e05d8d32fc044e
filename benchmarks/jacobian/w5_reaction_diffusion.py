"""W5: an implicit time step of two reacting and diffusing species (Gray and Scott) on a periodic
n x n grid: a mixed stencil, five points of the own species and one of the other. Neighbors by
index arrays, as in codes for general meshes.
"""

import numpy as np
import scipy.sparse as sp
from sputil import Pattern


class ReactionDiffusion:
    diffusion = (0.16, 0.08)
    feed, kill = 0.035, 0.065

    def __init__(self, n):
        self.n, self.m = n, n * n
        grid = np.arange(self.m).reshape(n, n)
        self.neighbors = [np.roll(grid, s, axis).ravel() for axis in (0, 1) for s in (-1, 1)]
        i, j = np.mgrid[:n, :n] / n
        v = 0.25 * np.exp(-40 * ((i - 0.5) ** 2 + (j - 0.4) ** 2)).ravel()
        self.old = np.concatenate([1.0 - 2 * v, v])
        self.rate = 1.0  # 1 / dt

    def points(self):
        wiggle = 0.01 * np.cos(0.37 * np.arange(2 * self.m))
        return [self.old + wiggle, 0.9 * self.old]

    # shared source -----------------------------------------------------------------------
    def residual(self, x, ops):
        m, (du, dv) = self.m, self.diffusion
        E, W, N, S = self.neighbors

        def laplacian(q):
            return q[E] + q[W] + q[N] + q[S] - 4.0 * q

        u, v = x[:m], x[m:]
        uvv = u * v**2
        rate_u = du * laplacian(u) - uvv + self.feed * (1.0 - u)
        rate_v = dv * laplacian(v) + uvv - (self.feed + self.kill) * v
        return (x - self.old) * self.rate - ops.hstack([rate_u, rate_v])

    # structure: five entries of the own species and one of the other ------------------------
    def structure(self):
        m, i = self.m, np.arange(self.m)
        rows, cols = [i, i, i + m, i + m], [i, i + m, i, i + m]
        for block in (0, m):
            for nb in self.neighbors:
                rows.append(i + block)
                cols.append(nb + block)
        return Pattern(np.concatenate(rows), np.concatenate(cols), (2 * m, 2 * m))

    pattern = structure

    # by hand, numpy ------------------------------------------------------------------------
    def hand_setup(self):
        self.P, m = self.structure(), self.m
        self.local = self.P.slot[: 4 * m].reshape(4, m)
        self.template = np.empty(self.P.nnz)
        for k, d in enumerate(self.diffusion):
            self.template[self.P.slot[4 * m * (k + 1) : 4 * m * (k + 2)]] = -d

    def hand_values(self, x):
        m, (du, dv) = self.m, self.diffusion
        u, v = x[:m], x[m:]
        vv = v * v
        uv = u * v
        F = np.empty(2 * m)
        np.subtract(x, self.old, out=F)
        F *= self.rate
        for q, d, G in ((u, du, F[:m]), (v, dv, F[m:])):
            Q, total = q.reshape(self.n, self.n), -4.0 * q
            L = total.reshape(self.n, self.n)
            for axis in (0, 1):
                L += np.roll(Q, -1, axis)
                L += np.roll(Q, 1, axis)
            total *= d
            G -= total
        reaction = u * vv
        F[:m] += reaction - self.feed * (1.0 - u)
        F[m:] += (self.feed + self.kill) * v - reaction
        values = np.empty((4, m))
        np.add(vv, self.rate + self.feed + 4 * du, out=values[0])
        np.multiply(uv, 2.0, out=values[1])
        np.negative(vv, out=values[2])
        np.subtract(self.rate + self.feed + self.kill + 4 * dv, values[1], out=values[3])
        return F, values

    def hand_jacobian(self, x):
        F, values = self.hand_values(x)
        data = self.template.copy()
        data[self.local] = values
        return F, self.P.matrix(data)

    # by hand, assembled each time -----------------------------------------------------------
    def coo_setup(self):
        P = self.structure()
        r = np.repeat(np.arange(P.shape[0]), np.diff(P.indptr))
        self.rows, self.cols, self.shape = r[P.slot], P.indices[P.slot], P.shape

    def coo_jacobian(self, x):
        F, values = self.hand_values(x)
        others = np.repeat(np.negative(self.diffusion), 4 * self.m)
        data = np.concatenate([values.ravel(), others])
        return F, sp.coo_matrix((data, (self.rows, self.cols)), shape=self.shape).tocsr()

    # by hand, numba ------------------------------------------------------------------------
    def numba_setup(self):
        from numba import njit

        self.P, m = self.structure(), self.m
        self.slots = np.ascontiguousarray(self.P.slot.reshape(-1, m).T.astype(np.int32))
        self.nb32 = np.ascontiguousarray(np.array(self.neighbors, dtype=np.int32).T)
        (du, dv), feed, kill = self.diffusion, self.feed, self.kill

        @njit
        def kernel(x, old, rate, nb, slots, F, data):
            m = len(x) // 2
            for i in range(m):
                u, v = x[i], x[m + i]
                lu, lv = -4.0 * u, -4.0 * v
                s = slots[i]
                for k in range(4):
                    lu += x[nb[i, k]]
                    lv += x[m + nb[i, k]]
                    data[s[4 + k]] = -du
                    data[s[8 + k]] = -dv
                reaction = u * v * v
                F[i] = (u - old[i]) * rate - (du * lu - reaction + feed * (1.0 - u))
                F[m + i] = (v - old[m + i]) * rate - (dv * lv + reaction - (feed + kill) * v)
                data[s[0]] = rate + feed + 4 * du + v * v
                data[s[1]] = 2.0 * u * v
                data[s[2]] = -v * v
                data[s[3]] = rate + feed + kill + 4 * dv - 2.0 * u * v

        self.kernel = kernel

    def numba_jacobian(self, x):
        F, data = np.empty(2 * self.m), np.empty(self.P.nnz)
        self.kernel(x, self.old, self.rate, self.nb32, self.slots, F, data)
        return F, self.P.matrix(data)
