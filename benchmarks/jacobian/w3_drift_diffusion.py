"""W3: drift-diffusion of a pn junction, finite volumes with Scharfetter-Gummel fluxes.

Unknowns, in blocks: psi (potential in units of kT/q), n and p (densities over the doping).
Edges carry index arrays k (from) and l (to); div is a constant sparse incidence matrix with
rows for the interior nodes only; Dirichlet contacts on the two ends.

  lambda2 * lap(psi) + p - n + C = 0
  div jn - R = 0,   jn = t (n_l B(psi_l - psi_k) - n_k B(psi_k - psi_l))
  div jp - R = 0,   jp = t (p_l B(psi_k - psi_l) - p_k B(psi_l - psi_k))
  R = (n p - ni^2) / (tau (n + ni) + tau (p + ni))          (Shockley-Read-Hall)

B(x) = x / (exp(x) - 1) by series near zero and by formula elsewhere, chosen edge by edge
with ops.branch, so that the condition depends on the state.
"""

import numpy as np
import scipy.sparse as sp
from sputil import Pattern, scatter_matrix

EPS = 1e-2


def bernoulli(d, ops):
    v = ops.value(d)

    def series(ix):
        t = ops.pick(d, ix, 0.0)
        t2 = t * t
        return t * (-0.5) + t2 * (1.0 / 12.0) - t2 * t2 * (1.0 / 720.0) + 1.0

    def formula(ix):
        t = ops.pick(d, ix, 1.0)
        return t / ops.expm1(t)

    return ops.branch(v * v < EPS**2, series, formula)


def bernoulli_and_derivative(d):
    """By hand: B and B', with B' = (1 - B - x)/(exp(x) - 1) away from zero."""
    small = np.abs(d) < EPS
    safe = np.where(small, 1.0, d)
    em = np.expm1(safe)
    B = safe / em
    D = (1.0 - B - safe) / em
    ix = np.flatnonzero(small)
    t = d[ix]
    t2 = t * t
    B[ix] = 1.0 - 0.5 * t + t2 / 12.0 - t2 * t2 / 720.0
    D[ix] = -0.5 + t / 6.0 - t * t2 / 180.0
    return B, D


def edge_loop(x, em, k, l, t, it, ct, dest, rdest, vol, C, psic, nc, pc, lam2, ni, tau, F, data):
    """Add F and the values of its Jacobian edge by edge, then node by node; for Numba."""
    m = len(x) // 3
    F[:] = 0.0
    for e in range(len(k)):
        a, b = k[e], l[e]
        d = x[b] - x[a]
        if abs(d) < EPS:
            d2 = d * d
            B = 1.0 - 0.5 * d + d2 / 12.0 - d2 * d2 / 720.0
            D = -0.5 + d / 6.0 - d * d2 / 180.0
        else:
            B = d / em[e]
            D = (1.0 - B - d) / em[e]
        te = t[e]
        tB, tBm = te * B, te * (B + d)
        nl, nk, pl, pk = x[m + b], x[m + a], x[2 * m + b], x[2 * m + a]
        jn, jp = nl * tB - nk * tBm, pl * tBm - pk * tB
        dn, dp = te * (nl * D - nk * (D + 1.0)), te * (pl * (D + 1.0) - pk * D)
        f = lam2 * te * d
        F[a] += f
        F[b] -= f
        F[m + a] += jn
        F[m + b] -= jn
        F[2 * m + a] += jp
        F[2 * m + b] -= jp
        s = dest[e]
        data[s[0]] += tB
        data[s[1]] -= tB
        data[s[2]] -= tBm
        data[s[3]] += tBm
        data[s[4]] += dn
        data[s[5]] -= dn
        data[s[6]] -= dn
        data[s[7]] += dn
        data[s[8]] += tBm
        data[s[9]] -= tBm
        data[s[10]] -= tB
        data[s[11]] += tB
        data[s[12]] += dp
        data[s[13]] -= dp
        data[s[14]] -= dp
        data[s[15]] += dp
    for j in range(len(it)):
        i = it[j]
        n, p = x[m + i], x[2 * m + i]
        den = 1.0 / (tau * (n + p + 2 * ni))
        R = (n * p - ni * ni) * den
        rn, rp = vol[j] * den * (p - R * tau), vol[j] * den * (n - R * tau)
        F[i] += vol[j] * (p - n + C[j])
        F[m + i] -= vol[j] * R
        F[2 * m + i] -= vol[j] * R
        data[rdest[j, 0]] -= rn
        data[rdest[j, 1]] -= rp
        data[rdest[j, 2]] -= rn
        data[rdest[j, 3]] -= rp
    for j in range(len(ct)):
        i = ct[j]
        F[i] = x[i] - psic[j]
        F[m + i] = x[m + i] - nc[j]
        F[2 * m + i] = x[2 * m + i] - pc[j]


