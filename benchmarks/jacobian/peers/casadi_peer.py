"""CasADi: symbolic expression of the residual, sparse Jacobian by its own detection and
coloring. kind 'SX' is one scalar node per operation, 'MX' one node per vector operation."""

import numpy as np
import scipy.sparse as sp

from .base import Peer


class Vec:
    """numpy-like indexing and arithmetic over a casadi column (index arrays, const vectors)."""

    __array_priority__ = 1000
    __array_ufunc__ = None

    def __init__(self, e):
        self.e = e

    @staticmethod
    def raw(v):
        import casadi as ca

        if isinstance(v, Vec):
            return v.e
        if isinstance(v, np.ndarray):
            return ca.DM(v)
        return v

    def __add__(self, o):
        return Vec(self.e + Vec.raw(o))

    def __sub__(self, o):
        return Vec(self.e - Vec.raw(o))

    def __mul__(self, o):
        return Vec(self.e * Vec.raw(o))

    def __truediv__(self, o):
        return Vec(self.e / Vec.raw(o))

    def __radd__(self, o):
        return Vec(Vec.raw(o) + self.e)

    def __rsub__(self, o):
        return Vec(Vec.raw(o) - self.e)

    def __rmul__(self, o):
        return Vec(Vec.raw(o) * self.e)

    def __rtruediv__(self, o):
        return Vec(Vec.raw(o) / self.e)

    def __pow__(self, o):
        return Vec(self.e**o)

    def __neg__(self):
        return Vec(-self.e)

    def __lt__(self, o):
        return Vec(self.e < Vec.raw(o))

    def __invert__(self):
        return Vec(self.e == 0)

    def __getitem__(self, idx):
        if isinstance(idx, slice):
            return Vec(self.e[idx])
        return Vec(self.e[np.asarray(idx).tolist()])


class Ops:
    """Filled with casadi's functions on import."""

    @staticmethod
    def value(x):
        return x

    @staticmethod
    def where(c, a, b):
        import casadi as ca

        return Vec(ca.if_else(c.e, Vec.raw(a), Vec.raw(b)))

    @staticmethod
    def pick(x, cond, safe):
        return Ops.where(cond, x, safe)

    @staticmethod
    def branch(cond, iftrue, iffalse):
        return Ops.where(cond, iftrue(cond), iffalse(~cond))

    @staticmethod
    def hstack(parts):
        import casadi as ca

        return Vec(ca.vertcat(*[Vec.raw(p) for p in parts]))

    @staticmethod
    def dot(A, x):
        import casadi as ca

        return Vec(ca.mtimes(ca.DM(sp.csc_matrix(A)), x.e))

    @staticmethod
    def sparsesum(n, terms):
        y = None
        for idx, v in terms:
            m = len(idx)
            t = Ops.dot(sp.csc_matrix((np.ones(m), (idx, np.arange(m))), shape=(n, m)), v)
            y = t if y is None else y + t
        return y

    @staticmethod
    def sum(x):
        import casadi as ca

        return Vec(ca.sum1(x.e))


class Casadi(Peer):
    def __init__(self, kind):
        self.kind = kind

    def imports(self):
        import casadi as ca

        self.ca = ca
        for name in ("exp", "expm1", "log", "sqrt"):
            setattr(Ops, name, staticmethod(lambda v, f=getattr(ca, name): Vec(f(v.e))))

    def setup(self, problem):
        ca = self.ca
        self.problem = problem
        n = len(problem.points()[0])
        x = getattr(ca, self.kind).sym("x", n)
        F = problem.residual(Vec(x), Ops).e
        F = ca.densify(F)
        J = ca.jacobian(F, x)
        self.f = ca.Function("f", [x], [F, J])
        S = self.f.sparsity_out(1)
        indptr = np.array(S.colind(), dtype=np.int32)
        indices = np.array(S.row(), dtype=np.int32)
        self.proto = sp.csc_matrix(
            (np.zeros(len(indices)), indices, indptr), shape=(S.size1(), S.size2())
        )
        self.proto.has_sorted_indices = True
        self.proto.has_canonical_format = True
        self.x = np.zeros(n)
        self.F = np.zeros(n)
        self.data = np.zeros(len(indices))
        self.buf, self.call = self.f.buffer()
        self.buf.set_arg(0, memoryview(self.x))
        self.buf.set_res(0, memoryview(self.F))
        self.buf.set_res(1, memoryview(self.data))

    def evaluate(self, x):
        import copy

        self.x[:] = x
        self.call()
        J = copy.copy(self.proto)
        J.data = self.data.copy()
        return self.F.copy(), J

    def notes(self):
        return {"instructions": int(self.f.n_nodes()) if self.kind == "SX" else None}
