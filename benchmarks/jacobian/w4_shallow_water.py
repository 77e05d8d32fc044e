"""W4: implicit shallow-water step on a periodic n x n grid, central differences, three unknowns
per cell (eta, u, v), rho = g = 1: the model of sparsegrad's shallow-water example, where n = 200
(120 000 unknowns). step=False is what that example timed (time derivative fixed at zero);
step=True has (x - xold)/dt in it, as Newton's method sees it.
"""

import numpy as np
import scipy.sparse as sp
from sputil import Pattern


def cell_loop(x, xold, nb, slots, h, g, step, dt, F, data):
    """Fill F and the values of its Jacobian cell by cell; for Numba."""
    m = len(x) // 3
    r = 1.0 / dt if step else 0.0
    for i in range(m):
        eta, u, v = x[i], x[m + i], x[2 * m + i]
        inv = 1.0 / eta
        hi = h * inv
        s = slots[i]
        rate, fu, fv = 0.0, 0.0, 0.0
        for q in range(2):
            c = nb[i, q]
            sg = 1.0 - 2.0 * q
            e_, u_, v_ = x[c], x[m + c], x[2 * m + c]
            hu = e_ * u_
            rate -= sg * hu
            fu += sg * (hu * u_ + 0.5 * g * e_ * e_)
            fv += sg * hu * v_
            w = sg * hi
            data[s[2 * q]] = sg * h * u_
            data[s[2 * q + 1]] = sg * h * e_
            data[s[8 + 2 * q]] = w * (u_ * (u_ + u) + g * e_)
            data[s[9 + 2 * q]] = w * e_ * (2.0 * u_ + u)
            data[s[20 + 3 * q]] = w * u_ * (v_ + v)
            data[s[21 + 3 * q]] = w * e_ * (v_ + v)
            data[s[22 + 3 * q]] = w * hu
        for q in range(2):
            c = nb[i, 2 + q]
            sg = 1.0 - 2.0 * q
            e_, u_, v_ = x[c], x[m + c], x[2 * m + c]
            hv = e_ * v_
            rate -= sg * hv
            fu += sg * hv * u_
            fv += sg * (hv * v_ + 0.5 * g * e_ * e_)
            w = sg * hi
            data[s[4 + 2 * q]] = sg * h * v_
            data[s[5 + 2 * q]] = sg * h * e_
            data[s[12 + 3 * q]] = w * v_ * (u_ + u)
            data[s[13 + 3 * q]] = w * hv
            data[s[14 + 3 * q]] = w * e_ * (u_ + u)
            data[s[26 + 2 * q]] = w * (v_ * (v_ + v) + g * e_)
            data[s[27 + 2 * q]] = w * e_ * (2.0 * v_ + v)
        rate *= h
        ru = (rate * u - h * fu) * inv
        rv = (rate * v - h * fv) * inv
        data[s[18]] = ru * inv
        data[s[19]] = r - rate * inv
        data[s[30]] = rv * inv
        data[s[31]] = r - rate * inv
        if step:
            data[s[32]] = r
            F[i] = (eta - xold[i]) * r - rate
            F[m + i] = (u - xold[m + i]) * r - ru
            F[2 * m + i] = (v - xold[2 * m + i]) * r - rv
        else:
            F[i] = -rate
            F[m + i] = -ru
            F[2 * m + i] = -rv


