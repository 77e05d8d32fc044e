"""The namespace that the shared residuals take, on plain numpy arrays.

Every peer that runs the shared source supplies an object with the same names:

  exp, expm1, log, sqrt          elementwise functions
  value(x)                       the numbers of x, for deciding conditions
  pick(x, ix, safe)              x[ix] inside a branch; a peer without index-by-condition may
                                 return all of x with `safe` where the branch is not taken
  where(cond, a, b)
  branch(cond, iftrue, iffalse)  iftrue and iffalse take the indices they are evaluated at
  sparsesum(n, [(idx, v), ...])  y = zeros(n); y[idx] += v for each
  dot(A, x)                      constant scipy sparse matrix times x
  sum(x), hstack([a, b, ...])
"""

import numpy as np


class NumpyOps:
    exp, expm1, log, sqrt = np.exp, np.expm1, np.log, np.sqrt
    where, sum, hstack = np.where, np.sum, np.hstack

    @staticmethod
    def value(x):
        return x.real

    @staticmethod
    def pick(x, ix, safe):
        return x[ix]

    @staticmethod
    def branch(cond, iftrue, iffalse):
        t, f = np.flatnonzero(cond), np.flatnonzero(~cond)
        a, b = iftrue(t), iffalse(f)
        y = np.empty(len(cond), dtype=np.result_type(a, b))
        y[t] = a
        y[f] = b
        return y

    @staticmethod
    def sparsesum(n, terms):
        y = np.zeros(n, dtype=np.result_type(*[v for _, v in terms]))
        for idx, v in terms:
            np.add.at(y, idx, v)
        return y

    @staticmethod
    def dot(A, x):
        return A.dot(x)
