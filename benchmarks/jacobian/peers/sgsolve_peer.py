"""The adapter of sgsolve: the only file here that knows its names. Mend it where they differ."""

import numpy as np
import scipy.sparse as sp

from .base import Peer


class Sgsolve(Peer):
    def imports(self):
        from sgsolve import ad

        class Ops:
            exp, expm1, log, sqrt = np.exp, np.expm1, np.log, np.sqrt
            where, branch, dot, sum, hstack = ad.where, ad.branch, ad.dot, ad.sum, ad.hstack
            value = staticmethod(ad.value)

            @staticmethod
            def pick(x, ix, safe):
                return x[ix]

            @staticmethod
            def sparsesum(n, terms):
                return ad.sparsesum([ad.sparsevec(n, idx, v) for idx, v in terms])

        self.ad, self.ops = ad, Ops

    def evaluate(self, x):
        y = self.problem.residual(self.ad.seed(x), self.ops)
        return y.value, y.jacobian


class SgsolveFrozen(Sgsolve):
    """The same, the problem's index arrays and matrices frozen: nobody changes them later."""

    def setup(self, problem):
        super().setup(problem)
        freeze = self.ad.freeze
        for name, part in vars(problem).items():
            if isinstance(part, np.ndarray) or sp.issparse(part):
                setattr(problem, name, freeze(part))
            elif isinstance(part, list) and all(isinstance(p, np.ndarray) for p in part):
                setattr(problem, name, [freeze(p) for p in part])


class SgsolveCompiled(Sgsolve):
    """The same, evaluated by a compiled kernel; compiling is part of the first evaluations."""

    def setup(self, problem):
        super().setup(problem)
        self.f = self.ad.compiled(lambda x: problem.residual(x, self.ops), at_once=True)

    def evaluate(self, x):
        return self.f.value_and_jacobian(x)

    def notes(self):
        return str(self.f.stats)
