"""scipy.optimize finite differences with column grouping; complex step is the exact variant."""

import scipy.sparse as sp

from .base import Peer
from .ops_numpy import NumpyOps


class FiniteDifference(Peer):
    def __init__(self, method):
        self.method = method
        self.tolerance = 1e-8 if method == "cs" else 1e-5

    def imports(self):
        from scipy.optimize._numdiff import approx_derivative, group_columns

        self.approx, self.group = approx_derivative, group_columns

    def setup(self, problem):
        self.problem = problem
        P = problem.pattern()
        A = sp.csr_matrix(P._proto)
        self.groups = self.group(A)
        self.sparsity = (A, self.groups)
        self.f = lambda x: problem.residual(x, NumpyOps)

    def evaluate(self, x):
        F = self.f(x)
        return F, self.approx(self.f, x, method=self.method, f0=F, sparsity=self.sparsity)

    def notes(self):
        return {"colors": int(self.groups.max()) + 1}