class DriftDiffusion:
    lambda2, ni, tau = 1e-3, 1e-4, 10.0

    def __init__(self, N, dim):
        self.N, self.dim = N, dim
        shape = (N,) * dim
        self.m = m = N**dim
        grid = np.arange(m).reshape(shape)
        h = 1.0 / (N - 1)
        half = np.ones(N)
        half[[0, -1]] = 0.5
        ks, ls, ts = [], [], []
        for ax in range(dim):
            lo = (slice(None),) * ax + (slice(0, -1),)
            hi = (slice(None),) * ax + (slice(1, None),)
            ks.append(grid[lo].ravel())
            ls.append(grid[hi].ravel())
            area = np.ones(grid[lo].shape)
            for other in range(dim):
                if other != ax:
                    s = [1] * dim
                    s[other] = N
                    area = area * (half * h).reshape(s)
            ts.append((area / h).ravel())
        self.k, self.l = np.concatenate(ks), np.concatenate(ls)
        self.t = np.concatenate(ts)
        vol = np.ones(shape)
        for ax in range(dim):
            s = [1] * dim
            s[ax] = N
            vol = vol * (half * h).reshape(s)
        first = np.arange(m) // (m // N)  # index along the first axis
        contact = (first == 0) | (first == N - 1)
        self.interior, self.contact = np.flatnonzero(~contact), np.flatnonzero(contact)
        self.vol = vol.ravel()[self.interior]
        x0 = first * h
        x1 = (np.arange(m) % N) * h if dim > 1 else np.zeros(m)
        self.junction = 0.5 + 0.1 * np.sin(2 * np.pi * x1)
        self.position = x0
        self.doping = np.where(x0 < self.junction, -1.0, 1.0)  # acceptors left, donors right
        self.C = self.doping[self.interior]
        ne = len(self.k)
        D = sp.csr_matrix(
            (
                np.r_[np.ones(ne), -np.ones(ne)],
                (np.r_[self.k, self.l], np.r_[np.arange(ne), np.arange(ne)]),
            ),
            shape=(m, ne),
        )
        self.div = D[self.interior]
        psi, n, p = self.equilibrium()
        c = self.contact
        self.psi_c, self.n_c, self.p_c = psi[c], n[c], p[c]

    def equilibrium(self, width=0.02):
        """A smooth guess: bulk values each side of the junction, tanh between."""
        s = np.tanh((self.position - self.junction) / width)
        psi = np.arcsinh(s / (2 * self.ni))
        return psi, self.ni * np.exp(psi), self.ni * np.exp(-psi)

    def points(self):
        psi, n, p = self.equilibrium()
        w = np.cos(0.37 * np.arange(self.m))
        a = np.concatenate([psi, n * (1 + 0.01 * w), p * (1 - 0.01 * w)])
        psi2, n2, p2 = self.equilibrium(0.05)
        b = np.concatenate([psi2 + 0.3 * self.position + 0.01 * w, n2 * 1.1, p2 * 0.9])
        return [a, b]

    # shared source ---------------------------------------------------------------------
    def residual(self, x, ops):
        m, k, l, it, ct = self.m, self.k, self.l, self.interior, self.contact
        psi, n, p = x[:m], x[m : 2 * m], x[2 * m :]
        dpsi = psi[l] - psi[k]
        B = bernoulli(dpsi, ops)
        Bm = B + dpsi  # B(-x) = B(x) + x
        jn = (n[l] * B - n[k] * Bm) * self.t
        jp = (p[l] * Bm - p[k] * B) * self.t
        ni_, pi_ = n[it], p[it]
        R = (ni_ * pi_ - self.ni**2) / ((ni_ + pi_ + 2 * self.ni) * self.tau) * self.vol
        f_psi = ops.dot(self.div, dpsi * (self.t * self.lambda2)) + (pi_ - ni_ + self.C) * self.vol
        f_n = ops.dot(self.div, jn) - R
        f_p = ops.dot(self.div, jp) - R
        return ops.hstack(
            [
                ops.sparsesum(m, [(it, f_psi), (ct, psi[ct] - self.psi_c)]),
                ops.sparsesum(m, [(it, f_n), (ct, n[ct] - self.n_c)]),
                ops.sparsesum(m, [(it, f_p), (ct, p[ct] - self.p_c)]),
            ]
        )

    # structure ----------------------------------------------------------------------------
    def entries(self):
        """(row, col, source, sign) of every contribution. Sources, in blocks: six arrays over
        edges (jn by n_l, n_k, dpsi; jp by p_l, p_k, dpsi), R by n and by p over interior nodes;
        constants are returned apart as (row, col, value)."""
        m, ne = self.m, len(self.k)
        e = np.arange(ne)
        inside = np.zeros(m, bool)
        inside[self.interior] = True
        out, const = [], []
        for node, s in ((self.k, 1.0), (self.l, -1.0)):  # rows of div
            ok = inside[node]
            r, ee = node[ok], e[ok]
            l, k = self.l[ok], self.k[ok]
            for block, base in ((1, 0), (2, 3)):
                out.append((r + block * m, l + block * m, ee + base * ne, s))
                out.append((r + block * m, k + block * m, ee + (base + 1) * ne, s))
                out.append((r + block * m, l, ee + (base + 2) * ne, s))
                out.append((r + block * m, k, ee + (base + 2) * ne, -s))
            const.append((r, l, s * self.lambda2 * self.t[ok]))
            const.append((r, k, -s * self.lambda2 * self.t[ok]))
        it = self.interior
        j = np.arange(len(it))
        for block in (1, 2):
            out.append((it + block * m, it + m, j + 6 * ne, -1.0))
            out.append((it + block * m, it + 2 * m, j + 6 * ne + len(it), -1.0))
        const.append((it, it + 2 * m, self.vol))
        const.append((it, it + m, -self.vol))
        for block in range(3):
            c = self.contact + block * m
            const.append((c, c, np.ones(len(c))))
        return out, const

    def structure(self):
        out, const = self.entries()
        rows = np.concatenate([o[0] for o in out] + [c[0] for c in const])
        cols = np.concatenate([o[1] for o in out] + [c[1] for c in const])
        P = Pattern(rows, cols, (3 * self.m, 3 * self.m))
        src = np.concatenate([o[2] for o in out])
        sign = np.concatenate([np.full(len(o[0]), o[3]) for o in out])
        template = np.zeros(P.nnz)
        np.add.at(template, P.slot[len(src) :], np.concatenate([c[2] for c in const]))
        return P, P.slot[: len(src)], src, sign, template

    def pattern(self):
        return self.structure()[0]

    # by hand, numpy ------------------------------------------------------------------------
    def hand_setup(self):
        self.P, slot, src, sign, self.template = self.structure()
        self.nsrc = 6 * len(self.k) + 2 * len(self.interior)
        self.S = scatter_matrix(slot, src, sign, self.P.nnz, self.nsrc)

    def hand_values(self, x):
        m, k, l, it, ct, t = self.m, self.k, self.l, self.interior, self.contact, self.t
        ne, mi = len(k), len(it)
        psi, n, p = x[:m], x[m : 2 * m], x[2 * m :]
        v = np.empty(6 * ne + 2 * mi)
        w = v[: 6 * ne].reshape(6, ne)
        d = psi[l] - psi[k]
        B, D = bernoulli_and_derivative(d)
        Bm = B + d
        Dm = D + 1.0
        nl, nk, pl, pk = n[l], n[k], p[l], p[k]
        np.multiply(t, B, out=w[0])
        np.multiply(t, Bm, out=w[3])
        np.negative(w[3], out=w[1])
        np.negative(w[0], out=w[4])
        np.multiply(t, nl * D - nk * Dm, out=w[2])
        np.multiply(t, pl * Dm - pk * D, out=w[5])
        jn = nl * w[0] + nk * w[1]
        jp = pl * w[3] + pk * w[4]
        ni_, pi_ = n[it], p[it]
        den = 1.0 / (self.tau * (ni_ + pi_ + 2 * self.ni))
        R = (ni_ * pi_ - self.ni**2) * den
        q = R * den * self.tau
        v[6 * ne : 6 * ne + mi] = self.vol * (pi_ * den - q)
        v[6 * ne + mi :] = self.vol * (ni_ * den - q)
        R *= self.vol
        F = np.empty(3 * m)
        F[it] = self.div @ (d * (self.t * self.lambda2)) + (pi_ - ni_ + self.C) * self.vol
        F[m : 2 * m][it] = self.div @ jn - R
        F[2 * m :][it] = self.div @ jp - R
        F[ct] = psi[ct] - self.psi_c
        F[m : 2 * m][ct] = n[ct] - self.n_c
        F[2 * m :][ct] = p[ct] - self.p_c
        return F, v

    def hand_jacobian(self, x):
        F, v = self.hand_values(x)
        data = self.S @ v
        data += self.template
        return F, self.P.matrix(data)

    # by hand, assembled each time -------------------------------------------------------------
    def coo_setup(self):
        out, const = self.entries()
        self.rows = np.concatenate([o[0] for o in out] + [c[0] for c in const])
        self.cols = np.concatenate([o[1] for o in out] + [c[1] for c in const])
        self.src = np.concatenate([o[2] for o in out])
        self.sign = np.concatenate([np.full(len(o[0]), o[3]) for o in out])
        self.const = np.concatenate([c[2] for c in const])

    def coo_jacobian(self, x):
        F, v = self.hand_values(x)
        vals = np.concatenate([v[self.src] * self.sign, self.const])
        return F, sp.coo_matrix(
            (vals, (self.rows, self.cols)), shape=(3 * self.m, 3 * self.m)
        ).tocsr()

    # by hand, numba -----------------------------------------------------------------------------
    def numba_setup(self):
        from numba import njit

        ne, mi = len(self.k), len(self.interior)
        P, slot, src, sign, self.template = self.structure()
        self.P = P
        dummy = P.nnz  # contributions to contact rows land here
        # destination slots of the edge sources: [edge, block(2), kind(4: d_l, d_k, dpsi_l, dpsi_k), row(2: k, l)]
        dest = np.full((ne, 16), dummy, dtype=np.int32)
        out, _ = self.entries()
        at = 0
        for j, o in enumerate(out[:16]):
            cnt = len(o[0])
            row_side, rest = divmod(j, 8)
            block, kind = divmod(rest, 4)
            edge = o[2] % ne
            dest[edge, block * 8 + kind * 2 + row_side] = slot[at : at + cnt]
            at += cnt
        rdest = np.empty((mi, 4), dtype=np.int32)
        for j in range(4):
            rdest[:, j] = slot[at : at + mi]
            at += mi
        k32, l32 = self.k.astype(np.int32), self.l.astype(np.int32)
        it, ct = self.interior.astype(np.int32), self.contact.astype(np.int32)
        self.args = (k32, l32, self.t, it, ct, dest, rdest, self.vol, self.C)
        self.args += (self.psi_c, self.n_c, self.p_c, self.lambda2, self.ni, self.tau)
        self.kernel = njit(edge_loop)
        self.padded = np.append(self.template, 0.0)

    def numba_jacobian(self, x):
        F = np.empty(3 * self.m)
        data = self.padded.copy()
        psi = x[: self.m]
        em = np.expm1(psi[self.l] - psi[self.k])  # numpy's vectorized expm1
        self.kernel(x, em, *self.args, F, data)
        return F, self.P.matrix(data[:-1])
