"""sparsegrad 0.0.15 (2019), in its own interpreter with the numpy and scipy it can live with."""

import os
import sys

from .base import Peer


class Sparsegrad(Peer):
    def imports(self):
        import sparsegrad.forward.forward as fw
        import sparsegrad.functions as fns
        import sparsegrad.sparsevec as sv

        self.fw = fw

        class Ops:
            exp, expm1, log, sqrt = fns.exp, fns.expm1, fns.log, fns.sqrt
            where, branch, dot, sum, hstack = fns.where, fns.branch, fns.dot, fns.sum, fns.hstack

            @staticmethod
            def value(x):
                return fw.nvalue(x)

            @staticmethod
            def pick(x, ix, safe):
                return x[ix]

            @staticmethod
            def sparsesum(n, terms):
                return sv.sparsesum_bare(n, terms)

        self.ops = Ops

    def evaluate(self, x):
        y = self.problem.residual(self.fw.seed(x), self.ops)
        return y.value, y.dvalue


class SparsegradPort(Sparsegrad):
    """The same source under today's numpy and scipy, from BENCH_SPARSEGRAD_PORT: it separates
    what sparsegrad's design costs from what numpy 1.23's take, repeat and add.at cost."""

    def imports(self):
        sys.path.insert(0, os.environ["BENCH_SPARSEGRAD_PORT"])
        super().imports()
