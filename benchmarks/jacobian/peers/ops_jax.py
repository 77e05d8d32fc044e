"""The shared residual's namespace on jax arrays."""

import jax
import jax.numpy as jnp
import numpy as np


class JaxOps:
    exp, expm1, log, sqrt = jnp.exp, jnp.expm1, jnp.log, jnp.sqrt
    where, sum = jnp.where, jnp.sum

    @staticmethod
    def value(x):
        return x

    @staticmethod
    def hstack(parts):
        return jnp.concatenate([jnp.asarray(p) for p in parts])

    @staticmethod
    def pick(x, mask, safe):
        # shapes are static under jit: evaluate everywhere, at a harmless value where not taken
        return jnp.where(mask, x, safe)

    @staticmethod
    def branch(cond, iftrue, iffalse):
        return jnp.where(cond, iftrue(cond), iffalse(~cond))

    @staticmethod
    def sparsesum(n, terms):
        y = jnp.zeros(n)
        for idx, v in terms:
            y = y.at[idx].add(v)
        return y

    @staticmethod
    def dot(A, x):
        A = A.tocsr()
        rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
        return jax.ops.segment_sum(A.data * x[A.indices], rows, A.shape[0], indices_are_sorted=True)