class ShallowWater:
    g = 1.0

    def __init__(self, n, step):
        self.n, self.step, self.m = n, step, n * n
        self.dt = 0.005
        self.half = 0.5 * n  # 1 / (2 dx), dx = 1/n
        grid = np.arange(self.m).reshape(n, n)
        self.E, self.W = np.roll(grid, -1, 0).ravel(), np.roll(grid, 1, 0).ravel()
        self.N, self.S = np.roll(grid, -1, 1).ravel(), np.roll(grid, 1, 1).ravel()
        i, j = np.mgrid[:n, :n]
        r2 = (i - n / 2) ** 2 + (j - n / 2) ** 2
        s = 2 * np.pi / n
        eta = 1.0 + 0.1 * np.exp(-r2 / (n / 10) ** 2)
        u, v = 0.05 * np.sin(s * i) * np.cos(s * j), -0.05 * np.cos(2 * s * i) * np.sin(s * j)
        self.x0 = np.concatenate([a.ravel() for a in (eta, u, v)])
        self.xold = self.x0 * 1.01

    def points(self):
        return [self.x0, self.x0 * 0.9 + 0.01 * np.cos(0.37 * np.arange(3 * self.m))]

    # shared source -----------------------------------------------------------------------
    def residual(self, x, ops):
        m, h, g = self.m, self.half, self.g
        E, W, N, S = self.E, self.W, self.N, self.S

        def ddx(q):
            return (q[E] - q[W]) * h

        def ddy(q):
            return (q[N] - q[S]) * h

        eta, u, v = x[:m], x[m : 2 * m], x[2 * m :]
        hu, hv = eta * u, eta * v
        pressure = eta**2 * (0.5 * g)
        huv = hu * v
        rate = -(ddx(hu) + ddy(hv))
        rate_u = (rate * u - ddx(hu * u + pressure) - ddy(huv)) / eta
        rate_v = (rate * v - ddx(huv) - ddy(hv * v + pressure)) / eta
        rates = ops.hstack([rate, rate_u, rate_v])
        if self.step:
            return (x - self.xold) * (1.0 / self.dt) - rates
        return -rates

    # structure: 32 (step: 33) values per cell ----------------------------------------------
    def structure(self):
        m = self.m
        i = np.arange(m)
        cells = {"E": self.E, "W": self.W, "N": self.N, "S": self.S, "i": i}
        rows, cols = [], []

        def add(rb, items):
            for cell, block in items.split():
                rows.append(i + rb * m)
                cols.append(cells[cell] + int(block) * m)

        add(0, "E0 E1 W0 W1 N0 N2 S0 S2")
        add(1, "E0 E1 W0 W1 N0 N1 N2 S0 S1 S2 i0 i1")
        add(2, "E0 E1 E2 W0 W1 W2 N0 N2 S0 S2 i0 i2")
        if self.step:
            add(0, "i0")
        return Pattern(np.concatenate(rows), np.concatenate(cols), (3 * m, 3 * m))

    pattern = structure

    # by hand, numpy -----------------------------------------------------------------------------
    def hand_setup(self):
        self.P = P = self.structure()
        self.nval = len(P.slot) // self.m
        self.perm = np.empty(P.nnz, dtype=np.int64)
        self.perm[P.slot] = np.arange(P.nnz)

    def hand_values(self, x):
        m, h, g = self.m, self.half, self.g
        E, W, N, S = self.E, self.W, self.N, self.S
        eta, u, v = x[:m], x[m : 2 * m], x[2 * m :]
        hu, hv = eta * u, eta * v
        huv = hu * v
        pr = eta * eta * (0.5 * g)
        fu, fv = hu * u + pr, hv * v + pr
        rate = -h * ((hu[E] - hu[W]) + (hv[N] - hv[S]))
        inv = 1.0 / eta
        ru = (rate * u - h * ((fu[E] - fu[W]) + (huv[N] - huv[S]))) * inv
        rv = (rate * v - h * ((huv[E] - huv[W]) + (fv[N] - fv[S]))) * inv
        F = np.concatenate([rate, ru, rv])
        np.negative(F, out=F)
        V = np.empty((32 + self.step, m))
        hi = h * inv
        at = {"E": (E, 1.0), "W": (W, -1.0), "N": (N, 1.0), "S": (S, -1.0)}
        nb = {}
        for key, (ix, s) in at.items():
            nb[key] = (s, eta[ix], u[ix], v[ix])
        # rows of eta
        for j, key in enumerate("EW"):
            s, e_, u_, v_ = nb[key]
            np.multiply(s * h, u_, out=V[2 * j])
            np.multiply(s * h, e_, out=V[2 * j + 1])
        for j, key in enumerate("NS"):
            s, e_, u_, v_ = nb[key]
            np.multiply(s * h, v_, out=V[4 + 2 * j])
            np.multiply(s * h, e_, out=V[5 + 2 * j])
        # rows of u
        for j, key in enumerate("EW"):
            s, e_, u_, v_ = nb[key]
            c = s * hi
            V[8 + 2 * j] = c * (u_ * (u_ + u) + g * e_)
            V[9 + 2 * j] = c * e_ * (2.0 * u_ + u)
        for j, key in enumerate("NS"):
            s, e_, u_, v_ = nb[key]
            c = s * hi
            V[12 + 3 * j] = c * v_ * (u_ + u)
            V[13 + 3 * j] = c * e_ * v_
            V[14 + 3 * j] = c * e_ * (u_ + u)
        V[18] = ru * inv
        V[19] = -rate * inv
        # rows of v
        for j, key in enumerate("EW"):
            s, e_, u_, v_ = nb[key]
            c = s * hi
            V[20 + 3 * j] = c * u_ * (v_ + v)
            V[21 + 3 * j] = c * e_ * (v_ + v)
            V[22 + 3 * j] = c * e_ * u_
        for j, key in enumerate("NS"):
            s, e_, u_, v_ = nb[key]
            c = s * hi
            V[26 + 2 * j] = c * (v_ * (v_ + v) + g * e_)
            V[27 + 2 * j] = c * e_ * (2.0 * v_ + v)
        V[30] = rv * inv
        V[31] = -rate * inv
        if self.step:
            r = 1.0 / self.dt
            F += (x - self.xold) * r
            V[19] += r
            V[31] += r
            V[32] = r
        return F, V

    def hand_jacobian(self, x):
        F, V = self.hand_values(x)
        return F, self.P.matrix(V.ravel()[self.perm])

    # by hand, assembled each time -----------------------------------------------------------------
    def coo_setup(self):
        P = self.structure()
        r = np.repeat(np.arange(P.shape[0]), np.diff(P.indptr))
        self.rows, self.cols, self.shape = r[P.slot], P.indices[P.slot], P.shape

    def coo_jacobian(self, x):
        F, V = self.hand_values(x)
        return F, sp.coo_matrix((V.ravel(), (self.rows, self.cols)), shape=self.shape).tocsr()

    # by hand, numba ------------------------------------------------------------------------------------
    def numba_setup(self):
        from numba import njit

        self.P = P = self.structure()
        m = self.m
        self.slots = np.ascontiguousarray(P.slot.reshape(-1, m).T.astype(np.int32))
        self.nb32 = np.ascontiguousarray(
            np.array([self.E, self.W, self.N, self.S], dtype=np.int32).T
        )
        self.constants = self.half, self.g, self.step, self.dt
        self.kernel = njit(cell_loop)

    def numba_jacobian(self, x):
        F, data = np.empty(3 * self.m), np.empty(self.P.nnz)
        self.kernel(x, self.xold, self.nb32, self.slots, *self.constants, F, data)
        return F, self.P.matrix(data)
