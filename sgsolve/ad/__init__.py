"""Exact sparse derivatives of NumPy code.

>>> import numpy as np
>>> from sgsolve import ad
>>> def residual(u):
...     return 2 * u[1:-1] - u[:-2] - u[2:] - np.exp(u[1:-1])
>>> u = ad.seed(np.zeros(5))
>>> residual(u).jacobian.toarray()
array([[-1.,  1., -1.,  0.,  0.],
       [ 0., -1.,  1., -1.,  0.],
       [ 0.,  0., -1.,  1., -1.]])
"""

from .array import ADArray
from .drivers.jacobian_check import JacobianCheck, check_jacobian
from .drivers.jacobian_products import jvp, vjp
from .drivers.seeding import (
    jacobian,
    jacobian_values,
    seed,
    seed_sparsity,
    sparsity_pattern,
    value,
    value_and_jacobian,
)
from .drivers.several_arguments import (
    jacobian_blocks,
    jacobian_function,
    seed_all,
    value_and_jacobian_blocks,
)
from .functions.element_functions.bernoulli import bernoulli
from .functions.element_functions.branching import branch, where
from .functions.element_functions.defined_rules import define_rule
from .functions.element_functions.special import fermi_dirac, lambertw, logsumexp
from .functions.element_functions.user import elementwise
from .functions.sparse_vectors import SparseVector, sparsesum, sparsevec
from .functions.vectors import dot, hstack, stack, sum
from .kernels.compiled_function import compiled
from .kernels.machine import is_available as compiled_is_available
from .structures.freezing import freeze
from .structures.root import clear_cache

__all__ = [
    "ADArray",
    "JacobianCheck",
    "SparseVector",
    "jacobian_values",
    "bernoulli",
    "jacobian_blocks",
    "branch",
    "check_jacobian",
    "clear_cache",
    "compiled",
    "compiled_is_available",
    "define_rule",
    "dot",
    "elementwise",
    "fermi_dirac",
    "freeze",
    "hstack",
    "jacobian",
    "jacobian_function",
    "jvp",
    "lambertw",
    "logsumexp",
    "sparsity_pattern",
    "seed",
    "seed_all",
    "seed_sparsity",
    "sparsesum",
    "sparsevec",
    "stack",
    "sum",
    "value",
    "value_and_jacobian_blocks",
    "value_and_jacobian",
    "vjp",
    "where",
]
